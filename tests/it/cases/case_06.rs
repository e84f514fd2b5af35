//! Names of another system for pushes are not taken for the users' own acts.

use crate::files::Case;

/// The best hours of all users, from the send-time file.
fn best_hours(case: &Case) -> Vec<String> {
    let out = case.workspace().join("best.csv");
    let output = case.run(&["send-times", "--out", out.to_str().unwrap(), "--layout", "best"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = std::fs::read_to_string(out).unwrap();
    let mut lines = text.lines();
    let column = lines.next().unwrap().split(',').position(|name| name == "best_hour_of_day").unwrap();
    lines.map(|line| line.split(',').nth(column).unwrap().to_string()).collect()
}

#[test]
fn the_old_senders_hour_is_not_the_best_hour() {
    for file in ["own.csv", "ga4.csv"] {
        let case = Case::new("06");
        case.ingest("events", file);
        let hours = best_hours(&case);
        assert!(!hours.is_empty() && hours.iter().all(|hour| hour == "18"), "{file}: {hours:?}");
    }
}

#[test]
fn ingest_shows_the_names_with_counts_and_how_each_is_understood() {
    let case = Case::new("06");
    let summary = case.ingest("events", "ga4.csv");
    let names = summary["event_names"].as_array().unwrap();
    let received = names.iter().find(|name| name["name"] == "notification_receive").unwrap();
    assert_eq!(
        (&received["meaning"], &received["understood_as"]),
        (&"push_event".into(), &"push_delivered".into())
    );
    assert!(received["count"].as_u64().unwrap() > 0);
    let viewed = names.iter().find(|name| name["name"] == "screen_view").unwrap();
    assert_eq!(viewed["meaning"], "custom_own_act");
}
