//! Instants, minutes and quiet hours as tests write them down.

use domain::time::Instant;
use domain::user::{MinuteOfDay, QuietHours};

pub fn instant(text: &str) -> Instant {
    Instant::parse_rfc3339(text).unwrap_or_else(|| panic!("{text} is RFC 3339"))
}

pub fn minute(text: &str) -> MinuteOfDay {
    MinuteOfDay::parse(text).unwrap_or_else(|| panic!("{text} is HH:MM"))
}

/// `22:00-08:00`.
pub fn quiet(text: &str) -> QuietHours {
    let (from, until) = text.split_once('-').unwrap_or_else(|| panic!("{text} is FROM-UNTIL"));
    QuietHours { from: minute(from), until: minute(until) }
}
