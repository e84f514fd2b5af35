//! Lanes: what a message's channel, class and vendor quota mean for when it may be sent, and what it costs.

use super::context::{ChannelContext, DecisionContext, PastSend};
use super::offers::price;
use super::pacing::{Limit, Measure};
use crate::domain::content::{Content, MessageClass};
use crate::domain::frequency::{FrequencyRule, FrequencyWindow};
use crate::domain::time::{HOUR, MINUTE};
use crate::domain::zone::Zone;

/// One channel for messages of one class and vendor quota: they may be sent at the same instants.
#[derive(Debug)]
pub(super) struct Lane<'a> {
    /// The channel.
    pub(super) channel: &'a ChannelContext,
    /// What sending costs, whenever it is sent.
    pub(super) price: f64,
    /// The user's calendar day.
    pub(super) daily: Option<Limit<'a>>,
    /// Between any two pushes.
    pub(super) gap: Option<Limit<'a>>,
    /// Every frequency rule that limits this lane.
    pub(super) frequency: Vec<Limit<'a>>,
    /// The vendors' day.
    pub(super) vendor: Option<Limit<'a>>,
}

/// What makes a lane, but for its channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    /// Marketing goes first.
    pub(super) is_service: bool,
    /// Marketing messages that vendors deliver to a device on a day.
    pub(super) quota: Option<u32>,
}

impl Kind {
    /// The kind of a content.
    pub(super) fn of(content: &Content, context: &DecisionContext) -> Kind {
        let is_service = content.message_class == MessageClass::Service;
        let quota = &context.settings.vendor_quota;
        let category = content.vendor_category.as_ref();
        let own = category.and_then(|category| quota.by_category.get(category)).copied();
        Kind { is_service, quota: (!is_service).then(|| own.unwrap_or(quota.per_day)) }
    }
}

impl<'a> Lane<'a> {
    /// The lane of a kind over a channel, for a user whose clock is `zone`'s.
    pub(super) fn new(
        context: &'a DecisionContext,
        zone: &'a Zone,
        daily_cap: u32,
        channel: &'a ChannelContext,
        kind: Kind,
    ) -> Lane<'a> {
        let class = if kind.is_service { MessageClass::Service } else { MessageClass::Marketing };
        let settings = &context.settings;
        let is_capped = !(kind.is_service && settings.service_bypasses_caps);
        let gap = Measure::Rolling(i64::from(settings.minimum_gap_minutes) * MINUTE);
        let counted = || {
            let counts = |send: &&PastSend| {
                send.message_class == MessageClass::Marketing || settings.service_counts_toward_caps
            };
            context.sends.iter().filter(counts).map(|send| send.at)
        };
        let quota = kind.quota.filter(|_| all_devices_have_a_quota(context, channel));
        Lane {
            channel,
            price: lane_price(context, channel, kind.is_service),
            daily: is_capped.then(|| Limit::new(daily_cap, Measure::Days(1, zone), counted())),
            gap: (is_capped && settings.minimum_gap_minutes > 0).then(|| Limit::new(1, gap, counted())),
            frequency: frequency(context, zone, channel, class),
            vendor: quota.map(|most| vendor_limit(context, channel, most)),
        }
    }
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
    zone: &'a Zone,
    channel: &ChannelContext,
    class: MessageClass,
) -> Vec<Limit<'a>> {
    let campaign = context.campaign.as_ref();
    let (own, tags) = campaign.map_or((&[][..], &[][..]), |campaign| {
        (campaign.frequency_rules.as_slice(), campaign.tags.as_slice())
    });
    let rules = context.settings.frequency_rules.iter().chain(own);
    let limits = rules.filter(|rule| rule.limits(Some(&channel.name), tags, class));
    limits.map(|rule| frequency_limit(context, zone, rule)).collect()
}

fn frequency_limit<'a>(context: &DecisionContext, zone: &'a Zone, rule: &FrequencyRule) -> Limit<'a> {
    let counts =
        |send: &&PastSend| rule.counts(send.channel.as_deref(), &send.campaign_tags, send.message_class);
    let measure = match rule.window {
        FrequencyWindow::CalendarDays(days) => Measure::Days(days, zone),
        FrequencyWindow::RollingHours(hours) => Measure::Rolling(i64::from(hours) * HOUR),
    };
    Limit::new(rule.most, measure, context.sends.iter().filter(counts).map(|send| send.at))
}

/// A push goes to every device on its channel: it is worth sending while one of them still takes it.
fn all_devices_have_a_quota(context: &DecisionContext, channel: &ChannelContext) -> bool {
    let vendors = &context.settings.vendor_quota.vendors;
    let devices = context.user.devices.iter().flatten();
    let mut reached = devices.filter(|device| device.active && device.channel == channel.name).peekable();
    reached.peek().is_some()
        && reached.all(|device| device.vendor.as_ref().is_some_and(|vendor| vendors.contains(vendor)))
}

fn vendor_limit<'a>(context: &DecisionContext, channel: &ChannelContext, most: u32) -> Limit<'a> {
    let zone = Zone::shared(&context.settings.vendor_quota.time_zone).unwrap_or(Zone::shared_utc());
    // Which of his devices a push reached nobody says: each counts for all of them.
    let counts = |send: &&PastSend| {
        send.message_class == MessageClass::Marketing
            && send.channel.as_deref().is_none_or(|own| own == channel.name)
    };
    Limit::new(most, Measure::Days(1, zone), context.sends.iter().filter(counts).map(|send| send.at))
}
