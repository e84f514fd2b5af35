//! A decision as it is given out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Moment;

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Action)]
#[serde(rename_all = "snake_case")]
pub enum ActionBody {
    /// Push `content_id` at `send_at`.
    Send,
    /// Not now; ask again at `retry_at`.
    Hold,
    /// Final for this request.
    NoSend,
}

/// Why something was refused: the rule's name, what it refused, in words, and from when it would be allowed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Reason)]
pub struct ReasonBody {
    /// The rule's name, stable.
    pub rule: String,
    /// What was refused: `user`, `content:ID`, `slot:INSTANT`, `channel:NAME`, `campaign:ID` or `arm`.
    pub subject: String,
    /// In English, for people.
    pub message: String,
    /// The instant from which this rule would allow it; `None`: never, or not by waiting.
    pub allowed_from: Option<Moment>,
}

/// One of the best arms, chosen or not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Candidate)]
pub struct CandidateBody {
    /// Content.
    pub content_id: String,
    /// Its variant.
    pub variant_id: Option<String>,
    /// Channel.
    pub channel: String,
    /// Start of the send slot.
    pub slot_start: Moment,
    /// Calibrated P(goal | user, arm).
    pub response_probability: f64,
    /// Expected value, all prices paid.
    pub value: f64,
    /// The rules that refuse this arm; empty when it is allowed.
    pub refused_by: Vec<String>,
    /// What is assumed of a content of little history; absent: its own history counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prior: Option<CandidatePriorBody>,
}

/// What is assumed of a content that has little history of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = CandidatePrior)]
pub struct CandidatePriorBody {
    /// The category whose contents it is expected to be like; `None`: all contents.
    pub category: Option<String>,
    /// Contents with a history that tell.
    pub contents: u32,
    /// P(goal | user, arm) is from here …
    pub low: f64,
    /// … to here with probability 0.9.
    pub high: f64,
}

/// The answer to "what and when for this user?". Field order is that of the contract.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Decision)]
pub struct DecisionBody {
    /// Time-ordered id.
    pub decision_id: String,
    /// One per (campaign, user, occurrence); `None` unless something is to be sent.
    pub send_id: Option<String>,
    /// Who.
    pub user_id: String,
    /// For which campaign.
    pub campaign_id: Option<String>,
    /// What to do.
    pub action: ActionBody,
    /// What to push.
    pub content_id: Option<String>,
    /// In which variant.
    pub variant_id: Option<String>,
    /// Over which channel.
    pub channel: Option<String>,
    /// When, UTC.
    pub send_at: Option<Moment>,
    /// The same on the user's clock, with its offset.
    pub send_at_local: Option<String>,
    /// The user's zone.
    pub time_zone: Option<String>,
    /// From here on it must not be shown.
    pub expires_at: Option<Moment>,
    /// When to ask again, for `hold`.
    pub retry_at: Option<Moment>,
    /// Quality fell back: no model, no profile, or no personalisation.
    pub fallback: bool,
    /// Every refusal that mattered.
    pub reasons: Vec<ReasonBody>,
    /// Calibrated P(goal | user, arm) of the chosen arm.
    pub response_probability: Option<f64>,
    /// The policy's probability of the chosen arm among the allowed ones.
    pub action_probability: Option<f64>,
    /// Was the arm drawn for the sake of learning?
    pub explored: bool,
    /// Is the user held out, so that the effect of pushing can be measured?
    pub holdout: bool,
    /// The best arms, at most five.
    pub candidates: Vec<CandidateBody>,
    /// What the decision rests on: model, features, config, tz_database, build, profiles_as_of.
    pub versions: BTreeMap<String, String>,
}
