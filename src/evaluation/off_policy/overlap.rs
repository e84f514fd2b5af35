//! How far a log covers what another policy does: where it does not, a few rows speak for all.

use serde::Serialize;

use super::problem::OffPolicyProblem;

/// Below this share of the rows the effective sample size is a warning.
const SMALL_SAMPLE: f64 = 0.1;
/// Above this share of all weight a single row is one.
const HEAVY_ROW: f64 = 0.1;
/// Above this share of all weight the heaviest hundredth of the rows is one.
const HEAVY_TAIL: f64 = 0.5;
/// Below so many rewarded rows with weight, intervals are none to rely on.
const FEW_REWARDS: usize = 10;
/// The mean weight of a right log is 1; so many standard errors away (p < 0.001) the log is suspect.
const STANDARD_ERRORS: f64 = 3.29;

/// Figures on the weights w = π / p.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Overlap {
    /// (Σ w)² / Σ w²: as many rows logged by the evaluated policy itself would say as much.
    pub effective_sample_size: f64,
    /// The largest weight.
    pub largest_weight: f64,
    /// Its share of all weight.
    pub largest_weight_share: f64,
    /// Share of all weight on the heaviest hundredth of the rows (rounded up).
    pub top_percent_weight_share: f64,
    /// Mean weight: near 1 when the logged probabilities are right.
    pub mean_weight: f64,
}

/// A reason for doubt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Stable snake_case code.
    pub code: &'static str,
    /// What it means, with figures.
    pub detail: String,
}

impl Overlap {
    pub(super) fn of(weights: &[f64]) -> Overlap {
        let sum: f64 = weights.iter().sum();
        let squares: f64 = weights.iter().map(|weight| weight * weight).sum();
        let mut sorted = weights.to_vec();
        sorted.sort_unstable_by(|one, other| other.total_cmp(one));
        let top: f64 = sorted.iter().take(weights.len().div_ceil(100)).sum();
        let largest = sorted.first().copied().unwrap_or(f64::NAN);
        Overlap {
            effective_sample_size: sum * sum / squares,
            largest_weight: largest,
            largest_weight_share: largest / sum,
            top_percent_weight_share: top / sum,
            mean_weight: sum / weights.len() as f64,
        }
    }

    pub(super) fn warnings(&self, problem: &OffPolicyProblem, weights: &[f64]) -> Vec<Warning> {
        let rows = weights.len() as f64;
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        let pairs = problem.rows.iter().zip(weights);
        let rewarded = pairs.filter(|(row, weight)| row.reward != 0.0 && **weight > 0.0).count();
        let effective = self.effective_sample_size;
        let checks = [
            (
                effective < SMALL_SAMPLE * rows,
                "little_overlap",
                format!("{rows} rows say as much as {effective:.0} would, {}", percent(effective / rows)),
            ),
            (
                self.largest_weight_share > HEAVY_ROW,
                "heavy_row",
                format!("one row carries {} of all weight", percent(self.largest_weight_share)),
            ),
            (
                self.top_percent_weight_share > HEAVY_TAIL,
                "heavy_tail",
                format!(
                    "one row in a hundred carries {} of all weight",
                    percent(self.top_percent_weight_share)
                ),
            ),
            (
                rewarded < FEW_REWARDS,
                "few_rewards",
                format!("{rewarded} rewarded rows have weight: intervals are too narrow to rely on"),
            ),
            (
                (self.mean_weight - 1.0).abs() > STANDARD_ERRORS * self.mean_weight_error(rows),
                "weights_off",
                format!(
                    "the mean weight is {:.4}, not 1: the logged probabilities may not be those that chose",
                    self.mean_weight
                ),
            ),
        ];
        let told = checks.into_iter().filter(|(applies, _, _)| *applies);
        told.map(|(_, code, detail)| Warning { code, detail }).collect()
    }

    /// Standard error of the mean weight, and what rounding may do to it.
    fn mean_weight_error(&self, rows: f64) -> f64 {
        let variance = self.mean_weight * self.mean_weight * (rows / self.effective_sample_size - 1.0);
        libm::sqrt(variance.max(0.0) / rows) + 1e-3
    }
}
