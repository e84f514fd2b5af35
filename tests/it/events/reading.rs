//! What was stored is read back by column, with its type, or not at all.

use std::collections::BTreeMap;

use domain::content::{Content, MessageClass};
use domain::time::Instant;
use events::catalogue::{Catalogue, campaigns_for, read_contents, user_with_attributes};
use events::columns::{campaigns, contents, users};
use events::declared::DeclaredTable;
use events::lake::Lake;
use events::records::{Event, TEXT_FIELDS, frame_of};
use events::stored::EventColumn;
use files::tables::write_parquet;
use files::workspace::Workspace;
use polars::prelude::*;
use tempfile::TempDir;

fn workspace() -> (TempDir, Workspace) {
    let directory = tempfile::tempdir().unwrap();
    let workspace = Workspace::create(directory.path()).unwrap();
    (directory, workspace)
}

fn store(workspace: &Workspace, table: &str, columns: Vec<Column>) {
    let mut frame = DataFrame::new(columns[0].len(), columns).unwrap();
    write_parquet(&workspace.table(table), &mut frame).unwrap();
}

fn texts(name: &str, values: &[Option<&str>]) -> Column {
    StringChunked::from_iter_options(name.into(), values.iter().copied()).into_column()
}

// ---- the tables ----

#[test]
fn a_column_that_the_table_does_not_have_yet_is_missing_in_every_row() {
    let (_directory, workspace) = workspace();
    store(&workspace, "users", vec![texts("user_id", &[Some("ann"), Some("bob")])]);
    let columns = [users::ID, users::LOCALE, users::MAX_PER_DAY, users::CREATED_AT];
    let table = DeclaredTable::read(&workspace, &columns).unwrap();
    assert_eq!((table.len(), table.texts(users::ID).get(1)), (2, Some("bob")));
    assert_eq!(table.texts(users::LOCALE).null_count(), 2);
    assert_eq!(table.wholes(users::MAX_PER_DAY).null_count(), 2);
    assert_eq!(table.wholes(users::CREATED_AT).null_count(), 2);
    let ann = &Catalogue::read(&workspace).unwrap().users["ann"];
    assert!(ann.known && ann.personalisation && ann.unreadable_preference.is_none());
}

#[test]
fn a_workspace_without_a_table_has_no_rows_of_it() {
    let (_directory, workspace) = workspace();
    let table = DeclaredTable::read(&workspace, &[campaigns::ID, campaigns::PRIORITY]).unwrap();
    assert!(table.is_empty() && table.texts(campaigns::ID).is_empty());
    assert_eq!(table.numbers(campaigns::PRIORITY).len(), 0);
    assert_eq!(Catalogue::read(&workspace).unwrap(), Catalogue::default());
    assert_eq!(campaigns_for(&workspace, "buyers").unwrap(), Vec::<String>::new());
}

#[test]
fn a_column_of_another_type_is_an_error_and_not_a_missing_value() {
    let (_directory, workspace) = workspace();
    let consent = Int64Chunked::from_vec("consent".into(), vec![1]).into_column();
    store(&workspace, "users", vec![texts("user_id", &[Some("ann")]), consent]);
    let error = Catalogue::read(&workspace).unwrap_err().to_string();
    assert!(error.starts_with("bad_table: ") && error.contains("users.parquet"), "{error}");
    // Who does not ask for the column does not meet it.
    assert_eq!(DeclaredTable::read(&workspace, &[users::ID]).unwrap().len(), 1);
}

#[test]
fn rows_are_taken_by_index_and_a_missing_index_is_a_row_of_nulls() {
    let (_directory, workspace) = workspace();
    let locales = texts("locale", &[Some("en"), Some("zh")]);
    store(&workspace, "users", vec![texts("user_id", &[Some("ann"), Some("bob")]), locales]);
    let table = DeclaredTable::read(&workspace, &[users::ID, users::LOCALE]).unwrap();
    let rows = IdxCa::from_iter_options("row".into(), [Some(1), None, Some(0)].into_iter());
    let taken = table.take(&rows).unwrap();
    assert_eq!(taken.texts(users::LOCALE).iter().collect::<Vec<_>>(), [Some("zh"), None, Some("en")]);
}

#[test]
fn campaigns_are_found_by_their_audience() {
    let (_directory, workspace) = workspace();
    let ids = texts("campaign_id", &[Some("spring"), Some("summer"), Some("winter")]);
    store(&workspace, "campaigns", vec![ids, texts("audience", &[Some("buyers"), None, Some("buyers")])]);
    assert_eq!(campaigns_for(&workspace, "buyers").unwrap(), ["spring", "winter"]);
}

#[test]
fn a_user_comes_with_the_attributes_that_texts_are_filled_with() {
    let (_directory, workspace) = workspace();
    let attributes = texts("attributes", &[None, Some("{\"first_name\":\"Bob\",\"age\":40,\"tags\":[1]}")]);
    store(&workspace, "users", vec![texts("user_id", &[Some("ann"), Some("bob")]), attributes]);
    let (bob, attributes) = user_with_attributes(&workspace, "bob").unwrap().unwrap();
    assert_eq!(bob.fields, ["age", "first_name"]);
    assert_eq!(attributes["first_name"], "Bob");
    assert!(user_with_attributes(&workspace, "nobody").unwrap().is_none());
    assert_eq!(Catalogue::read(&workspace).unwrap().users["bob"], bob);
}

/// A content with these texts in its columns.
fn content(columns: &[(&str, &str)]) -> Content {
    let (_directory, workspace) = workspace();
    let id = texts("content_id", &[Some("milk")]);
    let others = columns.iter().map(|(name, value)| texts(name, &[Some(value)]));
    store(&workspace, "contents", [id].into_iter().chain(others).collect());
    read_contents(&workspace).unwrap().remove("milk").unwrap()
}

#[test]
fn a_stored_field_that_cannot_be_read_is_named_and_never_taken_for_nothing() {
    for written in ["[1,2]", "{}", "not JSON", "[{\"headline\":\"Milk\"}]", "[{\"title\":5}]", "\"text\""] {
        let milk = content(&[("title", "Milk"), ("variants", written)]);
        assert_eq!((milk.unreadable.as_slice(), milk.variants.len()), (["variants".into()].as_slice(), 0));
    }
    let milk = content(&[("title", "Milk"), ("message_class", "transactional")]);
    assert_eq!((milk.unreadable.as_slice(), milk.variants.len()), (["message_class".into()].as_slice(), 1));
}

#[test]
fn a_content_that_can_be_read_has_its_variants_or_its_title() {
    let written = "[{\"variant_id\":\"en\",\"locale\":\"en\",\"title\":\"Milk for {{first_name}}\"}]";
    let milk = content(&[("title", "Milk"), ("variants", written), ("message_class", "service")]);
    assert_eq!((milk.variants.len(), milk.message_class), (1, MessageClass::Service));
    assert_eq!(
        (milk.variants[0].needs.as_slice(), milk.unreadable.len()),
        (["first_name".into()].as_slice(), 0)
    );
    for columns in [&[("title", "Milk")][..], &[("title", "Milk"), ("variants", "[]")]] {
        let milk = content(columns);
        assert_eq!(
            (milk.variants[0].variant_id.as_str(), milk.variants[0].title.as_str()),
            ("default", "Milk")
        );
    }
    let bare = content(&[("variants", "[]")]);
    assert!(bare.variants.is_empty() && bare.unreadable.is_empty());
}

#[test]
fn a_blank_title_is_no_variant() {
    assert!(content(&[("title", "  ")]).variants.is_empty());
}

#[test]
fn the_time_to_live_of_a_presentation_is_read() {
    let of = |presentation: &str| content(&[("presentation", presentation)]).ttl_seconds;
    assert_eq!(of("{\"sound\":\"default\",\"ttl_seconds\":3600}"), Some(3_600));
    for none in ["{}", "{\"ttl_seconds\":\"soon\"}", "{\"ttl_seconds\":-1}", "not JSON"] {
        assert_eq!(of(none), None, "{none}");
    }
}

#[test]
fn a_stored_campaign_with_a_trigger_or_timing_that_nothing_obeys_is_unreadable() {
    let (_directory, workspace) = workspace();
    let ids = texts("campaign_id", &[Some("a"), Some("b"), Some("c"), Some("d"), Some("e")]);
    let triggers = texts("trigger", &[Some("manual"), Some("event"), None, Some("api"), Some("moon")]);
    let timings = texts("timing", &[Some("best_time"), None, Some("now"), None, None]);
    store(&workspace, "campaigns", vec![ids, triggers, timings]);
    let campaigns = Catalogue::read(&workspace).unwrap().campaigns;
    let unreadable = |id: &str| campaigns[id].unreadable.clone();
    assert_eq!((unreadable("a"), unreadable("d")), (None, None));
    let event = "trigger \"event\" is not supported yet; supported: manual and api";
    assert_eq!(unreadable("b").as_deref(), Some(event));
    assert_eq!(unreadable("c").as_deref(), Some("timing \"now\" is not supported yet; supported: best_time"));
    assert_eq!(unreadable("e").as_deref(), Some("trigger"));
}

#[test]
fn a_preference_that_this_build_does_not_know_is_unreadable() {
    let (_directory, workspace) = workspace();
    let ids = texts("user_id", &[Some("ann"), Some("bob"), Some("cid")]);
    let words = texts("personalisation", &[Some("off"), Some("sometimes"), None]);
    store(&workspace, "users", vec![ids, words]);
    let users = Catalogue::read(&workspace).unwrap().users;
    let found = |id: &str| (users[id].personalisation, users[id].unreadable_preference.as_deref());
    assert_eq!(found("ann"), (false, None));
    assert_eq!(found("bob"), (false, Some("personalisation")));
    assert_eq!(found("cid"), (true, None));
}

#[test]
fn columns_of_contents_keep_the_names_of_the_contract() {
    let names = [contents::ID, contents::CATEGORY, contents::TAGS, contents::VARIANTS, contents::COUNTRIES];
    assert_eq!(
        names.map(|column| column.name()),
        ["content_id", "category", "tags", "variants", "countries"]
    );
}

// ---- the lake ----

fn event(message_id: &'static str, name: &'static str, micros: i64) -> Event<'static> {
    let mut texts = [const { None }; TEXT_FIELDS.len()];
    texts[0] = Some("milk".into());
    Event {
        message_id: message_id.into(),
        user_id: "ann".into(),
        name: name.into(),
        timestamp: Instant::from_micros(micros),
        date_only: false,
        time_zone: None,
        value: (name == "purchase").then_some(2.5),
        texts,
    }
}

/// A lake of one day with two events.
fn lake(workspace: &Workspace) -> Lake {
    let events = [(event("a", "view", 1), 7_u64), (event("b", "purchase", 2), u64::MAX)];
    let frame = frame_of(&events.iter().collect::<Vec<_>>()).unwrap();
    let names = BTreeMap::from([("view".to_string(), 1), ("purchase".to_string(), 1)]);
    let lake = Lake::open(workspace).unwrap();
    let file = lake.write_day(Instant::from_micros(0).utc_day(), frame, names).unwrap();
    lake.commit(vec![file]).unwrap()
}

#[test]
fn events_come_back_with_the_columns_that_were_asked_for_and_nothing_else() {
    let (_directory, workspace) = workspace();
    let lake = lake(&workspace);
    let file = &lake.manifest().files[0];
    let all = lake.events(file, &EventColumn::ALL).unwrap();
    let [view, purchase] = all.iter().collect::<Vec<_>>()[..] else { panic!("two events") };
    assert_eq!((view.message_id, view.user_id, view.name), ("a", "ann", "view"));
    assert_eq!((view.timestamp, view.value, view.record_hash), (Instant::from_micros(1), None, 7));
    assert_eq!(
        (purchase.value, purchase.content_id, purchase.record_hash),
        (Some(2.5), Some("milk"), u64::MAX)
    );
    assert!(!all.bring_zones() && purchase.has(EventColumn::Value) && !view.has(EventColumn::Value));
    let few = lake.events(file, &[EventColumn::Name]).unwrap();
    let first = few.iter().next().unwrap();
    assert_eq!((first.name, first.user_id, first.content_id), ("view", "", None));
    assert_eq!((few.len(), first.timestamp), (2, Instant::MAX), "not asked for, so before no moment");
}

#[test]
fn files_are_chosen_by_time_and_by_the_names_they_hold() {
    let (_directory, workspace) = workspace();
    let lake = lake(&workspace);
    let within =
        |from, until| lake.files_within(Instant::from_micros(from), Instant::from_micros(until)).len();
    assert_eq!((within(0, 1), within(0, 2), within(2, 9), within(3, 9)), (0, 1, 1, 0));
    let file = &lake.manifest().files[0];
    assert!(file.holds("view") && !file.holds("push_sent"));
}
