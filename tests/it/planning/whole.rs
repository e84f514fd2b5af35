//! Whole plans of random crowds: nothing is broken, everything is explained, each decision can be made again.

use std::collections::BTreeMap;

use decisions::context::Planned;
use decisions::{allowed_arms, decide};
use domain::decision::Action;
use domain::time::{HOUR, MINUTE};
use planning::{ContextSource, PlanResult};
use proptest::prelude::*;
use store::decision_log::Record;

use super::crowd::Crowd;
use crate::oracle::Oracle;

/// Users of a random crowd.
const USERS: usize = 60;

fn sends(records: &[(usize, Record)]) -> impl Iterator<Item = &(usize, Record)> {
    records.iter().filter(|(_, record)| record.decision.action == Action::Send)
}

/// Counts everything anew from the decisions themselves.
fn assert_limits_are_kept(crowd: &Crowd, records: &[(usize, Record)]) {
    let (mut own, mut minutes, mut hours, mut all) =
        (BTreeMap::new(), BTreeMap::new(), BTreeMap::new(), vec![0; crowd.campaigns.len()]);
    for (campaign, record) in sends(records) {
        let at = record.decision.send_at.unwrap().micros();
        *own.entry((*campaign, at / MINUTE)).or_insert(0_u32) += 1;
        *minutes.entry(at / MINUTE).or_insert(0_u32) += 1;
        *hours.entry(at / HOUR).or_insert(0_u32) += 1;
        all[*campaign] += 1;
    }
    for (index, campaign) in crowd.campaigns.iter().enumerate() {
        let throttle = campaign.throttle_per_minute.unwrap_or(u32::MAX);
        assert!(own.iter().filter(|(at, _)| at.0 == index).all(|(_, count)| *count <= throttle));
        let most = campaign.max_sends.map_or(u64::MAX, |most| most.saturating_sub(crowd.sent[index]));
        assert!(all[index] <= most);
    }
    let (per_minute, per_hour) = (crowd.planning.throttle_per_minute, crowd.planning.most_per_hour);
    assert!(minutes.values().all(|count| *count <= per_minute.unwrap_or(u32::MAX)));
    assert!(hours.values().all(|count| *count <= per_hour.unwrap_or(u32::MAX)));
}

/// A minute-by-minute reading of all rules, the other campaigns' pushes counted.
fn assert_rules_are_kept(record: &Record) {
    let (context, decision) = (&record.context, &record.decision);
    let oracle = Oracle::new(context);
    let at = decision.send_at.unwrap();
    let id = decision.content_id.as_ref().unwrap();
    let content = context.contents.iter().find(|one| one.content.content_id == *id).unwrap();
    let over = decision.channel.as_ref().unwrap();
    let channel = context.channels.iter().find(|channel| channel.name == *over).unwrap();
    assert!(oracle.is_user_allowed() && oracle.is_allowed(content, channel, at), "{id} over {over} at {at}");
    assert!(context.now <= at && at < context.now.plus(i64::from(context.horizon_hours) * HOUR));
    let Some(Planned::Send { at: planned, .. }) = &context.plan else { panic!("sent without a plan") };
    assert_eq!(*planned, at, "not in the minute that was planned");
}

fn assert_explained(crowd: &Crowd, campaign: usize, record: &Record) {
    let (context, decision) = (&record.context, &record.decision);
    if let Some(Planned::Send { at, .. }) = &context.plan {
        assert_eq!(
            decision.send_at,
            Some(*at),
            "{:?} beside {:?} after {:?} with {:?} may not be sent: {decision:?}",
            context.plan,
            context.planned,
            context.sends,
            context.settings
        );
    }
    assert_eq!(decide(context, crowd.scorer(campaign)), *decision, "it cannot be made again");
    if decision.action != Action::Send {
        assert!(!decision.reasons.is_empty());
        return;
    }
    let arms = allowed_arms(context, crowd.scorer(campaign));
    let sum: f64 = arms.iter().map(|arm| arm.action_probability).sum();
    assert!((sum - 1.0).abs() < 1e-9, "{sum}");
    let is_own = |arm: &&decisions::AllowedArm| {
        Some(&arm.content_id) == decision.content_id.as_ref() && arm.variant_id == decision.variant_id
    };
    let own = arms.iter().find(is_own).unwrap();
    assert!((own.action_probability - decision.action_probability.unwrap()).abs() < 1e-12);
    assert!(arms.iter().all(|arm| Some(&arm.channel) == decision.channel.as_ref()));
}

fn assert_budget(crowd: &Crowd, records: &[(usize, Record)]) {
    for index in 0..crowd.campaigns.len() {
        let explored =
            sends(records).filter(|(campaign, record)| *campaign == index && record.decision.explored);
        assert!(explored.count() <= crowd.settings.exploration_most_per_day as usize);
    }
}

fn assert_counted(crowd: &Crowd, made: &PlanResult, records: &[(usize, Record)]) {
    assert_eq!(made.decided.campaigns.len(), crowd.campaigns.len());
    assert_eq!(made.plan.campaigns.len(), crowd.campaigns.len());
    for (index, decided) in made.decided.campaigns.iter().enumerate() {
        let own = records.iter().filter(|(campaign, _)| *campaign == index);
        assert_eq!(decided.members, own.clone().count() as u64);
        let unsent: u64 = decided.unsent.values().sum();
        assert_eq!(decided.members, decided.forecast.sends + unsent);
        assert_eq!(decided.forecast.sends, u64::from(made.plan.campaigns[index].sends));
        let sum: f64 = own.filter_map(|(_, record)| record.decision.response_probability).sum();
        assert!((decided.forecast.goal_events.mean - sum).abs() < 1e-9);
    }
    assert!(made.plan.value <= made.plan.bound + 1e-9);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn no_plan_breaks_a_rule_or_a_limit_and_every_decision_is_explained_and_replayed(seed: u64) {
        let crowd = Crowd::random(seed, USERS);
        let (made, records) = crowd.plan();
        assert_limits_are_kept(&crowd, &records);
        sends(&records).for_each(|(_, record)| assert_rules_are_kept(record));
        records.iter().for_each(|(campaign, record)| assert_explained(&crowd, *campaign, record));
        assert_budget(&crowd, &records);
        assert_counted(&crowd, &made, &records);
    }
}

/// What is sent to a crowd under limits of its own.
fn sends_under(change: impl Fn(&mut Crowd)) -> usize {
    let mut crowd = Crowd::random(7, USERS);
    for campaign in &mut crowd.campaigns {
        (campaign.throttle_per_minute, campaign.max_sends) = (None, None);
    }
    (crowd.planning.throttle_per_minute, crowd.planning.most_per_hour) = (None, None);
    change(&mut crowd);
    sends(&crowd.plan().1).count()
}

#[test]
fn a_limit_of_0_sends_nothing_in_a_campaign_and_for_all_of_them_and_an_absent_one_is_no_limit() {
    let unlimited = sends_under(|_| ());
    assert!(unlimited > 10, "{unlimited}");
    assert_eq!(sends_under(|crowd| crowd.planning.throttle_per_minute = Some(u32::MAX)), unlimited);
    assert_eq!(sends_under(|crowd| crowd.planning.throttle_per_minute = Some(0)), 0);
    assert_eq!(sends_under(|crowd| crowd.planning.most_per_hour = Some(0)), 0);
    let stop_all = |crowd: &mut Crowd| {
        crowd.campaigns.iter_mut().for_each(|campaign| campaign.throttle_per_minute = Some(0));
    };
    assert_eq!(sends_under(stop_all), 0);
}

#[test]
fn one_and_two_threads_plan_and_decide_the_same() {
    for seed in 0..5 {
        let one = Crowd::random(seed, 300);
        let mut two = Crowd::random(seed, 300);
        two.threads = 2;
        let (one, two) = (one.plan(), two.plan());
        assert_eq!(one.1, two.1);
        // What was decided follows from the records, what the plan is does not.
        assert_eq!(format!("{:?}", one.0.plan), format!("{:?}", two.0.plan));
    }
}

#[test]
fn random_crowds_meet_every_outcome() {
    let (mut sent, mut rules, mut explored) = (0, BTreeMap::new(), 0);
    for seed in 0..60 {
        let (made, _) = Crowd::random(seed, 2 * USERS).plan();
        for decided in &made.decided.campaigns {
            sent += decided.forecast.sends;
            explored += decided.explored;
            decided.unsent.iter().for_each(|(rule, count)| *rules.entry(rule.clone()).or_insert(0) += count);
        }
    }
    assert!(sent > 200 && explored > 20, "{sent} sent, {explored} explored");
    for rule in [
        "under_max_sends",
        "under_throttle",
        "under_shared_throttle",
        "under_hourly_capacity",
        "under_daily_cap",
        "after_minimum_gap",
        "is_rested",
        "outside_holdout",
    ] {
        assert!(rules.contains_key(rule), "{rule} decided nothing: {rules:?}");
    }
}
