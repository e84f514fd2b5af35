//! The events that a policy may have seen: what people did of themselves, and what its pushes led them to.

use super::Stage;
use super::world::Act;

/// Events by day, taken up to a moment.
#[derive(Clone, Debug)]
pub(super) struct EventLog {
    /// How many of each person's own acts have been taken.
    taken: Vec<usize>,
    /// What pushes led to, not taken yet.
    waiting: Vec<(usize, Act)>,
    /// What pushes led each person to, taken.
    led_to: Vec<Vec<Act>>,
}

impl EventLog {
    pub(super) fn new(users: usize) -> EventLog {
        EventLog { taken: vec![0; users], waiting: Vec::new(), led_to: vec![Vec::new(); users] }
    }

    /// Adds what a push led to.
    pub(super) fn add(&mut self, user: usize, act: Act) {
        self.waiting.push((user, act));
    }

    /// Takes events whose hour is over when the first clock reaches a day, those that were not taken yet: by person, then what
    /// pushes led to.
    pub(super) fn take_until(&mut self, stage: &Stage, day: i32) -> Vec<(usize, Act)> {
        let now = stage.world.first_midnight(day);
        let is_over = |user: usize, act: &Act| stage.world.end_of_hour(user, act.day, act.hour) <= now;
        let mut fresh = Vec::new();
        for (user, taken) in self.taken.iter_mut().enumerate() {
            let next = stage.acts(user)[*taken..].iter().take_while(|act| is_over(user, act));
            let before = fresh.len();
            fresh.extend(next.map(|act| (user, *act)));
            *taken += fresh.len() - before;
        }
        let (known, waiting): (Vec<(usize, Act)>, _) =
            std::mem::take(&mut self.waiting).into_iter().partition(|(user, act)| is_over(*user, act));
        self.waiting = waiting;
        known.iter().for_each(|(user, act)| self.led_to[*user].push(*act));
        fresh.extend(known);
        fresh
    }

    /// A person's active hours among the events taken, oldest first, each once.
    pub(super) fn active_hours(&self, stage: &Stage, user: usize) -> Vec<Act> {
        let own = &stage.acts(user)[..self.taken[user]];
        let mut acts: Vec<Act> = own.iter().chain(&self.led_to[user]).copied().collect();
        // Stable: of two in one hour his own counts.
        acts.sort_by_key(|act| (act.day, act.hour));
        acts.dedup_by_key(|act| (act.day, act.hour));
        acts
    }
}
