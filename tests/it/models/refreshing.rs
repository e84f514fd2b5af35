//! The whole chain in one command: once is as good as twice, and a chain that was cut goes on.

use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use super::town::{self, Town};
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
    std::fs::remove_dir_all(world.registry().place("buy_2d", &version)).unwrap();
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
fn wrong_moments_and_files_are_the_callers_fault() {
    let world = TOWN.world(town::SETTINGS);
    world.refused(&["refresh", "--as-of", "soon"], "bad_moment");
    world.refused(&["refresh", "--as-of", "2024-02-10", "nowhere.csv"], "no_such_file");
    assert_eq!(world.run(&["refresh"]).exit, Some(2));
}
