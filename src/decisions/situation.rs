//! A context made ready for questions: the clock, the span of time, what went out on each day.

use std::collections::BTreeSet;

use super::context::DecisionContext;
use super::lanes::{Lane, LaneKind};
use domain::numeric::decay_factor;
use domain::slot::HORIZON_HOURS;
use domain::time::{DAY, HOUR, Instant, SECOND};
use domain::user::QuietHours;
use domain::zone::Zone;

/// No event is older than this; a clock that shows less is wrong.
const FIRST: Instant = Instant::from_micros(946_684_800 * SECOND);
/// Zone tables reach beyond this; a clock that shows more is wrong, and what would be allowed then never is.
const LAST: Instant = Instant::from_micros(4_102_444_800 * SECOND);

/// What the stages of a decision and its rules look at.
pub(super) struct Situation<'a> {
    /// All that is known.
    pub(super) context: &'a DecisionContext,
    /// The user's zone; UTC when it is unknown, so that there is a choice to show.
    pub(super) zone: &'static Zone,
    /// Is it really his?
    pub(super) is_zone_known: bool,
    /// The user's quiet hours, else the default ones; `Err` when they cannot be read.
    pub(super) quiet: Result<Option<QuietRule>, UnreadableQuietHours>,
    /// First instant at which a send may lie.
    pub(super) from: Instant,
    /// First instant at which it may no longer; `from` when the clock is wrong.
    pub(super) until: Instant,
    /// Kinds of messages on offer.
    pub(super) kinds: Vec<LaneKind>,
    /// One lane for each kind over each channel, kind by kind.
    pub(super) lanes: Vec<Lane<'a>>,
    /// Pushes that are still felt at `from`.
    felt: f64,
}

/// Quiet hours in the settings that are not two times of day.
pub(super) struct UnreadableQuietHours;

/// Quiet hours that hold for a user.
#[derive(Clone, Copy)]
pub(super) struct QuietRule {
    /// The hours.
    pub(super) hours: QuietHours,
    /// Do they come from the settings, because neither the user nor the campaign sets any? Then they are for marketing alone.
    pub(super) is_default: bool,
}

impl<'a> Situation<'a> {
    pub(super) fn of(context: &'a DecisionContext) -> Situation<'a> {
        let own = context.user.time_zone.as_deref().and_then(Zone::shared);
        let zone = own.unwrap_or(Zone::shared_utc());
        let hours = i64::from(context.horizon_hours.clamp(*HORIZON_HOURS.start(), *HORIZON_HOURS.end()));
        let from = context.now;
        let until = if is_plausible(from) { from.plus(hours * HOUR) } else { from };
        let (felt, quiet) = (felt_at(context, from), quiet_hours(context));
        let kinds: BTreeSet<LaneKind> =
            context.contents.iter().map(|candidate| LaneKind::of(&candidate.content, context)).collect();
        let kinds = Vec::from_iter(kinds);
        let lanes = lanes(context, zone, &kinds);
        Situation { context, zone, is_zone_known: own.is_some(), quiet, from, until, kinds, lanes, felt }
    }

    /// Can the clock be right?
    pub(super) fn is_clock_plausible(&self) -> bool {
        is_plausible(self.from)
    }

    /// Most pushes on one of the user's days: his word, else everybody's.
    pub(super) fn daily_cap(&self) -> u32 {
        daily_cap(self.context)
    }

    /// Quiet hours that hold some minute and can be read.
    pub(super) fn quiet_rule(&self) -> Option<QuietRule> {
        self.quiet.as_ref().ok().copied().flatten().filter(|rule| rule.hours.is_ever_quiet())
    }

    /// The same for service or marketing messages.
    pub(super) fn quiet_hours(&self, is_service: bool) -> Option<QuietHours> {
        self.quiet_rule().filter(|rule| !(rule.is_default && is_service)).map(|rule| rule.hours)
    }

    /// The campaign's quiet hours, if they hold some minute.
    pub(super) fn campaign_quiet_hours(&self) -> Option<QuietHours> {
        let campaign = self.context.campaign.as_ref()?;
        campaign.quiet_hours.filter(|hours| hours.is_ever_quiet())
    }

    /// Pushes that are still felt at `at`: each counts half as much after every half-life of fatigue.
    pub(super) fn felt_pushes(&self, at: Instant) -> f64 {
        self.felt * still_felt(self.context, at.micros().saturating_sub(self.from.micros()))
    }

    /// The lane of a kind over a channel, by their indices.
    pub(super) fn lane(&self, kind: usize, channel: usize) -> usize {
        kind * self.context.channels.len() + channel
    }

    /// The campaign's id, else "".
    pub(super) fn campaign_id(&self) -> &str {
        self.context.campaign.as_ref().map_or("", |campaign| &campaign.campaign_id)
    }
}

/// Is this instant one that waiting can reach?
pub(super) fn is_plausible(at: Instant) -> bool {
    FIRST <= at && at < LAST
}

/// The user's own quiet hours win, even when they hold no minute; so do the campaign's over the default ones.
fn quiet_hours(context: &DecisionContext) -> Result<Option<QuietRule>, UnreadableQuietHours> {
    if let Some(hours) = context.user.quiet_hours {
        return Ok(Some(QuietRule { hours, is_default: false }));
    }
    let default = context.settings.default_quiet_hours().map_err(|_| UnreadableQuietHours)?;
    let is_set_by_campaign = context.campaign.as_ref().is_some_and(|campaign| campaign.quiet_hours.is_some());
    match context.is_lenient() {
        true => Ok(default.map(|hours| QuietRule { hours, is_default: false })),
        false => {
            Ok(default.filter(|_| !is_set_by_campaign).map(|hours| QuietRule { hours, is_default: true }))
        }
    }
}

fn daily_cap(context: &DecisionContext) -> u32 {
    context.user.max_per_day.unwrap_or(context.settings.max_per_day)
}

fn lanes<'a>(context: &'a DecisionContext, zone: &'static Zone, kinds: &[LaneKind]) -> Vec<Lane<'a>> {
    let lane = |kind: &LaneKind| {
        let kind = *kind;
        context
            .channels
            .iter()
            .map(move |channel| Lane::new(context, zone, daily_cap(context), channel, kind))
    };
    kinds.iter().flat_map(lane).collect()
}

/// A push that lies ahead is felt as if it came now.
fn felt_at(context: &DecisionContext, now: Instant) -> f64 {
    let age = |at: Instant| now.micros().saturating_sub(at.micros()).max(0);
    context.sends.iter().map(|send| still_felt(context, age(send.at))).sum()
}

/// The share of a push that is still felt at an age in microseconds.
fn still_felt(context: &DecisionContext, age: i64) -> f64 {
    decay_factor(age as f64, context.fatigue_half_life_days * DAY as f64)
}
