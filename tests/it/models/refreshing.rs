//! The whole chain in one command: once is as good as twice, and a chain that was cut goes on.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use smartpush::domain::error::{Coded, ErrorKind};
use smartpush::events::request::InputKind;
use smartpush::operations::context::{Context, NoProgress};
use smartpush::operations::refresh::{RefreshError, RefreshRequest};

use super::town::{self, Town, day};
use super::world::{Ran, World};

const TOWN: Town = Town { users: 400, contents: 30, days: 40, seed: 6 };
const REFRESH: [&str; 3] = ["refresh", "--as-of", "2024-02-10T00:00:00Z"];

/// Steps with how they ended and whether an earlier run had made them.
fn steps(said: &Value) -> Vec<(String, String, bool)> {
    let text = |value: &Value| value.as_str().unwrap().to_string();
    let entries = said["steps"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| (text(&entry["step"]), text(&entry["state"]), entry["again"].as_bool().unwrap()))
        .collect()
}

/// What each training came to.
fn versions(said: &Value) -> Vec<(String, Value)> {
    let entries = said["steps"].as_array().unwrap();
    let version = |entry: &Value| (entry["step"].to_string(), entry["said"]["version"].clone());
    entries.iter().map(version).filter(|(_, version)| version.is_string()).collect()
}

fn refresh(world: &World) -> Value {
    let ran = world.run(&REFRESH);
    assert!(matches!(ran.exit, Some(0 | 3)), "{}", ran.stderr);
    ran.json
}

#[test]
fn a_second_run_makes_nothing_anew_and_says_the_same() {
    let world = TOWN.world(town::SETTINGS);
    let first = refresh(&world);
    let made = steps(&first);
    assert_eq!(made[0], ("profile".into(), "done".into(), false), "{made:?}");
    assert!(made.iter().any(|(step, state, _)| step == "train buy_2d" && state == "done"), "{made:?}");
    assert!(made.iter().any(|(step, state, _)| step == "train churn_30d" && state == "skipped"), "{made:?}");
    let second = refresh(&world);
    assert!(steps(&second).iter().all(|(_, _, again)| *again), "{:?}", steps(&second));
    assert_eq!(versions(&second), versions(&first));
    // What is gone is made anew, and is what it was.
    let version = versions(&first)[0].1.as_str().unwrap().to_string();
    std::fs::remove_dir_all(world.registry().version_directory("buy_2d", &version)).unwrap();
    let third = refresh(&world);
    assert_eq!(versions(&third), versions(&first));
    let anew: Vec<String> =
        steps(&third).into_iter().filter(|(_, _, again)| !again).map(|(step, _, _)| step).collect();
    assert_eq!(anew, ["train buy_2d"]);
}

#[test]
fn a_chain_that_was_killed_goes_on_where_it_stopped() {
    let whole = TOWN.world(town::SETTINGS);
    let expected = versions(&refresh(&whole));
    let world = TOWN.world(town::SETTINGS);
    let mut child = world.command(&REFRESH).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let journal = world.path("data/refresh");
    let has_trained = || {
        let files = std::fs::read_dir(&journal).into_iter().flatten().flatten();
        files
            .map(|file| std::fs::read_to_string(file.path()).unwrap_or_default())
            .any(|text| text.contains("train"))
    };
    while !has_trained() && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let said = refresh(&world);
    assert_eq!(versions(&said), expected);
    assert!(steps(&said).iter().any(|(step, _, again)| step == "profile" && *again), "{:?}", steps(&said));
}

#[test]
fn a_model_that_the_gate_refuses_ends_the_chain_with_its_line_and_leaves_the_champion() {
    let world = TOWN.world(&town::SETTINGS.replace("least_rows = 100", "least_rows = 1000000"));
    let ran: Ran = world.run(&REFRESH);
    assert_eq!(ran.exit, Some(3), "{}", ran.stderr);
    assert!(ran.stderr.contains("has_enough_rows"), "{}", ran.stderr);
    assert_eq!(world.registry().champion("buy_2d"), None);
}

#[test]
fn a_refusal_is_repeated_by_a_second_run() {
    let world = TOWN.world(&town::SETTINGS.replace("least_rows = 100", "least_rows = 1000000"));
    let first = world.run(&REFRESH);
    let second = world.run(&REFRESH);
    assert_eq!((first.exit, second.exit), (Some(3), Some(3)), "{}", second.stderr);
    assert!(steps(&second.json).iter().all(|(_, _, again)| *again), "{:?}", steps(&second.json));
    assert_eq!(second.json["refused"], first.json["refused"]);
    let reason = second.json["refused"][0].as_str().unwrap();
    assert!(second.stderr.contains(&format!("error: not_promoted: {reason}\n")), "{}", second.stderr);
}

#[test]
fn goals_without_enough_data_are_skipped_with_their_reasons_and_exit_0() {
    let world = TOWN.world(town::SETTINGS);
    let said = world.ok(&["refresh", "--as-of", "2024-01-03T00:00:00Z"]);
    let entries = said["steps"].as_array().unwrap();
    let trained: Vec<&Value> =
        entries.iter().filter(|entry| entry["step"].as_str().unwrap().starts_with("train ")).collect();
    assert_eq!(trained.len(), world.config.goals.len(), "{said}");
    for entry in trained {
        assert_eq!(entry["state"], "skipped", "{entry}");
        let goal = entry["step"].as_str().unwrap().trim_start_matches("train ");
        assert!(entry["said"]["why"].as_str().unwrap().contains(&format!("goal {goal}")), "{entry}");
    }
}

#[test]
fn a_goal_whose_model_cannot_be_written_ends_the_refresh_and_is_named() {
    let world = TOWN.world(town::SETTINGS);
    std::fs::create_dir_all(world.path("models")).unwrap();
    std::fs::write(world.path("models/buy_2d"), "in the way").unwrap();
    let ran = world.run(&REFRESH);
    assert_eq!(ran.exit, Some(2), "{}", ran.stderr);
    let text = ran.json["error"].as_str().unwrap();
    assert!(text.contains("models/buy_2d") && text.contains("stopped at goal buy_2d"), "{text}");
    std::fs::remove_file(world.path("models/buy_2d")).unwrap();
    let said = refresh(&world);
    assert!(steps(&said).contains(&("train buy_2d".into(), "done".into(), false)), "{:?}", steps(&said));
}

#[test]
fn an_input_that_is_not_finite_ends_the_refresh_and_its_goal_is_named() {
    let world = TOWN.world(town::SETTINGS);
    let push = |user: usize, event: &str| {
        let about = json!({ "user_id": town::user_id(user), "event": event, "campaign_id": "spring-00" });
        let at = json!({ "timestamp": day(20).to_string(), "message_id": format!("{event}-{user}") });
        let mut push = about;
        at.as_object().unwrap().iter().for_each(|(key, value)| push[key] = value.clone());
        push
    };
    let sent = (0..20).map(|user| push(user, "push_sent"));
    world.take(InputKind::Events, &sent.chain([push(3, "push_clicked")]).collect::<Vec<_>>(), None);
    let mut config = world.config.clone();
    // Less one push of the prior leaves none of the one that was sent: the rate is divided by zero.
    config.profiles.rate_prior_pushes = -1.0;
    let now = day(60);
    let context = Context { workspace: &world.workspace, config: &config, now, progress: &NoProgress };
    let request = RefreshRequest { files: None, as_of: Some(day(40)), out: None };
    let error = smartpush::operations::refresh::refresh(&context, &request).unwrap_err();
    assert!(matches!(&error, RefreshError::Goal { goal, .. } if goal == "buy_2d"), "{error}");
    assert_eq!(error.code(), "not_finite");
    assert!(error.to_string().contains("goal buy_2d"), "{error}");
    assert_ne!(smartpush::commands::exit_status(error.kind()), 0);
    assert_ne!(error.kind(), ErrorKind::Refused);
}

#[test]
fn a_manifest_that_cannot_be_read_ends_the_refresh() {
    let world = TOWN.world(town::SETTINGS);
    std::fs::write(world.path("data/events/_manifest.json"), "{").unwrap();
    let text = world.refused(&REFRESH, "bad_manifest");
    assert!(text.contains("_manifest.json"), "{text}");
    assert!(!world.path("data/refresh").exists(), "no step was made");
}

#[test]
fn a_table_that_cannot_be_read_ends_the_refresh_before_its_first_step() {
    let world = TOWN.world(town::SETTINGS);
    std::fs::remove_file(world.path("data/contents.parquet")).unwrap();
    std::fs::create_dir(world.path("data/contents.parquet")).unwrap();
    let text = world.refused(&REFRESH, "is_a_directory");
    assert!(text.contains("contents.parquet"), "{text}");
    assert!(!world.path("data/profiles").exists(), "no step was made");
}

#[test]
fn the_same_file_as_another_kind_is_taken_in_again() {
    let world = TOWN.world(town::SETTINGS);
    std::fs::write(world.path("people.csv"), "user_id,event,timestamp\nu0001,view,2024-01-02T10:00:00Z\n")
        .unwrap();
    let taken = |kind: &str| {
        let arguments = ["refresh", "--as-of", "2024-01-03T00:00:00Z", "--kind", kind, "people.csv"];
        world.ok(&arguments)["steps"][0].clone()
    };
    let events = taken("events");
    assert_eq!((&events["step"], &events["said"]["accepted"]), (&json!("ingest"), &json!(1)), "{events}");
    let users = taken("users");
    assert_eq!((&users["again"], &users["said"]["accepted"]), (&json!(false), &json!(1)), "{users}");
    assert_eq!(taken("users")["again"], true);
}

#[test]
fn a_training_of_every_goal_goes_on_after_one_that_fails_and_ends_with_its_error() {
    let world = TOWN.world(town::SETTINGS);
    std::fs::create_dir_all(world.path("models")).unwrap();
    std::fs::write(world.path("models/buy_2d"), "in the way").unwrap();
    let ran = world.run(&["train", "--as-of", "2024-02-10T00:00:00Z"]);
    assert_eq!(ran.exit, Some(2), "{}", ran.stderr);
    assert!(ran.json["error"].as_str().unwrap().contains("models/buy_2d"), "{}", ran.json);
    assert!(ran.stderr.contains("failed: buy_2d: "), "{}", ran.stderr);
    let goals: Vec<&str> =
        ran.json["models"].as_array().unwrap().iter().map(|model| model["goal"].as_str().unwrap()).collect();
    assert!(!goals.is_empty() && !goals.contains(&"buy_2d"), "{goals:?}");
}

#[test]
fn wrong_moments_and_files_are_a_callers_error() {
    let world = TOWN.world(town::SETTINGS);
    world.refused(&["refresh", "--as-of", "soon"], "bad_moment");
    world.refused(&["refresh", "--as-of", "2024-02-10", "nowhere.csv"], "no_such_file");
}

#[test]
fn a_refresh_without_a_moment_takes_the_default_one_and_goes_on_with_it_after_a_cut() {
    let world = TOWN.world(town::SETTINGS);
    let lake = || smartpush::events::lake::Lake::open(&world.workspace).unwrap();
    let refreshed = |more: &[&str]| {
        let ran = world.run(&[&["refresh"], more].concat());
        assert!(matches!(ran.exit, Some(0 | 3)), "{}", ran.stderr);
        ran.json
    };
    std::fs::write(world.path("more.csv"), "user_id,event,timestamp\nu0001,view,2024-02-10T10:00:00Z\n")
        .unwrap();
    let first = refreshed(&["more.csv"]);
    assert_eq!(first["as_of"], "2024-02-10T10:00:00.000001Z", "after the file was taken in");
    assert_eq!(first["steps"][0]["said"]["accepted"], 1);
    // As if it had been cut off, and its moment had been another: it is kept.
    let kept = json!({ "as_of": "2024-02-01T00:00:00Z", "files": "", "lake": lake().content_sha256() });
    std::fs::write(world.path("data/refresh/begun.json"), kept.to_string()).unwrap();
    assert_eq!(refreshed(&[])["as_of"], "2024-02-01T00:00:00Z");
    assert_eq!(refreshed(&[])["as_of"], "2024-02-10T10:00:00.000001Z", "the one before is done");
    // Something else came in since.
    std::fs::write(world.path("data/refresh/begun.json"), kept.to_string()).unwrap();
    std::fs::write(world.path("new.csv"), "user_id,event,timestamp\nu0002,view,2024-02-11T10:00:00Z\n")
        .unwrap();
    world.ok(&["ingest", "new.csv"]);
    assert_eq!(refreshed(&[])["as_of"], "2024-02-11T10:00:00.000001Z");
}

#[test]
fn a_goal_of_which_no_version_is_in_use_is_shown_with_its_newest_version() {
    let world = TOWN.world(town::SETTINGS);
    let version = versions(&refresh(&world))[0].1.as_str().unwrap().to_string();
    let champion = world.path("models/buy_2d/champion");
    if champion.exists() {
        std::fs::remove_file(champion).unwrap();
    }
    let directory = world.registry().version_directory("buy_2d", &version);
    let path = directory.join("card.json");
    let mut card: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
    let text = world.refused(&["models", "show", "--goal", "buy_2d"], "no_model");
    let shown = format!("smartpush models show --goal buy_2d {version}");
    assert!(text.contains(&format!("version {version} was trained and")) && text.contains(&shown), "{text}");
    let lines = card["gate"]["lines"].as_array_mut().unwrap();
    lines[0]["passed"] = json!(false);
    std::fs::write(&path, card.to_string()).unwrap();
    let text = world.refused(&["models", "show", "--goal", "buy_2d"], "no_model");
    assert!(text.contains("refused by the gate: "), "{text}");
}
