//! A second, naive reading of the rules: minute by minute, with the time zone database itself.

use decisions::context::{ChannelContext, ContentContext, DecisionContext, PastSend};
use decisions::scorer::Scorer;
use domain::campaign::CampaignStatus;
use domain::content::{Content, MessageClass, Variant};
use domain::frequency::{FrequencyRule, FrequencyWindow};
use domain::settings::ConsentWhenUnknown;
use domain::time::{HOUR, Instant, MINUTE};
use domain::user::{Consent, QuietHours};
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::clock::quiet;

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
            Consent::Denied | Consent::Unreadable | Consent::Withdrawn => false,
            Consent::Unknown => settings.consent_when_unknown == ConsentWhenUnknown::Allow,
        };
        let status = self.context.campaign.as_ref().map_or(CampaignStatus::Running, |c| c.status);
        let is_running = matches!(status, CampaignStatus::Running | CampaignStatus::Scheduled);
        let is_readable = user.unreadable_preference.is_none();
        let campaign = self.context.campaign.as_ref();
        let is_whole = campaign.is_none_or(|campaign| campaign.unreadable.is_none());
        let has_left = campaign.and_then(|campaign| campaign.max_sends);
        let has_left = has_left.is_none_or(|most| self.context.campaign_sends < most);
        let may = is_running && is_whole && has_left;
        self.context.clock_trusted && consented && is_readable && self.is_zone_known && may
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

    pub fn is_quiet(&self, class: MessageClass, at: Instant) -> bool {
        let settings = &self.context.settings;
        let campaign = self.context.campaign.as_ref().and_then(|campaign| campaign.quiet_hours);
        let common = || {
            let is_set = !settings.quiet_from.is_empty();
            let is_set = is_set && campaign.is_none() && class == MessageClass::Marketing;
            is_set.then(|| quiet(&format!("{}-{}", settings.quiet_from, settings.quiet_until)))
        };
        let own = self.context.user.quiet_hours.or_else(common);
        own.into_iter().chain(campaign).any(|hours| self.lies_in(hours, at))
    }

    fn lies_in(&self, hours: QuietHours, at: Instant) -> bool {
        let minute = self.local(at).0.div_euclid(60).rem_euclid(1_440) as u16;
        let (from, until) = (hours.from.minutes(), hours.until.minutes());
        if from <= until { from <= minute && minute < until } else { minute >= from || minute < until }
    }

    /// Do all rules let this content out over this channel at this instant?
    pub fn is_allowed(&self, candidate: &ContentContext, channel: &ChannelContext, at: Instant) -> bool {
        let campaign = self.context.campaign.as_ref();
        let content = &candidate.content;
        let is_in_window = campaign.is_none_or(|campaign| {
            campaign.window_start.is_none_or(|start| start <= at)
                && campaign.window_end.is_none_or(|end| at < end)
                && self.context.now.plus(i64::from(campaign.lead_minutes) * MINUTE) <= at
        });
        is_in_window
            && !self.is_quiet(content.message_class, at)
            && self.reaches(channel)
            && self.is_under_caps(content, channel, at)
            && self.is_eligible(candidate)
            && self.is_rested(content, at)
            && content.published_at.is_none_or(|published| published <= at)
            && content.expires_at.is_none_or(|expires| at < expires)
    }

    /// Pushes that count: those that went out, and those of other campaigns that a plan gives the user.
    fn sends(&self) -> impl Iterator<Item = &'a PastSend> {
        self.context.sends.iter().chain(&self.context.planned)
    }

    fn reaches(&self, channel: &ChannelContext) -> bool {
        let devices = self.context.user.devices.as_ref();
        let has_device =
            devices.is_none_or(|all| all.iter().any(|one| one.active && one.channel == channel.name));
        channel.cost.is_some() && has_device
    }

    /// Would the instant and the pushes that count be more than `most` within some stretch of a length?
    fn is_too_many(&self, most: u32, length: i64, marks: Vec<i64>, own: i64) -> bool {
        let mut all = marks;
        all.push(own);
        let within = |first: i64| all.iter().filter(|mark| (first..first + length).contains(*mark)).count();
        let mut firsts = all.iter().filter(|first| (**first..**first + length).contains(&own));
        firsts.any(|first| within(*first) > most as usize)
    }

    fn is_under_caps(&self, content: &Content, channel: &ChannelContext, at: Instant) -> bool {
        let (context, settings) = (self.context, &self.context.settings);
        let is_service = content.message_class == MessageClass::Service;
        let day = |at: Instant| self.local(at).0.div_euclid(86_400);
        let counted: Vec<&PastSend> = self
            .sends()
            .filter(|send| {
                send.message_class == MessageClass::Marketing || settings.service_counts_toward_caps
            })
            .collect();
        if !(is_service && settings.service_bypasses_caps) {
            let cap = context.user.max_per_day.unwrap_or(settings.max_per_day);
            let days = counted.iter().map(|send| day(send.at)).collect();
            let gap = i64::from(settings.minimum_gap_minutes) * MINUTE;
            let instants = counted.iter().map(|send| send.at.micros()).collect();
            if self.is_too_many(cap, 1, days, day(at)) || self.is_too_many(1, gap, instants, at.micros()) {
                return false;
            }
        }
        let campaign = context.campaign.as_ref();
        let rules =
            settings.frequency_rules.iter().chain(campaign.iter().flat_map(|own| &own.frequency_rules));
        let tags = campaign.map(|campaign| campaign.tags.clone()).unwrap_or_default();
        let obeys = |rule: &FrequencyRule| {
            let takes = |over: Option<&str>, tags: &[String], class: MessageClass| {
                (rule.channel.is_none() || rule.channel.as_deref() == over)
                    && rule.campaign_tag.as_ref().is_none_or(|tag| tags.contains(tag))
                    && (rule.message_class.is_none() || rule.message_class == Some(class))
            };
            let is_limited = takes(Some(&channel.name), &tags, content.message_class)
                && !(is_service && rule.service_bypasses);
            let sends = self.sends().filter(|send| {
                takes(send.channel.as_deref(), &send.campaign_tags, send.message_class)
                    && (send.message_class == MessageClass::Marketing || rule.service_counts)
            });
            !is_limited
                || !match rule.window {
                    FrequencyWindow::CalendarDays(days) => self.is_too_many(
                        rule.most,
                        i64::from(days),
                        sends.map(|send| day(send.at)).collect(),
                        day(at),
                    ),
                    FrequencyWindow::RollingHours(hours) => self.is_too_many(
                        rule.most,
                        i64::from(hours) * HOUR,
                        sends.map(|send| send.at.micros()).collect(),
                        at.micros(),
                    ),
                }
        };
        rules.into_iter().all(obeys) && (is_service || self.is_under_vendor_quota(content, channel, at))
    }

    fn is_under_vendor_quota(&self, content: &Content, channel: &ChannelContext, at: Instant) -> bool {
        let quota = &self.context.settings.vendor_quota;
        let devices = self.context.user.devices.iter().flatten();
        let reached: Vec<_> = devices.filter(|one| one.active && one.channel == channel.name).collect();
        let is_limited =
            |vendor: &Option<String>| vendor.as_ref().is_some_and(|it| quota.vendors.contains(it));
        if reached.is_empty() || !reached.iter().all(|device| is_limited(&device.vendor)) {
            return true;
        }
        let most = if content.vendor_category.as_deref() == Some("news") { 5 } else { quota.per_day };
        // China has not set its clocks since 1991.
        let day = |at: Instant| (at.micros() + 8 * HOUR).div_euclid(24 * HOUR);
        let same_day = self.sends().filter(|send| {
            send.message_class == MessageClass::Marketing
                && send.channel.as_ref().is_none_or(|over| *over == channel.name)
                && day(send.at) == day(at)
        });
        same_day.count() < most as usize
    }

    fn is_eligible(&self, candidate: &ContentContext) -> bool {
        let (user, content, settings) = (&self.context.user, &candidate.content, &self.context.settings);
        let is_muted = content.category.as_ref().is_some_and(|it| user.muted_categories.contains(it));
        let is_here = content.countries.is_empty()
            || user.country.as_ref().is_some_and(|country| content.countries.contains(country));
        let is_service = content.message_class == MessageClass::Service;
        let is_tried = is_service
            || candidate.evidence >= settings.cold_start_evidence
            || candidate.sent < settings.cold_start_sends;
        let has_variant = self.variants(content) > 0;
        !is_muted && is_here && is_tried && has_variant && content.unreadable.is_empty()
    }

    /// Variants of the first language of the user that has one that can be filled in.
    pub fn variants(&self, content: &Content) -> usize {
        let user = &self.context.user;
        let mut wanted: Vec<&str> = match user.locale.as_deref() {
            Some("zh-Hant-HK") => vec!["zh-Hant-HK", "zh-Hant", "zh", "", "en"],
            Some("en") => vec!["en", ""],
            _ => vec!["", "en"],
        };
        if user.locale.is_none() {
            wanted.push("*");
        }
        let can_fill = |variant: &&Variant| variant.needs.iter().all(|need| user.fields.contains(need));
        let of = |locale: &str| {
            let is_of =
                |variant: &&Variant| locale == "*" || variant.locale.as_deref().unwrap_or_default() == locale;
            content.variants.iter().filter(is_of).filter(can_fill).count()
        };
        wanted.into_iter().map(of).find(|count| *count > 0).unwrap_or_default()
    }

    fn is_rested(&self, content: &Content, at: Instant) -> bool {
        let sleep = i64::from(self.context.settings.repeat_sleep_hours) * HOUR;
        let is_of = |send: &&PastSend| send.content_id.as_ref() == Some(&content.content_id);
        let mut own = self.sends().filter(is_of);
        content.message_class == MessageClass::Service
            || own.all(|send| (at.micros() - send.at.micros()).abs() >= sleep)
    }

    /// The share of its value that a content has got back since it was last sent.
    fn recovery(&self, content: &Content, at: Instant) -> f64 {
        let settings = &self.context.settings;
        let is_of = |send: &&PastSend| send.content_id.as_ref() == Some(&content.content_id);
        let newest = self.context.sends.iter().filter(is_of).map(|send| send.at.micros()).max();
        let is_service = content.message_class == MessageClass::Service;
        let Some(newest) = newest.filter(|_| !is_service && settings.repeat_half_life_hours > 0.0) else {
            return 1.0;
        };
        let awake = at.micros() - newest - i64::from(settings.repeat_sleep_hours) * HOUR;
        1.0 - 0.5_f64.powf((awake.max(0) as f64) / HOUR as f64 / settings.repeat_half_life_hours)
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
    pub fn value(
        &self,
        scorer: &impl Scorer,
        candidate: &ContentContext,
        channel: &ChannelContext,
        start: Instant,
    ) -> f64 {
        let context = self.context;
        let logit = scorer.user(&context.user_inputs)
            + scorer.content(&candidate.content_inputs)
            + scorer.pair(&candidate.pair_inputs)
            + scorer.time(self.activity(start));
        let priority = context.campaign.as_ref().map_or(1.0, |campaign| campaign.priority);
        let settings = &context.settings;
        let recovery = self.recovery(&candidate.content, start);
        let cost = settings.channel_cost + channel.cost.unwrap_or(0.0);
        let gain = scorer.probability(logit) * settings.goal_value * priority * recovery - cost;
        if candidate.content.message_class == MessageClass::Service {
            return gain;
        }
        let felt: f64 = context.sends.iter().map(|send| self.felt(send.at, start)).sum();
        gain - settings.opt_out_probability * settings.opt_out_cost - settings.fatigue_price * felt
    }

    fn felt(&self, sent: Instant, at: Instant) -> f64 {
        let days = (at.micros() - sent.min(self.context.now).micros()) as f64 / (24 * HOUR) as f64;
        0.5_f64.powf(days / self.context.fatigue_half_life_days)
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
