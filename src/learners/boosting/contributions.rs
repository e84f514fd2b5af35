//! What each input adds to a logit: exact Shapley values of the trees.
//!
//! Lundberg and others, "Consistent individualized feature attribution for tree ensembles" (2018), algorithm 2: an
//! input that is not known sends a row down both sides in proportion to the rows that taught them.

use super::error::BoostingError;
use super::model::{GradientBoosting, Node, Tree, goes_left};

/// A logit in parts: `bias` + Σ `inputs`.
#[derive(Clone, Debug, PartialEq)]
pub struct Contributions {
    /// The mean logit of the rows that taught the trees.
    pub bias: f64,
    /// What each input adds, in order of the columns.
    pub inputs: Vec<f64>,
}

impl GradientBoosting {
    /// What each input of a row adds to its raw logit; the parts sum to [`GradientBoosting::logit`].
    ///
    /// # Errors
    /// When the row has another number of inputs.
    pub fn contributions(&self, row: &[f64]) -> Result<Contributions, BoostingError> {
        self.logit(row)?;
        let mut parts = Contributions { bias: self.intercept, inputs: vec![0.0; row.len()] };
        self.trees.iter().for_each(|tree| tree.add_contributions(row, &mut parts));
        Ok(parts)
    }
}

/// An input on the way to a node.
#[derive(Clone, Copy, Debug)]
struct PathStep {
    column: usize,
    /// Share of the rows that take this way when the input is not known.
    unknown: f64,
    /// 1 when the row itself takes this way, else 0.
    known: f64,
    /// Σ over the orders of inputs, by how many of them are known.
    weight: f64,
}

/// A node that is still to be visited, and how it was reached.
#[derive(Debug)]
struct Visit {
    node: usize,
    path: Vec<PathStep>,
}

impl Tree {
    fn add_contributions(&self, row: &[f64], parts: &mut Contributions) {
        let rows = self.rows();
        parts.bias += self.mean(&rows);
        let start = PathStep { column: usize::MAX, unknown: 1.0, known: 1.0, weight: 1.0 };
        let mut visits = vec![Visit { node: 0, path: vec![start] }];
        while let Some(Visit { node, path }) = visits.pop() {
            match self.nodes[node] {
                Node::Leaf { value, .. } => {
                    for (index, step) in path.iter().enumerate().skip(1) {
                        let share = weight_without(&path, index) * (step.known - step.unknown);
                        parts.inputs[step.column] += share * value;
                    }
                }
                Node::Split { column, threshold, missing_left, left, right } => {
                    let column = column as usize;
                    let is_left = goes_left(row[column], threshold, missing_left);
                    for (child, known) in [(left as usize, is_left), (right as usize, !is_left)] {
                        let unknown = rows[child] / rows[node];
                        visits.push(Visit { node: child, path: extended(&path, column, unknown, known) });
                    }
                }
            }
        }
    }

    /// Rows of every node.
    fn rows(&self) -> Vec<f64> {
        let mut rows = vec![0.0; self.nodes.len()];
        // Sides stand after their split, so backwards they are known first.
        for (index, node) in self.nodes.iter().enumerate().rev() {
            rows[index] = match *node {
                Node::Leaf { rows, .. } => rows as f64,
                Node::Split { left, right, .. } => rows[left as usize] + rows[right as usize],
            };
        }
        rows
    }

    fn mean(&self, rows: &[f64]) -> f64 {
        let weighted = |node: &Node| match *node {
            Node::Leaf { value, rows } => value * rows as f64,
            Node::Split { .. } => 0.0,
        };
        self.nodes.iter().map(weighted).sum::<f64>() / rows[0]
    }
}

/// The path one step further. An input that was met before counts once, with both shares multiplied.
fn extended(path: &[PathStep], column: usize, unknown: f64, known: bool) -> Vec<PathStep> {
    let (mut path, mut unknown, mut known) = (path.to_vec(), unknown, f64::from(u8::from(known)));
    if let Some(index) = path.iter().position(|step| step.column == column) {
        (unknown, known) = (unknown * path[index].unknown, known * path[index].known);
        path = without(&path, index);
    }
    let length = path.len();
    path.push(PathStep { column, unknown, known, weight: 0.0 });
    for index in (0..length).rev() {
        let (weight, all) = (path[index].weight, (length + 1) as f64);
        path[index + 1].weight += known * weight * (index + 1) as f64 / all;
        path[index].weight = unknown * weight * (length - index) as f64 / all;
    }
    path
}

/// The path as if one step had not been taken.
fn without(path: &[PathStep], index: usize) -> Vec<PathStep> {
    let weights = weights_without(path, index);
    let others = path.iter().enumerate().filter(|(other, _)| *other != index);
    others.zip(weights).map(|((_, step), weight)| PathStep { weight, ..*step }).collect()
}

fn weight_without(path: &[PathStep], index: usize) -> f64 {
    weights_without(path, index).iter().sum()
}

/// Undoes what [`extended`] did to the weights; the order of steps does not matter to it.
fn weights_without(path: &[PathStep], index: usize) -> Vec<f64> {
    let (last, all) = (path.len() - 1, path.len() as f64);
    let PathStep { unknown, known, .. } = path[index];
    let mut weights = vec![0.0; last];
    let mut next = path[last].weight;
    for other in (0..last).rev() {
        let weight = path[other].weight;
        if known > 0.0 {
            weights[other] = next * all / ((other + 1) as f64 * known);
            next = weight - weights[other] * unknown * (last - other) as f64 / all;
        } else {
            weights[other] = weight * all / (unknown * (last - other) as f64);
        }
    }
    weights
}
