//! Expressions as JSON, read with the position of what is wrong; `expression` says what they look like.

use super::error::{ErrorCause, LONGEST_TEXT, SegmentError};
use super::expression::Expression;
use domain::pointer;

/// Reads an expression; whether its fields exist and its types agree is another question.
///
/// # Errors
/// With a JSON pointer to the first value that is no part of an expression.
pub fn read(json: &[u8]) -> Result<Expression, SegmentError> {
    if json.len() > LONGEST_TEXT {
        let message = format!("the expression has {} bytes; {LONGEST_TEXT} are the most", json.len());
        return Err(at(ErrorCause::TooLarge(message), String::new()));
    }
    let mut reader = serde_json::Deserializer::from_slice(json);
    let expression = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        at(ErrorCause::BadJson(error.inner().to_string()), pointer::of_path(error.path()))
    })?;
    reader.end().map_err(|error| at(ErrorCause::BadJson(error.to_string()), String::new()))?;
    Ok(expression)
}

fn at(cause: ErrorCause, pointer: String) -> SegmentError {
    SegmentError { cause: Box::new(cause), suggestion: None, pointer, span: None }
}
