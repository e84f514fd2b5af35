//! Events that withdraw the consent to be pushed: of each user the last one before a moment.

use std::collections::HashMap;

use super::lake::{Lake, LakeError};
use super::stored::EventColumn;
use domain::event::WITHDRAWALS;
use domain::time::Instant;
use domain::user::User;

/// When users withdrew their consent by an event at last.
#[derive(Clone, Debug, Default)]
pub struct Withdrawals {
    last: HashMap<String, Instant>,
}

impl Withdrawals {
    /// Reads the events before `until`; days without such an event are not opened.
    ///
    /// # Errors
    /// When the lake cannot be read.
    pub fn read(lake: &Lake, until: Instant) -> Result<Withdrawals, LakeError> {
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
        Ok(Withdrawals { last })
    }

    /// The moment of a user's last one.
    pub fn of(&self, user_id: &str) -> Option<Instant> {
        self.last.get(user_id).copied()
    }

    /// Puts them into force for a user who was declared, or whom only events know.
    pub fn apply(&self, user: &mut User) {
        user.withdraw(self.of(&user.user_id));
    }
}
