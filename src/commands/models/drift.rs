//! The drift section of `smartpush models show`.

use super::super::learning::{goal_of, question, read_before};
use super::super::output::table;
use super::super::{Context, Failure};
use ::models::drift::{CalibrationDrift, Drift, drift};
use ::models::score::{check_goal, check_inputs};
use events::lake::Lake;
use files::workspace::Workspace;
use registry::versions::Registered;

/// Inputs shown to people; JSON has all.
const SHOWN: usize = 8;

/// What could be said of a champion's drift.
pub(super) enum Measured {
    /// There is nothing after its own moment to look at.
    Nothing,
    /// It was measured.
    Drift(Box<Drift>),
    /// It cannot be, for this reason.
    Unknown(String),
}

/// Measures a champion by the events since its own moment, and keeps what was found for the server's metrics.
///
/// A model that this build cannot compare is still shown: the reason stands where the drift would.
pub(super) fn measure(
    context: &Context,
    workspace: &Workspace,
    found: &Registered,
    as_of: Option<&str>,
) -> Result<Measured, Failure> {
    let (name, model) = (&found.model.goal, &found.model);
    let lake = Lake::open(workspace)?;
    if lake.newest().is_none() && as_of.is_none() {
        return Ok(Measured::Nothing);
    }
    let is_asked = as_of.is_some();
    let as_of = context.moment(as_of, &lake)?;
    if is_asked && as_of < model.as_of {
        return Ok(Measured::Unknown(format!("{as_of} is before the model's own moment")));
    }
    if lake.newest().is_none_or(|newest| newest < model.as_of) || as_of <= model.as_of {
        return Ok(Measured::Nothing);
    }
    let Ok(goal) = goal_of(context, name) else {
        return Ok(Measured::Unknown("its goal is not declared any more".into()));
    };
    if let Err(fault) = check_goal(model, goal).and_then(|()| check_inputs(model)) {
        return Ok(Measured::Unknown(fault.to_string()));
    }
    let material = read_before(context, workspace, &lake, as_of)?;
    let sources = material.sources(&model.profile_settings);
    let question = question(context, name, goal, &sources);
    match drift(&question, &found.version, model, as_of, &context.config) {
        Ok(drift) => {
            drift.write(workspace)?;
            Ok(Measured::Drift(Box::new(drift)))
        }
        Err(error) => Ok(Measured::Unknown(error.to_string())),
    }
}

impl Measured {
    /// Why the command ends with exit 3, if it does.
    pub(super) fn refusal(&self, goal: &str, version: &str) -> Option<Failure> {
        let Measured::Drift(drift) = self else { return None };
        let names = drift.failed.join(", ");
        let message = format!("goal {goal}: version {version} is not what it was: {names}");
        (!drift.failed.is_empty()).then(|| Failure::refused("drifted", message))
    }

    /// Key `drift` of the JSON object; absent when there is nothing to look at.
    pub(super) fn add_to(&self, object: &mut serde_json::Value) {
        match self {
            Measured::Nothing => {}
            Measured::Drift(drift) => object["drift"] = serde_json::json!(drift),
            Measured::Unknown(why) => object["drift"] = serde_json::json!({ "not_measured": why }),
        }
    }

    /// The section for people.
    pub(super) fn to_lines(&self) -> Vec<String> {
        match self {
            Measured::Nothing => Vec::new(),
            Measured::Unknown(why) => vec![String::new(), format!("Drift was not measured: {why}")],
            Measured::Drift(drift) => section(drift),
        }
    }
}

fn section(drift: &Drift) -> Vec<String> {
    let mut lines = vec![
        String::new(),
        format!("## Drift as of {}", drift.as_of),
        String::new(),
        format!(
            "PSI of its probabilities {:.3} (within its training {:.3}).",
            drift.psi_score, drift.habit_score
        ),
    ];
    lines.extend(drift.calibration.as_ref().map(promise));
    lines.push(String::new());
    let mut rows = vec![["input", "PSI", "habit", "weight", ""].map(str::to_string).to_vec()];
    rows.extend(drift.inputs.iter().take(SHOWN).map(|input| {
        let mark = if input.drifted { "drifted" } else { "" };
        let share = format!("{:.1} %", 100.0 * input.weight);
        vec![
            input.name.clone(),
            format!("{:.3}", input.psi),
            format!("{:.3}", input.habit),
            share,
            mark.into(),
        ]
    }));
    lines.extend(table(&rows));
    lines.push(String::new());
    lines.push(match drift.failed.is_empty() {
        true => "It is what it was.".to_string(),
        false => format!("It has drifted: {}.", drift.failed.join(", ")),
    });
    lines
}

fn promise(calibration: &CalibrationDrift) -> String {
    let figure = &calibration.ratio;
    format!(
        "{} outcomes from {} to {}: {:.2} of what it expected [{:.2}, {:.2}] (mean probability {:.4}, share {:.4}), ECE {:.4}, \
         log-loss {:.4} beside the base rate's {:.4}.",
        calibration.rows,
        calibration.from,
        calibration.to,
        figure.value,
        figure.low,
        figure.high,
        calibration.mean_probability,
        calibration.observed_rate,
        calibration.ece.value,
        calibration.log_loss.value,
        calibration.base_rate_log_loss.value
    )
}
