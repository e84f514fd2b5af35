//! A small town, ingested and profiled, and who in it each text takes: what a marketer would read.

use std::fs;

use config::Config;
use domain::error::Coded;
use domain::time::Instant;
use domain::zone::Zone;
use events::ingest::ingest;
use events::lake::Lake;
use events::mapping::Renames;
use events::request::{FilesRequest, InputKind};
use files::workspace::Workspace;
use polars::prelude::*;
use profiles::build::build;
use profiles::declared::Declared;
use segments::language::compile::{Circumstances, Saved};
use segments::language::fields::{FUNCTIONS, FieldCatalogue, FieldType};
use segments::language::keys::{Computed, DeclaredField, LookupKey, needs};
use segments::language::{compile_json, compile_text};
use segments::names::Names;
use segments::people::attributes::attribute_types;
use segments::people::frame::members;
use segments::people::row::is_member;
use segments::people::{People, PeopleError, cells, deciles};
use serde_json::{Value, json};
use tempfile::TempDir;

fn at(text: &str) -> Instant {
    Instant::parse_rfc3339(text).expect("RFC 3339")
}

const AS_OF: &str = "2024-06-30T00:00:00Z";

/// Ann buys dairy, and bought on 2, 10 and 25 June; Bob bought beer in May; Cem only looks; Dora signed up and did nothing; Eve was
/// never declared.
struct Town {
    _directory: TempDir,
    workspace: Workspace,
    catalogue: FieldCatalogue,
    zone: Zone,
}

fn take(workspace: &Workspace, kind: InputKind, records: &[Value]) {
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    let path = workspace.root().join("records.jsonl");
    fs::write(&path, lines.join("\n") + "\n").unwrap();
    let (files, renames) = (&[path][..], Renames::default());
    let request =
        FilesRequest { files, kind, format: None, renames, zone: None, now: at("2024-07-01T00:00:00Z") };
    let summary = ingest(workspace, &Config::defaults().ingest, &request, &|_| ()).unwrap();
    assert_eq!((summary.rejected, summary.refused.len()), (0, 0), "{summary:?}");
}

impl Town {
    fn new() -> Town {
        let directory = TempDir::new().unwrap();
        let workspace = Workspace::create(directory.path()).unwrap();
        let event = |user: &str, event: &str, content: &str, timestamp: &str, value: f64| json!({"user_id": user, "event": event, "content_id": content, "timestamp": timestamp, "value": value});
        take(
            &workspace,
            InputKind::Events,
            &[
                event("ann", "purchase", "milk", "2024-06-02T18:00:00Z", 3.0),
                event("ann", "purchase", "cheese", "2024-06-10T18:00:00Z", 9.5),
                event("ann", "purchase", "milk", "2024-06-25T18:00:00Z", 3.0),
                event("ann", "push_opened", "milk", "2024-06-25T17:00:00Z", 0.0),
                event("bob", "purchase", "beer", "2024-05-12T20:00:00Z", 20.0),
                event("bob", "view", "milk", "2024-05-12T19:00:00Z", 0.0),
                event("cem", "view", "beer", "2024-06-29T23:00:00Z", 0.0),
                event("eve", "purchase", "beer", "2024-01-05T20:00:00Z", 5.0),
            ],
        );
        take(
            &workspace,
            InputKind::Contents,
            &[
                json!({"content_id": "milk", "category": "dairy", "tags": ["fresh"]}),
                json!({"content_id": "cheese", "category": "dairy"}),
                json!({"content_id": "beer", "category": "drinks"}),
            ],
        );
        take(
            &workspace,
            InputKind::Users,
            &[
                json!({"user_id": "ann", "country": "FR", "consent": "granted", "created_at": "2023-01-15T12:00:00Z", "vip": true, "kids": "2",
                   "city": "Lyon", "birthday": "1990-02-28", "devices": [{"device_id": "a", "channel": "push"}], "shoe size": "38"}),
                json!({"user_id": "bob", "country": "US", "consent": "denied", "created_at": "2024-05-01T23:30:00Z", "vip": false, "kids": "0",
                   "muted_categories": ["dairy"], "max_per_day": 1, "personalisation": "off", "city": "New York"}),
                json!({"user_id": "cem", "country": "TR", "created_at": "2024-06-28T00:00:00Z", "zip": "01234"}),
                json!({"user_id": "dora", "country": "FR", "consent": "granted", "created_at": "2024-06-01T00:00:00Z", "kids": "1"}),
            ],
        );
        let (config, lake) = (Config::defaults(), Lake::open(&workspace).unwrap());
        let declared = Declared::read(&workspace, &config.default_time_zone).unwrap();
        build(&workspace, &lake, &declared, at(AS_OF), &config.profiles, &|_, _| ()).unwrap();
        let catalogue = FieldCatalogue::new(attribute_types(&workspace).unwrap(), vec!["purchase_7d".into()])
            .with_names(Names::read(&workspace).unwrap());
        Town { _directory: directory, workspace, catalogue, zone: Zone::utc() }
    }

    /// Who is taken: by the frame, and the same by single rows.
    fn who(&self, text: &str) -> String {
        let circumstances = Circumstances { catalogue: &self.catalogue, as_of: at(AS_OF), zone: &self.zone };
        let compiled = compile_text(text, circumstances, None, &|_| Some(Saved::List));
        let (_, predicate) = compiled.unwrap_or_else(|error| panic!("{}", error.render(text)));
        let needs = needs(&predicate);
        let mut people = People::read(&self.workspace, None, &needs, &self.zone).unwrap();
        for key in people.missing(&needs) {
            let column = learned(&key);
            people = people.with(key, column).unwrap();
        }
        let mask = members(&predicate, &people).unwrap();
        let mut who = Vec::new();
        for (row, id) in people.ids().iter().enumerate() {
            let taken = mask.get(row).unwrap();
            assert_eq!(is_member(&predicate, &people.person(row)).unwrap(), taken, "{id:?}: {text}");
            who.extend(id.filter(|_| taken));
        }
        who.join(" ")
    }
}

/// What models, curves, uploads and the rules would say of ann, bob, cem, dora, eve.
fn learned(key: &LookupKey) -> Series {
    let title = "learned".into();
    match key {
        LookupKey::Propensity(_) => Float64Chunked::from_iter_options(
            title,
            [Some(0.8), Some(0.3), Some(0.2), None, Some(0.1)].into_iter(),
        )
        .into_series(),
        LookupKey::PropensityDecile(_) => {
            let deciles = deciles(&[Some(0.8), Some(0.3), Some(0.2), None, Some(0.1)]);
            Int64Chunked::from_iter_options(title, deciles.into_iter()).into_series()
        }
        LookupKey::Computed(Computed::BestHour | Computed::BestHourOfWeek) => {
            Int64Chunked::from_iter_options(title, [Some(18), Some(20), Some(23), None, Some(20)].into_iter())
                .into_series()
        }
        LookupKey::Computed(Computed::RhythmGroup) => {
            let groups =
                [Some("weekday evenings"), Some("weekend mornings"), None, None, Some("weekend mornings")];
            StringChunked::from_iter_options(title, groups.into_iter()).into_series()
        }
        LookupKey::List(_) | LookupKey::Declared(DeclaredField::CanBePushed) => {
            BooleanChunked::from_slice(title, &[true, false, false, true, false]).into_series()
        }
        other => panic!("{other} lies in the workspace"),
    }
}

/// Everybody and nobody.
const EVERYBODY: &[(&str, &str)] = &[("everybody", "ann bob cem dora eve"), ("not everybody", "")];

/// What they did.
const DID: &[(&str, &str)] = &[
    ("purchases_30d >= 2 and interest(\"dairy\") > 0.2 and last_seen < 14d and not opted_out", "ann"),
    ("purchases_30d = 3", "ann"),
    ("purchases_30d = 0", "bob cem dora eve"),
    ("purchases_90d between 1 and 3", "ann bob"),
    ("purchases_90d in (1, 3)", "ann bob"),
    ("revenue_total > 10", "ann bob"),
    ("revenue_total != 15.5", "bob cem dora eve"),
    ("last_seen < 2d", "cem"),
    ("last_seen >= 2d", "ann bob eve"),
    ("not last_seen < 2d", "ann bob dora eve"),
    ("last_purchase > 30d", "bob eve"),
    ("last_purchase is unknown", "cem dora"),
    ("last_open < 1w", "ann"),
    ("count(\"purchase\", 5d) = 1", "ann"),
    ("count(\"purchase\", 4d) = 1", ""),
    ("count(\"purchase\", 366d) = 0", "cem dora"),
    ("count(\"view\", 1h) = 1", "cem"),
    ("count(\"never\", 30d) = 0", "ann bob cem dora eve"),
    ("count(\"purchase\", 60d, category = \"DAIRY\") >= 2", "ann"),
    ("count(\"purchase\", 60d, category = \"drinks\") >= 1", "bob"),
    ("count(\"purchase\", category = \"drinks\") >= 1", "bob eve"),
    ("count(\"purchase\", 60d, category != \"dairy\") = 0", "ann cem dora eve"),
    ("count(\"purchase\", 60d, category in (\"Dairy\", \"drinks\")) > 0", "ann bob"),
    ("count(\"purchase\", 60d, tag = \"Fresh\") = 2", "ann"),
    ("count(\"view\", tag = \"fresh\") = 1", "bob"),
    ("count(\"purchase\", content_id = \"cheese\") = 1", "ann"),
    ("count(\"purchase\", 366d, value >= 9.5) > 0", "ann bob"),
    ("count(\"purchase\", 60d, category = \"dairy\", value > 5) = 1", "ann"),
    ("count(\"purchase\", 60d, category = \"dairy\" and value > 5) = 1", "ann"),
    ("count(\"purchase\", value between 5 and 10) = 1", "ann eve"),
    ("sum(\"purchase\", 60d, category = \"dairy\") > 15", "ann"),
    ("sum(\"purchase\", 60d) = 15.5", "ann"),
    ("sum(\"purchase\", 30d) = 0", "bob cem dora eve"),
    ("last(\"purchase\", category = \"dairy\") < 7d", "ann"),
    ("last(\"purchase\", 30d, content_id = \"cheese\") > 15d", "ann"),
    ("last(\"purchase\", 10d, content_id = \"cheese\") is known", ""),
    ("last(\"view\", category = \"drinks\") <= 1h", "cem"),
    ("last(\"view\") is unknown", "ann dora eve"),
    ("first(\"purchase\") > 100d", "eve"),
    ("first(\"purchase\") < 28d", "ann"),
    ("lifecycle = \"new\"", "ann cem"),
    ("lifecycle in (\"cooling\", \"dormant\")", "bob dora eve"),
];

/// What they like.
const LIKE: &[(&str, &str)] = &[
    ("interest(\"dairy\") = 1", "ann"),
    ("interest(\"drinks\") > 0.6", "cem eve"),
    ("interest(\"DAIRY\") = 1", "ann"),
    ("tag_interest(\"Fresh\") > 0", "ann bob"),
    ("interest_categories contains \"drinks\"", "bob cem eve"),
    ("tag_interest(\"fresh\") > 0", "ann bob"),
    ("recent_contents contains \"cheese\"", "ann"),
];

/// What they said.
const SAID: &[(&str, &str)] = &[
    ("country = \"FR\"", "ann dora"),
    ("country != \"FR\"", "bob cem"),
    ("not country = \"FR\"", "bob cem eve"),
    ("country is unknown", "eve"),
    ("country in (\"US\", \"TR\") or vip", "ann bob cem"),
    ("opted_out", "bob"),
    ("consent = \"granted\"", "ann dora"),
    ("consent = \"unknown\"", "cem eve"),
    ("max_per_day is known", "bob"),
    ("muted_categories contains \"dairy\"", "bob"),
    ("personalisation", "ann cem dora eve"),
    ("channels contains \"push\"", "ann"),
    ("channels is unknown", "bob cem dora eve"),
    ("created_at = 2024-05-01", "bob"),
    ("created_at > 2024-05-01", "cem dora"),
    ("created_at >= 2024-05-01", "bob cem dora"),
    ("created_at between 2024-05-01 and 2024-06-01", "bob dora"),
    ("created_at > 2024-05-01T23:00:00Z", "bob cem dora"),
    ("created_at >= 2d ago", "cem"),
    ("created_at < 365d ago", "ann"),
    ("tenure < 3d", "cem"),
    ("vip", "ann"),
    ("vip = false", "bob"),
    ("not vip", "bob cem dora eve"),
    ("kids >= 1", "ann dora"),
    ("city contains \"or\"", "bob"),
    ("birthday < 2000-01-01", "ann"),
    ("attribute(\"shoe size\") = 38", "ann"),
    ("zip = \"01234\"", "cem"),
    ("user_id in (\"eve\", \"ann\", \"nobody\")", "ann eve"),
];

/// What is computed, learned or uploaded.
const LEARNED: &[(&str, &str)] = &[
    ("rfm_money = 5", "bob"),
    ("rfm_recency >= 4", "ann"),
    ("rfm_frequency is unknown", "cem dora"),
    ("propensity(\"purchase_7d\") > 0.25", "ann bob"),
    ("propensity_decile(\"purchase_7d\") >= 9", "ann"),
    ("propensity_decile(\"purchase_7d\") is unknown", "dora"),
    ("best_hour between 18 and 20", "ann bob eve"),
    ("rhythm_group = \"weekend mornings\"", "bob eve"),
    ("in_segment(\"seeds\") and not kids = 1", "ann"),
    ("bucket(\"spring\") < 100 and bucket(\"spring\") >= 0", "ann bob cem dora eve"),
];

#[test]
fn each_text_takes_the_people_it_says() {
    let town = Town::new();
    let table = [EVERYBODY, DID, LIKE, SAID, LEARNED].concat();
    let found = table.iter().map(|(text, expected)| (text, expected, town.who(text)));
    let wrong = found.filter(|(_, expected, found)| found != *expected);
    let wrong: Vec<String> =
        wrong.map(|(text, expected, found)| format!("{text}: {found}, not {expected}")).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn attributes_have_the_type_that_all_their_values_have() {
    let types = attribute_types(&Town::new().workspace).unwrap();
    let expected = [
        ("birthday", FieldType::Moment),
        ("city", FieldType::Text),
        ("kids", FieldType::Number),
        ("shoe size", FieldType::Number),
        ("vip", FieldType::Truth),
        ("zip", FieldType::Text),
    ];
    assert_eq!(types.into_iter().collect::<Vec<_>>(), expected.map(|(name, kind)| (name.to_string(), kind)));
}

#[test]
fn without_profiles_the_command_that_builds_them_is_named() {
    let directory = TempDir::new().unwrap();
    let workspace = Workspace::create(directory.path()).unwrap();
    let error = People::read(&workspace, None, &needs(&nobody()), &Zone::utc()).unwrap_err();
    assert!(error.to_string().starts_with("no_profiles: "), "{error}");
    assert!(error.to_string().contains("smartpush profile"), "{error}");
}

#[test]
fn what_is_looked_up_later_is_what_would_have_been_looked_up_at_once() {
    let town = Town::new();
    let circumstances = Circumstances { catalogue: &town.catalogue, as_of: at(AS_OF), zone: &town.zone };
    let needs_of = |text: &str| needs(&compile_text(text, circumstances, None, &|_| None).unwrap().1);
    let first = needs_of("vip and purchases_30d > 0");
    let all = needs_of(
        "vip and purchases_30d > 0 and interest(\"dairy\") > 0 and count(\"view\", 1d) = 0 and opted_out and rfm_money = 1",
    );
    let at_once = People::read(&town.workspace, None, &all, &town.zone).unwrap();
    let people = People::read(&town.workspace, None, &first, &town.zone).unwrap();
    let later = people.look_up(&town.workspace, &all, &town.zone).unwrap();
    assert_eq!(later.missing(&all), []);
    assert!((0..later.len()).all(|row| later.person(row) == at_once.person(row)));
    fs::write(town.workspace.profiles_as_of(at(AS_OF)).join("_manifest.json"), "{}").unwrap();
    assert!(later.look_up(&town.workspace, &needs_of("events_7d > 0"), &town.zone).is_err());
}

#[test]
fn a_table_that_is_not_what_its_manifest_says_is_refused() {
    let town = Town::new();
    let path = town.workspace.profiles_as_of(at(AS_OF)).join("_manifest.json");
    let manifest = fs::read_to_string(&path).unwrap().replace("\"rows\": 5", "\"rows\": 6");
    fs::write(&path, manifest).unwrap();
    let error = People::read(&town.workspace, None, &needs(&nobody()), &town.zone).unwrap_err();
    assert!(error.to_string().starts_with("profiles_changed: "), "{error}");
}

fn nobody() -> segments::language::predicate::Predicate {
    use segments::language::predicate::Predicate;
    Predicate::Not(Box::new(Predicate::Everybody))
}

#[test]
fn what_was_not_looked_up_is_an_error_in_both_evaluators() {
    use segments::language::predicate::{CompiledQuestion, Predicate};
    let question = CompiledQuestion::Is(true);
    let predicate = Predicate::Any(vec![
        Predicate::Everybody,
        Predicate::Holds { key: LookupKey::Attribute("vip".into(), FieldType::Number), question },
    ]);
    let ids = StringChunked::from_slice("user_id".into(), &["ann"]);
    let people = People::new(at(AS_OF), ids);
    assert!(matches!(members(&predicate, &people), Err(PeopleError::Missing(_))));
    assert!(matches!(is_member(&predicate, &people.person(0)), Err(PeopleError::Missing(_))));
    let numbers = Int64Chunked::from_slice("vip".into(), &[1]).into_series();
    let people = people.with(LookupKey::Attribute("vip".into(), FieldType::Number), numbers).unwrap();
    assert!(matches!(members(&predicate, &people), Err(PeopleError::WrongKind(_))));
    assert!(matches!(is_member(&predicate, &people.person(0)), Err(PeopleError::WrongKind(_))));
    let short = Int64Chunked::from_slice("x".into(), &[1, 2]).into_series();
    assert!(matches!(people.with(LookupKey::Bucket("x".into()), short), Err(PeopleError::WrongKind(_))));
}

#[test]
fn only_a_predicate_on_ids_names_people() {
    let (catalogue, zone) = (Town::new().catalogue, Zone::utc());
    let circumstances = Circumstances { catalogue: &catalogue, as_of: at(AS_OF), zone: &zone };
    let names_people =
        |text: &str| needs(&compile_text(text, circumstances, None, &|_| None).unwrap().1).names_people();
    assert!(names_people("vip or not user_id = \"ann\""));
    assert!(!names_people("vip or city = \"ann\""));
}

#[test]
fn every_field_and_function_has_a_description_and_can_be_asked() {
    let town = Town::new();
    for field in town.catalogue.fields() {
        assert!(!field.description.is_empty() && field.description.len() < 120, "{}", field.name);
        assert_eq!(town.who(&format!("{0} is known or {0} is unknown", field.name)), "ann bob cem dora eve");
    }
    for function in FUNCTIONS {
        let test = if function.field_type == FieldType::Truth { "" } else { " is known" };
        // The town has another tag than the example.
        town.who(&format!("{}{test}", function.form.replace("vegan", "fresh")));
    }
}

#[test]
fn cells_are_of_equal_size_and_equal_numbers_share_one() {
    let values: Vec<Option<f64>> =
        (0..100).map(|rank| Some(f64::from((rank * 37) % 100))).chain([None]).collect();
    let tenths = deciles(&values);
    for tenth in 1..=10 {
        assert_eq!(tenths.iter().filter(|cell| **cell == Some(tenth)).count(), 10);
    }
    assert_eq!((tenths[0], tenths[100]), (Some(1), None));
    assert_eq!(cells(&[Some(1.0); 4], 5), vec![Some(3); 4]);
    assert_eq!(cells(&[Some(0.0), Some(0.0), Some(0.0), Some(9.0)], 5), [2, 2, 2, 5].map(Some));
    assert_eq!(cells(&[None, None], 5), [None, None]);
}

/// Texts with a name that the town does not know, the part that is marked, code, and what was meant.
#[test]
fn a_name_that_nothing_has_is_marked_and_the_nearest_is_named() {
    let town = Town::new();
    let circumstances = Circumstances { catalogue: &town.catalogue, as_of: at(AS_OF), zone: &town.zone };
    let cases = [
        ("count(\"purchase\", 60d, category = \"DAIRI\") > 0", "\"DAIRI\"", "unknown_category", "\"dairy\""),
        (
            "count(\"purchase\", category in (\"dairy\", \"drink\")) > 0",
            "\"drink\"",
            "unknown_category",
            "\"drinks\"",
        ),
        ("interest(\"DAIRI\") > 0.1", "interest(\"DAIRI\")", "unknown_category", "\"dairy\""),
        ("vip or sum(\"purchase\", tag = \"frsh\") > 0", "\"frsh\"", "unknown_tag", "\"fresh\""),
        ("last(\"view\", content_id = \"Chees\") < 7d", "\"Chees\"", "unknown_content", "\"cheese\""),
        ("first(\"view\", campaign_id = \"spring\") < 7d", "\"spring\"", "unknown_campaign", ""),
        ("count(\"purchse\", 30d) = 0", "\"purchse\"", "unknown_event", "\"purchase\""),
        ("count(\"Purchase\", 30d) = 0", "\"Purchase\"", "unknown_event", "\"purchase\""),
        ("count(\"view\", categroy = \"dairy\") > 0", "categroy", "unknown_event_field", "category"),
        ("count(\"view\", content = \"milk\") > 0", "content", "unknown_event_field", "content_id"),
        ("count(\"view\", 30d, category = dairy) > 0", "dairy", "unexpected", "\"dairy\""),
        ("count(\"view\", 30d, content_id = 17) > 0", "17", "wrong_type", "\"17\""),
        ("count(\"view\", 30d, category > \"dairy\") > 0", "\"dairy\"", "wrong_type", ""),
        ("count(\"view\", 30d, value = \"20\") > 0", "\"20\"", "wrong_type", ""),
        ("last(\"view\") > 5", "5", "wrong_type", ""),
        ("sum(\"purchase\", 30d) < 5d", "5d", "wrong_type", ""),
    ];
    for (text, marked, code, meant) in cases {
        let error = compile_text(text, circumstances, None, &|_| Some(Saved::List)).unwrap_err();
        let drawn = error.render(text);
        assert_eq!(&text[error.span.clone().unwrap()], marked, "{drawn}");
        assert_eq!(
            (error.cause.code(), error.suggestion.as_deref().unwrap_or_default()),
            (code, meant),
            "{drawn}"
        );
    }
}

#[test]
fn json_selects_events_as_text_does_and_its_errors_have_pointers() {
    let town = Town::new();
    let circumstances = Circumstances { catalogue: &town.catalogue, as_of: at(AS_OF), zone: &town.zone };
    let condition = |function: &str, test: Value| {
        json!({"condition": {"subject": {function: {"event": "purchase", "within": "60d", "where": [
            {"field": "value", "test": {">=": 3}}, {"field": "category", "test": test}]}}, "test": {">=": 2}}})
    };
    let read =
        |json: &Value| compile_json(json.to_string().as_bytes(), circumstances, None, &|_| Some(Saved::List));
    let (expression, _) = read(&condition("count", json!({"=": "DAIRY"}))).unwrap();
    let text = "count(\"purchase\", 60d, value >= 3, category = \"DAIRY\") >= 2";
    assert_eq!(expression.to_string(), text);
    assert_eq!(town.who(text), "ann");
    let old = json!({"condition": {"subject": {"count": {"event": "purchase", "within": "60d"}}, "test": {">": 0}}});
    assert_eq!(read(&old).unwrap().0.to_string(), "count(\"purchase\", 60d) > 0");
    let pointer = |json: &Value| read(json).unwrap_err().pointer;
    let sum = condition("sum", json!({"in": ["dairy", "daity"]}));
    assert_eq!(pointer(&json!({"not": sum})), "/not/condition/subject/sum/where/1/test/in/1");
    assert_eq!(pointer(&condition("last", json!({"=": "x"}))), "/condition/subject/last/where/1/test/=");
    let event =
        json!({"condition": {"subject": {"first": {"event": "purchse"}}, "test": {">": {"duration": "1d"}}}});
    assert_eq!(pointer(&event), "/condition/subject/first/event");
}
