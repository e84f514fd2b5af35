//! A campaign: what is pushed to whom, to which end, within which bounds.

use serde::{Deserialize, Serialize};

use super::frequency::FrequencyRule;
use super::time::Instant;
use super::user::QuietHours;

/// Where a campaign stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CampaignStatus {
    /// Being written.
    #[default]
    Draft,
    /// Waits for its window.
    Scheduled,
    /// Sends.
    Running,
    /// Stopped for a while.
    Paused,
    /// Stopped for good.
    Halted,
    /// Over.
    Ended,
}

/// A campaign as decisions see it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Campaign {
    /// Its id.
    pub campaign_id: String,
    /// What it wants to reach; `None`: the configured default.
    pub goal: Option<String>,
    /// Contents it may send; empty: all that are alive.
    pub contents: Vec<String>,
    /// Channels it may use; empty: the configured default.
    pub channels: Vec<String>,
    /// Names that rules and features may refer to.
    pub tags: Vec<String>,
    /// First instant at which it may send.
    pub window_start: Option<Instant>,
    /// First instant at which it may no longer.
    pub window_end: Option<Instant>,
    /// Its own quiet hours on each user's clock, beside his own.
    #[serde(default)]
    pub quiet_hours: Option<QuietHours>,
    /// Its own frequency rules, beside everybody's.
    #[serde(default)]
    pub frequency_rules: Vec<FrequencyRule>,
    /// Most sends in one minute.
    #[serde(default)]
    pub throttle_per_minute: Option<u32>,
    /// Most sends in all.
    #[serde(default)]
    pub max_sends: Option<u64>,
    /// Nothing is sent sooner than this after the question, in minutes.
    #[serde(default)]
    pub lead_minutes: u32,
    /// Share of its decisions in which an arm is drawn for the sake of learning, in percent; `None`: everybody's.
    #[serde(default)]
    pub exploration_percent: Option<f64>,
    /// Who it is for: a segment; `None`, empty or a name of [`EVERYBODY`]: everybody.
    #[serde(default)]
    pub audience: Option<String>,
    /// A field is stored that cannot be read; its name. Safety fails closed.
    #[serde(default)]
    pub unreadable: Option<String>,
    /// How far ahead a send may be planned, in hours.
    pub horizon_hours: Option<u32>,
    /// Weighs its value beside other campaigns'.
    pub priority: f64,
    /// Share of its audience that is never sent to, in percent.
    pub holdout_percent: f64,
    /// Where it stands.
    pub status: CampaignStatus,
}

/// What an audience that is nobody's segment may be called; no segment is.
pub const EVERYBODY: [&str; 2] = ["all", "everybody"];

impl Campaign {
    /// The segment that it is for; `None`: everybody.
    pub fn segment(&self) -> Option<&str> {
        self.audience.as_deref().filter(|audience| !audience.is_empty() && !EVERYBODY.contains(audience))
    }
}

impl Default for Campaign {
    fn default() -> Campaign {
        Campaign {
            campaign_id: String::new(),
            goal: None,
            contents: Vec::new(),
            channels: Vec::new(),
            tags: Vec::new(),
            window_start: None,
            window_end: None,
            quiet_hours: None,
            frequency_rules: Vec::new(),
            throttle_per_minute: None,
            max_sends: None,
            lead_minutes: 0,
            exploration_percent: None,
            audience: None,
            unreadable: None,
            horizon_hours: None,
            priority: 1.0,
            holdout_percent: 0.0,
            status: CampaignStatus::Draft,
        }
    }
}
