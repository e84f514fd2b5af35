//! What withdraws the consent to be pushed: of each user the last event that does, and an erasure before they were let back in.

use std::collections::HashMap;

use super::erased::ErasedUsers;
use super::lake::{Lake, LakeError};
use super::stored::EventColumn;
use domain::event::WITHDRAWALS;
use domain::time::{HOUR, Instant};
use domain::user::User;

/// When users withdrew their consent by an event at last, or were erased.
#[derive(Clone, Debug, Default)]
pub struct Withdrawals {
    last: HashMap<String, Instant>,
    /// Who was erased and let back in.
    erased: ErasedUsers,
    /// What is said to have happened later counts from then.
    now: Option<Instant>,
}

impl Withdrawals {
    /// Reads all that was received, whenever it is said to have happened; days without such an event are not opened.
    ///
    /// # Errors
    /// When the lake cannot be read.
    pub fn read(lake: &Lake) -> Result<Withdrawals, LakeError> {
        Withdrawals::read_until(lake, Instant::from_micros(i64::MAX))
    }

    /// Reads what is known at a moment. A clock may run ahead by `tolerance` hours: what it stamped later than now was received
    /// all the same, and counts from now.
    ///
    /// # Errors
    /// When the lake cannot be read.
    pub fn known_at(lake: &Lake, now: Instant, tolerance: i64) -> Result<Withdrawals, LakeError> {
        // An event at the edge counts too.
        let ahead = tolerance.max(0).saturating_mul(HOUR).saturating_add(1);
        let until = Instant::from_micros(now.micros().saturating_add(ahead));
        let mut known = Withdrawals::read_until(lake, until)?;
        known.now = Some(now);
        Ok(known)
    }

    fn read_until(lake: &Lake, until: Instant) -> Result<Withdrawals, LakeError> {
        let mut last: HashMap<String, Instant> = HashMap::new();
        let columns = [EventColumn::UserId, EventColumn::Name, EventColumn::Timestamp];
        let days = lake.files_before(until).into_iter();
        for file in days.filter(|file| WITHDRAWALS.iter().any(|name| file.holds(name))) {
            for event in lake.events(file, &columns)?.iter() {
                if event.timestamp < until && WITHDRAWALS.contains(&event.name) {
                    let known = last.entry(event.user_id.to_string()).or_insert(event.timestamp);
                    *known = event.timestamp.max(*known);
                }
            }
        }
        Ok(Withdrawals { last, erased: ErasedUsers::read(lake.workspace())?, now: None })
    }

    /// The moment of a user's last one. An erasure is one too: it took every opt-out away, and a grant from before it is not theirs
    /// any more.
    pub fn of(&self, user_id: &str) -> Option<Instant> {
        let at = self.last.get(user_id).copied().max(self.erased.readmitted_after(user_id));
        at.map(|at| self.now.map_or(at, |now| now.min(at)))
    }

    /// Puts them into force for a user who was declared, or whom only events know.
    pub fn apply(&self, user: &mut User) {
        user.withdraw(self.of(&user.user_id));
    }
}
