//! Walking through time from refusal to refusal: what is allowed when, which rules refuse, and until when.

use super::board::Board;
use super::lanes::Lane;
use super::offers::Offer;
use super::rules::{
    CAMPAIGN_RULES, CHANNEL_RULES, CONTENT_RULES, Refusal, RequestCheck, Rule, SLOT_RULES, USER_RULES,
    Verdict,
};
use super::scorer::Scorer;
use super::sentences::{self, Language};
use super::situation::Situation;
use domain::decision::Reason;
use domain::time::Instant;

/// Refusals in a row after which a walk gives up; sound rules need a handful.
const LONGEST_WALK: usize = 1_000;

/// A run of instants, `from` inclusive, `until` exclusive and later.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Run {
    pub(super) from: Instant,
    pub(super) until: Instant,
}

/// Which rules are asked.
#[derive(Clone, Copy)]
pub(super) enum Scope<'a> {
    /// Those of the channel and the slots of one lane.
    Lane(&'a Lane<'a>),
    /// Those of one content.
    Content(&'a Offer<'a>),
    /// Both: those of one content in the slots of its lane.
    Arm(&'a Offer<'a>, &'a Lane<'a>),
}

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    Channel,
    Slot,
    Content,
}

/// One rule's no, met on a walk.
#[derive(Clone, Copy)]
pub(super) struct Refused {
    /// The rule.
    pub(super) rule: &'static str,
    /// What it is about.
    pub(super) about: About,
    /// When it refused.
    pub(super) at: Instant,
    /// From when it would not.
    pub(super) allowed_from: Option<Instant>,
}

/// The first run of instants from `from` on that begins before `until` and that all rules of the scope allow.
///
/// Each refusal on the way is told. The run may be shorter than it could be; the next one then follows at its end.
pub(super) fn walk(
    situation: &Situation,
    scope: Scope,
    from: Instant,
    until: Instant,
    mut tell: impl FnMut(Refused),
) -> Option<Run> {
    let mut at = from;
    for _ in 0..LONGEST_WALK {
        if at >= until {
            return None;
        }
        match ask(situation, scope, at) {
            Ok(allowed_until) => return Some(Run { from: at, until: allowed_until }),
            Err(refused) => {
                tell(refused);
                at = refused.allowed_from.filter(|next| *next > at)?;
            }
        }
    }
    None
}

/// The runs of instants within the horizon that the rules of a scope allow.
pub(super) fn allowed_runs<'s>(situation: &'s Situation, scope: Scope<'s>) -> impl Iterator<Item = Run> + 's {
    let mut at = situation.from;
    std::iter::from_fn(move || {
        let run = walk(situation, scope, at, situation.until, |_| ())?;
        at = run.until;
        Some(run)
    })
}

/// Until when every rule of the scope allows, or the first that does not.
fn ask(situation: &Situation, scope: Scope, at: Instant) -> Result<Instant, Refused> {
    let mut until = Instant::MAX;
    let mut judge = |rule: &'static str, about: About, verdict: Verdict| match verdict {
        Verdict::Allowed { until: end } => {
            until = until.min(end);
            Ok(())
        }
        Verdict::Refused(Refusal { allowed_from }) => Err(Refused { rule, about, at, allowed_from }),
    };
    if let Scope::Lane(lane) | Scope::Arm(_, lane) = scope {
        for Rule { name, check } in CHANNEL_RULES {
            judge(name, About::Channel, check(situation, lane))?;
        }
        for Rule { name, check } in SLOT_RULES {
            judge(name, About::Slot, check(situation, lane, at))?;
        }
    }
    if let Scope::Content(offer) | Scope::Arm(offer, _) = scope {
        for Rule { name, check } in CONTENT_RULES {
            judge(name, About::Content, check(situation, offer, at))?;
        }
    }
    Ok(until)
}

/// Every rule of the user or the campaign that refuses.
pub(super) fn of_user(situation: &Situation) -> Vec<Reason> {
    let user = USER_RULES.iter().map(|rule| (rule, "user".to_string()));
    let campaign = CAMPAIGN_RULES.iter().map(|rule| (rule, format!("campaign:{}", situation.campaign_id())));
    let refuses = |(rule, subject): (&Rule<RequestCheck>, String)| match (rule.check)(situation) {
        Verdict::Allowed { .. } => None,
        Verdict::Refused(Refusal { allowed_from }) => {
            Some(reason(situation, rule.name, subject, allowed_from))
        }
    };
    user.chain(campaign).filter_map(refuses).collect()
}

/// What channels, contents and slots were refused for: each rule once, with the refusal that ends first.
pub(super) fn of_arms<S: Scorer>(board: &Board<S>) -> Vec<Reason> {
    let situation = board.situation;
    let (mut channels, mut slots, mut contents) = (Found::default(), Found::default(), Found::default());
    for (lane, slot) in board.closed() {
        walk(situation, Scope::Lane(lane), slot.start, slot.end, |refused| match refused.about {
            About::Channel => channels.add(refused, lane.channel.name.as_str()),
            _ => slots.add(refused, slot.start),
        });
    }
    for offer in board.offers.iter().filter(|offer| !board.has_arm(offer)) {
        for lane in board.lanes_of(offer) {
            walk(situation, Scope::Arm(offer, lane), situation.from, situation.until, |refused| {
                // Two rules may leave no common minute in a slot that has some: the slot alone was not refused.
                match refused.about {
                    About::Channel => channels.add(refused, lane.channel.name.as_str()),
                    About::Slot => slots.add(refused, board.slot_start(refused.at)),
                    About::Content => contents.add(refused, offer.content.content_id.as_str()),
                }
            });
        }
        // The content alone: what its channels are refused for must not hide what stands against it itself.
        walk(situation, Scope::Content(offer), situation.from, situation.until, |refused| {
            contents.add(refused, offer.content.content_id.as_str());
        });
    }
    let named = |rule, subject, from| reason(situation, rule, subject, from);
    let channels =
        channels.all.into_iter().map(|(rule, name, from)| named(rule, format!("channel:{name}"), from));
    let slots = slots.all.into_iter().map(|(rule, start, from)| named(rule, format!("slot:{start}"), from));
    let contents =
        contents.all.into_iter().map(|(rule, id, from)| named(rule, format!("content:{id}"), from));
    channels.chain(slots).chain(contents).collect()
}

/// The earliest instant at which, as far as the rules know, something might be sent.
pub(super) fn earliest<S: Scorer>(board: &Board<S>) -> Option<Instant> {
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

/// Refusals, one for each rule.
struct Found<Subject> {
    all: Vec<(&'static str, Subject, Option<Instant>)>,
}

impl<Subject> Default for Found<Subject> {
    fn default() -> Self {
        Found { all: Vec::new() }
    }
}

impl<Subject> Found<Subject> {
    /// Keeps the refusal that ends first, the earlier one on ties: it tells best how long to wait.
    fn add(&mut self, refused: Refused, subject: Subject) {
        let end = |allowed_from: Option<Instant>| allowed_from.unwrap_or(Instant::MAX);
        match self.all.iter_mut().find(|(rule, ..)| *rule == refused.rule) {
            Some(known) if end(refused.allowed_from) < end(known.2) => {
                *known = (refused.rule, subject, refused.allowed_from);
            }
            Some(_) => {}
            None => self.all.push((refused.rule, subject, refused.allowed_from)),
        }
    }
}
