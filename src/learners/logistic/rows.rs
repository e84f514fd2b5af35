//! Loss, gradient and curvature of the logistic loss over rows: fixed blocks, sums in their order, all cores.

use std::borrow::Cow;
use std::ops::Range;

use ndarray::ArrayView2;

use super::cholesky::Symmetric;
use super::dot::dot;

/// Rows that are worked on together: their inputs stay in the cache from the logits to the curvature.
const BLOCK: usize = 256;
/// Chunks that threads share; few, since each brings a whole matrix of sums, and the same for any number of threads.
const CHUNKS: usize = 64;
/// Blocks of a chunk at least.
const LEAST_BLOCKS: usize = 4;
/// Columns of a tile of the curvature; a tile's sums stay in registers.
const TILE: usize = 4;

/// Rows to learn from, column-major, with what each counts.
pub(super) struct LogisticRows<'a> {
    /// Column after column.
    columns: Cow<'a, [f64]>,
    width: usize,
    labels: &'a [bool],
    weights: Option<&'a [f64]>,
    offsets: Option<&'a [f64]>,
    threads: usize,
}

/// Some of the blocks: every `stride`-th, from the first.
#[derive(Clone, Copy)]
pub(super) struct BlockSubset {
    pub(super) stride: usize,
}

impl BlockSubset {
    pub(super) const ALL: BlockSubset = BlockSubset { stride: 1 };
}

/// Loss and gradient (inputs, then the intercept), without the penalty.
pub(super) struct Slope {
    pub(super) loss: f64,
    pub(super) gradient: Vec<f64>,
}

/// How much the rows of each outcome weigh.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Mass {
    pub(super) trues: f64,
    pub(super) falses: f64,
}

impl Mass {
    pub(super) fn total(self) -> f64 {
        self.trues + self.falses
    }
}

impl<'a> LogisticRows<'a> {
    /// `columns` is rows × inputs; what is not column-major is copied once.
    pub(super) fn new(
        columns: ArrayView2<'a, f64>,
        labels: &'a [bool],
        weights: Option<&'a [f64]>,
        threads: usize,
    ) -> LogisticRows<'a> {
        let width = columns.ncols();
        let columns = match columns.reversed_axes().to_slice() {
            Some(slice) => Cow::Borrowed(slice),
            None => Cow::Owned(columns.t().iter().copied().collect()),
        };
        LogisticRows { columns, width, labels, weights, offsets: None, threads }
    }

    /// The same with a number for each row that its logit begins with.
    pub(super) fn with_offsets(self, offsets: Option<&'a [f64]>) -> LogisticRows<'a> {
        LogisticRows { offsets, ..self }
    }

    /// Inputs of a row.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub(super) fn count(&self) -> usize {
        self.labels.len()
    }

    /// The largest absolute input; infinite when one is not a number.
    pub(super) fn largest(&self) -> f64 {
        let largest = parallel::in_chunks_on(self.threads, self.columns.len(), CHUNKS * BLOCK, |range| {
            let magnitude = |input: &f64| if input.is_nan() { f64::INFINITY } else { input.abs() };
            self.columns[range].iter().map(magnitude).fold(0.0, f64::max)
        });
        largest.into_iter().fold(0.0, f64::max)
    }

    /// What the rows of a part weigh.
    pub(super) fn mass(&self, part: BlockSubset) -> Mass {
        let masses = self.in_chunks(
            part,
            |rows, mass: &mut Mass, _: &mut ()| {
                for row in rows {
                    let weight = self.weight(row);
                    if self.labels[row] { mass.trues += weight } else { mass.falses += weight }
                }
            },
            || (Mass { trues: 0.0, falses: 0.0 }, ()),
        );
        let sum = |a: Mass, b: Mass| Mass { trues: a.trues + b.trues, falses: a.falses + b.falses };
        masses.into_iter().fold(Mass { trues: 0.0, falses: 0.0 }, sum)
    }

    /// Loss and gradient of a part at a point (weights, then the intercept).
    pub(super) fn slope(&self, part: BlockSubset, point: &[f64]) -> Slope {
        let empty = || (Slope { loss: 0.0, gradient: vec![0.0; point.len()] }, RowBlock::default());
        let chunks = self.in_chunks(
            part,
            |rows, sum: &mut Slope, block: &mut RowBlock| {
                self.fill_logits(rows.clone(), point, block);
                sum.loss += self.fill_misses(rows.clone(), block);
                let misses = &block.misses[..rows.len()];
                for (column, slope) in sum.gradient.iter_mut().enumerate() {
                    *slope += match column < self.width() {
                        true => dot(self.column(column, rows.clone()), misses),
                        false => misses.iter().sum(),
                    };
                }
            },
            empty,
        );
        let mut sum = empty().0;
        for chunk in chunks {
            sum.loss += chunk.loss;
            sum.gradient.iter_mut().zip(&chunk.gradient).for_each(|(sum, part)| *sum += part);
        }
        sum
    }

    /// Second derivatives of a part at a point: Σ weight · p · (1 − p) · x xᵀ, x ending in a one.
    pub(super) fn curvature(&self, part: BlockSubset, point: &[f64]) -> Symmetric {
        let panels = point.len().div_ceil(TILE);
        let tiles = panels * (panels + 1) / 2;
        let empty =
            || (vec![[[0.0; TILE]; TILE]; tiles], (RowBlock::default(), vec![[0.0; TILE]; panels * BLOCK]));
        let chunks = self.in_chunks(
            part,
            |rows, sums, (block, packed)| {
                self.fill_logits(rows.clone(), point, block);
                self.fill_spreads(rows.clone(), block);
                self.pack(rows.clone(), block, packed);
                let panel = |index: usize| &packed[index * BLOCK..index * BLOCK + rows.len()];
                let mut sums = sums.iter_mut();
                for a in 0..panels {
                    (0..=a).zip(&mut sums).for_each(|(b, sum)| add_products(panel(a), panel(b), sum));
                }
            },
            empty,
        );
        let mut sums = empty().0;
        for chunk in chunks {
            let pairs = sums.iter_mut().flatten().flatten().zip(chunk.iter().flatten().flatten());
            pairs.for_each(|(sum, part)| *sum += part);
        }
        unpacked(&sums, point.len())
    }

    fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[row])
    }

    fn column(&self, column: usize, rows: Range<usize>) -> &[f64] {
        let first = column * self.count();
        &self.columns[first + rows.start..first + rows.end]
    }

    /// Folds the blocks of a part, chunk by chunk, into sums with room to work in; returns the chunks' sums in order.
    fn in_chunks<T: Send, R>(
        &self,
        part: BlockSubset,
        absorb: impl Fn(Range<usize>, &mut T, &mut R) + Sync,
        empty: impl Fn() -> (T, R) + Sync,
    ) -> Vec<T> {
        let blocks = self.count().div_ceil(BLOCK).div_ceil(part.stride);
        let chunk = blocks.div_ceil(CHUNKS).max(LEAST_BLOCKS);
        parallel::in_chunks_on(self.threads, blocks, chunk, |blocks| {
            let (mut sum, mut room) = empty();
            for block in blocks {
                let first = block * part.stride * BLOCK;
                absorb(first..(first + BLOCK).min(self.count()), &mut sum, &mut room);
            }
            sum
        })
    }

    fn fill_logits(&self, rows: Range<usize>, point: &[f64], block: &mut RowBlock) {
        let (intercept, weights) = point.split_last().map_or((0.0, point), |(last, rest)| (*last, rest));
        let logits = &mut block.logits[..rows.len()];
        logits.fill(intercept);
        if let Some(offsets) = self.offsets {
            logits.iter_mut().zip(&offsets[rows.clone()]).for_each(|(logit, offset)| *logit += offset);
        }
        for (column, weight) in weights.iter().enumerate() {
            let inputs = self.column(column, rows.clone());
            logits.iter_mut().zip(inputs).for_each(|(logit, input)| *logit += weight * input);
        }
    }

    /// Weighted probability − label of each row; returns Σ weight · −ln P(label).
    fn fill_misses(&self, rows: Range<usize>, block: &mut RowBlock) -> f64 {
        let mut loss = 0.0;
        for (index, row) in rows.enumerate() {
            // Turned so that the label is likely when `logit` is large.
            let sign = if self.labels[row] { 1.0 } else { -1.0 };
            let (logit, weight) = (sign * block.logits[index], self.weight(row));
            let small = libm::exp(-logit.abs());
            let other = if logit >= 0.0 { small / (1.0 + small) } else { 1.0 / (1.0 + small) };
            block.misses[index] = -sign * weight * other;
            // A row without weight counts nothing, were its loss infinite.
            if weight > 0.0 {
                loss += weight * ((-logit).max(0.0) + libm::log1p(small));
            }
        }
        loss
    }

    /// √(weight · p · (1 − p)) of each row.
    fn fill_spreads(&self, rows: Range<usize>, block: &mut RowBlock) {
        for (index, row) in rows.enumerate() {
            let small = libm::exp(-block.logits[index].abs());
            block.misses[index] = libm::sqrt(self.weight(row) * small) / (1.0 + small);
        }
    }

    /// Inputs times spreads, four columns side by side; the last column is that of the ones.
    fn pack(&self, rows: Range<usize>, block: &RowBlock, packed: &mut [[f64; TILE]]) {
        let spreads = &block.misses[..rows.len()];
        for column in 0..=self.width() {
            let (panel, lane) = (column / TILE, column % TILE);
            let target = packed[panel * BLOCK..].iter_mut().zip(spreads);
            match column < self.width() {
                true => {
                    let inputs = self.column(column, rows.clone());
                    target.zip(inputs).for_each(|((to, spread), input)| to[lane] = spread * input);
                }
                false => target.for_each(|(to, spread)| to[lane] = *spread),
            }
        }
    }
}

/// What is computed of each row of a block.
struct RowBlock {
    logits: [f64; BLOCK],
    misses: [f64; BLOCK],
}

impl Default for RowBlock {
    fn default() -> RowBlock {
        RowBlock { logits: [0.0; BLOCK], misses: [0.0; BLOCK] }
    }
}

/// Adds Σ over rows of a's four columns times b's four. Multiplies and adds one row after the other, so that the bits do
/// not depend on how wide the machine's registers are.
fn add_products(a: &[[f64; TILE]], b: &[[f64; TILE]], sum: &mut [[f64; TILE]; TILE]) {
    let mut sums = [[0.0; TILE]; TILE];
    for (a, b) in a.iter().zip(b) {
        for (a, sums) in a.iter().zip(&mut sums) {
            for (b, sum) in b.iter().zip(sums) {
                *sum += a * b;
            }
        }
    }
    sum.iter_mut().flatten().zip(sums.iter().flatten()).for_each(|(sum, part)| *sum += part);
}

fn unpacked(tiles: &[[[f64; TILE]; TILE]], size: usize) -> Symmetric {
    let mut matrix = Symmetric::zeros(size);
    for row in 0..size {
        for column in 0..=row {
            let (a, b) = (row / TILE, column / TILE);
            matrix.set(row, column, tiles[a * (a + 1) / 2 + b][row % TILE][column % TILE]);
        }
    }
    matrix
}
