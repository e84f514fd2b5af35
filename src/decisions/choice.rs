//! Send, hold or no_send: the choice, its reasons, and what else could have been chosen.

use super::board::{Arm, Board};
use super::context::Planned;
use super::policy::{self, Pick};
use super::refusals::{self, reason};
use super::rule_names::{HAS_CANDIDATES, IS_SCORED, IS_WORTH_SENDING, MATCHES_PLAN};
use super::walk::{Scope, walk};
use domain::decision::Reason;
use domain::time::Instant;

/// Candidates that a decision shows.
const MOST_CANDIDATES: usize = 5;

/// What to do.
pub(super) enum ChosenAction {
    /// Send this.
    Send(Pick),
    /// Ask again then.
    Hold(Instant),
    /// Nothing.
    NoSend,
}

/// A choice with its reasons.
pub(super) struct DecisionChoice {
    /// What to do.
    pub(super) outcome: ChosenAction,
    /// Why something was refused.
    pub(super) reasons: Vec<Reason>,
    /// The best arms with the rules that refuse them.
    pub(super) candidates: Vec<(Arm, Vec<String>)>,
}

/// Chooses among the arms of the board for a user whom these refusals stand against.
pub(super) fn make(board: &Board, user: Vec<Reason>) -> DecisionChoice {
    let allowed = board.best_allowed(MOST_CANDIDATES);
    let candidates = candidates(board, &allowed, &user);
    let (outcome, reasons) = if !user.is_empty() {
        (when_allowed(&user), user)
    } else if board.offers.is_empty() || board.channels().is_empty() {
        (ChosenAction::NoSend, vec![of_request(board, HAS_CANDIDATES)])
    } else {
        match allowed.first() {
            None => nothing_allowed(board),
            Some(best) if best.value <= 0.0 => nothing_worth(board),
            Some(best) => as_planned(board, *best),
        }
    };
    DecisionChoice { outcome, reasons, candidates }
}

/// Hold when each refusal of the user ends by itself.
fn when_allowed(user: &[Reason]) -> ChosenAction {
    let ends: Option<Vec<Instant>> = user.iter().map(|reason| reason.allowed_from).collect();
    ends.and_then(|ends| ends.into_iter().max()).map_or(ChosenAction::NoSend, ChosenAction::Hold)
}

fn nothing_allowed(board: &Board) -> (ChosenAction, Vec<Reason>) {
    let mut reasons = refusals::of_arms(board);
    let are_unscored = board.offers.iter().any(|offer| board.has_arm(offer));
    if are_unscored && reasons.iter().all(|reason| reason.rule != IS_SCORED) {
        reasons.push(of_request(board, IS_SCORED));
    }
    reasons.splice(0..0, of_plan(board));
    // Waiting does not help against a scorer that has no answer.
    let retry_at = if are_unscored { None } else { refusals::earliest(board) };
    (retry_at.map_or(ChosenAction::NoSend, ChosenAction::Hold), reasons)
}

fn nothing_worth(board: &Board) -> (ChosenAction, Vec<Reason>) {
    let mut reasons = refusals::of_arms(board);
    reasons.insert(0, of_request(board, IS_WORTH_SENDING));
    reasons.splice(0..0, of_plan(board));
    (ChosenAction::NoSend, reasons)
}

/// Why a plan gives the user nothing, where it knows: what other users and campaigns got instead.
fn of_plan(board: &Board) -> Option<Reason> {
    let Some(Planned::NoRoom { rule, campaign_id }) = &board.situation.context.plan else { return None };
    let by = campaign_id.as_ref().map_or("arm".to_string(), |id| format!("campaign:{id}"));
    (rule != MATCHES_PLAN).then(|| reason(board.situation, rule, by, None))
}

/// What the plan says, where there is one; otherwise the best, or what is drawn instead.
fn as_planned(board: &Board, best: Arm) -> (ChosenAction, Vec<Reason>) {
    let mut reasons = refusals::of_arms(board);
    let outcome = match &board.situation.context.plan {
        None => ChosenAction::Send(policy::pick(board, best, None)),
        Some(Planned::NoRoom { .. }) => {
            reasons.insert(0, of_plan(board).unwrap_or_else(|| of_request(board, MATCHES_PLAN)));
            ChosenAction::NoSend
        }
        Some(Planned::Send { content_id, channel, at }) => {
            match board.planned_arm(content_id, channel, *at).filter(|arm| arm.value > 0.0) {
                Some(arm) => ChosenAction::Send(policy::pick(board, arm, Some(*at))),
                None => {
                    reasons.insert(0, of_request(board, MATCHES_PLAN));
                    ChosenAction::NoSend
                }
            }
        }
    };
    (outcome, reasons)
}

fn of_request(board: &Board, rule: &str) -> Reason {
    reason(board.situation, rule, "arm".to_string(), None)
}

/// The best allowed arms; when none is, the best of all, so that it can be seen what the rules cost.
fn candidates(board: &Board, allowed: &[Arm], user: &[Reason]) -> Vec<(Arm, Vec<String>)> {
    let all = if allowed.is_empty() { board.best(MOST_CANDIDATES, |_, _, _| true) } else { allowed.to_vec() };
    all.into_iter().map(|arm| (arm, refused_by(board, arm, user))).collect()
}

/// The names of all rules that refuse an arm, each once.
fn refused_by(board: &Board, arm: Arm, user: &[Reason]) -> Vec<String> {
    let mut rules: Vec<String> = user.iter().map(|reason| reason.rule.clone()).collect();
    let (offer, slot) = (&board.offers[arm.offer], &board.slots[arm.slot]);
    if board.allowed_minutes(offer, arm.channel, arm.slot) == 0 {
        let lane = &board.situation.lanes[board.situation.lane(offer.kind, arm.channel)];
        walk(board.situation, Scope::Arm(offer, lane), slot.slot.start, slot.slot.end, |refused| {
            if rules.iter().all(|rule| rule != refused.rule) {
                rules.push(refused.rule.to_string());
            }
        });
    }
    if arm.value <= 0.0 {
        rules.push(IS_WORTH_SENDING.to_string());
    }
    rules
}
