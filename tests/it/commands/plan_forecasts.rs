//! What the forecast of a plan counts: people who reach the goal anyway or because of the push, and what of it the push adds.

use std::fmt::Write;

use serde_json::Value;
use tempfile::TempDir;

use crate::support::world::take;
use crate::support::{smartpush, stdout_of};

const MOMENT: &str = "2026-02-02T12:00:00Z";

/// 200 users who came on two days; one campaign leaves half of them alone, one leaves out nobody.
fn town() -> TempDir {
    let town = tempfile::tempdir().unwrap();
    let mut users = "user_id,time_zone,consent\n".to_string();
    let mut events = "user_id,event,content_id,timestamp\n".to_string();
    for user in 0..200 {
        writeln!(users, "u{user},Europe/Paris,granted").unwrap();
        writeln!(events, "u{user},view,c1,2026-02-02T11:{:02}:00Z", user % 60).unwrap();
        if user % 3 == 0 {
            writeln!(events, "u{user},view,c1,2026-02-02T18:{:02}:00Z", user % 60).unwrap();
        }
    }
    take(town.path(), "users", "users.csv", &users);
    take(town.path(), "events", "events.csv", &events);
    take(town.path(), "contents", "contents.csv", "content_id,title\nc1,Hello\n");
    let campaigns = "campaign_id,status,contents,holdout_percent,priority\nhalf,running,c1,50,100\nwhole,running,c1,,100\n";
    take(town.path(), "campaigns", "campaigns.csv", campaigns);
    town
}

fn plan(town: &TempDir, arguments: &[&str]) -> String {
    let common = ["plan", "--as-of", MOMENT, "--campaigns", "half,whole"];
    stdout_of(&smartpush(town.path(), &[&common, arguments].concat()))
}

#[test]
fn without_a_measured_holdout_it_is_unknown_what_the_push_adds() {
    let town = town();
    let report: Value = serde_json::from_str(&plan(&town, &["--json"])).unwrap();
    let [half, whole] = [0, 1].map(|index| &report["campaigns"][index]);
    assert_eq!(half["added_by_push"]["why"], "not_measured");
    assert_eq!(whole["added_by_push"]["why"], "no_holdout");
    assert_eq!(whole["reach_goal"]["counts"], "reach the goal anyway or because of the push");
    assert_eq!(whole["reach_goal"]["value"], whole["goal_events"]["value"]);
    let text = plan(&town, &[]);
    assert!(text.contains("reach the goal anyway or because of the push"), "{text}");
    assert!(text.contains("added by the push: unknown (no holdout)"), "{text}");
    assert!(!text.contains("goal events"), "{text}");
}

#[test]
fn a_measured_holdout_says_what_the_pushes_of_its_campaign_add() {
    let town = town();
    let out = town.path().join("handoff.csv").display().to_string();
    plan(&town, &["--out", &out]);
    stdout_of(&smartpush(town.path(), &["outcomes", "--as-of", "2026-02-05"]));
    let report: Value = serde_json::from_str(&plan(&town, &["--json"])).unwrap();
    let half = &report["campaigns"][0];
    let added = &half["added_by_push"];
    assert_eq!(added["known"], true, "{half:#}");
    let sends = half["sends"].as_f64().unwrap();
    let expected = added["lift"]["value"].as_f64().unwrap() * sends;
    assert!(
        sends > 50.0 && (added["of_sends"]["value"].as_f64().unwrap() - expected).abs() < 1e-9,
        "{half:#}"
    );
    assert_eq!(added["held_out"].as_u64().unwrap() + added["treated"].as_u64().unwrap(), 200);
    assert_eq!(report["campaigns"][1]["added_by_push"]["why"], "no_holdout");
    let text = plan(&town, &[]);
    assert!(text.contains("added by the push: about ") && text.contains("measured on 200 users"), "{text}");
}
