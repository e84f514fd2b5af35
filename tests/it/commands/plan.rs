//! `smartpush plan` on a real workspace: planned, handed off, logged, replayed, asked what if.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::world::{take, workspace};
use crate::support::{on_cores, smartpush, stdout_of};

const CAMPAIGNS: &str = r#"{"campaign_id":"spring","status":"running","contents":["sport-1","news-1"],"priority":2}
{"campaign_id":"digest","status":"running","contents":["news-1","fresh-1"],"throttle_per_minute":1}
{"campaign_id":"segmented","status":"running","audience":"big-spenders"}
{"campaign_id":"stuck","status":"running","throttle_per_minute":0}
{"campaign_id":"aimless","status":"draft","goal":"nothing"}
{"campaign_id":"backwards","status":"draft","goal":"churn_30d"}
"#;

/// The made-up workspace with campaigns that can be planned together.
fn town() -> TempDir {
    let town = workspace();
    take(town.path(), "campaigns", "more.jsonl", CAMPAIGNS);
    town
}

/// `--as-of` the clock of the tests, with more arguments.
fn plan(workspace: &Path, arguments: &[&str]) -> Output {
    let common = ["plan", "--as-of", "2026-03-01T17:00:00Z", "--json"];
    smartpush(workspace, &[&common, arguments].concat())
}

fn report(workspace: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&stdout_of(&plan(workspace, arguments))).unwrap()
}

fn out(directory: &Path, name: &str) -> String {
    directory.join(name).display().to_string()
}

#[test]
fn a_plan_is_handed_off_and_each_of_its_decisions_can_be_replayed() {
    let town = town();
    let file = out(town.path(), "handoff.jsonl");
    let report = report(town.path(), &["--campaigns", "spring,digest", "--out", &file]);
    let rows: Vec<Value> =
        fs::read_to_string(&file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(report["sends"], rows.len());
    assert_eq!(report["hand_off"]["rows"], rows.len());
    assert!(rows.len() > 4, "{report:#}");
    assert!(
        report["gap"].as_f64().unwrap() < 1e-9 && report["exact"] == true,
        "eight users are searched exactly"
    );
    for row in &rows {
        for key in ["send_id", "variant_id", "channel", "time_zone", "expires_at", "message_class"] {
            assert!(row.get(key).is_some(), "{key} is missing in {row}");
        }
        assert!(row["action_probability"].as_f64().unwrap() > 0.0);
        assert!(row["user_id"] != "denied" && row["user_id"] != "nowhere");
        let id = row["decision_id"].as_str().unwrap();
        let told = stdout_of(&smartpush(town.path(), &["replay", id, "--json"]));
        assert_eq!(serde_json::from_str::<Value>(&told).unwrap()["identical"], true);
    }
    let manifest: Value =
        serde_json::from_str(&fs::read_to_string(format!("{file}.manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest["rows"], rows.len());
    assert_eq!(manifest["plan_id"], report["plan_id"]);
    assert_eq!(manifest["campaigns"][0]["members"], 8);
    let kept = town.path().join("data/plans").join(report["plan_id"].as_str().unwrap());
    assert!(kept.join("audience.parquet").exists() && kept.join("plan.json").exists());
}

#[test]
fn what_is_not_sent_is_logged_with_its_reason() {
    let town = town();
    let file = out(town.path(), "handoff.csv");
    let report = report(town.path(), &["--campaigns", "spring,digest", "--out", &file]);
    assert_eq!(report["decisions"], 16, "two campaigns, eight users");
    let spring = &report["campaigns"][0];
    assert_eq!(spring["campaign_id"], "spring");
    assert_eq!(spring["unsent"]["has_consented"], 1);
    assert_eq!(spring["unsent"]["zone_is_known"], 1);
    let sent = spring["sends"].as_u64().unwrap();
    let unsent: u64 =
        spring["unsent"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(sent + unsent, 8);
}

#[test]
fn the_same_plan_gives_the_same_bytes_on_one_thread_and_again() {
    let (town, twin) = (town(), town());
    let run = |town: &Path, threads: &str| {
        let file = out(town, "handoff.csv");
        let all_cores = || Command::new(env!("CARGO_BIN_EXE_smartpush"));
        let mut command = on_cores(threads).unwrap_or_else(all_cores);
        command.arg("--workspace").arg(town).args([
            "plan",
            "--as-of",
            "2026-03-01T17:00:00Z",
            "--campaigns",
            "spring,digest",
            "--out",
            &file,
        ]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let log = fs::read_dir(town.join("data/decisions/log")).unwrap().next().unwrap().unwrap().path();
        (fs::read(&file).unwrap(), fs::read(log).unwrap())
    };
    let first = run(town.path(), "0");
    assert_eq!(first, run(twin.path(), "0,1"));
    assert_eq!(first, run(town.path(), "0,1"), "planned again, the same pushes with the same ids");
    let logs = fs::read_dir(town.path().join("data/decisions/log")).unwrap().count();
    assert_eq!(logs, 1, "the same plan is logged once");
}

#[test]
fn a_name_without_extension_is_a_directory_by_minute_and_shard_with_its_manifest() {
    let town = town();
    fs::write(town.path().join("smartpush.toml"), "[planning]\nshards = 3\n").unwrap();
    let directory = out(town.path(), "handoff");
    let told = report(town.path(), &["--campaigns", "spring,digest", "--out", &directory]);
    let manifest: Value =
        serde_json::from_str(&fs::read_to_string(format!("{directory}/_manifest.json")).unwrap()).unwrap();
    let mut rows = 0;
    for file in manifest["files"].as_array().unwrap() {
        let name = file["name"].as_str().unwrap();
        let text = fs::read_to_string(format!("{directory}/{name}")).unwrap();
        assert_eq!(file["rows"], text.lines().count());
        for line in text.lines() {
            let row: Value = serde_json::from_str(line).unwrap();
            let minute = row["send_minute"].as_str().unwrap().replace([':', '-'], "");
            assert_eq!(name, format!("minute={minute}/shard={:04}.jsonl", row["shard"].as_u64().unwrap()));
            assert!(row["send_at"].as_str().unwrap() >= row["send_minute"].as_str().unwrap());
            rows += 1;
        }
    }
    assert_eq!(told["sends"], rows);
    let again = plan(town.path(), &["--campaigns", "spring", "--out", &directory]);
    assert_eq!(again.status.code(), Some(2), "a hand-off is never written over another");
}

#[test]
fn a_smaller_cap_sends_less_and_another_campaign_less_frees_it() {
    let town = town();
    let scenarios =
        ["cap=1/week", "quiet=00:00-23:59", "without=digest", "cap=1/week,without=digest", "quiet=none"];
    let mut arguments = vec!["--campaigns", "spring,digest"];
    scenarios.iter().for_each(|scenario| arguments.extend(["--what-if", scenario]));
    let told = report(town.path(), &arguments);
    let sends = |report: &Value| report["sends"].as_u64().unwrap();
    let planned = sends(&told["expected"]);
    let what_ifs = told["what_if"].as_array().unwrap();
    assert_eq!(what_ifs.len(), 5);
    assert!(sends(&what_ifs[4]) >= planned, "no hour is quiet by default");
    assert!(sends(&what_ifs[0]) < planned, "{told:#}");
    assert!(sends(&what_ifs[1]) < planned);
    assert!(sends(&what_ifs[2]) < planned && sends(&what_ifs[2]) > 0);
    assert_eq!(sends(&what_ifs[3]), sends(&what_ifs[2]), "one campaign alone sends each user one");
    for row in what_ifs.iter().chain([&told["expected"]]) {
        let events = &row["goal_events"];
        let figure = |key: &str| events[key].as_f64().unwrap();
        assert!(figure("low") <= figure("value") && figure("value") <= figure("high"));
    }
    assert!(told.get("hand_off").is_none());
    assert!(!town.path().join("data/decisions/log").exists(), "what if leaves nothing behind");
}

#[test]
fn due_campaigns_are_found_by_their_windows() {
    let town = town();
    let told = plan(town.path(), &["--due", "2026-03-02", "--what-if", "cap=1/day"]);
    let text = String::from_utf8_lossy(&told.stderr);
    assert!(told.status.code() == Some(0) && text.contains("big-spenders"), "all that run are due: {text}");
    take(town.path(), "campaigns", "paused.jsonl", &CAMPAIGNS.replace("running", "paused"));
    let window = r#"{"campaign_id":"monday","status":"scheduled","window_start":"2026-03-02T12:00:00Z","window_end":"2026-03-02T20:00:00Z"}"#;
    take(town.path(), "campaigns", "monday.jsonl", window);
    let file = out(town.path(), "handoff.csv");
    let told = report(town.path(), &["--due", "2026-03-02", "--out", &file]);
    assert_eq!(told["campaigns"].as_array().unwrap().len(), 1);
    assert_eq!(told["campaigns"][0]["campaign_id"], "monday");
    let none = plan(town.path(), &["--due", "2026-03-05", "--out", &file]);
    assert!(String::from_utf8_lossy(&none.stderr).contains("no_campaigns"));
    let over = plan(town.path(), &["--due", "2026-02-01", "--out", &file]);
    assert!(String::from_utf8_lossy(&over.stderr).contains("is over"));
}

#[test]
fn a_plan_that_is_impossible_sends_nothing_and_says_why() {
    let town = town();
    let file = out(town.path(), "handoff.csv");
    let told = report(town.path(), &["--campaigns", "stuck", "--out", &file]);
    assert_eq!(told["sends"], 0);
    assert!(told["campaigns"][0]["unsent"]["under_throttle"].as_u64().unwrap() > 3, "{told:#}");
    assert_eq!(fs::read_to_string(&file).unwrap().lines().count(), 1, "the names of the columns");
}

#[test]
fn wrong_questions_end_with_the_position_of_the_error() {
    let town = town();
    let file = out(town.path(), "handoff.csv");
    let errors: [(&[&str], &str); 13] = [
        (&["--campaigns", "spring,spring", "--out", &file], "bad_campaigns: \"spring\" is named twice"),
        (&["--campaigns", "nobody", "--out", &file], "unknown_campaign: there is no campaign \"nobody\""),
        (&["--campaigns", "segmented", "--out", &file], "unknown_audience: campaign \"segmented\""),
        (&["--campaigns", "spring", "--out", "handoff.xml"], "handoff.xml"),
        (&["--campaigns", "spring", "--what-if", "cap=x/day"], "bad_what_if: \"cap=x/day\""),
        (&["--campaigns", "spring", "--what-if", "cap=2/year"], "per day or per week"),
        (&["--campaigns", "spring", "--what-if", "quiet=25:00-08:00"], "write quiet=22:00-08:00"),
        (&["--campaigns", "spring", "--what-if", "without=digest"], "no such campaign is planned"),
        (&["--campaigns", "spring", "--what-if", "without=spring"], "no campaign is left"),
        (&["--due", "tomorrow", "--what-if", "cap=1/day"], "bad_due: \"tomorrow\""),
        (&["--campaigns", "spring", "--what-if", "cap=1/day,cap=2/day"], "one thing is changed twice"),
        (&["--campaigns", "aimless"], "unknown_goal: campaign \"aimless\" pursues \"nothing\""),
        (&["--campaigns", "backwards"], "bad_goal: campaign \"backwards\" pursues \"churn_30d\""),
    ];
    for (arguments, text) in errors {
        let output = plan(town.path(), arguments);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        assert!(told.contains(text), "{arguments:?}: {told}");
    }
    let own = out(town.path(), "data/users.parquet");
    assert_eq!(plan(town.path(), &["--campaigns", "spring", "--out", &own]).status.code(), Some(2));
}

#[test]
fn outcomes_take_planned_decisions_with_their_allowed_arms() {
    let town = town();
    let file = out(town.path(), "handoff.csv");
    let planned = report(town.path(), &["--campaigns", "spring,digest", "--out", &file]);
    let told: Value =
        serde_json::from_str(&stdout_of(&smartpush(town.path(), &["outcomes", "--json"]))).unwrap();
    assert_eq!(told["decisions"], planned["decisions"]);
    assert_eq!(told["sends"], planned["sends"]);
    assert_eq!(told["differing"], 0);
    assert!(told["arms"].as_u64().unwrap() >= planned["sends"].as_u64().unwrap());
}
