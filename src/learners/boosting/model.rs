//! Trees that have been learned: what they predict, and how they are written down.

use linfa::traits::PredictInplace;
use ndarray::{Array1, ArrayBase, ArrayView2, Data, Ix2};
use serde::{Deserialize, Serialize};

use super::error::BoostingError;
use super::parameters::GradientBoostingParams;
use domain::numeric::logistic;

/// The file format this code writes; it reads no other.
const FORMAT: u32 = 1;

/// A sum of trees: P(true) = 1 / (1 + e^−(intercept + Σ trees)).
///
/// It is stored through serde (JSON keeps every bit) with a format number and is checked when it is read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct GradientBoosting {
    pub(super) columns: usize,
    pub(super) intercept: f64,
    pub(super) trees: Vec<Tree>,
}

/// Nodes, the root first; the sides of a split stand after it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tree {
    pub(super) nodes: Vec<Node>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Node {
    /// An input not above the threshold goes left.
    Split { column: u32, threshold: f64, missing_left: bool, left: u32, right: u32 },
    /// What the tree adds to the logit, and how many rows taught it.
    Leaf { value: f64, rows: u64 },
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: u32,
    columns: usize,
    intercept: f64,
    trees: Vec<Tree>,
}

impl GradientBoosting {
    /// Parameters with their defaults.
    pub fn params() -> GradientBoostingParams {
        GradientBoostingParams::default()
    }

    /// # Errors
    /// When a number is not finite or the nodes are no tree.
    pub(super) fn new(columns: usize, intercept: f64, trees: Vec<Tree>) -> Result<Self, BoostingError> {
        if !intercept.is_finite() {
            return Err(BoostingError::BadModel("the intercept is not finite".to_string()));
        }
        for (index, tree) in trees.iter().enumerate() {
            let bad = |reason: String| BoostingError::BadModel(format!("tree {index}: {reason}"));
            tree.check(columns).map_err(bad)?;
        }
        Ok(GradientBoosting { columns, intercept, trees })
    }

    /// Inputs of a row.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Trees that were kept.
    pub fn trees(&self) -> usize {
        self.trees.len()
    }

    /// The raw logit of a row, NaN being missing.
    ///
    /// # Errors
    /// When the row has another number of inputs.
    pub fn logit(&self, row: &[f64]) -> Result<f64, BoostingError> {
        self.check_columns(row.len())?;
        Ok(self.logit_of(|column| row[column]))
    }

    /// The raw logit of a row that lies anywhere: `input` is asked for columns below [`GradientBoosting::columns`].
    pub fn logit_of(&self, input: impl Fn(usize) -> f64) -> f64 {
        self.trees.iter().fold(self.intercept, |sum, tree| sum + tree.value(&input))
    }

    /// How many splits ask for each input.
    pub fn splits(&self) -> Vec<usize> {
        let mut splits = vec![0; self.columns];
        for node in self.trees.iter().flat_map(|tree| &tree.nodes) {
            if let Node::Split { column, .. } = node {
                splits[*column as usize] += 1;
            }
        }
        splits
    }

    /// P(true) of every row.
    ///
    /// # Errors
    /// When rows have another number of inputs.
    pub fn predict_probabilities<D: Data<Elem = f64>>(
        &self,
        rows: &ArrayBase<D, Ix2>,
    ) -> Result<Array1<f64>, BoostingError> {
        self.check_columns(rows.ncols())?;
        let mut probabilities = vec![0.0; rows.nrows()];
        self.fill(&rows.view(), &mut probabilities);
        Ok(Array1::from_vec(probabilities))
    }

    fn check_columns(&self, found: usize) -> Result<(), BoostingError> {
        let wanted = self.columns;
        if found == wanted { Ok(()) } else { Err(BoostingError::ColumnsDiffer { wanted, found }) }
    }

    /// Rows are independent, so threads may share them out in any way.
    fn fill(&self, rows: &ArrayView2<f64>, probabilities: &mut [f64]) {
        const FEW: usize = 4_096;
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = probabilities.len().div_ceil(threads).max(FEW);
        std::thread::scope(|scope| {
            for (part, probabilities) in probabilities.chunks_mut(share).enumerate() {
                let mut work = move || {
                    for (index, probability) in probabilities.iter_mut().enumerate() {
                        let row = rows.row(part * share + index);
                        *probability = logistic(self.logit_of(|column| row[column]));
                    }
                };
                if part == 0 && rows.nrows() <= share { work() } else { drop(scope.spawn(work)) }
            }
        });
    }
}

impl Tree {
    fn value(&self, input: &impl Fn(usize) -> f64) -> f64 {
        let mut node = 0;
        loop {
            match self.nodes[node] {
                Node::Leaf { value, .. } => return value,
                Node::Split { column, threshold, missing_left, left, right } => {
                    let input = input(column as usize);
                    node = (if goes_left(input, threshold, missing_left) { left } else { right }) as usize;
                }
            }
        }
    }

    /// One root, every other node below exactly one split that stands before it: a tree, which every walk leaves.
    fn check(&self, columns: usize) -> Result<(), String> {
        let mut parents = vec![0_u32; self.nodes.len()];
        for (index, node) in self.nodes.iter().enumerate() {
            match *node {
                Node::Leaf { value, rows } if !value.is_finite() || rows == 0 => {
                    return Err(format!("node {index} is learned from nothing"));
                }
                Node::Leaf { .. } => {}
                Node::Split { column, threshold, left, right, .. } => {
                    if !threshold.is_finite() || column as usize >= columns {
                        return Err(format!("node {index} compares with nothing"));
                    }
                    for child in [left, right].map(|child| child as usize) {
                        let is_below = child > index && child < self.nodes.len();
                        if !is_below {
                            return Err(format!("node {index} leads to node {child}"));
                        }
                        parents[child] += 1;
                    }
                }
            }
        }
        let orphans = parents.iter().skip(1).any(|parents| *parents != 1);
        if self.nodes.is_empty() || orphans { Err("the nodes are no tree".to_string()) } else { Ok(()) }
    }
}

/// Which side of a split an input takes, NaN being missing.
pub(super) fn goes_left(input: f64, threshold: f64, missing_left: bool) -> bool {
    if input.is_nan() { missing_left } else { input <= threshold }
}

impl From<GradientBoosting> for Stored {
    fn from(model: GradientBoosting) -> Stored {
        let GradientBoosting { columns, intercept, trees } = model;
        Stored { format: FORMAT, columns, intercept, trees }
    }
}

impl TryFrom<Stored> for GradientBoosting {
    type Error = BoostingError;

    fn try_from(stored: Stored) -> Result<GradientBoosting, BoostingError> {
        let Stored { format, columns, intercept, trees } = stored;
        if format != FORMAT {
            return Err(BoostingError::BadModel(format!("format {format}, only {FORMAT} can be read")));
        }
        GradientBoosting::new(columns, intercept, trees)
    }
}

impl<D: Data<Elem = f64>> PredictInplace<ArrayBase<D, Ix2>, Array1<bool>> for GradientBoosting {
    /// Whether P(true) is at least one half.
    ///
    /// # Panics
    /// As linfa's own estimators: when shapes do not fit.
    fn predict_inplace(&self, rows: &ArrayBase<D, Ix2>, targets: &mut Array1<bool>) {
        assert_eq!(rows.nrows(), targets.len(), "rows and targets must be equally many");
        match self.predict_probabilities(rows) {
            Ok(probabilities) => targets.zip_mut_with(&probabilities, |target, p| *target = *p >= 0.5),
            Err(error) => panic!("{error}"),
        }
    }

    fn default_target(&self, rows: &ArrayBase<D, Ix2>) -> Array1<bool> {
        Array1::from_elem(rows.nrows(), false)
    }
}
