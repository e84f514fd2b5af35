//! Whether values are still spread as they were: the population stability index.
//!
//! PSI = Σ (now − before) · ln(now / before) over bins of the values as they were, with one more for what is missing (the
//! symmetric Kullback–Leibler divergence of the two shares; Siddiqi, "Credit Risk Scorecards", 2006, reads below 0.1 as
//! stable and above 0.25 as moved). Two samples of one distribution differ by about (bins − 1) · (1/n + 1/m).

use serde::{Deserialize, Serialize};

/// Bins of [`Reference`], beside the one of missing values.
pub const BINS: usize = 10;
/// What moves by itself, as the days since somebody came do, may move by so many times its PSI of before.
pub const HABIT: f64 = 3.0;
/// Rows added to each bin, so that an empty one costs much and not infinitely much.
const PRIOR: f64 = 0.5;

/// How values were spread: edges of bins of about equal mass, and the weight in each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reference {
    /// Upper ends of all bins but the last, ascending and distinct; a value belongs to the first bin whose end is not below it.
    edges: Vec<f64>,
    /// Weight of each bin; the last is that of missing values (NaN).
    weights: Vec<f64>,
}

impl Reference {
    /// The spread of (value, weight) rows; NaN is missing.
    pub fn of(rows: &[(f64, f64)]) -> Reference {
        let mut known: Vec<(f64, f64)> = rows.iter().copied().filter(|(value, _)| !value.is_nan()).collect();
        known.sort_by(|a, b| a.0.total_cmp(&b.0));
        let edges = edges_of(&known);
        let mut reference = Reference { weights: Vec::new(), edges };
        reference.weights = reference.spread(rows);
        reference
    }

    /// Weight of the rows in each bin.
    fn spread(&self, rows: &[(f64, f64)]) -> Vec<f64> {
        let mut weights = vec![0.0; self.edges.len() + 2];
        for (value, weight) in rows {
            let bin = match value.is_nan() {
                true => self.edges.len() + 1,
                false => self.edges.partition_point(|edge| edge < value),
            };
            weights[bin] += weight;
        }
        weights
    }

    /// PSI of (value, weight) rows against this spread. NaN when either has no row.
    pub fn psi(&self, rows: &[(f64, f64)]) -> f64 {
        let now = self.spread(rows);
        let (before, after) = (shares(&self.weights), shares(&now));
        let term = |(was, is): (f64, f64)| (is - was) * libm::log(is / was);
        before.into_iter().zip(after).map(term).sum()
    }
}

/// Values that end a bin as soon as it holds a tenth of the weight; the largest value ends none.
fn edges_of(known: &[(f64, f64)]) -> Vec<f64> {
    let total: f64 = known.iter().map(|(_, weight)| weight).sum();
    let Some((largest, _)) = known.last() else { return Vec::new() };
    let (mut edges, mut mass) = (Vec::new(), 0.0);
    for tied in known.chunk_by(|a, b| a.0 == b.0) {
        mass += tied.iter().map(|(_, weight)| weight).sum::<f64>();
        if mass * BINS as f64 >= total && tied[0].0 < *largest {
            edges.push(tied[0].0);
            mass = 0.0;
        }
    }
    edges
}

fn shares(weights: &[f64]) -> Vec<f64> {
    let total: f64 = weights.iter().sum();
    if total <= 0.0 {
        return vec![f64::NAN; weights.len()];
    }
    let all = total + PRIOR * weights.len() as f64;
    weights.iter().map(|weight| (weight + PRIOR) / all).collect()
}
