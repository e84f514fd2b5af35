//! Quiet hours as a function of an instant: what the user's clock shows then is quiet or it is not.
//!
//! Nothing here computes with local times: an instant is converted, its minute of the day is looked at, and waiting is
//! done in instants, from one change of the clock to the next.

use super::time::{Instant, MINUTE, SECOND};
use super::user::{MinuteOfDay, QuietHours};
use super::zone::Zone;

/// Minutes on a clock's face.
const FACE: i64 = MinuteOfDay::COUNT as i64;

impl QuietHours {
    /// Do these hours hold any minute? Equal ends hold none.
    pub fn is_ever_quiet(self) -> bool {
        self.from != self.until
    }

    /// Is it quiet at `instant` where the clock is `zone`'s?
    pub fn is_quiet(self, zone: &Zone, instant: Instant) -> bool {
        shows_within(zone, instant, self.from, self.until)
    }

    /// The earliest instant from `instant` on that is not quiet.
    pub fn allowed_from(self, zone: &Zone, instant: Instant) -> Instant {
        if !self.is_ever_quiet() {
            return instant;
        }
        first_within(zone, instant, self.until, self.from)
    }

    /// The earliest instant from `instant` on that is quiet; `None` when no instant is.
    pub fn quiet_from(self, zone: &Zone, instant: Instant) -> Option<Instant> {
        self.is_ever_quiet().then(|| first_within(zone, instant, self.from, self.until))
    }
}

/// Does the clock show a minute of `[from, until)` modulo midnight?
fn shows_within(zone: &Zone, instant: Instant, from: MinuteOfDay, until: MinuteOfDay) -> bool {
    let minute = zone.local_second(instant).div_euclid(60);
    minutes_after(minute, from) < minutes_after(i64::from(until.minutes()), from)
}

/// The earliest instant from `instant` on at which the clock shows a minute of `[from, until)`; the ends differ.
fn first_within(zone: &Zone, instant: Instant, from: MinuteOfDay, until: MinuteOfDay) -> Instant {
    let mut at = instant;
    while !shows_within(zone, at, from, until) {
        let local = zone.local_second(at);
        let wait = FACE - minutes_after(local.div_euclid(60), from);
        let this_minute = at.micros().div_euclid(SECOND).saturating_sub(local.rem_euclid(60));
        let begins = Instant::from_micros(this_minute.saturating_mul(SECOND)).plus(wait * MINUTE);
        match zone.next_change(at) {
            // From there on the clock shows something else than this reckoning assumes.
            Some(change) if change <= begins => at = change,
            _ => return begins,
        }
    }
    at
}

/// Minutes on the clock's face from `from` forward to `minute`, 0 … 1,439.
fn minutes_after(minute: i64, from: MinuteOfDay) -> i64 {
    (minute - i64::from(from.minutes())).rem_euclid(FACE)
}
