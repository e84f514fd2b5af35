//! Deleted interpolation: how much of each component a curve takes, learned by EM from what users did after past
//! cuts (Jelinek & Mercer 1980); by amount of evidence, then by user.

use super::history::normalise;

/// Buckets of evidence with weights of their own.
const BUCKETS: usize = 6;
/// EM steps of the common weights, and of each bucket's.
const STEPS: [usize; 2] = [150, 100];
/// Prior mass of the common weights in a bucket's.
const BUCKET_PRIOR: f64 = 50.0;
/// EM steps of one user's weights.
const USER_STEPS: usize = 10;
/// Rows that common weights are learned from, evenly strided.
const LEARNING_ROWS: usize = 200_000;

/// One held-out (user, hour of the week): how often, and what each component gave it.
#[derive(Clone, Copy, Debug)]
pub struct StackRow<const N: usize> {
    /// Hour of the week.
    pub slot: u8,
    /// Units held out there.
    pub count: f32,
    /// Probability by each component.
    pub given: [f32; N],
}

/// What happened after one past cut.
#[derive(Clone, Debug)]
pub struct Fold<const N: usize> {
    /// Rows of each user, in order of hour.
    pub rows: Vec<Vec<StackRow<N>>>,
    /// Effective active hours of each user at the cut.
    pub evidence: Vec<f64>,
}

/// Weights by amount of evidence.
#[derive(Clone, Debug)]
pub struct Stack<const N: usize> {
    edges: Vec<f64>,
    weights: Vec<[f64; N]>,
}

type Weighted<const N: usize> = (f64, [f32; N]);

/// EM for the weights of a mixture with fixed components: maximises `Σ w ln(p·F)` plus `mass` pseudo-counts of `prior`.
pub fn mixture_weights<const N: usize>(
    rows: &[Weighted<N>],
    start: [f64; N],
    prior: Option<([f64; N], f64)>,
    steps: usize,
) -> [f64; N] {
    const CHUNK: usize = 8_192;
    let mut weights = start;
    for _ in 0..if rows.is_empty() { 0 } else { steps } {
        let parts = parallel::in_chunks(rows.len(), CHUNK, |range| {
            let mut sums = [0.0; N];
            rows[range]
                .iter()
                .for_each(|(weight, given)| add_responsibilities(&mut sums, *weight, given, &weights));
            sums
        });
        let mut next = [0.0; N];
        for (index, sum) in next.iter_mut().enumerate() {
            let pseudo = prior.map_or(0.0, |(prior, mass)| prior[index] * mass);
            *sum = parts.iter().map(|part| part[index]).sum::<f64>() + pseudo;
        }
        normalise(&mut next);
        weights = next;
    }
    weights
}

fn add_responsibilities<const N: usize>(
    sums: &mut [f64; N],
    weight: f64,
    given: &[f32; N],
    weights: &[f64; N],
) {
    let scale = weight / mixed(given, weights);
    for ((sum, part), share) in sums.iter_mut().zip(given).zip(weights) {
        *sum += f64::from(*part) * share * scale;
    }
}

/// The probability that a mixture gives.
pub fn mixed<const N: usize>(given: &[f32; N], weights: &[f64; N]) -> f64 {
    given.iter().zip(weights).map(|(part, share)| f64::from(*part) * share).sum()
}

impl<const N: usize> Stack<N> {
    /// Learns from folds, the newest first; a fold counts `decay` times as much as the one after it.
    pub fn learn(folds: &[&Fold<N>], decay: f64) -> Stack<N> {
        let mut rows: Vec<(f64, Weighted<N>)> = Vec::new();
        for (age, fold) in folds.iter().enumerate() {
            let weight = libm::pow(decay, age as f64);
            for (user, user_rows) in fold.rows.iter().enumerate() {
                let evidence = fold.evidence[user];
                rows.extend(
                    user_rows.iter().map(|row| (evidence, (f64::from(row.count) * weight, row.given))),
                );
            }
        }
        let step = rows.len().div_ceil(LEARNING_ROWS).max(1);
        let rows: Vec<(f64, Weighted<N>)> = rows.into_iter().step_by(step).collect();
        let all: Vec<Weighted<N>> = rows.iter().map(|(_, row)| *row).collect();
        let common = mixture_weights(&all, [1.0 / N as f64; N], None, STEPS[0]);
        let edges = quantile_edges(rows.iter().map(|(evidence, _)| *evidence).collect());
        let mut buckets = vec![Vec::new(); BUCKETS];
        for (evidence, row) in &rows {
            buckets[bucket_of(&edges, *evidence)].push(*row);
        }
        let weights = buckets
            .iter()
            .map(|rows| mixture_weights(rows, common, Some((common, BUCKET_PRIOR)), STEPS[1]))
            .collect();
        Stack { edges, weights }
    }

    /// Weights of all users with this much evidence.
    pub fn by_evidence(&self, evidence: f64) -> &[f64; N] {
        &self.weights[bucket_of(&self.edges, evidence)]
    }

    /// One user's own weights: his bucket's as a prior of mass `trust`, moved by his own held-out rows.
    /// `trust` = ∞: the bucket's.
    pub fn for_user(
        &self,
        folds: &[&Fold<N>],
        decay: f64,
        user: usize,
        evidence: f64,
        trust: f64,
    ) -> [f64; N] {
        let prior = *self.by_evidence(evidence);
        let mut weights = prior;
        if trust.is_infinite() || folds.iter().all(|fold| fold.rows[user].is_empty()) {
            return weights;
        }
        let worth = |age: usize| libm::pow(decay, age as f64);
        let rows: Vec<(f64, &[f32; N])> = folds
            .iter()
            .enumerate()
            .map(|(age, fold)| (worth(age), &fold.rows[user]))
            .flat_map(|(worth, rows)| rows.iter().map(move |row| (f64::from(row.count) * worth, &row.given)))
            .collect();
        for _ in 0..USER_STEPS {
            let mut next = prior.map(|share| share * trust);
            rows.iter().for_each(|(count, given)| add_responsibilities(&mut next, *count, given, &weights));
            normalise(&mut next);
            weights = next;
        }
        weights
    }
}

fn bucket_of(edges: &[f64], evidence: f64) -> usize {
    edges.iter().filter(|edge| **edge < evidence).count()
}

/// Inner quantiles that cut the values into [`BUCKETS`] parts, interpolated linearly.
fn quantile_edges(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_unstable_by(f64::total_cmp);
    let Some(last) = values.len().checked_sub(1) else { return vec![f64::INFINITY; BUCKETS - 1] };
    let edge = |bucket: usize| {
        let position = last as f64 * bucket as f64 / BUCKETS as f64;
        let (low, share) = (position.floor() as usize, position.fract());
        values[low] + share * (values[(low + 1).min(last)] - values[low])
    };
    (1..BUCKETS).map(edge).collect()
}
