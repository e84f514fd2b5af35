//! Files as others write them: names, columns, constants and headers that are mapped on the way in.

use super::taking::Taken;
use config::Config;
use events::clean::EVENT_FIELDS;
use events::mapping::Renames;

fn map(text: &str) -> Renames {
    Renames::parse(text, EVENT_FIELDS).unwrap()
}

/// The first event that the lake has of a text.
fn first(name: &str, text: &str, renames: Renames) -> [String; 7] {
    let taken = Taken::text(name, text, renames);
    assert!(taken.summary.refused.is_empty(), "{:?}", taken.summary.refused);
    assert_eq!(taken.summary.rejected, 0, "{:?}", taken.summary.examples);
    taken.events().swap_remove(0)
}

fn refusal(name: &str, text: &str, renames: Renames) -> (&'static str, String) {
    let taken = Taken::text(name, text, renames);
    let refused = &taken.summary.refused[0];
    assert_eq!(taken.summary.accepted, 0);
    (refused.code, refused.detail.clone())
}

#[test]
fn blanks_around_columns_and_values_do_not_count() {
    let text = "user_id , event, timestamp\n ann , purchase, 2024-01-02T03:04:05Z \n";
    assert_eq!(first("a.csv", text, Renames::default())[..2], ["ann", "purchase"]);
    let line = "{\"user_id\":\" ann\",\"event\":\"\\tpurchase \",\"timestamp\":\"2024-01-02T03:04:05Z\"}\n";
    assert_eq!(first("a.jsonl", line, Renames::default())[..2], ["ann", "purchase"]);
}

#[test]
fn quotes_after_a_blank_are_those_of_the_cell() {
    let text = "user_id, \"event\", \"timestamp\"\n\"ann\", \"big \"\"sale\"\"\", \"2024-01-02T03:04:05Z\"\n";
    assert_eq!(first("a.csv", text, Renames::default())[..2], ["ann", "big \"sale\""]);
    let cut = "user_id,event,timestamp\nann, \"a, b\",2024-01-02T03:04:05Z\n";
    let taken = Taken::text("b.csv", cut, Renames::default());
    assert!(taken.summary.examples["wrong_field_count"].contains("before opening quotes"));
}

#[test]
fn a_column_that_differs_by_case_or_separators_alone_feeds_ours() {
    let text = "User-ID,EVENT,Time Stamp,Shelf\nann,view,2024-01-02T03:04:05Z,3\n";
    let line = "{\"userId\":\"ann\",\"Event\":\"view\",\"Timestamp\":\"2024-01-02T03:04:05Z\",\"Shelf\":3}\n";
    for (name, text) in [("a.csv", text), ("a.jsonl", line)] {
        assert_eq!(first(name, text, Renames::default())[..2], ["ann", "view"]);
        let summary = Taken::text(name, text, Renames::default()).summary;
        assert_eq!(summary.understood_columns.len(), 3, "{name}");
        assert!(summary.other_columns.contains("Shelf") && summary.other_columns.len() == 1, "{name}");
    }
}

#[test]
fn files_around_files_are_named_with_what_helps() {
    let tar = format!("{}ustar", "a\0".repeat(129).split_at(257).0);
    let (code, detail) = refusal("a.csv", &tar, Renames::default());
    assert!(code == "unsupported_format" && detail.contains("tar -xf"), "{detail}");
    let (code, detail) = refusal("a.jsonl", "{\"events\":[{\"user_id\":\"ann\"}]}\n", Renames::default());
    assert!(code == "missing_column" && detail.contains("jq -c '.events[]'"), "{detail}");
    let (_, detail) = refusal("a.csv", "a\u{7}b,c\n1,2\n", Renames::default());
    assert!(detail.contains("a\\u{7}b"), "{detail}");
    let line = "\u{1e}{\"user_id\":\"ann\",\"event\":\"view\",\"timestamp\":1147880044}\n";
    assert_eq!(first("a.json", line, Renames::default())[..2], ["ann", "view"]);
}

#[test]
fn whole_numbers_of_any_length_are_identifiers_by_their_digits() {
    let line = "{\"user_id\":123456789012345678901234,\"event\":\"view\",\"timestamp\":1147880044}\n";
    assert_eq!(first("a.jsonl", line, Renames::default())[0], "123456789012345678901234");
}

#[test]
fn what_a_spreadsheet_writes_for_no_result_is_no_user() {
    let text =
        "user_id,event,timestamp\n#REF!,view,1147880044\nInfinity,view,1147880044\nann,view,1147880044\n";
    let summary = Taken::text("a.csv", text, Renames::default()).summary;
    assert_eq!((summary.accepted, summary.rejected), (1, 2));
}

#[test]
fn a_file_without_a_header_loses_no_row() {
    let text = "1,2268318,2520377,pv,1511544070\n1,2333346,2520771,pv,1511561733\n";
    let named = || Renames::default().header("user_id, content_id, category, event, timestamp").unwrap();
    let taken = Taken::text("a.csv", text, named());
    assert_eq!((taken.summary.read, taken.summary.accepted), (2, 2));
    let (code, detail) = refusal("a.csv", text, Renames::default());
    assert_eq!(code, "missing_column");
    assert!(detail.contains("no header") && detail.contains("--header"), "{detail}");
    let advised = map("1=user_id,2268318=content_id,pv=event,1511544070=timestamp");
    let (code, detail) = refusal("a.csv", text, advised);
    assert!(code == "missing_header" && detail.contains("--header"), "{code}: {detail}");
    let (code, detail) = refusal("a.csv", text, Renames::default().header("user_id,event").unwrap());
    assert!(code == "bad_header" && detail.contains("names 2 columns, the first line has 5"), "{detail}");
    let twice = refusal("a.csv", "1,1,pv,1511544070\n", Renames::default());
    assert!(twice.0 == "duplicate_column" && twice.1.contains("--header"), "{twice:?}");
    // The header that was asked for may be there after all.
    let whole = "user_id,content_id,category,event,timestamp\n".to_string() + text;
    assert_eq!(Taken::text("a.csv", &whole, named()).summary.read, 2);
    let lines = "{\"user_id\":\"ann\",\"event\":\"view\",\"timestamp\":1511544070}\n";
    assert_eq!(refusal("a.jsonl", lines, Renames::default().header("a,b").unwrap()).0, "bad_header");
}

#[test]
fn columns_counted_up_from_nothing_are_names_and_not_data() {
    let text = "0,1,2\nann,view,1511544070\n";
    let event = first("a.csv", text, map("0=user_id,1=event,2=timestamp"));
    assert_eq!(event[..2], ["ann", "view"]);
}

#[test]
fn a_constant_stands_for_a_column() {
    let text = "userId,movieId,rating,timestamp\n1,296,5.0,1147880044\n";
    let renames = map("userId=user_id,movieId=content_id,rating=value")
        .set("event=rating,channel=web", EVENT_FIELDS)
        .unwrap();
    assert_eq!(first("a.csv", text, renames)[..4], ["1", "rating", "296", "5"]);
    let line = "{\"user_id\":\"ann\",\"timestamp\":1147880044}\n";
    assert_eq!(
        first("a.jsonl", line, Renames::default().set("event=visit", EVENT_FIELDS).unwrap())[1],
        "visit"
    );
    let set = |text: &str| Renames::default().set(text, EVENT_FIELDS).unwrap_err();
    assert!(set("event").contains("not field=value") && set("colour=red").contains("no field of ours"));
    assert!(set("event=a,event=b").contains("named twice") && set("event=").contains("nothing"));
    assert!(map("type=event").set("event=a", EVENT_FIELDS).unwrap_err().contains("named twice"));
}

#[test]
fn a_column_of_the_name_of_a_constant_is_kept_as_a_property() {
    let text = "user_id,event,timestamp\nann,view,2024-01-02T03:04:05Z\n";
    let taken = Taken::text("a.csv", text, Renames::default().set("event=visit", EVENT_FIELDS).unwrap());
    assert_eq!(taken.events()[0][1], "visit");
    assert!(taken.summary.other_columns.contains("event"));
}

#[test]
fn values_inside_values_are_found_in_json_and_in_cells() {
    let line = "{\"userId\":\"ann\",\"event\":\"view\",\"timestamp\":1147880044,\"context\":{\"timezone\":\"Asia/Shanghai\"},\
                \"items\":[{\"item_id\":\"p1\"}],\"params\":[{\"key\":\"value\",\"value\":{\"string_value\":null,\"double_value\":2.5}}]}\n";
    let renames =
        || map("userId=user_id,context.timezone=time_zone,items.0.item_id=content_id,params.value=value");
    let expected = ["ann", "view", "p1", "2.5", "", "Asia/Shanghai"];
    assert_eq!(first("a.jsonl", line, renames())[..6], expected);
    let text = "userId,event,timestamp,context,items,params\n\
                ann,view,1147880044,\"{\"\"timezone\"\": \"\"Asia/Shanghai\"\"}\",\"[{\"\"item_id\"\": \"\"p1\"\"}]\",\"[{\"\"key\"\":\"\"value\"\",\"\"value\"\":2.5}]\"\n";
    assert_eq!(first("a.csv", text, renames())[..6], expected);
    // A key that is spelled with the dot counts first.
    let flat = "{\"user_id\":\"ann\",\"event\":\"view\",\"timestamp\":1147880044,\"a.b\":\"p1\",\"a\":{\"b\":\"p2\"}}\n";
    assert_eq!(first("a.jsonl", flat, map("a.b=content_id"))[2], "p1");
}

#[test]
fn the_first_of_several_columns_with_a_value_counts_and_the_others_are_kept() {
    let renames = || map("userId|anonymousId=user_id");
    let lines = "{\"userId\":null,\"anonymousId\":\"a1\",\"event\":\"view\",\"timestamp\":1147880044}\n\
                 {\"userId\":\"u1\",\"anonymousId\":\"a1\",\"event\":\"view\",\"timestamp\":1147880045}\n";
    let taken = Taken::text("a.jsonl", lines, renames());
    let users: Vec<String> = taken.events().into_iter().map(|event| event[0].clone()).collect();
    assert_eq!(users, ["a1", "u1"]);
    assert!(taken.summary.other_columns.contains("anonymousId"));
    let text = "userId,anonymousId,event,timestamp\n,a1,view,1147880044\n";
    assert_eq!(first("a.csv", text, renames())[0], "a1");
    let only = "anonymousId,event,timestamp\na1,view,1147880044\n";
    assert_eq!(first("a.csv", only, renames())[0], "a1");
    let (code, detail) = refusal("a.csv", "id,event,timestamp\na1,view,1147880044\n", renames());
    assert!(
        code == "missing_column" && detail.contains("userId|anonymousId") && detail.contains("id, event"),
        "{detail}"
    );
}

#[test]
fn a_quoted_name_may_hold_any_sign() {
    let text = "user_id,event,timestamp,\"Amount, USD\",a=b\nann,purchase,1147880044,9.5,p1\n";
    let event = first("a.csv", text, map("\"Amount, USD\"=value, a=b=content_id"));
    assert_eq!(event[2..4], ["p1", "9.5"]);
    assert!(Renames::parse("\"Amount, USD=value", EVENT_FIELDS).unwrap_err().contains("does not close it"));
    assert!(Renames::parse("value", EVENT_FIELDS).unwrap_err().contains("not theirs=ours"));
}

#[test]
fn a_missing_column_lists_those_of_the_file() {
    let (code, detail) = refusal("a.csv", "who,what,timestamp\nann,view,1147880044\n", Renames::default());
    assert!(code == "missing_column" && detail.contains("the file has who, what, timestamp"), "{detail}");
    let (_, detail) =
        refusal("a.jsonl", "{\"who\":\"ann\",\"event\":\"view\",\"timestamp\":1}\n", Renames::default());
    assert!(detail.contains("the file has") && detail.contains("who"), "{detail}");
}

#[test]
fn names_of_events_are_mapped_and_told() {
    let text = "user_id,event,timestamp\nann,Order Completed,1147880044\nann,Nightly Job,1147880045\nann,push_settings_opened,1147880046\n";
    let renames = Renames::default()
        .events("Order Completed=purchase,Nightly Job=other,push_settings_opened=own,Lost=view")
        .unwrap();
    let taken = Taken::text("a.csv", text, renames);
    let names: Vec<String> = taken.events().into_iter().map(|event| event[1].clone()).collect();
    assert_eq!(names, ["purchase", "other:Nightly Job", "own:push_settings_opened"]);
    let meanings: Vec<_> = taken
        .summary
        .event_names
        .readings()
        .into_iter()
        .map(|reading| (reading.name, reading.meaning, reading.note))
        .collect();
    assert_eq!(
        meanings,
        [
            ("Nightly Job".to_string(), "other", None),
            ("Order Completed".to_string(), "own_act", None),
            ("push_settings_opened".to_string(), "custom_own_act", None),
        ]
    );
    assert_eq!(taken.summary.unread_names, ["Lost"]);
}

#[test]
fn settings_map_names_and_flags_count_before_them() {
    let mut config = Config::defaults();
    config.ingest.map_events.insert("buy".into(), "purchase".into());
    config.ingest.map_events.insert("pv".into(), "view".into());
    config.ingest.not_own_acts.push("Nightly Job".into());
    let inbox = tempfile::tempdir().unwrap();
    let path = inbox.path().join("a.csv");
    std::fs::write(
        &path,
        "user_id,event,timestamp\nann,buy,1147880044\nann,pv,1147880045\nann,Nightly Job,1147880046\n",
    )
    .unwrap();
    let taken = Taken::with(&config, &path, Renames::default().events("pv=click").unwrap(), None);
    let names: Vec<String> = taken.events().into_iter().map(|event| event[1].clone()).collect();
    assert_eq!(names, ["purchase", "click", "other:Nightly Job"]);
    assert_eq!(taken.summary.unread_names, Vec::<String>::new());
}

#[test]
fn names_that_differ_by_their_spelling_are_pointed_out_with_the_flag_that_helps() {
    let names = ["Purchase", "Add To Cart", "pv", "push_snoozed", "Push Campaign X", "view", "coupon"];
    let rows: Vec<String> = names.iter().map(|name| format!("ann,{name},1147880044\n")).collect();
    let taken =
        Taken::text("a.csv", &("user_id,event,timestamp\n".to_string() + &rows.concat()), Renames::default());
    let readings = taken.summary.event_names.readings();
    let note = |name: &str| {
        readings.iter().find(|reading| reading.name == name).unwrap().note.clone().unwrap_or_default()
    };
    assert_eq!(note("Purchase"), "\"Purchase\" looks like purchase: --map-event Purchase=purchase");
    assert_eq!(
        note("Add To Cart"),
        "\"Add To Cart\" looks like add_to_cart: --map-event 'Add To Cart=add_to_cart'"
    );
    assert_eq!(note("pv"), "view in --preset taobao: --map-event pv=view");
    assert!(
        note("push_snoozed").contains("push_snoozed=push_sent")
            && note("push_snoozed").contains("push_snoozed=own")
    );
    assert!(note("Push Campaign X").contains("'Push Campaign X=other'"));
    assert_eq!((note("view"), note("coupon")), (String::new(), String::new()));
}

#[test]
fn the_lake_keeps_the_name_and_is_read_under_the_standard_one() {
    let text = "user_id,event,timestamp\nann,Push Sent,1147880044\nann,coupon,1147880045\n";
    let taken = Taken::text("a.csv", text, Renames::default());
    let names =
        |events: Vec<[String; 7]>| events.into_iter().map(|event| event[1].clone()).collect::<Vec<_>>();
    assert_eq!(names(taken.events()), ["push_sent", "coupon"]);
    assert_eq!(names(taken.recorded()), ["Push Sent", "coupon"]);
    let lake = taken.lake();
    let file = &lake.manifest().files[0];
    assert!(file.holds("push_sent") && file.holds("Push Sent") && !file.holds("push_opened"));
}

#[test]
fn many_names_are_counted_the_most_frequent_first() {
    let rows: String =
        (0..300).map(|index| format!("ann,event {},{}\n", index % 100 % 40, 1_147_880_044 + index)).collect();
    let taken = Taken::text("a.csv", &("user_id,event,timestamp\n".to_string() + &rows), Renames::default());
    let readings = taken.summary.event_names.readings();
    assert_eq!(readings.len(), 40);
    assert!(readings.windows(2).all(|pair| pair[0].count >= pair[1].count));
    assert_eq!(
        readings.iter().map(|reading| reading.count).sum::<u64>() + taken.summary.event_names.uncounted(),
        300
    );
}

#[test]
fn a_struct_column_of_parquet_is_looked_into() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/parquet/nested_struct.parquet");
    let renames = map("context.a=value").set("event=view", EVENT_FIELDS).unwrap();
    let taken = Taken::of(std::path::Path::new(path), renames, Some("UTC"));
    assert_eq!((taken.summary.refused.len(), taken.summary.rejected), (0, 0), "{:?}", taken.summary);
    assert!(taken.events().iter().any(|event| event[3] == "2"), "{:?}", taken.events());
}

#[test]
fn a_change_of_a_subscription_withdraws_the_consent_when_its_status_says_so() {
    let line = |status: &str, channel: &str| {
        format!(
            "{{\"user_id\":\"u1\",\"event\":\"users.behaviors.subscription.GlobalStateChange\",\"timestamp\":\"2026-11-20T10:00:00Z\",\
             \"subscription_status\":\"{status}\",\"channel\":\"{channel}\"}}\n"
        )
    };
    let stored = |status, channel| {
        Taken::text("a.jsonl", &line(status, channel), Renames::default()).events()[0][1].clone()
    };
    assert_eq!(stored("unsubscribed", ""), "notifications_disabled");
    assert_eq!(stored("Unsubscribed", "push"), "notifications_disabled");
    let kept = "users.behaviors.subscription.GlobalStateChange";
    assert_eq!((stored("Subscribed", "push"), stored("unsubscribed", "email")), (kept.into(), kept.into()));
}
