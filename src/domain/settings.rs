//! Settings that decisions carry with them, so that each can be made again under those it was made with.

use serde::{Deserialize, Serialize};

/// Settings of decisions (`[decisions]` in the configuration).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecisionSettings {
    /// Goal that decisions pursue when the campaign names none.
    pub goal: String,
    /// Channel when neither request nor campaign names one.
    pub channel: String,
    /// Hours ahead when neither request nor campaign says.
    pub horizon_hours: u32,
    /// Contents scored for one decision at most; the most promising are taken.
    pub most_contents: usize,
    /// May users be pushed whose consent nobody knows? `deny` or `allow`.
    pub consent_when_unknown: ConsentWhenUnknown,
    /// Most pushes on one of the user's calendar days, unless he set his own.
    pub max_per_day: u32,
    /// Quiet hours of users who set none; `""` means none.
    pub quiet_from: String,
    /// End of the same.
    pub quiet_until: String,
    /// Share of all users that nobody pushes, in percent.
    pub holdout_percent: f64,
    /// What reaching the goal is worth.
    pub goal_value: f64,
    /// What losing a user's consent costs.
    pub opt_out_cost: f64,
    /// Probability that one push loses it, until a model knows better.
    pub opt_out_probability: f64,
    /// What each push that is still felt takes from the value of the next.
    pub fatigue_price: f64,
    /// What sending costs.
    pub channel_cost: f64,
    /// Seconds for which a push without a ttl of its own may wait.
    pub ttl_seconds: u32,
    /// Seed of draws: holdouts, exploration, minutes.
    pub seed: u64,
}

/// What an unknown consent means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentWhenUnknown {
    /// Do not push.
    Deny,
    /// Push.
    Allow,
}
