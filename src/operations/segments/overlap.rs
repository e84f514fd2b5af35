//! How far saved segments are the same people.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use serde_json::Value;

use super::{AskError, AskOptions, answered};
use crate::context::Context;
use ::segments::answers::desk::{AskedSegment, DeskError};
use ::segments::answers::overlap::{Overlap, overlap as overlap_of};
use ::segments::answers::privacy::Reader;
use domain::time::Instant;

/// How many segments are compared at once.
pub const COMPARED: RangeInclusive<usize> = 2..=20;

/// What segments share.
#[derive(Clone, Debug)]
pub struct OverlapReport {
    /// The segments, in the order in which they were named.
    pub asked: Vec<AskedSegment>,
    /// The moment that people are seen at.
    pub as_of: Instant,
    /// All people.
    pub users: u64,
    /// Who reads.
    pub reader: Reader,
    /// Sizes, and what every two share.
    pub overlap: Overlap,
}

impl OverlapReport {
    /// One JSON object; a count that the reader may not see is null.
    pub fn to_json(&self) -> Value {
        self.overlap.to_json(&self.asked, self.as_of, self.users, self.reader)
    }
}

/// Compares saved segments: sizes, who is in one alone, and what every two share.
///
/// # Errors
/// When one is named twice, or cannot be asked about.
pub fn overlap(
    context: &Context<'_>,
    asking: AskOptions<'_>,
    ids: &[String],
) -> Result<OverlapReport, AskError> {
    check(ids)?;
    answered(context, asking, |view, reader| {
        let as_of = view.as_of();
        let asked = ids.iter().map(|id| view.desk.saved_one(id, as_of));
        let asked = asked.collect::<Result<Vec<AskedSegment>, DeskError>>()?;
        let evaluated = view.evaluate(&asked, reader, &BTreeSet::new())?;
        let (users, overlap) = (evaluated.people.len() as u64, overlap_of(&evaluated.masks));
        Ok(OverlapReport { asked, as_of, users, reader, overlap })
    })
}

fn check(ids: &[String]) -> Result<(), AskError> {
    if !COMPARED.contains(&ids.len()) {
        return Err(AskError::NotCompared(ids.len()));
    }
    match ids.iter().enumerate().find(|(index, id)| ids[..*index].contains(id)) {
        Some((index, id)) => Err(AskError::Twice { index, id: id.clone() }),
        None => Ok(()),
    }
}
