//! How often each campaign has explored today: the budget of exploration is checked and spent here, under one lock.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use domain::time::{Day, Instant};
use store::ack::Ack;
use store::decision_log::LogError;

/// Explored sends of the newest UTC day, by campaign.
#[derive(Debug, Default)]
pub(super) struct ExploredToday {
    newest: Mutex<ExploredDay>,
}

#[derive(Debug, Default)]
struct ExploredDay {
    day: Option<Day>,
    campaigns: BTreeMap<String, ExploredSends>,
}

/// Explored sends of one campaign.
#[derive(Debug, Default)]
struct ExploredSends {
    logged: u32,
    /// Sends whose record waits to be written.
    waiting: Vec<Ack>,
}

impl ExploredToday {
    /// Explored sends of a campaign on the day of `now`.
    pub(super) fn of(&self, campaign_id: &str, now: Instant) -> u32 {
        let mut newest = self.lock();
        if newest.day != Some(now.utc_day()) {
            return 0;
        }
        newest.campaigns.get_mut(campaign_id).map_or(0, ExploredSends::count)
    }

    /// Logs an explored send and counts it; `None` when others have spent the day's budget since it was decided.
    ///
    /// A send whose record cannot be written is not counted: no client received it.
    ///
    /// # Errors
    /// When the log takes no more records.
    pub(super) fn spend(
        &self,
        campaign_id: &str,
        most: u32,
        now: Instant,
        append: impl FnOnce() -> Result<Ack, LogError>,
    ) -> Result<Option<Ack>, LogError> {
        let mut newest = self.lock();
        let Some(sends) = newest.sends_on(now.utc_day(), campaign_id) else { return append().map(Some) };
        if sends.count() >= most {
            return Ok(None);
        }
        let ack = append()?;
        sends.waiting.push(ack.clone());
        Ok(Some(ack))
    }

    /// Counts an explored send that was found in the log.
    pub(super) fn remember(&self, campaign_id: &str, now: Instant) {
        if let Some(sends) = self.lock().sends_on(now.utc_day(), campaign_id) {
            sends.logged += 1;
        }
    }

    fn lock(&self) -> MutexGuard<'_, ExploredDay> {
        self.newest.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl ExploredDay {
    /// A campaign's sends on a day, which begins a new count when it is the newest; `None` on an earlier day.
    fn sends_on(&mut self, day: Day, campaign_id: &str) -> Option<&mut ExploredSends> {
        if self.day < Some(day) {
            *self = ExploredDay { day: Some(day), campaigns: BTreeMap::new() };
        }
        (self.day == Some(day)).then(|| self.campaigns.entry(campaign_id.to_string()).or_default())
    }
}

impl ExploredSends {
    fn count(&mut self) -> u32 {
        let logged = &mut self.logged;
        self.waiting.retain(|ack| {
            let result = ack.result();
            *logged += u32::from(matches!(result, Some(Ok(_))));
            result.is_none()
        });
        self.logged + self.waiting.len() as u32
    }
}
