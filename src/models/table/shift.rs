//! Calibration by intercept and slope on the newest rows: on fewer of them after the base rate has jumped, and with a slope
//! drawn toward 1, so that a short window cannot turn it.

use domain::numeric::{logistic, softplus};
use learners::calibration::Calibration;

/// Strength of the prior on the slope: as if so much information said that it is 1.
const SLOPE_PRIOR: f64 = 10.0;
/// The slope is at least this: a model whose order is wrong cannot be mended by turning it round.
const LEAST_SLOPE: f64 = 0.05;

/// The sigmoid of slope · logit + intercept with the least Σ cross-entropy + prior / 2 · (slope − 1)², the intercept being
/// held by half a row of either outcome; without rows, or with logits that are not finite, no calibration.
pub(super) fn intercept_and_slope(logits: &[f64], labels: &[bool]) -> Calibration {
    let is_sound = !logits.is_empty() && logits.iter().all(|logit| logit.is_finite());
    if !is_sound {
        return Calibration::None;
    }
    let (mut slope, mut intercept) = newton(logits, labels, None);
    if slope < LEAST_SLOPE {
        (slope, intercept) = newton(logits, labels, Some(LEAST_SLOPE));
    }
    match slope.is_finite() && intercept.is_finite() {
        true => Calibration::Platt { slope, intercept },
        false => Calibration::None,
    }
}

/// Where the newest rows begin that are alike: from the newest 100 on the window doubles as long as what happened beside what
/// the logits said is, in the rows before it, no more than three standard errors away.
pub(super) fn newest_alike(logits: &[f64], labels: &[bool]) -> usize {
    const FIRST: usize = 100;
    const STANDARD_ERRORS: f64 = 3.0;
    let residuals: Vec<f64> = logits
        .iter()
        .zip(labels)
        .map(|(logit, label)| f64::from(u8::from(*label)) - logistic(*logit))
        .collect();
    let (n, mut window) = (residuals.len(), FIRST);
    while window < n {
        let before = n - window - window.min(n - window)..n - window;
        let (newest, older) = (mean_and_error(&residuals[n - window..]), mean_and_error(&residuals[before]));
        let error = libm::sqrt(newest.1 + older.1);
        if (newest.0 - older.0).abs() > STANDARD_ERRORS * error {
            return n - window;
        }
        window *= 2;
    }
    0
}

/// Mean and its squared standard error. One more row that was missed by 1 keeps the error of few rows from being 0.
fn mean_and_error(residuals: &[f64]) -> (f64, f64) {
    let n = residuals.len() as f64;
    let mean = residuals.iter().sum::<f64>() / n;
    let squares: f64 = residuals.iter().map(|residual| (residual - mean) * (residual - mean)).sum();
    (mean, (squares + 1.0) / (n * n))
}

/// Newton's method with halved steps, from no calibration on; a fixed slope leaves the intercept alone to be found.
fn newton(logits: &[f64], labels: &[bool], fixed: Option<f64>) -> (f64, f64) {
    const MOST_STEPS: usize = 100;
    const LEAST_STEP: f64 = 1e-9;
    let (mut slope, mut intercept) = (fixed.unwrap_or(1.0), 0.0);
    let mut cost = cost_of(logits, labels, slope, intercept);
    for _ in 0..MOST_STEPS {
        let (to_slope, to_intercept) = step_of(logits, labels, slope, intercept, fixed.is_some());
        let mut step = 1.0;
        let better = loop {
            let (a, b) = (slope + step * to_slope, intercept + step * to_intercept);
            let new = cost_of(logits, labels, a, b);
            if new < cost {
                break Some((a, b, new));
            }
            step /= 2.0;
            if step < LEAST_STEP {
                break None;
            }
        };
        let Some((a, b, new)) = better else { break };
        let gained = cost - new;
        (slope, intercept, cost) = (a, b, new);
        if gained <= 1e-12 * (1.0 + cost) {
            break;
        }
    }
    (slope, intercept)
}

/// Half a row of either outcome at logit 0 beside the rows keeps the intercept finite.
fn cost_of(logits: &[f64], labels: &[bool], slope: f64, intercept: f64) -> f64 {
    let row = |(logit, label): (&f64, &bool)| {
        let z = slope * logit + intercept;
        softplus(if *label { -z } else { z })
    };
    let prior = SLOPE_PRIOR / 2.0 * (slope - 1.0) * (slope - 1.0);
    let either = 0.5 * (softplus(intercept) + softplus(-intercept));
    logits.iter().zip(labels).map(row).sum::<f64>() + prior + either
}

fn step_of(logits: &[f64], labels: &[bool], slope: f64, intercept: f64, is_fixed: bool) -> (f64, f64) {
    let at_zero = logistic(intercept);
    let (mut by_slope, mut by_intercept) = (SLOPE_PRIOR * (slope - 1.0), at_zero - 0.5);
    let (mut slopes, mut mixed, mut intercepts) = (SLOPE_PRIOR, 0.0, at_zero * (1.0 - at_zero));
    for (logit, label) in logits.iter().zip(labels) {
        let probability = logistic(slope * logit + intercept);
        let (miss, spread) = (probability - f64::from(u8::from(*label)), probability * (1.0 - probability));
        by_slope += miss * logit;
        by_intercept += miss;
        slopes += spread * logit * logit;
        mixed += spread * logit;
        intercepts += spread;
    }
    if is_fixed {
        return (0.0, -by_intercept / intercepts);
    }
    let determinant = slopes * intercepts - mixed * mixed;
    (
        -(intercepts * by_slope - mixed * by_intercept) / determinant,
        -(slopes * by_intercept - mixed * by_slope) / determinant,
    )
}
