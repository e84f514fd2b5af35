//! The rules, each a named question in a table: every "no" carries the rule's name and, if waiting helps, until when.
//!
//! Rules of the user and the campaign are asked once. Rules of slots and contents are asked about an instant and
//! answer for a while: allowed until then, or refused until then. New rules are new lines of a table.

use super::draw::{draw, falls_within};
use super::offers::Offer;
use super::situation::{Situation, is_plausible};
use crate::domain::campaign::CampaignStatus;
use crate::domain::settings::ConsentWhenUnknown;
use crate::domain::time::Instant;
use crate::domain::user::Consent;

/// Some content must be there to choose from.
pub const HAS_CANDIDATES: &str = "has_candidates";
/// The scorer must give the arm a finite logit and a probability.
pub const IS_SCORED: &str = "is_scored";
/// The best arm must be worth more than it costs.
pub const IS_WORTH_SENDING: &str = "is_worth_sending";

/// A named question.
pub(super) struct Rule<Check> {
    /// Stable name, as reasons give it.
    pub(super) name: &'static str,
    /// The question.
    pub(super) check: Check,
}

/// What a rule says of an instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Verdict {
    /// Yes, and for all instants before `until`, which lies after the one asked for.
    Allowed { until: Instant },
    /// No.
    Refused(Refusal),
}

/// A rule's no.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Refusal {
    /// The instant from which this rule, as far as it knows, would say yes; `None`: never, or not by waiting.
    pub(super) allowed_from: Option<Instant>,
}

/// Yes, for good.
const YES: Verdict = Verdict::Allowed { until: Instant::MAX };
/// No, for good.
const NEVER: Verdict = Verdict::Refused(Refusal { allowed_from: None });

/// A question about the user, or about the campaign with the user.
pub(super) type RequestCheck = fn(&Situation) -> Verdict;
/// A question about an instant at which something might be sent.
pub(super) type SlotCheck = fn(&Situation, Instant) -> Verdict;
/// A question about a content at an instant.
pub(super) type ContentCheck = fn(&Situation, &Offer, Instant) -> Verdict;

/// May this user be pushed at all? Safety fails closed: what is not known is a no.
pub(super) const USER_RULES: &[Rule<RequestCheck>] = &[
    Rule { name: "clock_is_trusted", check: clock_is_trusted },
    Rule { name: "has_consented", check: has_consented },
    Rule { name: "preferences_are_readable", check: preferences_are_readable },
    Rule { name: "zone_is_known", check: zone_is_known },
    Rule { name: "outside_holdout", check: outside_holdout },
];

/// May this campaign push him?
pub(super) const CAMPAIGN_RULES: &[Rule<RequestCheck>] = &[
    Rule { name: "campaign_is_running", check: campaign_is_running },
    Rule { name: "outside_campaign_holdout", check: outside_campaign_holdout },
];

/// May anything be sent at this instant?
pub(super) const SLOT_RULES: &[Rule<SlotCheck>] = &[
    Rule { name: "inside_campaign_window", check: inside_campaign_window },
    Rule { name: "outside_quiet_hours", check: outside_quiet_hours },
    Rule { name: "under_daily_cap", check: under_daily_cap },
];

/// May this content be sent at this instant?
pub(super) const CONTENT_RULES: &[Rule<ContentCheck>] = &[
    Rule { name: IS_SCORED, check: is_scored },
    Rule { name: "category_is_not_muted", check: category_is_not_muted },
    Rule { name: "is_published", check: is_published },
    Rule { name: "before_expiry", check: before_expiry },
];

/// The rules that hold a user out, so that the effect of pushing can be measured.
pub(super) const HOLDOUT_RULES: [&str; 2] = ["outside_holdout", "outside_campaign_holdout"];

/// The name of every rule there is.
pub fn names() -> Vec<&'static str> {
    let requests = USER_RULES.iter().chain(CAMPAIGN_RULES).map(|rule| rule.name);
    let slots = SLOT_RULES.iter().map(|rule| rule.name);
    let contents = CONTENT_RULES.iter().map(|rule| rule.name);
    requests.chain(slots).chain(contents).chain([HAS_CANDIDATES, IS_WORTH_SENDING]).collect()
}

// ---- the user ----

fn clock_is_trusted(situation: &Situation) -> Verdict {
    yes_if(situation.context.clock_trusted && situation.is_clock_plausible())
}

fn has_consented(situation: &Situation) -> Verdict {
    match situation.context.user.consent {
        Consent::Granted => YES,
        Consent::Denied => NEVER,
        Consent::Unknown => {
            yes_if(situation.context.settings.consent_when_unknown == ConsentWhenUnknown::Allow)
        }
    }
}

fn preferences_are_readable(situation: &Situation) -> Verdict {
    yes_if(situation.context.user.unreadable_preference.is_none() && situation.quiet.is_ok())
}

fn zone_is_known(situation: &Situation) -> Verdict {
    yes_if(situation.is_zone_known)
}

/// The same users are held out from everything.
fn outside_holdout(situation: &Situation) -> Verdict {
    let settings = &situation.context.settings;
    let user = situation.context.user.user_id.as_bytes();
    yes_if(!falls_within(draw(settings.seed, "holdout", &[user]), settings.holdout_percent))
}

// ---- the campaign ----

fn campaign_is_running(situation: &Situation) -> Verdict {
    let is_running = |status| matches!(status, CampaignStatus::Running | CampaignStatus::Scheduled);
    yes_if(situation.context.campaign.as_ref().is_none_or(|campaign| is_running(campaign.status)))
}

/// Each campaign holds out users of its own.
fn outside_campaign_holdout(situation: &Situation) -> Verdict {
    let Some(campaign) = &situation.context.campaign else { return YES };
    let names = [campaign.campaign_id.as_bytes(), situation.context.user.user_id.as_bytes()];
    let draw = draw(situation.context.settings.seed, "campaign_holdout", &names);
    yes_if(!falls_within(draw, campaign.holdout_percent))
}

// ---- the instant ----

fn inside_campaign_window(situation: &Situation, at: Instant) -> Verdict {
    let Some(campaign) = &situation.context.campaign else { return YES };
    let start = campaign.window_start.unwrap_or(Instant::MIN);
    let end = campaign.window_end.unwrap_or(Instant::MAX);
    match () {
        // A window that ends before it starts never opens.
        _ if at.max(start) >= end => NEVER,
        _ if at < start => refused_until(start),
        _ => Verdict::Allowed { until: end },
    }
}

fn outside_quiet_hours(situation: &Situation, at: Instant) -> Verdict {
    let Some(hours) = situation.quiet_hours() else { return YES };
    if hours.is_quiet(situation.zone, at) {
        return refused_until(hours.allowed_from(situation.zone, at));
    }
    Verdict::Allowed { until: hours.quiet_from(situation.zone, at).unwrap_or(Instant::MAX) }
}

/// Counts the pushes of the calendar day that the user's own clock shows.
fn under_daily_cap(situation: &Situation, at: Instant) -> Verdict {
    let cap = situation.daily_cap();
    if cap == 0 {
        return NEVER;
    }
    let is_full = |at: Instant| situation.sent_on(situation.local_day(at)) >= cap;
    if !is_full(at) {
        return Verdict::Allowed { until: situation.day_end(at) };
    }
    let mut free = at;
    while is_full(free) && is_plausible(free) {
        free = situation.day_end(free);
    }
    refused_until(free)
}

// ---- the content ----

fn is_scored(_: &Situation, offer: &Offer, _: Instant) -> Verdict {
    yes_if(offer.shift.is_finite())
}

fn category_is_not_muted(situation: &Situation, offer: &Offer, _: Instant) -> Verdict {
    let muted = &situation.context.user.muted_categories;
    yes_if(offer.content.category.as_ref().is_none_or(|category| !muted.contains(category)))
}

fn is_published(_: &Situation, offer: &Offer, at: Instant) -> Verdict {
    match offer.content.published_at {
        Some(published_at) if at < published_at => refused_until(published_at),
        _ => YES,
    }
}

fn before_expiry(_: &Situation, offer: &Offer, at: Instant) -> Verdict {
    match offer.content.expires_at {
        Some(expires_at) if at >= expires_at => NEVER,
        Some(expires_at) => Verdict::Allowed { until: expires_at },
        None => YES,
    }
}

fn yes_if(is_allowed: bool) -> Verdict {
    if is_allowed { YES } else { NEVER }
}

/// Refused until `at`; for good when nobody will live to see it.
fn refused_until(at: Instant) -> Verdict {
    Verdict::Refused(Refusal { allowed_from: Some(at).filter(|at| is_plausible(*at)) })
}
