//! The loop: tree after tree on the gradients of what the former trees leave.

use std::sync::Arc;

use linfa::DatasetBase;
use linfa::dataset::AsSingleTargets;
use linfa::traits::Fit;
use ndarray::{ArrayBase, Data, Ix2};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::cuts::find_cuts;
use super::error::BoostingError;
use super::grow::grow;
use super::histogram::Scale;
use super::model::{GradientBoosting, Tree};
use super::parameters::GradientBoostingValidParams;
use super::rows::BoostingRows;
use super::shard::ShardPlan;
use super::split::Search;
use super::team::Team;

impl<D: Data<Elem = f64>, T: AsSingleTargets<Elem = bool>> Fit<ArrayBase<D, Ix2>, T, BoostingError>
    for GradientBoostingValidParams
{
    type Object = GradientBoosting;

    /// Learns P(true) from records (rows × inputs, NaN being missing), targets and the data set's weights.
    ///
    /// Column-major records are read faster. Beside them it needs two bytes an input and 60 bytes a row, and up to 4 KiB
    /// for each input of each leaf. With a `validation_share` that part of the rows judges the trees only.
    fn fit(&self, dataset: &DatasetBase<ArrayBase<D, Ix2>, T>) -> Result<GradientBoosting, BoostingError> {
        let rows = BoostingRows::of(dataset)?;
        rows.weigh()?;
        let (training, validation) = rows.split(self.validation_share, self.seed);
        if self.validation_share > 0.0 && validation.chosen.is_empty() {
            return Err(BoostingError::NoRows);
        }
        self.boost(&training, &validation)
    }
}

impl GradientBoostingValidParams {
    /// Learns from all rows of one data set while another judges the trees, for [`patience`] to stop by.
    ///
    /// # Errors
    /// Those of `fit`, of either data set; the validation labels may be of one class.
    ///
    /// [`patience`]: super::GradientBoostingParams::patience
    pub fn fit_validated<D, T>(
        &self,
        training: &DatasetBase<ArrayBase<D, Ix2>, T>,
        validation: &DatasetBase<ArrayBase<D, Ix2>, T>,
    ) -> Result<GradientBoosting, BoostingError>
    where
        D: Data<Elem = f64>,
        T: AsSingleTargets<Elem = bool>,
    {
        let (training, validation) = (BoostingRows::of(training)?, BoostingRows::of(validation)?);
        let (wanted, found) = (training.inputs.ncols(), validation.inputs.ncols());
        if wanted != found {
            return Err(BoostingError::ColumnsDiffer { wanted, found });
        }
        self.boost(&training, &validation)
    }

    fn boost(
        &self,
        training: &BoostingRows,
        validation: &BoostingRows,
    ) -> Result<GradientBoosting, BoostingError> {
        let (wanted, columns) = (self.monotone.len(), training.inputs.ncols());
        if wanted > 0 && wanted != columns {
            return Err(BoostingError::ColumnsDiffer { wanted, found: columns });
        }
        let (falses, trues) = training.weigh()?;
        let threads = self.threads.unwrap_or_else(all_cores);
        let cuts = find_cuts(training, self.bins, self.seed, threads);
        let scale = Scale::new(training.chosen.len(), falses + trues);
        let base = libm::log(trues / falses);
        let plan = ShardPlan { cuts: &cuts, scale, base, seed: self.seed };
        let search = Search { parameters: self, cuts: &cuts, scale };
        let trees = std::thread::scope(|scope| {
            let mut team = Team::start(scope, training, validation, plan, threads);
            self.grow_trees(&mut team, &search, !validation.chosen.is_empty())
        });
        GradientBoosting::new(columns, base, trees)
    }

    fn grow_trees(&self, team: &mut Team, search: &Search, is_judged: bool) -> Vec<Tree> {
        let (mut trees, mut best) = (Vec::new(), (i128::MAX, 0));
        let draws = self.row_share < 1.0 || self.column_share < 1.0;
        for number in 0..self.trees {
            let root = team.begin(number as u64, self.row_share);
            let grown = grow(team, search, root, &self.open_columns(number, search.cuts.len()));
            if grown.leaves() == 1 {
                // Without draws every further tree would be the same.
                if draws { continue } else { break }
            }
            trees.push(grown.tree(search));
            let loss = team.finish(&Arc::new(grown));
            if loss < best.0 {
                best = (loss, trees.len());
            }
            if is_judged && self.patience.is_some_and(|patience| trees.len() - best.1 >= patience) {
                break;
            }
        }
        if is_judged && self.patience.is_some() {
            trees.truncate(best.1);
        }
        trees
    }

    /// The inputs that a tree may use: a seeded draw without replacement, at least one.
    fn open_columns(&self, tree: usize, columns: usize) -> Vec<bool> {
        let count = ((columns as f64 * self.column_share) as usize).clamp(1, columns);
        if count == columns {
            return vec![true; columns];
        }
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(2 * tree as u64 + 1);
        let (mut order, mut open): (Vec<usize>, _) = ((0..columns).collect(), vec![false; columns]);
        for index in 0..count {
            let drawn = (u64::from(random.next_u32()) * (columns - index) as u64) >> 32;
            order.swap(index, index + drawn as usize);
            open[order[index]] = true;
        }
        open
    }
}

fn all_cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}
