//! Decayed weights and log-odds, as inputs take them.

use domain::numeric::decay_factor;
use domain::time::{DAY, Instant};

/// 2^(−age / half-life in days).
pub(super) fn decay(at: Instant, event: Instant, half_life_days: f64) -> f64 {
    let age = (at.micros() - event.micros()) as f64 / DAY as f64;
    decay_factor(age, half_life_days)
}

/// ln(p / (1 − p)), held away from certainty.
pub(super) fn log_odds(probability: f64) -> f64 {
    let p = probability.clamp(1e-9, 1.0 - 1e-9);
    libm::log(p / (1.0 - p))
}
