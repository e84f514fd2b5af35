//! Reading stamps: RFC 3339, seconds to nanoseconds since 1970, and naive ones in the zone that was named.

use jiff::civil::DateTime;

use super::formats::RawValue;
use super::stamp_text::{Undecided, Written, epoch_of, whole_epoch, written_in};
use domain::rejection::{Rejection, RejectionCode};
use domain::time::{Day, HOUR, Instant};
use domain::zone::Zone;

/// 1970-01-01T00:00:00Z, the earliest stamp taken.
const EARLIEST: Instant = Instant::from_micros(0);

/// What messages say of the forms that are read.
const FORMS: &str = "RFC 3339 such as 2024-01-02T03:04:05Z or 2024-01-02 03:04:05 +0800; seconds, milliseconds, \
                     microseconds or nanoseconds since 1970; with --time-zone ZONE also 2024-01-02 03:04:05 and 2024-01-02";

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

    /// Reads a raw value as the stamp of something that has happened.
    ///
    /// # Errors
    /// `missing_value`, `bad_timestamp`, `naive_timestamp`, `timestamp_out_of_range`, `timestamp_in_future`.
    pub fn read(&self, name: &str, value: &RawValue<'_>) -> Result<Stamp, Rejection> {
        let stamp = self.read_from(name, value)?;
        if stamp.instant == EARLIEST && is_number(value) {
            let detail = format!("{name} is 0, which is what a missing stamp is often written as");
            return Err(Rejection::new(RejectionCode::TimestampOutOfRange, detail));
        }
        Ok(stamp)
    }

    /// Reads a raw value as the beginning of something, which may be the epoch itself.
    ///
    /// # Errors
    /// As [`StampReader::read`].
    pub fn read_from(&self, name: &str, value: &RawValue<'_>) -> Result<Stamp, Rejection> {
        let written = written(name, value)?;
        let date_only = matches!(written, Written::Day(_));
        let instant = self.instant(name, value, written)?;
        self.in_range(name, value, instant)?;
        Ok(Stamp { instant, date_only })
    }

    /// Reads a raw value as the end of something: of a bare date, the first instant of the day after. An end beyond
    /// the calendar's use, such as 9999-12-31, is no end.
    ///
    /// # Errors
    /// As [`StampReader::read`], but that no end is too late.
    pub fn read_until(&self, name: &str, value: &RawValue<'_>) -> Result<Option<Instant>, Rejection> {
        let written = match written(name, value) {
            Ok(written) => written,
            Err(_) if is_beyond_reading(value) => return Ok(None),
            Err(rejection) => return Err(rejection),
        };
        let (year, written) = match written {
            Written::Instant(instant) => (instant.utc_day().civil().year(), written),
            Written::Civil(civil) => (civil.year(), written),
            Written::Day(day) => (day.civil().year(), Written::Day(Day(day.0.saturating_add(1)))),
        };
        let last = self.latest.utc_day().civil().year();
        if year >= last || is_last_day(value) {
            return Ok(None);
        }
        let instant = self.instant(name, value, written)?;
        if instant > self.latest {
            return Ok(None);
        }
        self.in_range(name, value, instant)?;
        Ok(Some(instant))
    }

    fn instant(&self, name: &str, value: &RawValue<'_>, written: Written) -> Result<Instant, Rejection> {
        match written {
            Written::Instant(instant) => Ok(instant),
            Written::Civil(civil) => self.naive(name, value, civil),
            Written::Day(day) => self.naive(name, value, day.civil().into()),
        }
    }

    fn naive(&self, name: &str, value: &RawValue<'_>, civil: DateTime) -> Result<Instant, Rejection> {
        let Some(zone) = &self.zone else {
            let detail = format!(
                "{name} {} has no offset; name the zone it is meant in with --time-zone ZONE",
                shown(value)
            );
            return Err(Rejection::new(RejectionCode::NaiveTimestamp, detail));
        };
        zone.instant_of(civil).ok_or_else(|| unreadable(name, value))
    }

    fn in_range(&self, name: &str, value: &RawValue<'_>, instant: Instant) -> Result<(), Rejection> {
        if instant < EARLIEST {
            let detail = format!("{name} {} is before 1970", shown(value));
            return Err(Rejection::new(RejectionCode::TimestampOutOfRange, detail));
        }
        if instant > self.latest {
            let detail = format!(
                "{name} {} is later than {}; leave it empty if there is none",
                shown(value),
                self.latest
            );
            return Err(Rejection::new(RejectionCode::TimestampInFuture, detail));
        }
        Ok(())
    }
}

/// What a value says, before any zone is asked.
fn written(name: &str, value: &RawValue<'_>) -> Result<Written, Rejection> {
    let undecided = |undecided: Undecided| {
        let detail = format!("{name} {} {}", shown(value), undecided.detail());
        Rejection::new(undecided.code(), detail)
    };
    match value {
        RawValue::Missing => Err(Rejection::new(RejectionCode::MissingValue, format!("{name} is empty"))),
        RawValue::Text(text) => {
            let found = written_in(text.trim()).map_err(undecided)?;
            found.ok_or_else(|| unreadable(name, value))
        }
        RawValue::Instant(micros) => Ok(Written::Instant(Instant::from_micros(*micros))),
        RawValue::Naive(micros) => {
            civil_of(*micros).map(Written::Civil).ok_or_else(|| unreadable(name, value))
        }
        RawValue::Date(days) => Ok(Written::Day(Day(*days))),
        RawValue::Integer(number) => {
            if let Some(instant) = whole_epoch(*number) {
                return Ok(Written::Instant(instant));
            }
            let found = epoch_of(&number.to_string()).map_err(undecided)?;
            found.map(Written::Instant).ok_or_else(|| unreadable(name, value))
        }
        // The shortest decimal that is this float is the one that was written.
        RawValue::Number(number) | RawValue::Scientific(number, _) if number.is_finite() => {
            let found = epoch_of(&number.to_string()).map_err(undecided)?;
            found.map(Written::Instant).ok_or_else(|| unreadable(name, value))
        }
        RawValue::Single(number) => {
            let detail =
                format!("{name} {number} is a 32-bit float, which cannot hold a moment to the second");
            Err(Rejection::new(RejectionCode::BadTimestamp, detail))
        }
        _ => Err(unreadable(name, value)),
    }
}

fn is_number(value: &RawValue<'_>) -> bool {
    match value {
        RawValue::Integer(_) | RawValue::Number(_) | RawValue::Scientific(..) => true,
        RawValue::Text(text) => text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'),
        _ => false,
    }
}

/// Is this a number or a year that no calendar of ours holds? (As an end it is none.)
fn is_beyond_reading(value: &RawValue<'_>) -> bool {
    match value {
        RawValue::Naive(micros) => *micros > 0,
        RawValue::Number(number) | RawValue::Scientific(number, _) => *number > 9e18,
        RawValue::Text(text) => {
            let text = text.trim().trim_start_matches('+');
            let digits = text.bytes().take_while(u8::is_ascii_digit).count();
            (digits > 4 && text[digits..].starts_with('-')) || (digits > 18 && digits == text.len())
        }
        _ => false,
    }
}

/// Is this number some moment of 9999-12-31 in seconds, milliseconds or microseconds since 1970? By its magnitude, it
/// would be one of January 1978.
fn is_last_day(value: &RawValue<'_>) -> bool {
    /// 9999-12-30T00:00:00Z to 10000-01-02T00:00:00Z: any zone's last day.
    const LAST_DAY: std::ops::Range<i128> = 253_402_128_000..253_402_387_200;
    let number = match value {
        RawValue::Integer(number) => i128::from(*number),
        RawValue::Number(number) | RawValue::Scientific(number, _) => *number as i128,
        RawValue::Text(text) => {
            let whole = text.trim().split('.').next().unwrap_or_default();
            let Ok(number) = whole.parse() else { return false };
            number
        }
        _ => return false,
    };
    [1, 1_000, 1_000_000].iter().any(|unit| LAST_DAY.contains(&(number / unit)))
}

fn civil_of(micros: i64) -> Option<DateTime> {
    let stamp = jiff::Timestamp::from_microsecond(micros).ok()?;
    Some(jiff::tz::Offset::UTC.to_datetime(stamp))
}

/// The value as the file has it.
fn shown(value: &RawValue<'_>) -> String {
    let text: String = match value.to_json() {
        serde_json::Value::String(text) => format!("{:?}", text.chars().take(64).collect::<String>()),
        other => other.to_string().chars().take(64).collect(),
    };
    text
}

fn unreadable(name: &str, value: &RawValue<'_>) -> Rejection {
    let detail = format!("{name} {} is not a stamp; accepted: {FORMS}", shown(value));
    Rejection::new(RejectionCode::BadTimestamp, detail)
}
