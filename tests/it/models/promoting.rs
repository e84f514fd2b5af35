//! Who may become champion: what the gate refuses stays out unless somebody forces it, on record.

use serde_json::{Value, json};
use smartpush::domain::time::Instant;
use smartpush::models::examples::{Examples, Labels};
use smartpush::models::train::{TrainingRequest, train_on};
use smartpush::registry::gate::GateLine;
use smartpush::registry::versions::Registered;

use super::town::{self, Town, day};
use super::world::World;
use super::{handmade, town::SMALL};
use crate::support::draws::Draws;

const GOAL: &str = "buy_2d";

/// Registers a handmade model whose card says that a line of the gate does not hold.
fn put_refused(world: &World, number: i64, seed: u64) -> String {
    let mut card = handmade::card(GOAL, day(60));
    let line = GateLine {
        name: "is_calibrated".into(),
        passed: false,
        found: "calibration error 0.2000".into(),
        wanted: "at most 0.0500".into(),
    };
    card.gate.as_mut().unwrap().lines.push(line);
    world.registry().write(&handmade::model(&world.config, GOAL, day(number), seed), &card).unwrap()
}

#[test]
fn a_refused_model_is_named_with_its_line_and_can_be_forced_on_record() {
    let world = World::new(town::SETTINGS);
    let version = put_refused(&world, 10, 1);
    let ran = world.run(&["models", "promote", "--goal", GOAL, &version]);
    assert_eq!(ran.exit, Some(3), "{}", ran.stderr);
    let text = ran.json["error"].as_str().unwrap();
    assert!(text.contains("is_calibrated: calibration error 0.2000; asked is at most 0.0500"), "{text}");
    assert_eq!(world.registry().champion(GOAL), None);
    assert!(world.registry().newest(GOAL, Instant::MAX).is_err(), "what is refused does not speak");
    let said = world.ok(&["models", "promote", "--goal", GOAL, "--force", &version]);
    assert_eq!(said["forced"], json!(["is_calibrated"]));
    assert_eq!(world.registry().champion(GOAL), Some(version.clone()));
    assert_eq!(world.registry().newest(GOAL, Instant::MAX).unwrap().found.version, version);
    assert_eq!(world.registry().journal(GOAL).unwrap()[0].forced, ["is_calibrated"]);
    let shown = world.ok(&["models", "show", "--goal", GOAL]);
    assert_eq!(shown["journal"][0]["forced"], json!(["is_calibrated"]));
}

#[test]
fn a_card_that_is_lost_or_knows_no_gate_is_no_ticket() {
    let world = World::new(town::SETTINGS);
    let mut card = handmade::card(GOAL, day(60));
    card.gate = None;
    let model = handmade::model(&world.config, GOAL, day(10), 1);
    let version = world.registry().write(&model, &card).unwrap();
    for _ in 0..2 {
        let ran = world.run(&["models", "promote", "--goal", GOAL, &version]);
        assert_eq!(ran.exit, Some(3));
        assert!(ran.json["error"].as_str().unwrap().contains("gate_was_asked"), "{}", ran.json);
        std::fs::remove_file(world.registry().version_directory(GOAL, &version).join("card.json")).ok();
    }
}

#[test]
fn a_model_that_no_longer_scores_its_golden_rows_is_refused() {
    let world = SMALL.world(town::SETTINGS);
    let trained = world.ok(&["train", "--goal", GOAL]);
    let found = world.registry().read(GOAL, trained["version"].as_str().unwrap()).unwrap();
    let mut card = found.card.unwrap();
    let gate = card.gate.as_mut().unwrap();
    gate.lines.clear();
    // As if the file had been written by a build that sums in another order.
    gate.facts.golden[3].probability = 0.123_456;
    world.registry().write(&found.model, &card).unwrap();
    let ran = world.run(&["models", "promote", "--goal", GOAL, &found.version]);
    assert_eq!(ran.exit, Some(3));
    let text = ran.json["error"].as_str().unwrap();
    assert!(text.contains("golden_rows_are_reproduced: 1 of 16 rows differ"), "{text}");
}

#[test]
fn an_answer_that_was_edited_on_the_card_is_no_ticket() {
    let world = World::new(town::SETTINGS);
    let version = put_refused(&world, 10, 1);
    let path = world.registry().version_directory(GOAL, &version).join("card.json");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut card: Value = serde_json::from_str(&text).unwrap();
    card["gate"]["lines"][0]["passed"] = json!(true);
    std::fs::write(&path, card.to_string()).unwrap();
    let ran = world.run(&["models", "promote", "--goal", GOAL, &version]);
    assert_eq!(ran.exit, Some(3));
    let text = ran.json["error"].as_str().unwrap();
    assert!(text.contains("the gate on its card is not as it was written"), "{text}");
}

#[test]
fn a_champion_file_that_names_no_version_is_named() {
    let world = SMALL.world(town::SETTINGS);
    world.ok(&["train", "--goal", GOAL]);
    std::fs::write(world.path("models/buy_2d/champion"), "nonsense").unwrap();
    let text = world.refused(&["models", "show", "--goal", GOAL], "bad_champion");
    assert!(text.contains("models/buy_2d/champion"), "{text}");
}

/// A town large enough that a better champion shows.
const LARGE: Town = Town { users: 600, contents: 30, days: 40, seed: 4 };

/// Most labels of a part of the rows drawn anew.
fn confuse(examples: &mut Examples, rows: std::ops::Range<usize>) {
    let mut draws = Draws::new(9);
    let rate = examples.labels.iter().filter(|label| **label).count() as f64 / examples.len() as f64;
    for row in rows {
        if draws.uniform() < 0.9 {
            examples.labels[row] = draws.uniform() < rate;
        }
    }
}

#[test]
fn a_model_that_is_clearly_worse_than_the_champion_is_refused() {
    let material = LARGE.world(town::SETTINGS).material(day(40));
    let sources = material.sources();
    let question = material.question(GOAL, &sources);
    let examples = |as_of| question.examples(Labels::MatureBefore(as_of), &|_, _| ()).unwrap();
    let early =
        train_on(&question, &TrainingRequest::new(day(32), &material.config, day(32)), &examples(day(32)));
    let early = early.unwrap();
    let champion = Registered { version: "c".repeat(12), model: early.model, card: Some(early.card) };
    let request = TrainingRequest {
        champion: Some(&champion),
        ..TrainingRequest::new(day(40), &material.config, day(40))
    };
    let lines = |examples: &Examples| {
        let gate = train_on(&question, &request, examples).unwrap().card.gate.unwrap();
        let rival = gate.facts.champion.clone().unwrap();
        assert!(rival.rows > 400 && rival.log_loss_difference.is_some(), "{rival:?}");
        let holds = |name: &str| gate.lines.iter().find(|line| line.name == name).unwrap().passed;
        (holds("log_loss_holds_against_champion"), holds("auc_holds_against_champion"))
    };
    let honest = examples(day(40));
    assert_eq!(lines(&honest), (true, true), "the same recipe with more days");
    let mut worse = honest.clone();
    let taught = worse.len() * 3 / 4;
    confuse(&mut worse, 0..taught);
    let (log_loss, _) = lines(&worse);
    assert!(!log_loss, "one that learned from mixed-up labels");
}
