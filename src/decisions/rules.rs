//! The rules, each a named question in a table: every "no" carries the rule's name and, if waiting helps, until when.
//!
//! Rules of the user and the campaign are asked once. Rules of slots and contents are asked about an instant and
//! answer for a while: allowed until then, or refused until then. New rules are new lines of a table.

use super::context::{Audience, Membership};
use super::lanes::Lane;
use super::offers::Offer;
use super::pacing::{Limit, Room};
use super::rule_names::{
    CHANNEL_IS_SET_UP, CLOCK_IS_TRUSTED, DAILY_CAP, FREQUENCY_RULES, HAS_CANDIDATES, HAS_CONSENTED,
    HAS_DEVICE, IS_RESTED, IS_SCORED, IS_TRIED_OUT, IS_WORTH_SENDING, MINIMUM_GAP, OUTSIDE_CAMPAIGN_HOLDOUT,
    OUTSIDE_HOLDOUT, OUTSIDE_QUIET_HOURS, PLAN_RULES, PREFERENCES_ARE_READABLE, UNDER_MAX_SENDS,
    VENDOR_QUOTA, ZONE_IS_KNOWN,
};
use super::situation::{Situation, is_plausible};
use domain::campaign::CampaignStatus;
use domain::content::MessageClass;
use domain::draw::{draw, falls_within};
use domain::payload::{PAYLOAD_FITS, is_push};
use domain::settings::ConsentWhenUnknown;
use domain::text::is_same_name;
use domain::time::{Instant, MINUTE};
use domain::user::{Consent, QuietHours};
use domain::variant::{
    CONTENT_IS_READABLE, Fitting, HAS_TEMPLATE_VALUES, HAS_VARIANT, HAS_VISIBLE_TEXT, IS_DECLARED,
    too_many_bytes,
};

/// A named question.
pub(super) struct Rule<Check> {
    /// Stable name, as reasons give it.
    pub(super) name: &'static str,
    /// The question.
    pub(super) check: Check,
}

/// What a rule says of an instant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum RuleVerdict {
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
const YES: RuleVerdict = RuleVerdict::Allowed { until: Instant::MAX };
/// No, for good.
const NEVER: RuleVerdict = RuleVerdict::Refused(Refusal { allowed_from: None });

/// A question about the user, or about the campaign with the user.
pub(super) type RequestCheck = fn(&Situation) -> RuleVerdict;
/// A question about a channel.
pub(super) type ChannelCheck = fn(&Situation, &Lane) -> RuleVerdict;
/// A question about an instant at which something of a lane might be sent.
pub(super) type SlotCheck = fn(&Situation, &Lane, Instant) -> RuleVerdict;
/// A question about a content at an instant.
pub(super) type ContentCheck = fn(&Situation, &Offer, Instant) -> RuleVerdict;

/// May this user be pushed at all? Safety fails closed: what is not known is a no.
pub(super) const USER_RULES: &[Rule<RequestCheck>] = &[
    Rule { name: CLOCK_IS_TRUSTED, check: clock_is_trusted },
    Rule { name: HAS_CONSENTED, check: has_consented },
    Rule { name: PREFERENCES_ARE_READABLE, check: preferences_are_readable },
    Rule { name: ZONE_IS_KNOWN, check: zone_is_known },
    Rule { name: OUTSIDE_HOLDOUT, check: outside_holdout },
];

/// May this campaign push him?
pub(super) const CAMPAIGN_RULES: &[Rule<RequestCheck>] = &[
    Rule { name: "campaign_is_readable", check: campaign_is_readable },
    Rule { name: "campaign_is_running", check: campaign_is_running },
    Rule { name: "audience_is_known", check: audience_is_known },
    Rule { name: "in_audience", check: in_audience },
    Rule { name: OUTSIDE_CAMPAIGN_HOLDOUT, check: outside_campaign_holdout },
    Rule { name: UNDER_MAX_SENDS, check: under_max_sends },
];

/// Can the user be reached over this channel?
pub(super) const CHANNEL_RULES: &[Rule<ChannelCheck>] = &[
    Rule { name: CHANNEL_IS_SET_UP, check: channel_is_set_up },
    Rule { name: HAS_DEVICE, check: has_device },
];

/// May anything of this lane be sent at this instant?
pub(super) const SLOT_RULES: &[Rule<SlotCheck>] = &[
    Rule { name: "after_lead_time", check: after_lead_time },
    Rule { name: "inside_campaign_window", check: inside_campaign_window },
    Rule { name: OUTSIDE_QUIET_HOURS, check: outside_quiet_hours },
    Rule { name: "outside_campaign_quiet_hours", check: outside_campaign_quiet_hours },
    Rule { name: DAILY_CAP, check: under_daily_cap },
    Rule { name: FREQUENCY_RULES, check: under_frequency_rules },
    Rule { name: MINIMUM_GAP, check: after_minimum_gap },
    Rule { name: VENDOR_QUOTA, check: under_vendor_quota },
];

/// May this content be sent at this instant?
pub(super) const CONTENT_RULES: &[Rule<ContentCheck>] = &[
    Rule { name: IS_DECLARED, check: is_declared },
    Rule { name: CONTENT_IS_READABLE, check: content_is_readable },
    Rule { name: IS_SCORED, check: is_scored },
    Rule { name: "category_is_not_muted", check: category_is_not_muted },
    Rule { name: "is_for_his_country", check: is_for_his_country },
    Rule { name: HAS_VARIANT, check: has_variant },
    Rule { name: HAS_TEMPLATE_VALUES, check: has_template_values },
    Rule { name: HAS_VISIBLE_TEXT, check: has_visible_text },
    Rule { name: PAYLOAD_FITS, check: payload_fits },
    Rule { name: "under_cold_start_cap", check: under_cold_start_cap },
    Rule { name: "is_published", check: is_published },
    Rule { name: "before_expiry", check: before_expiry },
    Rule { name: IS_RESTED, check: is_rested },
];

/// The name of every rule there is.
pub fn names() -> Vec<&'static str> {
    let requests = USER_RULES.iter().chain(CAMPAIGN_RULES).map(|rule| rule.name);
    let channels = CHANNEL_RULES.iter().map(|rule| rule.name);
    let slots = SLOT_RULES.iter().map(|rule| rule.name);
    let contents = CONTENT_RULES.iter().map(|rule| rule.name);
    let arms = [HAS_CANDIDATES, IS_WORTH_SENDING, IS_TRIED_OUT].into_iter().chain(PLAN_RULES);
    requests.chain(channels).chain(slots).chain(contents).chain(arms).collect()
}

// ---- the user ----

fn clock_is_trusted(situation: &Situation) -> RuleVerdict {
    yes_if(situation.context.clock_trusted && situation.is_clock_plausible())
}

fn has_consented(situation: &Situation) -> RuleVerdict {
    match situation.context.user.consent {
        Consent::Granted => YES,
        Consent::Denied | Consent::Unreadable | Consent::Withdrawn => NEVER,
        Consent::Unknown => {
            yes_if(situation.context.settings.consent_when_unknown == ConsentWhenUnknown::Allow)
        }
    }
}

fn preferences_are_readable(situation: &Situation) -> RuleVerdict {
    yes_if(situation.context.user.unreadable_preference.is_none() && situation.quiet.is_ok())
}

fn zone_is_known(situation: &Situation) -> RuleVerdict {
    yes_if(situation.is_zone_known)
}

/// The same users are held out from everything.
fn outside_holdout(situation: &Situation) -> RuleVerdict {
    let settings = &situation.context.settings;
    let draw = draw(settings.seed, "holdout", &[situation.context.user.user_id.as_bytes()]);
    yes_if(!falls_within(draw, settings.holdout_percent))
}

// ---- the campaign ----

fn campaign_is_readable(situation: &Situation) -> RuleVerdict {
    yes_if(situation.context.campaign.as_ref().is_none_or(|campaign| campaign.unreadable.is_none()))
}

/// Of a campaign that may send so often in all.
fn under_max_sends(situation: &Situation) -> RuleVerdict {
    let most = situation.context.campaign.as_ref().and_then(|campaign| campaign.max_sends);
    yes_if(most.is_none_or(|most| situation.context.campaign_sends < most))
}

fn campaign_is_running(situation: &Situation) -> RuleVerdict {
    let is_running = |status| matches!(status, CampaignStatus::Running | CampaignStatus::Scheduled);
    yes_if(situation.context.campaign.as_ref().is_none_or(|campaign| is_running(campaign.status)))
}

/// A segment that is gone or cannot be evaluated is nobody's audience.
fn audience_is_known(situation: &Situation) -> RuleVerdict {
    let audience = situation.context.audience.as_ref();
    yes_if(!matches!(audience, Some(Audience { membership: Membership::Unknown { .. }, .. })))
}

fn in_audience(situation: &Situation) -> RuleVerdict {
    let audience = situation.context.audience.as_ref();
    yes_if(!matches!(audience, Some(Audience { membership: Membership::Other, .. })))
}

/// Each campaign holds out users of its own.
fn outside_campaign_holdout(situation: &Situation) -> RuleVerdict {
    let Some(campaign) = &situation.context.campaign else { return YES };
    let names = [campaign.campaign_id.as_bytes(), situation.context.user.user_id.as_bytes()];
    let draw = draw(situation.context.settings.seed, "campaign_holdout", &names);
    yes_if(!falls_within(draw, campaign.holdout_percent))
}

// ---- the channel ----

fn channel_is_set_up(_: &Situation, lane: &Lane) -> RuleVerdict {
    yes_if(lane.channel.cost.is_some())
}

/// Of a user whose devices nobody declared, the gateway knows.
fn has_device(situation: &Situation, lane: &Lane) -> RuleVerdict {
    let Some(devices) = &situation.context.user.devices else { return YES };
    yes_if(devices.iter().any(|device| device.active && device.channel == lane.channel.name))
}

// ---- the instant ----

fn after_lead_time(situation: &Situation, _: &Lane, at: Instant) -> RuleVerdict {
    let lead = situation.context.campaign.as_ref().map_or(0, |campaign| campaign.lead_minutes);
    let first = situation.from.plus(i64::from(lead) * MINUTE);
    if at < first { refused_until(first) } else { YES }
}

fn inside_campaign_window(situation: &Situation, _: &Lane, at: Instant) -> RuleVerdict {
    let Some(campaign) = &situation.context.campaign else { return YES };
    let start = campaign.window_start.unwrap_or(Instant::MIN);
    let end = campaign.window_end.unwrap_or(Instant::MAX);
    if at.max(start) >= end {
        // A window that ends before it starts never opens.
        NEVER
    } else if at < start {
        refused_until(start)
    } else {
        RuleVerdict::Allowed { until: end }
    }
}

/// The user's own hours hold for every message; the default ones, when neither user nor campaign sets any, for marketing.
fn outside_quiet_hours(situation: &Situation, lane: &Lane, at: Instant) -> RuleVerdict {
    outside(situation, situation.quiet_hours(lane.is_service), at)
}

/// A campaign's quiet hours hold beside the user's, on his clock.
fn outside_campaign_quiet_hours(situation: &Situation, _: &Lane, at: Instant) -> RuleVerdict {
    outside(situation, situation.campaign_quiet_hours(), at)
}

/// Is the instant outside quiet hours on the user's clock?
pub(super) fn outside(situation: &Situation, hours: Option<QuietHours>, at: Instant) -> RuleVerdict {
    let Some(hours) = hours else { return YES };
    if hours.is_quiet(situation.zone, at) {
        return refused_until(hours.allowed_from(situation.zone, at));
    }
    RuleVerdict::Allowed { until: hours.quiet_from(situation.zone, at).unwrap_or(Instant::MAX) }
}

/// Counts the pushes of the calendar day that the user's own clock shows.
fn under_daily_cap(_: &Situation, lane: &Lane, at: Instant) -> RuleVerdict {
    all_have_room(lane.daily.iter(), at)
}

/// Everybody's frequency rules and the campaign's own.
fn under_frequency_rules(_: &Situation, lane: &Lane, at: Instant) -> RuleVerdict {
    all_have_room(lane.frequency.iter(), at)
}

fn after_minimum_gap(_: &Situation, lane: &Lane, at: Instant) -> RuleVerdict {
    all_have_room(lane.gap.iter(), at)
}

/// What vendors' push services would not deliver any more on their day need not be sent.
fn under_vendor_quota(_: &Situation, lane: &Lane, at: Instant) -> RuleVerdict {
    all_have_room(lane.vendor.iter(), at)
}

fn all_have_room<'a>(limits: impl Iterator<Item = &'a Limit>, at: Instant) -> RuleVerdict {
    let mut until = Instant::MAX;
    for limit in limits {
        match limit.room(at) {
            Room::Until(end) => until = until.min(end),
            Room::NotBefore(None) => return NEVER,
            Room::NotBefore(Some(free)) => return refused_until(free),
        }
    }
    RuleVerdict::Allowed { until }
}

// ---- the content ----

/// There is no text to send of a content that only events or a campaign name.
fn is_declared(_: &Situation, offer: &Offer, _: Instant) -> RuleVerdict {
    yes_if(!matches!(offer.fitting, Fitting::Undeclared))
}

/// What cannot be read might be another text, another language or a service message.
fn content_is_readable(_: &Situation, offer: &Offer, _: Instant) -> RuleVerdict {
    yes_if(!matches!(offer.fitting, Fitting::Unreadable))
}

fn is_scored(_: &Situation, offer: &Offer, _: Instant) -> RuleVerdict {
    yes_if(offer.shift.is_finite())
}

fn category_is_not_muted(situation: &Situation, offer: &Offer, _: Instant) -> RuleVerdict {
    let muted = &situation.context.user.muted_categories;
    let is_muted = |category: &String| muted.iter().any(|muted| is_same_name(muted, category));
    yes_if(!offer.content.category.as_ref().is_some_and(is_muted))
}

/// Where a content may not be sent, it may not be sent to whom nobody knows to be elsewhere.
fn is_for_his_country(situation: &Situation, offer: &Offer, _: Instant) -> RuleVerdict {
    let countries = &offer.content.countries;
    let country = situation.context.user.country.as_ref();
    let is_among = |country: &String| countries.iter().any(|one| is_same_name(one, country));
    yes_if(countries.is_empty() || country.is_some_and(is_among))
}

/// In the language of the user, in none, or in the default one.
fn has_variant(situation: &Situation, offer: &Offer, _: Instant) -> RuleVerdict {
    yes_if(match offer.fitting {
        Fitting::NoneInLanguage => false,
        Fitting::NoneDeclared => situation.context.is_lenient(),
        Fitting::Undeclared
        | Fitting::Unreadable
        | Fitting::NoneFillable
        | Fitting::NoneVisible
        | Fitting::These(_) => true,
    })
}

fn has_template_values(_: &Situation, offer: &Offer, _: Instant) -> RuleVerdict {
    yes_if(!matches!(offer.fitting, Fitting::NoneFillable))
}

/// A push of which nothing can be seen only disturbs.
fn has_visible_text(_: &Situation, offer: &Offer, _: Instant) -> RuleVerdict {
    yes_if(!matches!(offer.fitting, Fitting::NoneVisible))
}

/// Push services refuse what is larger, so the user would get nothing.
fn payload_fits(situation: &Situation, offer: &Offer, _: Instant) -> RuleVerdict {
    let user = &situation.context.user;
    let is_oversize = || offer.variant(situation).is_some_and(|one| too_many_bytes(one, user).is_some());
    let mut channels = situation.context.channels.iter();
    yes_if(!(channels.any(|channel| is_push(&channel.name)) && is_oversize()))
}

/// A content that little is known of is tried on so many users, until more is known.
fn under_cold_start_cap(situation: &Situation, offer: &Offer, _: Instant) -> RuleVerdict {
    let candidate = &situation.context.contents[offer.index];
    let settings = &situation.context.settings;
    let is_new = candidate.evidence < settings.cold_start_evidence;
    let is_service = offer.content.message_class == MessageClass::Service;
    yes_if(is_service || !is_new || candidate.sent < settings.cold_start_sends)
}

/// A content sleeps after it was sent to the user.
fn is_rested(_: &Situation, offer: &Offer, at: Instant) -> RuleVerdict {
    all_have_room(offer.sleep.iter(), at)
}

fn is_published(_: &Situation, offer: &Offer, at: Instant) -> RuleVerdict {
    match offer.content.published_at {
        Some(published_at) if at < published_at => refused_until(published_at),
        _ => YES,
    }
}

fn before_expiry(_: &Situation, offer: &Offer, at: Instant) -> RuleVerdict {
    match offer.content.expires_at {
        Some(expires_at) if at >= expires_at => NEVER,
        Some(expires_at) => RuleVerdict::Allowed { until: expires_at },
        None => YES,
    }
}

fn yes_if(is_allowed: bool) -> RuleVerdict {
    if is_allowed { YES } else { NEVER }
}

/// Refused until `at`; for good when nobody will live to see it.
fn refused_until(at: Instant) -> RuleVerdict {
    RuleVerdict::Refused(Refusal { allowed_from: Some(at).filter(|at| is_plausible(*at)) })
}
