//! Everybody in a saved segment, to be streamed.

use std::collections::BTreeSet;

use super::{AskError, AskOptions, answered};
use crate::context::Context;
use ::segments::people::People;

/// Who is in a segment.
#[derive(Clone, Debug)]
pub struct MembersReport {
    /// The segment's version.
    pub version: String,
    /// Everybody, by id alone.
    pub people: People,
    /// Who of them is a member.
    pub mask: Vec<bool>,
}

/// Finds the members of a saved segment.
///
/// # Errors
/// When it cannot be asked about, or its members are too few to be shown to the reader.
pub fn members(context: &Context<'_>, asking: AskOptions<'_>, id: &str) -> Result<MembersReport, AskError> {
    answered(context, asking, |view, reader| {
        let asked = view.desk.saved_one(id, view.as_of())?;
        let version = asked.card.as_ref().map(|card| card.version.clone()).unwrap_or_default();
        let mut evaluated = view.evaluate(&[asked], reader, &BTreeSet::new())?;
        reader.check_members(evaluated.count())?;
        let mask = evaluated.masks.remove(0);
        // Ids alone: columns that others look up meanwhile are not held on to.
        let people = People::new(evaluated.people.as_of(), evaluated.people.ids().clone());
        Ok(MembersReport { version, people, mask })
    })
}
