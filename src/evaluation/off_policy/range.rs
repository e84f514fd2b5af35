//! The values that a policy can have at all, as far as the logged rewards say.

use super::problem::OffPolicyProblem;

/// Rounding may carry a value past an end by so much.
const ROUNDING: f64 = 1e-9;

/// A policy earns a mean of rewards, so it earns no less than the least and no more than the largest of them.
///
/// Of rewards that are all in [0, 1] the ends are 0 and 1, whatever was drawn: they are rates. Of other rewards that are never
/// negative only the lower end is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct RewardRange {
    low: f64,
    high: f64,
}

impl RewardRange {
    pub(super) fn of(problem: &OffPolicyProblem) -> RewardRange {
        let all = |holds: fn(f64) -> bool| problem.rows.iter().all(|row| holds(row.reward));
        match (all(|reward| (0.0..=1.0).contains(&reward)), all(|reward| reward >= 0.0)) {
            (true, _) => RewardRange { low: 0.0, high: 1.0 },
            (false, true) => RewardRange { low: 0.0, high: f64::INFINITY },
            (false, false) => RewardRange { low: f64::NEG_INFINITY, high: f64::INFINITY },
        }
    }

    /// NaN is in no range.
    pub(super) fn holds(self, value: f64) -> bool {
        (self.low - ROUNDING..=self.high + ROUNDING).contains(&value)
    }
}
