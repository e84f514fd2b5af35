//! Some members of a segment, always the same for the same people.

use std::collections::BTreeSet;

use super::{AskError, AskOptions, Selection, answered};
use crate::context::Context;
use ::segments::answers::desk::{AskedSegment, sample as drawn};
use ::segments::answers::privacy::Shown;
use domain::time::Instant;

/// Some members.
#[derive(Clone, Debug)]
pub struct SampleReport {
    /// The segment.
    pub asked: AskedSegment,
    /// The moment that people are seen at.
    pub as_of: Instant,
    /// All people.
    pub users: Shown,
    /// All members.
    pub members: Shown,
    /// Ids of some of them.
    pub sample: Vec<String>,
}

/// Draws up to so many members.
///
/// # Errors
/// When the segment cannot be asked about, or its members are too few to be shown to the reader.
pub fn sample(
    context: &Context<'_>,
    asking: AskOptions<'_>,
    selection: &Selection,
    limit: usize,
) -> Result<SampleReport, AskError> {
    answered(context, asking, |view, reader| {
        let as_of = view.as_of();
        let asked = selection.asked(&view.desk, as_of)?;
        let evaluated = view.evaluate(std::slice::from_ref(&asked), reader, &BTreeSet::new())?;
        let members = evaluated.members();
        reader.check_members(members.len() as u64)?;
        Ok(SampleReport {
            asked,
            as_of,
            users: reader.show(evaluated.people.len() as u64),
            members: reader.show(members.len() as u64),
            sample: drawn(&members, limit).into_iter().map(str::to_string).collect(),
        })
    })
}
