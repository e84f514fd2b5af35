//! The five estimators as sums over rows, each with its interval by the central limit theorem and by the bootstrap.

use serde::Serialize;

use super::super::bootstrap::{Figure, RatioPart, draw_times, quantile, ratio, seeded};
use super::Draws;
use super::problem::OffPolicyProblem;
use super::range::RewardRange;
use super::rewards::ExpectedRewards;
use super::switch::Switch;

/// 97.5 % quantile of the standard normal.
const NORMAL_QUANTILE: f64 = 1.959_963_984_540_054;

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
    /// Is the value one that no policy can have, such as a negative rate? Then it is an artefact of a few large weights.
    pub outside_range: bool,
    /// Rows.
    pub n: u64,
}

/// Each estimator as Σ numerator / Σ denominator over units.
pub(super) struct Parts {
    on_policy: Vec<RatioPart>,
    estimators: Vec<(Estimator, Vec<RatioPart>)>,
    /// The threshold of Switch-DR.
    pub(super) switch: Option<Switch>,
    range: RewardRange,
}

impl Parts {
    /// Rows summed by unit.
    pub(super) fn new(
        problem: &OffPolicyProblem,
        weights: &[f64],
        expected: Option<&ExpectedRewards>,
    ) -> Parts {
        let reward = |row: usize| problem.rows[row].reward;
        let one = |_| 1.0;
        let by_unit = |numerators: &dyn Fn(usize) -> f64| by_unit(problem, numerators, &one);
        let weighted = |row: usize| weights[row] * reward(row);
        let mut estimators = vec![
            (Estimator::Ips, by_unit(&weighted)),
            (Estimator::Snips, self::by_unit(problem, &weighted, &|row| weights[row])),
        ];
        let mut switch = None;
        if let Some(expected) = expected {
            let chosen = Switch::choose(problem, weights, expected);
            let residual = |row: usize| weights[row] * (reward(row) - expected.logged[row]);
            let kept = |row: usize| if weights[row] <= chosen.threshold { residual(row) } else { 0.0 };
            estimators.push((Estimator::Dm, by_unit(&|row| expected.direct[row] + expected.learning[row])));
            estimators.push((Estimator::Dr, by_unit(&|row| expected.policy[row] + residual(row))));
            estimators.push((Estimator::SwitchDr, by_unit(&|row| expected.policy[row] + kept(row))));
            switch = Some(chosen);
        }
        Parts { on_policy: by_unit(&reward), estimators, switch, range: RewardRange::of(problem) }
    }
}

/// Two sums over the rows of each unit.
pub(super) fn by_unit(
    problem: &OffPolicyProblem,
    numerators: &dyn Fn(usize) -> f64,
    denominators: &dyn Fn(usize) -> f64,
) -> Vec<RatioPart> {
    let mut parts = vec![(0.0, 0.0); problem.units];
    for (index, row) in problem.rows.iter().enumerate() {
        let (above, below) = &mut parts[row.unit as usize];
        *above += numerators(index);
        *below += denominators(index);
    }
    parts
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
    let range = parts.range;
    let on_policy = own.figure(n);
    let estimate =
        |((estimator, parts), (bootstrap_low, bootstrap_high)): (&(Estimator, Vec<RatioPart>), _)| {
            let linear = Linear::of(parts);
            let Figure { value, low, high, .. } = linear.figure(n);
            let difference = linear.less(&own).figure(n);
            let standard_error = linear.standard_error();
            let outside_range = !range.holds(value);
            let estimate = Estimate {
                value,
                low,
                high,
                standard_error,
                bootstrap_low,
                bootstrap_high,
                difference,
                outside_range,
                n,
            };
            (*estimator, estimate)
        };
    (on_policy, parts.estimators.iter().zip(drawn).map(estimate).collect())
}

/// A value and how each unit moves it: the influences sum to 0.
pub(super) struct Linear {
    value: f64,
    influences: Vec<f64>,
}

impl Linear {
    /// A ratio by the delta method.
    pub(super) fn of(parts: &[RatioPart]) -> Linear {
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
    pub(super) fn standard_error(&self) -> f64 {
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
