//! The language of segments: text and JSON are read into one tree, which is checked and compiled.

mod arguments;
pub mod compile;
pub mod error;
mod event_conditions;
pub mod event_lookup;
pub mod event_selection;
pub mod expression;
pub mod field_type;
pub mod fields;
pub mod json;
pub mod keys;
mod number_question;
mod pointers;
pub mod predicate;
mod questions;
pub mod ready_made;
pub mod text;
pub mod words;

use compile::{Circumstances, Saved, compile};
use error::SegmentError;
use expression::Expression;
use predicate::Predicate;

/// Reads a text and compiles it.
///
/// # Errors
/// The first error, with its span of the text.
pub fn compile_text<'s>(
    text: &str,
    circumstances: Circumstances<'_>,
    own: Option<&str>,
    saved: &impl Fn(&str) -> Option<Saved<'s>>,
) -> Result<(Expression, Predicate), SegmentError> {
    let parsed = text::parser::parse(text)?;
    match compile(&parsed.expression, circumstances, own, saved) {
        Ok(predicate) => Ok((parsed.expression, predicate)),
        Err(located) => Err(located.within(&parsed.expression, Some(&parsed.spans))),
    }
}

/// Reads JSON and compiles it.
///
/// # Errors
/// The first error, with its JSON pointer.
pub fn compile_json<'s>(
    json: &[u8],
    circumstances: Circumstances<'_>,
    own: Option<&str>,
    saved: &impl Fn(&str) -> Option<Saved<'s>>,
) -> Result<(Expression, Predicate), SegmentError> {
    let expression = json::read(json)?;
    match compile(&expression, circumstances, own, saved) {
        Ok(predicate) => Ok((expression, predicate)),
        Err(located) => Err(located.within(&expression, None)),
    }
}
