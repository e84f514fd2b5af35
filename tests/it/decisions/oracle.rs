//! A second, naive reading of the rules: minute by minute, with the time zone database itself.

use jiff::tz::{TimeZone, TimeZoneDatabase};
use smartpush::decisions::context::{ContentContext, DecisionContext};
use smartpush::decisions::scorer::Scorer;
use smartpush::domain::campaign::CampaignStatus;
use smartpush::domain::content::MessageClass;
use smartpush::domain::settings::ConsentWhenUnknown;
use smartpush::domain::time::{HOUR, Instant, MINUTE};
use smartpush::domain::user::Consent;

use super::world::quiet;

/// A context with its clock.
pub struct Oracle<'a> {
    context: &'a DecisionContext,
    zone: TimeZone,
    is_zone_known: bool,
}

/// A local hour: date and hour in whole hours, and offset in seconds.
pub type Slot = (i64, i32);

impl<'a> Oracle<'a> {
    pub fn new(context: &'a DecisionContext) -> Oracle<'a> {
        let name = context.user.time_zone.as_deref().unwrap_or_default();
        let zone = TimeZoneDatabase::bundled().get(name).ok();
        Oracle { context, is_zone_known: zone.is_some(), zone: zone.unwrap_or(TimeZone::UTC) }
    }

    /// May the user be pushed at all, holdouts aside?
    pub fn is_user_allowed(&self) -> bool {
        let (user, settings) = (&self.context.user, &self.context.settings);
        let consented = match user.consent {
            Consent::Granted => true,
            Consent::Denied => false,
            Consent::Unknown => settings.consent_when_unknown == ConsentWhenUnknown::Allow,
        };
        let status = self.context.campaign.as_ref().map_or(CampaignStatus::Running, |c| c.status);
        let is_running = matches!(status, CampaignStatus::Running | CampaignStatus::Scheduled);
        let is_readable = user.unreadable_preference.is_none();
        self.context.clock_trusted && consented && is_readable && self.is_zone_known && is_running
    }

    fn local(&self, at: Instant) -> (i64, i32) {
        let stamp = jiff::Timestamp::from_microsecond(at.micros()).unwrap();
        let offset = self.zone.to_offset(stamp).seconds();
        (at.micros().div_euclid(1_000_000) + i64::from(offset), offset)
    }

    pub fn slot(&self, at: Instant) -> Slot {
        let (local, offset) = self.local(at);
        (local.div_euclid(3_600), offset)
    }

    pub fn is_quiet(&self, at: Instant) -> bool {
        let settings = &self.context.settings;
        let common = || {
            let is_set = !settings.quiet_from.is_empty();
            is_set.then(|| quiet(&format!("{}-{}", settings.quiet_from, settings.quiet_until)))
        };
        let Some(hours) = self.context.user.quiet_hours.or_else(common) else { return false };
        let minute = self.local(at).0.div_euclid(60).rem_euclid(1_440) as u16;
        let (from, until) = (hours.from.minutes(), hours.until.minutes());
        if from <= until { from <= minute && minute < until } else { minute >= from || minute < until }
    }

    /// Do all rules about time let this content out at this instant?
    pub fn is_allowed(&self, candidate: &ContentContext, at: Instant) -> bool {
        let (user, content) = (&self.context.user, &candidate.content);
        let campaign = self.context.campaign.as_ref();
        let is_in_window = campaign.is_none_or(|campaign| {
            campaign.window_start.is_none_or(|start| start <= at)
                && campaign.window_end.is_none_or(|end| at < end)
        });
        let day = |at: Instant| self.local(at).0.div_euclid(86_400);
        let sent = self.context.sends.iter().filter(|send| day(send.at) == day(at)).count();
        let cap = user.max_per_day.unwrap_or(self.context.settings.max_per_day);
        let is_muted = content.category.as_ref().is_some_and(|it| user.muted_categories.contains(it));
        is_in_window
            && !self.is_quiet(at)
            && sent < cap as usize
            && !is_muted
            && content.published_at.is_none_or(|published| published <= at)
            && content.expires_at.is_none_or(|expires| at < expires)
    }

    /// Now and the beginning of every minute after it, for some hours.
    pub fn minutes(&self, hours: i64) -> impl Iterator<Item = Instant> {
        let now = self.context.now;
        let next = Instant::from_micros((now.micros().div_euclid(MINUTE) + 1) * MINUTE);
        let later = (0..hours * 60).map(move |minute| next.plus(minute * MINUTE));
        std::iter::once(now).chain(later).take_while(move |at| *at < now.plus(hours * HOUR))
    }

    /// Contents, each once.
    pub fn contents(&self) -> Vec<&'a ContentContext> {
        let mut contents: Vec<&ContentContext> = Vec::new();
        for candidate in &self.context.contents {
            if contents.iter().all(|known| known.content.content_id != candidate.content.content_id) {
                contents.push(candidate);
            }
        }
        contents
    }

    /// The expected value of a content in the slot of an instant, which begins at `start`.
    pub fn value(&self, scorer: &impl Scorer, candidate: &ContentContext, start: Instant) -> f64 {
        let context = self.context;
        let logit = scorer.user(&context.user_inputs)
            + scorer.content(&candidate.content_inputs)
            + scorer.pair(&candidate.pair_inputs)
            + scorer.time(self.activity(start));
        let priority = context.campaign.as_ref().map_or(1.0, |campaign| campaign.priority);
        let settings = &context.settings;
        let gain = scorer.probability(logit) * settings.goal_value * priority - settings.channel_cost;
        if candidate.content.message_class == MessageClass::Service {
            return gain;
        }
        let felt: f64 = context.sends.iter().map(|send| self.felt(send.at, start)).sum();
        gain - settings.opt_out_probability * settings.opt_out_cost - settings.fatigue_price * felt
    }

    fn felt(&self, sent: Instant, at: Instant) -> f64 {
        let days = (at.micros() - sent.min(self.context.now).micros()) as f64 / (24 * HOUR) as f64;
        0.5_f64.powf(days / 3.0)
    }

    fn activity(&self, at: Instant) -> f64 {
        let curve = &self.context.curve;
        let largest = curve.iter().copied().fold(0.0, f64::max);
        if curve.len() != 168 || largest <= 0.0 {
            return 0.0;
        }
        // 1970-01-01 was a Thursday.
        let hour_of_week = (self.slot(at).0 + 72).rem_euclid(168) as usize;
        (curve[hour_of_week] / largest).max(1e-6).ln()
    }
}
