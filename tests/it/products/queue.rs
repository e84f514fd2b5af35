//! A sender's queue: at most so many messages leave it in a minute, and each is looked at again before it does.

use std::collections::BTreeSet;

use smartpush::domain::time::{HOUR, Instant, MINUTE};

use super::town::{Person, Town};

/// A message that went out.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// Place of the person in the town.
    pub user: usize,
    pub at: Instant,
}

/// What becomes of a message whose turn it is.
pub enum Gate {
    Send,
    /// Not before then.
    Hold(Instant),
    /// Never.
    Drop,
}

/// Sends what is wanted, first wanted first; what is held queues again from the instant until which it is.
pub fn drain(
    town: &Town,
    wanted: Vec<(usize, Instant)>,
    gate: impl Fn(&Person, Instant) -> Gate,
) -> Vec<Sent> {
    let mut waiting: BTreeSet<(Instant, usize)> = wanted.into_iter().map(|(user, at)| (at, user)).collect();
    let mut sent = Vec::new();
    let mut minute = town.now;
    while !waiting.is_empty() && minute < town.now.plus(72 * HOUR) {
        let mut room = town.throttle;
        while let Some((at, user)) =
            waiting.first().copied().filter(|(at, _)| room > 0 && *at < minute.plus(MINUTE))
        {
            waiting.pop_first();
            let at = at.max(minute);
            match gate(&town.people[user], at) {
                Gate::Drop => {}
                Gate::Hold(until) => {
                    waiting.insert((until, user));
                }
                Gate::Send => {
                    room -= 1;
                    sent.push(Sent { user, at });
                }
            }
        }
        minute = minute.plus(MINUTE);
    }
    sent
}
