//! How often each campaign has explored today: what the budget of exploration is counted by.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use domain::decision::Decision;
use domain::time::{Day, Instant};

/// Explored sends of the newest UTC day, by campaign.
#[derive(Debug, Default)]
pub(super) struct ExploredToday {
    counts: Mutex<(Option<Day>, BTreeMap<String, u32>)>,
}

impl ExploredToday {
    /// Explored sends of a campaign on the day of `now`.
    pub(super) fn of(&self, campaign_id: &str, now: Instant) -> u32 {
        let counts = self.lock();
        if counts.0 != Some(now.utc_day()) {
            return 0;
        }
        counts.1.get(campaign_id).copied().unwrap_or_default()
    }

    /// Counts a decision that was made at `now`, if it explored.
    pub(super) fn count(&self, decision: &Decision, now: Instant) {
        let Some(campaign_id) = decision.campaign_id.as_ref().filter(|_| decision.explored) else { return };
        let mut counts = self.lock();
        let day = Some(now.utc_day());
        if counts.0 < day {
            *counts = (day, BTreeMap::new());
        }
        if counts.0 == day {
            *counts.1.entry(campaign_id.clone()).or_default() += 1;
        }
    }

    fn lock(&self) -> MutexGuard<'_, (Option<Day>, BTreeMap<String, u32>)> {
        self.counts.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
