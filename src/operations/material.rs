//! What goals are learned and scored from: the events before a moment and all declarations, in memory.

use super::context::{Context, ContextError};
use domain::goal::Goal;
use domain::time::Instant;
use events::lake::Lake;
use models::examples::GoalQuestion;
use models::inputs::Sources;
use models::material::Material;
use profiles::ProfileError;

/// Reads events before a moment, of which there must be some, and all declarations.
pub(super) fn read_before(
    context: &Context<'_>,
    lake: &Lake,
    as_of: Instant,
) -> Result<Material, ContextError> {
    context.progress.step("reading events");
    let zone = &context.config.default_time_zone;
    let material = Material::read(context.workspace, lake, zone, as_of, &context.counting())?;
    match material.timeline.is_empty() {
        true => Err(ProfileError::NoEvents(as_of.to_string()).into()),
        false => Ok(material),
    }
}

/// A question about a goal, with the settings that training has.
pub(super) fn question<'a>(
    context: &Context<'a>,
    name: &'a str,
    goal: &'a Goal,
    sources: &'a Sources<'a>,
) -> GoalQuestion<'a> {
    GoalQuestion { name, goal, sources, training: &context.config.training }
}
