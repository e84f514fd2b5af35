//! Everything a decision depends on, as plain data: the log keeps it whole, so a decision can be made again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::prior::ContentPrior;
use domain::campaign::Campaign;
use domain::content::{Content, MessageClass};
use domain::settings::DecisionSettings;
use domain::time::Instant;
use domain::user::User;
use domain::variant::Reader;

/// Version of the context's form in the log.
pub const FORMAT: u32 = 4;

/// From this form on, the default quiet hours are for marketing alone and yield to the campaign's, and a content without a
/// variant, or one that would be blank, is refused. Older decisions are replayed as they were made.
const QUIET_BY_DEFAULT: u32 = 4;
/// From this form on an hour scales calibrated odds, and hours of one value are told apart by the user's activity.
pub(super) const HOURS_SCALE_ODDS: u32 = 4;

/// Days after which a push is felt half as much, in records that do not say.
const FATIGUE_HALF_LIFE_DAYS: f64 = 3.0;

/// What one decision is made from; the model's weights alone are not in it, but named in `versions`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DecisionContext {
    /// Version of this form.
    pub format: u32,
    /// Id of the decision to be made.
    pub decision_id: String,
    /// Id of the send, should there be one.
    pub send_id: String,
    /// Which occasion of the campaign, or which day, this is: one send for each.
    pub occurrence: String,
    /// The moment of the question.
    pub now: Instant,
    /// False when the clock stands before the newest event: nothing may be sent then.
    pub clock_trusted: bool,
    /// How far ahead a send may lie, in hours, 1 … 168.
    pub horizon_hours: u32,
    /// Who.
    pub user: User,
    /// For which campaign; `None`: no campaign is asked for or running.
    pub campaign: Option<Campaign>,
    /// What is known of him and the campaign's audience; `None`: the campaign is for everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audience: Option<Audience>,
    /// Channels to choose among, in order of preference.
    pub channels: Vec<ChannelContext>,
    /// Contents to choose among, with their model inputs.
    pub contents: Vec<ContentContext>,
    /// User block of the model's inputs.
    #[serde(with = "inputs")]
    pub user_inputs: Vec<f64>,
    /// Probability of the user's activity in each hour of the week (168), or everybody's.
    pub curve: Vec<f64>,
    /// Pushes that went out for the campaign so far.
    pub campaign_sends: u64,
    /// Sends of the campaign that were drawn for the sake of learning on this UTC day so far.
    pub explored_today: u32,
    /// Pushes sent to the user lately, newest first.
    pub sends: Vec<PastSend>,
    /// Pushes of other campaigns that a plan gives the user beside this one: rules count them as if they had gone out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub planned: Vec<PastSend>,
    /// What a plan made of user and campaign; `None`: the decision is no part of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Planned>,
    /// The settings in force.
    pub settings: DecisionSettings,
    /// Days after which a push is felt half as much (`profiles.fatigue_half_life_days`).
    #[serde(default = "usual_half_life", skip_serializing_if = "is_usual_half_life")]
    pub fatigue_half_life_days: f64,
    /// Why quality fell back, if it did: `no_model`, `no_profile`, `personalisation_off`.
    pub fallback: Vec<String>,
    /// What the decision rests on.
    pub versions: BTreeMap<String, String>,
}

impl DecisionContext {
    /// What rules are asked of a user alone over one channel: no campaign, no content, no push so far.
    pub fn about(
        user: User,
        channel: ChannelContext,
        now: Instant,
        settings: DecisionSettings,
    ) -> DecisionContext {
        DecisionContext {
            format: FORMAT,
            decision_id: String::new(),
            send_id: String::new(),
            occurrence: String::new(),
            now,
            clock_trusted: true,
            horizon_hours: settings.horizon_hours,
            user,
            campaign: None,
            audience: None,
            channels: vec![channel],
            contents: Vec::new(),
            user_inputs: Vec::new(),
            curve: Vec::new(),
            campaign_sends: 0,
            explored_today: 0,
            sends: Vec::new(),
            planned: Vec::new(),
            plan: None,
            settings,
            fatigue_half_life_days: FATIGUE_HALF_LIFE_DAYS,
            fallback: Vec::new(),
            versions: BTreeMap::new(),
        }
    }

    /// May the decision be drawn for the sake of learning?
    pub fn may_explore(&self) -> bool {
        self.exploration_share() > 0.0
    }

    /// Does what is sent depend on a draw: to explore, or of what a content of little history may be?
    pub fn draws(&self) -> bool {
        let is_tried =
            |content: &ContentContext| content.prior.as_ref().is_some_and(|prior| prior.spread > 0.0);
        self.may_explore() || self.contents.iter().any(is_tried)
    }

    /// The share of decisions that explore, in [0, 1]: the campaign's own, else the common one, while the day's budget
    /// lasts.
    pub(super) fn exploration_share(&self) -> f64 {
        let own = self.campaign.as_ref().and_then(|campaign| campaign.exploration_percent);
        let percent = own.unwrap_or(self.settings.exploration_percent);
        let has_budget = self.explored_today < self.settings.exploration_most_per_day;
        if has_budget && percent > 0.0 { (percent / 100.0).min(1.0) } else { 0.0 }
    }

    /// Was it written before marketing was quiet by default and contents needed a variant that can be seen?
    pub(super) fn is_lenient(&self) -> bool {
        self.format < QUIET_BY_DEFAULT
    }

    /// The user as a reader of contents.
    pub(super) fn reader(&self) -> Reader<'_> {
        Reader::of(&self.user, &self.settings).also_blank(self.is_lenient())
    }

    /// Pushes that rules count: those that went out, and those of other campaigns that the same plan gives the user.
    pub(super) fn counted_sends(&self) -> impl Iterator<Item = &PastSend> {
        self.sends.iter().chain(&self.planned)
    }
}

fn usual_half_life() -> f64 {
    FATIGUE_HALF_LIFE_DAYS
}

fn is_usual_half_life(days: &f64) -> bool {
    *days == FATIGUE_HALF_LIFE_DAYS
}

/// A user beside the segment that his campaign is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audience {
    /// The segment.
    pub segment_id: String,
    /// The version that was asked; `None` when there was none to ask.
    pub version: Option<String>,
    /// Its answer.
    pub membership: Membership,
}

/// Is somebody in a segment?
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Membership {
    /// He is.
    Member,
    /// He is not.
    Other,
    /// Nobody can tell.
    Unknown {
        /// Why not, in English.
        why: String,
    },
}

/// What a plan made of a user for a campaign.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Planned {
    /// He is sent this, then.
    Send {
        /// The content that is worth most there.
        content_id: String,
        /// Over which channel.
        channel: String,
        /// In the minute that begins here, or at its first instant that is not over yet.
        at: Instant,
    },
    /// He is sent nothing, though something would be allowed and worth it.
    NoRoom {
        /// The rule that stands against it.
        rule: String,
        /// The campaign whose push to him does, if one does.
        campaign_id: Option<String>,
    },
}

/// A channel to choose.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChannelContext {
    /// Its name.
    pub name: String,
    /// What one message over it costs; `None`: no such channel is set up.
    pub cost: Option<f64>,
}

/// A content with the blocks of model inputs that concern it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContentContext {
    /// The content.
    pub content: Content,
    /// Decayed user-days of attention that tell what it is worth.
    pub evidence: f64,
    /// Pushes of it that went out so far.
    pub sent: u64,
    /// Content block of the model's inputs.
    #[serde(with = "inputs")]
    pub content_inputs: Vec<f64>,
    /// Pair block: this user with this content.
    #[serde(with = "inputs")]
    pub pair_inputs: Vec<f64>,
    /// What is assumed of the content while it has little history of its own; `None`: what the model says of it counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prior: Option<ContentPrior>,
}

/// A push that went out to the user.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PastSend {
    /// When.
    pub at: Instant,
    /// For which campaign.
    pub campaign_id: Option<String>,
    /// What.
    pub content_id: Option<String>,
    /// Over which channel.
    pub channel: Option<String>,
    /// Tags of that campaign.
    #[serde(default)]
    pub campaign_tags: Vec<String>,
    /// Service or marketing.
    #[serde(default)]
    pub message_class: MessageClass,
}

/// Inputs as JSON numbers: what is not known is NaN in memory, and `null` in JSON, which has no NaN.
mod inputs {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(|value| value.is_finite().then_some(*value)))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        let values: Vec<Option<f64>> = Vec::deserialize(deserializer)?;
        Ok(values.into_iter().map(|value| value.unwrap_or(f64::NAN)).collect())
    }
}
