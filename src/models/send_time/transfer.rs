//! How activity moves between weekdays and between hours of the day, learned: the shape of the smoothing itself.
//!
//! A translation model: P(unit at day e, hour k) = Σ_{d,h} history[d,h] · days[d,e] · hours[h,k], both matrices
//! row-stochastic, fitted by EM to what users did in past windows after what they had done before.

use super::circular::Circular;
use super::history::{Week, normalise};
use crate::domain::time::HOURS_OF_WEEK;
use crate::models::parallel;

const STEPS: usize = 25;
/// Pseudo-counts of the starting matrices.
const PRIOR: f64 = 5.0;
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

/// The two matrices.
#[derive(Clone, Debug)]
pub struct Transfer {
    days: Days,
    hours: Hours,
}

impl Transfer {
    fn start() -> Transfer {
        let near = Circular::<24>::new(0.6);
        let mut transfer = Transfer { days: [[0.0; 7]; 7], hours: [[0.0; 24]; 24] };
        for from in 0..7 {
            for to in 0..7 {
                let same = if from == to { 0.9 } else { 0.0 };
                transfer.days[from][to] = 0.8 * (same + 0.1 / 7.0) + 0.2 / 7.0;
            }
        }
        for from in 0..24 {
            for to in 0..24 {
                transfer.hours[from][to] = 0.95 * near.weight(from, to) + 0.05 / 24.0;
            }
        }
        transfer
    }

    /// Learns the matrices from past transitions.
    pub fn learn(transitions: &[Transition]) -> Transfer {
        let prior = Transfer::start();
        let mut transfer = prior.clone();
        for _ in 0..if transitions.is_empty() { 0 } else { STEPS } {
            let parts = parallel::in_chunks(transitions.len(), CHUNK, |range| {
                let mut sums = Transfer { days: [[0.0; 7]; 7], hours: [[0.0; 24]; 24] };
                transitions[range].iter().for_each(|transition| transfer.expect(transition, &mut sums));
                sums
            });
            transfer = transfer.maximise(&parts, &prior);
        }
        transfer
    }

    /// Adds one user's expected counts, divided by the current matrices.
    fn expect(&self, transition: &Transition, sums: &mut Transfer) {
        let moved = self.move_hours(&transition.history);
        for (slot, count) in transition.after.iter().enumerate().filter(|(_, count)| **count > 0) {
            let (to_day, to_hour) = (slot / 24, slot % 24);
            let probability: f64 = (0..7).map(|day| moved[day * 24 + to_hour] * self.days[day][to_day]).sum();
            let ratio = f64::from(*count) / probability;
            for day in 0..7 {
                sums.days[day][to_day] += moved[day * 24 + to_hour] * ratio;
                let weight = self.days[day][to_day] * ratio;
                let hours = &transition.history[day * 24..day * 24 + 24];
                for (hour, share) in hours.iter().enumerate() {
                    sums.hours[hour][to_hour] += share * weight;
                }
            }
        }
    }

    fn maximise(&self, parts: &[Transfer], prior: &Transfer) -> Transfer {
        let mut next = Transfer { days: [[0.0; 7]; 7], hours: [[0.0; 24]; 24] };
        for part in parts {
            for (row, part_row) in next.days.iter_mut().zip(&part.days) {
                row.iter_mut().zip(part_row).for_each(|(sum, value)| *sum += value);
            }
            for (row, part_row) in next.hours.iter_mut().zip(&part.hours) {
                row.iter_mut().zip(part_row).for_each(|(sum, value)| *sum += value);
            }
        }
        for (from, row) in next.days.iter_mut().enumerate() {
            for (to, value) in row.iter_mut().enumerate() {
                *value = self.days[from][to] * *value + PRIOR * prior.days[from][to];
            }
            normalise(row);
        }
        for (from, row) in next.hours.iter_mut().enumerate() {
            for (to, value) in row.iter_mut().enumerate() {
                *value = self.hours[from][to] * *value + PRIOR * prior.hours[from][to];
            }
            normalise(row);
        }
        next
    }

    fn move_hours(&self, week: &Week) -> Week {
        let mut moved = [0.0; HOURS_OF_WEEK];
        for (slot, share) in week.iter().enumerate().filter(|(_, share)| **share != 0.0) {
            let day = slot / 24 * 24;
            for (to, weight) in self.hours[slot % 24].iter().enumerate() {
                moved[day + to] += share * weight;
            }
        }
        moved
    }

    /// Where activity distributed as `week` is to be expected next.
    pub fn apply(&self, week: &Week) -> Week {
        let moved = self.move_hours(week);
        let mut result = [0.0; HOURS_OF_WEEK];
        for from in 0..7 {
            for to in 0..7 {
                let weight = self.days[from][to];
                for hour in 0..24 {
                    result[to * 24 + hour] += moved[from * 24 + hour] * weight;
                }
            }
        }
        result
    }
}
