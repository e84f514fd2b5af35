//! Send slots: concrete hours on a user's clock to send in.

use std::ops::RangeInclusive;

use super::time::{HOUR, Instant, LocalHour, MINUTE, SECOND};
use super::zone::Zone;

/// Hours ahead that a send may be planned: an hour to a week.
pub const HORIZON_HOURS: RangeInclusive<u32> = 1..=168;

/// A maximal run of instants with the same local date, hour and offset, clipped to what was asked for.
///
/// It lasts an hour at most; the two hours of a clock that is set back are two slots, a skipped hour is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SendSlot {
    /// Its first instant.
    pub start: Instant,
    /// The first instant after it.
    pub end: Instant,
    /// What the user's clock shows.
    pub local_hour: LocalHour,
    /// Seconds to add to UTC to get that clock.
    pub offset_seconds: i32,
}

impl SendSlot {
    /// 0 = Monday 00:00 local … 167.
    pub fn hour_of_week(&self) -> usize {
        self.local_hour.hour_of_week()
    }

    /// The instant at which its hour would have begun had it not been clipped.
    pub fn hour_start(&self) -> Instant {
        let second = i64::from(self.local_hour.0) * 3_600 - i64::from(self.offset_seconds);
        Instant::from_micros(second * SECOND)
    }

    /// Where sending in a minute (0 … 59) of the local hour begins: the minute's first instant within the slot.
    pub fn instant_of(&self, minute: u32) -> Instant {
        self.hour_start().plus(i64::from(minute) * MINUTE).max(self.start)
    }

    /// The minutes of the local hour, bit by bit, whose [`SendSlot::instant_of`] lies in the slot and in `[from, until)`.
    pub fn minutes_within(&self, from: Instant, until: Instant) -> u64 {
        let (from, until) = (from.max(self.start), until.min(self.end));
        if from >= until {
            return 0;
        }
        let after = |instant: Instant| instant.micros() - self.hour_start().micros();
        let whole = |micros: i64| micros.div_euclid(MINUTE) + i64::from(micros.rem_euclid(MINUTE) > 0);
        // A clipped first minute is as good as a whole one: sending in it begins where the slot does.
        let first = if from == self.start { after(from).div_euclid(MINUTE) } else { whole(after(from)) };
        let below = |minute: i64| (1_u64 << minute.clamp(0, 60)) - 1;
        below(whole(after(until))) & !below(first)
    }
}

/// The send slots of `[from, until)` on a zone's clock, in order; they leave no gap.
///
/// About one for each hour asked for: the caller bounds the span, and keeps it within the years of zone tables.
pub fn send_slots(zone: &Zone, from: Instant, until: Instant) -> Vec<SendSlot> {
    let hours = until.micros().saturating_sub(from.micros()).max(0) / HOUR;
    let mut slots = Vec::with_capacity(hours.min(168) as usize + 4);
    let mut start = from;
    while start < until {
        let slot = slot_from(zone, start, until);
        slots.push(slot);
        start = slot.end;
    }
    slots
}

/// The slot that holds `start`, clipped to begin there.
fn slot_from(zone: &Zone, start: Instant, until: Instant) -> SendSlot {
    let offset_seconds = zone.offset_seconds(start);
    let local_hour = zone.local_hour(start);
    let open = SendSlot { start, end: until, local_hour, offset_seconds };
    let hour_end = open.hour_start().plus(HOUR);
    let end = hour_end.min(zone.next_change(start).unwrap_or(Instant::MAX)).min(until);
    SendSlot { end, ..open }
}
