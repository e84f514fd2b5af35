//! Equal events, equal bytes: whatever the order, the files, the threads, and whoever comes first.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use polars::prelude::*;
use serde_json::{Value, json};
use smartpush::domain::time::{DAY, Instant};
use smartpush::events::request::InputKind;
use smartpush::profiles::declared::Declared;

use crate::support::on_cores;
use crate::support::profile_world::{Act, Shop, at, bytes_of, frame_of};

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample")
}

/// Every n-th household's purchases, sorted by user and time.
fn purchases(every: usize, offset: usize) -> Vec<Act> {
    let file = fs::File::open(sample().join("purchases.parquet")).expect("the sample is there");
    let frame = ParquetReader::new(file).set_rechunk(true).finish().expect("the sample is Parquet");
    let text =
        |name: &str| frame.column(name).and_then(|column| column.str().cloned()).expect("a text column");
    let (ids, users, contents) = (text("message_id"), text("user_id"), text("content_id"));
    let sessions = text("session_id");
    let stamps = frame.column("timestamp").and_then(|column| column.cast(&DataType::Int64)).expect("stamps");
    let stamps = stamps.i64().expect("microseconds").clone();
    let values = frame.column("value").and_then(|column| column.f64().cloned()).expect("amounts");
    let owned = |column: &StringChunked, row| column.get(row).map(str::to_string);
    let is_wanted = |row: &usize| {
        users.get(*row).and_then(|user| user.parse::<usize>().ok()).is_some_and(|user| user % every == offset)
    };
    let act = |row| Act {
        message_id: owned(&ids, row).unwrap_or_default(),
        user_id: owned(&users, row).unwrap_or_default(),
        name: "purchase".to_string(),
        timestamp: Instant::from_micros(stamps.get(row).unwrap_or_default()),
        date_only: false,
        zone: None,
        content_id: owned(&contents, row),
        session_id: owned(&sessions, row),
        value: values.get(row),
    };
    (0..frame.height()).filter(is_wanted).map(act).collect()
}

fn declared_by_sample() -> Declared {
    let shop = Shop::new();
    take_people(&shop);
    shop.declared()
}

fn take_people(shop: &Shop) {
    shop.take_files(InputKind::Users, &[sample().join("users.csv")], None);
    shop.take_files(InputKind::Contents, &[sample().join("contents.jsonl")], None);
}

/// A fixed shuffle.
fn shuffle<T>(items: &mut [T]) {
    let mut state = 1_u64;
    for index in (1..items.len()).rev() {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        items.swap(index, (state >> 33) as usize % (index + 1));
    }
}

#[test]
fn profiles_of_the_sample_are_the_same_without_its_future() {
    let declared = declared_by_sample();
    let mut left_out = 0;
    for draw in 0..24_i64 {
        let acts = purchases(40, draw as usize);
        // A prime number of minutes, so that the moments fall anywhere in the day.
        let as_of = at("2017-01-20T00:00:00Z").plus(draw * 14 * DAY + draw * 7_919 * 60_000_000);
        let past: Vec<Act> = acts.iter().filter(|act| act.timestamp < as_of).cloned().collect();
        left_out += acts.len() - past.len();
        let (all, past) = (frame_of(&[acts], &declared, as_of), frame_of(&[past], &declared, as_of));
        assert!(bytes_of(&all) == bytes_of(&past), "as of {as_of}");
    }
    assert!(left_out > 10_000, "there was a future to leave out");
}

/// Two months of a few households.
fn few() -> Vec<Act> {
    let (from, until) = (at("2017-05-01T00:00:00Z"), at("2017-06-15T00:00:00Z"));
    purchases(60, 1).into_iter().filter(|act| act.timestamp >= from && act.timestamp < until).collect()
}

fn records(acts: &[Act]) -> Vec<Value> {
    acts.iter().map(Act::record).collect()
}

/// A shop and the sha256 of its profiles.
fn built(fill: impl Fn(&Shop), as_of: Instant) -> String {
    let shop = Shop::new();
    fill(&shop);
    shop.build(as_of).manifest.sha256
}

#[test]
fn order_splits_and_repeats_of_the_input_do_not_show() {
    let (acts, as_of) = (few(), at("2017-06-10T17:00:00Z"));
    let plain = built(
        |shop| {
            take_people(shop);
            shop.take(InputKind::Events, &records(&acts), None);
        },
        as_of,
    );
    let mut shuffled = acts.clone();
    shuffle(&mut shuffled);
    let users_last = built(
        |shop| {
            shop.take(InputKind::Events, &records(&shuffled), None);
            take_people(shop);
        },
        as_of,
    );
    assert_eq!(users_last, plain, "shuffled events before users");
    let in_parts = built(
        |shop| {
            take_people(shop);
            for part in 0..7 {
                let part: Vec<Act> = shuffled.iter().skip(part).step_by(7).cloned().collect();
                shop.take(InputKind::Events, &records(&part), None);
            }
            shop.take(InputKind::Events, &records(&acts), None);
        },
        as_of,
    );
    assert_eq!(in_parts, plain, "seven parts, then everything again");
    let past: Vec<Act> = acts.iter().filter(|act| act.timestamp < as_of).cloned().collect();
    let without_future = built(
        |shop| {
            take_people(shop);
            shop.take(InputKind::Events, &records(&past), None);
        },
        as_of,
    );
    assert_eq!(without_future, plain, "events before T only");
}

fn sha256_of(mut command: Command, directory: &Path) -> String {
    let output = command.arg("--workspace").arg(directory).args(["profile", "--json"]).output();
    let output = output.expect("the binary runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    summary["sha256"].as_str().expect("a hash").to_string()
}

#[test]
fn one_core_writes_the_bytes_of_many() {
    let shop = Shop::new();
    shop.take(InputKind::Events, &records(&few()), None);
    let zoned = |number: i64| {
        let zone = ["Europe/Paris", "Asia/Tokyo", "America/New_York"][number as usize % 3];
        json!({
            "message_id": format!("z{number}"), "user_id": format!("user-{}", number % 5), "event": "view",
            "timestamp": at("2017-05-01T10:00:00Z").plus(number / 6 * DAY).to_string(), "time_zone": zone,
        })
    };
    shop.take(InputKind::Events, &(0..200).map(zoned).collect::<Vec<_>>(), None);
    let binary = env!("CARGO_BIN_EXE_smartpush");
    let many = sha256_of(Command::new(binary), shop.path());
    if let Some(one_core) = on_cores("0") {
        assert_eq!(sha256_of(one_core, shop.path()), many);
    }
}
