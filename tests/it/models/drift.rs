//! Drift: a champion of a steady town stays what it was; one whose town changed says in what.

use serde_json::{Value, json};

use super::town::{self, Town, day};
use super::world::World;
use smartpush::events::request::InputKind;

/// Large enough that nothing moves much unless a test moves it.
const TOWN: Town = Town { users: 300, contents: 30, days: 70, seed: 3 };
const CHANGE: i64 = 40;

/// A town trained on its first forty days, with events that `change` has rewritten since.
fn trained(change: impl Fn(&mut Vec<Value>)) -> World {
    let world = TOWN.world_without_events(town::SETTINGS);
    let mut events = TOWN.events();
    let old: Vec<Value> =
        events.iter().filter(|event| town::moment_of(event) < day(CHANGE)).cloned().collect();
    events.retain(|event| town::moment_of(event) >= day(CHANGE));
    change(&mut events);
    world.take(InputKind::Events, &[old, events].concat(), None);
    let told = world.ok(&["train", "--goal", "buy_2d", "--as-of", &day(CHANGE).to_string()]);
    assert_eq!(told["promoted"], true, "{told}");
    world
}

fn failed(drift: &Value) -> Vec<&str> {
    drift["failed"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

#[test]
fn a_steady_town_does_not_drift() {
    let world = trained(|_| ());
    for weeks in 1..5 {
        let as_of = day(CHANGE + 7 * weeks).to_string();
        let shown = world.ok(&["models", "show", "--goal", "buy_2d", "--as-of", &as_of]);
        let drift = &shown["drift"];
        assert_eq!((drift["verdict"].as_str(), failed(drift).len()), (Some("stable"), 0), "{drift}");
        assert!(drift["calibration"]["rows"].as_u64() > Some(0), "{drift}");
    }
    let kept: Value =
        serde_json::from_slice(&std::fs::read(world.path("models/buy_2d/drift.json")).unwrap()).unwrap();
    assert_eq!(kept["verdict"], "stable");
}

#[test]
fn nothing_is_said_of_drift_before_there_is_an_event_since() {
    let world = trained(|_| ());
    let shown = world.ok(&["models", "show", "--goal", "buy_2d", "--as-of", &day(CHANGE).to_string()]);
    assert_eq!(shown.get("drift"), None);
}

#[test]
fn a_town_that_stops_buying_makes_its_champion_promise_too_much() {
    let world = trained(|events| {
        let mut number = 0;
        events.retain(|event| {
            number += 1;
            event["event"] != "purchase" || number % 3 == 0
        });
    });
    let ran = world.run(&["models", "show", "--goal", "buy_2d"]);
    assert_eq!(ran.exit, Some(3), "{}", ran.stderr);
    let drift = &ran.json["drift"];
    assert!(failed(drift).contains(&"calibrated_since"), "{drift}");
    assert!(drift["calibration"]["ratio"]["high"].as_f64().unwrap() < 0.75, "{drift}");
    assert!(ran.stderr.contains("drifted: goal buy_2d") && ran.json["card"].is_object(), "{}", ran.stderr);
}

#[test]
fn purchases_that_are_logged_eight_times_make_it_another_town() {
    let world = trained(|events| {
        let copies: Vec<Value> = events
            .iter()
            .filter(|event| event["event"] == "purchase")
            .flat_map(|event| (1..8).map(move |copy| (event, copy)))
            .map(|(event, copy)| {
                let mut again = event.clone();
                again["message_id"] = json!(format!("{}-{copy}", event["message_id"].as_str().unwrap()));
                again
            })
            .collect();
        events.extend(copies);
    });
    let ran = world.run(&["models", "show", "--goal", "buy_2d"]);
    assert_eq!(ran.exit, Some(3), "{} {}", ran.stderr, ran.json["drift"]);
    let drift = &ran.json["drift"];
    assert_eq!(
        failed(drift),
        ["scores_like_training", "inputs_like_training", "calibrated_since"],
        "{drift}"
    );
    let inputs = drift["inputs"].as_array().unwrap().iter().filter(|input| input["drifted"] == true);
    let names: Vec<&str> = inputs.map(|input| input["name"].as_str().unwrap()).collect();
    assert!(
        names.iter().all(|name| ["purchases", "orders", "signals"].iter().any(|word| name.contains(word)))
    );
    assert_eq!(names.first(), Some(&"user.purchases_7d"), "{names:?}");
}
