//! A strictly rising calibration: centred isotonic regression, with a share of Platt's sigmoid in it.
//!
//! Isotonic regression comes in steps, on which scores that differ get one probability: whatever is chosen by it is then
//! chosen by a tie. Here each level is a single point at the mean of its logits, with straight lines between the points
//! (Oron and Flournoy 2017), and Platt's sigmoid rises beyond the outer points.

use super::calibration::{Calibration, blocks, interpolated, rates_by_logit, sigmoid_fit};
use domain::numeric::logistic;

/// Shares of the sigmoid that are tried. The least one is there for order alone; with more than half of it, what rows say of
/// their own part of the curve would not count.
const SHARES: [f64; 4] = [1.0 / 64.0, 1.0 / 16.0, 0.25, 0.5];
/// A half that comes to fewer levels than this teaches nothing of shares.
const LEAST_LEVELS: usize = 2;

/// Distinct logits, rising, each with the share of positives at it and its rows.
type Rates = (Vec<f64>, Vec<f64>, Vec<f64>);

/// A free curve and the sigmoid that it is mixed with.
#[derive(Clone, Copy)]
pub(super) struct Mixture<'a> {
    pub(super) logits: &'a [f64],
    pub(super) probabilities: &'a [f64],
    pub(super) slope: f64,
    pub(super) intercept: f64,
    pub(super) share: f64,
    pub(super) floor: f64,
    pub(super) ceiling: f64,
}

impl Mixture<'_> {
    /// The probability of a logit, rising with it.
    pub(super) fn probability(&self, logit: f64) -> f64 {
        let sigmoid = logistic(self.slope * logit + self.intercept);
        let sigmoid = self.floor + (self.ceiling - self.floor) * sigmoid;
        (1.0 - self.share) * interpolated(self.logits, self.probabilities, logit) + self.share * sigmoid
    }

    /// Can every number be used?
    pub(super) fn is_sound(&self) -> bool {
        let bounds = [self.floor, self.ceiling];
        let is_curve = !self.logits.is_empty()
            && self.logits.len() == self.probabilities.len()
            && [self.logits, self.probabilities, &bounds].into_iter().all(rises);
        let within = |value: &f64| (0.0..=1.0).contains(value);
        let is_sigmoid = self.slope.is_finite() && self.slope > 0.0 && self.intercept.is_finite();
        is_curve
            && is_sigmoid
            && self.probabilities.iter().chain(&bounds).all(within)
            && self.share > 0.0
            && within(&self.share)
    }
}

/// Finite numbers of which each is larger than the one before.
fn rises(values: &[f64]) -> bool {
    values.iter().all(|value| value.is_finite()) && values.windows(2).all(|pair| pair[0] < pair[1])
}

/// Learns a curve from rows of which each negative that was kept is there `copies` times.
///
/// The sigmoid's share is the one that does best on rows at every other logit, the curve learned from those between them.
pub(super) fn fit(logits: &[f64], labels: &[bool], copies: f64) -> Calibration {
    if logits.is_empty() || logits.iter().any(|logit| !logit.is_finite()) {
        return Calibration::None;
    }
    let rates = rates_by_logit(logits, labels);
    let (slope, intercept) = sigmoid_fit(logits, labels).unwrap_or_else(|| base_rate(&rates));
    let (floor, ceiling) = bounds(rates.2.iter().sum(), copies);
    let mixed = |knots: &(Vec<f64>, Vec<f64>), share: f64, logit: f64| {
        let (logits, probabilities) = (knots.0.as_slice(), knots.1.as_slice());
        Mixture { logits, probabilities, slope, intercept, share, floor, ceiling }.probability(logit)
    };
    let halves = [0, 1].map(|parity| half(&rates, parity));
    let taught = halves.each_ref().map(|half| centres(half, copies));
    let is_judged = taught.iter().all(|(knots, _)| knots.len() >= LEAST_LEVELS);
    let loss = |share: f64| -> f64 {
        let of = |judged: usize| log_loss(&halves[judged], |logit| mixed(&taught[1 - judged], share, logit));
        of(0) + of(1)
    };
    let better = |best: (f64, f64), share: f64| {
        let loss = loss(share);
        if loss < best.1 { (share, loss) } else { best }
    };
    let first = (SHARES[0], if is_judged { loss(SHARES[0]) } else { 0.0 });
    let tried = if is_judged { &SHARES[1..] } else { &[] };
    let share = tried.iter().copied().fold(first, better).0;
    let (logits, probabilities) = centres(&rates, copies);
    Calibration::CentredIsotonic { logits, probabilities, slope, intercept, share, floor, ceiling }
}

/// What as many rows could be sure of at most, on either side.
fn bounds(rows: f64, copies: f64) -> (f64, f64) {
    let one_more = rows + copies + 1.0;
    (1.0 / one_more, 1.0 - copies / one_more)
}

/// A level: the mean of its logits, its share of positives, its rows, and the probability that so many rows allow.
#[derive(Clone, Copy)]
struct Level {
    centre: f64,
    rate: f64,
    rows: f64,
    probability: f64,
}

impl Level {
    fn new(centre: f64, rate: f64, rows: f64, copies: f64) -> Level {
        let (floor, ceiling) = bounds(rows, copies);
        Level { centre, rate, rows, probability: rate.clamp(floor, ceiling) }
    }

    fn is_below(&self, next: &Level) -> bool {
        self.centre < next.centre && self.probability < next.probability
    }

    fn pooled(self, next: Level, copies: f64) -> Level {
        let rows = self.rows + next.rows;
        let mixed = |one: f64, other: f64| one + next.rows / rows * (other - one);
        Level::new(mixed(self.centre, next.centre), mixed(self.rate, next.rate), rows, copies)
    }
}

/// Each level at the mean of its logits, no surer than its rows can make it; levels that do not rise are pooled.
fn centres((points, rates, weights): &Rates, copies: f64) -> (Vec<f64>, Vec<f64>) {
    let mut levels: Vec<Level> = Vec::new();
    let mut start = 0;
    for block in blocks(rates, weights) {
        let rows = start..start + block.length;
        start = rows.end;
        let centre = mean(&points[rows.clone()], &weights[rows]);
        let mut level = Level::new(centre, block.mean, block.weight, copies);
        while let Some(former) = levels.pop_if(|former| !former.is_below(&level)) {
            level = former.pooled(level, copies);
        }
        levels.push(level);
    }
    levels.into_iter().map(|level| (level.centre, level.probability)).unzip()
}

/// The weighted mean, without a sum that may overflow.
fn mean(values: &[f64], weights: &[f64]) -> f64 {
    let (mut mean, mut mass) = (0.0, 0.0);
    for (value, weight) in values.iter().zip(weights) {
        mass += weight;
        mean += weight / mass * (value - mean);
    }
    mean
}

/// Every other logit.
fn half((points, rates, weights): &Rates, parity: usize) -> Rates {
    let every_other = |values: &[f64]| values.iter().skip(parity).step_by(2).copied().collect();
    (every_other(points), every_other(rates), every_other(weights))
}

/// −Σ ln of what each outcome was given.
fn log_loss((points, rates, weights): &Rates, probability: impl Fn(f64) -> f64) -> f64 {
    let rows = points.iter().zip(rates).zip(weights);
    let of_row = |((point, rate), weight): ((&f64, &f64), &f64)| {
        let probability = probability(*point);
        -weight * (rate * libm::log(probability) + (1.0 - rate) * libm::log1p(-probability))
    };
    rows.map(of_row).sum()
}

/// A sigmoid where none can be learned: one unit of logit is one of log-odds, around the share of positives.
fn base_rate((points, rates, weights): &Rates) -> (f64, f64) {
    let (rows, rate) = (weights.iter().sum::<f64>(), mean(rates, weights));
    let odds = (rate * rows + 1.0) / ((1.0 - rate) * rows + 1.0);
    (1.0, libm::log(odds) - mean(points, weights))
}
