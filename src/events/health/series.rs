//! Consecutive days, those without events included, each beside the weeks before it.

use std::collections::BTreeMap;

use super::judged::{Judged, is_excused};
use super::rules::Check;
use super::summary::DaySummary;
use super::{CheckFailure, DayVolume};
use crate::lake::Manifest;
use config::HealthConfig;
use domain::time::Day;

/// All days from the first to the last.
pub(super) struct Series {
    days: Vec<DaySummary>,
    /// The day on which each name first came, in the whole lake.
    first_days: BTreeMap<String, Day>,
}

impl Series {
    pub(super) fn new(summaries: Vec<DaySummary>, manifest: &Manifest, from: Day, last: Day) -> Series {
        let mut by_day: BTreeMap<Day, DaySummary> =
            summaries.into_iter().map(|summary| (summary.day, summary)).collect();
        let day = |day| by_day.remove(&Day(day)).unwrap_or_else(|| DaySummary::empty(Day(day)));
        let days = (from.0..=last.0).map(day).collect();
        let mut first_days = BTreeMap::new();
        for file in &manifest.files {
            let Some(day) = Day::parse(&file.date) else { continue };
            for name in file.events.keys() {
                first_days.entry(name.clone()).or_insert(day);
            }
        }
        Series { days, first_days }
    }

    /// Failures of some days, in order; a day without enough days before it has none.
    pub(super) fn judge(
        &self,
        check: &Check,
        days: impl Iterator<Item = Day>,
        config: &HealthConfig,
    ) -> Vec<CheckFailure> {
        let days: Vec<Day> = days.collect();
        let from = if check.of_newest_day { days.len().saturating_sub(1) } else { 0 };
        let judged = days[from..].iter().filter_map(|day| self.judged(*day, config));
        judged.flat_map(|judged| (check.failures)(&judged)).collect()
    }

    /// A day beside those before it; `None` when fewer than half of these have events, or somebody has called it odd.
    fn judged<'a>(&'a self, day: Day, config: &'a HealthConfig) -> Option<Judged<'a>> {
        let first = self.days.first()?.day;
        let index = usize::try_from(day.0 - first.0).ok()?;
        let today = self.days.get(index)?;
        let before = &self.days[index.saturating_sub(config.trailing_days)..index];
        let is_known = |(_, came): &(&String, &Day)| **came < day;
        let known_names = self.first_days.iter().filter(is_known).map(|(name, _)| name.as_str()).collect();
        let judged = Judged { today, before, known_names, config };
        let is_enough = judged.usual().count() * 2 >= config.trailing_days;
        (is_enough && !is_excused(day, config)).then_some(judged)
    }

    /// Every day's volume; those from `first` on were judged.
    pub(super) fn volumes(&self, first: Day) -> Vec<DayVolume> {
        let volume = |day: &DaySummary| DayVolume {
            day: day.day.to_string(),
            events: day.events,
            users: day.users,
            judged: day.day >= first,
        };
        self.days.iter().map(volume).collect()
    }
}
