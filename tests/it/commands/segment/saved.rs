//! Saved, counted, sampled, exported, compared and uploaded segments through the binary, on the sample's people.

use crate::support::sample::{Sample, groups};
use crate::support::{smartpush, stdout_of};
use serde_json::Value;
use smartpush::domain::identity::sha256_hex;
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn counts_and_breakdowns_are_those_of_the_profile_table() {
    let sample = Sample::new();
    let report =
        sample.json(&["count", "--where", "purchases_30d >= 2", "--by", "purchases_7d", "--by", "consent"]);
    let expected = sample.whose("purchases_30d", |number| number >= 2);
    assert_eq!(
        (report["users"].as_u64(), report["members"].as_u64()),
        (Some(865), Some(expected.len() as u64))
    );
    let profiles = sample.profiles();
    let text = |name: &str| profiles.column(name).unwrap().str().unwrap().clone();
    let mut lifecycles: BTreeMap<String, Option<u64>> = BTreeMap::new();
    for (id, lifecycle) in text("user_id").iter().zip(text("lifecycle").iter()) {
        if expected.contains(id.unwrap()) {
            let count = lifecycles.entry(lifecycle.unwrap().to_string()).or_insert(Some(0));
            *count = count.map(|count| count + 1);
        }
    }
    assert!(lifecycles.len() > 1);
    assert_eq!(groups(&report, "lifecycle"), lifecycles);
    for by in ["reach", "lifecycle", "platform", "locale", "time_zone", "purchases_7d", "consent"] {
        let sum: u64 = groups(&report, by).values().flatten().sum();
        assert_eq!(sum, expected.len() as u64, "{by}");
    }
    let (reach, consent) = (groups(&report, "reach"), groups(&report, "consent"));
    assert_eq!((reach["reachable"], reach["unknown_consent"]), (consent["granted"], consent["unknown"]));
}

#[test]
fn who_is_held_out_or_has_had_his_pushes_today_is_not_reachable() {
    let sample = Sample::new();
    let granted = |config: &str| {
        let config = sample.file("smartpush.toml", config);
        groups(&sample.json(&["--config", &config, "count", "--where", "consent = \"granted\""]), "reach")
    };
    let all = granted("")["reachable"].unwrap();
    let some = granted("[decisions]\nholdout_percent = 20.0\n");
    assert_eq!(some["reachable"].unwrap() + some["holdout"].unwrap(), all);
    assert!((all / 10..all * 3 / 10).contains(&some["holdout"].unwrap()), "{some:?}");
    let sends = "user_id,event,timestamp\n1003,push_sent,2017-12-31T22:00:00-05:00\n1003,push_sent,2017-12-31T22:10:00-05:00\n\
                 1008,push_sent,2017-12-31T22:00:00-05:00\n1012,push_sent,2017-12-30T22:00:00-05:00\n1012,push_sent,2017-12-30T22:01:00-05:00\n";
    stdout_of(&smartpush(sample.root(), &["ingest", &sample.file("sends.csv", sends)]));
    let reach = granted("");
    assert_eq!((reach["capped"], reach["reachable"]), (Some(1), Some(all - 1)));
}

#[test]
fn a_marketer_sees_no_small_count_and_asks_for_no_ids() {
    let sample = Sample::new();
    let report = sample.json(&["count", "--where", "purchases_30d >= 2", "--for", "marketer"]);
    let exact = sample.json(&["count", "--where", "purchases_30d >= 2"]);
    let members = exact["members"].as_u64().unwrap();
    assert_eq!(report["members"].as_u64(), Some(members / 10 * 10));
    for by in ["lifecycle", "locale", "reach"] {
        let (shown, known) = (groups(&report, by), groups(&exact, by));
        let told = shown.iter().filter(|(value, _)| *value != "others");
        for (value, count) in told {
            let known = known[value].unwrap();
            assert!(count.is_none() || (known >= 50 && *count == Some(known / 10 * 10)), "{value}");
        }
        assert_ne!(
            shown.values().filter(|count| count.is_none()).count(),
            usize::from(by == "reach"),
            "{by}"
        );
    }
    assert!(
        groups(&exact, "locale").contains_key("zh-CN") && !groups(&report, "locale").contains_key("zh-CN")
    );
    let small = "purchases_30d > 0 and bucket(\"few\") < 2";
    let report = sample.json(&["count", "--where", small, "--for", "marketer"]);
    assert_eq!((&report["members"], report["hidden_below"].as_u64()), (&Value::Null, Some(50)));
    let few = sample.refused(&["sample", "--where", small, "--for", "marketer"]);
    assert!(few.contains("too_few_members: "), "{few}");
    let ids = "not user_id = \"1003\"";
    assert!(sample.refused(&["count", "--where", ids, "--for", "marketer"]).contains("names_people: "));
    sample.save("hidden", ids);
    for arguments in [
        &["count", "--segment", "hidden"][..],
        &["count", "--where", "in_segment(\"hidden\")"],
        &["count", "--where", "everybody", "--by", "user_id"],
    ] {
        let text = sample.refused(&[arguments, &["--for", "marketer"]].concat());
        assert!(text.contains("names_people: "), "{text}");
    }
}

#[test]
fn a_saved_segment_has_versions_and_stands_for_its_expression() {
    let sample = Sample::new();
    let first = sample.save("buyers", "purchases_30d >= 2");
    let json =
        "{\"expression\":{\"condition\":{\"subject\":{\"field\":\"purchases_30d\"},\"test\":{\">=\":2}}}}";
    assert_eq!(first["version"], sha256_hex(json.as_bytes())[..12]);
    assert_eq!(sample.save("buyers", "purchases_30d >= 2")["changed"], false);
    let second = sample.save("buyers", "purchases_30d >= 5");
    assert_ne!(first["version"], second["version"]);
    assert_eq!(sample.json(&["show", "buyers"])["history"].as_array().unwrap().len(), 2);
    let count = |arguments: &[&str]| sample.json(&[&["count"], arguments].concat())["members"].clone();
    let expected = count(&["--where", "purchases_30d >= 5"]);
    assert_eq!(count(&["--segment", "buyers"]), expected);
    assert_eq!(count(&["--where", "in_segment(\"buyers\")"]), expected);
    sample.save("outer", "in_segment(\"buyers\") and lifecycle = \"active\"");
    assert!(
        sample.refused(&["save", "buyers", "--where", "in_segment(\"outer\")"]).contains("segment_cycle: ")
    );
    assert!(sample.refused(&["count", "--segment", "buyer"]).contains("did you mean \"buyers\"?"));
    assert!(sample.refused(&["save", "../up", "--where", "everybody"]).contains("bad_segment_id: "));
}

#[test]
fn a_deleted_segment_keeps_its_history_and_says_who_still_names_it() {
    let sample = Sample::new();
    sample.save("buyers", "purchases_30d >= 2");
    sample.save("outer", "in_segment(\"buyers\")");
    let campaigns = sample.file("campaigns.jsonl", "{\"campaign_id\":\"spring\",\"audience\":\"buyers\"}\n");
    stdout_of(&smartpush(sample.root(), &["ingest", "--kind", "campaigns", &campaigns]));
    let output = sample.run(&["delete", "buyers"]);
    stdout_of(&output);
    let warned = String::from_utf8_lossy(&output.stderr);
    assert!(warned.contains("campaign \"spring\"") && warned.contains("segment \"outer\""), "{warned}");
    assert!(sample.refused(&["count", "--segment", "buyers"]).contains("deleted_segment: "));
    assert!(sample.refused(&["count", "--segment", "outer"]).contains("unknown_segment: "));
    let shown = sample.json(&["show", "buyers"]);
    assert_eq!(shown["named_by"]["campaigns"][0], "spring");
    assert!(shown["deleted_at"].is_string());
    assert_eq!(sample.save("buyers", "purchases_30d >= 2")["changed"], true);
    sample.json(&["count", "--segment", "outer"]);
}

#[test]
fn what_entered_and_left_since_the_last_evaluation_is_told() {
    let sample = Sample::new();
    sample.save("lately", "last_purchase < 14d");
    let before = sample.whose("purchases_30d", |_| true).len();
    let first = sample.json(&["count", "--segment", "lately"]);
    assert_eq!(first["change"], Value::Null);
    let events = "user_id,event,timestamp,value\nnewcomer,purchase,2018-01-10T12:00:00Z,3\n";
    stdout_of(&smartpush(sample.root(), &["ingest", &sample.file("more.csv", events)]));
    stdout_of(&smartpush(sample.root(), &["profile"]));
    let second = sample.json(&["count", "--segment", "lately"]);
    let number = |report: &Value, key: &str| report[key].as_u64().unwrap();
    let (entered, left) = (number(&second["change"], "entered"), number(&second["change"], "left"));
    assert!(before == 865 && entered == 1 && left > 0, "{second}");
    assert_eq!(number(&first, "members") + entered - left, number(&second, "members"));
    assert_eq!(second["change"]["since"], first["as_of"]);
    assert_eq!(
        sample.json(&["count", "--segment", "lately"])["change"],
        second["change"],
        "asking again changes nothing"
    );
    sample.save("lately", "last_purchase < 1d");
    let third = sample.json(&["count", "--segment", "lately"]);
    assert_eq!(
        (third["change"]["entered"].as_u64(), &third["change"]["since_version"]),
        (Some(0), &second["version"])
    );
}

#[test]
fn an_uploaded_list_adds_up_and_is_a_segment_like_any_other() {
    let sample = Sample::new();
    let list = sample.file("list.csv", "name,user_id\na,1003\nb,nobody\nc,1008\nd,1003\ne,nobody\nf,1012\n");
    let report = sample.json(&["upload", "friends", "--file", &list]);
    let number = |key: &str| report[key].as_u64().unwrap();
    assert_eq!((number("read"), number("accepted"), number("duplicate"), number("unknown")), (6, 3, 1, 2));
    assert_eq!(report["unknown_users"], serde_json::json!(["nobody"]));
    let sampled = sample.json(&["sample", "--where", "in_segment(\"friends\") and not user_id = \"1008\""]);
    let sampled: BTreeSet<&str> =
        sampled["sample"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
    assert_eq!(sampled, BTreeSet::from(["1003", "1012"]));
    assert_eq!(sample.json(&["count", "--segment", "friends"])["members"], 3);
    let lines =
        sample.file("list.jsonl", "{\"user_id\": 1008}\n{\"user_id\": \"1012\"}\n{\"user_id\": \"1003\"}\n");
    assert_eq!(
        sample.json(&["upload", "friends", "--file", &lines])["changed"],
        false,
        "the same people, the same version"
    );
    for (text, word) in [
        ("id\n1003\n", "missing_column: "),
        ("user_id\n1003\n\"\"\n", "missing_value: "),
        ("user_id\nx\n", "nobody_known: "),
    ] {
        let text = sample.refused(&["upload", "broken", "--file", &sample.file("broken.csv", text)]);
        assert!(text.contains(word), "{text}");
    }
    assert!(!sample.path("data/segments/broken").exists());
}

#[test]
fn the_same_numbers_are_ids_in_events_and_in_uploaded_lists() {
    let sample = Sample::new();
    for (number, is_id) in [
        ("1008.0", true),
        ("1e15", false),
        ("9007199254740991.0", true),
        ("9007199254740992.0", false),
        ("-9007199254740993.0", false),
        ("10.5", false),
    ] {
        let event = format!(
            "{{\"user_id\": {number}, \"event\": \"view\", \"timestamp\": \"2017-01-01T00:00:00Z\"}}\n"
        );
        let events = sample.file("events.jsonl", &event);
        let output = smartpush(sample.root(), &["ingest", &events, "--json"]);
        let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(told["rejected"], u64::from(!is_id), "{number}: {told}");
        // Who is unknown has an id; what is none is refused.
        let user = format!("{{\"user_id\": {number}}}\n");
        let list = sample.file("list.jsonl", &user);
        let output = smartpush(sample.root(), &["segment", "upload", "numbers", "--file", &list]);
        let is_refused = String::from_utf8_lossy(&output.stderr).contains("bad_value: ");
        assert_eq!(is_refused, !is_id, "{number}: {output:?}");
    }
}

#[test]
fn segments_overlap_as_sets_do() {
    let sample = Sample::new();
    let segments = [("a", "purchases_7d", 3), ("b", "purchases_30d", 20), ("c", "events_1d", 1)];
    let sets = segments.map(|(id, column, least)| {
        sample.save(id, &format!("{column} >= {least}"));
        sample.whose(column, |number| number >= least)
    });
    let report = sample.json(&["overlap", "a", "b", "c"]);
    for (index, set) in sets.iter().enumerate() {
        let others: BTreeSet<&String> =
            (0..3).filter(|other| *other != index).flat_map(|other| &sets[other]).collect();
        let only = set.iter().filter(|id| !others.contains(id)).count();
        assert_eq!(
            (&report["segments"][index]["members"], &report["segments"][index]["only"]),
            (&set.len().into(), &only.into())
        );
    }
    for (pair, (first, second)) in [(0, 1), (0, 2), (1, 2)].into_iter().enumerate() {
        let (both, either) =
            (sets[first].intersection(&sets[second]).count(), sets[first].union(&sets[second]).count());
        let told = &report["pairs"][pair];
        assert!(both > 0 && told["both"] == both, "{told}");
        assert!((told["jaccard"].as_f64().unwrap() - both as f64 / either as f64).abs() < 1e-12);
    }
    assert!(sample.refused(&["overlap", "a", "a"]).contains("named_twice: "));
}
