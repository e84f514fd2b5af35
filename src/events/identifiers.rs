//! Identifiers as files hold them: text as it is, whole numbers by their digits, rounded numbers not at all.

use std::borrow::Cow;

use super::formats::RawValue;
use domain::identity::{NOT_AN_ID, is_valid_id};
use domain::rejection::{Rejection, RejectionCode};

/// A field that must hold an identifier.
pub fn required_id<'a>(name: &str, value: RawValue<'a>) -> Result<Cow<'a, str>, Rejection> {
    // R writes NA for what is missing; elsewhere it may be Namibia.
    let found = optional_id(name, value)?.filter(|id| id != "NA" && !is_no_value(id));
    found.ok_or_else(|| Rejection::new(RejectionCode::MissingValue, format!("{name} is empty")))
}

/// What spreadsheets and programs write where a calculation has no result.
const NO_VALUES: [&str; 13] = [
    "#REF!",
    "#VALUE!",
    "#NAME?",
    "#DIV/0!",
    "#NUM!",
    "#ERROR!",
    "#SPILL!",
    "#CALC!",
    "#N/A",
    "#NULL!",
    "Infinity",
    "-Infinity",
    "+Infinity",
];

fn is_no_value(id: &str) -> bool {
    let may_be = matches!(id.as_bytes().first(), Some(b'#' | b'I' | b'i' | b'-' | b'+'));
    may_be && NO_VALUES.iter().any(|word| word.eq_ignore_ascii_case(id))
}

/// A field that may hold an identifier. Whole numbers are taken as their digits, `12345.0` too.
pub fn optional_id<'a>(name: &str, value: RawValue<'a>) -> Result<Option<Cow<'a, str>>, Rejection> {
    let text = match value {
        RawValue::Missing => return Ok(None),
        RawValue::Text(text) => text,
        RawValue::Scientific(_, written) => return Err(rounded(name, &written)),
        other => match other.whole_number() {
            Some(number) => Cow::Owned(number.to_string()),
            None => return Err(not_whole(name, &other)),
        },
    };
    // Both begin with a digit or a sign.
    if matches!(text.as_bytes().first(), Some(b'0'..=b'9' | b'-' | b'+')) {
        if is_scientific(&text) {
            return Err(rounded(name, &text));
        }
        if let Some(digits) = without_zero_fraction(&text) {
            return written_as_float(name, digits).map(|digits| Some(Cow::Owned(digits)));
        }
    }
    if is_valid_id(&text) {
        return Ok(Some(text));
    }
    let shown: String = text.chars().take(32).collect();
    let detail = format!("{name} {shown:?} ({} bytes) {NOT_AN_ID}", text.len());
    Err(Rejection::new(RejectionCode::BadId, detail))
}

/// A number in scientific notation.
fn rounded(name: &str, written: &str) -> Rejection {
    let shown: String = written.chars().take(32).collect();
    let detail = format!(
        "{name} {shown:?} looks like a number that a spreadsheet rounded; format the column as text before you export it"
    );
    Rejection::new(RejectionCode::BadId, detail)
}

/// A value that is neither text nor a whole number that its type holds exactly.
fn not_whole(name: &str, value: &RawValue<'_>) -> Rejection {
    let shown: String = value.to_json().to_string().chars().take(64).collect();
    let rounded = match value {
        RawValue::Single(number) if number.fract() == 0.0 => Some((32, 24)),
        RawValue::Number(number) if number.fract() == 0.0 => Some((64, 53)),
        _ => None,
    };
    let detail = match rounded {
        Some((bits, digits)) => format!(
            "{name} {shown} is a {bits}-bit float beyond 2^{digits}, where several identifiers become one number; \
             export the column as text or as integers"
        ),
        None => format!("{name} {shown} is neither text nor a whole number within ±(2^53 − 1)"),
    };
    Rejection::new(RejectionCode::BadId, detail)
}

/// `1.23457E+11` and the like. (Hexadecimal identifiers have neither a point nor a plus sign.)
fn is_scientific(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return false };
    let is_number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let mantissa = mantissa.trim_start_matches(['-', '+']);
    let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, "0"));
    let has_sign_or_point = exponent.starts_with('+') || mantissa.contains(['.', ',']);
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    has_sign_or_point
        && whole.len() == 1
        && is_number(whole)
        && is_number(fraction)
        && exponent.len() <= 3
        && is_number(exponent)
}

/// The digits of `12345.0`; `None` for any other text. Leading zeros are no number's.
fn without_zero_fraction(text: &str) -> Option<&str> {
    let (whole, fraction) = text.split_once('.')?;
    let digits = whole.strip_prefix('-').unwrap_or(whole);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_zero = !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0');
    let leads = digits.len() > 1 && digits.starts_with('0');
    (is_number && is_zero && !leads).then_some(whole)
}

/// Digits that were written as a float: whoever wrote them so has rounded them beyond 2^53.
fn written_as_float(name: &str, digits: &str) -> Result<String, Rejection> {
    let number = digits.parse::<i64>().ok().filter(|number| number.unsigned_abs() < 1 << 53);
    match number {
        Some(number) => Ok(number.to_string()),
        None => {
            let value = RawValue::Number(digits.parse().unwrap_or(f64::INFINITY));
            Err(not_whole(name, &value))
        }
    }
}
