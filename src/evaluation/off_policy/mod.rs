//! Off-policy evaluation: what would another policy have earned on the rows that a randomised policy logged?
//!
//! With w = π(a | x) / p(a | x), the evaluated policy's probability of the logged action over the log's own, a reward r
//! and a reward model q̂ that has not seen the row (two seeded folds of units):
//!
//! | estimator | value | source |
//! |---|---|---|
//! | IPS | mean(w r) | Horvitz and Thompson 1952 |
//! | SNIPS | Σ w r / Σ w | Swaminathan and Joachims 2015 |
//! | DM | mean(Σ π(a) q̂(x, a)) | Beygelzimer and Langford 2009 |
//! | DR | DM + mean(w (r − q̂)) | Dudík, Langford and Li 2011 |
//! | Switch-DR | DM + mean(w (r − q̂) where w ≤ τ) | Wang, Agarwal and Dudík 2017 |
//!
//! τ is the threshold of the least bound of the mean squared error, on a grid (`switch.rs`); where no weight is worth leaving
//! out it is the largest weight, and Switch-DR is DR.
//!
//! IPS, SNIPS and DR are right on average when the logged probabilities are; DM only when its reward model is.

mod estimates;
mod overlap;
mod problem;
mod range;
mod rewards;
mod switch;

pub use estimates::{Estimate, Estimator};
pub use overlap::{Overlap, Warning};
pub use problem::{ActionChoice, LoggedRow, OffPolicyError, OffPolicyProblem};
pub use rewards::{ExpectedRewards, cross_fit};

use super::bootstrap::Figure;
use estimates::{Parts, intervals};

/// How intervals and folds are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Draws {
    /// Draws of units with replacement for the bootstrap intervals.
    pub bootstrap: usize,
    /// Seed of these draws and of the folds.
    pub seed: u64,
}

/// What an evaluation found.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct OffPolicyReport {
    /// Logged rows.
    pub rows: u64,
    /// Independent units among them, such as users: intervals draw these.
    pub units: u64,
    /// What the log's own policy earned a row.
    pub on_policy: Figure,
    /// Each estimator's answer, in the order of [`Estimator::ALL`]; without a whole policy only IPS and SNIPS.
    #[serde(serialize_with = "by_name")]
    pub estimators: Vec<(Estimator, Estimate)>,
    /// τ of Switch-DR: rows with a larger weight are left to the reward model.
    pub switch_threshold: Option<f64>,
    /// What Switch-DR may be off by on these rows, in rewards a row; its intervals do not hold it. 0 when it is DR.
    pub switch_bias_bound: Option<f64>,
    /// Share of all weight on these rows.
    pub switch_share: Option<f64>,
    /// How far the log covers what the policy does.
    #[serde(flatten)]
    pub overlap: Overlap,
    /// Reasons for doubt.
    pub warnings: Vec<Warning>,
}

impl OffPolicyReport {
    /// An estimator's answer.
    pub fn of(&self, estimator: Estimator) -> Option<&Estimate> {
        self.estimators.iter().find(|(other, _)| *other == estimator).map(|(_, estimate)| estimate)
    }
}

/// Values a policy on a log.
///
/// # Errors
/// When there are no rows, a logged probability, a reward or a policy's probability is none, the policy wants what the
/// log could never have chosen, or gives no logged action any probability.
pub fn evaluate(problem: &OffPolicyProblem, draws: Draws) -> Result<OffPolicyReport, OffPolicyError> {
    problem.check()?;
    let weights = problem.weights();
    let overlap = Overlap::of(&weights);
    if overlap.mean_weight <= 0.0 {
        return Err(OffPolicyError::NoOverlap);
    }
    let estimates = problem.is_whole.then(|| cross_fit(problem, draws.seed));
    let parts = Parts::new(problem, &weights, estimates.as_ref());
    let (on_policy, estimators) = intervals(problem, &parts, draws);
    let mut warnings = overlap.warnings(problem, &weights);
    warnings.extend(outside_range(&estimators));
    Ok(OffPolicyReport {
        rows: problem.rows.len() as u64,
        units: problem.units as u64,
        on_policy,
        estimators,
        switch_threshold: parts.switch.map(|switch| switch.threshold),
        switch_bias_bound: parts.switch.map(|switch| switch.bias_bound),
        switch_share: parts.switch.map(|switch| switch.share),
        overlap,
        warnings,
    })
}

/// Values that no policy can have, in one warning.
fn outside_range(estimators: &[(Estimator, Estimate)]) -> Option<Warning> {
    let outside = estimators.iter().filter(|(_, estimate)| estimate.outside_range);
    let named: Vec<String> = outside
        .map(|(estimator, estimate)| format!("{} {:.6}", estimator.as_str(), estimate.value))
        .collect();
    (!named.is_empty()).then(|| Warning {
        code: "outside_range",
        detail: format!(
            "{}: no policy can earn that from these rewards; a few large weights make the value",
            named.join(", ")
        ),
    })
}

fn by_name<S: serde::Serializer>(
    estimators: &[(Estimator, Estimate)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(estimators.iter().map(|(estimator, estimate)| (estimator.as_str(), estimate)))
}
