//! Expressions as JSON, read with the place of what is wrong; `expression` says what they look like.

use serde_path_to_error::{Path, Segment};

use super::error::{Fault, LONGEST_TEXT, SegmentError};
use super::expression::Expression;

/// Reads an expression; whether its fields exist and its types agree is another question.
///
/// # Errors
/// With a JSON pointer to the first value that is no part of an expression.
pub fn read(json: &[u8]) -> Result<Expression, SegmentError> {
    if json.len() > LONGEST_TEXT {
        let message = format!("the expression has {} bytes; {LONGEST_TEXT} are the most", json.len());
        return Err(at(Fault::TooLarge(message), String::new()));
    }
    let mut reader = serde_json::Deserializer::from_slice(json);
    let expression = serde_path_to_error::deserialize(&mut reader)
        .map_err(|error| at(Fault::BadJson(error.inner().to_string()), pointer(error.path())))?;
    reader.end().map_err(|error| at(Fault::BadJson(error.to_string()), String::new()))?;
    Ok(expression)
}

fn at(fault: Fault, pointer: String) -> SegmentError {
    SegmentError { fault: Box::new(fault), suggestion: None, pointer, span: None }
}

fn pointer(path: &Path) -> String {
    let step = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { variant } => format!("/{variant}"),
        Segment::Unknown => String::new(),
    };
    path.iter().map(step).collect()
}
