//! The rows of one thread: their bins, gradients and logits, and in which leaf each of them is.

use std::ops::Range;
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::cuts::Cuts;
use super::grown::Grown;
use super::histogram::{Cell, Histograms, Scale};
use super::rows::BoostingRows;
use super::split::SplitTest;
use domain::numeric::{logistic, softplus};

/// Losses are summed as integers of this part of the mean loss: their sum does not depend on the shards.
const LOSS_UNIT: f64 = (1_u64 << 50) as f64;

/// What a shard is asked to do.
#[derive(Clone, Debug)]
pub(super) enum Command {
    /// Draw the rows of a tree, compute their gradients and return their histograms.
    Start { tree: u64, share: f64, histograms: Histograms },
    /// Divide a leaf; what goes right becomes leaf `new`. Return the histograms of one side.
    Split { leaf: usize, test: SplitTest, build: Option<(Side, Histograms)> },
    /// Add a tree to the logits; return the validation loss.
    Finish(Arc<Grown>),
}

/// One side of a split.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Side {
    Left,
    Right,
}

/// What a shard answers.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    pub(super) histograms: Option<Histograms>,
    /// Sum over the validation rows, in parts of the mean.
    pub(super) loss: i128,
}

/// What all shards of a fit have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct ShardPlan<'a> {
    pub(super) cuts: &'a [Cuts],
    pub(super) scale: Scale,
    /// The logit of the base rate, from which boosting starts.
    pub(super) base: f64,
    pub(super) seed: u64,
}

/// Rows as bytes with the logits they have so far.
#[derive(Clone, Debug)]
struct BinnedRows {
    width: usize,
    /// Row after row.
    bins: Vec<u8>,
    /// Label (1 or 0) and weight.
    targets: Vec<(f64, f64)>,
    logits: Vec<f64>,
}

impl BinnedRows {
    fn new(rows: &BoostingRows, range: Range<usize>, plan: &ShardPlan) -> BinnedRows {
        let chosen = &rows.chosen[range];
        let target = |row: &u32| (f64::from(u8::from(rows.label(*row))), rows.weight(*row));
        let targets: Vec<(f64, f64)> = chosen.iter().map(target).collect();
        let (width, logits) = (plan.cuts.len(), vec![plan.base; chosen.len()]);
        BinnedRows { width, bins: bins(rows, chosen, plan.cuts), targets, logits }
    }

    fn add_by_walking(&mut self, row: usize, tree: &Grown) {
        self.logits[row] += tree.value(&self.bins[row * self.width..(row + 1) * self.width]);
    }
}

/// Row after row of bytes; blocks of rows are small enough to stay in the cache while columns take turns.
fn bins(rows: &BoostingRows, chosen: &[u32], cuts: &[Cuts]) -> Vec<u8> {
    const BLOCK: usize = 1024;
    let width = cuts.len();
    let mut bins = vec![0; chosen.len() * width];
    for (chosen, bins) in chosen.chunks(BLOCK).zip(bins.chunks_mut(BLOCK * width)) {
        for (column, cuts) in cuts.iter().enumerate() {
            let inputs = rows.inputs.column(column);
            for (row, bins) in chosen.iter().zip(bins.chunks_exact_mut(width)) {
                bins[column] = cuts.bin(inputs[*row as usize]);
            }
        }
    }
    bins
}

/// The same bytes, column after column.
fn by_column(bins: &[u8], width: usize) -> Vec<u8> {
    let rows = bins.len() / width;
    let mut turned = vec![0; bins.len()];
    for (column, turned) in turned.chunks_exact_mut(rows.max(1)).enumerate() {
        turned.iter_mut().zip(bins.chunks_exact(width)).for_each(|(turned, row)| *turned = row[column]);
    }
    turned
}

/// One thread's rows.
#[derive(Clone, Debug)]
pub(super) struct Shard {
    rows: BinnedRows,
    /// Their bytes again, column after column: a split reads one column only.
    columns: Vec<u8>,
    /// The index of the first row among all: draws belong to rows, not to shards.
    first: usize,
    seed: u64,
    scale: Scale,
    cells: Vec<Cell>,
    /// The tree's rows, those of a leaf together and rising.
    order: Vec<u32>,
    /// Room for the rows that go right.
    spare: Vec<u32>,
    /// Rows that the tree does not learn from.
    left_out: Vec<u32>,
    /// Where each leaf's rows are in `order`.
    leaves: Vec<Range<usize>>,
    validation: BinnedRows,
    /// 1 / Σ weight of all validation rows.
    validation_unit: f64,
}

impl Shard {
    /// Some of the training rows and some of the validation rows, by range.
    pub(super) fn new(
        training: (&BoostingRows, Range<usize>),
        validation: (&BoostingRows, Range<usize>, f64),
        plan: &ShardPlan,
    ) -> Shard {
        let (first, count) = (training.1.start, training.1.len());
        let rows = BinnedRows::new(training.0, training.1, plan);
        Shard {
            columns: by_column(&rows.bins, rows.width),
            rows,
            first,
            seed: plan.seed,
            scale: plan.scale,
            cells: vec![Cell::default(); count],
            order: Vec::with_capacity(count),
            spare: vec![0; count],
            left_out: Vec::new(),
            leaves: Vec::new(),
            validation: BinnedRows::new(validation.0, validation.1, plan),
            validation_unit: 1.0 / validation.2,
        }
    }

    pub(super) fn obey(&mut self, command: Command) -> Reply {
        let histograms = match command {
            Command::Start { tree, share, histograms } => {
                self.draw_rows(tree, share);
                self.compute_gradients();
                Some(self.build(0, histograms))
            }
            Command::Split { leaf, test, build } => {
                self.split(leaf, test);
                build.map(|(side, histograms)| match side {
                    Side::Left => self.build(leaf, histograms),
                    Side::Right => self.build(self.leaves.len() - 1, histograms),
                })
            }
            Command::Finish(tree) => return Reply { histograms: None, loss: self.finish(&tree) },
        };
        Reply { histograms, loss: 0 }
    }

    /// The tree's rows: each with its own number from the tree's stream.
    fn draw_rows(&mut self, tree: u64, share: f64) {
        let rows = self.rows.targets.len() as u32;
        self.order.clear();
        self.left_out.clear();
        if share < 1.0 {
            let mut random = ChaCha8Rng::seed_from_u64(self.seed);
            random.set_stream(2 * tree);
            random.set_word_pos(self.first as u128);
            let bound = (share * 4_294_967_296.0) as u32;
            for row in 0..rows {
                if random.next_u32() < bound { &mut self.order } else { &mut self.left_out }.push(row);
            }
        } else {
            self.order.extend(0..rows);
        }
        self.leaves.clear();
        self.leaves.push(0..self.order.len());
    }

    /// First and second derivative of each row's loss by its logit: w (p − y) and w p (1 − p).
    fn compute_gradients(&mut self) {
        let rows = self.rows.logits.iter().zip(&self.rows.targets);
        for (cell, (logit, (label, weight))) in self.cells.iter_mut().zip(rows) {
            let probability = logistic(*logit);
            let hessian = weight * probability * (1.0 - probability);
            *cell = self.scale.row(weight * (probability - label), hessian);
        }
    }

    fn build(&self, leaf: usize, mut histograms: Histograms) -> Histograms {
        histograms.clear();
        histograms.add_rows(&self.rows.bins, &self.cells, &self.order[self.leaves[leaf].clone()]);
        histograms
    }

    /// Left stay, right go to a new leaf, both in their order; no branch depends on the data.
    fn split(&mut self, leaf: usize, test: SplitTest) {
        let range = self.leaves[leaf].clone();
        let count = self.rows.targets.len();
        let bins = &self.columns[test.column * count..(test.column + 1) * count];
        let order = &mut self.order[range.clone()];
        let (mut left, mut right) = (0, 0);
        for index in 0..order.len() {
            let row = order[index];
            let goes_left = usize::from(test.goes_left(bins[row as usize]));
            order[left] = row;
            self.spare[right] = row;
            left += goes_left;
            right += 1 - goes_left;
        }
        order[left..].copy_from_slice(&self.spare[..right]);
        self.leaves[leaf] = range.start..range.start + left;
        self.leaves.push(range.start + left..range.end);
    }

    fn finish(&mut self, tree: &Grown) -> i128 {
        for (leaf, value) in self.leaves.iter().zip(&tree.leaf_values) {
            for row in &self.order[leaf.clone()] {
                self.rows.logits[*row as usize] += value;
            }
        }
        for row in &self.left_out {
            self.rows.add_by_walking(*row as usize, tree);
        }
        (0..self.validation.targets.len()).for_each(|row| self.validation.add_by_walking(row, tree));
        self.validation_loss()
    }

    /// Σ w (ln(1 + e^z) − y z), each row rounded on its own.
    fn validation_loss(&self) -> i128 {
        let of_row = |(logit, (label, weight)): (&f64, &(f64, f64))| {
            let loss = softplus(*logit) - label * logit;
            (weight * self.validation_unit * loss * LOSS_UNIT) as i128
        };
        self.validation.logits.iter().zip(&self.validation.targets).map(of_row).sum()
    }
}
