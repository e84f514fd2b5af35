//! The registry: which model speaks as of a moment, who is champion, and the way back.

use serde_json::{Value, json};
use smartpush::domain::time::Instant;
use smartpush::registry::model::ModelKind;
use smartpush::registry::versions::ChampionChange;

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
    world.registry().newest(GOAL, moment).ok().map(|newest| newest.found.version)
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
    let text = std::fs::read_to_string(world.registry().version_directory(GOAL, &version).join("model.json"))
        .unwrap();
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
    assert_eq!(world.registry().journal(GOAL).unwrap().len(), 3);
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
        .unwrap()
        .iter()
        .map(|change| serde_json::to_value(change.action).unwrap().as_str().unwrap().to_string())
        .collect();
    assert_eq!(actions, ["promote", "promote", "promote", "rollback", "rollback", "promote", "rollback"]);
}

/// A change of champion by a process that was killed between its two writes: the line is in the journal, the file that
/// names the champion is as it was before.
fn cut_short(world: &World, change: impl FnOnce(&World)) {
    let path = world.path("models/buy_2d/champion");
    let before = std::fs::read(&path).ok();
    change(world);
    match before {
        Some(before) => std::fs::write(&path, before).unwrap(),
        None => std::fs::remove_file(&path).unwrap(),
    }
}

/// The changes that count, as `promote VERSION` or `rollback VERSION`, and the lines of the file.
fn changes(world: &World) -> (Vec<String>, usize) {
    let journal = world.registry().journal(GOAL).unwrap();
    let action =
        |change: &ChampionChange| serde_json::to_value(change.action).unwrap().as_str().unwrap().to_string();
    let text = std::fs::read_to_string(world.path("models/buy_2d/champions.jsonl")).unwrap();
    (journal.iter().map(|one| format!("{} {}", action(one), one.to)).collect(), text.lines().count())
}

#[test]
fn a_promotion_that_was_cut_short_never_happened_and_can_be_asked_for_again() {
    let world = World::new(town::SETTINGS);
    let [first, second] = [1, 2].map(|seed| put(&world, 10 * seed as i64, seed));
    cut_short(&world, |world| drop(promote(world, &first)));
    assert_eq!((world.registry().champion(GOAL), changes(&world)), (None, (Vec::new(), 1)));
    assert_eq!(promote(&world, &first)["former"], Value::Null);
    assert_eq!(changes(&world), (vec![format!("promote {first}")], 1), "one line, not two");

    cut_short(&world, |world| drop(promote(world, &second)));
    assert_eq!(world.registry().champion(GOAL), Some(first.clone()));
    // There is nothing to go back to, least of all the champion itself; and the line is gone.
    world.refused(&["models", "rollback", "--goal", GOAL], "no_former_champion");
    assert_eq!(changes(&world), (vec![format!("promote {first}")], 1));
    cut_short(&world, |world| drop(promote(world, &second)));
    assert_eq!(promote(&world, &second), json!({ "goal": GOAL, "champion": second, "former": first }));
    assert_eq!(changes(&world).1, 2);
    assert_eq!(rollback(&world), json!({ "goal": GOAL, "champion": first, "former": second }));
    assert_eq!(newest(&world, Instant::MAX), Some(first), "the second is withdrawn");
}

#[test]
fn a_rollback_that_was_cut_short_never_happened_and_can_be_asked_for_again() {
    let world = World::new(town::SETTINGS);
    let [first, second] = [1, 2].map(|seed| put(&world, 10 * seed as i64, seed));
    promote(&world, &first);
    promote(&world, &second);
    cut_short(&world, |world| drop(rollback(world)));
    assert_eq!(world.registry().champion(GOAL), Some(second.clone()));
    assert_eq!(newest(&world, Instant::MAX), Some(second.clone()), "the champion is not withdrawn");
    assert_eq!(rollback(&world), json!({ "goal": GOAL, "champion": first, "former": second }));
    assert_eq!(newest(&world, Instant::MAX), Some(first.clone()));
    let lines = [format!("promote {first}"), format!("promote {second}"), format!("rollback {first}")];
    assert_eq!(changes(&world), (lines.to_vec(), 3));
}

#[test]
fn a_champion_that_cannot_be_written_is_no_champion() {
    let world = World::new(town::SETTINGS);
    let version = put(&world, 10, 1);
    // The rename of the second write fails on a directory.
    let in_the_way = world.path("models/buy_2d/champion");
    std::fs::create_dir_all(in_the_way.join("in the way")).unwrap();
    assert_ne!(world.run(&["models", "promote", "--goal", GOAL, &version]).exit, Some(0));
    std::fs::remove_dir_all(&in_the_way).unwrap();
    assert_eq!(changes(&world), (Vec::new(), 1), "the journal was written first");
    promote(&world, &version);
    assert_eq!(changes(&world), (vec![format!("promote {version}")], 1));
}

#[test]
fn a_rollback_withdraws_the_champion_of_the_journal_where_its_file_names_none() {
    let world = World::new(town::SETTINGS);
    let [first, second] = [1, 2].map(|seed| put(&world, 10 * seed as i64, seed));
    promote(&world, &first);
    promote(&world, &second);
    std::fs::write(world.path("models/buy_2d/champion"), "nonsense").unwrap();
    assert_eq!(rollback(&world), json!({ "goal": GOAL, "champion": first, "former": second }));
    assert_eq!(newest(&world, Instant::MAX), Some(first.clone()));
    // And where it names none, the same version can be promoted again, which changes nothing else.
    std::fs::write(world.path("models/buy_2d/champion"), "").unwrap();
    promote(&world, &first);
    assert_eq!((world.registry().champion(GOAL), changes(&world).1), (Some(first), 3));
}

#[test]
fn a_line_of_the_journal_that_cannot_be_read_is_named_and_nothing_is_decided_without_it() {
    let world = SMALL.world(town::SETTINGS);
    let [first, second] = [1, 2].map(|seed| put(&world, 10 * seed as i64, seed));
    promote(&world, &first);
    promote(&world, &second);
    rollback(&world);
    let path = world.path("models/buy_2d/champions.jsonl");
    let sound = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = sound.lines().collect();
    assert_eq!(lines.len(), 3);
    // The rollback is torn, the line before it edited, a line is empty: without it the withdrawn one would speak again.
    let torn = [lines[0], lines[1], &lines[2][..40]].join("\n");
    let edited = [lines[0], &lines[1].replace("promote", "promoted"), lines[2]].join("\n") + "\n";
    let gap = [lines[0], lines[1], "", lines[2]].join("\n") + "\n";
    for (damaged, line) in [(torn, 3), (edited, 2), (gap, 3)] {
        std::fs::write(&path, &damaged).unwrap();
        for command in [
            &["score", "--goal", GOAL, "--out", "x.csv"][..],
            &["models", "show", "--goal", GOAL],
            &["models", "promote", "--goal", GOAL, &second],
            &["models", "rollback", "--goal", GOAL],
        ] {
            let error = world.refused(command, "bad_journal");
            assert!(error.contains(&format!("models/buy_2d/champions.jsonl:{line}: ")), "{error}");
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), damaged, "nothing is written over it");
        assert_eq!(world.registry().champion(GOAL), Some(first.clone()));
    }
    std::fs::write(&path, sound + "\n\n").unwrap();
    assert_eq!(newest(&world, Instant::MAX), Some(first), "blank lines at the end are no changes");
}

#[test]
fn a_model_of_the_past_does_not_replace_one_that_knows_more() {
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
    let card = world.registry().version_directory(GOAL, &version).join("card.json");
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
