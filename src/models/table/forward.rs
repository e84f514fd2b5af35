//! Forward in time: candidates are compared, and the chosen one is measured, on rows after those that they know.

use std::ops::Range;

use super::error::TableGoalError;
use super::fit::{LEAF_PENALTY, Shape, TREE_RATE, TableFit, TableLearner, TableRecipe};
use evaluation::classification::{auc, log_loss};
use registry::figures::Tried;
use serde::Serialize;

/// Penalties that are tried, one without a half-life first.
const PENALTIES: [f64; 5] = [1.0, 0.1, 10.0, 100.0, 1_000.0];
/// Trees and leaves of each that are tried.
const FORESTS: [(usize, usize); 3] = [(50, 4), (100, 8), (200, 16)];
/// Half-lives that are tried with the best strength.
const HALF_LIVES: [f64; 2] = [0.5, 0.2];
/// Where the folds begin and end, as shares of the rows before the test part.
const FOLD_EDGES: [f64; 5] = [0.5, 0.625, 0.75, 0.875, 1.0];
/// Rows that a candidate is fitted on at most while it is chosen: the choice is coarse, the fit is not.
const ROWS_FOR_CHOICE: usize = 20_000;
/// Rows of a fold at least.
const LEAST_FOLD: usize = 20;
/// How much lower a candidate's worst AUC may be than the best of the worst: drift must not turn its order.
const AUC_SLACK: f64 = 0.02;
/// Rows of the test part between two fits.
const ROWS_PER_BLOCK: usize = 100;
/// Fits over the test part at most.
const MOST_BLOCKS: usize = 20;

/// A candidate with its figures on later rows of the train part.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TriedRecipe {
    /// What it is: logistic_regression or gradient_boosting.
    pub method: &'static str,
    /// Penalty.
    pub penalty: f64,
    /// Trees, of what has some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trees: Option<usize>,
    /// Leaves of each at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaves: Option<usize>,
    /// Rows weigh half as much every so many shares of the rows.
    pub half_life: Option<f64>,
    /// Mean over the folds of the log-loss divided by that of the newest rows' share of positives.
    pub relative_log_loss: f64,
    /// Mean log-loss over the folds.
    pub log_loss: f64,
    /// Mean AUC over the folds.
    pub auc: f64,
    /// AUC of the worst fold.
    pub worst_auc: f64,
    /// Was it chosen?
    pub chosen: bool,
    #[serde(skip)]
    pub(super) recipe: TableRecipe,
}

impl TriedRecipe {
    /// As the card holds it.
    pub(super) fn of_card(&self) -> Tried {
        let is_forest = self.trees.is_some();
        Tried {
            kind: self.recipe.kind(),
            penalty: self.penalty,
            rate: is_forest.then_some(TREE_RATE),
            trees: self.trees,
            leaves: self.leaves,
            log_loss: self.log_loss,
        }
    }
}

/// Probabilities of the test part.
pub(super) struct Forward {
    /// Of the recipe learned anew before each block, on everything before it.
    pub(super) refreshed: Vec<f64>,
    /// Share of positives among the newest rows before the block.
    pub(super) base: Vec<f64>,
    /// Of the recipe learned once, before the test part.
    pub(super) frozen: Vec<f64>,
    pub(super) blocks: usize,
    /// The fit before the test part.
    pub(super) first: TableFit,
}

impl TableLearner<'_> {
    /// Compares the candidates on folds forward in time before `end`.
    ///
    /// # Errors
    /// When a candidate has no fit.
    pub(super) fn choose(
        &self,
        end: usize,
        watch: &dyn Fn(usize, usize),
    ) -> Result<Vec<TriedRecipe>, TableGoalError> {
        let folds = self.folds(end);
        let stride = end.div_ceil(ROWS_FOR_CHOICE).max(1);
        let all = PENALTIES.len() + FORESTS.len() + 2 * HALF_LIVES.len();
        let mut tried: Vec<TriedRecipe> = Vec::new();
        let mut try_all = |shapes: Vec<Shape>| -> Result<(), TableGoalError> {
            let first = tried.len();
            for shape in shapes {
                tried.push(self.judge(TableRecipe { shape, half_life: None }, &folds, stride)?);
                watch(tried.len(), all);
            }
            let Some(shape) = best(&tried[first..]).map(|best| tried[first + best].recipe.shape) else {
                return Ok(());
            };
            for share in HALF_LIVES {
                tried.push(self.judge(TableRecipe { shape, half_life: Some(share) }, &folds, stride)?);
                watch(tried.len(), all);
            }
            Ok(())
        };
        try_all(PENALTIES.into_iter().map(|penalty| Shape::Logistic { penalty }).collect())?;
        try_all(FORESTS.into_iter().map(|(trees, leaves)| Shape::Boosting { trees, leaves }).collect())?;
        if let Some(chosen) = best(&tried) {
            tried[chosen].chosen = true;
        }
        Ok(tried)
    }

    /// Where each fold lies; what is known ends where it begins.
    fn folds(&self, end: usize) -> Vec<Range<usize>> {
        let edge = |share: f64| (share * end as f64) as usize;
        let pairs = FOLD_EDGES.windows(2).map(|pair| (edge(pair[0]), edge(pair[1])));
        let mut folds = Vec::new();
        let mut last = 0;
        for (from, to) in pairs {
            let from = self.rows.boundary(from, last);
            let to = if to >= end { end } else { self.rows.boundary(to, from) };
            last = from;
            let teaching = self.rows.positives(0, self.calibrates_from(from.max(1)));
            let positives = self.rows.positives(from, to);
            if to - from >= LEAST_FOLD && teaching > 0 && positives > 0 && positives < to - from {
                folds.push(from..to);
            }
        }
        folds
    }

    fn judge(
        &self,
        recipe: TableRecipe,
        folds: &[Range<usize>],
        stride: usize,
    ) -> Result<TriedRecipe, TableGoalError> {
        let (mut relative, mut losses, mut areas) = (Vec::new(), Vec::new(), Vec::new());
        for fold in folds {
            let fit = self.fit(fold.start, recipe, stride)?;
            let labels = &self.rows.labels[fold.clone()];
            let probabilities = self.probabilities(&fit, fold.clone());
            let base = log_loss(&vec![fit.newest_rate; labels.len()], labels);
            let loss = log_loss(&probabilities, labels);
            relative.push(loss / base);
            losses.push(loss);
            areas.push(auc(&probabilities, labels));
        }
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let (trees, leaves) = match recipe.shape {
            Shape::Logistic { .. } => (None, None),
            Shape::Boosting { trees, leaves } => (Some(trees), Some(leaves)),
        };
        Ok(TriedRecipe {
            method: recipe.kind().as_str(),
            penalty: if trees.is_some() { LEAF_PENALTY } else { recipe.penalty() },
            trees,
            leaves,
            half_life: recipe.half_life,
            relative_log_loss: mean(&relative),
            log_loss: mean(&losses),
            auc: mean(&areas),
            worst_auc: areas.iter().copied().fold(f64::NAN, f64::min),
            chosen: false,
            recipe,
        })
    }

    /// Measures a recipe on the rows from `start` on: learned anew before each block, and once.
    ///
    /// # Errors
    /// When it has no fit.
    pub(super) fn forward(
        &self,
        start: usize,
        recipe: TableRecipe,
        watch: &dyn Fn(usize, usize),
    ) -> Result<Forward, TableGoalError> {
        let n = self.rows.len();
        let blocks = ((n - start) / ROWS_PER_BLOCK).clamp(1, MOST_BLOCKS);
        let first = self.fit(start, recipe, 1)?;
        let frozen = self.probabilities(&first, start..n);
        let (mut refreshed, mut base, mut fitted) = (Vec::new(), Vec::new(), 0);
        let mut from = start;
        for block in 0..blocks {
            watch(block, blocks);
            let wanted = start + (n - start) * (block + 1) / blocks;
            let to = if block + 1 == blocks { n } else { self.rows.boundary(wanted, from) };
            let again = match block {
                0 => None,
                _ => Some(self.fit(from, recipe, 1)?),
            };
            let fit = again.as_ref().unwrap_or(&first);
            refreshed.extend(self.probabilities(fit, from..to));
            base.extend(std::iter::repeat_n(fit.newest_rate, to - from));
            fitted += 1;
            from = to;
        }
        watch(blocks, blocks);
        Ok(Forward { refreshed, base, frozen, blocks: fitted, first })
    }
}

/// The candidate of least relative log-loss among those whose worst AUC is about the best: the order must hold under drift.
fn best(tried: &[TriedRecipe]) -> Option<usize> {
    let top = tried.iter().map(|tried| tried.worst_auc).fold(f64::NAN, f64::max);
    let holds = |tried: &TriedRecipe| top.is_nan() || tried.worst_auc >= top - AUC_SLACK;
    let loss = |index: &usize| tried[*index].relative_log_loss;
    let indices = (0..tried.len()).filter(|index| holds(&tried[*index]));
    indices.min_by(|one, other| loss(one).total_cmp(&loss(other)))
}
