//! Limits on how often a user is pushed: which instants the pushes he had, or is going to have, forbid.

use domain::time::Instant;
use domain::zone::Zone;

/// Longest stretch of forbidden days that is walked through, one day at a time.
const MOST_DAYS: usize = 400;

/// At most so many pushes within every stretch of a length.
#[derive(Clone, Debug)]
pub(super) struct Limit {
    most: u32,
    measure: Measure,
    /// Stretches that hold `most` pushes with the new one: local days, both ends inclusive, or microseconds, both exclusive.
    forbidden: Vec<(i64, i64)>,
}

/// How a stretch is measured.
#[derive(Clone, Copy, Debug)]
pub(super) enum Measure {
    /// Consecutive days of a calendar.
    Days(u32, &'static Zone),
    /// Microseconds, wherever they begin.
    Rolling(i64),
}

/// What a limit says of an instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Room {
    /// There is room, until then.
    Until(Instant),
    /// There is none before then; `None`: never.
    NotBefore(Option<Instant>),
}

impl Limit {
    /// A limit, given the instants of the pushes that count, before and after now.
    pub(super) fn new(most: u32, measure: Measure, pushes: impl Iterator<Item = Instant>) -> Limit {
        let mut marks: Vec<i64> = pushes.map(|at| measure.mark(at)).collect();
        marks.sort_unstable();
        let length = measure.length();
        let count = most as usize;
        let full = |run: &[i64]| {
            let (first, last) = (run[0], run[count - 1]);
            let span = last.saturating_sub(first);
            (span < length).then(|| (last.saturating_sub(length), first.saturating_add(length)))
        };
        let mut forbidden: Vec<(i64, i64)> = match count {
            0 => Vec::new(),
            _ => marks.windows(count).filter_map(full).collect(),
        };
        forbidden.dedup();
        Limit { most, measure, forbidden }
    }

    /// Is there room for one more push at an instant?
    pub(super) fn room(&self, at: Instant) -> Room {
        if self.most == 0 {
            return Room::NotBefore(None);
        }
        match self.measure {
            Measure::Rolling(_) => self.rolling_room(at),
            Measure::Days(_, zone) => self.day_room(at, zone),
        }
    }

    fn rolling_room(&self, at: Instant) -> Room {
        match self.end_of_forbidden(at.micros()) {
            Some(end) => Room::NotBefore(Some(Instant::from_micros(end))),
            None => {
                let starts = self.forbidden.iter().map(|(from, _)| *from).filter(|from| *from >= at.micros());
                Room::Until(starts.min().map_or(Instant::MAX, |from| Instant::from_micros(from).plus(1)))
            }
        }
    }

    fn day_room(&self, at: Instant, zone: &Zone) -> Room {
        if self.forbidden.is_empty() {
            return Room::Until(Instant::MAX);
        }
        let is_full = |at: Instant| self.end_of_forbidden(day_mark(zone, at)).is_some();
        if !is_full(at) {
            return Room::Until(day_end(zone, at));
        }
        let mut free = at;
        for _ in 0..MOST_DAYS {
            free = day_end(zone, free);
            if !is_full(free) {
                return Room::NotBefore(Some(free));
            }
        }
        Room::NotBefore(None)
    }

    /// Where the forbidden stretches that hold a mark, and those that follow without a break, end.
    fn end_of_forbidden(&self, mark: i64) -> Option<i64> {
        let holds = |mark: i64| self.forbidden.iter().find(|(from, until)| *from < mark && mark < *until);
        let mut end = holds(mark)?.1;
        while let Some((_, later)) = holds(end) {
            end = *later;
        }
        Some(end)
    }
}

impl Measure {
    /// Are stretches measured in the same way?
    pub(super) fn is_like(&self, other: &Measure) -> bool {
        match (self, other) {
            (Measure::Days(days, zone), Measure::Days(others, other)) => {
                days == others && zone.name() == other.name()
            }
            (Measure::Rolling(length), Measure::Rolling(other)) => length == other,
            _ => false,
        }
    }

    /// The mark of an instant: its local day, or its microsecond.
    pub(super) fn mark(&self, at: Instant) -> i64 {
        match self {
            Measure::Days(_, zone) => day_mark(zone, at),
            Measure::Rolling(_) => at.micros(),
        }
    }

    /// How long a stretch is, in the unit of marks.
    pub(super) fn length(&self) -> i64 {
        match self {
            Measure::Days(days, _) => i64::from(*days),
            Measure::Rolling(micros) => *micros,
        }
    }
}

/// The day that a zone's clock shows, as a mark.
fn day_mark(zone: &Zone, at: Instant) -> i64 {
    i64::from(zone.local_day(at).0)
}

/// Where the run of instants with the local day of `at` ends, at the next change of the clock at the latest.
fn day_end(zone: &Zone, at: Instant) -> Instant {
    const SECOND: i64 = 1_000_000;
    let left = 86_400 - zone.local_second(at).rem_euclid(86_400);
    let second = at.micros().div_euclid(SECOND).saturating_add(left);
    let midnight = Instant::from_micros(second.saturating_mul(SECOND));
    zone.next_change(at).map_or(midnight, |change| change.min(midnight))
}
