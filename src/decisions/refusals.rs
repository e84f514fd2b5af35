//! What stands against a send, as reasons: of the user, of arms, and when something might be sent at the earliest.

use std::fmt;

use super::board::Board;
use super::offers::Offer;
use super::rules::{CAMPAIGN_RULES, Refusal, RequestCheck, Rule, RuleVerdict, USER_RULES};
use super::sentences::{self, Language};
use super::situation::Situation;
use super::walk::{About, Refused, Scope, walk};
use domain::decision::Reason;
use domain::time::Instant;

/// Every rule of the user or the campaign that refuses.
pub(super) fn of_user(situation: &Situation) -> Vec<Reason> {
    let user = USER_RULES.iter().map(|rule| (rule, "user".to_string()));
    let campaign = CAMPAIGN_RULES.iter().map(|rule| (rule, format!("campaign:{}", situation.campaign_id())));
    let refuses = |(rule, subject): (&Rule<RequestCheck>, String)| match (rule.check)(situation) {
        RuleVerdict::Allowed { .. } => None,
        RuleVerdict::Refused(Refusal { allowed_from }) => {
            Some(reason(situation, rule.name, subject, allowed_from))
        }
    };
    user.chain(campaign).filter_map(refuses).collect()
}

/// What channels, slots and contents were refused for, in this order: each rule once, with the refusal that ends first. Where
/// no content may be sent at any time, the contents' refusals come first, for waiting does not help.
pub(super) fn of_arms(board: &Board) -> Vec<Reason> {
    let mut findings = Findings::default();
    add_closed_slots(board, &mut findings);
    for offer in board.offers.iter().filter(|offer| !board.has_arm(offer)) {
        add_offer_without_arm(board, offer, &mut findings);
    }
    let is_hopeless = board.offers.iter().all(|offer| offer.life.is_none());
    findings.into_reasons(board.situation, is_hopeless)
}

/// What lanes are refused for in the slots in which they are closed.
fn add_closed_slots<'a>(board: &Board<'a>, findings: &mut Findings<'a>) {
    for (lane, slot) in board.closed() {
        walk(board.situation, Scope::Lane(lane), slot.start, slot.end, |refused| {
            let subject = match refused.about {
                About::Channel => Subject::Channel(&lane.channel.name),
                _ => Subject::Slot(slot.start),
            };
            findings.add(refused, subject);
        });
    }
}

/// What a content is refused for that cannot be sent in any slot over any channel.
fn add_offer_without_arm<'a>(board: &Board<'a>, offer: &Offer<'a>, findings: &mut Findings<'a>) {
    let (situation, content) = (board.situation, Subject::Content(&offer.content.content_id));
    for lane in board.lanes_of(offer) {
        walk(situation, Scope::Arm(offer, lane), situation.from, situation.until, |refused| {
            let subject = match refused.about {
                About::Channel => Subject::Channel(&lane.channel.name),
                // Two rules may leave no common minute in a slot that has some: the slot alone was not refused.
                About::Slot => Subject::Slot(board.slot_start(refused.at)),
                About::Content => content,
            };
            findings.add(refused, subject);
        });
    }
    // The content alone: what its channels are refused for must not hide what stands against it itself.
    walk(situation, Scope::Content(offer), situation.from, situation.until, |refused| {
        findings.add(refused, content);
    });
}

/// The earliest instant at which, as far as the rules know, something might be sent.
pub(super) fn earliest(board: &Board) -> Option<Instant> {
    let from = board.situation.from;
    let arms = board.offers.iter().flat_map(|offer| board.lanes_of(offer).map(move |lane| (offer, lane)));
    let opens = |(offer, lane)| walk(board.situation, Scope::Arm(offer, lane), from, Instant::MAX, |_| ());
    arms.filter_map(opens).map(|run| run.from).filter(|at| *at > from).min()
}

/// A refusal in words.
pub(super) fn reason(
    situation: &Situation,
    rule: &str,
    subject: String,
    allowed_from: Option<Instant>,
) -> Reason {
    let mut reason = Reason { rule: rule.to_string(), subject, message: String::new(), allowed_from };
    reason.message = sentences::of_reason(situation, &reason, Language::English);
    reason
}

/// What a refusal is about, by name.
#[derive(Clone, Copy)]
enum Subject<'a> {
    Channel(&'a str),
    Slot(Instant),
    Content(&'a str),
}

impl fmt::Display for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Channel(name) => write!(f, "channel:{name}"),
            Subject::Slot(start) => write!(f, "slot:{start}"),
            Subject::Content(id) => write!(f, "content:{id}"),
        }
    }
}

/// A rule's refusal that ends first.
struct Finding<'a> {
    rule: &'static str,
    subject: Subject<'a>,
    allowed_from: Option<Instant>,
}

/// Refusals by what they are about, one for each rule.
#[derive(Default)]
struct Findings<'a> {
    channels: Vec<Finding<'a>>,
    slots: Vec<Finding<'a>>,
    contents: Vec<Finding<'a>>,
}

impl<'a> Findings<'a> {
    /// Keeps the refusal that ends first, the earlier one on ties: it says best how long to wait.
    fn add(&mut self, refused: Refused, subject: Subject<'a>) {
        let findings = match subject {
            Subject::Channel(_) => &mut self.channels,
            Subject::Slot(_) => &mut self.slots,
            Subject::Content(_) => &mut self.contents,
        };
        let end = |allowed_from: Option<Instant>| allowed_from.unwrap_or(Instant::MAX);
        let finding = Finding { rule: refused.rule, subject, allowed_from: refused.allowed_from };
        match findings.iter_mut().find(|known| known.rule == refused.rule) {
            None => findings.push(finding),
            Some(known) if end(finding.allowed_from) < end(known.allowed_from) => *known = finding,
            Some(_) => {}
        }
    }

    fn into_reasons(self, situation: &Situation, is_hopeless: bool) -> Vec<Reason> {
        let around = self.channels.into_iter().chain(self.slots);
        let all: Vec<Finding> = match is_hopeless && !situation.context.is_lenient() {
            true => self.contents.into_iter().chain(around).collect(),
            false => around.chain(self.contents).collect(),
        };
        all.into_iter()
            .map(|one| reason(situation, one.rule, one.subject.to_string(), one.allowed_from))
            .collect()
    }
}
