//! The reward model of DM and DR: a mean for each action and position, shrunk, from rows of the other fold only.
//!
//! A cell (action, position) with n rows and mean m is given z m + (1 − z) μ, with μ the mean of its position and the
//! credibility z = n / (n + k) of Bühlmann and Straub 1970. DR takes k = s²/a, the variance within cells over that
//! between them, both by moments: it errs least, and weighted rows take its bias away. Nothing does so for DM, and a
//! policy that prefers what is good would be told too low by it; there k is one row. Where the log carries an earlier
//! model's expectation of each choice, it is used instead of the cells' means, times one factor learned from the other fold.

use std::collections::BTreeMap;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use super::problem::{LoggedRow, OffPolicyProblem};

/// What a reward model that has not seen a row says of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExpectedRewards {
    /// q̂(x, a) of each row's logged action.
    pub logged: Vec<f64>,
    /// Σ π(a) q̂(x, a) of each row.
    pub policy: Vec<f64>,
    /// The same of DM, hardly shrunk.
    pub direct: Vec<f64>,
    /// How each row's reward, by way of the model of its own fold, moves DM: rows · ∂DM/∂r · (r − r̂).
    pub learning: Vec<f64>,
}

/// Rows that what DM expects of a cell is shrunk by.
const DIRECT_STRENGTH: f64 = 1.0;

/// Rows that share their choices, position and fold.
type RowGroup = (u32, u32, u8);

/// Learns from each fold and says what it expects in the other.
pub fn cross_fit(problem: &OffPolicyProblem, seed: u64) -> ExpectedRewards {
    let folds = folds(problem, seed);
    let mut groups: BTreeMap<RowGroup, f64> = BTreeMap::new();
    for (row, fold) in problem.rows.iter().zip(&folds) {
        *groups.entry((row.choices, row.position, *fold)).or_default() += 1.0;
    }
    let is_given = |row: &LoggedRow| {
        let mut choices = problem.choices[row.choices as usize].iter();
        problem.logged_choice(row).is_some() && choices.all(|choice| choice.expected_reward.is_finite())
    };
    match problem.rows.iter().all(is_given) {
        true => scaled(problem, &folds),
        false => by_cell(problem, &folds, &groups),
    }
}

/// A fold for each row: all rows of a unit fall together.
fn folds(problem: &OffPolicyProblem, seed: u64) -> Vec<u8> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let of_unit: Vec<u8> = (0..problem.units).map(|_| (random.next_u64() >> 63) as u8).collect();
    problem.rows.iter().map(|row| of_unit[row.unit as usize]).collect()
}

/// An earlier model's expectations, times what was earned for each that was expected.
fn scaled(problem: &OffPolicyProblem, folds: &[u8]) -> ExpectedRewards {
    let logged = |row| problem.logged_choice(row).map_or(f64::NAN, |choice| choice.expected_reward);
    let logged: Vec<f64> = problem.rows.iter().map(logged).collect();
    let value = |row: &LoggedRow| {
        let choices = problem.choices[row.choices as usize].iter();
        choices.map(|choice| choice.probability * choice.expected_reward).sum()
    };
    let policy: Vec<f64> = problem.rows.iter().map(value).collect();
    let sum_of = |values: &mut dyn Iterator<Item = f64>, fold: u8| -> f64 {
        values.zip(folds).filter(|(_, other)| **other == fold).map(|(value, _)| value).sum()
    };
    let earned = || problem.rows.iter().map(|row| row.reward);
    let earned = [0, 1].map(|fold| sum_of(&mut earned(), fold));
    let expected = [0, 1].map(|fold| sum_of(&mut logged.iter().copied(), fold));
    let wanted = [0, 1].map(|fold| sum_of(&mut policy.iter().copied(), fold));
    let factor = |fold: usize| if expected[fold] > 0.0 { earned[fold] / expected[fold] } else { 0.0 };
    let learning = |((row, fold), logged): ((&LoggedRow, &u8), &f64)| {
        let own = usize::from(*fold);
        let slope = if expected[own] > 0.0 { wanted[1 - own] / expected[own] } else { 0.0 };
        slope * (row.reward - factor(own) * logged)
    };
    let learning = problem.rows.iter().zip(folds).zip(&logged).map(learning).collect();
    let times = |values: &[f64]| {
        values.iter().zip(folds).map(|(value, fold)| value * factor(1 - usize::from(*fold))).collect()
    };
    ExpectedRewards { logged: times(&logged), direct: times(&policy), policy: times(&policy), learning }
}

/// The shrunk means.
fn by_cell(problem: &OffPolicyProblem, folds: &[u8], groups: &BTreeMap<RowGroup, f64>) -> ExpectedRewards {
    let cells = [0, 1].map(|fold| Cells::learn(problem, folds, fold));
    let light = [0, 1].map(|fold: usize| Cells { strength: DIRECT_STRENGTH, ..cells[fold].clone() });
    let values = |cells: &[Cells; 2]| -> BTreeMap<RowGroup, f64> {
        let value = |(choices, position, fold): RowGroup| -> f64 {
            let model = &cells[usize::from(1 - fold)];
            let choices = problem.choices[choices as usize].iter();
            choices.map(|choice| choice.probability * model.expected(choice.action, position)).sum()
        };
        groups.keys().map(|key| (*key, value(*key))).collect()
    };
    let (shrunk, direct) = (values(&cells), values(&light));
    let slopes = [0, 1].map(|fold: u8| light[usize::from(fold)].slopes(problem, groups, 1 - fold));
    let mut expected = ExpectedRewards::default();
    for (row, fold) in problem.rows.iter().zip(folds) {
        let (own, key) = (usize::from(*fold), (row.choices, row.position, *fold));
        expected.logged.push(cells[1 - own].expected(row.action, row.position));
        expected.policy.push(shrunk[&key]);
        expected.direct.push(direct[&key]);
        expected.learning.push(light[own].learning(&slopes[own], row));
    }
    expected
}

/// Sums of a group of rows.
#[derive(Clone, Copy, Debug, Default)]
struct RewardSums {
    rows: f64,
    reward: f64,
}

impl RewardSums {
    fn mean(self) -> f64 {
        self.reward / self.rows
    }
}

/// One fold's rows by action and position.
#[derive(Clone)]
struct Cells {
    actions: usize,
    /// By position, then action.
    cells: Vec<RewardSums>,
    positions: Vec<RewardSums>,
    all: RewardSums,
    /// s²/a: so many rows of a cell weigh as much as what is known of its position; infinite when cells do not differ.
    strength: f64,
}

/// How DM moves with what cells and positions are given.
struct Slopes {
    cells: Vec<f64>,
    positions: Vec<f64>,
}

impl Cells {
    fn learn(problem: &OffPolicyProblem, folds: &[u8], fold: u8) -> Cells {
        let (actions, positions) = (problem.actions.len(), problem.positions.len());
        let mut cells = Cells {
            actions,
            cells: vec![RewardSums::default(); actions * positions],
            positions: vec![RewardSums::default(); positions],
            all: RewardSums::default(),
            strength: f64::INFINITY,
        };
        let mut squares = 0.0;
        for (row, _) in problem.rows.iter().zip(folds).filter(|(_, other)| **other == fold) {
            let index = cells.cell_index(row.action, row.position);
            let position = row.position as usize;
            for sums in [&mut cells.cells[index], &mut cells.positions[position], &mut cells.all] {
                sums.rows += 1.0;
                sums.reward += row.reward;
            }
            squares += row.reward * row.reward;
        }
        cells.strength = cells.strength_of(squares);
        cells
    }

    fn cell_index(&self, action: u32, position: u32) -> usize {
        position as usize * self.actions + action as usize
    }

    /// Moments of an unbalanced one-way layout, positions being taken off.
    fn strength_of(&self, squares: f64) -> f64 {
        let (mut between, mut seen, mut explained, mut spread) = (0.0, 0.0, 0.0, self.all.rows);
        for (index, cell) in self.cells.iter().enumerate().filter(|(_, cell)| cell.rows > 0.0) {
            let position = self.positions[index / self.actions];
            let gap = cell.mean() - position.mean();
            between += cell.rows * gap * gap;
            explained += cell.reward * cell.mean();
            spread -= cell.rows * cell.rows / position.rows;
            seen += 1.0;
        }
        let within = (squares - explained).max(0.0) / (self.all.rows - seen).max(1.0);
        let positions = self.positions.iter().filter(|sums| sums.rows > 0.0).count() as f64;
        let excess = (between - (seen - positions) * within) / spread;
        if excess > 0.0 { within / excess } else { f64::INFINITY }
    }

    /// Weight of the cell's own mean.
    fn credibility(&self, cell: RewardSums) -> f64 {
        if cell.rows > 0.0 && self.strength.is_finite() {
            cell.rows / (cell.rows + self.strength)
        } else {
            0.0
        }
    }

    fn position_mean(&self, position: usize) -> f64 {
        let sums = self.positions[position];
        match (sums.rows > 0.0, self.all.rows > 0.0) {
            (true, _) => sums.mean(),
            (false, true) => self.all.mean(),
            (false, false) => 0.0,
        }
    }

    fn expected(&self, action: u32, position: u32) -> f64 {
        let cell = self.cells[self.cell_index(action, position)];
        let credibility = self.credibility(cell);
        let mean = self.position_mean(position as usize);
        if credibility > 0.0 { credibility * cell.mean() + (1.0 - credibility) * mean } else { mean }
    }

    /// Derivatives of the sum over rows of a fold of Σ π q̂.
    fn slopes(&self, problem: &OffPolicyProblem, groups: &BTreeMap<RowGroup, f64>, fold: u8) -> Slopes {
        let mut slopes =
            Slopes { cells: vec![0.0; self.cells.len()], positions: vec![0.0; self.positions.len()] };
        for ((choices, position, _), rows) in groups.iter().filter(|((_, _, other), _)| *other == fold) {
            for choice in &problem.choices[*choices as usize] {
                let index = self.cell_index(choice.action, *position);
                let credibility = self.credibility(self.cells[index]);
                slopes.cells[index] += rows * choice.probability * credibility;
                slopes.positions[*position as usize] += rows * choice.probability * (1.0 - credibility);
            }
        }
        slopes
    }

    /// What a row of this fold adds by being learned from.
    fn learning(&self, slopes: &Slopes, row: &LoggedRow) -> f64 {
        let (index, position) = (self.cell_index(row.action, row.position), row.position as usize);
        let (cell, all) = (self.cells[index], self.positions[position]);
        slopes.cells[index] * (row.reward - cell.mean()) / cell.rows
            + slopes.positions[position] * (row.reward - all.mean()) / all.rows
    }
}
