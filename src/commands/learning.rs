//! What the commands that learn and score share: events and declarations in memory, and a goal by name.

use super::output::progress_bar;
use super::{Context, Failure};
use crate::domain::goal::Goal;
use crate::domain::time::Instant;
use crate::events::catalogue::Catalogue;
use crate::events::lake::Lake;
use crate::models::examples::Question;
use crate::models::inputs::Sources;
use crate::models::timeline::Timeline;
use crate::profiles::declared::Declared;
use crate::workspace::Workspace;

/// Everything that models learn from, as of a moment.
pub(super) struct Material {
    pub(super) lake: Lake,
    pub(super) declared: Declared,
    pub(super) catalogue: Catalogue,
    pub(super) timeline: Timeline,
    pub(super) as_of: Instant,
}

impl Material {
    /// Reads events before T (by default 1 µs after the newest) and all declarations.
    pub(super) fn read(
        context: &Context,
        workspace: &Workspace,
        as_of: Option<&str>,
    ) -> Result<Material, Failure> {
        let lake = context.lake(workspace)?;
        let as_of = context.moment(as_of, &lake)?;
        Material::before(context, workspace, lake, as_of)
    }

    /// Reads events before a moment, of which there must be some.
    pub(super) fn before(
        context: &Context,
        workspace: &Workspace,
        lake: Lake,
        as_of: Instant,
    ) -> Result<Material, Failure> {
        let declared = Declared::read(workspace, &context.config.default_time_zone)?;
        let catalogue = Catalogue::read(workspace)?;
        let bar = progress_bar();
        bar.set_message("reading events");
        let timeline = Timeline::read(&lake, &declared, as_of, &|done, total| {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        })?;
        bar.finish_and_clear();
        if timeline.is_empty() {
            return Err(crate::profiles::ProfileError::NoEvents(as_of.to_string()).into());
        }
        Ok(Material { lake, declared, catalogue, timeline, as_of })
    }

    pub(super) fn sources<'a>(&'a self, context: &'a Context) -> Sources<'a> {
        Sources {
            timeline: &self.timeline,
            declared: &self.declared,
            catalogue: &self.catalogue,
            profiles: &context.config.profiles,
            default_time_zone: &context.config.default_time_zone,
        }
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
