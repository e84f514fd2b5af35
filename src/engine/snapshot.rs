//! Everything a decision looks up, as of one moment, in memory: exchanged whole, so that no decision sees half of a change.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::EngineError;
use super::fingerprint::Fingerprint;
use super::knowledge::Knowledge;
use super::rhythms::Rhythms;
use super::scorer::SnapshotScorer;
use super::shadow::{Shadow, shadows};
use config::Config;
use decisions::context::{Audience, ChannelContext, ContentContext, DecisionContext, PastSend};
use domain::campaign::{Campaign, CampaignStatus};
use domain::content::Content;
use domain::decision::Decision;
use domain::identity::sha256_hex;
use domain::settings::DecisionSettings;
use domain::time::Instant;
use domain::user::User;
use domain::zone::database_version;
use events::catalogue::Catalogue;
use events::lake::Lake;
use events::withdrawals::Withdrawals;
use files::workspace::Workspace;
use models::inputs::UserAsOf;
use models::material::Material;
use profiles::features::{FEATURES, features_sha256};
use profiles::recent::Recent;
use segments::answers::audiences::Audiences;
use segments::language::words::nearest;
use store::decision_log::ShadowScore;

/// The workspace as of a moment, ready to be asked. A clone shares everything that is large.
#[derive(Clone, Debug)]
pub struct Snapshot {
    as_of: Instant,
    newest: Option<Instant>,
    fingerprint: Fingerprint,
    audience_fingerprint: Fingerprint,
    audiences: Arc<Audiences>,
    declared: Arc<Catalogue>,
    contents: Arc<RankedContents>,
    recent: Arc<Recent>,
    withdrawals: Arc<Withdrawals>,
    rhythms: Arc<Rhythms>,
    scorers: Arc<BTreeMap<String, SnapshotScorer>>,
    shadows: Arc<BTreeMap<String, Shadow>>,
    knowledge: Arc<Knowledge>,
    /// What is wrong with champions that cannot be used.
    model_errors: Vec<String>,
    settings: DecisionSettings,
    /// `profiles.fatigue_half_life_days`
    fatigue_half_life_days: f64,
    /// What a message costs over each channel that is set up.
    channel_costs: BTreeMap<String, f64>,
    /// What reaching each declared goal is worth.
    goal_values: BTreeMap<String, f64>,
    default_time_zone: Option<String>,
    versions: BTreeMap<String, String>,
}

/// Declared contents and those that events name, the most popular first.
#[derive(Debug)]
struct RankedContents {
    contents: Vec<Content>,
    ranks: HashMap<String, usize>,
    /// Contents that campaigns name and that were never declared, nor seen in an event.
    unknown: HashMap<String, Content>,
}

impl RankedContents {
    fn of(declared: &Catalogue, recent: &Recent) -> RankedContents {
        let mut contents = contents_by_popularity(declared.contents.clone(), recent);
        let ranks = contents.iter().enumerate().map(|(rank, content)| (content.content_id.clone(), rank));
        let ranks: HashMap<String, usize> = ranks.collect();
        let mut unknown = HashMap::new();
        for undeclared in undeclared_of_campaigns(declared) {
            match ranks.get(&undeclared.content_id) {
                Some(rank) => contents[*rank].undeclared = undeclared.undeclared,
                None => drop(unknown.insert(undeclared.content_id.clone(), undeclared)),
            }
        }
        RankedContents { contents, ranks, unknown }
    }

    fn find(&self, content_id: &str) -> Option<&Content> {
        self.ranks.get(content_id).map(|rank| &self.contents[*rank])
    }
}

impl Snapshot {
    /// Reads the workspace. Events count that lie before `now`; features are as of 1 µs after the newest of them.
    ///
    /// # Errors
    /// When a table cannot be read. A workspace without events, users, contents or campaigns is a snapshot of nobody.
    pub fn build(workspace: &Workspace, config: &Config, now: Instant) -> Result<Snapshot, EngineError> {
        // Taken first: what changes while we read makes the next look differ.
        let fingerprint = Fingerprint::of(workspace);
        let audience_fingerprint = Fingerprint::of_audiences(workspace);
        let lake = Lake::open(workspace)?;
        let newest = lake.newest();
        let as_of = newest.map_or(now, |newest| newest.plus(1)).min(now);
        let zone = &config.default_time_zone;
        let material = Material::read(workspace, &lake, zone, as_of, &|_, _| ())?;
        let declared = Arc::clone(&material.catalogue);
        let recent = Recent::read(&lake, as_of)?;
        let withdrawals = Withdrawals::known_at(&lake, now, config.ingest.future_tolerance_hours)?;
        let rhythms = Rhythms::learn(&lake, &material.declared, as_of, config.send_time.interval)?;
        let contents = Arc::new(RankedContents::of(&declared, &recent));
        let (scorers, mut model_errors) = scorers(workspace, config, &declared.campaigns);
        let (shadows, shadow_errors) = shadows(workspace, config);
        model_errors.extend(shadow_errors);
        for error in &model_errors {
            tracing::warn!(%error, "a model cannot be used: decisions fall back to popularity, or go without a shadow");
        }
        let audiences =
            Audiences::build(workspace, config, &segments_of(&declared.campaigns), now, &material);
        Ok(Snapshot {
            as_of,
            newest,
            fingerprint,
            audience_fingerprint,
            audiences: Arc::new(audiences),
            knowledge: Arc::new(Knowledge::gather(
                material,
                &scorers,
                &recent,
                config.decisions.cold_start_evidence,
            )?),
            scorers: Arc::new(scorers),
            shadows: Arc::new(shadows),
            model_errors,
            declared,
            contents,
            recent: Arc::new(recent),
            withdrawals: Arc::new(withdrawals),
            rhythms: Arc::new(rhythms),
            settings: config.decisions.clone(),
            fatigue_half_life_days: config.profiles.fatigue_half_life_days,
            channel_costs: config
                .channels
                .iter()
                .map(|(name, channel)| (name.clone(), channel.cost))
                .collect(),
            goal_values: config.goals.iter().map(|(name, goal)| (name.clone(), goal.value)).collect(),
            default_time_zone: config.default_time_zone_is_set.then(|| config.default_time_zone.clone()),
            versions: versions(config, as_of),
        })
    }

    /// The same past with what is declared now: users' word on being pushed, campaigns, contents.
    ///
    /// It stands for the files that this one was read from, so a whole build still follows.
    pub(super) fn with_declarations(&self, workspace: &Workspace) -> Result<Snapshot, EngineError> {
        let declared = Arc::new(Catalogue::read(workspace)?);
        let contents = Arc::new(RankedContents::of(&declared, &self.recent));
        // Cheap: the models themselves are shared.
        let mut scorers = BTreeMap::clone(&self.scorers);
        // A goal that is new here has a model, if any, only once its inputs are gathered.
        for goal in declared.campaigns.values().filter_map(|campaign| campaign.goal.as_ref()) {
            scorers.entry(goal.clone()).or_insert(NO_MODEL.clone());
        }
        Ok(Snapshot { declared, contents, scorers: Arc::new(scorers), ..self.clone() })
    }

    /// The same with the audiences that segments and profiles make now.
    pub(super) fn with_audiences(&self, workspace: &Workspace, config: &Config, now: Instant) -> Snapshot {
        let audience_fingerprint = Fingerprint::of_audiences(workspace);
        let segments = segments_of(&self.declared.campaigns);
        let audiences = Audiences::build(workspace, config, &segments, now, self.knowledge.material());
        Snapshot { audience_fingerprint, audiences: Arc::new(audiences), ..self.clone() }
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

    /// Are the audiences still those that segments and profiles make?
    pub(super) fn has_current_audiences(&self, workspace: &Workspace) -> bool {
        self.audience_fingerprint == Fingerprint::of_audiences(workspace)
    }

    /// A user beside the segment that a campaign is for; `None` when it is for everybody.
    pub(super) fn audience(&self, campaign: &Campaign, user_id: &str) -> Option<Audience> {
        Some(self.audiences.of(campaign.segment()?, user_id))
    }

    /// Counts for people: users with events, declared users, contents, campaigns.
    pub fn sizes(&self) -> [(&'static str, usize); 4] {
        [
            ("users_with_events", self.rhythms.users()),
            ("declared_users", self.declared.users.len()),
            ("contents", self.contents.contents.len()),
            ("campaigns", self.declared.campaigns.len()),
        ]
    }

    /// Users, contents and campaigns as they were declared, contents with their whole texts.
    pub fn declared(&self) -> &Catalogue {
        &self.declared
    }

    /// A user as decisions see him: declared, known from events, or unknown.
    pub(super) fn user(&self, user_id: &str) -> User {
        let undeclared = || User::undeclared(user_id, self.rhythms.knows(user_id));
        let mut user = self.declared.users.get(user_id).cloned().unwrap_or_else(undeclared);
        user.fill_zone(self.rhythms.device_zone(user_id), self.default_time_zone.as_deref());
        self.withdrawals.apply(&mut user);
        user
    }

    /// Every user whom somebody declared or an event names, in order.
    pub(super) fn user_ids(&self) -> Vec<&str> {
        let declared = self.declared.users.keys().map(String::as_str);
        let all: BTreeSet<&str> = declared.chain(self.rhythms.user_ids()).collect();
        all.into_iter().collect()
    }

    /// A number for a content: the same for the same content, and one for all that nobody declared or touched.
    pub(super) fn content_number(&self, content_id: &str) -> u32 {
        self.contents.ranks.get(content_id).map_or(u32::MAX, |rank| *rank as u32)
    }

    /// A campaign by its id.
    pub fn campaign(&self, campaign_id: &str) -> Option<&Campaign> {
        self.declared.campaigns.get(campaign_id)
    }

    /// Campaigns that may send within `[now, until)`, the weightiest first.
    pub fn running_campaigns(&self, now: Instant, until: Instant) -> Vec<&Campaign> {
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
                && campaign.window_start.is_none_or(|start| start < until)
        };
        let mut running: Vec<&Campaign> = self.declared.campaigns.values().filter(runs).collect();
        // Stable: equal priorities stay in order of their ids.
        running.sort_by(|a, b| b.priority.total_cmp(&a.priority));
        running
    }

    /// A content by its id.
    pub(super) fn content(&self, content_id: &str) -> Option<&Content> {
        self.contents.find(content_id)
    }

    /// A content that a campaign may name, also one that was never declared.
    pub(super) fn named_content(&self, content_id: &str) -> Content {
        let known = self.content(content_id).or_else(|| self.contents.unknown.get(content_id));
        known.cloned().unwrap_or_else(|| Content::undeclared(content_id, None))
    }

    /// The contents of a campaign that were never declared.
    pub fn undeclared_contents(&self, campaign: &Campaign) -> Vec<Content> {
        let contents = campaign.contents.iter().map(|id| self.named_content(id));
        contents.filter(|content| content.undeclared.is_some()).collect()
    }

    /// Contents that are out and not over at `now`, the most popular first.
    pub(super) fn contents_alive(&self, now: Instant) -> impl Iterator<Item = &Content> {
        self.contents.contents.iter().filter(move |content| is_alive(content, now))
    }

    /// Puts those with a text first, then the most popular; ties by id.
    pub(super) fn sort_by_popularity(&self, contents: &mut [Content]) {
        contents.sort_by(|a, b| {
            let (first, second) =
                (self.recent.popularity(&a.content_id), self.recent.popularity(&b.content_id));
            let by_text = b.has_text().cmp(&a.has_text());
            by_text.then(second.total_cmp(&first)).then_with(|| a.content_id.cmp(&b.content_id))
        });
    }

    /// A user's pushes before `now`, newest first.
    pub(super) fn sends_before(&self, user_id: &str, now: Instant) -> Vec<PastSend> {
        let mut sends = self.recent.sends_before(user_id, now);
        for send in &mut sends {
            let campaign = send.campaign_id.as_ref().and_then(|id| self.campaign(id));
            send.campaign_tags = campaign.map(|campaign| campaign.tags.clone()).unwrap_or_default();
            let content = send.content_id.as_ref().and_then(|id| self.content(id));
            send.message_class = content.map(|content| content.message_class).unwrap_or_default();
        }
        sends
    }

    /// Pushes that went out for a campaign.
    pub(super) fn sends_of(&self, campaign_id: &str) -> u64 {
        self.recent.sent_of_campaign(campaign_id)
    }

    /// A channel as decisions see it.
    pub(super) fn channel(&self, name: String) -> ChannelContext {
        ChannelContext { cost: self.channel_costs.get(&name).copied(), name }
    }

    /// A content to choose, its model inputs still to be filled in.
    pub(super) fn unscored(&self, content: Content) -> ContentContext {
        let evidence = self.recent.evidence(&content.content_id);
        let sent = self.recent.sent_of_content(&content.content_id);
        ContentContext {
            content,
            evidence,
            sent,
            content_inputs: Vec::new(),
            pair_inputs: Vec::new(),
            prior: None,
        }
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

    /// What a goal's model knows of a user, if it knows him.
    pub(super) fn known(&self, goal: &str, user: &User) -> Option<UserAsOf<'_>> {
        self.knowledge.of_user(goal, self.scorer(goal), user)
    }

    /// Contents for a user that are alive at `now`: those that their own past suggests first, then the most popular. Contents
    /// without a text are left out unless there are no others: then the rule that refuses them is the answer.
    pub(super) fn contents_for(
        &self,
        known: Option<&UserAsOf<'_>>,
        now: Instant,
        most: usize,
    ) -> Vec<Content> {
        let mut chosen = HashSet::new();
        let own = known.map(|known| self.knowledge.candidates(known, most)).unwrap_or_default();
        let own = own.into_iter().filter_map(|id| self.content(id)).filter(|content| is_alive(content, now));
        let all: Vec<&Content> = own.chain(self.contents_alive(now)).collect();
        let has_texts = all.iter().any(|content| content.has_text());
        all.into_iter()
            .filter(|content| content.has_text() == has_texts && chosen.insert(content.content_id.as_str()))
            .take(most)
            .cloned()
            .collect()
    }

    /// Fills a context's model inputs, and names the model and why quality falls back.
    pub(super) fn fill_model(&self, context: &mut DecisionContext, known: Option<&UserAsOf<'_>>) {
        let goal = goal_of(context);
        let scorer = self.scorer(&goal);
        self.knowledge.fill(&goal, scorer, &self.recent, known, context);
        context.fallback.extend(scorer.fallback().map(str::to_string));
        context.versions.insert("model".to_string(), scorer.version().to_string());
    }

    /// What the goal's challenger in the shadow says of what was sent.
    pub(super) fn shadow_score(&self, context: &DecisionContext, decision: &Decision) -> Option<ShadowScore> {
        let goal = goal_of(context);
        let has_champion = self.scorer(&goal).fallback().is_none();
        self.shadows.get(&goal)?.score(context, decision, has_champion)
    }

    /// What is wrong with champions that cannot be used.
    pub fn model_errors(&self) -> &[String] {
        &self.model_errors
    }

    /// The settings in force.
    pub(super) fn settings(&self) -> &DecisionSettings {
        &self.settings
    }

    /// Days after which a push is felt half as much.
    pub(super) fn fatigue_half_life_days(&self) -> f64 {
        self.fatigue_half_life_days
    }

    /// The settings in force for a goal: what reaching it is worth is the goal's own word.
    pub(super) fn settings_for(&self, goal: &str) -> DecisionSettings {
        let worth = self.goal_values.get(goal).copied().unwrap_or(1.0);
        DecisionSettings { goal_value: self.settings.goal_value * worth, ..self.settings.clone() }
    }

    /// What decisions rest on, but for the model.
    pub fn versions(&self) -> &BTreeMap<String, String> {
        &self.versions
    }
}

static NO_MODEL: SnapshotScorer = SnapshotScorer::Popularity(decisions::scorer::PopularityScorer);

/// The goal that a context pursues.
pub(super) fn goal_of(context: &DecisionContext) -> String {
    goal_for(context.campaign.as_ref(), &context.settings)
}

/// The goal that a campaign pursues, or decisions without one.
pub(super) fn goal_for(campaign: Option<&Campaign>, settings: &DecisionSettings) -> String {
    campaign.and_then(|campaign| campaign.goal.clone()).unwrap_or_else(|| settings.goal.clone())
}

/// The segments that campaigns are for.
fn segments_of(campaigns: &BTreeMap<String, Campaign>) -> BTreeSet<&str> {
    campaigns.values().filter_map(Campaign::segment).collect()
}

fn is_alive(content: &Content, now: Instant) -> bool {
    content.published_at.is_none_or(|moment| moment <= now)
        && content.expires_at.is_none_or(|moment| moment > now)
}

/// Declared contents and those that only events know; a content without a moment of publication has its first event's.
fn contents_by_popularity(mut declared: BTreeMap<String, Content>, recent: &Recent) -> Vec<Content> {
    for (content_id, first) in recent.contents() {
        let content =
            declared.entry(content_id.to_string()).or_insert_with(|| Content::undeclared(content_id, None));
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

/// The contents that campaigns name and that were never declared, each once, with the declared id that is spelled most alike.
fn undeclared_of_campaigns(declared: &Catalogue) -> Vec<Content> {
    let ids: BTreeSet<&String> =
        declared.campaigns.values().flat_map(|campaign| &campaign.contents).collect();
    let missing = ids.into_iter().filter(|id| !declared.contents.contains_key(*id));
    let nearest_to = |id: &str| nearest(id, declared.contents.keys().map(String::as_str)).map(str::to_string);
    missing.map(|id| Content::undeclared(id, nearest_to(id))).collect()
}

/// One scorer for each goal that a decision may pursue, and what is wrong with champions that cannot be used.
fn scorers(
    workspace: &Workspace,
    config: &Config,
    campaigns: &BTreeMap<String, Campaign>,
) -> (BTreeMap<String, SnapshotScorer>, Vec<String>) {
    let goals: BTreeSet<&String> = campaigns
        .values()
        .filter_map(|campaign| campaign.goal.as_ref())
        .chain([&config.decisions.goal])
        .collect();
    let (mut scorers, mut errors) = (BTreeMap::new(), Vec::new());
    for goal in goals {
        let (scorer, error) = SnapshotScorer::of_goal(workspace, goal, config.goals.get(goal));
        scorers.insert(goal.clone(), scorer);
        errors.extend(error);
    }
    (scorers, errors)
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
