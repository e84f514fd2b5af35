//! The audiences that every workspace has, with how many are in each now.

use std::collections::BTreeSet;

use super::{AskError, AskOptions, answered};
use crate::context::Context;
use ::segments::answers::desk::{AskedSegment, DeskError};
use ::segments::answers::privacy::{Reader, Shown};
use ::segments::language::ready_made::{ReadyMade, ready_made as all_for};
use domain::time::Instant;
use registry::versions::{Registry, RegistryError};

/// The ready-made audiences.
#[derive(Clone, Debug)]
pub struct ReadyMadeReport {
    /// The moment that people are seen at.
    pub as_of: Instant,
    /// All people.
    pub users: Shown,
    /// Each audience and its members.
    pub audiences: Vec<(ReadyMade, Shown)>,
    /// Goals without tenths: they have no model that is served.
    pub goals_without_model: Vec<String>,
}

/// Counts the members of every ready-made audience.
///
/// # Errors
/// When something cannot be looked up.
pub fn ready_made(context: &Context<'_>, asking: AskOptions<'_>) -> Result<ReadyMadeReport, AskError> {
    let registry = Registry::of(context.workspace);
    answered(context, asking, |view, reader| {
        let as_of = view.as_of();
        let goals = view.desk.catalogue.goals().iter().cloned();
        let (goals, without): (Vec<String>, Vec<String>) =
            goals.partition(|goal| has_model(context, &registry, goal, as_of));
        let all = all_for(&goals);
        let asked = all.iter().map(|one| view.desk.saved_one(&one.id, as_of));
        let asked = asked.collect::<Result<Vec<AskedSegment>, DeskError>>()?;
        let evaluated = view.evaluate(&asked, reader, &BTreeSet::new())?;
        let count = |mask: &Vec<bool>| mask.iter().filter(|taken| **taken).count() as u64;
        let counts: Vec<u64> = evaluated.masks.iter().map(count).collect();
        let shown = shown_by_family(&all, &counts, reader);
        let users = reader.show(evaluated.people.len() as u64);
        let audiences = all.into_iter().zip(shown).collect();
        Ok(ReadyMadeReport { as_of, users, audiences, goals_without_model: without })
    })
}

/// Has a goal a model that can be used? What is skipped on the way to it, its propensities warn of.
fn has_model(context: &Context<'_>, registry: &Registry, goal: &str, as_of: Instant) -> bool {
    match registry.newest(goal, as_of) {
        Ok(_) => true,
        Err(RegistryError::NoModel { .. }) => false,
        Err(error) => {
            context.progress.warn(&error.to_string());
            false
        }
    }
}

/// Counts as the reader may see them: members of a family are parts of a whole.
fn shown_by_family(all: &[ReadyMade], counts: &[u64], reader: Reader) -> Vec<Shown> {
    let mut shown = Vec::with_capacity(counts.len());
    for family in all.chunk_by(|one, other| one.family == other.family) {
        shown.extend(reader.show_parts(&counts[shown.len()..shown.len() + family.len()]));
    }
    shown
}
