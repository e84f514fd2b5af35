//! Observed over expected counts, shrunk to one: gamma–Poisson empirical Bayes.

/// Pseudo-expectations squared that hold the prior's strength until there is evidence of it.
const STEADINESS: f64 = 50.0;
/// A strength is held within these.
const STRENGTHS: (f64, f64) = (1.0, 1_000.0);

/// What was observed and what was expected of some things.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ratios {
    counts: Vec<(u32, f64)>,
    first_strength: f64,
    strength: f64,
}

impl Ratios {
    /// Nothing observed; the prior counts like so many expected events.
    pub(super) fn new(things: usize, strength: f64) -> Ratios {
        Ratios { counts: vec![(0, 0.0); things], first_strength: strength, strength }
    }

    /// Adds one trial.
    pub(super) fn absorb(&mut self, thing: usize, happened: bool, expected: f64) {
        let (observed, sum) = &mut self.counts[thing];
        *observed += u32::from(happened);
        *sum += expected;
    }

    /// Learns how far things differ, by moments: E (o − e)² = e + e² / strength for counts o of gamma–Poisson things.
    pub(super) fn learn_strength(&mut self) {
        let (mut spread, mut mass) = (STEADINESS / self.first_strength, STEADINESS);
        for (observed, expected) in &self.counts {
            let difference = f64::from(*observed) - expected;
            spread += difference * difference - expected;
            mass += expected * expected;
        }
        self.strength = (mass / spread.max(f64::MIN_POSITIVE)).clamp(STRENGTHS.0, STRENGTHS.1);
    }

    /// ln of the shrunk ratio of a thing; 0 without evidence.
    pub(super) fn log_ratio(&self, thing: usize) -> f64 {
        let (observed, expected) = self.counts[thing];
        libm::log((f64::from(observed) + self.strength) / (expected + self.strength))
    }
}
