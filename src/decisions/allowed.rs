//! The allowed set of a decision: every arm that its policy may send, with the probability with which it does.

use super::board::{Arm, Board};
use super::context::{DecisionContext, Planned};
use super::policy::Policy;
use super::refusals;
use super::scorer::Scorer;
use super::situation::Situation;
use domain::time::Instant;

/// An arm that rules allow and that is worth sending.
#[derive(Clone, Debug, PartialEq)]
pub struct AllowedArm {
    /// Content.
    pub content_id: String,
    /// Its variant; `None` for a content without.
    pub variant_id: Option<String>,
    /// Channel.
    pub channel: String,
    /// Start of the send slot.
    pub slot_start: Instant,
    /// Calibrated P(goal | user, arm).
    pub response_probability: f64,
    /// Expected value, all prices paid.
    pub value: f64,
    /// The policy's probability of this arm; over all arms of a decision that sends they sum to 1.
    pub action_probability: f64,
}

/// The allowed set of the decision that a context leads to: contents × variants × channels × send slots.
///
/// Empty when nothing may be sent, or nothing is worth it.
pub fn allowed_arms(context: &DecisionContext, scorer: &dyn Scorer) -> Vec<AllowedArm> {
    let situation = Situation::of(context);
    if !refusals::of_user(&situation).is_empty() {
        return Vec::new();
    }
    let board = Board::lay(&situation, scorer);
    let Some((best, at)) = greedy(&board) else { return Vec::new() };
    let policy = Policy::of(&board, best, at);
    debug_assert_eq!(policy.share, context.exploration_share());
    let pairs = policy.arms.iter().zip(&policy.probabilities);
    pairs
        .flat_map(|(arm, probability)| {
            let offer = &board.offers[arm.offer];
            let ids: Vec<Option<String>> = match offer.fitting.variants() {
                [] => vec![None],
                some => some.iter().map(|variant| Some(variant.variant_id.clone())).collect(),
            };
            let one = AllowedArm {
                content_id: offer.content.content_id.clone(),
                variant_id: None,
                channel: context.channels[arm.channel].name.clone(),
                slot_start: board.slots[arm.slot].slot.start,
                response_probability: arm.probability,
                value: arm.value,
                action_probability: probability / ids.len() as f64,
            };
            ids.into_iter().map(move |variant_id| AllowedArm { variant_id, ..one.clone() })
        })
        .collect()
}

/// What is sent when nothing is drawn, and when, if a plan says.
pub(super) fn greedy(board: &Board) -> Option<(Arm, Option<Instant>)> {
    let best = board.best_allowed(1).pop().filter(|best| best.value > 0.0)?;
    match &board.situation.context.plan {
        None => Some((best, None)),
        Some(Planned::NoRoom { .. }) => None,
        Some(Planned::Send { content_id, channel, at }) => {
            let planned = board.planned_arm(content_id, channel, *at).filter(|arm| arm.value > 0.0)?;
            Some((planned, Some(*at)))
        }
    }
}
