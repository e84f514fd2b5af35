//! Events by which users opt out, before and after a users file that says that they consented.

use crate::files::Case;

/// Users after the events came, in an order of files.
fn town(files: &[(&str, &str)]) -> Case {
    let case = Case::new("02");
    for (kind, file) in files {
        case.ingest(kind, file);
    }
    assert!(case.run(&["profile"]).status.success());
    case
}

fn take(case: &Case, users: &str) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("users.csv");
    std::fs::write(&file, users).unwrap();
    case.ingest("users", file.to_str().unwrap());
}

fn count(case: &Case, text: &str) -> u64 {
    case.json(&["segment", "count", "--where", text])["members"].as_u64().unwrap()
}

const EVENTS: [(&str, &str); 2] = [("events", "events.csv"), ("events", "optout_events.csv")];
const USERS: (&str, &str) = ("users", "users_day1.csv");

#[test]
fn an_opt_out_by_an_event_holds_in_whatever_order_the_files_came() {
    for files in [[EVENTS[0], EVENTS[1], USERS], [USERS, EVENTS[0], EVENTS[1]]] {
        let case = town(&files);
        assert_eq!(count(&case, "not opted_out"), 3);
        assert_eq!(count(&case, "consent = \"granted\""), 3);
        assert_eq!(case.json(&["segment", "count", "--segment", "ready:said-no"])["members"], 2);
        // The export of the next night says the same again.
        case.ingest(USERS.0, USERS.1);
        assert_eq!(count(&case, "opted_out"), 2);
    }
}

#[test]
fn only_a_grant_of_a_later_moment_ends_an_opt_out() {
    let case = town(&[EVENTS[0], EVENTS[1], USERS]);
    take(
        &case,
        "user_id,consent,consent_at\nu1,granted,2026-11-25T09:59:59Z\nu2,granted,2026-11-25T10:00:00Z\n",
    );
    assert_eq!(count(&case, "opted_out"), 2, "before the event, and with it");
    take(&case, "user_id,consent,consent_at\nu1,granted,2026-11-25T10:00:01Z\n");
    assert_eq!(count(&case, "opted_out"), 1);
    take(&case, "user_id,consent\nu1,granted\n");
    assert_eq!(count(&case, "opted_out"), 1, "a grant without a moment keeps the former one");
}

#[test]
fn an_opt_out_after_the_newest_profile_counts_and_so_does_one_of_a_clock_that_is_ahead() {
    let case = town(&[EVENTS[0], USERS]);
    assert_eq!(count(&case, "opted_out"), 0);
    let ahead = crate::files::hours_from_now(3);
    case.ingest_text("events", "ahead.csv", &format!("user_id,event,timestamp\nu1,push_opted_out,{ahead}\n"));
    assert_eq!(count(&case, "opted_out"), 1);
    let answer = case.json(&["segment", "count", "--where", "not opted_out"]);
    assert_eq!(answer["members"], 4);
}
