//! Settings that decisions carry with them, so that each can be made again under those it was made with.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::frequency::FrequencyRule;
use super::user::{MinuteOfDay, QuietHours};

/// The word that switches the default quiet hours off.
const NONE: &str = "none";

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
    /// Are service messages sent whatever the daily cap and the minimum gap say?
    pub service_bypasses_caps: bool,
    /// Do service messages count toward the daily cap and the minimum gap?
    pub service_counts_toward_caps: bool,
    /// Least minutes between two pushes; 0: none.
    pub minimum_gap_minutes: u32,
    /// Frequency rules for everybody and every campaign.
    pub frequency_rules: Vec<FrequencyRule>,
    /// Quotas of vendors' push services.
    pub vendor_quota: VendorQuota,
    /// Hours for which a content sleeps after it was sent to a user …
    pub repeat_sleep_hours: u32,
    /// … after which its value for him comes back, the missing part halving in so many hours.
    pub repeat_half_life_hours: f64,
    /// A content is new while fewer decayed user-days of attention than this tell what it is worth …
    pub cold_start_evidence: f64,
    /// … and so long it is sent so often at most.
    pub cold_start_sends: u64,
    /// Locale of the variants for users whose own has none.
    pub default_locale: String,
    /// First quiet minute for marketing when neither the user nor the campaign sets quiet hours; `none`: no quiet hours.
    pub quiet_from: String,
    /// End of the same.
    pub quiet_until: String,
    /// Share of all users that nobody pushes, in percent.
    pub holdout_percent: f64,
    /// What reaching the goal is worth.
    pub goal_value: f64,
    /// What losing a user's consent costs.
    pub opt_out_cost: f64,
    /// Probability that one push loses it; no model that is served corrects it yet.
    pub opt_out_probability: f64,
    /// What each push that is still felt takes from the value of the next.
    pub fatigue_price: f64,
    /// What sending costs.
    pub channel_cost: f64,
    /// How an arm is drawn when a decision explores.
    pub exploration: Exploration,
    /// Share of decisions that explore, in percent, unless the campaign says.
    pub exploration_percent: f64,
    /// Value that makes an arm e times as likely, for `softmax`.
    pub exploration_temperature: f64,
    /// Explored sends of a campaign on one UTC day at most.
    pub exploration_most_per_day: u32,
    /// Seconds for which a push without a ttl of its own may wait.
    pub ttl_seconds: u32,
    /// Seed of draws: holdouts, exploration, minutes.
    pub seed: u64,
}

impl DecisionSettings {
    /// The quiet hours for marketing when neither the user nor the campaign sets any; `None`: switched off.
    ///
    /// # Errors
    /// The name of the setting that is neither HH:MM nor `none`.
    pub fn default_quiet_hours(&self) -> Result<Option<QuietHours>, &'static str> {
        let (from, until) = (self.quiet_from.as_str(), self.quiet_until.as_str());
        if [from, until].contains(&NONE) || (from.is_empty() && until.is_empty()) {
            return Ok(None);
        }
        let from = MinuteOfDay::parse(from).ok_or("decisions.quiet_from")?;
        let until = MinuteOfDay::parse(until).ok_or("decisions.quiet_until")?;
        Ok(Some(QuietHours { from, until }))
    }
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

/// How an arm is drawn for the sake of learning, among those that are allowed and worth sending.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Exploration {
    /// Each is as likely as the next.
    Uniform,
    /// The more it is worth, the likelier it is.
    Softmax,
}

/// What vendors' push services (厂商通道) deliver to one device on one day of theirs; service messages are not limited.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VendorQuota {
    /// Vendors with a quota.
    pub vendors: Vec<String>,
    /// Marketing messages to a device on a day.
    pub per_day: u32,
    /// The same for contents of some vendor categories.
    pub by_category: BTreeMap<String, u32>,
    /// Zone of the vendors' day.
    pub time_zone: String,
}
