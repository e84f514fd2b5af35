//! Minimisers of the penalised logistic loss: Newton's method, and L-BFGS where the matrix would be too large.

use std::collections::VecDeque;

use super::cholesky::Factor;
use super::rows::{BlockSubset, LogisticRows};

/// Steps of Newton's method at most; ten are many.
const NEWTON_STEPS: usize = 200;
/// Steps that L-BFGS remembers.
const MEMORY: usize = 10;
/// A step is halved so often at most.
const HALVINGS: usize = 40;
/// The part of the promised descent that a step must keep.
const ARMIJO: f64 = 1e-4;
/// Losses that differ by less than this part are the same in this precision.
const NOISE: f64 = 1e-12;
/// A matrix that shortens the gradient so far per step is used again: a step with it costs a fraction of a new one.
const GOOD_ENOUGH: f64 = 0.1;

/// What is minimised: the loss of a part of the rows + penalty / 2 · |weights|².
pub(super) struct PenalisedLoss<'a> {
    pub(super) rows: &'a LogisticRows<'a>,
    pub(super) part: BlockSubset,
    pub(super) penalty: f64,
    /// Length of the gradient that is short enough.
    pub(super) short: f64,
}

/// A point (weights, then the intercept) with the penalised loss and its gradient there.
#[derive(Clone)]
pub(super) struct Iterate {
    pub(super) point: Vec<f64>,
    pub(super) loss: f64,
    pub(super) gradient: Vec<f64>,
}

impl Iterate {
    /// Length of the gradient.
    pub(super) fn steepness(&self) -> f64 {
        libm::sqrt(inner(&self.gradient, &self.gradient))
    }
}

impl PenalisedLoss<'_> {
    pub(super) fn at(&self, point: Vec<f64>) -> Iterate {
        let slope = self.rows.slope(self.part, &point);
        let weights = &point[..self.rows.width()];
        let loss = slope.loss + self.penalty / 2.0 * inner(weights, weights);
        let mut gradient = slope.gradient;
        gradient.iter_mut().zip(weights).for_each(|(slope, weight)| *slope += self.penalty * weight);
        Iterate { point, loss, gradient }
    }

    fn factor(&self, point: &[f64]) -> Option<Factor> {
        let mut matrix = self.rows.curvature(self.part, point);
        (0..self.rows.width()).for_each(|row| matrix.add_to_diagonal(row, self.penalty));
        matrix.factor()
    }

    /// The first of the halved steps that leads down far enough; `None` if none does in this precision.
    fn search(&self, from: &Iterate, step: &[f64]) -> Option<(Iterate, f64)> {
        let descent = inner(&from.gradient, step);
        let lengths = std::iter::successors(Some(1.0), |length| Some(length / 2.0)).take(HALVINGS);
        lengths.into_iter().find_map(|length: f64| {
            let moved = from.point.iter().zip(step).map(|(point, step)| point + length * step).collect();
            let to = self.at(moved);
            let falls = to.loss <= from.loss + ARMIJO * length * descent;
            // Near the minimum the loss cannot tell any more, its gradient can.
            let flattens =
                to.loss <= from.loss + NOISE * from.loss.abs() && to.steepness() < from.steepness();
            (falls || flattens).then_some((to, length))
        })
    }

    /// Newton's method from an iterate, at first with the matrix that the caller may have; returns the last iterate and matrix.
    pub(super) fn newton(&self, start: Iterate, known: Option<Factor>) -> (Iterate, Option<Factor>) {
        let (mut here, mut kept) = (start, known);
        for _ in 0..NEWTON_STEPS {
            let steepness = here.steepness();
            if steepness <= self.short {
                break;
            }
            let is_fresh = kept.is_none();
            let Some(factor) = kept.take().or_else(|| self.factor(&here.point)) else { break };
            let step: Vec<f64> = factor.solve(&here.gradient).iter().map(|value| -value).collect();
            match self.search(&here, &step) {
                Some((to, length)) => {
                    let serves = length == 1.0 && to.steepness() <= GOOD_ENOUGH * steepness;
                    let done = to.steepness() <= self.short;
                    kept = (serves || done).then_some(factor);
                    here = to;
                }
                None if is_fresh => break,
                None => {}
            }
        }
        (here, kept)
    }

    /// L-BFGS (Nocedal and Wright 2006, algorithms 7.4 and 7.5) with halved steps, so many at most. `like` is the factor
    /// of a matrix like the curvature, if the caller has one: the first guess that the steps' memory corrects.
    pub(super) fn lbfgs(&self, start: Iterate, like: Option<&Factor>, steps: usize) -> Iterate {
        let mut here = start;
        let mut memory: VecDeque<Pair> = VecDeque::new();
        for _ in 0..steps {
            if here.steepness() <= self.short {
                break;
            }
            let step = step_of(&memory, like, &here.gradient);
            match self.search(&here, &step) {
                Some((to, _)) => {
                    memory.extend(Pair::of(&here, &to));
                    if memory.len() > MEMORY {
                        memory.pop_front();
                    }
                    here = to;
                }
                None if memory.is_empty() => break,
                None => memory.clear(),
            }
        }
        here
    }
}

/// A step taken with the change of the gradient along it.
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    /// step · change > 0.
    product: f64,
}

impl Pair {
    fn of(from: &Iterate, to: &Iterate) -> Option<Pair> {
        let step = difference(&to.point, &from.point);
        let change = difference(&to.gradient, &from.gradient);
        let product = inner(&step, &change);
        (product > 0.0).then_some(Pair { step, change, product })
    }
}

fn step_of(memory: &VecDeque<Pair>, like: Option<&Factor>, gradient: &[f64]) -> Vec<f64> {
    let mut step: Vec<f64> = gradient.iter().map(|slope| -slope).collect();
    let mut shares = Vec::with_capacity(memory.len());
    for pair in memory.iter().rev() {
        let share = inner(&pair.step, &step) / pair.product;
        add(&mut step, -share, &pair.change);
        shares.push(share);
    }
    let mut step = match (like, memory.back()) {
        (Some(factor), _) => factor.solve(&step),
        (None, Some(pair)) => scaled(step, pair.product / inner(&pair.change, &pair.change)),
        // Without memory, a step of length one at most.
        (None, None) => scaled(step, 1.0 / libm::sqrt(inner(gradient, gradient)).max(1.0)),
    };
    for (pair, share) in memory.iter().zip(shares.iter().rev()) {
        let back = inner(&pair.change, &step) / pair.product;
        add(&mut step, share - back, &pair.step);
    }
    step
}

fn scaled(mut values: Vec<f64>, scale: f64) -> Vec<f64> {
    values.iter_mut().for_each(|value| *value *= scale);
    values
}

fn inner(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn add(to: &mut [f64], share: f64, what: &[f64]) {
    to.iter_mut().zip(what).for_each(|(to, what)| *to += share * what);
}
