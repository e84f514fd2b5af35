//! Users and what is known of them, as a plan asks for it: the same contexts that single questions get.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ids::uuid_v7;
use super::question::{DecisionQuestion, LoadedQuestion};
use super::scorer::SnapshotScorer;
use super::snapshot::{Snapshot, goal_for};
use ::planning::ContextSource;
use decisions::context::{Audience, DecisionContext, Membership};
use domain::campaign::Campaign;
use domain::draw::{draw, falls_within};
use domain::settings::DecisionSettings;
use domain::time::Instant;
use segments::answers::audiences::Frozen;

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
    /// By campaign: how many users are members.
    member_counts: Vec<usize>,
    settings: DecisionSettings,
    now: Instant,
    plan_id: String,
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
        let members: Vec<Option<Vec<bool>>> = campaigns.iter().map(mask).collect();
        let count = |members: &Option<Vec<bool>>| {
            members.as_ref().map_or(users.len(), |all| all.iter().filter(|is_member| **is_member).count())
        };
        let member_counts = members.iter().map(count).collect();
        PlanSource { snapshot, users, campaigns, audiences, members, member_counts, settings, now, plan_id }
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

    /// Draws the users on whom a plan may try a content of little history, so that all of them together stay within its cap.
    fn keep_trials_within_cap(&self, campaign: usize, context: &mut DecisionContext) {
        let members = self.member_counts[campaign] as f64;
        let (cap, seed) = (self.settings.cold_start_sends, self.settings.seed);
        for content in context.contents.iter_mut().filter(|content| content.prior.is_some()) {
            let left = cap.saturating_sub(content.sent) as f64;
            if left >= members {
                continue;
            }
            // Three standard deviations less, so that chance does not go beyond the cap.
            let percent = 100.0 * (left - 3.0 * left.sqrt()).max(0.0) / members;
            let names = [content.content.content_id.as_bytes(), context.user.user_id.as_bytes()];
            if !falls_within(draw(seed, "content_trial", &names), percent) {
                content.sent = content.sent.max(cap);
            }
        }
    }

    /// A UUIDv7 of the plan's moment: the same for the same plan, user and campaign.
    fn decision_id(&self, user_id: &str, campaign_id: &str) -> String {
        let name = serde_json::json!(["decision", self.plan_id, campaign_id, user_id]).to_string();
        uuid_v7(self.now, name.as_bytes())
    }
}

impl ContextSource for PlanSource<'_> {
    type Scorer = SnapshotScorer;

    fn users(&self) -> usize {
        self.users.len()
    }

    fn contexts(&self, user: usize) -> Vec<(usize, DecisionContext)> {
        let user_id = self.users[user];
        let question = DecisionQuestion { user_id: user_id.to_string(), ..DecisionQuestion::default() };
        let loaded = LoadedQuestion::of(self.snapshot, &question, self.now, true, &|_| 0);
        let mut known = BTreeMap::new();
        let context = |(index, campaign): (usize, &Campaign)| {
            let id = self.decision_id(user_id, &campaign.campaign_id);
            let mut context = loaded.context_for(&id, campaign, &mut known);
            context.audience = self.membership(campaign);
            let goal_value = context.settings.goal_value;
            context.settings = DecisionSettings { goal_value, ..self.settings.clone() };
            self.keep_trials_within_cap(index, &mut context);
            (index, context)
        };
        let is_member = |index: usize| self.members[index].as_ref().is_none_or(|members| members[user]);
        self.campaigns.iter().enumerate().filter(|(index, _)| is_member(*index)).map(context).collect()
    }

    fn scorer(&self, campaign: usize) -> &SnapshotScorer {
        self.snapshot.scorer(&goal_for(Some(&self.campaigns[campaign]), &self.settings))
    }

    fn content_number(&self, content_id: &str) -> u32 {
        self.snapshot.content_number(content_id)
    }
}
