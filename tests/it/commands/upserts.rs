//! Users, contents and campaigns: the later line wins, an absent column keeps, an empty cell clears.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::ingesting::InputDirectory;

/// One row of a table by its key.
fn row(directory: &InputDirectory, table: &str, key: &str) -> BTreeMap<String, Value> {
    let rows = directory.rows(table);
    let named = rows.into_iter().find(|row| row.values().any(|value| value == key));
    named.unwrap_or_else(|| panic!("no {key} in {table}"))
}

const USERS: &[&str] = &["--kind", "users"];

#[test]
fn a_later_line_wins_and_an_identical_one_is_a_duplicate() {
    let directory = InputDirectory::new();
    let text = "user_id,country,max_per_day\nu,US,1\nu,US,1\nu,DE,1\nv,US,\n";
    assert_eq!(directory.ingest_bytes("users.csv", text, USERS).counts(), [4, 3, 1, 0]);
    assert_eq!(row(&directory, "users", "u")["country"], "DE");
    let before = directory.rows("users");
    // The same file again: its first line says US once more, its third DE.
    assert_eq!(directory.ingest_bytes("users.csv", text, USERS).counts(), [4, 2, 2, 0]);
    assert_eq!(directory.rows("users"), before);
}

#[test]
fn an_absent_column_keeps_and_an_empty_cell_clears() {
    let directory = InputDirectory::new();
    let first = "user_id,country,locale,max_per_day,muted_categories,age,plan\nu,US,en-US,3,a;b,40,gold\n";
    directory.ingest_bytes("1.csv", first, USERS);
    assert_eq!(directory.ingest_bytes("2.csv", "user_id,country\nu,US\n", USERS).counts(), [1, 0, 1, 0]);
    directory.ingest_bytes("3.csv", "user_id,locale,max_per_day,muted_categories\nu,,,\n", USERS);
    let now = row(&directory, "users", "u");
    assert_eq!((&now["country"], &now["locale"]), (&json!("US"), &Value::Null));
    assert_eq!((&now["max_per_day"], &now["muted_categories"]), (&Value::Null, &Value::Null));
    assert_eq!(now["attributes"], "{\"age\":\"40\",\"plan\":\"gold\"}", "no file said a word about them");
}

#[test]
fn unknown_columns_set_or_clear_one_attribute_each() {
    let directory = InputDirectory::new();
    directory.ingest_bytes("1.csv", "user_id,age,plan\nu,40,gold\n", USERS);
    directory.ingest_bytes("2.csv", "user_id,age,city\nu,,Rome\n", USERS);
    assert_eq!(row(&directory, "users", "u")["attributes"], "{\"city\":\"Rome\",\"plan\":\"gold\"}");
    directory.ingest_bytes("3.jsonl", "{\"user_id\":\"u\",\"plan\":null,\"kids\":2}\n", USERS);
    assert_eq!(row(&directory, "users", "u")["attributes"], "{\"city\":\"Rome\",\"kids\":2}");
    // A declared object stands for all of them.
    directory.ingest_bytes("4.jsonl", "{\"user_id\":\"u\",\"attributes\":{\"a\":1}}\n", USERS);
    assert_eq!(row(&directory, "users", "u")["attributes"], "{\"a\":1}");
    let again = directory.ingest_bytes("5.jsonl", "{\"user_id\":\"u\"}\n", USERS);
    assert_eq!(again.counts(), [1, 0, 1, 0]);
}

#[test]
fn a_cell_of_a_user_that_cannot_be_read_costs_only_itself() {
    // What is stored: a preference stays unreadable, anything else is missing.
    let bad = [
        ("consent", "maybe", json!("unreadable")),
        ("quiet_from", "24:00", json!("24:00")),
        ("quiet_from", "+9:30", json!("+9:30")),
        ("quiet_until", "12:60", json!("12:60")),
        ("quiet_until", "noon", json!("noon")),
        ("max_per_day", "-1", json!(-1)),
        ("max_per_day", "1.5", json!(-1)),
        ("max_per_day", "99999999999999999999", json!(-1)),
        ("time_zone", "US/Nowhere", json!("US/Nowhere")),
        ("created_at", "2017-03-01", Value::Null),
        ("created_at", "01/03/2017", Value::Null),
        ("created_at", "9000-01-01T00:00:00Z", Value::Null),
        ("consent_at", "yesterday", Value::Null),
        ("locale", "\u{7}", Value::Null),
        ("personalisation", "maybe", json!("maybe")),
        ("attributes", "[]", Value::Null),
    ];
    for (column, value, stored) in bad {
        let directory = InputDirectory::new();
        let text = format!("user_id,country,{column}\nu,FR,{value}\nv,FR,\n");
        let outcome = directory.ingest_bytes("users.csv", text, USERS);
        assert_eq!(outcome.counts(), [2, 2, 0, 0], "{column} {value}");
        let user = row(&directory, "users", "u");
        assert_eq!((&user["country"], &user[column]), (&json!("FR"), &stored), "{column} {value}");
    }
}

#[test]
fn common_forms_of_a_users_cells_are_read() {
    let good = [
        ("consent", "Yes", "granted"),
        ("consent", "FALSE", "denied"),
        ("quiet_from", "9:00", "09:00"),
        ("quiet_from", "22:00:00", "22:00"),
        ("personalisation", "False", "off"),
    ];
    for (column, value, stored) in good {
        let directory = InputDirectory::new();
        let outcome = directory.ingest_bytes("users.csv", format!("user_id,{column}\nu,{value}\n"), USERS);
        assert_eq!(outcome.counts(), [1, 1, 0, 0], "{column} {value}");
        assert_eq!(row(&directory, "users", "u")[column], json!(stored), "{column} {value}");
    }
}

#[test]
fn what_a_user_can_be_is_kept() {
    let directory = InputDirectory::new();
    let text = "user_id,consent,quiet_from,quiet_until,muted_categories,created_at,time_zone\n\
                u,denied,00:00,23:59, b;a ;;b,2017-03-01,Europe/Paris\n";
    directory.ingest_bytes("users.csv", text, &["--kind", "users", "--time-zone", "Europe/Paris"]);
    let user = row(&directory, "users", "u");
    assert_eq!((&user["consent"], &user["quiet_until"]), (&json!("denied"), &json!("23:59")));
    assert_eq!(
        (&user["muted_categories"], &user["created_at"]),
        (&json!("b;a"), &json!("2017-02-28T23:00:00Z"))
    );
    let list = "{\"user_id\":\"u\",\"muted_categories\":[\"c\",\"a\",\"c\"]}\n{\"user_id\":\"u\",\"muted_categories\":[1]}\n";
    assert_eq!(directory.ingest_bytes("u.jsonl", list, USERS).counts(), [2, 2, 0, 0]);
    // A list that cannot be read is kept as unreadable, which stops pushes.
    assert_eq!(row(&directory, "users", "u")["muted_categories"], "[unreadable] [1]");
}

#[test]
fn a_window_ends_with_its_last_day_in_the_named_zone() {
    let directory = InputDirectory::new();
    let text = "campaign_id,window_start,window_end\nspring,2017-03-12,2017-03-12\nexact,2017-03-12,2017-03-12T10:00:00Z\n";
    let zone = ["--kind", "campaigns", "--time-zone", "America/New_York"];
    assert_eq!(directory.ingest_bytes("c.csv", text, &zone).counts(), [2, 2, 0, 0]);
    let spring = row(&directory, "campaigns", "spring");
    // The day the clocks go forward has 23 hours.
    assert_eq!(spring["window_start"], "2017-03-12T05:00:00Z");
    assert_eq!(spring["window_end"], "2017-03-13T04:00:00Z");
    assert_eq!(row(&directory, "campaigns", "exact")["window_end"], "2017-03-12T10:00:00Z");
    let naive =
        directory.ingest_bytes("d.csv", "campaign_id,window_end\nx,2017-03-12\n", &["--kind", "campaigns"]);
    assert_eq!(naive.reasons()["naive_timestamp"], 1);
}

#[test]
fn json_columns_are_kept_in_canonical_form_or_rejected() {
    let directory = InputDirectory::new();
    let contents = &["--kind", "contents"];
    let text = "content_id,variants,media,presentation,tags\n\
                a,\"[{\"\"title\"\":\"\"Hi\"\",\"\"a\"\":[2]}]\",[],\"{\"\"z\"\":1,\"\"y\"\":null}\",x;y\n\
                b,{},,,\n\
                c,,\"[1\",,\n\
                d,,,[],\n";
    let outcome = directory.ingest_bytes("c.csv", text, contents);
    // What are no variants marks the content as one that is never sent; it is not forgotten.
    assert_eq!(outcome.counts(), [4, 2, 0, 2]);
    assert_eq!(row(&directory, "contents", "b")["variants"], "{}");
    let content = row(&directory, "contents", "a");
    assert_eq!(
        (&content["variants"], &content["media"]),
        (&json!("[{\"a\":[2],\"title\":\"Hi\"}]"), &json!("[]"))
    );
    assert_eq!((&content["presentation"], &content["tags"]), (&json!("{\"z\":1}"), &json!("x;y")));
    let nested =
        "{\"content_id\":\"a\",\"variants\":[{\"a\":[2],\"title\":\"Hi\"}],\"tags\":[\"x\",\"y\"]}\n";
    assert_eq!(directory.ingest_bytes("c.jsonl", nested, contents).counts(), [1, 0, 1, 0]);
}

#[test]
fn a_refused_file_of_users_changes_nothing() {
    let directory = InputDirectory::new();
    directory.write("good.csv", "user_id,country\nu,US\n");
    directory.write("open.csv", "user_id,country\nu,DE\nv,\"DE\n");
    let outcome = directory.ingest(&["--kind", "users", "good.csv", "open.csv"]);
    assert_eq!((outcome.exit, outcome.counts()), (Some(2), [1, 1, 0, 0]));
    assert_eq!(directory.rows("users").len(), 1);
    assert_eq!(row(&directory, "users", "u")["country"], "US");
}

#[test]
fn a_list_is_written_with_semicolons_or_as_a_json_array() {
    let directory = InputDirectory::new();
    let text = "content_id\ttags\na\tone;two\nb\t[\"one\", \"two\"]\nc\t[\"one\", 2]\n";
    let taken = directory.ingest_bytes("contents.csv", text, &["--kind", "contents"]);
    assert_eq!(taken.counts(), [3, 2, 0, 1]);
    assert_eq!(row(&directory, "contents", "a")["tags"], "one;two");
    assert_eq!(row(&directory, "contents", "b")["tags"], "one;two");
}
