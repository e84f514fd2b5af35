//! Rankings: alive contents only, every user, ties by content, a marked fallback, and no ranking by acts of who opted out.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use smartpush::events::request::InputKind;

use super::handmade;
use super::town::{self, SMALL, day};
use super::world::World;

const AS_OF: &str = "2024-03-10T00:00:00Z";

/// Contents of each user in order of rank.
type Rankings = BTreeMap<String, Vec<String>>;

fn rankings(rows: &[BTreeMap<String, Value>]) -> Rankings {
    let mut rankings = Rankings::new();
    for row in rows {
        let list = rankings.entry(row["user_id"].as_str().unwrap().to_string()).or_default();
        list.push(row["content_id"].as_str().unwrap().to_string());
        assert_eq!(row["rank"], list.len(), "ranks count from 1: {row:?}");
    }
    rankings
}

fn event(user: &str, name: &str, content: &str, stamp: &str) -> Value {
    let mut event = json!({ "user_id": user, "event": name, "timestamp": stamp });
    if !content.is_empty() {
        event["content_id"] = content.into();
    }
    event
}

/// A news stand whose contents differ in when they came, when they go, and how often they were read.
fn stand() -> World {
    let world = World::new("");
    let content = |id: &str, published: Option<&str>, expires: Option<&str>| json!({"content_id": id, "published_at": published, "expires_at": expires});
    let contents = [
        content("plain", None, None),
        content("published", Some("2024-03-01T00:00:00Z"), None),
        content("unread", Some("2024-03-09T23:59:59.999999Z"), None),
        content("tomorrow", Some("2024-03-10T00:00:00Z"), None),
        content("leaked", Some("2024-03-12T00:00:00Z"), None),
        content("over", Some("2024-03-01T00:00:00Z"), Some("2024-03-10T00:00:00Z")),
        content("closing", Some("2024-03-01T00:00:00Z"), Some("2024-03-10T00:00:00.000001Z")),
        content("nobodys", None, None),
    ];
    world.take(InputKind::Contents, &contents, None);
    let mut events = vec![
        event("zoe", "view", "undeclared", "2024-03-08T10:00:00Z"),
        event("zoe", "view", "leaked", "2024-03-08T10:00:00Z"),
        event("ann", "push_sent", "", "2024-03-09T10:00:00Z"),
        event("late", "view", "plain", "2024-03-10T00:00:00Z"),
        event("late", "view", "newborn", "2024-03-10T00:00:00Z"),
    ];
    for (content, readers) in [("over", 9), ("plain", 5), ("published", 3), ("closing", 3)] {
        for reader in 0..readers {
            events.push(event(&format!("reader-{reader}"), "view", content, "2024-03-09T12:00:00Z"));
        }
    }
    world.take(InputKind::Events, &events, None);
    world
}

const ALIVE: [&str; 5] = ["plain", "closing", "published", "undeclared", "unread"];

#[test]
fn without_a_model_everybody_gets_what_is_popular_and_the_answer_says_so() {
    let world = stand();
    let command = ["recommend", "--as-of", AS_OF, "--top", "1000"];
    let ran = world.run(&[&command[..], &["--out", "x.csv"]].concat());
    assert_eq!(ran.exit, Some(0), "{}", ran.stderr);
    assert_eq!(
        (&ran.json["fallback"], &ran.json["version"], &ran.json["users"]),
        (&json!(true), &Value::Null, &json!(11))
    );
    assert!(ran.stderr.contains("fallback: no model of engage_24h"), "{}", ran.stderr);
    assert!(ran.stderr.contains("smartpush train --goal engage_24h"), "{}", ran.stderr);
    let text = std::fs::read_to_string(world.path("x.csv")).unwrap();
    assert!(text.starts_with("user_id,rank,content_id,score\n"), "{text}");
    let rankings = rankings(&world.table(&command));
    let users: Vec<&str> = rankings.keys().map(String::as_str).collect();
    let readers: Vec<String> = (0..9).map(|reader| format!("reader-{reader}")).collect();
    let mut wanted: Vec<&str> = readers.iter().map(String::as_str).chain(["ann", "zoe"]).collect();
    wanted.sort_unstable();
    assert_eq!(users, wanted, "everybody with an event before T, also one who was only pushed");
    // By popularity, equals by name; a content that was published a moment ago stands at the end.
    for (user, ranking) in &rankings {
        assert_eq!(ranking, &ALIVE, "{user}");
    }
}

#[test]
fn the_seen_are_left_out_on_demand_and_the_list_is_as_long_as_asked() {
    let world = stand();
    let unseen = rankings(&world.table(&["recommend", "--as-of", AS_OF, "--top", "9", "--exclude-seen"]));
    assert_eq!(unseen["reader-0"], ["undeclared", "unread"]);
    assert_eq!(unseen["reader-4"], ["closing", "published", "undeclared", "unread"]);
    assert_eq!(unseen["zoe"], ["plain", "closing", "published", "unread"]);
    assert_eq!(unseen["ann"], ALIVE);
    let two = rankings(&world.table(&["recommend", "--as-of", AS_OF, "--top", "2"]));
    assert!(two.values().all(|ranking| *ranking == ALIVE[..2]), "{two:?}");
    for top in ["0", "1001", "-1", "many"] {
        assert_eq!(world.run(&["recommend", "--top", top, "--out", "x.csv"]).exit, Some(2), "--top {top}");
    }
}

#[test]
fn a_content_counts_from_its_publication_or_first_event_to_its_end() {
    let world = stand();
    let alive = |moment: &str| -> BTreeSet<String> {
        let rows = world.table(&["recommend", "--as-of", moment, "--top", "1000"]);
        rankings(&rows)["zoe"].iter().cloned().collect()
    };
    let names = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<BTreeSet<String>>();
    // 1 µs later the next content is out, the closing one is over, and what was first read at T is known.
    assert_eq!(
        alive("2024-03-10T00:00:00.000001Z"),
        names(&["plain", "published", "undeclared", "unread", "tomorrow", "newborn"])
    );
    assert_eq!(
        alive("2024-03-13T00:00:00Z"),
        names(&["plain", "published", "undeclared", "unread", "tomorrow", "newborn", "leaked"])
    );
    assert_eq!(
        alive("2024-03-09T11:00:00Z"),
        names(&["closing", "over", "published", "undeclared"]),
        "plain was not read yet"
    );
}

/// The town with a model of random weights for its contents.
fn with_model(settings: &str) -> (World, String) {
    let world = SMALL.world(settings);
    let model = handmade::model(&world.config, "engage_24h", day(20), 1);
    let version = world.registry().write(&model, &handmade::card("engage_24h", day(20))).unwrap();
    (world, version)
}

#[test]
fn a_model_ranks_by_its_scores_highest_first() {
    let (world, version) = with_model(town::SETTINGS);
    let ran = world.run(&["recommend", "--as-of", "2024-02-05", "--top", "5", "--out", "x.csv"]);
    assert_eq!((&ran.json["fallback"], &ran.json["version"]), (&json!(false), &json!(version)));
    assert!(!ran.stderr.contains("fallback"), "{}", ran.stderr);
    let rows = world.table(&["recommend", "--as-of", "2024-02-05", "--top", "5"]);
    assert_eq!(ran.json["rows"], rows.len());
    assert!(rankings(&rows).values().all(|ranking| ranking.len() == 5));
    for pair in rows.windows(2).filter(|pair| pair[0]["user_id"] == pair[1]["user_id"]) {
        let [first, second] = [&pair[0], &pair[1]].map(|row| row["score"].as_f64().unwrap());
        assert!(
            first > second
                || (first == second && pair[0]["content_id"].as_str() < pair[1]["content_id"].as_str())
        );
    }
    // The scores are those of `score`.
    let scores = world.table(&["score", "--goal", "engage_24h", "--as-of", "2024-02-05"]);
    let key = |row: &BTreeMap<String, Value>| (row["user_id"].to_string(), row["content_id"].to_string());
    let scores: BTreeMap<_, &Value> = scores.iter().map(|row| (key(row), &row["propensity"])).collect();
    let same = rows.iter().filter(|row| scores.get(&key(row)) == Some(&&row["score"])).count();
    let scored = rows.iter().filter(|row| scores.contains_key(&key(row))).count();
    assert!(scored > 300 && same == scored, "{same} of {scored}");
    // A model of later days is not asked for earlier ones.
    let early = world.ok(&["recommend", "--as-of", "2024-01-15", "--out", "x.csv"]);
    assert_eq!(early["fallback"], true);
}

#[test]
fn equal_scores_stand_in_order_of_content() {
    let world = SMALL.world(town::SETTINGS);
    let mut model = handmade::model(&world.config, "engage_24h", day(20), 1);
    model.inputs.iter_mut().for_each(|input| input.weight = 0.0);
    world.registry().write(&model, &handmade::card("engage_24h", day(20))).unwrap();
    let rows = world.table(&["recommend", "--as-of", "2024-02-05", "--top", "1000"]);
    assert!(rows.iter().all(|row| row["score"] == rows[0]["score"]));
    for (user, ranking) in rankings(&rows) {
        assert!(ranking.is_sorted() && ranking.len() > 20, "{user}: {ranking:?}");
    }
}

#[test]
fn whoever_opted_out_gets_the_same_popular_contents_whatever_he_did() {
    // So few candidates that a user's own history decides which they are.
    let settings =
        format!("{}\ncandidates = 6\n[evaluation]", town::SETTINGS.split("[evaluation]").next().unwrap());
    for has_model in [true, false] {
        let world = SMALL.world(&settings);
        if has_model {
            let model = handmade::model(&world.config, "engage_24h", day(20), 1);
            world.registry().write(&model, &handmade::card("engage_24h", day(20))).unwrap();
        }
        let out: Vec<Value> = (0..SMALL.users)
            .step_by(2)
            .map(|user| json!({"user_id": town::user_id(user), "personalisation": "off"}))
            .collect();
        let before = rankings(&world.table(&["recommend", "--as-of", "2024-02-05", "--top", "3"]));
        world.take(InputKind::Users, &out, None);
        let rows = world.table(&["recommend", "--as-of", "2024-02-05", "--top", "3"]);
        let after = rankings(&rows);
        let of = |user: usize| &after[&town::user_id(user)];
        for user in (0..SMALL.users).step_by(2) {
            assert_eq!(of(user), of(2), "{user}: all who opted out get the same (model: {has_model})");
        }
        let scores: BTreeSet<String> = rows
            .iter()
            .filter(|row| out.iter().any(|user| user["user_id"] == row["user_id"]))
            .map(|row| format!("{} {}", row["content_id"], row["score"]))
            .collect();
        assert_eq!(scores.len(), 3, "and the same scores: {scores:?}");
        for user in (1..SMALL.users).step_by(2) {
            assert_eq!(of(user), &before[&town::user_id(user)], "nothing changes for the others");
        }
        let others: BTreeSet<&Vec<String>> = (1..SMALL.users).step_by(2).map(of).collect();
        assert!(!has_model || others.len() > 5, "the others differ");
    }
}
