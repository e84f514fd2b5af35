//! Symmetric matrices and their Cholesky factor, for the steps of Newton's method.

use super::dot::dot;

/// A symmetric matrix, of which the lower triangle is kept, row after row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Symmetric {
    size: usize,
    values: Vec<f64>,
}

fn offset(row: usize, column: usize) -> usize {
    row * (row + 1) / 2 + column
}

impl Symmetric {
    pub(super) fn zeros(size: usize) -> Symmetric {
        Symmetric { size, values: vec![0.0; offset(size, 0)] }
    }

    /// Sets an entry of the lower triangle: `column` ≤ `row`.
    pub(super) fn set(&mut self, row: usize, column: usize, value: f64) {
        self.values[offset(row, column)] = value;
    }

    /// Adds to an entry of the diagonal.
    pub(super) fn add_to_diagonal(&mut self, row: usize, value: f64) {
        self.values[offset(row, row)] += value;
    }

    fn largest_diagonal(&self) -> f64 {
        (0..self.size).map(|row| self.values[offset(row, row)]).fold(0.0, f64::max)
    }

    /// Its factor. Where rounding leaves no positive pivot, the diagonal is raised until there is one: the step is then
    /// shorter and still leads downhill. `None` when an entry is not finite.
    pub(super) fn factor(&self) -> Option<Factor> {
        const FIRST: f64 = 1e-14;
        let largest = self.largest_diagonal();
        if !self.values.iter().all(|value| value.is_finite()) {
            return None;
        }
        let raises = std::iter::successors(Some(FIRST), |raise| Some(raise * 10.0)).take(16);
        let raises = raises.map(|share| share * largest.max(f64::MIN_POSITIVE));
        std::iter::once(0.0).chain(raises).find_map(|raise| self.factor_raised(raise))
    }

    fn factor_raised(&self, raise: f64) -> Option<Factor> {
        /// A pivot below this part of its diagonal is made of rounding.
        const LEAST_PIVOT: f64 = 1e-15;
        let mut lower = self.values.clone();
        for row in 0..self.size {
            let (above, own) = lower.split_at_mut(offset(row, 0));
            for column in 0..row {
                let other = &above[offset(column, 0)..];
                own[column] = (own[column] - dot(&own[..column], &other[..column])) / other[column];
            }
            let diagonal = own[row] + raise;
            let pivot = diagonal - dot(&own[..row], &own[..row]);
            if pivot.is_nan() || pivot <= LEAST_PIVOT * diagonal {
                return None;
            }
            own[row] = libm::sqrt(pivot);
        }
        Some(Factor { size: self.size, lower, scale: 1.0 })
    }
}

/// L of L Lᵀ = matrix / scale.
#[derive(Clone, Debug)]
pub(super) struct Factor {
    size: usize,
    lower: Vec<f64>,
    scale: f64,
}

impl Factor {
    /// The factor of a multiple of the matrix.
    pub(super) fn times(self, scale: f64) -> Factor {
        Factor { scale: self.scale * scale, ..self }
    }

    /// x of matrix · x = `right`.
    pub(super) fn solve(&self, right: &[f64]) -> Vec<f64> {
        let mut x: Vec<f64> = right.iter().map(|value| value / self.scale).collect();
        for row in 0..self.size {
            let own = &self.lower[offset(row, 0)..=offset(row, row)];
            x[row] = (x[row] - dot(&own[..row], &x[..row])) / own[row];
        }
        for row in (0..self.size).rev() {
            let own = &self.lower[offset(row, 0)..=offset(row, row)];
            x[row] /= own[row];
            let value = x[row];
            x[..row].iter_mut().zip(own).for_each(|(x, a)| *x -= a * value);
        }
        x
    }
}
