//! Users and what is known of them, as a plan asks for it: the same contexts that single questions get.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use uuid::Builder;

use super::question::{Loaded, Question};
use super::scorer::SnapshotScorer;
use super::snapshot::{Snapshot, goal_for};
use ::planning::Source;
use ::planning::record::version_of;
use config::Config;
use decisions::context::{Audience, DecisionContext, Membership};
use domain::campaign::Campaign;
use domain::error::{Coded, ErrorKind};
use domain::identity::{sha256, sha256_hex};
use domain::settings::DecisionSettings;
use domain::time::Instant;
use files::tables::TableError;
use files::workspace::Workspace;
use segments::answers::audiences::{Frozen, freeze};
use segments::answers::desk::DeskError;

/// Campaigns that cannot be planned together; the text names which.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// There is no such campaign.
    #[error("unknown_campaign: there is no campaign {0:?}")]
    UnknownCampaign(String),
    /// One campaign is named twice: two plans of it would spend one cap twice.
    #[error("bad_campaigns: {0:?} is named twice")]
    Twice(String),
    /// Too many, or none.
    #[error("bad_campaigns: {0} campaigns; a plan holds 1 to {most}", most = ::planning::MOST_CAMPAIGNS)]
    Count(usize),
    /// Nobody can tell who is meant.
    #[error(
        "unknown_audience: campaign {campaign_id:?} is for segment {segment_id:?}: {detail}; leave the audience empty to mean everybody"
    )]
    UnknownAudience {
        /// The campaign.
        campaign_id: String,
        /// The segment.
        segment_id: String,
        /// What is wrong with it.
        detail: String,
    },
}

impl Coded for PlanError {
    fn code(&self) -> &'static str {
        match self {
            PlanError::UnknownCampaign(_) => "unknown_campaign",
            PlanError::Twice(_) | PlanError::Count(_) => "bad_campaigns",
            PlanError::UnknownAudience { .. } => "unknown_audience",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            PlanError::Twice(_) | PlanError::Count(_) => ErrorKind::Caller,
            PlanError::UnknownCampaign(_) => ErrorKind::NotFound,
            PlanError::UnknownAudience { .. } => ErrorKind::Conflict,
        }
    }
}

/// By campaign, the members of the segment that it is for; a campaign for everybody has no entry.
pub type Audiences = BTreeMap<String, Arc<Frozen>>;

/// The users of a snapshot, for some campaigns and under some settings.
#[derive(Debug)]
pub struct PlanSource<'a> {
    snapshot: &'a Snapshot,
    users: Vec<&'a str>,
    campaigns: &'a [Campaign],
    audiences: &'a Audiences,
    /// By campaign: is each user a member? `None`: everybody is.
    members: Vec<Option<Vec<bool>>>,
    settings: DecisionSettings,
    now: Instant,
    plan_id: String,
}

/// The campaigns of these ids, in their order.
///
/// # Errors
/// When one does not exist or is named twice.
pub fn campaigns_of(snapshot: &Snapshot, ids: &[String]) -> Result<Vec<Campaign>, PlanError> {
    let mut seen = BTreeSet::new();
    let campaign = |id: &'_ String| {
        if !seen.insert(id.clone()) {
            return Err(PlanError::Twice(id.clone()));
        }
        snapshot.campaign(id).cloned().ok_or_else(|| PlanError::UnknownCampaign(id.clone()))
    };
    if ids.is_empty() || ids.len() > ::planning::MOST_CAMPAIGNS {
        return Err(PlanError::Count(ids.len()));
    }
    ids.iter().map(campaign).collect()
}

/// Who is in the segments that campaigns are for, on the newest profiles that are not after `now`; each segment once.
///
/// # Errors
/// Names the campaign and the segment that cannot be evaluated.
pub fn audiences_of(
    workspace: &Workspace,
    config: &Config,
    campaigns: &[Campaign],
    now: Instant,
) -> Result<Audiences, PlanError> {
    let mut by_segment: BTreeMap<&str, Arc<Frozen>> = BTreeMap::new();
    let mut audiences = Audiences::new();
    for campaign in campaigns {
        let Some(segment_id) = campaign.segment() else { continue };
        let campaign_id = &campaign.campaign_id;
        let frozen = match by_segment.get(segment_id) {
            Some(frozen) => Arc::clone(frozen),
            None => {
                let unknown = |error: DeskError| PlanError::UnknownAudience {
                    campaign_id: campaign_id.clone(),
                    segment_id: segment_id.to_string(),
                    detail: error.to_string(),
                };
                let frozen = Arc::new(freeze(workspace, config, segment_id, now).map_err(unknown)?);
                by_segment.entry(segment_id).or_insert(frozen).clone()
            }
        };
        audiences.insert(campaign_id.clone(), frozen);
    }
    Ok(audiences)
}

/// The id of a plan: another one for another lake, table, setting, model, moment or list of campaigns.
///
/// # Errors
/// When a table cannot be read.
pub fn plan_id(
    workspace: &Workspace,
    snapshot: &Snapshot,
    source: &PlanSource,
    lake_sha256: &str,
) -> Result<String, TableError> {
    let mut parts = vec![lake_sha256.to_string(), source.now.to_string()];
    for table in ["users", "contents", "campaigns"] {
        let path = workspace.table(table);
        match std::fs::read(&path) {
            Ok(bytes) => parts.push(sha256_hex(&bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => parts.push(String::new()),
            Err(error) => return Err(TableError::io(&path)(error)),
        }
    }
    parts.extend(source.campaigns.iter().map(|campaign| campaign.campaign_id.clone()));
    parts.extend(source.audiences.iter().map(|(campaign, frozen)| {
        let Frozen { segment_id, version, as_of, members } = &**frozen;
        format!("{campaign}={segment_id} {version} {as_of} {}", version_of(members))
    }));
    parts.extend(source.models());
    parts.extend(snapshot.versions().iter().map(|(name, version)| format!("{name}={version}")));
    let text = serde_json::json!(parts).to_string();
    Ok(sha256_hex(text.as_bytes())[..12].to_string())
}

/// Running campaigns, and scheduled ones with a window, that may send within `[from, until)`, in order of their ids.
pub fn due_campaigns(snapshot: &Snapshot, from: Instant, until: Instant) -> Vec<String> {
    let mut ids: Vec<String> = snapshot
        .running_campaigns(from, until)
        .into_iter()
        .map(|campaign| campaign.campaign_id.clone())
        .collect();
    ids.sort_unstable();
    ids
}

impl<'a> PlanSource<'a> {
    /// Every user whom somebody declared or an event names.
    pub fn new(
        snapshot: &'a Snapshot,
        campaigns: &'a [Campaign],
        audiences: &'a Audiences,
        settings: DecisionSettings,
        now: Instant,
    ) -> PlanSource<'a> {
        let (users, plan_id) = (snapshot.user_ids(), String::new());
        let mask = |campaign: &Campaign| {
            let members = &audiences.get(&campaign.campaign_id)?.members;
            let is_member = |user: &&str| members.binary_search_by(|id| id.as_str().cmp(user)).is_ok();
            Some(users.iter().map(is_member).collect())
        };
        let members = campaigns.iter().map(mask).collect();
        PlanSource { snapshot, users, campaigns, audiences, members, settings, now, plan_id }
    }

    /// The same, as a plan with an id: its decisions are numbered by it.
    pub fn with_id(self, plan_id: &str) -> PlanSource<'a> {
        PlanSource { plan_id: plan_id.to_string(), ..self }
    }

    /// Pushes that went out for each campaign.
    pub fn sent(&self) -> Vec<u64> {
        self.campaigns.iter().map(|campaign| self.snapshot.sends_of(&campaign.campaign_id)).collect()
    }

    /// How far ahead the longest campaign may reach, in hours.
    pub fn horizon_hours(&self) -> u32 {
        let own = |campaign: &Campaign| campaign.horizon_hours.unwrap_or(self.settings.horizon_hours);
        self.campaigns.iter().map(own).max().unwrap_or(self.settings.horizon_hours)
    }

    /// The name of each campaign's model.
    pub fn models(&self) -> Vec<String> {
        (0..self.campaigns.len()).map(|campaign| self.scorer(campaign).version().to_string()).collect()
    }

    /// The goal of each campaign.
    pub fn goals(&self) -> Vec<String> {
        self.campaigns.iter().map(|campaign| goal_for(Some(campaign), &self.settings)).collect()
    }

    /// What every member of a campaign's audience is.
    fn membership(&self, campaign: &Campaign) -> Option<Audience> {
        let Frozen { segment_id, version, .. } = &**self.audiences.get(&campaign.campaign_id)?;
        let (segment_id, version) = (segment_id.clone(), Some(version.clone()));
        Some(Audience { segment_id, version, membership: Membership::Member })
    }

    /// A UUIDv7 of the plan's moment: the same for the same plan, user and campaign.
    fn decision_id(&self, user_id: &str, campaign_id: &str) -> String {
        let name = serde_json::json!(["decision", self.plan_id, campaign_id, user_id]).to_string();
        let mut random = [0; 10];
        random.copy_from_slice(&sha256(name.as_bytes())[..10]);
        let millis = u64::try_from(self.now.micros().div_euclid(1_000)).unwrap_or_default();
        Builder::from_unix_timestamp_millis(millis, &random).into_uuid().to_string()
    }
}

impl Source for PlanSource<'_> {
    type Scorer = SnapshotScorer;

    fn users(&self) -> usize {
        self.users.len()
    }

    fn contexts(&self, user: usize) -> Vec<(usize, DecisionContext)> {
        let user_id = self.users[user];
        let question = Question { user_id: user_id.to_string(), ..Question::default() };
        let loaded = Loaded::of(self.snapshot, &question, self.now, true, &|_| 0);
        let mut known = BTreeMap::new();
        let context = |(place, campaign): (usize, &Campaign)| {
            let id = self.decision_id(user_id, &campaign.campaign_id);
            let mut context = loaded.context_for(&id, campaign, &mut known);
            context.audience = self.membership(campaign);
            let goal_value = context.settings.goal_value;
            context.settings = DecisionSettings { goal_value, ..self.settings.clone() };
            (place, context)
        };
        let is_member = |place: usize| self.members[place].as_ref().is_none_or(|members| members[user]);
        self.campaigns.iter().enumerate().filter(|(place, _)| is_member(*place)).map(context).collect()
    }

    fn scorer(&self, campaign: usize) -> &SnapshotScorer {
        self.snapshot.scorer(&goal_for(Some(&self.campaigns[campaign]), &self.settings))
    }

    fn content_number(&self, content_id: &str) -> u32 {
        self.snapshot.content_number(content_id)
    }
}
