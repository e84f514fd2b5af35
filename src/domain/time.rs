//! Instants, hours on a local clock, and the hour of the week.

use std::fmt;

/// Microseconds in a second.
pub const SECOND: i64 = 1_000_000;
/// Microseconds in a minute.
pub const MINUTE: i64 = 60 * SECOND;
/// Microseconds in an hour.
pub const HOUR: i64 = 3_600 * SECOND;
/// Microseconds in a day of 24 hours; windows such as "30 d" are multiples of it.
pub const DAY: i64 = 24 * HOUR;
/// Hours in a week, the length of a send-time curve.
pub const HOURS_OF_WEEK: usize = 168;

/// A moment in time: whole microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(i64);

impl Instant {
    /// Earlier than every event that can be stored.
    pub const MIN: Instant = Instant(i64::MIN);
    /// Later than every event that can be stored.
    pub const MAX: Instant = Instant(i64::MAX);

    /// The instant `micros` microseconds after the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Instant(micros)
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Reads RFC 3339 with `Z` or an offset; `None` when the text is anything else.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let stamp: jiff::Timestamp = text.parse().ok()?;
        has_plain_offset(text).then(|| Instant(stamp.as_microsecond()))
    }

    /// This instant moved by `micros`, saturating at the ends of the scale.
    pub const fn plus(self, micros: i64) -> Self {
        Instant(self.0.saturating_add(micros))
    }

    /// The UTC calendar day, in whole days since 1970-01-01.
    pub const fn utc_day(self) -> Day {
        Day(self.0.div_euclid(DAY) as i32)
    }

    /// Name for directories: `20171201T050000.000000Z`, which sorts as time does.
    pub fn file_name(self) -> String {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(stamp) => stamp.strftime("%Y%m%dT%H%M%S.%6fZ").to_string(),
            Err(_) => format!("{}us", self.0),
        }
    }

    /// Reads what [`Instant::file_name`] wrote.
    pub fn parse_file_name(text: &str) -> Option<Self> {
        let civil = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%S%.fZ", text).ok()?;
        let stamp = jiff::tz::Offset::UTC.to_timestamp(civil).ok()?;
        Some(Instant(stamp.as_microsecond()))
    }
}

/// Does the text end in `Z` or in `±HH:MM` below a day? (jiff reads offsets up to 25:59:59.)
fn has_plain_offset(text: &str) -> bool {
    if text.ends_with(['Z', 'z']) {
        return true;
    }
    // What jiff takes beyond RFC 3339, a zone or a calendar in brackets, may end like an offset: `[Etc/GMT+1]`.
    if text.ends_with(']') {
        return false;
    }
    let Some((_, offset)) = text.rsplit_once(['+', '-']) else { return false };
    // Two digits each sort as the numbers they write.
    matches!(offset.len(), 2 | 4 | 5) && &offset[..2] < "24"
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_microsecond(self.0) {
            Ok(stamp) => write!(f, "{stamp}"),
            Err(_) => write!(f, "{} µs", self.0),
        }
    }
}

impl serde::Serialize for Instant {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Instant {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Instant, D::Error> {
        let text = String::deserialize(deserializer)?;
        Instant::parse_rfc3339(&text)
            .ok_or_else(|| serde::de::Error::custom(format_args!("{text:?} is not RFC 3339")))
    }
}

/// A calendar day, in whole days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

impl Day {
    /// Reads `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 10 {
            return None;
        }
        let date: jiff::civil::Date = text.parse().ok()?;
        Some(Day::from_civil(date))
    }

    /// The day of a civil date.
    pub fn from_civil(date: jiff::civil::Date) -> Self {
        let epoch = jiff::civil::date(1970, 1, 1);
        Day(epoch.duration_until(date).as_hours().div_euclid(24) as i32)
    }

    /// The civil date of this day; days outside years −9999 … 9999 are clamped.
    pub fn civil(self) -> jiff::civil::Date {
        let epoch = jiff::civil::date(1970, 1, 1);
        epoch.saturating_add(jiff::Span::new().days(self.0.clamp(-4_000_000, 2_900_000)))
    }

    /// The first hour of this day on a local clock.
    pub const fn first_hour(self) -> LocalHour {
        LocalHour(self.0 * 24)
    }

    /// 0 = Monday … 6 = Sunday.
    pub const fn weekday(self) -> usize {
        // 1970-01-01 was a Thursday.
        (self.0 + 3).rem_euclid(7) as usize
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.civil())
    }
}

/// An hour on somebody's own clock: whole hours since 1970-01-01 00:00 local.
///
/// Two instants an hour apart share one when a clock is set back; they are one unit of activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalHour(pub i32);

impl LocalHour {
    /// The local calendar day.
    pub const fn day(self) -> Day {
        Day(self.0.div_euclid(24))
    }

    /// 0 … 23.
    pub const fn hour_of_day(self) -> usize {
        self.0.rem_euclid(24) as usize
    }

    /// 0 = Monday 00:00 … 167 = Sunday 23:00.
    pub const fn hour_of_week(self) -> usize {
        self.day().weekday() * 24 + self.hour_of_day()
    }
}

/// `"Tue 18:00"` for an hour of the week.
pub fn hour_of_week_name(hour_of_week: usize) -> String {
    format!("{} {:02}:00", WEEKDAYS[(hour_of_week / 24) % 7], hour_of_week % 24)
}

/// Short weekday names, Monday first.
pub const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
