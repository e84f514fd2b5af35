//! Records of users that cannot be read, or say a thing twice: consent fails closed.

use domain::user::Consent;
use events::request::{IngestSummary, InputKind};

use crate::tables::Tables;

const USERS: InputKind = InputKind::Users;

/// Users `u1` and `u2` consented; then this file came.
fn after(name: &str, text: &str, map: &str) -> (Tables, IngestSummary) {
    let tables = Tables::new();
    tables.take(USERS, "before.csv", "user_id,consent\nu1,granted\nu2,granted\n", "");
    let summary = tables.take(USERS, name, text, map);
    (tables, summary)
}

/// The consent of `u1` ended, and that of `u2` did not.
fn ends_that_of_u1_alone(name: &str, text: &str, map: &str) -> IngestSummary {
    let (tables, summary) = after(name, text, map);
    assert!(tables.consent("u1").has_refused(), "{text}: {:?}", tables.consent("u1"));
    assert_eq!(tables.consent("u2"), Consent::Granted, "{text}");
    summary
}

#[test]
fn a_line_that_gives_consent_twice_grants_nothing() {
    for line in [
        r#"{"user_id":"u1","consent":"denied","consent":"granted"}"#,
        r#"{"consent":"denied","user_id":"u1","consent":"granted"}"#,
        r#"{"user_id":"u1","consent":"denied","cons\u0065nt":"granted"}"#,
        r#"{"user_id":"u1","consent":"","consent":true}"#,
        r#"{"user_id":"u1","Consent":"denied","consent":"granted"}"#,
        r#"{"user_id":"u1","consent":"granted","consent_at":"2029-01-01T00:00:00Z","consent_at":"2028-01-01T00:00:00Z"}"#,
        r#"{"user_id":"u1","consent":"denied","consent":"granted","score":NaN}"#,
    ] {
        let summary = ends_that_of_u1_alone("after.jsonl", line, "");
        assert_eq!((summary.read, summary.accepted), (1, 1), "{line}: the rest of the row is kept");
        let (column, noted) = summary.notes.of(events::notes::NoteKind::Unreadable).next().unwrap();
        assert!(column == "consent" && noted.first.contains("more than one value"), "{line}: {noted:?}");
    }
    let nested = r#"{"user_id":"u1","traits":{"consent":"denied","consent":"granted"}}"#;
    ends_that_of_u1_alone("after.jsonl", nested, "traits.consent=consent");
    let new = Tables::new();
    new.take(USERS, "a.jsonl", r#"{"user_id":"u3","consent":"denied","consent":"granted"}"#, "");
    assert_eq!(new.consent("u3"), Consent::Unreadable, "a new user is not granted either");
}

#[test]
fn a_key_that_occurs_once_in_several_objects_is_not_repeated() {
    let line = r#"{"user_id":"u1","consent":"granted","home":{"city":"Lyon"},"work":{"city":"Bonn","consent":"no"},"devices":[{"device_id":"a","channel":"push","active":true},{"device_id":"b","channel":"push","active":true}]}"#;
    let (tables, summary) = after("after.jsonl", line, "");
    assert_eq!(tables.consent("u1"), Consent::Granted);
    assert_eq!(tables.declared().users["u1"].devices.as_ref().map(Vec::len), Some(2));
    assert!(summary.notes.cells.is_empty(), "{:?}", summary.notes);
}

#[test]
fn a_preference_that_is_given_twice_is_unreadable_and_another_column_keeps_the_last() {
    let line = r#"{"user_id":"u1","time_zone":"UTC","time_zone":"Asia/Tokyo","city":"Lyon","city":"Bonn"}"#;
    let (tables, summary) = after("after.jsonl", line, "");
    let user = &tables.declared().users["u1"];
    assert_eq!(user.unreadable_preference.as_deref(), Some("time_zone"));
    assert_eq!((user.consent, summary.accepted), (Consent::Granted, 1));
}

#[test]
fn a_line_with_two_users_is_rejected_and_ends_the_grants_of_both() {
    let line = r#"{"user_id":"u1","user_id":"u2","consent":"denied"}"#;
    let good = r#"{"user_id":"u3","consent":"granted"}"#;
    let (tables, summary) = after("after.jsonl", &format!("{line}\n{good}\n"), "");
    assert_eq!([summary.read, summary.accepted, summary.duplicate, summary.rejected], [2, 1, 0, 1]);
    assert_eq!(summary.reasons.get("bad_json"), Some(&1), "{:?}", summary.reasons);
    for user_id in ["u1", "u2"] {
        assert_eq!(tables.consent(user_id), Consent::Unreadable);
    }
    ends_that_of_u1_alone("after.jsonl", r#"{"user_id":"u1","user_id":"","consent":"denied"}"#, "");
}

#[test]
fn a_torn_line_ends_the_grant_whatever_its_key_is_called() {
    let good = |key: &str| format!("{{\"{key}\":\"u2\",\"consent\":\"granted\"}}\n");
    for (key, map) in [
        ("user_id", ""),
        ("User_ID", ""),
        ("userId", ""),
        ("USER ID", ""),
        ("client", "client=user_id"),
        ("who.id", "who.id=user_id"),
        ("member", "client|member=user_id"),
    ] {
        let torn = format!("{{\"{key}\":\"u1\",\"consent\":\"deni\n");
        for text in [torn.clone() + &good(key), good(key) + &torn] {
            let summary = ends_that_of_u1_alone("after.jsonl", &text, map);
            assert_eq!((summary.accepted + summary.duplicate, summary.rejected), (1, 1), "{text}");
        }
    }
    let nested =
        "{\"user\":{\"id\":\"u1\"},\"consent\":\"de\n{\"user\":{\"id\":\"u2\"},\"consent\":\"granted\"}\n";
    ends_that_of_u1_alone("after.jsonl", nested, "user.id=user_id");
}

#[test]
fn a_torn_record_of_csv_ends_the_grant_wherever_its_key_is() {
    for (text, map) in [
        ("client,city,consent\nu1,Lyon,denied,\nu2,Bonn,granted\n", "client=user_id"),
        ("City,User Id,Consent\nLyon,u1,denied,x\nBonn,u2,granted\n", ""),
        // A separator within the name moves what comes after it.
        ("name,USER_ID,consent\nSmith, Ann,u1,denied\nBob,u2,granted\n", ""),
        ("name;client;consent\nSmith, Ann;u1\nBob;u2;granted\n", "client=user_id"),
        ("name,client,consent\n\"Smith, Ann\",u1\nBob,u2,granted\n", "client=user_id"),
        ("name,note,client\nAnn,u1\nBob,x,u2\n", "client=user_id"),
        ("a,b,consent\n,u1,denied,\n,u2,granted\n", "a|b=user_id"),
        (
            "who,consent\n\"{\"\"id\"\":\"\"u1\"\"}\",denied,x\n\"{\"\"id\"\":\"\"u2\"\"}\",granted\n",
            "who.id=user_id",
        ),
    ] {
        let summary = ends_that_of_u1_alone("after.csv", text, map);
        assert_eq!(summary.reasons.get("wrong_field_count"), Some(&1), "{text}");
    }
    let long = format!("note,user_id,consent\n{},u1,denied,\nx,u2,granted\n", "y".repeat(10_000));
    ends_that_of_u1_alone("after.csv", &long, "");
}

#[test]
fn a_file_of_torn_lines_is_refused_and_ends_the_grants_of_those_it_names() {
    let text = "{\"client\":\"u1\",\"consent\":\"den\n{\"client\":\"u9\",\"consent\"\n";
    let (tables, summary) = after("after.jsonl", text, "client=user_id");
    assert_eq!([summary.read, summary.accepted, summary.rejected], [0, 0, 0]);
    let refused = summary.refused[0].to_string();
    assert!(refused.starts_with("not_json_lines: ") && refused.contains("had consented: 1;"), "{refused}");
    assert_eq!(tables.consent("u1"), Consent::Unreadable);
    assert_eq!(tables.consent("u2"), Consent::Granted);
    assert_eq!(summary.consents.unreadable, 1);
    assert!(!tables.declared().users.contains_key("u9"));
    assert!(summary.ingest_id.is_some(), "it can be undone");
    let (_, summary) = after("after.jsonl", "{\"user_id\":\"u7\",\"consent\":\"den\n", "");
    let refused = summary.refused[0].to_string();
    assert!(!refused.contains("consented") && summary.ingest_id.is_none(), "{refused}");
}
