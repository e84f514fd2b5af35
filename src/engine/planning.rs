//! Users and what is known of them, as a plan asks for it: the same contexts that single questions get.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Builder;

use super::question::{Loaded, Question};
use super::scorer::SnapshotScorer;
use super::snapshot::{Snapshot, goal_for};
use crate::decisions::context::DecisionContext;
use crate::domain::campaign::Campaign;
use crate::domain::identity::{sha256, sha256_hex};
use crate::domain::settings::DecisionSettings;
use crate::domain::time::Instant;
use crate::planning::Source;
use crate::tables::TableError;
use crate::workspace::Workspace;

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
    #[error("bad_campaigns: {0} campaigns; a plan holds 1 to {most}", most = crate::planning::MOST_CAMPAIGNS)]
    Count(usize),
    /// Nobody knows who is meant.
    #[error(
        "unknown_audience: campaign {campaign_id:?} is for {audience:?}, and there is no such segment; leave the audience empty to mean everybody"
    )]
    UnknownAudience {
        /// The campaign.
        campaign_id: String,
        /// Its audience.
        audience: String,
    },
}

/// What an audience that is nobody's segment may be called: everybody.
const EVERYBODY: &str = "everybody";

/// The users of a snapshot, for some campaigns and under some settings.
#[derive(Debug)]
pub struct PlanSource<'a> {
    snapshot: &'a Snapshot,
    users: Vec<&'a str>,
    campaigns: &'a [Campaign],
    settings: DecisionSettings,
    now: Instant,
    plan_id: String,
}

/// The campaigns of these ids, in their order.
///
/// # Errors
/// When one does not exist, is named twice, or is for an audience that nobody knows.
pub fn campaigns_of(snapshot: &Snapshot, ids: &[String]) -> Result<Vec<Campaign>, PlanError> {
    let mut seen = BTreeSet::new();
    let campaign = |id: &'_ String| {
        if !seen.insert(id.clone()) {
            return Err(PlanError::Twice(id.clone()));
        }
        let campaign = snapshot.campaign(id).ok_or_else(|| PlanError::UnknownCampaign(id.clone()))?;
        match campaign.audience.as_deref() {
            None | Some("" | EVERYBODY) => Ok(campaign.clone()),
            Some(audience) => {
                Err(PlanError::UnknownAudience { campaign_id: id.clone(), audience: audience.to_string() })
            }
        }
    };
    if ids.is_empty() || ids.len() > crate::planning::MOST_CAMPAIGNS {
        return Err(PlanError::Count(ids.len()));
    }
    ids.iter().map(campaign).collect()
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
        settings: DecisionSettings,
        now: Instant,
    ) -> PlanSource<'a> {
        let (users, plan_id) = (snapshot.user_ids(), String::new());
        PlanSource { snapshot, users, campaigns, settings, now, plan_id }
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
            let goal_value = context.settings.goal_value;
            context.settings = DecisionSettings { goal_value, ..self.settings.clone() };
            (place, context)
        };
        self.campaigns.iter().enumerate().map(context).collect()
    }

    fn scorer(&self, campaign: usize) -> &SnapshotScorer {
        self.snapshot.scorer(&goal_for(Some(&self.campaigns[campaign]), &self.settings))
    }

    fn content_number(&self, content_id: &str) -> u32 {
        self.snapshot.content_number(content_id)
    }
}
