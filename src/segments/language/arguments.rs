//! What holds of any value and any name that a segment writes down.

use super::error::{CompileError, ErrorCause, LONGEST_VALUE};
use super::expression::Value;
use domain::identity::{NOT_AN_ID, is_valid_id};

/// A finite number, or a text that is not too long.
pub(super) fn check_value(value: &Value) -> Result<(), CompileError> {
    match value {
        Value::Number(number) if !number.is_finite() => {
            Err(ErrorCause::BadNumber("a number is finite".into()).into())
        }
        Value::Text(text) if text.len() > LONGEST_VALUE => {
            Err(ErrorCause::TooLarge(format!("a text has at most {LONGEST_VALUE} bytes")).into())
        }
        _ => Ok(()),
    }
}

/// An argument that may be a name of something in our tables.
pub(super) fn named(name: &str) -> Result<String, CompileError> {
    match is_valid_id(name) {
        true => Ok(name.to_string()),
        false => {
            let message = format!("{:?} {NOT_AN_ID}", shortened(name));
            Err(ErrorCause::BadArgument(message).into())
        }
    }
}

/// As much of a name as a message shows.
pub(super) fn shortened(name: &str) -> String {
    name.chars().take(64).collect()
}
