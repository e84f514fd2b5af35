//! The interval of an AUC from the ranks alone: exact variance of the Mann–Whitney statistic, no draws, n log n.
//!
//! DeLong, DeLong and Clarke-Pearson, "Comparing the areas under two or more correlated receiver operating characteristic
//! curves", 1988: a positive's placement is the share of negatives below it (ties half), and the variance of the AUC is the
//! variance of the positives' placements over their number, plus the same of the negatives.

use super::bootstrap::Figure;

/// Normal quantile of a 95 % interval.
const Z: f64 = 1.959_963_984_540_054;

/// AUC with its 95 % interval, held within [0, 1]; NaN where one of the two labels is missing. `n` is rows.
pub fn auc_with_interval(scores: &[f64], labels: &[bool]) -> Figure {
    let of = |wanted: bool| -> Vec<f64> {
        let rows = scores.iter().zip(labels).filter(|(_, label)| **label == wanted);
        let mut values: Vec<f64> = rows.map(|(score, _)| *score).collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let (positives, negatives) = (of(true), of(false));
    let above: Vec<f64> = positives.iter().map(|score| placement(*score, &negatives)).collect();
    let below: Vec<f64> = negatives.iter().map(|score| 1.0 - placement(*score, &positives)).collect();
    let value = mean(&above);
    let error = libm::sqrt(variance(&above) / above.len() as f64 + variance(&below) / below.len() as f64);
    let within = |end: f64| if end.is_nan() { end } else { end.clamp(0.0, 1.0) };
    let (low, high) = (within(value - Z * error), within(value + Z * error));
    Figure { value: if negatives.is_empty() { f64::NAN } else { value }, low, high, n: labels.len() as u64 }
}

/// Share of sorted values below a score, ties counting half.
fn placement(score: f64, sorted: &[f64]) -> f64 {
    let less = sorted.partition_point(|other| *other < score);
    let not_more = sorted.partition_point(|other| *other <= score);
    (less + not_more) as f64 / (2.0 * sorted.len() as f64)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Unbiased; NaN of fewer than two.
fn variance(values: &[f64]) -> f64 {
    let mean = mean(values);
    values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / (values.len() as f64 - 1.0)
}
