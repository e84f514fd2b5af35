//! What a plan may choose from for one user and campaign: for each send slot and lane the arm that is worth most.

use super::board::Board;
use super::context::DecisionContext;
use super::refusals;
use super::scorer::Scorer;
use super::situation::Situation;
use domain::time::Instant;

/// A lane's best arm in a send slot: allowed by every rule that looks at this campaign alone, and worth sending.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prospect {
    /// Where the slot's hour begins.
    pub hour_start: Instant,
    /// Minutes of that hour, bit by bit, in which it may be sent.
    pub minutes: u64,
    /// First instant of the slot: what lies before it in its first minute is over.
    pub slot_start: Instant,
    /// Index of its lane among the context's, by kind, then channel.
    pub lane: usize,
    /// Index of its channel in the context.
    pub channel: usize,
    /// Index of its content in the context.
    pub content: usize,
    /// Calibrated P(goal | user, arm).
    pub response_probability: f64,
    /// Expected value, all prices paid.
    pub value: f64,
}

/// Everything that a context leaves to choose, in order of time; empty when the user may not be pushed.
///
/// Of each slot and lane the best `contents` are given: more than one only matters where campaigns share contents, of which
/// none may be sent twice.
pub fn prospects(context: &DecisionContext, scorer: &dyn Scorer, contents: usize) -> Vec<Prospect> {
    let situation = Situation::of(context);
    if !refusals::of_user(&situation).is_empty() {
        return Vec::new();
    }
    let board = Board::lay(&situation, scorer);
    let prospect = |arm: &super::board::Arm| {
        let (offer, slot) = (&board.offers[arm.offer], &board.slots[arm.slot].slot);
        Prospect {
            hour_start: slot.hour_start(),
            minutes: board.allowed_minutes(offer, arm.channel, arm.slot),
            slot_start: slot.start,
            lane: situation.lane(offer.kind, arm.channel),
            channel: arm.channel,
            content: offer.index,
            response_probability: arm.probability,
            value: arm.value,
        }
    };
    board.best_of_each_lane(contents).iter().map(prospect).collect()
}
