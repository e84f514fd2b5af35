//! Outcomes that are learned from: of people drawn once for all, everything from their first push on.
//!
//! What the pushes do that a user still feels is seen while they grow more, in his first weeks: of the newest outcomes
//! alone, in which all have felt as much for long, it could not be learned.

use super::ResponseOutcome;
use domain::identity::hash_of;

/// Most outcomes that are held.
pub const MOST_OUTCOMES: usize = 300_000;

/// Outcomes of one user in `2^halvings`, each held beside his draw.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    draws: Vec<u64>,
    outcomes: Vec<ResponseOutcome>,
    halvings: u32,
}

impl Sample {
    /// Adds an outcome of a user, if he is among those who are held; when there are too many, half of these leave.
    pub fn absorb(&mut self, user_id: &str, outcome: ResponseOutcome) {
        let draw = hash_of(user_id.as_bytes());
        if self.holds(draw) {
            self.draws.push(draw);
            self.outcomes.push(outcome);
        }
        while self.outcomes.len() > MOST_OUTCOMES {
            self.halve();
        }
    }

    /// What is held, oldest first.
    pub fn outcomes(&self) -> &[ResponseOutcome] {
        &self.outcomes
    }

    fn holds(&self, draw: u64) -> bool {
        draw.trailing_zeros() >= self.halvings
    }

    fn halve(&mut self) {
        self.halvings += 1;
        let (draws, outcomes) = (std::mem::take(&mut self.draws), std::mem::take(&mut self.outcomes));
        let pairs = draws.into_iter().zip(outcomes);
        (self.draws, self.outcomes) = pairs.filter(|(draw, _)| self.holds(*draw)).unzip();
    }
}
