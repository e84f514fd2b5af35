//! When a user was active: own acts with a time of day, as distinct hours on his own clock.

use super::declared::Declared;
use domain::time::{HOUR, Instant, LocalHour, SECOND};
use domain::zone::{ZoneCode, ZoneSource, Zones};

/// Every offset since 2000 is a multiple of a quarter of an hour, so one never spans two local hours …
const QUARTER: i64 = HOUR / 4;

/// … unless a clock is changed inside it: Newfoundland, Palestine and a few others did so at a minute past.
const MINUTE: i64 = 60 * SECOND;

/// A stretch of time within one hour of every clock, with activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stretch {
    /// Which one: two for each quarter of an hour, its first minute and the rest.
    index: i64,
    /// The zone that the events themselves brought; without one, the user's decides.
    zone: Option<ZoneCode>,
    /// The first act in it.
    first: Instant,
    /// The last act in it.
    last: Instant,
}

/// Activity of one user, in any order. Merging parts gives the same as absorbing all.
#[derive(Clone, Debug, Default)]
pub struct Activity {
    stretches: Vec<Stretch>,
    device: Option<(Instant, String, ZoneCode)>,
}

/// One unit of activity: a distinct (local date, local hour), with the last act in it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ActiveHour {
    /// The hour on the user's clock.
    pub hour: LocalHour,
    /// Where in the hour the first act lies, in [0, 1).
    pub fraction: f64,
    /// The last act in it.
    pub last: Instant,
}

impl Activity {
    /// Takes in one act.
    pub fn absorb(&mut self, timestamp: Instant, zone: Option<ZoneCode>) {
        let index = stretch_of(timestamp);
        match self.stretches.last_mut() {
            Some(known) if (known.index, known.zone) == (index, zone) => {
                known.first = known.first.min(timestamp);
                known.last = known.last.max(timestamp);
            }
            _ => self.stretches.push(Stretch { index, zone, first: timestamp, last: timestamp }),
        }
    }

    /// Takes in the zone that an event named; the newest event decides, ties by message_id.
    pub fn absorb_zone(&mut self, timestamp: Instant, message_id: &str, zone: ZoneCode) {
        let is_newer = match &self.device {
            Some((moment, id, _)) => (timestamp, message_id) > (*moment, id.as_str()),
            None => true,
        };
        if is_newer {
            self.device = Some((timestamp, message_id.to_string(), zone));
        }
    }

    /// Takes in another part of the same user's activity.
    pub fn merge(&mut self, other: Activity) {
        self.stretches.extend(other.stretches);
        if let Some((timestamp, message_id, zone)) = other.device {
            self.absorb_zone(timestamp, &message_id, zone);
        }
    }

    /// The user's zone: declared beats device beats the default.
    pub fn zone(&self, user_id: &str, declared: &Declared) -> (ZoneCode, ZoneSource) {
        match (declared.zone_of(user_id), &self.device) {
            (Some(zone), _) => (zone, ZoneSource::Declared),
            (None, Some((_, _, zone))) => (*zone, ZoneSource::Device),
            (None, None) => (declared.default_zone(), ZoneSource::Default),
        }
    }

    /// First and last act of every stretch, oldest first: what lies between two of them lies within minutes.
    pub fn moments(&self) -> Vec<Instant> {
        let mut moments: Vec<Instant> =
            self.stretches.iter().flat_map(|stretch| [stretch.first, stretch.last]).collect();
        moments.sort_unstable();
        moments
    }

    /// The distinct active hours, oldest first, on the user's clock.
    pub fn active_hours(&self, zone: ZoneCode, zones: &Zones) -> Vec<ActiveHour> {
        let hour = |stretch: &Stretch| {
            let zone = zones.zone(stretch.zone.unwrap_or(zone));
            let into_hour = stretch.first.micros() + i64::from(zone.offset_seconds(stretch.first)) * SECOND;
            ActiveHour {
                hour: zone.local_hour(stretch.last),
                fraction: into_hour.rem_euclid(HOUR) as f64 / HOUR as f64,
                last: stretch.last,
            }
        };
        let mut hours: Vec<ActiveHour> = self.stretches.iter().map(hour).collect();
        hours.sort_unstable_by(|a, b| {
            (a.hour, a.last).cmp(&(b.hour, b.last)).then(a.fraction.total_cmp(&b.fraction))
        });
        hours.dedup_by(|later, kept| {
            let same = later.hour == kept.hour;
            if same {
                kept.fraction = kept.fraction.min(later.fraction);
                kept.last = kept.last.max(later.last);
            }
            same
        });
        hours
    }
}

fn stretch_of(timestamp: Instant) -> i64 {
    let micros = timestamp.micros();
    2 * micros.div_euclid(QUARTER) + i64::from(micros.rem_euclid(QUARTER) >= MINUTE)
}
