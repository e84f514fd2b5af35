//! What the commands that learn and score share: events and declarations in memory, and a goal by name.

use super::output::progress_bar;
use super::{Context, Failure};
use crate::domain::goal::Goal;
use crate::domain::time::Instant;
use crate::events::lake::Lake;
use crate::models::examples::Question;
use crate::models::inputs::Sources;
use crate::models::material::Material;
use crate::profiles::ProfileError;
use crate::workspace::Workspace;

/// Reads events before a moment, of which there must be some, and all declarations.
pub(super) fn read_before(
    context: &Context,
    workspace: &Workspace,
    lake: &Lake,
    as_of: Instant,
) -> Result<Material, Failure> {
    let bar = progress_bar();
    bar.set_message("reading events");
    let zone = &context.config.default_time_zone;
    let material = Material::read(workspace, lake, zone, as_of, &|done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    match material.timeline.is_empty() {
        true => Err(ProfileError::NoEvents(as_of.to_string()).into()),
        false => Ok(material),
    }
}

/// A declared goal, or the names that there are.
pub(super) fn goal_of<'a>(context: &'a Context, name: &str) -> Result<&'a Goal, Failure> {
    context.config.goals.get(name).ok_or_else(|| {
        let names: Vec<&str> = context.config.goals.keys().map(String::as_str).collect();
        Failure::caller(format!(
            "unknown_goal: {name:?} is not declared; declared are {} (a goal of your own is a section [goals.{}] in \
             smartpush.toml)",
            names.join(", "),
            if crate::domain::goal::is_goal_name(name) { name } else { "NAME" }
        ))
    })
}

/// A question about a goal.
pub(super) fn question<'a>(
    context: &'a Context,
    name: &'a str,
    goal: &'a Goal,
    sources: &'a Sources<'a>,
) -> Question<'a> {
    Question { name, goal, sources, training: &context.config.training }
}
