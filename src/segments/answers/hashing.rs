//! Members for others: without those who gave no consent, and as hashes that ad platforms match.

use polars::prelude::*;
use serde_json::Value;

use crate::language::keys::LookupKey;
use crate::people::reach::Reach;
use crate::people::{People, PeopleError};
use domain::identity::sha256_hex;
use files::tables::{TableError, cell};

/// Takes out of the members those who may not be messaged, and counts them. Where the clock is wrong, consent cannot be told.
pub fn without_consent(members: &mut [bool], reached: &[Reach]) -> u64 {
    let is_refused =
        |reach: &Reach| matches!(reach, Reach::OptedOut | Reach::UnknownConsent | Reach::UntrustedClock);
    let mut left_out = 0;
    for (member, _) in members.iter_mut().zip(reached).filter(|(_, reach)| is_refused(reach)) {
        left_out += u64::from(*member);
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
