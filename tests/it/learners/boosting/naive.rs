//! Boosting as it is written in papers: every threshold of every input tried on the rows themselves, in f64.

use std::cell::Cell;

use ndarray::ArrayView1;

use super::Data;

/// The parameters that both builders know.
#[derive(Clone, Copy, Debug)]
pub struct BoostingPlan {
    pub trees: usize,
    pub leaves: usize,
    pub rows_per_leaf: usize,
    pub learning_rate: f64,
    pub l2: f64,
    pub hessian_per_leaf: f64,
}

/// Gains nearer than this part of them are ties: which of them wins is rounding.
const TIE: f64 = 1e-7;

/// A split, best so far: its gain and the rows of both sides.
type Best = Option<(f64, Vec<usize>, Vec<usize>)>;

struct Boosting<'a> {
    data: &'a Data,
    plan: BoostingPlan,
    gradients: Vec<f64>,
    hessians: Vec<f64>,
    has_tied: Cell<bool>,
}

/// The logit of every row after all trees, and whether any choice on the way was a tie.
pub fn logits(data: &Data, plan: BoostingPlan) -> (Vec<f64>, bool) {
    let weights: Vec<f64> = (0..data.targets.len()).map(|row| f64::from(data.weight_for(row))).collect();
    let rows = || data.targets.iter().zip(&weights);
    let trues: f64 = rows().filter(|(label, _)| **label).map(|(_, weight)| weight).sum();
    let total: f64 = weights.iter().sum();
    let mut logits = vec![(trues / (total - trues)).ln(); weights.len()];
    let mut has_tied = false;
    for _ in 0..plan.trees {
        let p: Vec<f64> = logits.iter().map(|logit| 1.0 / (1.0 + (-logit).exp())).collect();
        let gradient =
            |((label, weight), p): ((&bool, &f64), &f64)| weight * (p - f64::from(u8::from(*label)));
        let gradients = rows().zip(&p).map(gradient).collect();
        let hessians = weights.iter().zip(&p).map(|(weight, p)| weight * p * (1.0 - p)).collect();
        let boosting = Boosting { data, plan, gradients, hessians, has_tied: Cell::new(false) };
        for (rows, value) in boosting.tree() {
            rows.into_iter().for_each(|row| logits[row] += value);
        }
        has_tied |= boosting.has_tied.get();
    }
    (logits, has_tied)
}

impl Boosting<'_> {
    /// Leaves with their values: the leaf of the greatest gain is divided first.
    fn tree(&self) -> Vec<(Vec<usize>, f64)> {
        let all: Vec<usize> = (0..self.gradients.len()).collect();
        let mut leaves = vec![(self.best(&all), all)];
        while leaves.len() < self.plan.leaves {
            let gain = |best: &Best| best.as_ref().map_or(0.0, |best| best.0);
            let gains = leaves.iter().enumerate().map(|(index, (best, _))| (index, gain(best)));
            let (index, gain) =
                gains.clone().reduce(|best, next| if next.1 > best.1 { next } else { best }).unwrap();
            self.note_tie(gains.filter(|other| other.0 != index).any(|other| other.1 > gain * (1.0 - TIE)));
            let Some((_, left, right)) = leaves[index].0.take() else { break };
            leaves[index] = (self.best(&left), left);
            leaves.push((self.best(&right), right));
        }
        let value = |rows: &[usize]| {
            let (gradient, hessian) = self.sums(rows);
            -self.plan.learning_rate * gradient / (hessian + self.plan.l2)
        };
        leaves.into_iter().map(|(_, rows)| (value(&rows), rows)).map(|(value, rows)| (rows, value)).collect()
    }

    fn note_tie(&self, is_tie: bool) {
        self.has_tied.set(self.has_tied.get() | is_tie);
    }

    fn sums(&self, rows: &[usize]) -> (f64, f64) {
        rows.iter().fold((0.0, 0.0), |(g, h), row| (g + self.gradients[*row], h + self.hessians[*row]))
    }

    fn score(&self, rows: &[usize]) -> f64 {
        let (gradient, hessian) = self.sums(rows);
        gradient * gradient / (hessian + self.plan.l2)
    }

    fn best(&self, rows: &[usize]) -> Best {
        let whole = self.score(rows);
        let mut best: Best = None;
        for column in self.data.records.columns() {
            for (left, right) in divisions(column, rows) {
                let is_small = |rows: &[usize]| {
                    rows.len() < self.plan.rows_per_leaf || self.sums(rows).1 < self.plan.hessian_per_leaf
                };
                let gain = self.score(&left) + self.score(&right) - whole;
                let highest = best.as_ref().map_or(1e-12 * whole, |best| best.0);
                if is_small(&left) || is_small(&right) || gain < highest * (1.0 - TIE) {
                    continue;
                }
                // The same rows may be divided by several inputs: that is no tie.
                let is_other = |best: &(f64, Vec<usize>, Vec<usize>)| left != best.1 && left != best.2;
                self.note_tie(gain < highest * (1.0 + TIE) && best.as_ref().is_some_and(is_other));
                if gain > highest * (1.0 + 1e-12) {
                    best = Some((gain, left, right));
                }
            }
        }
        best
    }
}

/// Every way to divide rows by one input, missing values on either side.
fn divisions(column: ArrayView1<f64>, rows: &[usize]) -> Vec<(Vec<usize>, Vec<usize>)> {
    let mut values: Vec<f64> = rows.iter().map(|row| column[*row]).filter(|value| !value.is_nan()).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    let mut divisions = Vec::new();
    for missing_left in [false, true] {
        for threshold in &values {
            let is_left = |row: &usize| {
                if column[*row].is_nan() { missing_left } else { column[*row] <= *threshold }
            };
            divisions.push(rows.iter().copied().partition(is_left));
        }
    }
    divisions
}
