//! Smoothing on a circle: 23:00 is a neighbour of 00:00, Sunday of Monday.

/// A circular Gaussian of standard deviation `bandwidth` steps over N steps.
#[derive(Clone, Debug)]
pub struct Circular<const N: usize> {
    /// Weight at each distance forward, zero first.
    taps: Vec<(usize, f64)>,
}

impl<const N: usize> Circular<N> {
    /// Weights proportional to `exp(−½ (circular distance / bandwidth)²)`, summing to 1.
    pub fn new(bandwidth: f64) -> Circular<N> {
        /// Weights beyond this many standard deviations do not change a sum.
        const REACH: f64 = 8.0;
        let weight = |step: usize| {
            let distance = step.min(N - step) as f64 / bandwidth;
            if distance > REACH { 0.0 } else { libm::exp(-0.5 * distance * distance) }
        };
        let mut taps: Vec<(usize, f64)> =
            (0..N).map(|step| (step, weight(step))).filter(|(_, weight)| *weight > 0.0).collect();
        let total: f64 = taps.iter().map(|(_, weight)| weight).sum();
        for (_, weight) in &mut taps {
            *weight /= total;
        }
        Circular { taps }
    }

    /// Spreads each value over its neighbours; the sum stays.
    pub fn smooth(&self, values: &[f64; N]) -> [f64; N] {
        let mut smoothed = [0.0; N];
        for (position, value) in values.iter().enumerate().filter(|(_, value)| **value != 0.0) {
            for (step, weight) in &self.taps {
                let index = position + step;
                smoothed[if index < N { index } else { index - N }] += value * weight;
            }
        }
        smoothed
    }

    /// The weight of moving from `from` to `to`.
    pub fn weight(&self, from: usize, to: usize) -> f64 {
        let step = (to + N - from) % N;
        self.taps.iter().find(|(known, _)| *known == step).map_or(0.0, |(_, weight)| *weight)
    }
}
