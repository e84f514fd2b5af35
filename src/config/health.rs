//! `[health]`: what data checks take for usual.

use serde::{Deserialize, Serialize};

use super::ranges::{BadSetting, CENTURY, bad, whole_within, within};
use domain::time::Day;

/// `[health]`: what data checks take for usual.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HealthConfig {
    /// Newest whole days that are judged.
    pub days: usize,
    /// Days before each that it is compared with.
    pub trailing_days: usize,
    /// Fewer events, or users, are too few to judge.
    pub least_events: u64,
    /// Factor by which a volume may differ.
    pub volume_ratio: f64,
    /// Days without a name that make it vanished.
    pub vanished_days: usize,
    /// Events on a day that make a name new.
    pub least_new_events: u64,
    /// Names that may appear.
    pub known_events: Vec<String>,
    /// Days that are odd and known to be, `YYYY-MM-DD`.
    pub known_days: Vec<String>,
    /// Change of the share of events that have a value in a column.
    pub null_share: f64,
    /// Factor by which amounts may differ.
    pub value_ratio: f64,
    /// Fall of the share of ids that came before.
    pub returning_drop: f64,
    /// PSI of platforms and of zones.
    pub mix_distance: f64,
    /// PSI of the hours of the day.
    pub hours_distance: f64,
    /// Nats an active hour.
    pub clock_gain: f64,
    /// Hours without an event at a day's end beyond the longest such silence before.
    pub silent_hours: i64,
    /// Share of a day's events that one user may have.
    pub busiest_share: f64,
    /// Share of a day's events that may repeat another.
    pub repeated_share: f64,
    /// Rise of the same.
    pub repeated_rise: f64,
}

impl HealthConfig {
    pub(super) fn check(&self) -> Result<(), BadSetting> {
        whole_within(&[
            ("health.days", self.days as i64, 1, CENTURY),
            ("health.trailing_days", self.trailing_days as i64, 14, CENTURY),
            ("health.least_events", self.least_events as i64, 20, i64::MAX),
            ("health.vanished_days", self.vanished_days as i64, 1, CENTURY),
            ("health.least_new_events", self.least_new_events as i64, 1, i64::MAX),
            ("health.silent_hours", self.silent_hours, 0, 24),
        ])?;
        within(&[
            ("health.volume_ratio", self.volume_ratio, 1.0, 1e6),
            ("health.null_share", self.null_share, 0.0, 1.0),
            ("health.value_ratio", self.value_ratio, 1.0, 1e9),
            ("health.returning_drop", self.returning_drop, 0.0, 1.0),
            ("health.mix_distance", self.mix_distance, 0.0, 1e3),
            ("health.hours_distance", self.hours_distance, 0.0, 1e3),
            ("health.clock_gain", self.clock_gain, 0.0, 1e3),
            ("health.busiest_share", self.busiest_share, 0.0, 1.0),
            ("health.repeated_share", self.repeated_share, 0.0, 1.0),
            ("health.repeated_rise", self.repeated_rise, 0.0, 1.0),
        ])?;
        match self.known_days.iter().find(|day| Day::parse(day).is_none()) {
            Some(day) => Err(bad("health.known_days", format!("{day:?} is not YYYY-MM-DD"))),
            None => Ok(()),
        }
    }
}
