//! Properties of ingest on random input: counts against a naive oracle, readers against other readers, round trips.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::Value;
use smartpush::config::Config;
use smartpush::domain::time::Instant;
use smartpush::domain::zone::Zone;
use smartpush::events::clean::{EVENT_FIELDS, canonical_json};
use smartpush::events::formats::{Format, InputColumn, InputRecord, Limits, Progress, RawValue, Reader};
use smartpush::events::ingest::ingest;
use smartpush::events::mapping::Renames;
use smartpush::events::records::{Event, TEXT_FIELDS};
use smartpush::events::request::{FilesRequest, IngestSummary, InputKind};
use smartpush::events::stamps::StampReader;
use smartpush::files::workspace::Workspace;

use crate::support::ingesting::temporary_directory;

/// 2020-01-01T00:00:00Z
const NOW: Instant = Instant::from_micros(1_577_836_800_000_000);

// ---- counts against an oracle ----

/// A small record; few values, so that duplicates and conflicts abound.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Small {
    id: Option<u8>,
    user: u8,
    /// 0 is a stamp that cannot be read.
    day: u8,
    value: u8,
}

fn small() -> impl Strategy<Value = Small> {
    (proptest::option::of(0..6_u8), 0..3_u8, 0..4_u8, 0..2_u8).prop_map(|(id, user, day, value)| Small {
        id,
        user,
        day,
        value,
    })
}

fn csv_of(records: &[Small]) -> String {
    let line = |record: &Small| {
        let id = record.id.map(|id| format!("m{id}")).unwrap_or_default();
        let stamp =
            if record.day == 0 { "soon".to_string() } else { format!("2017-03-0{}T12:00:00Z", record.day) };
        format!("{id},u{},view,{stamp},{}\n", record.user, record.value)
    };
    "message_id,user_id,event,timestamp,value\n".to_string() + &records.iter().map(line).collect::<String>()
}

/// (accepted, duplicate, rejected) as anybody would count them by hand.
#[derive(Default)]
struct Oracle {
    seen: HashMap<String, Small>,
}

impl Oracle {
    fn count(&mut self, records: &[Small]) -> [u64; 3] {
        let mut counts = [0; 3];
        for record in records {
            let content = Small { id: None, ..record.clone() };
            let key = record.id.map_or_else(|| format!("{content:?}"), |id| format!("m{id}"));
            let verdict = match self.seen.get(&key) {
                _ if record.day == 0 => 2,
                Some(known) if *known == content => 1,
                Some(_) => 2,
                None => {
                    self.seen.insert(key, content);
                    0
                }
            };
            counts[verdict] += 1;
        }
        counts
    }
}

fn run(workspace: &Workspace, files: &[PathBuf]) -> IngestSummary {
    let request = FilesRequest {
        files,
        kind: InputKind::Events,
        format: None,
        renames: Renames::default(),
        zone: None,
        now: NOW,
    };
    ingest(workspace, &Config::defaults().ingest, &request, &|_| ()).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_counts_are_those_of_a_naive_oracle(
        parts in prop::collection::vec(prop::collection::vec(small(), 0..12), 1..4),
        later in prop::collection::vec(small(), 0..12),
    ) {
        let directory = temporary_directory();
        let workspace = Workspace::create(directory.path()).unwrap();
        let write = |index: usize, records: &[Small]| {
            let path = directory.path().join(format!("{index}.csv"));
            std::fs::write(&path, csv_of(records)).unwrap();
            path
        };
        let files: Vec<PathBuf> = parts.iter().enumerate().map(|(index, part)| write(index, part)).collect();
        let mut oracle = Oracle::default();
        for (files, records) in [(files, parts.concat()), (vec![write(9, &later)], later.clone())] {
            let summary = run(&workspace, &files);
            let counts = [summary.accepted, summary.duplicate, summary.rejected];
            prop_assert_eq!(counts, oracle.count(&records));
            prop_assert_eq!(summary.read, records.len() as u64);
            let letters = summary.dead_letters.map(|path| std::fs::read_to_string(path).unwrap());
            prop_assert_eq!(letters.unwrap_or_default().lines().count() as u64, summary.rejected);
        }
        let lake = smartpush::events::lake::Lake::open(&workspace).unwrap();
        prop_assert_eq!(lake.manifest().rows, oracle.seen.len() as u64);
    }
}

// ---- round trips ----

fn event() -> impl Strategy<Value = Event<'static>> {
    let text = || "\\PC{1,12}".prop_map(Cow::<str>::Owned);
    let texts = prop::collection::vec(prop::option::of(text()), TEXT_FIELDS.len());
    let value = prop::option::of(-1e12..1e12_f64);
    (text(), text(), text(), any::<i64>(), any::<bool>(), prop::option::of(text()), value, texts).prop_map(
        |(message_id, user_id, name, micros, date_only, time_zone, value, texts)| Event {
            message_id,
            user_id,
            name,
            timestamp: Instant::from_micros(micros),
            date_only,
            time_zone,
            value,
            texts: texts.try_into().unwrap(),
        },
    )
}

/// Any JSON value, a few levels deep.
fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(any::<String>(), inner, 0..6)
                .prop_map(|entries| Value::Object(entries.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn canonical_bytes_bring_the_event_back(first in event(), second in event()) {
        let mut bytes = Vec::new();
        first.write_canonical(&mut bytes);
        let length = bytes.len();
        second.write_canonical(&mut bytes);
        let mut rest = bytes.as_slice();
        prop_assert_eq!(Event::read_canonical(&first.message_id, &mut rest), Some(first.clone()));
        prop_assert_eq!(rest.len(), bytes.len() - length);
        prop_assert_eq!(Event::read_canonical(&second.message_id, &mut rest), Some(second.clone()));
        // Bytes that are cut short are noticed wherever they are cut.
        for cut in 0..length {
            prop_assert_eq!(Event::read_canonical("m", &mut &bytes[..cut]), None);
        }
    }

    #[test]
    fn canonical_json_says_the_same_and_nothing_more(value in json()) {
        let text = canonical_json(&value);
        let read: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(canonical_json(&read), text.clone());
        prop_assert_eq!(&read, &value);
        let spaced = serde_json::to_string_pretty(&value).unwrap();
        prop_assert_eq!(canonical_json(&serde_json::from_str(&spaced).unwrap()), text);
    }

    #[test]
    fn a_map_is_read_as_it_was_written(chosen in prop::sample::subsequence((0..EVENT_FIELDS.len()).collect::<Vec<_>>(), 0..6), space in " {0,2}") {
        let pairs: Vec<String> =
            chosen.iter().map(|field| format!("{space}their {field}{space}={space}{}{space}", EVENT_FIELDS[*field].name)).collect();
        let plain: Vec<String> =
            chosen.iter().map(|field| format!("their {field}={}", EVENT_FIELDS[*field].name)).collect();
        let renames = Renames::parse(&pairs.join(","), EVENT_FIELDS);
        prop_assert!(renames.is_ok());
        prop_assert_eq!(renames, Renames::parse(&(plain.join(",") + ","), EVENT_FIELDS));
    }

    #[test]
    fn no_map_is_a_panic(text in "\\PC{0,40}") {
        if let Err(detail) = Renames::parse(&text, EVENT_FIELDS) {
            prop_assert!(!detail.is_empty());
        }
    }
}

// ---- readers against other readers ----

/// Days since 1970-01-01 of a civil date (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn read_stamp(text: &str, zone: Option<Zone>) -> Result<i64, &'static str> {
    let reader = StampReader::new(zone, NOW, 24);
    let stamp = reader.read("timestamp", &RawValue::Text(Cow::Borrowed(text)));
    stamp.map(|stamp| stamp.instant.micros()).map_err(|rejection| rejection.code.as_str())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_stamp_is_what_the_calendar_says(
        (year, month, day) in (1960..2030_i64, 1..13_i64, 1..29_i64),
        (hour, minute, second, micros) in (0..24_i64, 0..60_i64, 0..60_i64, 0..1_000_000_i64),
        (offset_hour, offset_minute, west) in (0..24_i64, 0..60_i64, any::<bool>()),
        letter in prop::sample::select(vec!["T", "t", " "]),
    ) {
        let civil = format!("{year}-{month:02}-{day:02}{letter}{hour:02}:{minute:02}:{second:02}.{micros:06}");
        let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
        let sign = if west { -1 } else { 1 };
        let offset = sign * (offset_hour * 3_600 + offset_minute * 60);
        let text = format!("{civil}{}{offset_hour:02}:{offset_minute:02}", if west { '-' } else { '+' });
        for (text, zone, seconds) in [(text, None, seconds - offset), (format!("{civil}Z"), None, seconds), (civil.clone(), Some(Zone::utc()), seconds)] {
            let expected = match seconds * 1_000_000 + micros {
                early if early < 0 => Err("timestamp_out_of_range"),
                late if late > NOW.micros() + 86_400_000_000 => Err("timestamp_in_future"),
                instant => Ok(instant),
            };
            prop_assert_eq!(read_stamp(&text, zone), expected, "{}", text);
        }
        prop_assert_eq!(read_stamp(&civil, None), Err("naive_timestamp"));
    }

    #[test]
    fn an_epoch_is_read_by_its_magnitude(seconds in 946_684_800..1_577_836_800_i64) {
        for (number, micros) in [(seconds, 1_000_000), (seconds * 1_000, 1_000), (seconds * 1_000_000, 1)] {
            prop_assert_eq!(read_stamp(&number.to_string(), None), Ok(number * micros));
        }
    }

    #[test]
    fn no_text_is_a_stamp_by_accident_and_none_is_a_panic(text in "[0-9TZ:+. \\-\\[\\]a-z]{0,30}|\\PC{0,12}") {
        if let Ok(micros) = read_stamp(&text, Some(Zone::utc())) {
            prop_assert!((0..=NOW.micros() + 86_400_000_000).contains(&micros), "{}", text);
        }
    }
}

/// Reads a CSV text as (line, fields) with our reader; a missing value is empty text.
fn read_csv(text: &[u8], columns: usize) -> Vec<(u64, Vec<String>)> {
    let directory = temporary_directory();
    let path = directory.path().join("a.csv");
    std::fs::write(&path, text).unwrap();
    let limits = Limits { chunk_rows: 10, record_bytes: 1 << 20 };
    let mut reader =
        Reader::open(&path, Some(Format::Csv), limits, &Progress::default(), Path::new(".")).unwrap();
    let mut rows = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        let InputRecord::Row(line, row) = record else { panic!("{record:?}") };
        let field = |index| match row.written(&InputColumn { name: String::new(), index }) {
            RawValue::Missing => String::new(),
            RawValue::Text(text) => text.into_owned(),
            other => panic!("{other:?}"),
        };
        rows.push((line, (0..columns).map(field).collect()));
    }
    rows
}

/// A quote after a blank opens a cell for us, as spreadsheets of some programs write it; for the csv crate it is a letter.
fn quoted_from_its_start(cell: String) -> String {
    if cell.trim_start().starts_with('"') { cell.trim_start().to_string() } else { cell }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn csv_is_read_as_the_csv_crate_writes_it(
        rows in prop::collection::vec(prop::collection::vec("[a-z ,;\"\r\n\té漢]{0,6}", 3), 0..20),
        always_quoted in any::<bool>(),
        carriage_return in any::<bool>(),
        blank in any::<bool>(),
    ) {
        let end = if carriage_return { "\r\n" } else { "\n" };
        let style = if always_quoted { csv::QuoteStyle::Always } else { csv::QuoteStyle::Necessary };
        let mut text = format!("a,b,c{end}").into_bytes();
        let mut expected = Vec::new();
        for row in rows {
            let row: Vec<String> = row.into_iter().map(quoted_from_its_start).collect();
            if blank {
                text.extend_from_slice(end.as_bytes());
            }
            let line = 1 + text.iter().filter(|byte| **byte == b'\n').count() as u64;
            let terminator = if carriage_return { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
            let mut writer = csv::WriterBuilder::new().quote_style(style).terminator(terminator).from_writer(Vec::new());
            writer.write_record(&row).unwrap();
            text.extend(writer.into_inner().unwrap());
            expected.push((line, row));
        }
        prop_assert_eq!(&read_csv(&text, 3), &expected);
        let mut other = csv::Reader::from_reader(text.as_slice());
        let read: Vec<Vec<String>> = other.records().map(|record| record.unwrap().iter().map(str::to_string).collect()).collect();
        prop_assert_eq!(read, expected.into_iter().map(|(_, row)| row).collect::<Vec<_>>());
    }
}
