//! Walking through time from refusal to refusal: what is allowed when, and which rules refuse until when.

use super::lanes::Lane;
use super::offers::Offer;
use super::rules::{CHANNEL_RULES, CONTENT_RULES, Refusal, Rule, RuleVerdict, SLOT_RULES};
use super::run::Run;
use super::situation::Situation;
use domain::time::Instant;

/// Refusals in a row after which a walk gives up; sound rules need a handful.
const LONGEST_WALK: usize = 1_000;

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
/// Each refusal on the way is reported to `tell`. The run may be shorter than it could be; the next one then follows at
/// its end.
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
    let mut judge = |rule: &'static str, about: About, verdict: RuleVerdict| match verdict {
        RuleVerdict::Allowed { until: end } => {
            until = until.min(end);
            Ok(())
        }
        RuleVerdict::Refused(Refusal { allowed_from }) => Err(Refused { rule, about, at, allowed_from }),
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
