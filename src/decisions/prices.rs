//! Prices as decisions count them.

/// Clamps a price to 0 and above; NaN counts as infinitely expensive.
pub(super) fn price(value: f64) -> f64 {
    if value.is_nan() { f64::INFINITY } else { value.max(0.0) }
}
