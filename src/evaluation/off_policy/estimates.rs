//! The five estimators as sums over rows, each with its interval by the central limit theorem and by the bootstrap.

use serde::Serialize;

use super::super::bootstrap::{Figure, RatioPart, draw_times, quantile, ratio, seeded};
use super::Draws;
use super::problem::OffPolicyProblem;
use super::rewards::ExpectedRewards;

/// 97.5 % quantile of the standard normal.
const NORMAL_QUANTILE: f64 = 1.959_963_984_540_054;

/// Shares of the weighted rows below which a threshold of Switch-DR is tried; the last keeps every row.
const THRESHOLD_SHARES: [f64; 7] = [0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0];

/// A way of valuing a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Estimator {
    /// Inverse propensity scores.
    Ips,
    /// The same, with weights that sum to the number of rows.
    Snips,
    /// The reward model alone.
    Dm,
    /// The reward model, corrected by weighted residuals.
    Dr,
    /// The same, without the residuals of rows whose weight is over a threshold.
    SwitchDr,
}

impl Estimator {
    /// All of them, from the plainest on.
    pub const ALL: [Estimator; 5] =
        [Estimator::Ips, Estimator::Snips, Estimator::Dm, Estimator::Dr, Estimator::SwitchDr];

    /// Its name in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Estimator::Ips => "ips",
            Estimator::Snips => "snips",
            Estimator::Dm => "dm",
            Estimator::Dr => "dr",
            Estimator::SwitchDr => "switch_dr",
        }
    }
}

/// A policy's value, in rewards a row, with its 95 % intervals.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// Value − 1.96 standard errors.
    pub low: f64,
    /// Value + 1.96 standard errors.
    pub high: f64,
    /// Standard error over units, by the central limit theorem.
    pub standard_error: f64,
    /// 2.5 % quantile of the draws of units.
    pub bootstrap_low: f64,
    /// 97.5 % quantile of the draws of units.
    pub bootstrap_high: f64,
    /// The value less what the log's policy earned, with the interval of the paired difference.
    pub difference: Figure,
    /// Rows.
    pub n: u64,
}

/// Each estimator as Σ numerator / Σ denominator over units.
pub(super) struct Parts {
    on_policy: Vec<RatioPart>,
    estimators: Vec<(Estimator, Vec<RatioPart>)>,
    /// τ of Switch-DR.
    pub(super) threshold: Option<f64>,
}

impl Parts {
    /// Rows summed by unit.
    pub(super) fn new(
        problem: &OffPolicyProblem,
        weights: &[f64],
        expected: Option<&ExpectedRewards>,
    ) -> Parts {
        let rewards: Vec<f64> = problem.rows.iter().map(|row| row.reward).collect();
        let by_unit = |numerators: &dyn Fn(usize) -> f64, denominators: &dyn Fn(usize) -> f64| {
            let mut parts = vec![(0.0, 0.0); problem.units];
            for (index, row) in problem.rows.iter().enumerate() {
                let (above, below) = &mut parts[row.unit as usize];
                *above += numerators(index);
                *below += denominators(index);
            }
            parts
        };
        let one = |_| 1.0;
        let weighted = |row: usize| weights[row] * rewards[row];
        let mut estimators = vec![
            (Estimator::Ips, by_unit(&weighted, &one)),
            (Estimator::Snips, by_unit(&weighted, &|row| weights[row])),
        ];
        let mut threshold = None;
        if let Some(expected) = expected {
            let residuals = residuals(weights, &rewards, expected);
            let limit = best_threshold(weights, &residuals, expected);
            let kept = |row: usize| if weights[row] <= limit { residuals[row] } else { 0.0 };
            let direct = |row: usize| expected.direct[row] + expected.learning[row];
            estimators.push((Estimator::Dm, by_unit(&direct, &one)));
            estimators.push((Estimator::Dr, by_unit(&|row| expected.policy[row] + residuals[row], &one)));
            estimators.push((Estimator::SwitchDr, by_unit(&|row| expected.policy[row] + kept(row), &one)));
            threshold = Some(limit);
        }
        Parts { on_policy: by_unit(&|row| rewards[row], &one), estimators, threshold }
    }
}

/// w (r − q̂) of each row.
fn residuals(weights: &[f64], rewards: &[f64], expected: &ExpectedRewards) -> Vec<f64> {
    let rows = weights.iter().zip(rewards).zip(&expected.logged);
    rows.map(|((weight, reward), logged)| weight * (reward - logged)).collect()
}

/// The threshold with the least estimated mean squared error, the largest on ties: the variance, and the square of the
/// bias at the far end of its 95 % interval. (Wang et al. 2017 choose likewise, but bound the bias by the largest
/// reward, which is too much where rewards are rare; the bias itself is estimated as by Su et al. 2020.)
fn best_threshold(weights: &[f64], residuals: &[f64], expected: &ExpectedRewards) -> f64 {
    let mut sorted: Vec<f64> = weights.iter().copied().filter(|weight| *weight > 0.0).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let error = |limit: f64| {
        let split = |keep: bool| {
            let part = weights.iter().zip(residuals).zip(&expected.policy);
            moments(part.map(move |((weight, residual), policy)| {
                let residual = if (*weight <= limit) == keep { *residual } else { 0.0 };
                if keep { residual + policy } else { residual }
            }))
        };
        let ((_, variance), (bias, doubt)) = (split(true), split(false));
        let bias = bias.abs() + NORMAL_QUANTILE * libm::sqrt(doubt);
        variance + bias * bias
    };
    let mut best = (f64::INFINITY, f64::INFINITY);
    for limit in THRESHOLD_SHARES.map(|share| quantile(&sorted, share)) {
        let found = error(limit);
        if found <= best.0 {
            best = (found, limit);
        }
    }
    best.1
}

/// Mean of values, and the variance of that mean.
fn moments(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (mut rows, mut sum, mut squares) = (0.0, 0.0, 0.0);
    for value in values {
        rows += 1.0;
        sum += value;
        squares += value * value;
    }
    let mean = sum / rows;
    (mean, (squares / rows - mean * mean).max(0.0) / rows)
}

/// All answers with their intervals, from the same draws of units.
pub(super) fn intervals(
    problem: &OffPolicyProblem,
    parts: &Parts,
    draws: Draws,
) -> (Figure, Vec<(Estimator, Estimate)>) {
    let n = problem.rows.len() as u64;
    let all: Vec<&[RatioPart]> = parts.estimators.iter().map(|(_, parts)| parts.as_slice()).collect();
    let drawn = bootstrap(&all, problem.units, draws);
    let own = Linear::of(&parts.on_policy);
    let on_policy = own.figure(n);
    let estimate =
        |((estimator, parts), (bootstrap_low, bootstrap_high)): (&(Estimator, Vec<RatioPart>), _)| {
            let linear = Linear::of(parts);
            let Figure { value, low, high, .. } = linear.figure(n);
            let difference = linear.less(&own).figure(n);
            let standard_error = linear.standard_error();
            (
                *estimator,
                Estimate { value, low, high, standard_error, bootstrap_low, bootstrap_high, difference, n },
            )
        };
    (on_policy, parts.estimators.iter().zip(drawn).map(estimate).collect())
}

/// A value and how each unit moves it: the influences sum to 0.
struct Linear {
    value: f64,
    influences: Vec<f64>,
}

impl Linear {
    /// A ratio by the delta method.
    fn of(parts: &[RatioPart]) -> Linear {
        let above: f64 = parts.iter().map(|(above, _)| above).sum();
        let below: f64 = parts.iter().map(|(_, below)| below).sum();
        let value = above / below;
        let influences = parts.iter().map(|(above, part)| (above - value * part) / below).collect();
        Linear { value, influences }
    }

    fn less(&self, other: &Linear) -> Linear {
        let influences =
            self.influences.iter().zip(&other.influences).map(|(one, other)| one - other).collect();
        Linear { value: self.value - other.value, influences }
    }

    /// NaN of a single unit, which says nothing about others.
    fn standard_error(&self) -> f64 {
        let units = self.influences.len() as f64;
        let squares: f64 = self.influences.iter().map(|influence| influence * influence).sum();
        if units > 1.0 { libm::sqrt(squares * units / (units - 1.0)) } else { f64::NAN }
    }

    fn figure(&self, n: u64) -> Figure {
        let reach = NORMAL_QUANTILE * self.standard_error();
        Figure { value: self.value, low: self.value - reach, high: self.value + reach, n }
    }
}

/// The 2.5 % and 97.5 % quantiles of each ratio; memory holds the units of one draw.
fn bootstrap(all: &[&[RatioPart]], units: usize, draws: Draws) -> Vec<(f64, f64)> {
    let mut random = seeded(draws.seed);
    let mut values = vec![Vec::with_capacity(draws.bootstrap); all.len()];
    for _ in 0..draws.bootstrap {
        let times = draw_times(&mut random, units);
        for (values, parts) in values.iter_mut().zip(all) {
            let value = ratio(parts, &times);
            // A draw without any weight says nothing.
            if !value.is_nan() {
                values.push(value);
            }
        }
    }
    let ends = |mut values: Vec<f64>| {
        values.sort_unstable_by(f64::total_cmp);
        (quantile(&values, 0.025), quantile(&values, 0.975))
    };
    values.into_iter().map(ends).collect()
}
