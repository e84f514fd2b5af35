//! How far a user's true curve may lie from ours: a Dirichlet concentration that grows with his evidence, and the
//! interval that follows from it.

use super::history::{History, Week};
use domain::time::HOURS_OF_WEEK;

/// One user's held-out units after a past cut, as pairs of units in different weeks.
///
/// Units are distinct (date, hour), so two in one week never fall on the same hour of the week; counting those
/// pairs would make every user look far more predictable than he is.
#[derive(Clone, Debug)]
pub struct Pairs {
    log_evidence: f64,
    /// Weighted pairs that did not meet in one hour.
    misses: f64,
    /// Weighted pairs that met, with the probability that our curve gave the hour.
    hits: Vec<(f64, f64)>,
}

impl Pairs {
    /// Counts the pairs of a user in the `weeks` weeks after a cut `back` days ago; `None` without any.
    pub fn count(history: &History, back: i32, weeks: i32, curve: &Week, evidence: f64) -> Option<Pairs> {
        let (mut total, mut same_week) = ([0.0; HOURS_OF_WEEK], [0.0; HOURS_OF_WEEK]);
        let (mut units, mut same_week_pairs) = (0.0, 0.0);
        for week in 0..weeks {
            let counts = history.held_out(back - 7 * week, 7).map(f64::from);
            let in_week: f64 = counts.iter().sum();
            units += in_week;
            same_week_pairs += in_week * in_week;
            for (slot, count) in counts.into_iter().enumerate() {
                total[slot] += count;
                same_week[slot] += count * count;
            }
        }
        let pairs = (units * units - same_week_pairs) / 2.0;
        if pairs <= 0.0 {
            return None;
        }
        // A user weighs by his units, not by the square of them.
        let weight = 1.0 / (units - 1.0).max(1.0);
        let met = |slot: usize| (total[slot] * total[slot] - same_week[slot]) / 2.0;
        let hits: Vec<(f64, f64)> = (0..HOURS_OF_WEEK)
            .filter(|slot| met(*slot) > 0.0)
            .map(|slot| (met(slot) * weight, curve[slot]))
            .collect();
        let all_hits: f64 = (0..HOURS_OF_WEEK).map(met).sum();
        Some(Pairs { log_evidence: libm::log1p(evidence), misses: (pairs - all_hits) * weight, hits })
    }
}

/// `ln κ = level + slope · ln(1 + evidence)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Concentration {
    /// At no evidence.
    pub level: f64,
    /// Growth, in [0, 1].
    pub slope: f64,
}

impl Concentration {
    /// κ of a user with this much evidence.
    pub fn at(&self, evidence: f64) -> f64 {
        libm::exp(self.level + self.slope * libm::log1p(evidence))
    }

    /// Maximises the likelihood of the pairs, P(second = t | first = s) = (κ p_t + [s = t]) / (κ + 1), on a grid
    /// that closes in. Without pairs, a middling concentration.
    pub fn learn(pairs: &[Pairs]) -> Concentration {
        /// Grid points to each side, and rounds of halving.
        const SIDE: i32 = 3;
        const ROUNDS: usize = 8;
        let mut best = Concentration { level: 4.0, slope: 0.5 };
        let (mut level_width, mut slope_width) = (4.0, 0.5);
        for _ in 0..if pairs.is_empty() { 0 } else { ROUNDS } {
            let centre = best;
            let mut likelihood = best.likelihood(pairs);
            for step in 0..(2 * SIDE + 1) * (2 * SIDE + 1) {
                let (across, down) =
                    (f64::from(step / (2 * SIDE + 1) - SIDE), f64::from(step % (2 * SIDE + 1) - SIDE));
                let level = centre.level + across * level_width / f64::from(SIDE);
                let slope = (centre.slope + down * slope_width / f64::from(SIDE)).clamp(0.0, 1.0);
                let candidate = Concentration { level, slope };
                let value = candidate.likelihood(pairs);
                if value > likelihood {
                    (best, likelihood) = (candidate, value);
                }
            }
            level_width /= 2.0;
            slope_width /= 2.0;
        }
        best
    }

    fn likelihood(&self, pairs: &[Pairs]) -> f64 {
        let of_user = |user: &Pairs| {
            let kappa = libm::exp(self.level + self.slope * user.log_evidence);
            let misses = user.misses * libm::log(kappa / (kappa + 1.0));
            let hit = |(weight, probability): &(f64, f64)| {
                weight * libm::log((kappa * probability + 1.0) / (kappa + 1.0))
            };
            misses + user.hits.iter().map(hit).sum::<f64>()
        };
        pairs.iter().map(of_user).sum()
    }
}

/// Intervals by concentration and probability, tabulated once: a Beta quantile costs more than a curve.
///
/// low is the posterior's lower quantile, `Beta(κp, κ(1−p))`; high is the upper quantile of the size-biased
/// posterior, `Beta(κp + 1, κ(1−p))`, because people ask about the hours in which they are active.
#[derive(Clone, Debug)]
pub struct IntervalTable {
    log_kappas: Grid,
    log_probabilities: Grid,
    /// κp · ln(low / p) and ln high, by concentration, then probability: in these both are nearly straight lines.
    cells: Vec<(f64, f64)>,
}

#[derive(Clone, Copy, Debug)]
struct Grid {
    start: f64,
    step: f64,
    points: usize,
}

impl Grid {
    fn new(start: f64, end: f64, points: usize) -> Grid {
        Grid { start, step: ((end - start) / (points - 1) as f64).max(1e-9), points }
    }

    fn value(&self, index: usize) -> f64 {
        self.start + self.step * index as f64
    }

    /// The cell of a value and where in it the value lies.
    fn locate(&self, value: f64) -> (usize, f64) {
        let position = ((value - self.start) / self.step).clamp(0.0, (self.points - 1) as f64);
        let index = (position as usize).min(self.points - 2);
        (index, position - index as f64)
    }
}

/// Smallest probability of the table. Below it, high is this one's, for `Beta(κp + 1, κ(1−p))` hardly depends on so
/// small a p, and low is at most p.
const LEAST: f64 = 1e-8;

impl IntervalTable {
    /// A table for concentrations in `[least, most]` and a coverage in (0, 1); exact within 1 %.
    pub fn new(least: f64, most: f64, coverage: f64) -> IntervalTable {
        /// Distance of concentrations in ln κ.
        const STEP: f64 = 0.15;
        let (least, most) = (libm::log(least), libm::log(most.max(least)));
        let log_kappas = Grid::new(least, most, ((most - least) / STEP).ceil() as usize + 2);
        let log_probabilities = Grid::new(libm::log(LEAST), 0.0, 129);
        let tail = (1.0 - coverage) / 2.0;
        let cells = parallel::map(log_kappas.points * log_probabilities.points, |index| {
            let kappa = libm::exp(log_kappas.value(index / log_probabilities.points));
            let log_probability = log_probabilities.value(index % log_probabilities.points);
            let probability = libm::exp(log_probability).min(1.0 - 1e-9);
            let (a, b) = (kappa * probability, kappa * (1.0 - probability));
            let log_low = log_beta_quantile(a, b, tail);
            (a * (log_low - log_probability), log_beta_quantile(a + 1.0, b, 1.0 - tail))
        });
        IntervalTable { log_kappas, log_probabilities, cells }
    }

    /// The interval of a probability, with low < p < high.
    pub fn interval(&self, kappa: f64, probability: f64) -> (f64, f64) {
        let (row, down) = self.log_kappas.locate(libm::log(kappa));
        let (column, across) = self.log_probabilities.locate(libm::log(probability));
        let points = self.log_probabilities.points;
        let blend = |pick: fn(&(f64, f64)) -> f64| {
            let at = |row: usize, column: usize| pick(&self.cells[row * points + column]);
            let upper = at(row, column) * (1.0 - across) + at(row, column + 1) * across;
            let lower = at(row + 1, column) * (1.0 - across) + at(row + 1, column + 1) * across;
            upper * (1.0 - down) + lower * down
        };
        let low = probability * libm::exp(blend(|cell| cell.0) / (kappa * probability.max(LEAST)));
        let high = libm::exp(blend(|cell| cell.1));
        (low.min(probability * (1.0 - 1e-9)), high.max(probability * (1.0 + 1e-9)).min(1.0))
    }
}

/// ln of the Beta quantile by bisection on ln x; nothing below e^−46 is told apart.
fn log_beta_quantile(a: f64, b: f64, share: f64) -> f64 {
    let (mut low, mut high) = (-46.0, 0.0);
    for _ in 0..48 {
        let middle = (low + high) / 2.0;
        let below = statrs::function::beta::beta_reg(a, b, libm::exp(middle).min(1.0));
        if below < share { low = middle } else { high = middle }
    }
    (low + high) / 2.0
}
