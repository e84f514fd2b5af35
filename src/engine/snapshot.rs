//! Everything a decision looks up, as of one moment, in memory: exchanged whole, so that no decision sees half of a change.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::EngineError;
use super::fingerprint::Fingerprint;
use super::rhythms::Rhythms;
use super::scorer::SnapshotScorer;
use crate::config::Config;
use crate::decisions::context::{DecisionContext, PastSend};
use crate::domain::campaign::{Campaign, CampaignStatus};
use crate::domain::content::Content;
use crate::domain::identity::sha256_hex;
use crate::domain::settings::DecisionSettings;
use crate::domain::time::{HOUR, Instant};
use crate::domain::user::User;
use crate::domain::zone::{ZoneSource, database_version};
use crate::events::catalogue::Catalogue;
use crate::events::lake::Lake;
use crate::profiles::declared::Declared;
use crate::profiles::features::{FEATURES, features_sha256};
use crate::profiles::recent::Recent;
use crate::workspace::Workspace;

/// The workspace as of a moment, ready to be asked.
#[derive(Clone, Debug)]
pub struct Snapshot {
    as_of: Instant,
    newest: Option<Instant>,
    fingerprint: Fingerprint,
    users: BTreeMap<String, User>,
    campaigns: BTreeMap<String, Campaign>,
    /// Declared contents and those that events name, the most popular first.
    contents: Vec<Content>,
    places: HashMap<String, usize>,
    recent: Arc<Recent>,
    rhythms: Arc<Rhythms>,
    scorers: BTreeMap<String, SnapshotScorer>,
    settings: DecisionSettings,
    default_time_zone: Option<String>,
    versions: BTreeMap<String, String>,
}

impl Snapshot {
    /// Reads the workspace. Events count that lie before `now`; features are as of 1 µs after the newest of them.
    ///
    /// # Errors
    /// When a table cannot be read. A workspace without events, users, contents or campaigns is a snapshot of nobody.
    pub fn build(workspace: &Workspace, config: &Config, now: Instant) -> Result<Snapshot, EngineError> {
        // Taken first: what changes while we read makes the next look differ.
        let fingerprint = Fingerprint::of(workspace);
        let lake = Lake::open(workspace)?;
        let newest = lake.newest();
        let as_of = newest.map_or(now, |newest| newest.plus(1)).min(now);
        let declared = Declared::read(workspace, &config.default_time_zone)?;
        let catalogue = Catalogue::read(workspace)?;
        let recent = Recent::read(&lake, as_of)?;
        let rhythms = Rhythms::learn(&lake, &declared, as_of, config.send_time.interval)?;
        let contents = contents_by_popularity(catalogue.contents, &recent);
        let places =
            contents.iter().enumerate().map(|(place, content)| (content.content_id.clone(), place)).collect();
        Ok(Snapshot {
            as_of,
            newest,
            fingerprint,
            scorers: scorers(workspace, &config.decisions, &catalogue.campaigns),
            users: catalogue.users,
            campaigns: catalogue.campaigns,
            contents,
            places,
            recent: Arc::new(recent),
            rhythms: Arc::new(rhythms),
            settings: config.decisions.clone(),
            default_time_zone: config.default_time_zone_is_set.then(|| config.default_time_zone.clone()),
            versions: versions(config, as_of),
        })
    }

    /// The same past with what is declared now: users' word on being pushed, campaigns, contents.
    ///
    /// It stands for the files that this one was read from, so a whole build still follows.
    pub(super) fn with_declarations(&self, workspace: &Workspace) -> Result<Snapshot, EngineError> {
        let Catalogue { users, contents, campaigns } = Catalogue::read(workspace)?;
        let contents = contents_by_popularity(contents, &self.recent);
        let place = |(place, content): (usize, &Content)| (content.content_id.clone(), place);
        let places = contents.iter().enumerate().map(place).collect();
        Ok(Snapshot { users, campaigns, contents, places, ..self.clone() })
    }

    /// Events before this moment count.
    pub fn as_of(&self) -> Instant {
        self.as_of
    }

    /// The newest event of the lake, which may lie after `as_of`.
    pub fn newest(&self) -> Option<Instant> {
        self.newest
    }

    /// Are the files still those that it was read from?
    pub(super) fn is_current(&self, workspace: &Workspace) -> bool {
        self.fingerprint == Fingerprint::of(workspace)
    }

    /// Counts for people: users with events, declared users, contents, campaigns.
    pub fn sizes(&self) -> [(&'static str, usize); 4] {
        [
            ("users_with_events", self.rhythms.users()),
            ("declared_users", self.users.len()),
            ("contents", self.contents.len()),
            ("campaigns", self.campaigns.len()),
        ]
    }

    /// A user as decisions see him: declared, known from events, or unknown.
    pub(super) fn user(&self, user_id: &str) -> User {
        let mut user = self.users.get(user_id).cloned().unwrap_or_else(|| User {
            user_id: user_id.to_string(),
            known: self.rhythms.knows(user_id),
            personalisation: true,
            ..User::default()
        });
        if user.time_zone.is_none() {
            let device = self.rhythms.device_zone(user_id).map(|zone| (zone, ZoneSource::Device));
            let default = self.default_time_zone.as_deref().map(|zone| (zone, ZoneSource::Default));
            if let Some((zone, source)) = device.or(default) {
                user.time_zone = Some(zone.to_string());
                user.time_zone_source = Some(source);
            }
        }
        user
    }

    /// A campaign by its id.
    pub(super) fn campaign(&self, campaign_id: &str) -> Option<&Campaign> {
        self.campaigns.get(campaign_id)
    }

    /// Campaigns that may send between `now` and the horizon, the weightiest first.
    pub(super) fn running_campaigns(&self, now: Instant, horizon_hours: u32) -> Vec<&Campaign> {
        let horizon = now.plus(i64::from(horizon_hours) * HOUR);
        let has_begun = |campaign: &Campaign| match campaign.status {
            CampaignStatus::Running => true,
            // It waits for its window and for nothing else.
            CampaignStatus::Scheduled => campaign.window_start.is_some(),
            CampaignStatus::Draft
            | CampaignStatus::Paused
            | CampaignStatus::Halted
            | CampaignStatus::Ended => false,
        };
        let runs = |campaign: &&Campaign| {
            has_begun(campaign)
                && campaign.window_end.is_none_or(|end| end > now)
                && campaign.window_start.is_none_or(|start| start < horizon)
        };
        let mut running: Vec<&Campaign> = self.campaigns.values().filter(runs).collect();
        // Stable: equal priorities stay in order of their ids.
        running.sort_by(|a, b| b.priority.total_cmp(&a.priority));
        running
    }

    /// A content by its id.
    pub(super) fn content(&self, content_id: &str) -> Option<&Content> {
        self.places.get(content_id).map(|place| &self.contents[*place])
    }

    /// Contents that are out and not over at `now`, the most popular first.
    pub(super) fn contents_alive(&self, now: Instant) -> impl Iterator<Item = &Content> {
        self.contents.iter().filter(move |content| is_alive(content, now))
    }

    /// Puts the most popular first; ties by id.
    pub(super) fn sort_by_popularity(&self, contents: &mut [Content]) {
        contents.sort_by(|a, b| {
            let (first, second) =
                (self.recent.popularity(&a.content_id), self.recent.popularity(&b.content_id));
            second.total_cmp(&first).then_with(|| a.content_id.cmp(&b.content_id))
        });
    }

    /// A user's pushes before `now`, newest first.
    pub(super) fn sends_before(&self, user_id: &str, now: Instant) -> Vec<PastSend> {
        self.recent.sends_before(user_id, now)
    }

    /// Users' hours.
    pub(super) fn rhythms(&self) -> &Rhythms {
        &self.rhythms
    }

    /// The scorer of a goal.
    pub(super) fn scorer(&self, goal: &str) -> &SnapshotScorer {
        // Every goal that a campaign of this snapshot names has one; the default goal always does.
        self.scorers.get(goal).or_else(|| self.scorers.get(&self.settings.goal)).unwrap_or(&NO_MODEL)
    }

    /// Fills a context's model inputs, and names the model and why quality falls back.
    pub(super) fn fill_model(&self, context: &mut DecisionContext) {
        let scorer = self.scorer(&goal_of(context));
        scorer.fill_inputs(&self.recent, context);
        context.fallback.extend(scorer.fallback().map(str::to_string));
        context.versions.insert("model".to_string(), scorer.version().to_string());
    }

    /// The settings in force.
    pub(super) fn settings(&self) -> &DecisionSettings {
        &self.settings
    }

    /// What decisions rest on, but for the model.
    pub(super) fn versions(&self) -> &BTreeMap<String, String> {
        &self.versions
    }
}

static NO_MODEL: SnapshotScorer = SnapshotScorer::Popularity(crate::decisions::scorer::PopularityScorer);

/// The goal that a context pursues.
pub(super) fn goal_of(context: &DecisionContext) -> String {
    let own = context.campaign.as_ref().and_then(|campaign| campaign.goal.clone());
    own.unwrap_or_else(|| context.settings.goal.clone())
}

fn is_alive(content: &Content, now: Instant) -> bool {
    content.published_at.is_none_or(|moment| moment <= now)
        && content.expires_at.is_none_or(|moment| moment > now)
}

/// Declared contents and those that only events know; a content without a moment of publication has its first event's.
fn contents_by_popularity(mut declared: BTreeMap<String, Content>, recent: &Recent) -> Vec<Content> {
    for (content_id, first) in recent.contents() {
        let content = declared
            .entry(content_id.to_string())
            .or_insert_with(|| Content { content_id: content_id.to_string(), ..Content::default() });
        content.published_at.get_or_insert(first);
    }
    // No decision reads a text's body, and each would be logged with every decision.
    declared
        .values_mut()
        .flat_map(|content| &mut content.variants)
        .for_each(|variant| variant.body = String::new());
    let mut ranked: Vec<(f64, Content)> =
        declared.into_values().map(|content| (recent.popularity(&content.content_id), content)).collect();
    // Stable: equal popularity stays in order of ids.
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    ranked.into_iter().map(|(_, content)| content).collect()
}

/// One scorer for each goal that a decision may pursue.
fn scorers(
    workspace: &Workspace,
    settings: &DecisionSettings,
    campaigns: &BTreeMap<String, Campaign>,
) -> BTreeMap<String, SnapshotScorer> {
    let goals = campaigns.values().filter_map(|campaign| campaign.goal.as_ref()).chain([&settings.goal]);
    goals.map(|goal| (goal.clone(), SnapshotScorer::of_goal(workspace, goal))).collect()
}

fn versions(config: &Config, as_of: Instant) -> BTreeMap<String, String> {
    let settings = serde_json::to_string(config).unwrap_or_default();
    let short = |hash: &str| hash[..12].to_string();
    [
        ("features", short(&features_sha256(FEATURES))),
        ("config", short(&sha256_hex(settings.as_bytes()))),
        ("tz_database", database_version().to_string()),
        ("build", env!("CARGO_PKG_VERSION").to_string()),
        ("profiles_as_of", as_of.to_string()),
    ]
    .into_iter()
    .map(|(name, version)| (name.to_string(), version))
    .collect()
}
