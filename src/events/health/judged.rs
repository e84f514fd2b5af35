//! A day beside the weeks before it, as checks see it.

use std::collections::BTreeSet;

use super::CheckFailure;
use super::summary::DaySummary;
use config::HealthConfig;
use domain::time::Day;

/// A day beside the weeks before it.
pub(super) struct Judged<'a> {
    /// The day.
    pub(super) today: &'a DaySummary,
    /// The days before it, oldest first.
    pub(super) before: &'a [DaySummary],
    /// Names that had come before these days or on them.
    pub(super) known_names: BTreeSet<&'a str>,
    /// The thresholds.
    pub(super) config: &'a HealthConfig,
}

impl Judged<'_> {
    /// The days before that have events and that nobody has called odd.
    pub(super) fn usual(&self) -> impl Iterator<Item = &DaySummary> {
        self.before.iter().filter(|day| day.events > 0 && !is_excused(day.day, self.config))
    }

    pub(super) fn failure(&self, found: String, expected: String) -> CheckFailure {
        CheckFailure { day: self.today.day, found, expected }
    }
}

/// Is the day known to be odd?
pub(super) fn is_excused(day: Day, config: &HealthConfig) -> bool {
    config.known_days.iter().any(|known| Day::parse(known) == Some(day))
}
