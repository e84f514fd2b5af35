//! Why a decision came out as it did, as it is given out.

use serde::{Deserialize, Serialize};

use super::Moment;
use super::decision::{ActionBody, ReasonBody};

/// An explanation of one decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Explanation)]
pub struct ExplanationBody {
    /// The decision.
    pub decision_id: String,
    /// What it says to do.
    pub action: ActionBody,
    /// The arm explained: what is sent, else the best that might have been; `None` without any.
    pub arm: Option<ExplainedArmBody>,
    /// Each input's share of the arm's raw logit; they sum to it.
    pub contributions: Vec<ContributionBody>,
    /// Refusals by rule, with the instant from which each ends.
    pub refusals: Vec<ReasonBody>,
    /// The same content in the best other slot.
    pub second_best_slot: Option<AlternativeBody>,
    /// The best arm with another content.
    pub second_best_content: Option<AlternativeBody>,
    /// The same content in the same slot over the best other channel.
    pub second_best_channel: Option<AlternativeBody>,
    /// How decisions like this one explore; `None`: they do not.
    pub exploration: Option<ExploredBody>,
    /// The same for people.
    pub sentences: SentencesBody,
}

/// The arm that an explanation is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ExplainedArm)]
pub struct ExplainedArmBody {
    /// Content.
    pub content_id: String,
    /// Channel.
    pub channel: String,
    /// Start of its send slot.
    pub slot_start: Moment,
    /// The same on the user's clock.
    pub slot_start_local: String,
    /// ln(share of the slot's hour of the week / the user's largest share), ≤ 0.
    pub activity: f64,
    /// Raw logit.
    pub raw_logit: f64,
    /// What calibration makes of it: P(goal | user, arm).
    pub response_probability: f64,
    /// The same at the user's best hour of the week: what `score` gives for him with this content.
    pub propensity: f64,
    /// Expected value, all prices paid.
    pub value: f64,
}

/// What is given up for the sake of learning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Explored)]
pub struct ExploredBody {
    /// Share of decisions that explore, in percent.
    pub percent: f64,
    /// Arms that are allowed and worth sending.
    pub arms: usize,
    /// Value that this costs on average.
    pub expected_loss: f64,
    /// Explored sends of the campaign that this UTC day still allowed.
    pub left_today: u32,
}

/// What came second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Alternative)]
pub struct AlternativeBody {
    /// Content.
    pub content_id: String,
    /// Channel.
    pub channel: String,
    /// Start of its send slot.
    pub slot_start: Moment,
    /// The same on the user's clock.
    pub slot_start_local: String,
    /// Expected value.
    pub value: f64,
    /// By how much the explained arm is worth more.
    pub behind: f64,
}

/// What a marketer reads.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Sentences)]
pub struct SentencesBody {
    /// English.
    pub en: Vec<String>,
    /// Chinese.
    pub zh: Vec<String>,
}

/// One input's share of a logit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Contribution)]
pub struct ContributionBody {
    /// Block and name of the input: `user.events_7d`, `content.age`, `pair.interest`, `time.activity`, `intercept`.
    pub input: String,
    /// The input as it came in.
    pub value: f64,
    /// What it adds to the raw logit.
    pub contribution: f64,
}
