//! When a user was active: own acts with a time of day, as distinct hours on his own clock.

use super::declared::Declared;
use crate::domain::time::{HOUR, Instant, LocalHour, SECOND};
use crate::domain::zone::{ZoneCode, Zones};

/// A quarter of an hour: every offset since 2000 is a multiple of it, so it never spans two local hours.
const QUARTER: i64 = HOUR / 4;

/// A quarter of an hour with activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Quarter {
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
    quarters: Vec<Quarter>,
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

/// Where a user's zone comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZoneSource {
    /// He, or who signed him up, said so.
    Declared,
    /// His newest event that named one.
    Device,
    /// The configured default.
    Default,
}

impl ZoneSource {
    /// The word used in tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            ZoneSource::Declared => "declared",
            ZoneSource::Device => "device",
            ZoneSource::Default => "default",
        }
    }
}

impl Activity {
    /// Takes in one act.
    pub fn absorb(&mut self, timestamp: Instant, zone: Option<ZoneCode>) {
        let quarter = Quarter {
            index: timestamp.micros().div_euclid(QUARTER),
            zone,
            first: timestamp,
            last: timestamp,
        };
        match self.quarters.last_mut() {
            Some(last) if (last.index, last.zone) == (quarter.index, zone) => {
                last.last = last.last.max(timestamp)
            }
            _ => self.quarters.push(quarter),
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
        self.quarters.extend(other.quarters);
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

    /// The distinct active hours, oldest first, on the user's clock.
    pub fn active_hours(&self, zone: ZoneCode, zones: &Zones) -> Vec<ActiveHour> {
        let hour = |quarter: &Quarter| {
            let zone = zones.zone(quarter.zone.unwrap_or(zone));
            let into_hour = quarter.first.micros() + i64::from(zone.offset_seconds(quarter.first)) * SECOND;
            ActiveHour {
                hour: zone.local_hour(quarter.last),
                fraction: into_hour.rem_euclid(HOUR) as f64 / HOUR as f64,
                last: quarter.last,
            }
        };
        let mut hours: Vec<ActiveHour> = self.quarters.iter().map(hour).collect();
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
