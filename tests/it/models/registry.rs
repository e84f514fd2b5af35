//! The registry: which model speaks as of a moment, who is champion, and the way back.

use serde_json::{Value, json};
use smartpush::domain::time::Instant;
use smartpush::registry::model::ModelKind;

use super::town::{self, SMALL, day};
use super::world::World;
use super::{handmade, world};

const GOAL: &str = "buy_2d";

/// Writes a model as of a day and returns its version.
fn put(world: &World, number: i64, seed: u64) -> String {
    let model = handmade::model(&world.config, GOAL, day(number), seed);
    world.registry().write(&model, &handmade::card(GOAL, day(60))).unwrap()
}

fn newest(world: &World, moment: Instant) -> Option<String> {
    world.registry().newest(GOAL, moment).ok().map(|found| found.version)
}

fn promote(world: &World, version: &str) -> Value {
    world.ok(&["models", "promote", "--goal", GOAL, version])
}

fn rollback(world: &World) -> Value {
    world.ok(&["models", "rollback", "--goal", GOAL])
}

#[test]
fn a_version_is_the_hash_of_the_model_and_reads_back_as_it_was() {
    let world = World::new(town::SETTINGS);
    let model = handmade::model(&world.config, GOAL, day(10), 1);
    let version = world.registry().write(&model, &handmade::card(GOAL, day(60))).unwrap();
    let text = std::fs::read_to_string(world.registry().place(GOAL, &version).join("model.json")).unwrap();
    assert_eq!(version, smartpush::domain::identity::sha256_hex(text.as_bytes())[..12]);
    let found = world.registry().read(GOAL, &version).unwrap();
    assert_eq!((found.version, found.model), (version.clone(), model));
    // The clock of its card is no part of it.
    assert_eq!(put(&world, 10, 1), version);
    assert_ne!(put(&world, 10, 2), version);
}

#[test]
fn the_newest_model_as_of_a_moment_speaks_and_none_that_knows_more() {
    let world = World::new(town::SETTINGS);
    let [old, new] = [put(&world, 10, 1), put(&world, 20, 1)];
    assert_eq!(newest(&world, day(10).plus(-1)), None);
    assert_eq!(newest(&world, day(10)), Some(old.clone()));
    assert_eq!(newest(&world, day(20).plus(-1)), Some(old));
    assert_eq!(newest(&world, day(20)), Some(new.clone()));
    assert_eq!(newest(&world, Instant::MAX), Some(new.clone()));
    // Of equals the champion, and without one the larger name.
    let other = put(&world, 20, 2);
    assert_eq!(newest(&world, day(30)), Some(new.clone().max(other.clone())));
    for version in [&new, &other] {
        promote(&world, version);
        assert_eq!(newest(&world, day(30)).as_ref(), Some(version), "the champion on ties");
    }
    // One that does not beat the base rate never speaks, however new.
    let mut base = handmade::model(&world.config, GOAL, day(25), 3);
    base.kind = ModelKind::BaseRate;
    base.inputs.clear();
    world.registry().write(&base, &handmade::card(GOAL, day(60))).unwrap();
    assert_eq!(newest(&world, day(30)), Some(other));
}

#[test]
fn a_rollback_brings_the_former_champion_back_and_silences_the_withdrawn() {
    let world = World::new(town::SETTINGS);
    let [first, second, third] = [1, 2, 3].map(|seed| put(&world, 10 * seed as i64, seed));
    let refused =
        |world: &World| world.refused(&["models", "rollback", "--goal", GOAL], "no_former_champion");
    refused(&world);
    for (version, former) in [(&first, None), (&second, Some(&first)), (&third, Some(&second))] {
        let said = promote(&world, version);
        assert_eq!(said, json!({ "goal": GOAL, "champion": version, "former": former }));
    }
    // To promote the champion once more changes nothing.
    promote(&world, &third);
    assert_eq!(world.registry().journal(GOAL).len(), 3);
    assert_eq!(rollback(&world), json!({ "goal": GOAL, "champion": second, "former": third }));
    assert_eq!(newest(&world, Instant::MAX), Some(second.clone()), "the third is withdrawn");
    assert_eq!(rollback(&world), json!({ "goal": GOAL, "champion": first, "former": second }));
    assert_eq!(newest(&world, Instant::MAX), Some(first.clone()));
    refused(&world);
    assert_eq!(world.registry().champion(GOAL), Some(first.clone()), "a refusal changes nothing");
    // Promoted anew, it speaks again, and the way back leads to where it came from.
    promote(&world, &third);
    assert_eq!(newest(&world, Instant::MAX), Some(third.clone()));
    assert_eq!(rollback(&world)["champion"], json!(first));
    let actions: Vec<String> = world
        .registry()
        .journal(GOAL)
        .iter()
        .map(|change| serde_json::to_value(change.action).unwrap().as_str().unwrap().to_string())
        .collect();
    assert_eq!(actions, ["promote", "promote", "promote", "rollback", "rollback", "promote", "rollback"]);
}

#[test]
fn a_model_of_the_past_does_not_take_the_place_of_one_that_knows_more() {
    let world = SMALL.world(town::SETTINGS);
    let train = |day: &str| world.ok(&["train", "--goal", GOAL, "--as-of", day]);
    let late = train("2024-02-09");
    let early = train("2024-02-05");
    assert_eq!((&late["promoted"], &early["promoted"]), (&json!(true), &json!(false)));
    assert_eq!(early["champion"], "logistic_regression", "it is good, but old");
    assert_eq!(world.registry().champion(GOAL), late["version"].as_str().map(str::to_string));
    // As of then, it is the one to ask.
    let score = |more: &[&str]| world.ok(&[&["score", "--goal", GOAL, "--out", "x.csv"], more].concat());
    assert_eq!(score(&["--as-of", "2024-02-05"])["version"], early["version"]);
    assert_eq!(score(&["--as-of", "2024-02-08T23:59:59Z"])["version"], early["version"]);
    assert_eq!(score(&["--as-of", "2024-02-09"])["version"], late["version"]);
    assert_eq!(score(&[])["version"], late["version"]);
    let asked = early["version"].as_str().unwrap();
    assert_eq!(score(&["--model", asked])["version"], early["version"], "--model overrides");
    let none =
        world.refused(&["score", "--goal", GOAL, "--as-of", "2024-01-20", "--out", "y.csv"], "no_model");
    assert!(none.contains("smartpush train --goal buy_2d --as-of 2024-01-20T00:00:00Z"), "{none}");
    // A model that was rolled back is not asked.
    promote(&world, asked);
    rollback(&world);
    world.refused(&["score", "--goal", GOAL, "--as-of", "2024-02-05", "--out", "y.csv"], "no_model");
}

#[test]
fn versions_and_goals_that_do_not_exist_are_named() {
    let world = World::new(town::SETTINGS);
    put(&world, 10, 1);
    for version in ["000000000000", "latest", "../../secret", "", "0123456789AB"] {
        for command in [["models", "promote"], ["models", "show"]] {
            let error = world.refused(&[&command[..], &["--goal", GOAL, version]].concat(), "unknown_model");
            assert!(error.contains(GOAL) && error.contains("models list"), "{error}");
        }
    }
    let error = world.refused(&["models", "show", "--goal", "nothing"], "no_model");
    assert!(error.contains("smartpush train --goal nothing"), "{error}");
    let error = world.refused(&["models", "rollback", "--goal", "nothing"], "no_former_champion");
    assert!(error.contains("nothing"), "{error}");
    let empty = World::new("");
    assert_eq!(empty.ok(&["models", "list"]), json!({ "models": [] }));
}

#[test]
fn a_lost_card_costs_the_figures_and_nothing_else() {
    let world = SMALL.world(town::SETTINGS);
    let version = put(&world, 10, 1);
    promote(&world, &version);
    let score = ["score", "--goal", GOAL, "--as-of", "2024-02-05"];
    let before = world.written(&score, "x.csv");
    let card = world.registry().place(GOAL, &version).join("card.json");
    for damage in [None, Some("{\"format\": 1"), Some("")] {
        match damage {
            None => std::fs::remove_file(&card).unwrap(),
            Some(text) => std::fs::write(&card, text).unwrap(),
        }
        assert!(world.written(&score, "x.csv") == before, "a score needs no card");
        let listed = world.ok(&["models", "list"]);
        assert_eq!(
            (&listed["models"][0]["version"], &listed["models"][0]["metrics"]),
            (&json!(version), &Value::Null)
        );
        let error = world.refused(&["models", "show", "--goal", GOAL], "lost_card");
        assert!(error.contains(&version) && error.contains("card.json"), "{error}");
        world.ok(&["models", "promote", "--goal", GOAL, "--force", &version]);
    }
    let text = world::Ran::of(&world.command(&["models", "list"]).output().unwrap());
    assert_eq!(text.exit, Some(0));
}
