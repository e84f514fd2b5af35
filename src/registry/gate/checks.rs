//! The questions, each a named function of the facts and the settings.

use super::facts::{Facts, Move};
use super::rival::Rival;
use config::GatesConfig;
use evaluation::bootstrap::Figure;

/// An answer with what it rests on.
pub(super) struct CheckResult {
    pub(super) passed: bool,
    pub(super) found: String,
    pub(super) wanted: String,
}

type GateCheck = fn(&Facts, &GatesConfig) -> CheckResult;

/// All questions, in the order asked.
pub(super) const CHECKS: &[(&str, GateCheck)] = &[
    ("has_enough_rows", has_enough_rows),
    ("has_enough_of_both_outcomes", has_enough_of_both_outcomes),
    ("no_user_dominates", no_user_dominates),
    ("no_input_tells_the_outcome", no_input_tells_the_outcome),
    ("beats_base_rate", beats_base_rate),
    ("ranks_above_chance", ranks_above_chance),
    ("log_loss_holds_against_champion", log_loss_holds_against_champion),
    ("auc_holds_against_champion", auc_holds_against_champion),
    ("is_calibrated", is_calibrated),
    ("mean_within_base_rate", mean_within_base_rate),
    ("no_slice_ranks_backwards", no_slice_ranks_backwards),
    ("inputs_are_stable", inputs_are_stable),
    ("scores_are_stable", scores_are_stable),
    ("numbers_are_finite", numbers_are_finite),
    ("golden_rows_are_reproduced", golden_rows_are_reproduced),
];

fn has_enough_rows(facts: &Facts, settings: &GatesConfig) -> CheckResult {
    CheckResult {
        passed: facts.test.rows >= settings.least_rows,
        found: format!("{} rows in the test part", facts.test.rows),
        wanted: format!("at least {}", settings.least_rows),
    }
}

fn has_enough_of_both_outcomes(facts: &Facts, settings: &GatesConfig) -> CheckResult {
    let rarer = facts.test.positives.min(facts.test.rows - facts.test.positives);
    CheckResult {
        passed: rarer >= settings.least_positives,
        found: format!(
            "{} of {} rows of the test part reach the goal",
            facts.test.positives, facts.test.rows
        ),
        wanted: format!("at least {} of either kind", settings.least_positives),
    }
}

fn no_user_dominates(facts: &Facts, settings: &GatesConfig) -> CheckResult {
    let (user, share) = (&facts.busiest_user.name, facts.busiest_user.value);
    CheckResult {
        passed: share <= settings.most_of_one_user,
        found: format!("user {user} has {:.1} % of the rows", share * 100.0),
        wanted: format!("at most {:.1} %", settings.most_of_one_user * 100.0),
    }
}

/// An input that alone tells who will reach the goal was written after he did.
fn no_input_tells_the_outcome(facts: &Facts, settings: &GatesConfig) -> CheckResult {
    let wanted = format!("at most {:.3} by a single input", settings.most_auc_of_one_input);
    match &facts.most_telling_input {
        Some(input) => CheckResult {
            passed: input.value <= settings.most_auc_of_one_input,
            found: format!("{} alone has an AUC of {:.4}", input.name, input.value),
            wanted,
        },
        None => CheckResult { passed: true, found: "no input that could".to_string(), wanted },
    }
}

fn beats_base_rate(facts: &Facts, _: &GatesConfig) -> CheckResult {
    let difference = &facts.metrics.difference;
    CheckResult {
        passed: difference.high < 0.0,
        found: format!("log-loss less the base rate's is {}", interval(difference)),
        wanted: "an interval below 0".to_string(),
    }
}

fn ranks_above_chance(facts: &Facts, _: &GatesConfig) -> CheckResult {
    CheckResult {
        passed: facts.metrics.auc.low > 0.5,
        found: format!("AUC {}", interval(&facts.metrics.auc)),
        wanted: "an interval above 0.5".to_string(),
    }
}

fn log_loss_holds_against_champion(facts: &Facts, _: &GatesConfig) -> CheckResult {
    let wanted = "no clear loss: an interval that does not lie above 0".to_string();
    against(facts, wanted, |rival| {
        let difference = rival.log_loss_difference?;
        Some((
            difference.low <= 0.0,
            format!("log-loss less that of {} is {}", rival.version, interval(&difference)),
        ))
    })
}

fn auc_holds_against_champion(facts: &Facts, _: &GatesConfig) -> CheckResult {
    let wanted = "no clear loss: an interval that does not lie below 0".to_string();
    against(facts, wanted, |rival| {
        let difference = rival.auc_difference?;
        Some((
            difference.high >= 0.0,
            format!("AUC less that of {} is {}", rival.version, interval(&difference)),
        ))
    })
}

fn against(facts: &Facts, wanted: String, compare: impl Fn(&Rival) -> Option<(bool, String)>) -> CheckResult {
    let Some(rival) = &facts.champion else {
        return CheckResult { passed: true, found: "there is no champion".to_string(), wanted };
    };
    let (passed, found) = compare(rival).unwrap_or_else(|| (true, rival.why_not()));
    CheckResult { passed, found, wanted }
}

/// Probabilities that are off by a quarter of what they speak of mislead, as do those off by one in a hundred. On few rows
/// chance alone makes a larger error: what a calibrated model would show as well is no evidence against one.
fn is_calibrated(facts: &Facts, settings: &GatesConfig) -> CheckResult {
    let most = settings.most_ece.max(settings.most_ece_of_base_rate * facts.base_rate);
    let error = facts.metrics.ece.value;
    CheckResult {
        passed: error <= most.max(facts.ece_by_chance),
        found: format!("calibration error {error:.4}"),
        wanted: format!(
            "at most {most:.4}, or what chance makes of so many rows, {:.4}",
            facts.ece_by_chance
        ),
    }
}

fn mean_within_base_rate(facts: &Facts, _: &GatesConfig) -> CheckResult {
    let wanted = "within the 99 % interval of the calibrate part's base rate".to_string();
    match &facts.level {
        Some(level) => CheckResult {
            passed: (level.rate - level.mean).abs() <= level.margin,
            found: format!(
                "mean probability {:.4}, base rate {:.4} ± {:.4}",
                level.mean, level.rate, level.margin
            ),
            wanted,
        },
        None => CheckResult { passed: true, found: "the calibrate part is empty".to_string(), wanted },
    }
}

fn no_slice_ranks_backwards(facts: &Facts, _: &GatesConfig) -> CheckResult {
    let backwards = facts.slices.iter().find(|slice| slice.auc.high < 0.5);
    CheckResult {
        passed: backwards.is_none(),
        found: match backwards {
            Some(slice) => format!("{}={}: AUC {}", slice.name, slice.value, interval(&slice.auc)),
            None => format!("{} slices looked at", facts.slices.len()),
        },
        wanted: "no slice whose interval lies below 0.5".to_string(),
    }
}

/// A unit that changed, a column that went missing: an input that moved much further from calibrate to test part than it did
/// from train to calibrate part.
fn inputs_are_stable(facts: &Facts, settings: &GatesConfig) -> CheckResult {
    let limit = settings.most_psi_of_one_input;
    let jumped = facts.inputs_moved.iter().find(|moved| moved.is_jump(limit));
    stable(jumped.or(facts.inputs_moved.first()), limit)
}

fn scores_are_stable(facts: &Facts, settings: &GatesConfig) -> CheckResult {
    stable(facts.scores_moved.as_ref(), settings.most_psi_of_scores)
}

fn stable(moved: Option<&Move>, limit: f64) -> CheckResult {
    let wanted = format!("a PSI of at most {limit}, or of three times what it was before");
    let Some(moved) = moved else {
        return CheckResult { passed: true, found: "nothing to compare".to_string(), wanted };
    };
    CheckResult {
        passed: !moved.is_jump(limit),
        found: format!("{} moved by PSI {:.3}, before by {:.3}", moved.name, moved.after, moved.before),
        wanted,
    }
}

fn numbers_are_finite(facts: &Facts, _: &GatesConfig) -> CheckResult {
    CheckResult {
        passed: facts.error.is_none(),
        found: facts.error.clone().unwrap_or_else(|| "every number of the model can be used".to_string()),
        wanted: "weights, scales and calibration that are numbers".to_string(),
    }
}

fn golden_rows_are_reproduced(facts: &Facts, _: &GatesConfig) -> CheckResult {
    CheckResult {
        passed: facts.golden_misses == 0,
        found: format!("{} of {} rows differ", facts.golden_misses, facts.golden.len()),
        wanted: "the written model scores them as the one that was trained, bit by bit".to_string(),
    }
}

fn interval(figure: &Figure) -> String {
    format!("{:.4} [{:.4} {:.4}]", figure.value, figure.low, figure.high)
}
