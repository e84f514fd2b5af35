//! Figures of probabilities on examples.

use super::examples::Examples;
use config::Config;
use evaluation::classification::Intervals;
use registry::figures::{ECE_BINS, Metrics};

/// Figures of probabilities on some rows, users drawn for the intervals. A kept negative stands for those left out.
pub fn measure(
    examples: &Examples,
    rows: &[usize],
    config: &Config,
    base_rate: f64,
    probability: impl Fn(usize) -> f64,
) -> Metrics {
    let users: Vec<u32> = rows.iter().map(|row| examples.rows[*row].user).collect();
    let labels: Vec<bool> = rows.iter().map(|row| examples.labels[*row]).collect();
    let probabilities: Vec<f64> = rows.iter().map(|row| probability(*row)).collect();
    let base = vec![base_rate; rows.len()];
    let (draws, seed) = (config.evaluation.bootstrap_draws, config.evaluation.seed);
    let intervals = Intervals::new(&labels, &users, draws, seed).with_one_negative_of(examples.one_kept_of);
    let weight = |label: &bool| stands_for(*label, examples);
    let mass: f64 = labels.iter().map(weight).sum();
    Metrics {
        log_loss: intervals.log_loss(&probabilities),
        auc: intervals.auc(&probabilities),
        ece: intervals.ece(&probabilities, ECE_BINS),
        base_rate_log_loss: intervals.log_loss(&base),
        difference: intervals.log_loss_difference(&probabilities, &base),
        mean_probability: probabilities.iter().zip(&labels).map(|(p, label)| p * weight(label)).sum::<f64>()
            / mass,
        test_rate: labels.iter().filter(|label| **label).count() as f64 / mass,
    }
}

/// How many rows one stands for: a kept negative also for those left out.
pub fn stands_for(label: bool, examples: &Examples) -> f64 {
    if label { 1.0 } else { f64::from(examples.one_kept_of) }
}
