//! Sums of gradients by bin, in integers: any order of addition gives the same.

use std::ops::Range;

/// Rows with one bin of an input, or any set of rows: Σ gradient, and count and Σ hessian in one number.
///
/// A sum is two additions, which compilers turn into one vector instruction; [`Scale`] says how numbers are stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cell {
    gradient: i64,
    count_and_hessian: i64,
}

impl Cell {
    // Sums stay far inside 63 bits by the choice of the scale, so wrapping never happens and need not be checked.
    #[inline]
    pub(super) fn add(&mut self, other: Cell) {
        self.gradient = self.gradient.wrapping_add(other.gradient);
        self.count_and_hessian = self.count_and_hessian.wrapping_add(other.count_and_hessian);
    }

    #[inline]
    pub(super) fn minus(self, other: Cell) -> Cell {
        Cell {
            gradient: self.gradient.wrapping_sub(other.gradient),
            count_and_hessian: self.count_and_hessian.wrapping_sub(other.count_and_hessian),
        }
    }

    #[inline]
    pub(super) fn plus(mut self, other: Cell) -> Cell {
        self.add(other);
        self
    }

    pub(super) fn is_empty(self) -> bool {
        self == Cell::default()
    }
}

/// How gradients become integers: powers of two that use most of 62 bits for the sum over all rows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    gradient: f64,
    hessian: f64,
    gradient_unit: f64,
    hessian_unit: f64,
    /// Where the count begins in the number it shares with the hessian.
    count_bit: u32,
}

impl Scale {
    /// For so many rows of so much weight. A row's |gradient| is at most its weight, its hessian a quarter of it.
    pub(super) fn new(rows: usize, weight: f64) -> Scale {
        let count_bits = usize::BITS - rows.leading_zeros();
        let count_bit = 63 - count_bits;
        let power = |bits: u32, most: f64| bits as i32 - 2 - libm::ilogb(most);
        let (gradient, hessian) = (power(63, weight), power(count_bit, weight / 4.0));
        Scale {
            gradient: libm::ldexp(1.0, gradient),
            hessian: libm::ldexp(1.0, hessian),
            gradient_unit: libm::ldexp(1.0, -gradient),
            hessian_unit: libm::ldexp(1.0, -hessian),
            count_bit,
        }
    }

    /// One row.
    #[inline]
    pub(super) fn row(&self, gradient: f64, hessian: f64) -> Cell {
        let hessian = (hessian * self.hessian + 0.5) as i64;
        Cell {
            gradient: (gradient * self.gradient) as i64,
            count_and_hessian: hessian | (1 << self.count_bit),
        }
    }

    #[inline]
    pub(super) fn gradient(&self, cell: Cell) -> f64 {
        cell.gradient as f64 * self.gradient_unit
    }

    #[inline]
    pub(super) fn hessian(&self, cell: Cell) -> f64 {
        (cell.count_and_hessian & ((1 << self.count_bit) - 1)) as f64 * self.hessian_unit
    }

    #[inline]
    pub(super) fn count(&self, cell: Cell) -> usize {
        (cell.count_and_hessian >> self.count_bit) as usize
    }
}

/// Rows whose memory is fetched together.
const BATCH: usize = 64;

/// One input's cells: a bin is a byte, so no index can be out of bounds.
pub(super) type Column = [Cell; 256];

/// The cells of every input for one set of rows.
#[derive(Clone, Debug)]
pub(super) struct Histograms {
    pub(super) columns: Vec<Column>,
}

impl Histograms {
    pub(super) fn empty(columns: usize) -> Histograms {
        Histograms { columns: vec![[Cell::default(); 256]; columns] }
    }

    pub(super) fn clear(&mut self) {
        self.columns.fill([Cell::default(); 256]);
    }

    /// Adds rows: `bins` holds a row's bytes one after another, `cells` a cell a row.
    ///
    /// A leaf's rows lie anywhere in memory. Their cells and bytes are fetched for a batch of rows at once, so that
    /// the waits overlap; then the batch is added up from the cache.
    pub(super) fn add_rows(&mut self, bins: &[u8], cells: &[Cell], rows: &[u32]) {
        let width = self.columns.len();
        let mut fetched = [Cell::default(); BATCH];
        for rows in rows.chunks(BATCH) {
            let mut touched = 0;
            for (cell, row) in fetched.iter_mut().zip(rows) {
                let row = *row as usize;
                *cell = cells[row];
                touched ^= bins[row * width] ^ bins[(row + 1) * width - 1];
            }
            // The bytes themselves mean nothing here: they need only have been read.
            std::hint::black_box(touched);
            for (row, cell) in rows.iter().zip(&fetched) {
                let row = *row as usize;
                for (column, bin) in self.columns.iter_mut().zip(&bins[row * width..(row + 1) * width]) {
                    column[usize::from(*bin)].add(*cell);
                }
            }
        }
    }

    pub(super) fn add(&mut self, other: &Histograms) {
        for (column, other) in self.columns.iter_mut().zip(&other.columns) {
            column.iter_mut().zip(other).for_each(|(cell, other)| cell.add(*other));
        }
    }

    /// Takes out a part of the rows: what is left is the sibling.
    pub(super) fn subtract(&mut self, part: &Histograms) {
        for (column, part) in self.columns.iter_mut().zip(&part.columns) {
            column.iter_mut().zip(part).for_each(|(cell, part)| *cell = cell.minus(*part));
        }
    }

    /// All rows: every input sees each of them once.
    pub(super) fn total(&self) -> Cell {
        self.columns.first().map_or(Cell::default(), |column| sum(column, 0..256))
    }
}

fn sum(column: &Column, bins: Range<usize>) -> Cell {
    column[bins].iter().fold(Cell::default(), |sum, cell| sum.plus(*cell))
}
