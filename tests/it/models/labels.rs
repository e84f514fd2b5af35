//! Which rows there are and who reached the goal: golden cases for each unit, to be read as a table.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use smartpush::domain::goal::Goal;
use smartpush::domain::time::{DAY, HOUR, Instant};
use smartpush::events::request::InputKind;
use smartpush::models::examples::{ExampleError, Examples, GoalQuestion, Labels};

use super::world::{Material, World, at, goal};

/// The moment that all cases look from: a Sunday midnight.
const T: &str = "2024-03-10T00:00:00Z";

const BUYS: &str =
    "events = [\"purchase\"]\nunit = \"user_day\"\nwindow = \"7d\"\npopulation = \"everybody\"";
const CHURNS: &str =
    "events = [\"own\"]\nabsent = true\nunit = \"user_day\"\nwindow = \"7d\"\npopulation = \"everybody\"";
const REDEEMS: &str =
    "events = [\"redeem\"]\nunit = \"user_campaign\"\nwindow = \"campaign\"\npopulation = \"targeted\"";
const REDEEMS_SOON: &str =
    "events = [\"redeem\"]\nunit = \"user_campaign\"\nwindow = \"24h\"\npopulation = \"targeted\"";
const READS: &str =
    "events = [\"own\"]\nunit = \"user_content\"\nwindow = \"24h\"\npopulation = \"everybody\"";
const LIKES: &str =
    "events = [\"like\", \"share\"]\nunit = \"user_content\"\nwindow = \"24h\"\npopulation = \"everybody\"";

/// An event: its name, its stamp, and the content (c:…) or campaign (p:…) that it is about.
type GivenEvent = (&'static str, &'static str, &'static str);

/// The goal, what the user does, and whether he reaches it from T on.
type Case = (&'static str, &'static [GivenEvent], bool);

const CASES: &[Case] = &[
    // A user and a week: [T, T + 7 d).
    (BUYS, &[], false),
    (BUYS, &[("purchase", "2024-03-09T23:59:59.999999Z", "")], false),
    (BUYS, &[("purchase", "2024-03-10T00:00:00Z", "")], true),
    (BUYS, &[("purchase", "2024-03-16T23:59:59.999999Z", "")], true),
    (BUYS, &[("purchase", "2024-03-17T00:00:00Z", "")], false),
    (BUYS, &[("view", "2024-03-12T10:00:00Z", ""), ("add_to_cart", "2024-03-12T10:01:00Z", "")], false),
    // A bare date stands at its first instant.
    (BUYS, &[("purchase", "2024-03-09", "")], false),
    (BUYS, &[("purchase", "2024-03-10", "")], true),
    (BUYS, &[("purchase", "2024-03-16", "")], true),
    (BUYS, &[("purchase", "2024-03-17", "")], false),
    // An absent goal is reached by whom nothing of his own is heard of: what is done to him does not count.
    (CHURNS, &[], true),
    (CHURNS, &[("view", "2024-03-10T00:00:00Z", "")], false),
    (CHURNS, &[("custom_event", "2024-03-16T23:59:59.999999Z", "")], false),
    (CHURNS, &[("view", "2024-03-09T23:59:59Z", ""), ("view", "2024-03-17T00:00:00Z", "")], true),
    (CHURNS, &[("push_sent", "2024-03-11T10:00:00Z", ""), ("push_opened", "2024-03-11T10:01:00Z", "")], true),
    (CHURNS, &[("campaign_targeted", "2024-03-12", "p:other")], true),
    // A user and a campaign that runs from the 10th to the 12th, its last day included.
    (REDEEMS, &[], false),
    (REDEEMS, &[("redeem", "2024-03-09T23:59:59Z", "p:spring")], false),
    (REDEEMS, &[("redeem", "2024-03-10T00:00:00Z", "p:spring")], true),
    (REDEEMS, &[("redeem", "2024-03-12T23:59:59.999999Z", "p:spring")], true),
    (REDEEMS, &[("redeem", "2024-03-12", "p:spring")], true),
    (REDEEMS, &[("redeem", "2024-03-13T00:00:00Z", "p:spring")], false),
    (REDEEMS, &[("redeem", "2024-03-11T10:00:00Z", "p:other")], false),
    (REDEEMS, &[("redeem", "2024-03-11T10:00:00Z", "")], false),
    (REDEEMS, &[("view", "2024-03-11T10:00:00Z", "p:spring")], false),
    // The same with a window of its own.
    (REDEEMS_SOON, &[("redeem", "2024-03-10T23:59:59Z", "p:spring")], true),
    (REDEEMS_SOON, &[("redeem", "2024-03-11T00:00:00Z", "p:spring")], false),
    // A user and the content `x` within a day.
    (READS, &[], false),
    (READS, &[("view", "2024-03-10T00:00:00Z", "c:x")], true),
    (READS, &[("comment", "2024-03-10T23:59:59.999999Z", "c:x")], true),
    (READS, &[("view", "2024-03-11T00:00:00Z", "c:x")], false),
    (READS, &[("view", "2024-03-09T23:59:59Z", "c:x")], false),
    (READS, &[("view", "2024-03-10T10:00:00Z", "c:y")], false),
    (READS, &[("view", "2024-03-10T10:00:00Z", "")], false),
    (READS, &[("push_displayed", "2024-03-10T10:00:00Z", "c:x")], false),
    (LIKES, &[("view", "2024-03-10T10:00:00Z", "c:x")], false),
    (LIKES, &[("view", "2024-03-10T10:00:00Z", "c:x"), ("share", "2024-03-10T11:00:00Z", "c:x")], true),
];

fn user_of(case: usize) -> String {
    format!("case-{case:02}")
}

fn record(user: &str, (name, stamp, about): GivenEvent) -> Value {
    let mut record = json!({ "user_id": user, "event": name, "timestamp": stamp });
    match about.split_once(':') {
        Some(("c", id)) => record["content_id"] = id.into(),
        Some((_, id)) => record["campaign_id"] = id.into(),
        None => {}
    }
    record
}

/// Every case is a user; all are known since February, targeted by the campaign, and somebody else has read `x` and `y`.
fn world() -> World {
    let world = World::new("");
    let campaign = json!({"campaign_id": "spring", "window_start": "2024-03-10", "window_end": "2024-03-12"});
    world.take(InputKind::Campaigns, &[campaign], Some("UTC"));
    let mut records = vec![
        record("reader", ("view", "2024-03-01T10:00:00Z", "c:x")),
        record("reader", ("view", "2024-03-01T10:00:00Z", "c:y")),
    ];
    for (case, (_, events, _)) in CASES.iter().enumerate() {
        let user = user_of(case);
        records.push(record(&user, ("session_start", "2024-02-01T10:00:00Z", "")));
        records.push(record(&user, ("campaign_targeted", "2024-03-10", "p:spring")));
        records.extend(events.iter().map(|told| record(&user, *told)));
    }
    world.take(InputKind::Events, &records, Some("UTC"));
    world
}

fn examples(material: &Material, goal: &Goal, known: Instant) -> Result<Examples, ExampleError> {
    let sources = material.sources();
    let question =
        GoalQuestion { name: "goal", goal, sources: &sources, training: &material.config.training };
    question.examples(Labels::MatureBefore(known), &|_, _| ())
}

/// Labels of the rows at T, by user and content.
fn labels(world: &World, goal: &Goal, known: Instant) -> BTreeMap<(String, Option<String>), bool> {
    let mut material = world.material(known);
    // Every case is looked at: no negative example is left out.
    material.config.training.most_negatives = 10_000_000;
    let examples = examples(&material, goal, known).unwrap();
    let at_t = (0..examples.len()).filter(|row| examples.moment(*row).at == at(T));
    let timeline = &material.timeline;
    at_t.map(|row| {
        let of = &examples.rows[row];
        let content = of.content.map(|content| timeline.contents()[content as usize].clone());
        ((timeline.users()[of.user as usize].clone(), content), examples.labels[row])
    })
    .collect()
}

#[test]
fn a_goal_is_reached_by_its_events_within_its_window_and_by_nothing_else() {
    let world = world();
    // As soon as each window has ended; an event of the very end is in the lake, but not before the end.
    let ends = [(BUYS, 7), (CHURNS, 7), (REDEEMS, 3), (REDEEMS_SOON, 1), (READS, 1), (LIKES, 1)];
    for (text, days) in ends {
        let labels = labels(&world, &goal(text), at(T).plus(days * DAY));
        let content = (text == READS || text == LIKES).then(|| "x".to_string());
        for (case, (_, events, reached)) in CASES.iter().enumerate().filter(|(_, case)| case.0 == text) {
            let label = labels.get(&(user_of(case), content.clone()));
            assert_eq!(label, Some(reached), "{text}\n{events:?}");
        }
    }
}

#[test]
fn the_last_days_events_are_no_label_before_they_are_known() {
    let world = world();
    let moments = |text: &str, known: Instant, lateness_hours: i64| {
        let mut material = world.material(known);
        material.config.training.allowed_lateness_hours = lateness_hours;
        examples(&material, &goal(text), known).map(|examples| (examples.moments, examples.immature))
    };
    let end = at(T).plus(3 * DAY);
    let (found, immature) = moments(REDEEMS, end, 0).unwrap();
    assert_eq!((found.len(), found[0].at, found[0].until, immature), (1, at(T), end, 0));
    let early = moments(REDEEMS, end.plus(-1), 0).unwrap_err();
    assert!(matches!(early, ExampleError::NoMatureRows { immature: 1, .. }), "{early}");
    let late = moments(REDEEMS, end.plus(24 * HOUR - 1), 24).unwrap_err();
    assert!(matches!(late, ExampleError::NoMatureRows { immature: 1, .. }), "{late}");
    assert_eq!(moments(REDEEMS, end.plus(24 * HOUR), 24).unwrap().0.len(), 1);
    // Of days: the newest midnight whose window and lateness lie behind, then a window apart.
    for (known, lateness, newest) in [
        ("2024-03-17T00:00:00Z", 0, T),
        ("2024-03-17T23:59:59Z", 0, T),
        ("2024-03-16T23:59:59Z", 0, "2024-03-09T00:00:00Z"),
        ("2024-03-17T00:00:00Z", 1, "2024-03-09T00:00:00Z"),
        ("2024-03-17T01:00:00Z", 1, T),
    ] {
        let (found, _) = moments(BUYS, at(known), lateness).unwrap();
        assert_eq!(found.last().unwrap().at, at(newest), "known at {known}, {lateness} h late");
        assert!(found.windows(2).all(|pair| pair[1].at == pair[0].until), "{found:?}");
        assert!(found.iter().all(|moment| moment.until == moment.at.plus(7 * DAY)), "{found:?}");
    }
}

#[test]
fn what_happened_since_a_cut_waits_for_late_events_as_training_does() {
    let world = world();
    let declared = goal(REDEEMS);
    let since = |known: Instant, lateness_hours: i64, only_mature: bool| {
        let mut material = world.material(known);
        material.config.training.allowed_lateness_hours = lateness_hours;
        let sources = material.sources();
        let training = &material.config.training;
        let question = GoalQuestion { name: "goal", goal: &declared, sources: &sources, training };
        question.examples_from(at(T), known, only_mature, &|_, _| ()).map(|examples| examples.moments.len())
    };
    let end = at(T).plus(3 * DAY);
    assert_eq!(since(end, 0, true).unwrap(), 1);
    assert_eq!(since(end.plus(24 * HOUR), 24, true).unwrap(), 1);
    for (known, lateness) in [(end.plus(-1), 0), (end, 24), (end.plus(24 * HOUR - 1), 24)] {
        let open = since(known, lateness, true).unwrap_err();
        assert!(
            matches!(open, ExampleError::NoMatureRows { immature: 1, .. }),
            "{known}, {lateness} h: {open}"
        );
        assert_eq!(since(known, lateness, false).unwrap(), 1, "a benchmark takes what is known of its label");
    }
}

#[test]
fn midnights_are_those_of_the_default_zone_also_across_the_change_of_the_hour() {
    let mut world = world();
    world.set("default_time_zone = \"America/New_York\"");
    let known = at("2024-03-18T04:00:00Z");
    let material = world.material(known);
    let moments = examples(&material, &goal(BUYS), known).unwrap().moments;
    // The clocks went forward on the 10th: the windows are 168 hours, the midnights the town's own.
    let newest: Vec<Instant> = moments.iter().rev().take(2).map(|moment| moment.at).collect();
    assert_eq!(newest, [at("2024-03-11T04:00:00Z"), at("2024-03-04T05:00:00Z")]);
}

/// Users of the rows, and of the scores' population.
fn people(world: &World, text: &str, known: Instant) -> BTreeSet<String> {
    labels(world, &goal(text), known).into_keys().map(|(user, _)| user).collect()
}

#[test]
fn staff_those_who_opted_out_and_those_outside_the_population_teach_nothing() {
    let mut world = world();
    let known = at(T).plus(7 * DAY);
    let everybody = people(&world, BUYS, known);
    assert_eq!(everybody.len(), CASES.len() + 1);
    world.set("[training]\nexcluded_users = [\"case-01\", \"nobody\"]");
    let preferences = [
        json!({"user_id": "case-02", "personalisation": "off"}),
        json!({"user_id": "case-03", "personalisation": "on"}),
    ];
    world.take(InputKind::Users, &preferences, None);
    let mut rest = everybody.clone();
    assert!(rest.remove("case-01") && rest.remove("case-02"));
    assert_eq!(people(&world, BUYS, known), rest);
    // Own events within so many days before T, not after it; the targeted event is none.
    let active = BUYS.replace("everybody", "active_30d");
    let mut recent = BTreeSet::from(["reader".to_string()]);
    for (case, (_, events, _)) in CASES.iter().enumerate() {
        let is_own = |name: &str| !name.starts_with("push_") && name != "campaign_targeted";
        if events.iter().any(|(name, stamp, _)| is_own(name) && stamp.starts_with("2024-03-09")) {
            recent.insert(user_of(case));
        }
    }
    recent.remove("case-01");
    assert_eq!(people(&world, &active, known), recent);
}

#[test]
fn a_user_belongs_from_his_first_event_on_and_to_the_campaigns_that_targeted_him() {
    let world = World::new("");
    let records = [
        record("early", ("view", "2024-03-01T10:00:00Z", "c:x")),
        record("late", ("purchase", "2024-03-10T00:00:00Z", "")),
        record("late", ("campaign_targeted", "2024-03-10", "p:spring")),
    ];
    world.take(InputKind::Events, &records, Some("UTC"));
    let windows = [
        json!({"campaign_id": "spring", "window_start": "2024-03-10", "window_end": "2024-03-12"}),
        json!({"campaign_id": "nobodys", "window_start": "2024-03-10", "window_end": "2024-03-12"}),
    ];
    world.take(InputKind::Campaigns, &windows, Some("UTC"));
    let known = at(T).plus(7 * DAY);
    assert_eq!(people(&world, BUYS, known), BTreeSet::from(["early".to_string()]));
    let material = world.material(known);
    let examples = examples(&material, &goal(REDEEMS.replace("redeem", "purchase").as_str()), known).unwrap();
    let campaigns: Vec<_> = examples.moments.iter().map(|moment| moment.campaign.as_deref()).collect();
    assert_eq!(campaigns, [Some("spring")]);
    let users: Vec<&str> =
        examples.rows.iter().map(|row| material.timeline.users()[row.user as usize].as_str()).collect();
    assert_eq!(users, ["late"]);
}
