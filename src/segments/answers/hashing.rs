//! Members for others: without those who may not be messaged, and as hashes that ad platforms match.

use polars::prelude::*;
use serde_json::Value;

use crate::language::keys::LookupKey;
use crate::people::reach::Reach;
use crate::people::{People, PeopleError};
use domain::identity::sha256_hex;
use files::tables::{TableError, cell};

/// Members who are left out of an export for messaging, by the reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// They opted out or gave no consent. Where the clock is wrong, consent cannot be told.
    pub without_consent: u64,
    /// One of their preferences cannot be read, so that it is not known when they may be messaged, or how often.
    pub with_unreadable_preferences: u64,
}

/// Takes out of the members those who may not be messaged, as the rules of decisions say, and counts them.
pub fn leave_out_unmessageable(members: &mut [bool], reached: &[Reach]) -> LeftOut {
    let mut left_out = LeftOut::default();
    for (member, reach) in members.iter_mut().zip(reached).filter(|(member, _)| **member) {
        let count = match reach {
            Reach::OptedOut | Reach::UnknownConsent | Reach::UntrustedClock => &mut left_out.without_consent,
            Reach::UnreadablePreferences => &mut left_out.with_unreadable_preferences,
            _ => continue,
        };
        *count += 1;
        *member = false;
    }
    left_out
}

/// The hashes of an attribute of the members, each once and sorted, in a column `NAME_sha256`; and how many members have none.
///
/// A hash is the SHA-256 of the trimmed lowercase value in hex: what Google's Customer Match and Meta's Custom Audiences ask for.
///
/// # Errors
/// When the attribute was not looked up.
pub fn hashed(
    people: &People,
    members: &[bool],
    (name, key): &(String, LookupKey),
) -> Result<(DataFrame, u64), PeopleError> {
    let column = people.column(key).ok_or_else(|| PeopleError::Missing(key.clone()))?;
    let rows = (0..people.len()).filter(|row| members[*row]);
    let values: Vec<Option<String>> = rows.map(|row| normalised(&cell(column, row))).collect();
    let mut hashes: Vec<String> = values.iter().flatten().map(|value| sha256_hex(value.as_bytes())).collect();
    let left_out = (values.len() - hashes.len()) as u64;
    hashes.sort_unstable();
    hashes.dedup();
    let title = format!("{name}_sha256");
    let column = StringChunked::from_iter_values(title.as_str().into(), hashes.iter().map(String::as_str));
    let frame = DataFrame::new(hashes.len(), vec![column.into_column()]);
    Ok((frame.map_err(TableError::parquet(std::path::Path::new("export")))?, left_out))
}

/// The trimmed lowercase value; numbers, such as telephone numbers without a plus, as their digits.
fn normalised(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_lowercase(),
        Value::Number(number) => match number.as_f64() {
            Some(whole) if number.is_f64() && whole.fract() == 0.0 && whole.abs() < 9e15 => {
                (whole as i64).to_string()
            }
            _ => number.to_string(),
        },
        _ => String::new(),
    };
    (!text.is_empty()).then_some(text)
}
