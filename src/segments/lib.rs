//! Who should get this: the typed predicate as tree, JSON and text, and its evaluation on everybody or on one person.
//!
//! An expression is read from text ([`text::parser::parse`]) or JSON ([`json::read`]), compiled against the catalogue of fields
//! ([`compile::compile`]), and evaluated over all [`people`] ([`frame::members`]) or one of them ([`row::is_member`]) with the same
//! answer. What has to be looked up for it, [`keys::needs`] says. [`saved`] segments have versions and kept [`evaluations`],
//! [`ready_made`] ones are there from the start; [`answers`] [`count`], [`overlap`] compares, [`export`] writes, and [`privacy`] says
//! what of it a reader may see. A [`desk::Desk`] puts all of it together over a workspace, a [`cache`] keeps people between
//! questions, and [`audiences`] are what campaigns are for.

pub mod answers;
pub mod audiences;
pub mod cache;
pub mod compile;
pub mod count;
pub mod desk;
pub mod error;
pub mod evaluations;
pub mod export;
pub mod expression;
pub mod fields;
pub mod frame;
pub mod json;
pub mod keys;
pub mod lookalike;
pub mod overlap;
pub mod people;
pub mod predicate;
pub mod privacy;
mod questions;
pub mod reach;
pub mod ready_made;
pub mod row;
pub mod saved;
pub mod text;
pub mod upload;
pub mod words;

use compile::{Circumstances, Saved, compile};
use error::SegmentError;
use expression::Expression;
use predicate::Predicate;

/// Reads a text and compiles it.
///
/// # Errors
/// The first fault, with its place in the text.
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
/// The first fault, with its JSON pointer.
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
