//! From raw logits to probabilities that can be believed: none, Platt's sigmoid, or a free curve that rises.

use serde::{Deserialize, Serialize};

use super::centred::{self, Mixture};
use domain::numeric::{logistic, softplus};
use evaluation::classification::log_loss;

/// With fewer rows of either outcome there is nothing to learn from.
const LEAST_ROWS: usize = 20;
/// From here on there is enough of either outcome for a free curve; with less it gives zeros and ones.
const ISOTONIC_ROWS: usize = 1_000;
/// Probabilities stay this far from 0 and 1, so that no logit is ever certain.
const MARGIN: f64 = f64::EPSILON;

/// What is between a raw logit and the probability that is served.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Calibration {
    /// The logistic function of the logit as it is.
    None,
    /// The logistic function of `slope` · logit + `intercept`; the slope is above zero.
    Platt {
        /// Factor of the logit.
        slope: f64,
        /// Shift of the logit.
        intercept: f64,
    },
    /// Straight lines between knots, and the outer knots' values beyond them; both lists rise. Models of earlier builds
    /// have it: it comes in steps, on which logits that differ are given one probability.
    Isotonic {
        /// Where the knots are.
        logits: Vec<f64>,
        /// What the curve is there.
        probabilities: Vec<f64>,
    },
    /// Straight lines between the centres of levels, mixed with a sigmoid: a larger logit is given a larger probability.
    CentredIsotonic {
        /// The mean logit of each level; strictly rising.
        logits: Vec<f64>,
        /// The level's share of positives; strictly rising.
        probabilities: Vec<f64>,
        /// The sigmoid's factor of the logit, above zero.
        slope: f64,
        /// The sigmoid's shift of the logit.
        intercept: f64,
        /// The sigmoid's share of the probability, in (0, 1].
        share: f64,
        /// The sigmoid rises from here …
        floor: f64,
        /// … to here.
        ceiling: f64,
    },
}

impl Calibration {
    /// Learns from rows the model has not seen.
    ///
    /// The rarer outcome decides: from 1,000 rows of it the centred isotonic curve; from 20 Platt's sigmoid if it beats no
    /// calibration by log loss across two halves (rows at even indices judge what those at odd indices taught, and the
    /// other way round), so the order of the rows should say nothing; else none. Logits that are not finite: none.
    pub fn fit(logits: &[f64], labels: &[bool]) -> Calibration {
        Calibration::fit_sampled(logits, labels, 1)
    }

    /// The same where one of so many negatives was kept, and each kept one is there that many times: how sure the curve may
    /// be is a matter of the kept ones.
    pub fn fit_sampled(logits: &[f64], labels: &[bool], one_kept_of: u32) -> Calibration {
        let positives = labels.iter().filter(|label| **label).count();
        match positives.min(labels.len() - positives) {
            0..LEAST_ROWS => Calibration::None,
            LEAST_ROWS..ISOTONIC_ROWS => better_of_none_and_platt(logits, labels),
            _ => centred::fit(logits, labels, f64::from(one_kept_of)),
        }
    }

    /// The strictly rising free curve, from however few rows: each level of the isotonic curve at the mean of its logits,
    /// straight lines between them, and a share of Platt's sigmoid.
    pub fn centred_isotonic(logits: &[f64], labels: &[bool]) -> Calibration {
        centred::fit(logits, labels, 1.0)
    }

    /// Platt's sigmoid with his smoothed targets (N₊ + 1) / (N₊ + 2) and 1 / (N₋ + 2), by Newton's method.
    ///
    /// Platt 1999; Lin, Lin and Weng 2007. [`Calibration::None`] when the slope is not above zero: a model whose order
    /// is wrong cannot be mended by turning it round.
    pub fn platt(logits: &[f64], labels: &[bool]) -> Calibration {
        let fitted = sigmoid_fit(logits, labels);
        fitted.map_or(Calibration::None, |(slope, intercept)| Calibration::Platt { slope, intercept })
    }

    /// The never decreasing curve of least squared error, each level clamped to [1 / (n + 2), 1 − 1 / (n + 2)] of its own n
    /// rows: three rows that all came true do not make a certainty.
    pub fn isotonic(logits: &[f64], labels: &[bool]) -> Calibration {
        isotonic_of(logits, labels, 1.0)
    }

    /// Can every number be used? A file may have been edited.
    pub fn check(&self) -> Result<(), String> {
        let rises = |values: &[f64]| values.is_sorted() && values.iter().all(|value| value.is_finite());
        let is_sound = match self {
            Calibration::None => true,
            Calibration::Platt { slope, intercept } => {
                slope.is_finite() && *slope > 0.0 && intercept.is_finite()
            }
            Calibration::Isotonic { logits, probabilities } => {
                !logits.is_empty()
                    && logits.len() == probabilities.len()
                    && rises(logits)
                    && rises(probabilities)
                    && probabilities.iter().all(|value| (0.0..=1.0).contains(value))
            }
            Calibration::CentredIsotonic { .. } => self.mixture().is_some_and(|mixture| mixture.is_sound()),
        };
        if is_sound { Ok(()) } else { Err("numbers that are no rising probabilities".to_string()) }
    }

    /// The probability of a finite raw logit: above 0, below 1, never decreasing in the logit, and rising with it but for
    /// the steps of [`Calibration::Isotonic`] and what is lost in rounding.
    pub fn probability(&self, logit: f64) -> f64 {
        let probability = match self {
            Calibration::None => logistic(logit),
            Calibration::Platt { slope, intercept } => logistic(slope * logit + intercept),
            Calibration::Isotonic { logits, probabilities } => interpolated(logits, probabilities, logit),
            Calibration::CentredIsotonic { .. } => {
                self.mixture().map_or_else(|| logistic(logit), |mixture| mixture.probability(logit))
            }
        };
        probability.clamp(MARGIN, 1.0 - MARGIN)
    }

    fn mixture(&self) -> Option<Mixture<'_>> {
        let Calibration::CentredIsotonic { logits, probabilities, slope, intercept, share, floor, ceiling } =
            self
        else {
            return None;
        };
        let (slope, intercept, share) = (*slope, *intercept, *share);
        Some(Mixture { logits, probabilities, slope, intercept, share, floor: *floor, ceiling: *ceiling })
    }
}

/// [`Calibration::isotonic`] where each negative that was kept is there `copies` times.
///
/// A level is held between what one more row of either outcome would make of it (Laplace), and one more negative counts
/// `copies` times: [1 / (n + copies + 1), 1 − copies / (n + copies + 1)]. Positives among which no negative was kept are no
/// certainty, since several may have been left out.
fn isotonic_of(logits: &[f64], labels: &[bool], copies: f64) -> Calibration {
    if logits.is_empty() || logits.iter().any(|logit| !logit.is_finite()) {
        return Calibration::None;
    }
    let (mut knots, mut probabilities) = (Vec::new(), Vec::<f64>::new());
    let (points, rates, weights) = rates_by_logit(logits, labels);
    let mut start = 0;
    for block in blocks(&rates, &weights) {
        let (first, last) = (points[start], points[start + block.length - 1]);
        let one_more = block.weight + copies + 1.0;
        let former = probabilities.last().copied().unwrap_or(0.0);
        let level = block.mean.clamp(1.0 / one_more, 1.0 - copies / one_more).max(former);
        for knot in [Some(first), (last > first).then_some(last)].into_iter().flatten() {
            knots.push(knot);
            probabilities.push(level);
        }
        start += block.length;
    }
    Calibration::Isotonic { logits: knots, probabilities }
}

/// The never decreasing values of least weighted squared distance from `values`: neighbours that fall are pooled
/// (Ayer and others 1955). Weights are at least zero; lists are read together.
pub fn pava(values: &[f64], weights: &[f64]) -> Vec<f64> {
    let blocks = blocks(values, weights);
    blocks.into_iter().flat_map(|block| std::iter::repeat_n(block.mean, block.length)).collect()
}

/// Neighbours that share a value.
#[derive(Clone, Copy, Debug)]
pub(super) struct PooledBlock {
    pub(super) mean: f64,
    pub(super) weight: f64,
    pub(super) length: usize,
}

impl PooledBlock {
    fn pooled(self, next: PooledBlock) -> PooledBlock {
        let (weight, length) = (self.weight + next.weight, self.length + next.length);
        // Values without weight lie anywhere: in the middle.
        let share = if weight > 0.0 { next.weight / weight } else { 0.5 };
        PooledBlock { mean: self.mean + share * (next.mean - self.mean), weight, length }
    }
}

pub(super) fn blocks(values: &[f64], weights: &[f64]) -> Vec<PooledBlock> {
    let mut blocks: Vec<PooledBlock> = Vec::new();
    for (value, weight) in values.iter().zip(weights) {
        let mut last = PooledBlock { mean: *value, weight: *weight, length: 1 };
        while let Some(before) = blocks.pop_if(|before| before.mean >= last.mean) {
            last = before.pooled(last);
        }
        blocks.push(last);
    }
    blocks
}

/// Distinct logits, rising, each with the share of positives at it and its rows.
pub(super) fn rates_by_logit(logits: &[f64], labels: &[bool]) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let mut rows: Vec<(f64, bool)> =
        logits.iter().zip(labels).map(|(logit, label)| (logit + 0.0, *label)).collect();
    rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (mut points, mut rates, mut weights) = (Vec::new(), Vec::new(), Vec::new());
    for tied in rows.chunk_by(|a, b| a.0 == b.0) {
        let positives = tied.iter().filter(|(_, label)| *label).count();
        points.push(tied[0].0);
        rates.push(positives as f64 / tied.len() as f64);
        weights.push(tied.len() as f64);
    }
    (points, rates, weights)
}

/// The curve at a logit. A curve without knots, which is never learned, is the logistic function.
pub(super) fn interpolated(logits: &[f64], probabilities: &[f64], logit: f64) -> f64 {
    let above = logits.partition_point(|knot| *knot <= logit);
    let knot = |index: usize| Some((*logits.get(index)?, *probabilities.get(index)?));
    match (above.checked_sub(1).and_then(knot), knot(above)) {
        (Some((left, low)), Some((right, high))) => {
            let share = (logit - left) / (right - left);
            // Knots so far apart that their distance overflows have a step between them.
            let share = if share.is_finite() { share } else { 0.0 };
            (low + share * (high - low)).max(low).min(high)
        }
        (Some((_, probability)), None) | (None, Some((_, probability))) => probability,
        (None, None) => logistic(logit),
    }
}

fn better_of_none_and_platt(logits: &[f64], labels: &[bool]) -> Calibration {
    let half = |parity: usize| {
        let logits: Vec<f64> = logits.iter().skip(parity).step_by(2).copied().collect();
        let labels: Vec<bool> = labels.iter().skip(parity).step_by(2).copied().collect();
        Calibration::platt(&logits, &labels)
    };
    let halves = [half(0), half(1)];
    let loss = |by_row: &dyn Fn(usize, f64) -> f64| {
        let rows = logits.iter().enumerate();
        log_loss(&rows.map(|(row, logit)| by_row(row, *logit)).collect::<Vec<f64>>(), labels)
    };
    let platt = loss(&|row, logit| halves[1 - row % 2].probability(logit));
    let none = loss(&|_, logit| Calibration::None.probability(logit));
    if platt < none { Calibration::platt(logits, labels) } else { Calibration::None }
}

/// Slope and intercept on standardised logits, then in the logits' own scale.
pub(super) fn sigmoid_fit(logits: &[f64], labels: &[bool]) -> Option<(f64, f64)> {
    /// Logits that differ by less than this part of their mean differ by rounding.
    const SAME: f64 = 1e-12;
    let n = logits.len() as f64;
    let mean = logits.iter().sum::<f64>() / n;
    let spread = libm::sqrt(logits.iter().map(|logit| (logit - mean) * (logit - mean)).sum::<f64>() / n);
    let positives = labels.iter().filter(|label| **label).count();
    let one_outcome = positives == 0 || positives == labels.len();
    if one_outcome || !spread.is_finite() || spread <= SAME * mean.abs() {
        return None;
    }
    let targets = smoothed_targets(labels);
    let rows: Vec<(f64, f64)> =
        logits.iter().zip(targets).map(|(logit, target)| ((logit - mean) / spread, target)).collect();
    let (slope, intercept) = newton(&rows);
    let (slope, intercept) = (slope / spread, intercept - slope * mean / spread);
    let usable = slope > 0.0 && slope.is_finite() && intercept.is_finite();
    usable.then_some((slope, intercept))
}

/// Platt's targets: what Laplace would believe after as many rows of either outcome.
fn smoothed_targets(labels: &[bool]) -> impl Iterator<Item = f64> {
    let positives = labels.iter().filter(|label| **label).count() as f64;
    let negatives = labels.len() as f64 - positives;
    let (high, low) = ((positives + 1.0) / (positives + 2.0), 1.0 / (negatives + 2.0));
    labels.iter().map(move |label| if *label { high } else { low })
}

/// Minimises the cross-entropy of (input, target) rows over slope and intercept: Newton's method, halving steps.
fn newton(rows: &[(f64, f64)]) -> (f64, f64) {
    const MOST_STEPS: usize = 100;
    const LEAST_STEP: f64 = 1e-10;
    const ARMIJO: f64 = 1e-4;
    let tolerance = 1e-12 * rows.len() as f64;
    let (mut slope, mut intercept) = (0.0, 0.0);
    let mut cost = cross_entropy(rows, slope, intercept);
    for _ in 0..MOST_STEPS {
        let (gradient, [to_slope, to_intercept]) = newton_step(rows, slope, intercept);
        if gradient[0].abs().max(gradient[1].abs()) <= tolerance {
            break;
        }
        let descent = gradient[0] * to_slope + gradient[1] * to_intercept;
        let halvings = std::iter::successors(Some(1.0), |step| Some(step / 2.0));
        let tried = halvings.take_while(|step| *step >= LEAST_STEP).find_map(|step: f64| {
            let (a, b) = (slope + step * to_slope, intercept + step * to_intercept);
            let new = cross_entropy(rows, a, b);
            (new < cost + ARMIJO * step * descent).then_some((a, b, new))
        });
        // No step is better in this precision: the minimum is reached.
        let Some(better) = tried else { break };
        (slope, intercept, cost) = better;
    }
    (slope, intercept)
}

/// Gradient and Newton's step; a tiny ridge keeps the matrix invertible.
fn newton_step(rows: &[(f64, f64)], slope: f64, intercept: f64) -> ([f64; 2], [f64; 2]) {
    const RIDGE: f64 = 1e-12;
    let (mut gradient, mut curvature) = ([0.0; 2], [RIDGE, 0.0, RIDGE]);
    for (input, target) in rows {
        let probability = logistic(slope * input + intercept);
        let (miss, spread) = (probability - target, probability * (1.0 - probability));
        gradient[0] += miss * input;
        gradient[1] += miss;
        curvature[0] += spread * input * input;
        curvature[1] += spread * input;
        curvature[2] += spread;
    }
    let determinant = curvature[0] * curvature[2] - curvature[1] * curvature[1];
    let to_slope = -(curvature[2] * gradient[0] - curvature[1] * gradient[1]) / determinant;
    let to_intercept = -(curvature[0] * gradient[1] - curvature[1] * gradient[0]) / determinant;
    (gradient, [to_slope, to_intercept])
}

/// Σ ln(1 + e^z) − target · z, without overflow.
fn cross_entropy(rows: &[(f64, f64)], slope: f64, intercept: f64) -> f64 {
    let of_row = |(input, target): &(f64, f64)| {
        let z = slope * input + intercept;
        softplus(z) - target * z
    };
    rows.iter().map(of_row).sum()
}
