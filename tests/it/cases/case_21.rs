//! One phone is 20 hours ahead: no default moment follows it into the future.

use crate::files::{Case, hours_from_now};

fn town() -> Case {
    let case = Case::new("21");
    let [one, two, ahead] = [-20, -19, 20].map(hours_from_now);
    let head = "user_id,event,timestamp,content_id";
    let events = format!("{head}\nu1,view,{one},c1\nu2,view,{two},c1\nu3,view,{ahead},c1\n");
    case.ingest_text("events", "events.csv", &events);
    case.ingest("users", "users.csv");
    case.ingest("contents", "contents.csv");
    case.ingest("campaigns", "campaigns.jsonl");
    case
}

#[test]
fn a_stamp_from_the_future_moves_no_default_moment_beyond_now() {
    let case = town();
    let out = |name: &str| case.workspace().join(name).to_str().unwrap().to_string();
    let (curves, lists) = (out("curves.csv"), out("lists.csv"));
    let commands: [&[&str]; 4] = [
        &["profile"],
        &["send-times", "--out", &curves],
        &["recommend", "--top", "3", "--out", &lists],
        &["plan", "--campaigns", "spring"],
    ];
    for command in commands {
        let report = case.json(command);
        let latest = hours_from_now(1);
        assert!(report["as_of"].as_str().unwrap() < latest.as_str(), "{command:?}: {report:#}");
    }
}

#[test]
fn who_really_came_within_a_day_is_counted_and_the_event_ahead_is_not() {
    let case = town();
    case.json(&["profile"]);
    let counted = case.json(&["segment", "count", "--where", "last_seen < 1d"]);
    assert_eq!(counted["members"], 2, "{counted:#}");
}
