//! Ranges that types cannot express: the first value outside of its own is refused with the setting's name.

/// A setting that cannot be used: its whole key, and what is wrong with it.
pub type BadSetting = (String, String);

/// Days in a century: more is beyond what arithmetic on days is meant for.
pub(super) const CENTURY: i64 = 36_500;

/// Bytes of a gibibyte.
pub(super) const GIB: i64 = 1 << 30;

pub(super) fn bad(key: &str, detail: String) -> BadSetting {
    (key.to_string(), detail)
}

/// Is each whole number between its least and its most?
pub(super) fn whole_within(settings: &[(&str, i64, i64, i64)]) -> Result<(), BadSetting> {
    match settings.iter().find(|(_, value, least, most)| !(least..=most).contains(&value)) {
        Some((key, value, least, most)) => {
            Err(bad(key, format!("{value} is not a whole number from {least} to {most}")))
        }
        None => Ok(()),
    }
}

/// Is each number between its least and its most? NaN is not.
pub(super) fn within(settings: &[(&str, f64, f64, f64)]) -> Result<(), BadSetting> {
    match settings.iter().find(|(_, value, least, most)| !(least..=most).contains(&value)) {
        Some((key, value, least, most)) => {
            Err(bad(key, format!("{value} is not a number from {least} to {most}")))
        }
        None => Ok(()),
    }
}
