//! How activity moves between weekdays and between hours of the day, learned: the shape of the smoothing itself.
//!
//! A translation model: `P(unit at day e, hour k) = Σ_{d,h} history[d,h] · days[d,e] · hours[h,k]`, both matrices
//! row-stochastic, fitted by EM to what users did in past windows after what they had done before.

use super::circular::Circular;
use super::history::{Week, normalise};
use domain::time::HOURS_OF_WEEK;

/// EM steps.
const STEPS: usize = 25;
/// Pseudo-counts of the starting matrices.
const PRIOR: f64 = 5.0;
/// Transitions of a partial sum.
const CHUNK: usize = 128;

type Days = [[f64; 7]; 7];
type Hours = [[f64; 24]; 24];

/// One user in one past window: his normalised history, and what he did after it.
#[derive(Clone, Debug)]
pub struct Transition {
    /// Share of his history in each hour of the week.
    pub history: Week,
    /// Units in the window, by hour of the week.
    pub after: [u16; HOURS_OF_WEEK],
}

/// The two row-stochastic matrices, each by where from, then where to.
#[derive(Clone, Debug)]
pub struct Transfer {
    days: Days,
    hours: Hours,
}

/// Expected counts of moves, divided by the current matrices.
#[derive(Default)]
struct ExpectedMoves {
    /// By weekday from, then to.
    days: Days,
    /// By hour of the day to, then from: the order in which they are summed.
    hours_to: Hours,
}

impl ExpectedMoves {
    fn add(&mut self, other: &ExpectedMoves) {
        self.days.iter_mut().zip(&other.days).for_each(|(sums, parts)| add(sums, parts, 1.0));
        self.hours_to.iter_mut().zip(&other.hours_to).for_each(|(sums, parts)| add(sums, parts, 1.0));
    }
}

impl Transfer {
    /// Before anything is learned: mostly the same weekday, mostly the same hour.
    pub fn start() -> Transfer {
        let near = Circular::<24>::new(0.6);
        let days =
            |from: usize| std::array::from_fn(|to| 0.72 * f64::from(u8::from(from == to)) + 0.28 / 7.0);
        let hours = |from: usize| std::array::from_fn(|to| 0.95 * near.weight(from, to) + 0.05 / 24.0);
        Transfer { days: std::array::from_fn(days), hours: std::array::from_fn(hours) }
    }

    /// Learns the matrices from past transitions.
    pub fn learn(transitions: &[Transition]) -> Transfer {
        let prior = Transfer::start();
        (0..STEPS).fold(prior.clone(), |transfer, _| transfer.step(transitions, &prior))
    }

    /// One EM step with `PRIOR` pseudo-counts of each row of `prior`; it never lowers [`Transfer::objective`].
    pub fn step(&self, transitions: &[Transition], prior: &Transfer) -> Transfer {
        let hours_to: Hours = std::array::from_fn(|to| std::array::from_fn(|from| self.hours[from][to]));
        let parts = parallel::in_chunks(transitions.len(), CHUNK, |range| {
            let mut sums = ExpectedMoves::default();
            transitions[range].iter().for_each(|transition| self.expect(transition, &hours_to, &mut sums));
            sums
        });
        let mut total = ExpectedMoves::default();
        parts.iter().for_each(|part| total.add(part));
        self.maximise(&total, prior)
    }

    /// What EM climbs: ln likelihood of the transitions plus ln density of the Dirichlet prior around `prior`.
    pub fn objective(&self, transitions: &[Transition], prior: &Transfer) -> f64 {
        let of_transition = |transition: &Transition| -> f64 {
            let expected = self.apply(&transition.history);
            let units = transition.after.iter().zip(&expected).filter(|(count, _)| **count > 0);
            units.map(|(count, probability)| f64::from(*count) * libm::log(*probability)).sum()
        };
        let density = |values: &[f64], prior: &[f64]| {
            values.iter().zip(prior).map(|(v, p)| PRIOR * p * libm::log(*v)).sum()
        };
        let days: f64 = (0..7).map(|from| -> f64 { density(&self.days[from], &prior.days[from]) }).sum();
        let hours: f64 = (0..24).map(|from| -> f64 { density(&self.hours[from], &prior.hours[from]) }).sum();
        transitions.iter().map(of_transition).sum::<f64>() + days + hours
    }

    /// Adds one user's expected counts, divided by the current matrices; `hours_to` is the matrix of hours by where to.
    fn expect(&self, transition: &Transition, hours_to: &Hours, sums: &mut ExpectedMoves) {
        for (hour, weights) in hours_to.iter().enumerate() {
            let counts: [u16; 7] = std::array::from_fn(|day| transition.after[day * 24 + hour]);
            if counts == [0; 7] {
                continue;
            }
            let days = || transition.history.chunks_exact(24);
            let mut arrived = [0.0; 7];
            for (sum, history) in arrived.iter_mut().zip(days()) {
                *sum = history.iter().zip(weights).map(|(share, weight)| share * weight).sum();
            }
            // What each day of the history gave to this hour, over all the days that it led to.
            let mut given = [0.0; 7];
            for (to, count) in counts.into_iter().enumerate().filter(|(_, count)| *count > 0) {
                let probability: f64 = (0..7).map(|day| arrived[day] * self.days[day][to]).sum();
                let ratio = f64::from(count) / probability;
                for day in 0..7 {
                    sums.days[day][to] += arrived[day] * ratio;
                    given[day] += self.days[day][to] * ratio;
                }
            }
            for (history, weight) in days().zip(given) {
                sums.hours_to[hour].iter_mut().zip(history).for_each(|(sum, share)| *sum += share * weight);
            }
        }
    }

    fn maximise(&self, expected: &ExpectedMoves, prior: &Transfer) -> Transfer {
        let mut next = self.clone();
        for (from, row) in next.days.iter_mut().enumerate() {
            for (to, value) in row.iter_mut().enumerate() {
                *value = *value * expected.days[from][to] + PRIOR * prior.days[from][to];
            }
            normalise(row);
        }
        for (from, row) in next.hours.iter_mut().enumerate() {
            for (to, value) in row.iter_mut().enumerate() {
                *value = *value * expected.hours_to[to][from] + PRIOR * prior.hours[from][to];
            }
            normalise(row);
        }
        next
    }

    /// Where activity distributed as `week` is to be expected next.
    pub fn apply(&self, week: &Week) -> Week {
        let mut moved = [0.0; HOURS_OF_WEEK];
        for (to, from) in moved.chunks_exact_mut(24).zip(week.chunks_exact(24)) {
            for (share, row) in from.iter().zip(&self.hours) {
                add(to, row, *share);
            }
        }
        let mut result = [0.0; HOURS_OF_WEEK];
        for (day, row) in moved.chunks_exact(24).zip(&self.days) {
            for (to, weight) in result.chunks_exact_mut(24).zip(row) {
                add(to, day, *weight);
            }
        }
        result
    }
}

/// `sums += parts · scale`
fn add(sums: &mut [f64], parts: &[f64], scale: f64) {
    for (sum, part) in sums.iter_mut().zip(parts) {
        *sum += part * scale;
    }
}
