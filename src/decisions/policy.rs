//! Which of the arms worth sending is sent, and with what probability this policy sends it.

use super::board::Arm;

/// An arm with the probability it was picked with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pick {
    /// The arm.
    pub(super) arm: Arm,
    /// Probability of picking it among the allowed arms.
    pub(super) probability: f64,
    /// Was it drawn for the sake of learning?
    pub(super) explored: bool,
}

/// Picks the best arm, always: exploration will draw here, among the allowed arms.
pub(super) fn pick(best: Arm) -> Pick {
    Pick { arm: best, probability: 1.0, explored: false }
}
