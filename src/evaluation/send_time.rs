//! How well curves foretell when people come: hit@1 and log loss over 24 and 168 hours.

use domain::curve::{argmax, by_hour_of_day};
use domain::time::HOURS_OF_WEEK;

/// A probability of zero is read as this: an impossible hour that happened costs 27.6, not infinity.
pub const FLOOR: f64 = 1e-12;

/// One user's held-out hours beside one curve.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct UserScore {
    /// Did the best hour of day meet at least one unit?
    pub hit: f64,
    /// Units held out.
    pub units: f64,
    /// Sum of −ln probability of the units, folded to 24 hours.
    pub loss24: f64,
    /// Sum of −ln probability of the units.
    pub loss168: f64,
}

impl UserScore {
    /// Scores a curve on units by hour of the week. The curve is floored at [`FLOOR`] and rescaled first.
    pub fn of(curve: &[f64; HOURS_OF_WEEK], units: &[u32; HOURS_OF_WEEK]) -> UserScore {
        let floored = curve.map(|probability| probability.max(FLOOR));
        let total: f64 = floored.iter().sum();
        let curve = floored.map(|probability| probability / total);
        let by_day = by_hour_of_day(&curve);
        let best = argmax(&by_day.map(without_rounding));
        let mut score = UserScore::default();
        for (slot, count) in units.iter().enumerate().filter(|(_, count)| **count > 0) {
            let count = f64::from(*count);
            score.units += count;
            score.loss168 -= count * libm::log(curve[slot]);
            score.loss24 -= count * libm::log(by_day[slot % 24]);
            if slot % 24 == best {
                score.hit = 1.0;
            }
        }
        score
    }
}

/// A probability to twelve decimals: hours that differ by the order of a sum alone are ties, and the lowest wins.
fn without_rounding(probability: f64) -> f64 {
    const DIGITS: f64 = 1e12;
    (probability * DIGITS).round() / DIGITS
}

/// A figure over users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Metric {
    /// Share of users whose best hour of day met at least one held-out unit; larger is better.
    HitAt1,
    /// Mean −ln probability of a unit over 24 hours; smaller is better.
    LogLoss24,
    /// Mean −ln probability of a unit over 168 hours; smaller is better.
    LogLoss168,
}

impl Metric {
    /// All of them.
    pub const ALL: [Metric; 3] = [Metric::HitAt1, Metric::LogLoss24, Metric::LogLoss168];

    /// Its key in the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Metric::HitAt1 => "hit_at_1",
            Metric::LogLoss24 => "ll24",
            Metric::LogLoss168 => "ll168",
        }
    }

    /// One user's part of numerator and denominator.
    pub fn parts(self, score: &UserScore) -> (f64, f64) {
        match self {
            Metric::HitAt1 => (score.hit, 1.0),
            Metric::LogLoss24 => (score.loss24, score.units),
            Metric::LogLoss168 => (score.loss168, score.units),
        }
    }
}
