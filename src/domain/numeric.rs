//! Functions of numbers that many folders share, computed by the `libm` crate: the same bits on every platform.

/// 1 / (1 + e⁻ˣ): the probability of a logit.
#[inline]
pub fn logistic(logit: f64) -> f64 {
    1.0 / (1.0 + libm::exp(-logit))
}

/// ln(1 + eˣ) without overflow: the loss of a row whose logit points the wrong way by x.
#[inline]
pub fn softplus(x: f64) -> f64 {
    x.max(0.0) + libm::log1p(libm::exp(-libm::fabs(x)))
}

/// 2^(−age / half-life): what is left of 1 after `age`, which is in the unit of the half-life. An infinite half-life
/// forgets nothing.
#[inline]
pub fn decay_factor(age: f64, half_life: f64) -> f64 {
    libm::exp2(-age / half_life)
}
