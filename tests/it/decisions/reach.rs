//! Whom the rules about users refuse: exactly those whom `decide` refuses a plain message at that moment.

use std::collections::BTreeMap;

use decisions::context::DecisionContext;
use decisions::decide;
use decisions::reach::{refused_by, rule_names, waking_slots};
use decisions::scorer::PopularityScorer;
use domain::campaign::{Campaign, CampaignStatus};
use domain::device::Device;
use domain::time::{HOUR, Instant, MINUTE};
use proptest::prelude::*;

use super::clock::quiet;
use super::world::{Random, content, context, random_channels, random_context};

/// A random user with random settings and pushes, at the beginning of a minute; quiet hours can be read or not, but hold no
/// minute.
fn random_user_alone(seed: u64) -> DecisionContext {
    let random = &mut Random(!seed);
    let other = random_context(seed);
    let now = Instant::from_micros(other.now.micros().div_euclid(MINUTE) * MINUTE);
    let channel = random_channels(random)[0].clone();
    let mut settings = other.settings;
    settings.quiet_from = random.of(&["", "", "", "", "", "", "", "22:00"]).into();
    settings.quiet_until = String::new();
    let mut user = other.user;
    user.quiet_hours = user.quiet_hours.map(|_| quiet("08:00-08:00"));
    if random.one_in(6) {
        // The daily cap nearly always comes before a vendor's.
        (user.devices, user.max_per_day) = (Some(vec![phone_of("huawei")]), Some(20));
        settings.vendor_quota.per_day = 1;
    }
    let mut alone = DecisionContext::about(user, channel, now, settings);
    alone.clock_trusted = other.clock_trusted;
    alone.sends = other.sends;
    alone
}

/// A phone that the channel `push` reaches.
fn phone_of(vendor: &str) -> Device {
    let (device_id, channel) = ("phone".into(), "push".into());
    Device { device_id, channel, vendor: Some(vendor.into()), active: true }
}

/// The rules by which `decide` refuses a plain marketing message within the minute that begins now.
fn refusals(alone: &DecisionContext) -> Vec<String> {
    let mut context = alone.clone();
    context.horizon_hours = 1;
    context.contents = vec![content("plain", -1.0)];
    context.campaign = Some(Campaign {
        campaign_id: "now".into(),
        window_end: Some(context.now.plus(MINUTE)),
        status: CampaignStatus::Running,
        ..Campaign::default()
    });
    let reasons = decide(&context, &PopularityScorer).reasons.into_iter();
    reasons.map(|reason| reason.rule).filter(|rule| rule_names().any(|name| name == rule)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn a_user_can_be_reached_exactly_when_decide_would_send_them_a_plain_message_now(seed: u64) {
        let alone = random_user_alone(seed);
        let expected = refusals(&alone);
        prop_assert_eq!(refused_by(&alone), expected.first().map(String::as_str), "{:?}", expected);
    }
}

#[test]
fn random_users_meet_every_rule_about_users() {
    let mut met: BTreeMap<&str, u32> = rule_names().map(|name| (name, 0)).collect();
    let mut reached = 0;
    for seed in 0..20_000 {
        match refused_by(&random_user_alone(seed)) {
            Some(rule) => *met.get_mut(rule).unwrap() += 1,
            None => reached += 1,
        }
    }
    assert!(reached > 1_000 && met.values().all(|count| *count > 5), "{reached} reached, {met:?}");
    assert_eq!(met.len(), 11);
}

#[test]
fn waking_slots_leave_out_quiet_hours_and_name_every_rule_that_leaves_none() {
    let mut alone = context("2026-06-11T01:30:00Z");
    alone.horizon_hours = 12;
    alone.user.quiet_hours = Some(quiet("22:15-08:00"));
    let slots = waking_slots(&alone).unwrap();
    let starts: Vec<String> = slots.iter().map(|(_, at)| at.to_string()).collect();
    let expected =
        ["2026-06-11T01:30:00Z", "2026-06-11T02:00:00Z", "2026-06-11T12:00:00Z", "2026-06-11T13:00:00Z"];
    assert_eq!(starts, expected, "21:30 and 22:00, then 08:00 and 09:00 in New York");
    assert!(
        slots
            .iter()
            .all(|(slot, at)| slot.start <= *at && *at < slot.end && slot.end <= slot.start.plus(HOUR))
    );
    alone.horizon_hours = 2;
    alone.user.quiet_hours = Some(quiet("21:00-08:00"));
    assert_eq!(waking_slots(&alone), Err(vec!["outside_quiet_hours"]));
    alone.user.time_zone = None;
    assert_eq!(waking_slots(&alone), Err(vec!["zone_is_known"]));
    alone.user.quiet_hours = None;
    alone.settings.quiet_from = "22:00".into();
    assert_eq!(waking_slots(&alone), Err(vec!["preferences_are_readable", "zone_is_known"]));
    alone.now = Instant::from_micros(0);
    assert_eq!(
        waking_slots(&alone),
        Err(vec!["clock_is_trusted", "preferences_are_readable", "zone_is_known"])
    );
}
