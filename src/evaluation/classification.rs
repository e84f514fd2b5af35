//! How good probabilities are: log loss, Brier score, AUC and calibration, with intervals over users.
//!
//! Formulas are those of scikit-learn's `metrics`, in f64, held by stored figures. A row is a probability beside what
//! happened; lists are read together and end with the shorter one. An undefined figure, like one of no rows, is NaN.

use rand_chacha::rand_core::Rng;

use super::bootstrap::{Bootstrap, Figure, RatioPart, quantile, seeded};

/// Probabilities are read as at least this and at most one minus it: a certain error costs 36.04, not infinity.
pub const CLIP: f64 = f64::EPSILON;

/// One part of the rows, of about as many as every other, in order of probability.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Bin {
    /// Mean of the probabilities.
    pub mean_probability: f64,
    /// Share of the rows where it happened.
    pub rate: f64,
    /// Rows.
    pub n: u64,
}

/// Mean −ln of the probability given to what happened, clipped by [`CLIP`].
pub fn log_loss(probabilities: &[f64], labels: &[bool]) -> f64 {
    mean(probabilities, labels, loss)
}

/// Mean squared distance of the probability from what happened (1 or 0).
pub fn brier(probabilities: &[f64], labels: &[bool]) -> f64 {
    mean(probabilities, labels, squared_error)
}

/// Probability that a row where it happened scores above one where it did not, ties counting half
/// (Mann–Whitney U / (positives · negatives)). Any scores will do. NaN when one of the two is missing.
pub fn auc(scores: &[f64], labels: &[bool]) -> f64 {
    area(&sorted(scores, labels, &vec![0; scores.len()]), |_| 1)
}

/// Expected calibration error: Σ |mean probability − rate| · n / rows over [`reliability`]'s bins.
pub fn ece(probabilities: &[f64], labels: &[bool], bins: usize) -> f64 {
    calibration_error(&reliability(probabilities, labels, bins))
}

/// Rows in order of probability (ties in the order given), cut into bins of equal size as numpy's `array_split`
/// cuts: the first rows mod bins of them hold one more. Of fewer rows than bins, each row is a bin.
pub fn reliability(probabilities: &[f64], labels: &[bool], bins: usize) -> Vec<Bin> {
    split(&sorted(probabilities, labels, &vec![0; probabilities.len()]), bins, |_| 1)
}

/// The calibration error that chance makes of a calibrated model on as many rows, `share` of draws lying below it.
///
/// Labels are drawn from the probabilities. Where one of `negatives` rows without the outcome was kept, a kept row reached
/// it with p / (p + (1 − p) / negatives). NaN without rows.
pub fn ece_by_chance(probabilities: &[f64], negatives: u32, bins: usize, share: f64, seed: u64) -> f64 {
    const DRAWS: usize = 400;
    let labels = vec![false; probabilities.len()];
    let mut rows = sorted(probabilities, &labels, &vec![0; probabilities.len()]);
    let kept = |p: f64| p / (p + (1.0 - p) / f64::from(negatives));
    let mut random = seeded(seed);
    let mut errors: Vec<f64> = (0..DRAWS)
        .map(|_| {
            for row in &mut rows {
                let unit = (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
                row.label = unit < kept(row.score);
            }
            let times = |row: &ScoredRow| if row.label { 1 } else { u64::from(negatives) };
            calibration_error(&split(&rows, bins, times))
        })
        .collect();
    errors.sort_unstable_by(f64::total_cmp);
    quantile(&errors, share)
}

/// Labelled rows with draws of their users: every figure sees the same draws, so that differences are paired.
///
/// A user's rows come or stay away together. In every figure `n` is rows; a draw in which the figure is undefined,
/// like an AUC without positives, is left out of the interval.
#[derive(Clone, Debug)]
pub struct Intervals<'a> {
    labels: &'a [bool],
    /// Each row's index among the distinct users.
    users: Vec<u32>,
    count: usize,
    /// How many rows each row without the outcome stands for.
    negatives: u32,
    bootstrap: Bootstrap,
}

impl<'a> Intervals<'a> {
    /// Draws the distinct users of the rows with replacement `draws` times, from a seed.
    ///
    /// `users` holds one number a row; rows with the same number belong together.
    pub fn new(labels: &'a [bool], users: &[u32], draws: usize, seed: u64) -> Intervals<'a> {
        let mut distinct = users.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        let index = |user: &u32| distinct.partition_point(|other| other < user) as u32;
        let (users, count) = (users.iter().map(index).collect(), distinct.len());
        Intervals { labels, users, count, negatives: 1, bootstrap: Bootstrap::new(count, draws, seed) }
    }

    /// The same where only one of so many rows without the outcome was kept: each then stands for that many.
    pub fn with_one_negative_of(self, negatives: u32) -> Intervals<'a> {
        Intervals { negatives, ..self }
    }

    fn times(&self, row: &ScoredRow, drawn: u64) -> u64 {
        drawn * if row.label { 1 } else { u64::from(self.negatives) }
    }

    /// [`log_loss`] with its interval.
    pub fn log_loss(&self, probabilities: &[f64]) -> Figure {
        self.bootstrap.ratio(&self.parts(probabilities, loss))
    }

    /// [`brier`] with its interval.
    pub fn brier(&self, probabilities: &[f64]) -> Figure {
        self.bootstrap.ratio(&self.parts(probabilities, squared_error))
    }

    /// Log loss of `ours` less that of `base`, with its paired interval: below zero, ours is better.
    pub fn log_loss_difference(&self, ours: &[f64], base: &[f64]) -> Figure {
        self.bootstrap.difference(&self.parts(ours, loss), &self.parts(base, loss))
    }

    /// [`auc`] with its interval.
    pub fn auc(&self, scores: &[f64]) -> Figure {
        let rows = sorted(scores, self.labels, &self.users);
        let drawn = |times: &[u16]| area(&rows, |row| self.times(row, times[row.user as usize].into()));
        self.bootstrap.figure(area(&rows, |row| self.times(row, 1)), rows.len() as u64, drawn)
    }

    /// [`auc`] of `ours` less that of `base`, with its paired interval: above zero, ours is better.
    pub fn auc_difference(&self, ours: &[f64], base: &[f64]) -> Figure {
        let (ours, base) = (sorted(ours, self.labels, &self.users), sorted(base, self.labels, &self.users));
        let drawn = |times: &[u16]| {
            let times = |row: &ScoredRow| self.times(row, times[row.user as usize].into());
            area(&ours, times) - area(&base, times)
        };
        let once = |row: &ScoredRow| self.times(row, 1);
        self.bootstrap.figure(area(&ours, once) - area(&base, once), ours.len() as u64, drawn)
    }

    /// [`reliability`], each kept negative counted as often as it stands for.
    pub fn reliability(&self, probabilities: &[f64], bins: usize) -> Vec<Bin> {
        split(&sorted(probabilities, self.labels, &self.users), bins, |row| self.times(row, 1))
    }

    /// [`ece`] with its interval; a row that was drawn twice is two rows.
    pub fn ece(&self, probabilities: &[f64], bins: usize) -> Figure {
        let rows = sorted(probabilities, self.labels, &self.users);
        let drawn = |times: &[u16]| {
            calibration_error(&split(&rows, bins, |row| self.times(row, times[row.user as usize].into())))
        };
        let value = calibration_error(&split(&rows, bins, |row| self.times(row, 1)));
        self.bootstrap.figure(value, rows.len() as u64, drawn)
    }

    /// Each user's cost and rows.
    fn parts(&self, probabilities: &[f64], cost: impl Fn(f64, bool) -> f64) -> Vec<RatioPart> {
        let mut parts = vec![(0.0, 0.0); self.count];
        for ((probability, label), user) in probabilities.iter().zip(self.labels).zip(&self.users) {
            let (sum, rows) = &mut parts[*user as usize];
            let weight = if *label { 1.0 } else { f64::from(self.negatives) };
            *sum += weight * cost(*probability, *label);
            *rows += weight;
        }
        parts
    }
}

fn loss(probability: f64, label: bool) -> f64 {
    let given = if label { probability } else { 1.0 - probability };
    -libm::log(given.clamp(CLIP, 1.0 - CLIP))
}

fn squared_error(probability: f64, label: bool) -> f64 {
    let miss = probability - f64::from(u8::from(label));
    miss * miss
}

fn mean(probabilities: &[f64], labels: &[bool], cost: impl Fn(f64, bool) -> f64) -> f64 {
    let rows = probabilities.len().min(labels.len());
    let costs = probabilities.iter().zip(labels).map(|(probability, label)| cost(*probability, *label));
    costs.sum::<f64>() / rows as f64
}

#[derive(Clone, Copy, Debug)]
struct ScoredRow {
    score: f64,
    label: bool,
    user: u32,
}

/// Rows from the lowest score to the highest; equal scores keep their order, and −0 equals 0.
fn sorted(scores: &[f64], labels: &[bool], users: &[u32]) -> Vec<ScoredRow> {
    let row = |((score, label), user): ((&f64, &bool), &u32)| ScoredRow {
        score: score + 0.0,
        label: *label,
        user: *user,
    };
    let mut rows: Vec<ScoredRow> = scores.iter().zip(labels).zip(users).map(row).collect();
    rows.sort_by(|a, b| a.score.total_cmp(&b.score));
    rows
}

/// AUC of sorted rows that each count as often as their user: counted twofold in integers, then divided once.
fn area(rows: &[ScoredRow], times: impl Fn(&ScoredRow) -> u64) -> f64 {
    let (mut positives, mut negatives, mut doubled) = (0, 0, 0);
    for tied in rows.chunk_by(|a, b| a.score == b.score) {
        let (mut above, mut beside) = (0, 0);
        for row in tied {
            *if row.label { &mut above } else { &mut beside } += times(row);
        }
        doubled += above * (2 * negatives + beside);
        positives += above;
        negatives += beside;
    }
    doubled as f64 / (2.0 * positives as f64 * negatives as f64)
}

/// Sorted rows, each as often as its user, cut into bins.
fn split(rows: &[ScoredRow], bins: usize, times: impl Fn(&ScoredRow) -> u64) -> Vec<Bin> {
    let bins = bins.max(1) as u64;
    let total: u64 = rows.iter().map(&times).sum();
    let size = |bin: usize| total / bins + u64::from((bin as u64) < total % bins);
    let mut done = Vec::new();
    let (mut sum, mut hits, mut n) = (0.0, 0, 0);
    for row in rows {
        let mut left = times(row);
        while left > 0 {
            let taken = left.min(size(done.len()) - n);
            sum += row.score * taken as f64;
            hits += if row.label { taken } else { 0 };
            (n, left) = (n + taken, left - taken);
            if n == size(done.len()) {
                done.push(Bin { mean_probability: sum / n as f64, rate: hits as f64 / n as f64, n });
                (sum, hits, n) = (0.0, 0, 0);
            }
        }
    }
    done
}

fn calibration_error(bins: &[Bin]) -> f64 {
    let gaps = bins.iter().map(|bin| (bin.mean_probability - bin.rate).abs() * bin.n as f64);
    gaps.sum::<f64>() / bins.iter().map(|bin| bin.n).sum::<u64>() as f64
}
