//! A workspace to try things in, and events that can be folded without one.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use config::Config;
use domain::time::Instant;
use domain::zone::Zone;
use events::ingest::ingest;
use events::lake::Lake;
use events::mapping::Renames;
use events::request::{FilesRequest, InputKind};
use files::tables;
use files::workspace::Workspace;
use polars::prelude::DataFrame;
use profiles::accumulate::{Plan, UserEvents};
use profiles::build::{Built, build, finish};
use profiles::declared::Declared;
use profiles::features::FEATURES;
use profiles::fold::{Accumulator, EventRow};
use profiles::table::ProfileTable;
use serde_json::{Map, Value, json};
use tempfile::TempDir;

/// Profiles by user, features by name.
pub type Profiles = BTreeMap<String, Map<String, Value>>;

/// Reads a moment.
pub fn at(text: &str) -> Instant {
    Instant::parse_rfc3339(text).unwrap_or_else(|| panic!("{text} is RFC 3339"))
}

/// A workspace in a temporary directory.
pub struct Shop {
    directory: TempDir,
    pub workspace: Workspace,
    pub config: Config,
}

impl Shop {
    pub fn new() -> Shop {
        let directory = TempDir::new().expect("there is room for a directory");
        let workspace = Workspace::create(directory.path()).expect("a workspace can be made");
        Shop { directory, workspace, config: Config::defaults() }
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Takes records in, one JSON object a line; none may be rejected.
    pub fn take(&self, kind: InputKind, records: &[Value], naive: Option<&str>) {
        let lines: Vec<String> = records.iter().map(Value::to_string).collect();
        let path = self.path().join("records.jsonl");
        fs::write(&path, lines.join("\n") + "\n").expect("records can be written");
        self.take_files(kind, &[path], naive);
    }

    pub fn take_files(&self, kind: InputKind, files: &[PathBuf], naive: Option<&str>) {
        let zone = naive.map(|name| Zone::find(name).expect("a zone of the database"));
        let renames = Renames::default();
        let request =
            FilesRequest { files, kind, format: None, renames, zone, now: at("2030-01-01T00:00:00Z") };
        let summary = ingest(&self.workspace, &self.config.ingest, &request, &|_| ()).expect("ingest runs");
        assert_eq!((summary.rejected, summary.refused.len()), (0, 0), "{summary:?}");
    }

    pub fn declared(&self) -> Declared {
        Declared::read(&self.workspace, &self.config.default_time_zone).expect("tables can be read")
    }

    pub fn build(&self, as_of: Instant) -> Built {
        let lake = Lake::open(&self.workspace).expect("the lake opens");
        build(&self.workspace, &lake, &self.declared(), as_of, &self.config.profiles, &|_, _| ())
            .expect("profiles are built")
    }

    /// Builds and serves.
    pub fn table(&self, as_of: Instant) -> ProfileTable {
        self.build(as_of);
        ProfileTable::open(&self.workspace, Some(as_of)).expect("what was built opens")
    }
}

/// One event, as plain as can be.
#[derive(Clone, Debug, PartialEq)]
pub struct Act {
    pub message_id: String,
    pub user_id: String,
    pub name: String,
    pub timestamp: Instant,
    pub date_only: bool,
    pub zone: Option<String>,
    pub content_id: Option<String>,
    pub session_id: Option<String>,
    pub value: Option<f64>,
}

impl Act {
    /// The record that an ingest takes in. Bare dates cannot be told apart here.
    pub fn record(&self) -> Value {
        let mut record = json!({
            "message_id": self.message_id, "user_id": self.user_id, "event": self.name,
            "timestamp": self.timestamp.to_string(),
        });
        let optional = [
            ("time_zone", self.zone.clone().map(Value::from)),
            ("content_id", self.content_id.clone().map(Value::from)),
            ("session_id", self.session_id.clone().map(Value::from)),
            ("value", self.value.map(Value::from)),
        ];
        for (field, value) in optional {
            if let Some(value) = value {
                record[field] = value;
            }
        }
        record
    }
}

/// Profiles of events in memory: each part absorbed on its own, then all parts of a user merged, in order.
pub fn frame_of(parts: &[Vec<Act>], declared: &Declared, as_of: Instant) -> DataFrame {
    let config = Config::defaults().profiles;
    let plan = Plan::new(FEATURES, as_of, declared, &config);
    let mut zones = declared.zones().clone();
    let mut users: BTreeMap<String, UserEvents<'_>> = BTreeMap::new();
    for part in parts {
        let mut sums: BTreeMap<String, UserEvents<'_>> = BTreeMap::new();
        for act in part.iter().filter(|act| act.timestamp < as_of) {
            let zone = act.zone.as_deref().map(|name| zones.code(name).expect("a zone of the database"));
            sums.entry(act.user_id.clone()).or_insert_with(|| plan.empty()).absorb(&EventRow {
                name: &act.name,
                timestamp: act.timestamp,
                date_only: act.date_only,
                is_led_to: false,
                zone,
                message_id: &act.message_id,
                content_id: act.content_id.as_deref(),
                session_id: act.session_id.as_deref(),
                value: act.value,
            });
        }
        for (user_id, sum) in sums {
            match users.remove(&user_id) {
                None => users.insert(user_id, sum),
                Some(mut known) => {
                    known.merge(sum);
                    users.insert(user_id, known)
                }
            };
        }
    }
    finish(&plan, &users, &zones, &config).expect("sums become columns")
}

/// The bytes that a build would write.
pub fn bytes_of(frame: &DataFrame) -> Vec<u8> {
    tables::parquet_bytes(&mut frame.clone()).expect("a profile table can be written")
}

/// A table as text.
pub fn profiles_of(frame: &DataFrame) -> Profiles {
    let columns: Vec<_> =
        frame.columns().iter().map(|column| column.as_materialized_series().clone()).collect();
    let row = |row| -> Map<String, Value> {
        columns.iter().map(|column| (column.name().to_string(), tables::cell(column, row))).collect()
    };
    let id = |profile: &Map<String, Value>| profile["user_id"].as_str().unwrap_or_default().to_string();
    (0..frame.height()).map(row).map(|profile| (id(&profile), profile)).collect()
}

/// Are two values the same, numbers within 1e-9?
pub fn is_same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| is_same(left, right))
        }
        (Value::Number(left), Value::Number(right)) => {
            let (left, right) = (left.as_f64().unwrap_or(f64::NAN), right.as_f64().unwrap_or(f64::NAN));
            (left - right).abs() <= 1e-9 * left.abs().max(right.abs()).max(1.0)
        }
        _ => left == right,
    }
}
