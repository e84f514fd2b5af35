//! The choice written down as the contract wants it: the minute, the expiry, the candidates.

use super::board::{Arm, Board};
use super::choice::{ChosenAction, DecisionChoice};
use super::policy::Pick;
use super::refusals::reason;
use super::rule_names::{HOLDOUT_RULES, IS_TRIED_OUT};
use super::situation::Situation;
use domain::content::{Content, MessageClass};
use domain::decision::{Action, Candidate, CandidatePrior, Decision};
use domain::draw::draw;
use domain::time::{Instant, SECOND};
use domain::user::QuietHours;

/// The decision that a choice comes to.
pub(super) fn write(board: &Board, choice: DecisionChoice) -> Decision {
    let mut decision = unsent(board.situation);
    decision.holdout = choice.reasons.iter().any(|reason| HOLDOUT_RULES.contains(&reason.rule.as_str()));
    decision.reasons = choice.reasons;
    decision.candidates =
        choice.candidates.into_iter().map(|(arm, rules)| candidate(board, arm, rules)).collect();
    match choice.outcome {
        ChosenAction::NoSend => {}
        ChosenAction::Hold(retry_at) => {
            decision.action = Action::Hold;
            decision.retry_at = Some(retry_at);
        }
        ChosenAction::Send(pick) => send(board, pick, &mut decision),
    }
    decision
}

/// A decision to send nothing.
fn unsent(situation: &Situation) -> Decision {
    let context = situation.context;
    Decision {
        decision_id: context.decision_id.clone(),
        send_id: None,
        user_id: context.user.user_id.clone(),
        campaign_id: context.campaign.as_ref().map(|campaign| campaign.campaign_id.clone()),
        action: Action::NoSend,
        content_id: None,
        variant_id: None,
        channel: None,
        send_at: None,
        send_at_local: None,
        time_zone: situation.is_zone_known.then(|| situation.zone.name().to_string()),
        expires_at: None,
        retry_at: None,
        fallback: !context.fallback.is_empty(),
        reasons: Vec::new(),
        response_probability: None,
        action_probability: None,
        explored: false,
        holdout: false,
        candidates: Vec::new(),
        versions: context.versions.clone(),
    }
}

/// Fills in what is sent.
fn send(board: &Board, pick: Pick, decision: &mut Decision) {
    let (situation, content) = (board.situation, board.offers[pick.arm.offer].content);
    let send_at = pick.at.unwrap_or_else(|| send_at(board, pick.arm));
    decision.action = Action::Send;
    decision.send_id = Some(situation.context.send_id.clone());
    decision.content_id = Some(content.content_id.clone());
    decision.variant_id = variant_id(board, pick.arm);
    decision.channel = Some(channel(board, pick.arm));
    decision.send_at = Some(send_at);
    decision.send_at_local = Some(situation.zone.local_text(send_at));
    decision.expires_at = Some(expires_at(situation, content, send_at));
    decision.response_probability = Some(pick.arm.probability);
    decision.action_probability = Some(pick.probability);
    decision.explored = pick.explored;
    if board.offers[pick.arm.offer].prior.is_some() {
        let subject = format!("content:{}", content.content_id);
        decision.reasons.push(reason(situation, IS_TRIED_OUT, subject, None));
    }
}

/// One of the allowed minutes of the arm's slot, by hash: users are spread evenly, each has one of his own.
fn send_at(board: &Board, arm: Arm) -> Instant {
    let (situation, slot) = (board.situation, &board.slots[arm.slot]);
    let mut minutes = board.allowed_minutes(&board.offers[arm.offer], arm.channel, arm.slot);
    // The whole hour, not the clipped slot: asking again a little later draws the same number.
    let hour = slot.slot.hour_start().micros().to_le_bytes();
    let names = [situation.campaign_id().as_bytes(), situation.context.user.user_id.as_bytes(), &hour];
    let number = draw(situation.context.settings.seed, "minute", &names);
    let rank = number % u64::from(minutes.count_ones()).max(1);
    for _ in 0..rank {
        minutes &= minutes - 1;
    }
    slot.slot.instant_of(minutes.trailing_zeros())
}

/// The ttl, but not into quiet hours, nor beyond the campaign's or the content's end; always after `send_at`.
fn expires_at(situation: &Situation, content: &Content, send_at: Instant) -> Instant {
    let ttl = content.ttl_seconds.unwrap_or(situation.context.settings.ttl_seconds).max(1);
    let next = |hours: QuietHours| hours.quiet_from(situation.zone, send_at);
    let is_service = content.message_class == MessageClass::Service;
    let quiet = situation.quiet_hours(is_service).and_then(next);
    let campaign_quiet = situation.campaign_quiet_hours().and_then(next);
    let campaign_end = situation.context.campaign.as_ref().and_then(|campaign| campaign.window_end);
    let ends = [quiet, campaign_quiet, campaign_end, content.expires_at];
    ends.into_iter().flatten().fold(send_at.plus(i64::from(ttl) * SECOND), Instant::min)
}

fn candidate(board: &Board, arm: Arm, refused_by: Vec<String>) -> Candidate {
    let content = board.offers[arm.offer].content;
    Candidate {
        content_id: content.content_id.clone(),
        variant_id: variant_id(board, arm),
        channel: channel(board, arm),
        slot_start: board.slots[arm.slot].slot.start,
        response_probability: arm.probability,
        value: arm.value,
        refused_by,
        prior: prior(board, arm),
    }
}

/// What is assumed of an arm's content, if it has little history.
fn prior(board: &Board, arm: Arm) -> Option<CandidatePrior> {
    let prior = board.offers[arm.offer].prior?;
    let [low, high] = [-prior.margin(), prior.margin()].map(|margin| board.probability(arm, margin));
    Some(CandidatePrior { category: prior.category.clone(), contents: prior.contents, low, high })
}

fn channel(board: &Board, arm: Arm) -> String {
    board.situation.context.channels[arm.channel].name.clone()
}

fn variant_id(board: &Board, arm: Arm) -> Option<String> {
    let variant = board.offers[arm.offer].variant(board.situation)?;
    Some(variant.variant_id.clone())
}
