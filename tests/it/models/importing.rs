//! Another team's model: examples out, predictions in, the same gate, then the shadow.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use smartpush::domain::time::SECOND;
use smartpush::engine::{DecisionQuestion, Engine};
use smartpush::models::examples::{Examples, Labels};
use smartpush::models::train::{TrainingRequest, fit_for_evaluation, parts_of};
use smartpush::store::decision_log::{Record, find, parse};

use super::town::{self, Town, day};
use super::world::World;

const GOAL: &str = "buy_2d";
const TOWN: Town = Town { users: 500, contents: 30, days: 40, seed: 3 };

/// A row of `examples --population`, as a data team reads it.
type Line = BTreeMap<String, Value>;

/// The rows that `score --import` wants predicted.
fn asked(world: &World) -> Vec<Line> {
    let rows = world.table(&["examples", "--goal", GOAL, "--population"]);
    rows.into_iter().filter(|row| row["part"] == "test" || row["part"] == "population").collect()
}

/// The other team: a model of its own that has seen the train part and nothing else.
fn predict(world: &World, rows: &[Line]) -> Vec<(String, String, f64)> {
    let material = world.material(day(TOWN.days));
    let sources = material.sources();
    let question = material.question(GOAL, &sources);
    let as_of = day(TOWN.days);
    let all = question.examples(Labels::MatureBefore(as_of), &|_, _| ()).unwrap();
    let parts = parts_of(&question, &all).unwrap();
    let train = kept(&all, |row| parts[row] == "train");
    let request = TrainingRequest::new(as_of, &material.config, as_of);
    let model = fit_for_evaluation(&question, &train, &request).unwrap();
    let names: Vec<String> =
        all.inputs.iter().map(|(block, name)| format!("{}.{name}", block.as_str())).collect();
    let one = |row: &Line| {
        let inputs: Vec<f64> = names.iter().map(|name| row[name].as_f64().unwrap_or(f64::NAN)).collect();
        let text = |key: &str| row[key].as_str().unwrap().to_string();
        (text("user_id"), text("as_of"), model.score_row(&inputs))
    };
    rows.iter().map(one).collect()
}

fn kept(examples: &Examples, keep: impl Fn(usize) -> bool) -> Examples {
    let rows: Vec<usize> = (0..examples.len()).filter(|row| keep(*row)).collect();
    let of = |values: &Vec<f64>| rows.iter().map(|row| values[*row]).collect::<Vec<f64>>();
    Examples {
        columns: examples.columns.iter().map(of).collect(),
        labels: rows.iter().map(|row| examples.labels[*row]).collect(),
        rows: rows.iter().map(|row| examples.rows[*row]).collect(),
        ..examples.clone()
    }
}

fn write(world: &World, header: &str, rows: &[(String, String, f64)]) {
    let lines: Vec<String> = rows.iter().map(|(user, at, value)| format!("{user},{at},{value}")).collect();
    std::fs::write(world.path("theirs.csv"), format!("{header}\n{}\n", lines.join("\n"))).unwrap();
}

const IMPORT: [&str; 7] = ["score", "--goal", GOAL, "--import", "theirs.csv", "--out", "scores.csv"];

#[test]
fn their_predictions_pass_the_gate_and_stay_in_the_shadow() {
    let world = TOWN.world(town::SETTINGS);
    let rows = predict(&world, &asked(&world));
    write(&world, "user_id,as_of,p_buy", &rows);
    let said = world.ok(&[&IMPORT[..], &["--map", "p_buy=propensity"]].concat());
    assert_eq!(said["shadow"], true, "{said}");
    let version = said["version"].as_str().unwrap();
    assert_eq!(world.registry().shadow(GOAL).as_deref(), Some(version));
    let scores = std::fs::read_to_string(world.path("scores.csv")).unwrap();
    let population = world.table(&["examples", "--goal", GOAL, "--population"]);
    let population = population.iter().filter(|row| row["part"] == "population").count();
    assert_eq!(scores.lines().count(), 1 + population, "one row for everybody the goal is about");
    // It is listed, and never served, not even by force.
    let listed = world.ok(&["models", "list", "--goal", GOAL]);
    let entry =
        listed["models"].as_array().unwrap().iter().find(|entry| entry["version"] == version).unwrap();
    assert_eq!((&entry["kind"], &entry["shadow"]), (&json!("imported"), &json!(true)));
    for command in [
        &["models", "promote", "--goal", GOAL, "--force", version][..],
        &["score", "--goal", GOAL, "--model", version, "--out", "x.csv"][..],
    ] {
        let ran = world.run(command);
        assert_eq!(ran.exit, Some(3), "{command:?}");
        assert!(ran.json["error"].as_str().unwrap().contains("never served"), "{}", ran.json);
    }
    assert_eq!(world.ok(&IMPORT_AGAIN)["version"], said["version"], "the same predictions, the same version");
    world.ok(&["models", "shadow", "--goal", GOAL, "--off"]);
    assert_eq!(world.registry().shadow(GOAL), None);
}

const IMPORT_AGAIN: [&str; 9] =
    ["score", "--goal", GOAL, "--import", "theirs.csv", "--out", "scores.csv", "--map", "p_buy=propensity"];

#[test]
fn predictions_of_nothing_are_refused_by_the_gate() {
    let world = TOWN.world(town::SETTINGS);
    let mut rows = predict(&world, &asked(&world));
    let values: Vec<f64> = rows.iter().rev().map(|(_, _, value)| *value).collect();
    rows.iter_mut().zip(values).for_each(|(row, value)| row.2 = value);
    write(&world, "user_id,as_of,propensity", &rows);
    let ran = world.run(&IMPORT);
    assert_eq!((ran.exit, &ran.json["shadow"]), (Some(3), &json!(false)), "{}", ran.stderr);
    assert!(ran.stderr.contains("not_shadowed: beats_base_rate"), "{}", ran.stderr);
    assert_eq!(world.registry().shadow(GOAL), None);
}

#[test]
fn predictions_that_know_the_outcome_are_refused_and_their_file_is_never_written_over() {
    let world = TOWN.world(town::SETTINGS);
    let rows = asked(&world);
    let known = |row: &Line| {
        let text = |key: &str| row[key].as_str().unwrap().to_string();
        let label = row["label"].as_bool().unwrap_or(false);
        (text("user_id"), text("as_of"), if label { 0.999 } else { 0.001 })
    };
    write(&world, "user_id,as_of,propensity", &rows.iter().map(known).collect::<Vec<_>>());
    let ran = world.run(&IMPORT);
    assert_eq!(ran.exit, Some(3));
    assert!(ran.stderr.contains("no_input_tells_the_outcome: propensity alone"), "{}", ran.stderr);
    let before = std::fs::read(world.path("theirs.csv")).unwrap();
    let onto = ["score", "--goal", GOAL, "--import", "theirs.csv", "--out", "theirs.csv"];
    world.refused(&onto, "bad_out");
    assert_eq!(std::fs::read(world.path("theirs.csv")).unwrap(), before);
}

#[test]
fn a_file_that_cannot_be_compared_is_named_with_its_line() {
    let world = TOWN.world(town::SETTINGS);
    let rows = predict(&world, &asked(&world));
    let refused = |header: &str, rows: &[(String, String, f64)], code: &str, words: &str| {
        write(&world, header, rows);
        let text = world.refused(&IMPORT, code);
        assert!(text.contains(words), "{text} lacks {words}");
    };
    let header = "user_id,as_of,propensity";
    refused(header, &rows[1..], "missing_prediction", "1 of ");
    refused(header, &[&rows[..], &rows[..1]].concat(), "duplicate_row", &format!("line {}", rows.len() + 2));
    refused("user,as_of,propensity", &rows, "missing_column", "user_id");
    let with = |change: &dyn Fn(&mut (String, String, f64))| {
        let mut rows = rows.clone();
        change(&mut rows[4]);
        rows
    };
    refused(header, &with(&|row| row.0 = "nobody".into()), "unknown_row", "line 6");
    refused(header, &with(&|row| row.1 = "2024-01-01T00:00:01Z".into()), "unknown_row", "line 6");
    refused(header, &with(&|row| row.2 = 1.5), "bad_probability", "line 6");
    refused(header, &with(&|row| row.2 = f64::NAN), "missing_value", "line 6");
    refused(header, &with(&|row| row.1 = "soon".into()), "bad_timestamp", "line 6");
}

#[test]
fn decisions_log_what_the_shadow_says_of_what_was_sent() {
    const SHOWN: &str = "engage_24h";
    let settings = format!(
        "default_time_zone = \"UTC\"\n{}[decisions]\nconsent_when_unknown = \"allow\"\n",
        town::SETTINGS
    );
    let mut world = TOWN.world(&settings);
    let champion = world.ok(&["train", "--goal", SHOWN]);
    world.set(&settings.replace("[training]", "[training]\nmethods = [\"ftrl\"]"));
    let challenger = world.ok(&["train", "--goal", SHOWN, "--seed", "2"]);
    world.ok(&["models", "promote", "--goal", SHOWN, "--force", champion["version"].as_str().unwrap()]);
    let shadow = challenger["version"].as_str().unwrap();
    world.ok(&["models", "shadow", "--goal", SHOWN, shadow]);
    let now = day(TOWN.days);
    let engine = Engine::open(world.workspace.clone(), world.config.clone(), now, true, [7; 32]).unwrap();
    let mut heard = 0;
    for user in 0..40 {
        let question = DecisionQuestion { user_id: town::user_id(user), ..DecisionQuestion::default() };
        let answer = engine.decide(&question, None, now.plus(SECOND)).unwrap();
        let record = record_of(&world, &engine, &answer.decision_id);
        match record.decision.response_probability {
            None => assert!(record.shadow.is_none(), "nothing was sent"),
            Some(served) => {
                let said = record.shadow.expect("the shadow speaks of every send");
                assert_eq!(said.model, format!("{SHOWN}/{shadow}"));
                assert!(said.response_probability > 0.0 && said.response_probability < 1.0);
                heard += u32::from((said.response_probability - served).abs() > 1e-12);
            }
        }
    }
    assert!(heard > 20, "{heard} sends where the two differ");
}

/// The log's record of a decision; asking why waits until it is written.
fn record_of(world: &World, engine: &Engine, decision_id: &str) -> Record {
    engine.explain(decision_id).unwrap();
    let directory = world.workspace.decision_log();
    let (line, _) = find(&directory, decision_id).unwrap().unwrap();
    parse(line.as_bytes(), &directory).unwrap()
}
