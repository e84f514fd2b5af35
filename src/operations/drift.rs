//! Measures a champion by the events since its own moment.

use super::context::{Context, ContextError};
use super::material::{question, read_before};
use domain::error::{Coded, ErrorKind};
use domain::time::Instant;
use events::lake::Lake;
use models::drift::{Drift, drift};
use models::score::{check_goal, check_inputs};
use registry::versions::Registered;

/// What could be said of a champion's drift.
#[derive(Debug)]
pub enum MeasuredDrift {
    /// There is nothing after its own moment to look at.
    Nothing,
    /// It was measured.
    Drift(Box<Drift>),
    /// It cannot be, for this reason.
    Unknown(String),
}

/// A champion that is not what it was.
#[derive(Debug, thiserror::Error)]
#[error("drifted: goal {goal}: version {version} is not what it was: {}", .measures.join(", "))]
pub struct DriftedModel {
    /// The goal.
    pub goal: String,
    /// The champion.
    pub version: String,
    /// The measures that say so.
    pub measures: Vec<String>,
}

impl Coded for DriftedModel {
    fn code(&self) -> &'static str {
        "drifted"
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::Refused
    }
}

impl MeasuredDrift {
    /// The champion's drift, when it is too much.
    pub(super) fn refusal(&self) -> Option<DriftedModel> {
        let MeasuredDrift::Drift(drift) = self else { return None };
        (!drift.failed.is_empty()).then(|| DriftedModel {
            goal: drift.goal.clone(),
            version: drift.version.clone(),
            measures: drift.failed.clone(),
        })
    }
}

/// Measures a champion by the events since its own moment, and keeps what was found for the server's metrics.
///
/// A model that this build cannot compare is still shown: the reason is shown instead of the drift.
pub(super) fn measure(
    context: &Context<'_>,
    found: &Registered,
    as_of: Option<Instant>,
) -> Result<MeasuredDrift, ContextError> {
    let (name, model) = (&found.model.goal, &found.model);
    let lake = Lake::open(context.workspace)?;
    if lake.newest().is_none() && as_of.is_none() {
        return Ok(MeasuredDrift::Nothing);
    }
    if let Some(as_of) = as_of.filter(|as_of| *as_of < model.as_of) {
        return Ok(MeasuredDrift::Unknown(format!("{as_of} is before the model's own moment")));
    }
    let as_of = context.moment(as_of, &lake);
    if lake.newest().is_none_or(|newest| newest < model.as_of) || as_of <= model.as_of {
        return Ok(MeasuredDrift::Nothing);
    }
    if model.table.is_some() {
        return Ok(MeasuredDrift::Unknown("it scores rows of a table, whose outcomes are no events".into()));
    }
    let Ok(goal) = context.goal(name) else {
        return Ok(MeasuredDrift::Unknown("its goal is not declared any more".into()));
    };
    if let Err(error) = check_goal(model, goal).and_then(|()| check_inputs(model)) {
        return Ok(MeasuredDrift::Unknown(error.to_string()));
    }
    let material = read_before(context, &lake, as_of)?;
    let sources = material.sources(&model.profile_settings);
    let question = question(context, name, goal, &sources);
    match drift(&question, &found.version, model, as_of, context.config) {
        Ok(drift) => {
            drift.write(context.workspace)?;
            Ok(MeasuredDrift::Drift(Box::new(drift)))
        }
        Err(error) => Ok(MeasuredDrift::Unknown(error.to_string())),
    }
}
