//! Reading stamps: RFC 3339, epoch seconds to microseconds, and naive ones in the zone that was named.

use jiff::civil::DateTime;

use super::formats::RawValue;
use domain::rejection::{Rejection, RejectionCode};
use domain::time::{Day, HOUR, Instant};
use domain::zone::Zone;

/// 2000-01-01T00:00:00Z in microseconds, the earliest stamp taken.
const EARLIEST: i64 = 946_684_800_000_000;

/// A stamp that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// When.
    pub instant: Instant,
    /// A bare date, stored as 00:00 of the named zone: it says nothing of the time of day.
    pub date_only: bool,
}

/// How to read the stamps of a file.
#[derive(Clone, Debug)]
pub struct StampReader {
    zone: Option<Zone>,
    latest: Instant,
}

impl StampReader {
    /// Naive stamps are read in `zone`, or rejected without one; stamps later than
    /// `now` + `tolerance_hours` are rejected.
    pub fn new(zone: Option<Zone>, now: Instant, tolerance_hours: i64) -> StampReader {
        StampReader { zone, latest: now.plus(tolerance_hours.saturating_mul(HOUR)) }
    }

    /// Reads a raw value as a stamp.
    ///
    /// # Errors
    /// `missing_value`, `bad_timestamp`, `naive_timestamp`, `timestamp_out_of_range`, `timestamp_in_future`.
    pub fn read(&self, name: &str, value: &RawValue<'_>) -> Result<Stamp, Rejection> {
        let (instant, date_only) = match value {
            RawValue::Missing => {
                return Err(Rejection::new(RejectionCode::MissingValue, format!("{name} is empty")));
            }
            RawValue::Text(text) => self.read_text(name, text.trim())?,
            RawValue::Instant(micros) => (Instant::from_micros(*micros), false),
            RawValue::Naive(micros) => (self.naive(name, civil_of(*micros))?, false),
            RawValue::Date(days) => (self.naive(name, Some(Day(*days).civil().into()))?, true),
            other => {
                let number = other.whole_number().ok_or_else(|| bad(name, &other.to_json().to_string()))?;
                (self.epoch(name, number)?, false)
            }
        };
        self.in_range(name, instant)?;
        Ok(Stamp { instant, date_only })
    }

    fn read_text(&self, name: &str, text: &str) -> Result<(Instant, bool), Rejection> {
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            let number = text.parse().map_err(|_| bad(name, text))?;
            return Ok((self.epoch(name, number)?, false));
        }
        if let Some(day) = Day::parse(text) {
            return Ok((self.naive(name, Some(day.civil().into()))?, true));
        }
        // A zone in brackets would be a second opinion on the offset; RFC 3339 has none.
        if text.contains('[') {
            return Err(bad(name, text));
        }
        match Instant::parse_rfc3339(text) {
            Some(instant) => Ok((instant, false)),
            None => Ok((self.naive(name, Some(civil_in(text).ok_or_else(|| bad(name, text))?))?, false)),
        }
    }

    /// Seconds, milliseconds or microseconds since the epoch: the magnitude tells which.
    fn epoch(&self, name: &str, number: i64) -> Result<Instant, Rejection> {
        let micros = match number.unsigned_abs() {
            0..100_000_000_000 => number.checked_mul(1_000_000),
            100_000_000_000..100_000_000_000_000 => number.checked_mul(1_000),
            100_000_000_000_000..100_000_000_000_000_000 => Some(number),
            _ => None,
        };
        micros.map(Instant::from_micros).ok_or_else(|| bad(name, &number.to_string()))
    }

    fn naive(&self, name: &str, civil: Option<DateTime>) -> Result<Instant, Rejection> {
        let civil = civil.ok_or_else(|| bad(name, "a date outside the calendar"))?;
        let Some(zone) = &self.zone else {
            let detail = format!("{name} {civil} has no offset; say how to read it with --time-zone ZONE");
            return Err(Rejection::new(RejectionCode::NaiveTimestamp, detail));
        };
        zone.instant_of(civil).ok_or_else(|| bad(name, &civil.to_string()))
    }

    fn in_range(&self, name: &str, instant: Instant) -> Result<(), Rejection> {
        if instant.micros() < EARLIEST {
            let detail = format!("{name} {instant} is before the year 2000");
            return Err(Rejection::new(RejectionCode::TimestampOutOfRange, detail));
        }
        if instant > self.latest {
            let detail = format!("{name} {instant} is later than {}", self.latest);
            return Err(Rejection::new(RejectionCode::TimestampInFuture, detail));
        }
        Ok(())
    }
}

/// Reads a date with a time of day and nothing after it. (jiff would pass over an offset, even a wrong one.)
fn civil_in(text: &str) -> Option<DateTime> {
    let has_offset = text.get(10..)?.contains(['+', '-', 'Z', 'z']);
    if has_offset { None } else { text.parse().ok() }
}

fn civil_of(micros: i64) -> Option<DateTime> {
    let stamp = jiff::Timestamp::from_microsecond(micros).ok()?;
    Some(jiff::tz::Offset::UTC.to_datetime(stamp))
}

fn bad(name: &str, text: &str) -> Rejection {
    let shown: String = text.chars().take(64).collect();
    Rejection::new(RejectionCode::BadTimestamp, format!("{name} {shown:?} is not a stamp"))
}
