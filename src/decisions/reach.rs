//! Whom a push would reach, and in which hours: the rules of decisions, asked of a user alone.

use super::context::DecisionContext;
use super::lanes::{Lane, LaneKind};
use super::rule_names::{
    CAPS, CHANNEL_IS_SET_UP, CLOCK_IS_TRUSTED, OUTSIDE_QUIET_HOURS, PREFERENCES_ARE_READABLE, ZONE_IS_KNOWN,
};
use super::rules::{
    CHANNEL_RULES, Refusal, RequestCheck, Rule, RuleVerdict, SLOT_RULES, SlotCheck, USER_RULES, outside,
};
use super::situation::Situation;
use domain::slot::{SendSlot, send_slots};
use domain::time::Instant;

/// The rules without which no hour of a user's day can be told.
const ABOUT_TIME: [&str; 3] = [CLOCK_IS_TRUSTED, PREFERENCES_ARE_READABLE, ZONE_IS_KNOWN];

/// The names of all rules that [`refused_by`] asks, in their order.
pub fn rule_names() -> impl Iterator<Item = &'static str> {
    let user = USER_RULES.iter().map(|rule| rule.name);
    let channel = CHANNEL_RULES.iter().map(|rule| rule.name);
    user.chain(channel).chain(caps().map(|rule| rule.name))
}

/// The first rule, in the order in which decisions ask, that at the context's moment refuses the user a marketing message
/// over the context's first channel; `None`: the user can be reached.
///
/// Rules about campaigns and contents are not asked. Neither are quiet hours: they pass within the day.
pub fn refused_by(context: &DecisionContext) -> Option<&'static str> {
    let situation = Situation::of(context);
    of_user(&situation, |_| true).next().or_else(|| of_channel(&situation))
}

/// Names of the rules about the user, of those that are asked for, that refuse.
fn of_user(situation: &Situation, is_asked: impl Fn(&str) -> bool) -> impl Iterator<Item = &'static str> {
    let refuses =
        move |rule: &&Rule<RequestCheck>| is_asked(rule.name) && is_refusal((rule.check)(situation));
    USER_RULES.iter().filter(refuses).map(|rule| rule.name)
}

/// The first rule about the channel, then about the pushes so far, that refuses.
fn of_channel(situation: &Situation) -> Option<&'static str> {
    let context = situation.context;
    let Some(channel) = context.channels.first() else { return Some(CHANNEL_IS_SET_UP) };
    let kind = LaneKind::marketing(context);
    let lane = Lane::new(context, situation.zone, situation.daily_cap(), channel, kind);
    let about_channel = CHANNEL_RULES.iter().map(|rule| (rule.name, (rule.check)(situation, &lane)));
    let about_pushes = caps().map(|rule| (rule.name, (rule.check)(situation, &lane, context.now)));
    about_channel.chain(about_pushes).find(|(_, verdict)| is_refusal(*verdict)).map(|(name, _)| name)
}

/// The rules that count what the user has been sent.
fn caps() -> impl Iterator<Item = &'static Rule<SlotCheck>> {
    SLOT_RULES.iter().filter(|rule| CAPS.contains(&rule.name))
}

fn is_refusal(verdict: RuleVerdict) -> bool {
    matches!(verdict, RuleVerdict::Refused(_))
}

/// The send slots of the horizon that are not quiet for marketing to the user throughout, each with its first instant that is
/// not.
///
/// # Errors
/// The names of all rules that leave no slot: the clock, the preferences or the zone cannot be relied on, else the quiet
/// hours.
pub fn waking_slots(context: &DecisionContext) -> Result<Vec<(SendSlot, Instant)>, Vec<&'static str>> {
    let situation = Situation::of(context);
    let refusals: Vec<&'static str> = of_user(&situation, |rule| ABOUT_TIME.contains(&rule)).collect();
    if !refusals.is_empty() {
        return Err(refusals);
    }
    let slots = send_slots(situation.zone, situation.from, situation.until).into_iter();
    let waking: Vec<(SendSlot, Instant)> =
        slots.filter_map(|slot| Some((slot, first_waking(&situation, &slot)?))).collect();
    if waking.is_empty() { Err(vec![OUTSIDE_QUIET_HOURS]) } else { Ok(waking) }
}

/// The first instant of a slot that is not quiet for the user.
fn first_waking(situation: &Situation, slot: &SendSlot) -> Option<Instant> {
    match outside(situation, situation.quiet_hours(false), slot.start) {
        RuleVerdict::Allowed { .. } => Some(slot.start),
        RuleVerdict::Refused(Refusal { allowed_from }) => allowed_from.filter(|from| *from < slot.end),
    }
}
