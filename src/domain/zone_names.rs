//! Zone names as devices, databases and spreadsheets write them, read as IANA names.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use jiff::tz::TimeZoneDatabase;

/// Windows' zone names and the IANA zone of each: CLDR's table `windowsZones`, territory 001.
const WINDOWS_ZONES: &str = include_str!("windows_zones.csv");

/// Zones with a fixed offset that is no whole number of hours, by minutes east of Greenwich.
const ODD_OFFSETS: [(i32, &str); 8] = [
    (-570, "Pacific/Marquesas"),
    (210, "Asia/Tehran"),
    (270, "Asia/Kabul"),
    (330, "Asia/Kolkata"),
    (345, "Asia/Kathmandu"),
    (390, "Asia/Yangon"),
    (525, "Australia/Eucla"),
    (570, "Australia/Darwin"),
];

/// Minutes east of Greenwich where no place changes its clocks: there the offset of `(UTC+08:00) Beijing` says all.
const ALWAYS_SAME: RangeInclusive<i32> = 180..=540;

/// Every name in lower case, with the IANA name that it stands for.
static NAMES: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let database = TimeZoneDatabase::bundled();
    let windows = WINDOWS_ZONES.lines().filter_map(|line| line.split_once(','));
    let windows = windows.map(|(theirs, zone)| (theirs.to_lowercase(), zone.to_string()));
    let own = database.available().map(|name| (name.to_string().to_lowercase(), name.to_string()));
    windows.chain(own).filter(|(name, _)| name != "etc/unknown").collect()
});

/// The IANA name that a text stands for: any case, blanks for underscores, Windows' names, and offsets such as
/// `GMT+08:00`, `UTC+8`, `+0530`, `Z` or `(UTC+08:00) Beijing`; `None` when it names no zone or several.
pub fn understood(text: &str) -> Option<&'static str> {
    let lower = text.trim().to_lowercase();
    if let Some(name) = NAMES.get(&lower).or_else(|| NAMES.get(&lower.replace(' ', "_"))) {
        return Some(name);
    }
    if lower == "z" {
        return Some("UTC");
    }
    if let Some((offset, place)) = lower.strip_prefix("(utc").and_then(|rest| rest.split_once(')')) {
        let minutes =
            minutes_east(offset).filter(|minutes| ALWAYS_SAME.contains(minutes) && !place.is_empty())?;
        return zone_at(minutes);
    }
    let offset = lower.strip_prefix("utc").or_else(|| lower.strip_prefix("gmt")).unwrap_or(&lower);
    zone_at(minutes_east(offset.trim_start())?)
}

/// A zone whose clock is always this many minutes ahead of UTC.
fn zone_at(minutes: i32) -> Option<&'static str> {
    if minutes == 0 {
        return Some("UTC");
    }
    if minutes % 60 != 0 {
        return ODD_OFFSETS.iter().find(|(odd, _)| *odd == minutes).map(|(_, name)| *name);
    }
    // The signs of these names are reversed: Etc/GMT-8 is eight hours ahead.
    let sign = if minutes < 0 { '+' } else { '-' };
    NAMES.get(&format!("etc/gmt{sign}{}", minutes.abs() / 60)).map(String::as_str)
}

/// Reads `±H`, `±HH`, `±HHMM` or `±HH:MM` as minutes ahead of UTC; `None` beyond 23:59.
pub fn minutes_east(text: &str) -> Option<i32> {
    let (sign, digits) = match text.chars().next()? {
        '+' => (1, &text[1..]),
        '-' => (-1, &text[1..]),
        // Typographers' minus.
        '\u{2212}' => (-1, &text['\u{2212}'.len_utf8()..]),
        _ => return None,
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some((hours, minutes)) if minutes.len() == 2 => (hours, minutes),
        Some(_) => return None,
        None if digits.len() == 4 => digits.split_at_checked(2)?,
        None => (digits, "00"),
    };
    let number = |digits: &str, limit: i32| {
        let is_plain = matches!(digits.len(), 1 | 2) && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<i32>().ok().filter(|number| is_plain && *number < limit)
    };
    Some(sign * (number(hours, 24)? * 60 + number(minutes, 60)?))
}
