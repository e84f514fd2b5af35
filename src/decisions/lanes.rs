//! Lanes: what a message's channel, class and vendor quota mean for when it may be sent, and what it costs.

use super::context::{ChannelContext, DecisionContext, PastSend};
use super::pacing::{Limit, Measure};
use super::prices::price;
use super::rule_names::{DAILY_CAP, FREQUENCY_RULES, MINIMUM_GAP, VENDOR_QUOTA};
use domain::content::{Content, MessageClass};
use domain::frequency::{FrequencyRule, FrequencyWindow};
use domain::time::{HOUR, MINUTE};
use domain::zone::Zone;

/// One channel for messages of one class and vendor quota: they may be sent at the same instants.
#[derive(Debug)]
pub(super) struct Lane<'a> {
    /// The channel.
    pub(super) channel: &'a ChannelContext,
    /// Is it for service messages?
    pub(super) is_service: bool,
    /// What sending costs, whenever it is sent.
    pub(super) price: f64,
    /// The user's calendar day.
    pub(super) daily: Option<Limit>,
    /// Between any two pushes.
    pub(super) gap: Option<Limit>,
    /// Every frequency rule that limits this lane.
    pub(super) frequency: Vec<Limit>,
    /// The vendors' day.
    pub(super) vendor: Option<Limit>,
}

/// What makes a lane, but for its channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LaneKind {
    /// Marketing goes first.
    pub(super) is_service: bool,
    /// Marketing messages that vendors deliver to a device on a day.
    pub(super) quota: Option<u32>,
}

impl LaneKind {
    /// The kind of a content.
    pub(super) fn of(content: &Content, context: &DecisionContext) -> LaneKind {
        let is_service = content.message_class == MessageClass::Service;
        let quota = &context.settings.vendor_quota;
        let category = content.vendor_category.as_ref();
        let own = category.and_then(|category| quota.by_category.get(category)).copied();
        LaneKind { is_service, quota: (!is_service).then(|| own.unwrap_or(quota.per_day)) }
    }

    /// The kind of a marketing message without a vendor category.
    pub(super) fn marketing(context: &DecisionContext) -> LaneKind {
        LaneKind { is_service: false, quota: Some(context.settings.vendor_quota.per_day) }
    }

    /// A push of this kind for the context's campaign over a channel, as it counts for others.
    pub(super) fn push(&self, context: &DecisionContext, channel: &ChannelContext) -> PastSend {
        let campaign = context.campaign.as_ref();
        PastSend {
            at: context.now,
            campaign_id: campaign.map(|campaign| campaign.campaign_id.clone()),
            content_id: None,
            channel: Some(channel.name.clone()),
            campaign_tags: campaign.map(|campaign| campaign.tags.clone()).unwrap_or_default(),
            message_class: self.class(),
        }
    }

    /// Service or marketing.
    fn class(&self) -> MessageClass {
        if self.is_service { MessageClass::Service } else { MessageClass::Marketing }
    }
}

impl<'a> Lane<'a> {
    /// The lane of a kind over a channel, for a user whose clock is `zone`'s.
    pub(super) fn new(
        context: &'a DecisionContext,
        zone: &'static Zone,
        daily_cap: u32,
        channel: &'a ChannelContext,
        kind: LaneKind,
    ) -> Lane<'a> {
        let mut lane = Lane {
            channel,
            is_service: kind.is_service,
            price: lane_price(context, channel, kind.is_service),
            daily: None,
            gap: None,
            frequency: Vec::new(),
            vendor: None,
        };
        for pace in paces(context, zone, daily_cap, channel, kind) {
            let counted = context.counted_sends().filter(|send| pace.counts.of(send));
            let limit = Limit::new(pace.most, pace.measure, counted.map(|send| send.at));
            match pace.rule {
                DAILY_CAP => lane.daily = Some(limit),
                MINIMUM_GAP => lane.gap = Some(limit),
                VENDOR_QUOTA => lane.vendor = Some(limit),
                _ => lane.frequency.push(limit),
            }
        }
        lane
    }
}

/// How often pushes of a lane may come, whatever has come so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace<'a> {
    /// The rule that asks for it.
    pub(super) rule: &'static str,
    /// Most pushes …
    pub(super) most: u32,
    /// … within every such stretch …
    pub(super) measure: Measure,
    /// … of those that count.
    pub(super) counts: Counts<'a>,
}

/// Which pushes count toward a pace.
#[derive(Clone, Copy, Debug)]
pub(super) enum Counts<'a> {
    /// All, service messages only when they do.
    Pushes { with_service: bool },
    /// What a frequency rule says.
    Frequency(&'a FrequencyRule),
    /// What a vendor's push service delivers of a channel.
    Vendor(&'a str),
}

impl Counts<'_> {
    /// Does this push count?
    pub(super) fn of(&self, send: &PastSend) -> bool {
        let is_marketing = send.message_class == MessageClass::Marketing;
        match self {
            Counts::Pushes { with_service } => is_marketing || *with_service,
            Counts::Frequency(rule) => {
                rule.counts(send.channel.as_deref(), &send.campaign_tags, send.message_class)
            }
            // Which of his devices a push reached nobody says: each counts for all of them.
            Counts::Vendor(channel) => {
                is_marketing && send.channel.as_deref().is_none_or(|own| own == *channel)
            }
        }
    }
}

/// Every pace that a lane must keep to.
pub(super) fn paces<'a>(
    context: &'a DecisionContext,
    zone: &'static Zone,
    daily_cap: u32,
    channel: &'a ChannelContext,
    kind: LaneKind,
) -> Vec<Pace<'a>> {
    let settings = &context.settings;
    let counts = Counts::Pushes { with_service: settings.service_counts_toward_caps };
    let mut paces = Vec::with_capacity(3);
    if !(kind.is_service && settings.service_bypasses_caps) {
        let measure = Measure::Days(1, zone);
        paces.push(Pace { rule: DAILY_CAP, most: daily_cap, measure, counts });
        if settings.minimum_gap_minutes > 0 {
            let measure = Measure::Rolling(i64::from(settings.minimum_gap_minutes) * MINUTE);
            paces.push(Pace { rule: MINIMUM_GAP, most: 1, measure, counts });
        }
    }
    paces.extend(frequency(context, zone, channel, kind.class()));
    if let Some(most) = kind.quota.filter(|_| all_devices_have_a_quota(context, channel)) {
        let zone = Zone::shared(&settings.vendor_quota.time_zone).unwrap_or(Zone::shared_utc());
        let (measure, counts) = (Measure::Days(1, zone), Counts::Vendor(&channel.name));
        paces.push(Pace { rule: VENDOR_QUOTA, most, measure, counts });
    }
    paces
}

fn lane_price(context: &DecisionContext, channel: &ChannelContext, is_service: bool) -> f64 {
    let settings = &context.settings;
    let sending = price(settings.channel_cost) + price(channel.cost.unwrap_or(0.0));
    // Service messages are sent because he needs them: nobody withdraws his consent over one.
    let opt_out = if is_service { 0.0 } else { price(settings.opt_out_probability * settings.opt_out_cost) };
    sending + opt_out
}

/// Everybody's rules and the campaign's own, as far as they limit the lane.
fn frequency<'a>(
    context: &'a DecisionContext,
    zone: &'static Zone,
    channel: &ChannelContext,
    class: MessageClass,
) -> impl Iterator<Item = Pace<'a>> {
    let campaign = context.campaign.as_ref();
    let (own, tags) = campaign.map_or((&[][..], &[][..]), |campaign| {
        (campaign.frequency_rules.as_slice(), campaign.tags.as_slice())
    });
    let rules = context.settings.frequency_rules.iter().chain(own);
    rules.filter(move |rule| rule.limits(Some(&channel.name), tags, class)).map(move |rule| {
        let measure = match rule.window {
            FrequencyWindow::CalendarDays(days) => Measure::Days(days, zone),
            FrequencyWindow::RollingHours(hours) => Measure::Rolling(i64::from(hours) * HOUR),
        };
        Pace { rule: FREQUENCY_RULES, most: rule.most, measure, counts: Counts::Frequency(rule) }
    })
}

/// A push goes to every device on its channel: it is worth sending while one of them still takes it.
fn all_devices_have_a_quota(context: &DecisionContext, channel: &ChannelContext) -> bool {
    let vendors = &context.settings.vendor_quota.vendors;
    let devices = context.user.devices.iter().flatten();
    let mut reached = devices.filter(|device| device.active && device.channel == channel.name).peekable();
    reached.peek().is_some()
        && reached.all(|device| device.vendor.as_ref().is_some_and(|vendor| vendors.contains(vendor)))
}
