//! Ready-made mappings, each on rows as its system publishes them.

use std::path::{Path, PathBuf};

use super::taking::Taken;
use domain::event::StandardEvent;
use events::clean::EVENT_FIELDS;
use events::event_names::EventNames;
use events::mapping::Renames;
use events::presets::Preset;

/// A file, its preset, its rows, those accepted, its names and those with a meaning.
type Row = (&'static str, &'static str, u64, u64, usize, usize);

const FILES: &[Row] = &[
    ("ga4", "ga4.jsonl", 15, 15, 15, 15),
    ("ga4", "ga4_flattened.csv", 5, 5, 5, 5),
    ("segment", "segment.jsonl", 11, 11, 11, 10),
    ("amplitude", "amplitude.jsonl", 9, 9, 9, 9),
    ("mixpanel", "mixpanel.jsonl", 9, 9, 9, 8),
    ("posthog", "posthog.jsonl", 9, 9, 9, 9),
    ("snowplow", "snowplow.tsv", 6, 6, 6, 6),
    ("snowplow", "snowplow.jsonl", 1, 1, 1, 1),
    ("matomo", "matomo.jsonl", 8, 8, 8, 8),
    ("shopify", "shopify.csv", 5, 5, 1, 1),
    ("braze", "braze.jsonl", 11, 11, 11, 10),
    ("onesignal", "onesignal.jsonl", 8, 8, 8, 8),
    ("rees46", "rees46.csv", 5, 5, 4, 4),
    ("retailrocket", "retailrocket.csv", 5, 5, 3, 3),
    ("taobao", "taobao.csv", 5, 5, 4, 4),
    ("movielens", "movielens.csv", 5, 5, 1, 1),
    ("movielens", "movielens_u.data", 5, 5, 1, 1),
    ("movielens", "movielens_ratings.dat", 5, 5, 1, 1),
    ("amazon", "amazon.jsonl", 5, 5, 1, 1),
    ("amazon", "amazon_2023_ratings.csv", 2, 2, 1, 1),
    ("yelp", "yelp.json", 5, 5, 1, 1),
    ("deskdrop", "deskdrop.csv", 6, 6, 5, 5),
];

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/it/events/presets").join(name)
}

fn take(preset: &str, name: &str) -> Taken {
    Taken::of(&path(name), Renames::default().preset(Preset::find(preset).unwrap()), Some("UTC"))
}

/// Names that have a meaning: a standard one, one of its own, or one that the preset gives.
fn understood(taken: &Taken, preset: &Preset) -> usize {
    let readings = taken.summary.event_names.readings();
    let is_understood = |name: &str, meaning: &str| {
        meaning != "custom_own_act"
            || preset.events.contains_key(name)
            || preset.constants.values().any(|value| value == name)
    };
    readings.iter().filter(|reading| is_understood(&reading.name, reading.meaning)).count()
}

/// Also prints the table: `cargo test --release --test events rows_of -- --nocapture`.
#[test]
fn rows_of_every_published_format_are_read_without_a_script() {
    println!(
        "{:<13} {:<26} {:>7} {:>9} {:>6} {:>11}",
        "format", "file", "rows in", "accepted", "names", "understood"
    );
    let mut found = Vec::new();
    for (preset, name, ..) in FILES {
        let taken = take(preset, name);
        let names = taken.summary.event_names.readings().len();
        let known = understood(&taken, Preset::find(preset).unwrap());
        let (read, accepted) = (taken.summary.read, taken.summary.accepted);
        println!("{preset:<13} {name:<26} {read:>7} {accepted:>9} {names:>6} {known:>11}");
        assert!(
            taken.summary.refused.is_empty() && taken.summary.rejected == 0,
            "{name}: {:?}",
            taken.summary
        );
        found.push((*preset, *name, read, accepted, names, known));
    }
    assert_eq!(found, FILES);
}

#[test]
fn every_preset_is_tested_and_maps_only_to_what_there_is() {
    for preset in Preset::all() {
        assert!(FILES.iter().any(|row| row.0 == preset.name), "{}", preset.name);
        let fields = preset.columns.keys().chain(preset.constants.keys());
        for field in fields {
            assert!(EVENT_FIELDS.iter().any(|known| known.name == field), "{}: {field}", preset.name);
        }
        let required = EVENT_FIELDS.iter().filter(|field| field.required).map(|field| field.name);
        for field in required {
            let has = preset.columns.contains_key(field) || preset.constants.contains_key(field);
            assert!(has, "{} does not say where {field} comes from", preset.name);
        }
        for ours in preset.events.values() {
            let is_known = StandardEvent::of(ours).is_some() || ["own", "other"].contains(&ours.as_str());
            assert!(is_known, "{}: {ours}", preset.name);
        }
    }
    assert!(Preset::all().len() >= 16);
    let error = Preset::find("ga3").unwrap_err();
    assert!(error.contains("ga4, segment") && error.contains("movielens"), "{error}");
}

#[test]
fn a_preset_reads_the_fields_and_not_only_the_names() {
    let row = |preset: &str, name: &str, event: &str| {
        let taken = take(preset, name);
        taken
            .events()
            .into_iter()
            .find(|found| found[1] == event)
            .unwrap_or_else(|| panic!("{name}: {event}"))
    };
    // user, event, content, value, session, zone, moment
    assert_eq!(
        row("ga4", "ga4.jsonl", "purchase"),
        ["u7", "purchase", "SKU_12345", "21", "1699790400", "", "2023-11-12T12:01:00Z"]
    );
    assert_eq!(
        row("ga4", "ga4.jsonl", "session_start")[0],
        "1034567890.1700000001",
        "without a user_id, the device's"
    );
    assert_eq!(
        row("segment", "segment.jsonl", "purchase"),
        ["a1", "purchase", "507f1f77", "25", "", "Europe/Amsterdam", "2024-01-02T03:08:05.678Z"]
    );
    assert_eq!(row("mixpanel", "mixpanel.jsonl", "purchase")[2..4], ["P1", "9.99"]);
    assert_eq!(row("posthog", "posthog.jsonl", "purchase")[2..4], ["P1", "12"]);
    assert_eq!(
        row("snowplow", "snowplow.tsv", "purchase"),
        [
            "jon",
            "purchase",
            "/p/1",
            "25",
            "437ad25b-2006-455e-b5d8-d664b74df8f0",
            "America/New_York",
            "2024-03-01T10:00:04.05Z"
        ]
    );
    let screen = take("posthog", "posthog.jsonl").events().into_iter().find(|event| event[2] == "Cart");
    assert_eq!(
        screen.map(|event| event[4].clone()),
        Some("0190-s".to_string()),
        "properties may be JSON as text"
    );
    assert_eq!(row("snowplow", "snowplow.tsv", "add_to_cart")[3], "2");
    assert_eq!(row("matomo", "matomo.jsonl", "purchase")[2..4], ["P1", "89"]);
    assert_eq!(row("braze", "braze.jsonl", "Wishlist Opened")[..3], ["u-77", "Wishlist Opened", "P2"]);
    assert_eq!(row("onesignal", "onesignal.jsonl", "push_sent")[..3], ["u-9", "push_sent", "t-1"]);
    assert_eq!(row("retailrocket", "retailrocket.csv", "purchase")[4], "11117");
    assert_eq!(row("movielens", "movielens_ratings.dat", "rating")[..4], ["6040", "rating", "1097", "4"]);
    assert_eq!(row("movielens", "movielens_u.data", "rating")[..3], ["22", "rating", "377"]);
    assert_eq!(row("taobao", "taobao.csv", "purchase")[..3], ["2", "purchase", "2087357"]);
    assert_eq!(row("shopify", "shopify.csv", "purchase")[6], "2024-01-02T03:04:05Z");
}

#[test]
fn what_is_asked_for_counts_before_what_a_preset_says() {
    let preset = || {
        Renames::parse("itemid=session_id", EVENT_FIELDS)
            .unwrap()
            .preset(Preset::find("retailrocket").unwrap())
    };
    let renames = preset().events("addtocart=bookmark").unwrap();
    let taken = Taken::of(&path("retailrocket.csv"), renames, None);
    let cart = taken.events().into_iter().find(|event| event[1] == "bookmark").unwrap();
    assert_eq!(cart[4], "318965");
    assert_eq!(EventNames::parse("a=b,a=c").unwrap_err(), "\"a\" is mapped twice");
}

#[test]
fn a_file_that_lacks_what_a_preset_looks_for_is_refused_with_its_columns() {
    let refused = &take("mixpanel", "rees46.csv").summary.refused;
    assert_eq!(refused[0].code, "missing_column");
    let detail = &refused[0].detail;
    assert!(detail.contains("--preset mixpanel looks for") && detail.contains("user_session"), "{detail}");
}
