//! December of the sample as one CSV of events. Platform and zone are made up by the household's number: the sample has one of each.

use std::sync::LazyLock;

use smartpush::domain::time::Instant;
use smartpush::files::tables::read_parquet;

use crate::support::root;

/// The first of the last three days: what goes wrong goes wrong from here on.
pub(super) const BREAK: &str = "2017-12-29";
/// Whole days before this are judged.
pub(super) const END: &str = "2018-01-01";
const START: &str = "2017-12-01";

/// A table of texts, as a CSV file holds it.
#[derive(Clone)]
pub(super) struct Table {
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    pub(super) fn column(&self, name: &str) -> usize {
        self.header.iter().position(|column| column == name).unwrap()
    }

    pub(super) fn to_csv(&self) -> Vec<u8> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&self.header).unwrap();
        self.rows.iter().for_each(|row| writer.write_record(row).unwrap());
        writer.into_inner().unwrap()
    }

    /// The day of a row, as its stamp begins.
    pub(super) fn day<'a>(&self, row: &'a [String]) -> &'a str {
        &row[self.column("timestamp")][..10]
    }

    /// Changes a cell of every row from [`BREAK`] on.
    pub(super) fn since_the_break(mut self, name: &str, change: impl Fn(&str) -> String) -> Table {
        let (cell, stamp) = (self.column(name), self.column("timestamp"));
        for row in self.rows.iter_mut().filter(|row| row[stamp][..10] >= *BREAK) {
            row[cell] = change(&row[cell]);
        }
        self
    }

    /// The same for every row.
    pub(super) fn everywhere(mut self, name: &str, change: impl Fn(&str) -> String) -> Table {
        let cell = self.column(name);
        self.rows.iter_mut().for_each(|row| row[cell] = change(&row[cell]));
        self
    }
}

/// The month, read once.
pub(super) fn events() -> Table {
    static MONTH: LazyLock<Table> = LazyLock::new(read);
    MONTH.clone()
}

fn read() -> Table {
    let header = [
        "message_id",
        "user_id",
        "event",
        "content_id",
        "campaign_id",
        "timestamp",
        "value",
        "session_id",
        "time_zone",
        "platform",
    ];
    let mut rows = purchases();
    for file in ["coupon_uses.csv", "campaign_events.csv"] {
        rows.extend(of_csv(file));
    }
    rows.retain(|row| (START..END).contains(&&row[5][..10]));
    for row in &mut rows {
        let number: u64 = row[1].parse().unwrap();
        row[8] = if number.is_multiple_of(3) { "America/Los_Angeles" } else { "America/New_York" }.into();
        row[9] = if number.is_multiple_of(2) { "ios" } else { "android" }.into();
    }
    Table { header: header.map(str::to_string).to_vec(), rows }
}

fn purchases() -> Vec<Vec<String>> {
    let frame = read_parquet(&root().join("data/sample/purchases.parquet"), None).unwrap();
    let text = |name: &str| frame.column(name).unwrap().str().unwrap().clone();
    let (ids, users, contents, sessions) =
        (text("message_id"), text("user_id"), text("content_id"), text("session_id"));
    let stamps = frame.column("timestamp").unwrap().datetime().unwrap().physical().clone();
    let values = frame.column("value").unwrap().f64().unwrap().clone();
    let start = Instant::parse_rfc3339("2017-12-01T00:00:00Z").unwrap().micros();
    let row = |row: usize| {
        let at = Instant::from_micros(stamps.get(row).unwrap()).to_string();
        let cell = |column: &polars::prelude::StringChunked| column.get(row).unwrap_or_default().to_string();
        let value = values.get(row).unwrap().to_string();
        vec![
            cell(&ids),
            cell(&users),
            "purchase".into(),
            cell(&contents),
            String::new(),
            at,
            value,
            cell(&sessions),
            String::new(),
            String::new(),
        ]
    };
    (0..frame.height()).filter(|index| stamps.get(*index).unwrap() >= start).map(row).collect()
}

fn of_csv(name: &str) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(root().join("data/sample").join(name)).unwrap();
    let header = reader.headers().unwrap().clone();
    let index = |column: &str| header.iter().position(|name| name == column);
    let columns =
        ["message_id", "user_id", "event", "content_id", "campaign_id", "timestamp", "value", "session_id"];
    let indexes = columns.map(index);
    let row = |record: csv::StringRecord| {
        let cell =
            |index: &Option<usize>| index.and_then(|index| record.get(index)).unwrap_or_default().to_string();
        indexes.iter().map(cell).chain([String::new(), String::new()]).collect()
    };
    reader.records().map(|record| row(record.unwrap())).collect()
}
