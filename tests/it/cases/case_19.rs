//! Public exports come in without a script: no header, no event column, nested names, a second column.

use serde_json::Value;

use crate::files::Case;

fn counts(summary: &Value) -> (u64, u64) {
    (summary["read"].as_u64().unwrap(), summary["accepted"].as_u64().unwrap())
}

#[test]
fn a_file_without_a_header_is_read_whole_and_the_error_without_names_says_how() {
    let case = Case::new("19");
    let columns = "user_id,content_id,category,event,timestamp";
    let summary = case.json(&[
        "ingest",
        "UserBehavior.csv",
        "--header",
        columns,
        "--map-event",
        "pv=view,buy=purchase",
    ]);
    assert_eq!(counts(&summary), (3, 3));
    let by_preset = Case::new("19").json(&["ingest", "UserBehavior.csv", "--preset", "taobao"]);
    assert_eq!(counts(&by_preset), (3, 3));
    for flags in [&[][..], &["--map", "1=user_id,2268318=content_id,pv=event,1511544070=timestamp"][..]] {
        let output = Case::new("19").run(&[&["ingest", "UserBehavior.csv"], flags].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("no header") && said.contains("--header"), "{said}");
    }
}

#[test]
fn a_file_without_an_event_column_gets_one() {
    let map = "userId=user_id,movieId=content_id,rating=value";
    let summary = Case::new("19").json(&["ingest", "ratings.csv", "--map", map, "--set", "event=rating"]);
    assert_eq!(counts(&summary), (1, 1));
    assert_eq!(counts(&Case::new("19").json(&["ingest", "ratings.csv", "--preset", "movielens"])), (1, 1));
}

#[test]
fn nested_names_and_a_second_column_are_read() {
    let map = "userId|anonymousId=user_id,messageId=message_id,context.timezone=time_zone";
    let case = Case::new("19");
    assert_eq!(counts(&case.json(&["ingest", "segment.jsonl", "--map", map])), (1, 1));
    assert!(case.run(&["profile"]).status.success());
    let profile = String::from_utf8(case.run(&["profile", "--user", "a1"]).stdout).unwrap();
    assert!(profile.contains("Asia/Shanghai"), "{profile}");
    for flags in [["--preset", "segment"], ["--format", "segment"]] {
        let summary = Case::new("19").json(&[&["ingest", "segment.jsonl"], &flags[..]].concat());
        assert_eq!(counts(&summary), (1, 1));
        assert_eq!(summary["event_names"][0]["understood_as"], "purchase");
    }
}

#[test]
fn a_preset_that_does_not_exist_lists_those_that_do() {
    let output = Case::new("19").run(&["ingest", "ratings.csv", "--preset", "ga3"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said.contains("unknown_preset") && said.contains("ga4, segment") && said.contains("retailrocket"),
        "{said}"
    );
}
