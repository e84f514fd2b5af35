//! The texts that are stamps: dates, times of day, offsets, and numbers of seconds since 1970 in some unit.

use std::borrow::Cow;

use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::rfc2822;

use domain::rejection::RejectionCode;
use domain::time::{DAY, Day, HOUR, Instant, MINUTE, SECOND};
use domain::zone_names::minutes_east;

/// What a stamp says, before any zone is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    Instant(Instant),
    /// A date and a time of day on an unnamed clock.
    Civil(DateTime),
    /// A date alone.
    Day(Day),
}

/// A text that is a stamp, but not a certain one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Undecided {
    /// `1/2/2024`
    DayOrMonthFirst,
    /// `1.70416E+09`
    Rounded,
    /// `20240102`
    CompactDate,
    /// So few digits that they are seconds of 1970 to 1973.
    TooSmall,
}

impl Undecided {
    /// The code of the rejection.
    pub(super) fn code(self) -> RejectionCode {
        match self {
            Undecided::DayOrMonthFirst | Undecided::Rounded => RejectionCode::BadTimestamp,
            Undecided::CompactDate | Undecided::TooSmall => RejectionCode::TimestampOutOfRange,
        }
    }

    /// What is unclear, after the stamp itself.
    pub(super) fn detail(self) -> &'static str {
        match self {
            Undecided::DayOrMonthFirst => {
                "is not a stamp: day and month cannot be told apart; write year-month-day, such as 2024-01-02"
            }
            Undecided::Rounded => {
                "looks like a number that a spreadsheet rounded; format the column as text before you export it"
            }
            Undecided::CompactDate => "has no dashes; write 2024-01-02 for a date",
            Undecided::TooSmall => "has too few digits for seconds since 1970, which have ten nowadays",
        }
    }
}

type Found<T> = Result<Option<T>, Undecided>;

/// Reads a text; `None` when it is no stamp. The usual forms come first.
pub(super) fn written_in(text: &str) -> Found<Written> {
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Ok(epoch_of(text)?.map(Written::Instant));
    }
    // A zone in brackets would be a second opinion on the offset.
    if text.ends_with(']') {
        return Ok(utc_in_brackets(text).and_then(Instant::parse_rfc3339).map(Written::Instant));
    }
    if let Some(instant) = Instant::parse_rfc3339(text) {
        return Ok(Some(Written::Instant(instant)));
    }
    if let Some(written) = dated(text) {
        return Ok(Some(written));
    }
    if is_day_or_month_first(text) {
        return Err(Undecided::DayOrMonthFirst);
    }
    if let Some(plain) = expanded(text)? {
        return Ok(epoch_of(&plain)?.map(Written::Instant));
    }
    let mail = rfc2822::DateTimeParser::new().parse_timestamp(text).ok();
    Ok(mail.map(|stamp| Written::Instant(Instant::from_micros(stamp.as_microsecond()))))
}

/// `2024-01-02T03:04:05Z[UTC]`, as Java writes it, without the brackets: no other opinion on the offset.
fn utc_in_brackets(text: &str) -> Option<&str> {
    let (stamp, zone) = text.strip_suffix(']')?.rsplit_once('[')?;
    let is_utc = matches!(zone, "UTC" | "GMT" | "Z" | "Etc/UTC");
    (is_utc && stamp.ends_with(['Z', 'z'])).then_some(stamp)
}

/// A date of year, month and day, perhaps a time of day, perhaps an offset.
fn dated(text: &str) -> Option<Written> {
    let (date, rest) = text.split_at_checked(10)?;
    let date = date_in(date)?;
    if rest.is_empty() {
        return Some(Written::Day(Day::from_civil(date)));
    }
    let rest = match rest.as_bytes()[0] {
        b'T' | b't' => &rest[1..],
        _ if rest.starts_with(char::is_whitespace) => rest.trim_start(),
        _ => return None,
    };
    let is_time = |character: char| character.is_ascii_digit() || matches!(character, ':' | '.' | ',');
    let (time, zone) = rest.split_at(rest.find(|character| !is_time(character)).unwrap_or(rest.len()));
    let civil = date.to_datetime(time_in(time)?);
    let zone = zone.trim_start();
    if zone.is_empty() {
        return Some(Written::Civil(civil));
    }
    let midnight = Instant::from_micros(i64::from(Day::from_civil(date).0) * DAY);
    let of_day = i64::from(civil.hour()) * HOUR
        + i64::from(civil.minute()) * MINUTE
        + i64::from(civil.second()) * SECOND
        + i64::from(civil.subsec_nanosecond()) / 1_000;
    Some(Written::Instant(midnight.plus(of_day - i64::from(offset_in(zone)?) * MINUTE)))
}

/// `2024-01-02` or `2024/01/02`.
fn date_in(text: &str) -> Option<Date> {
    let bytes = text.as_bytes();
    if !(text.is_ascii() && matches!(bytes[4], b'-' | b'/') && bytes[4] == bytes[7]) {
        return None;
    }
    let number = |digits: &str| {
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<i16>().ok().filter(|_| is_plain)
    };
    let (month, day) = (number(&text[5..7])?, number(&text[8..])?);
    Date::new(number(&text[..4])?, month as i8, day as i8).ok()
}

/// A time of day with a fraction of any length; digits beyond nanoseconds are left out.
fn time_in(text: &str) -> Option<Time> {
    /// Of `03:04:05.123456789`.
    const LONGEST: usize = 18;
    let is_cut = text.len() > LONGEST && text[..LONGEST].is_ascii();
    let text = if is_cut { &text[..LONGEST] } else { text };
    if text.as_bytes().get(2) != Some(&b':') {
        return None;
    }
    text.parse().ok()
}

/// Minutes ahead of UTC: `Z`, `UTC`, `GMT`, an offset, `GMT+0800`, or an offset with the abbreviation of its zone.
fn offset_in(zone: &str) -> Option<i32> {
    let (offset, abbreviation) = zone.split_once(' ').unwrap_or((zone, ""));
    let abbreviation = abbreviation.trim();
    let is_word = abbreviation.len() <= 5 && abbreviation.bytes().all(|byte| byte.is_ascii_alphabetic());
    let upper = offset.to_ascii_uppercase();
    let minutes = match upper.as_str() {
        "Z" | "UTC" | "GMT" => 0,
        other => {
            let digits = other.strip_prefix("UTC").or_else(|| other.strip_prefix("GMT")).unwrap_or(other);
            minutes_east(digits)?
        }
    };
    // `+0800 UTC` says two things.
    let contradicts = minutes != 0 && matches!(abbreviation, "UTC" | "GMT" | "Z");
    (is_word && !contradicts).then_some(minutes)
}

/// `1/2/2024`, `01.02.2024 03:04`, `1-2-24`.
fn is_day_or_month_first(text: &str) -> bool {
    let date = text.split([' ', 'T', ',']).next().unwrap_or_default();
    let parts: Vec<&str> = date.split(['/', '.', '-']).collect();
    let is_number = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    let [first, second, year] = parts[..] else { return false };
    let lengths = [first, second].iter().all(|part| matches!(part.len(), 1 | 2));
    lengths && matches!(year.len(), 2 | 4) && [first, second, year].iter().all(is_number)
}

/// Seconds, milliseconds, microseconds or nanoseconds since the epoch, perhaps with a fraction: the magnitude tells the
/// unit. What is finer than a microsecond is rounded.
pub(super) fn epoch_of(text: &str) -> Found<Instant> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let is_plain = !whole.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    let Some(number) = whole.parse::<i64>().ok().filter(|number| is_plain && *number >= 0) else {
        return if is_day_or_month_first(text) { Err(Undecided::DayOrMonthFirst) } else { Ok(None) };
    };
    match number {
        1..100_000_000 if is_compact_date(whole) => return Err(Undecided::CompactDate),
        1..100_000_000 => return Err(Undecided::TooSmall),
        _ => {}
    }
    let finer = match micros_of(number) {
        (micros, Some(digits)) => micros + rounded(fraction, digits),
        (micros, None) => micros,
    };
    Ok(Some(Instant::from_micros(finer)))
}

/// The same for a whole number of today's magnitudes; `None` for the others.
pub(super) fn whole_epoch(number: i64) -> Option<Instant> {
    (number >= 100_000_000).then(|| Instant::from_micros(micros_of(number).0))
}

/// A number of seconds, milliseconds, microseconds or nanoseconds in microseconds, and how many digits of a fraction of
/// it are whole microseconds; `None` when all of it is finer.
fn micros_of(number: i64) -> (i64, Option<usize>) {
    match number {
        ..100_000_000_000 => (number.saturating_mul(1_000_000), Some(6)),
        100_000_000_000..100_000_000_000_000 => (number * 1_000, Some(3)),
        100_000_000_000_000..100_000_000_000_000_000 => (number, Some(0)),
        _ => (number.div_euclid(1_000), None),
    }
}

/// The first digits of a fraction as a number, rounded by the next one.
fn rounded(fraction: &str, digits: usize) -> i64 {
    let digit = |index: usize| fraction.as_bytes().get(index).map_or(0, |byte| i64::from(byte - b'0'));
    let cut = (0..digits).fold(0, |number, index| number * 10 + digit(index));
    cut + i64::from(digit(digits) >= 5)
}

fn is_compact_date(text: &str) -> bool {
    text.len() == 8 && Date::strptime("%Y%m%d", text).is_ok_and(|date| (1970..2100).contains(&date.year()))
}

/// `1.704164645E9` as plain digits, as Java writes large numbers; too few digits for the exponent are rounded ones.
fn expanded(text: &str) -> Found<Cow<'_, str>> {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return Ok(None) };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    let exponent = exponent.trim_start_matches('+').parse::<usize>();
    let (Ok(exponent), true) = (exponent, whole.len() == 1 && is_number(whole) && is_number(fraction)) else {
        return Ok(None);
    };
    match fraction.split_at_checked(exponent) {
        Some((digits, rest)) => Ok(Some(Cow::Owned(format!("{whole}{digits}.{rest}")))),
        None => Err(Undecided::Rounded),
    }
}
