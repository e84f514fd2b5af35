//! Do intervals cover? Of hour-of-day counts by the beta-binomial predictive distribution.

use statrs::function::gamma::ln_gamma;

/// How often counts fell inside their predictive interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Coverage {
    /// Users with enough units.
    pub users: u64,
    /// Share of (user, hour) inside.
    pub plain: f64,
    /// The same, each hour weighing its predicted probability.
    pub weighted: f64,
}

/// Collects (user, hour) cases.
#[derive(Clone, Copy, Debug, Default)]
pub struct CoverageCounter {
    users: u64,
    cases: f64,
    inside: f64,
    weight: f64,
    weight_inside: f64,
}

impl CoverageCounter {
    /// Adds one user: probabilities and counts of 24 hours, his concentration, and the interval's coverage.
    pub fn add(&mut self, probability: &[f64; 24], counts: &[u32; 24], concentration: f64, coverage: f64) {
        let units: u32 = counts.iter().sum();
        self.users += 1;
        for (share, count) in probability.iter().zip(counts) {
            let (low, high) =
                beta_binomial_interval(units, concentration * share, concentration * (1.0 - share), coverage);
            let inside = if (low..=high).contains(count) { 1.0 } else { 0.0 };
            self.cases += 1.0;
            self.inside += inside;
            self.weight += share;
            self.weight_inside += share * inside;
        }
    }

    /// The shares; `None` without users.
    pub fn finish(&self) -> Option<Coverage> {
        let coverage = Coverage {
            users: self.users,
            plain: self.inside / self.cases,
            weighted: self.weight_inside / self.weight,
        };
        (self.users > 0).then_some(coverage)
    }
}

/// The central interval of a beta-binomial count: smallest counts at which the distribution function reaches
/// each tail.
pub fn beta_binomial_interval(n: u32, a: f64, b: f64, coverage: f64) -> (u32, u32) {
    let tail = (1.0 - coverage) / 2.0;
    let (mut below, mut low) = (0.0, None);
    for count in 0..=n {
        below += beta_binomial(n, count, a, b);
        if low.is_none() && below >= tail {
            low = Some(count);
        }
        if below >= 1.0 - tail {
            return (low.unwrap_or(count), count);
        }
    }
    (low.unwrap_or(n), n)
}

/// P(count of n) when the share is Beta(a, b).
fn beta_binomial(n: u32, count: u32, a: f64, b: f64) -> f64 {
    let (n, k) = (f64::from(n), f64::from(count));
    let choose = ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0);
    libm::exp(choose + ln_beta(k + a, n - k + b) - ln_beta(a, b))
}

fn ln_beta(a: f64, b: f64) -> f64 {
    ln_gamma(a) + ln_gamma(b) - ln_gamma(a + b)
}
