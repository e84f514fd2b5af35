//! The drift section of `smartpush models show`.

use super::super::output::table;
use ::models::drift::{CalibrationDrift, Drift};
use operations::drift::MeasuredDrift;

/// Inputs shown to people; JSON has all.
const SHOWN: usize = 8;

/// Key `drift` of the JSON object; absent when there is nothing to look at.
pub(super) fn add_to(measured: &MeasuredDrift, object: &mut serde_json::Value) {
    match measured {
        MeasuredDrift::Nothing => {}
        MeasuredDrift::Drift(drift) => object["drift"] = serde_json::json!(drift),
        MeasuredDrift::Unknown(why) => object["drift"] = serde_json::json!({ "not_measured": why }),
    }
}

/// The section for people.
pub(super) fn to_lines(measured: &MeasuredDrift) -> Vec<String> {
    match measured {
        MeasuredDrift::Nothing => Vec::new(),
        MeasuredDrift::Unknown(why) => vec![String::new(), format!("Drift was not measured: {why}")],
        MeasuredDrift::Drift(drift) => section(drift),
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
