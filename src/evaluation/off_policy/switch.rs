//! The threshold of Switch-DR: above it the reward model answers alone, because the weight would add more variance than the
//! model can add bias.

use super::super::bootstrap::quantile;
use super::estimates::{Linear, by_unit};
use super::problem::OffPolicyProblem;
use super::rewards::ExpectedRewards;

/// Thresholds that are tried.
const THRESHOLDS: usize = 21;
/// The least of them is this quantile of the weights above 0.
const LEAST_SHARE: f64 = 0.05;

/// A threshold, and what it may cost.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Switch {
    /// τ: rows with a larger weight are left to the reward model.
    pub(super) threshold: f64,
    /// What the reward model is estimated to be off by on those rows, in rewards a row.
    pub(super) bias_bound: f64,
    /// The share of the policy's choices that they stand for: their share of all weight.
    pub(super) share: f64,
}

impl Switch {
    /// The threshold with the least bound of the mean squared error, the largest on ties (Wang, Agarwal and Dudík 2017,
    /// section 4): the variance of Switch-DR over units, and the square of a bound of its bias.
    ///
    /// The bias is E_π[(E r − q̂) 1(w > τ)]. The paper bounds it by R_max · P_π(w > τ). P_π(w > τ) is the share of all weight on
    /// the rows above τ, which is at most 1 however few they are. In place of R_max stands the mean of |r − q̂| over all rows, what
    /// the model is off by under the log's policy: an estimate, not the guarantee that the range of the rewards would be. Estimating the bias itself from
    /// the rows above τ, as Su et al. 2020 do, cannot work here: one row of enormous weight always has a more uncertain bias than
    /// the variance that it adds.
    ///
    /// 21 thresholds are spaced exponentially from the 5 % quantile of the weights to the largest of them, which keeps
    /// every row: then Switch-DR is DR.
    pub(super) fn choose(problem: &OffPolicyProblem, weights: &[f64], expected: &ExpectedRewards) -> Switch {
        let residual = |row: usize| problem.rows[row].reward - expected.logged[row];
        let miss = (0..weights.len()).map(|row| residual(row).abs()).sum::<f64>() / weights.len() as f64;
        let all: f64 = weights.iter().sum();
        let tried = |threshold: f64| {
            let above: f64 = weights.iter().filter(|weight| **weight > threshold).sum();
            let share = above / all;
            Switch { threshold, bias_bound: share * miss, share }
        };
        let error = |tried: &Switch| {
            let kept = |row: usize| match weights[row] <= tried.threshold {
                true => expected.policy[row] + weights[row] * residual(row),
                false => expected.policy[row],
            };
            let deviation = Linear::of(&by_unit(problem, &kept, &|_| 1.0)).standard_error();
            deviation * deviation + tried.bias_bound * tried.bias_bound
        };
        let mut thresholds = thresholds(weights).into_iter().rev().map(tried);
        let whole = thresholds.next().unwrap_or_else(|| tried(f64::INFINITY));
        let start = (error(&whole), whole);
        let best = thresholds.map(|tried| (error(&tried), tried)).fold(start, |best, tried| {
            // NaN, of a single unit, is never less.
            if tried.0 < best.0 { tried } else { best }
        });
        best.1
    }
}

/// Ascending; the last is the largest weight.
fn thresholds(weights: &[f64]) -> Vec<f64> {
    let mut sorted: Vec<f64> = weights.iter().copied().filter(|weight| *weight > 0.0).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let (Some(largest), least) = (sorted.last().copied(), quantile(&sorted, LEAST_SHARE)) else {
        return Vec::new();
    };
    let step = |index: usize| {
        let part = index as f64 / (THRESHOLDS - 1) as f64;
        least * libm::pow(largest / least, part)
    };
    (0..THRESHOLDS - 1).map(step).chain([largest]).collect()
}
