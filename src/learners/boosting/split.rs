//! Which split of a leaf lowers the loss most.

use super::cuts::Cuts;
use super::histogram::{Cell, Column, Histograms, Scale};
use super::parameters::GradientBoostingValidParams;

/// Gains below this part of the leaf's own score are rounding.
const NOISE: f64 = 1e-12;

/// What decides whether a row goes left, by its bins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct SplitTest {
    pub(super) column: usize,
    /// The last bin that goes left.
    pub(super) bin: u8,
    /// The bin of missing values where they go left, else 256, which is no bin.
    pub(super) missing: u16,
}

impl SplitTest {
    #[inline]
    pub(super) fn goes_left(self, bin: u8) -> bool {
        (bin <= self.bin) | (u16::from(bin) == self.missing)
    }
}

/// A split of a leaf and what lies on either side.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Split {
    pub(super) column: usize,
    /// The last bin that goes left.
    pub(super) bin: u8,
    pub(super) missing_left: bool,
    /// G² / (H + λ) of both sides less that of the whole.
    pub(super) gain: f64,
    pub(super) left: Cell,
    pub(super) right: Cell,
}

/// Rows of a leaf, and between which values its own must stay for the sake of monotone inputs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Region {
    pub(super) total: Cell,
    pub(super) low: f64,
    pub(super) high: f64,
}

/// The search for splits: what is the same for all leaves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search<'a> {
    pub(super) parameters: &'a GradientBoostingValidParams,
    pub(super) cuts: &'a [Cuts],
    pub(super) scale: Scale,
}

impl Search<'_> {
    /// The best split of a leaf among the columns that are open; the first of equals.
    pub(super) fn best(&self, histograms: &Histograms, region: &Region, open: &[bool]) -> Option<Split> {
        let total = region.total;
        if self.scale.count(total) / 2 < self.parameters.rows_per_leaf {
            return None;
        }
        let columns = histograms.columns.iter().enumerate().filter(|(column, _)| open[*column]);
        let best =
            columns.fold(None, |best, (column, cells)| self.best_of_column(column, cells, region, best));
        best.map(|split| self.centred(split, &histograms.columns[split.column]))
    }

    /// The same division of the leaf's rows, cut in the middle of the bins that none of them is in.
    fn centred(&self, split: Split, cells: &Column) -> Split {
        let bins = self.cuts[split.column].bins();
        let after = usize::from(split.bin) + 1;
        let next = (after..bins).find(|bin| !cells[*bin].is_empty());
        next.map_or(split, |next| Split { bin: ((after + next) / 2 - 1) as u8, ..split })
    }

    /// The loss-minimising value of a set of rows, kept between a region's bounds: −G / (H + λ).
    pub(super) fn value(&self, cell: Cell, region: &Region) -> f64 {
        let curvature = self.scale.hessian(cell) + self.parameters.l2;
        let value = if curvature > 0.0 { -self.scale.gradient(cell) / curvature } else { 0.0 };
        value.clamp(region.low, region.high)
    }

    /// The regions of both sides. What a monotone input divides must not meet again: the middle of the two values
    /// bounds all that grows from either side.
    pub(super) fn regions(&self, split: &Split, region: &Region) -> [Region; 2] {
        let [mut left, mut right] = [split.left, split.right].map(|total| Region { total, ..*region });
        let middle = (self.value(split.left, region) + self.value(split.right, region)) / 2.0;
        match self.direction(split.column) {
            1 => (left.high, right.low) = (middle, middle),
            -1 => (left.low, right.high) = (middle, middle),
            _ => {}
        }
        [left, right]
    }

    fn direction(&self, column: usize) -> i8 {
        self.parameters.monotone.get(column).copied().unwrap_or(0)
    }

    /// Twice what a value lowers the loss by, to second order: G² / (H + λ) for the best value.
    fn score(&self, cell: Cell, value: f64) -> f64 {
        let (gradient, hessian) = (self.scale.gradient(cell), self.scale.hessian(cell));
        -(2.0 * gradient * value + (hessian + self.parameters.l2) * value * value)
    }

    fn best_of_column(
        &self,
        column: usize,
        cells: &Column,
        region: &Region,
        best: Option<Split>,
    ) -> Option<Split> {
        let bins = self.cuts[column].bins();
        let missing = cells[bins];
        if missing.is_empty() {
            // Nobody has shown where missing values belong: they go with most rows.
            let best = self.scan(column, &cells[..bins - 1], Cell::default(), region, best);
            return best.map(|split| if split.column == column { self.with_most(split) } else { split });
        }
        let best = self.scan(column, &cells[..bins], Cell::default(), region, best);
        self.scan(column, &cells[..bins - 1], missing, region, best)
    }

    fn with_most(&self, split: Split) -> Split {
        Split { missing_left: self.scale.count(split.left) >= self.scale.count(split.right), ..split }
    }

    /// Tries a split after each of the cells; `left` lies left of all of them.
    fn scan(
        &self,
        column: usize,
        cells: &[Cell],
        mut left: Cell,
        region: &Region,
        mut best: Option<Split>,
    ) -> Option<Split> {
        let (missing_left, direction) = (!left.is_empty(), self.direction(column));
        let (whole, floor) = self.floor(region);
        let mut highest = best.map_or(floor, |best| best.gain);
        for (bin, cell) in cells.iter().enumerate() {
            if cell.is_empty() {
                continue;
            }
            left.add(*cell);
            let right = region.total.minus(left);
            if !self.is_large_enough(right) {
                break;
            }
            if !self.is_large_enough(left) {
                continue;
            }
            let gain = self.both(left, right, region, direction) - whole;
            if gain > highest {
                highest = gain;
                best = Some(Split { column, bin: bin as u8, missing_left, gain, left, right });
            }
        }
        best
    }

    /// The score of the undivided region, and the gain that a split must exceed.
    fn floor(&self, region: &Region) -> (f64, f64) {
        let whole = self.score(region.total, self.value(region.total, region));
        (whole, self.parameters.gain + NOISE * whole.abs())
    }

    #[inline]
    fn is_large_enough(&self, cell: Cell) -> bool {
        self.scale.count(cell) >= self.parameters.rows_per_leaf
            && self.scale.hessian(cell) >= self.parameters.hessian_per_leaf
    }

    /// The scores of both sides, minus infinity where their values run against the column's direction.
    #[inline]
    fn both(&self, left: Cell, right: Cell, region: &Region, direction: i8) -> f64 {
        if self.parameters.monotone.is_empty() {
            let best = |cell| {
                let gradient = self.scale.gradient(cell);
                gradient * gradient / (self.scale.hessian(cell) + self.parameters.l2)
            };
            return best(left) + best(right);
        }
        let (low, high) = (self.value(left, region), self.value(right, region));
        if f64::from(direction) * (high - low) < 0.0 {
            return f64::NEG_INFINITY;
        }
        self.score(left, low) + self.score(right, high)
    }
}
