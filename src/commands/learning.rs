//! What the commands that learn and score share: events and declarations in memory, and a goal by name.

use super::output::progress_bar;
use super::{Context, Failure};
use domain::goal::Goal;
use domain::time::Instant;
use events::health::people::People;
use events::health::{self, Outcome};
use events::lake::Lake;
use files::workspace::Workspace;
use models::examples::Question;
use models::inputs::Sources;
use models::material::Material;
use profiles::ProfileError;
use registry::gate::GateLine;

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

/// The data checks as lines of the gate: what was learned from days that are unlike those before is not to be promoted.
pub(super) fn health_lines(
    context: &Context,
    workspace: &Workspace,
    lake: &Lake,
    as_of: Instant,
) -> Result<Vec<GateLine>, Failure> {
    let people = People::read(workspace)?;
    let report = health::check(lake, &people, as_of, context.now, &context.config.health)?;
    let faults: Vec<GateLine> = report.failed().map(line_of_fault).collect();
    if !faults.is_empty() {
        return Ok(faults);
    }
    let judged = report.days.iter().filter(|day| day.judged).count();
    Ok(vec![GateLine {
        name: "data_is_healthy".to_string(),
        passed: true,
        found: format!("{} checks of {judged} days", report.checks.len()),
        wanted: "days like the four weeks before them".to_string(),
    }])
}

fn line_of_fault(fault: &Outcome) -> GateLine {
    let parts = [&fault.day, &fault.found].into_iter().flatten();
    GateLine {
        name: fault.name.to_string(),
        passed: false,
        found: parts.map(String::as_str).collect::<Vec<_>>().join(": "),
        wanted: match &fault.expected {
            Some(expected) => format!("a day like those before: {expected}"),
            None => "a day like those before".to_string(),
        },
    }
}

/// A declared goal, or the names that there are.
pub(super) fn goal_of<'a>(context: &'a Context, name: &str) -> Result<&'a Goal, Failure> {
    context.config.goals.get(name).ok_or_else(|| {
        let names: Vec<&str> = context.config.goals.keys().map(String::as_str).collect();
        let message = format!(
            "{name:?} is not declared; declared are {} (a goal of your own is a section [goals.{}] in smartpush.toml)",
            names.join(", "),
            if domain::goal::is_goal_name(name) { name } else { "NAME" }
        );
        Failure::not_found("unknown_goal", message)
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
