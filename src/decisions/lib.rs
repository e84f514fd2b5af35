//! Content, time and whether to push at all: one pure function from a context to a decision.

pub mod allowed;
pub mod context;
pub mod explanation;
pub mod prior;
pub mod prospect;
pub mod reach;
pub mod rule_names;
pub mod rules;
pub mod scorer;
pub mod second_opinion;
pub mod sentences;
pub mod together;

mod board;
mod choice;
mod lane_set;
mod lanes;
mod offers;
mod pacing;
mod policy;
mod prices;
mod record;
mod refusals;
mod run;
mod situation;
mod slots;
mod trials;
mod walk;

pub use allowed::{AllowedArm, allowed_arms};
use board::Board;
use context::DecisionContext;
use domain::decision::Decision;
pub use offers::recovery;
use scorer::Scorer;
use situation::Situation;

/// What to push to the user, when, and whether to push at all.
///
/// The choice is made among contents × variants × channels × send slots, by expected value: P(goal) · worth − prices.
/// It cannot fail, reads no clock and draws nothing unseeded: the same context and scorer give the same bytes.
pub fn decide(context: &DecisionContext, scorer: &dyn Scorer) -> Decision {
    let situation = Situation::of(context);
    let refusals = refusals::of_user(&situation);
    let board = Board::lay(&situation, scorer);
    let choice = choice::make(&board, refusals);
    record::write(&board, choice)
}
