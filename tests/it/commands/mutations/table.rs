//! The mutations: what happened to the month's file, and the name that stops it.

use smartpush::domain::time::{HOUR, Instant};

use super::month::{BREAK, Table, events};
use crate::support::ingesting::gzipped;

/// One thing that went wrong.
pub(super) struct Mutation {
    pub(super) what: &'static str,
    how: How,
    /// An ingest's error, a reason of rejected records, or a data check.
    pub(super) stopped_by: &'static str,
}

/// In the cells, or in the bytes of the file.
enum How {
    Cells(fn(Table) -> Table),
    Bytes(fn(Vec<u8>) -> Vec<u8>),
    Gzipped(fn(Vec<u8>) -> Vec<u8>),
}

use How::{Bytes, Cells, Gzipped};

impl Mutation {
    pub(super) fn bytes(&self) -> (Vec<u8>, &'static str) {
        match self.how {
            Cells(change) => (change(events()).to_csv(), "events.csv"),
            Bytes(change) => (change(events().to_csv()), "events.csv"),
            Gzipped(change) => (change(gzipped(&events().to_csv())), "events.csv.gz"),
        }
    }
}

const fn cells(what: &'static str, stopped_by: &'static str, change: fn(Table) -> Table) -> Mutation {
    Mutation { what, how: Cells(change), stopped_by }
}

const fn bytes(what: &'static str, stopped_by: &'static str, change: fn(Vec<u8>) -> Vec<u8>) -> Mutation {
    Mutation { what, how: Bytes(change), stopped_by }
}

const fn zipped(what: &'static str, stopped_by: &'static str, change: fn(Vec<u8>) -> Vec<u8>) -> Mutation {
    Mutation { what, how: Gzipped(change), stopped_by }
}

/// Everything from "from the 29th on" happens in the last three of 31 days.
pub(super) const MUTATIONS: &[Mutation] = &[
    // The file.
    bytes("the file is empty", "empty_file", |_| Vec::new()),
    bytes("the header is missing and the columns are shuffled", "missing_column", |_| {
        let mut table = events();
        table.header.reverse();
        table.rows.iter_mut().for_each(|row| row.reverse());
        without_header(table.to_csv())
    }),
    bytes("the delimiter is a caret", "missing_column", |bytes| replaced(&bytes, b',', b'^')),
    bytes("the file is UTF-16 without its mark", "not_utf8", |bytes| {
        bytes.into_iter().flat_map(|byte| [byte, 0]).collect()
    }),
    bytes("a quote is never closed", "unclosed_quote", |mut bytes| {
        bytes.extend_from_slice(b"x,1001,\"purchase,,,2017-12-31T12:00:00Z,1,,,\n");
        bytes
    }),
    bytes("two files one after the other, each with its header", "no_repeated_events", |bytes| {
        let again = cells_of(|table| table.everywhere("message_id", |id| format!("{id}-b")));
        [bytes, again].concat()
    }),
    bytes("ids in Latin-1", "not_utf8", |bytes| replaced(&bytes, b'-', 0xe9)),
    zipped("the gzip is cut", "truncated_file", |mut bytes| {
        bytes.truncate(bytes.len() / 2);
        bytes
    }),
    zipped("a byte of the gzip is flipped", "damaged_file", |mut bytes| {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 0xff;
        bytes
    }),
    // The columns.
    cells("the column user_id is missing", "missing_column", |table| dropped(table, "user_id")),
    cells("the column event is missing", "missing_column", |table| dropped(table, "event")),
    cells("the column timestamp is renamed", "missing_column", |table| renamed(table, "timestamp", "ts")),
    cells("the columns are named otherwise", "missing_column", |table| {
        let header = table.header.iter().map(|name| name.chars().rev().collect::<String>()).collect();
        Table { header, ..table }
    }),
    cells("a column is there twice", "duplicate_column", |table| renamed(table, "platform", "value")),
    cells("the column value is renamed from the 29th on", "nulls_like_before", |table| {
        table.since_the_break("value", |_| String::new())
    }),
    // The cells.
    cells("stamps are texts", "bad_timestamp", |table| {
        table.since_the_break("timestamp", |_| "yesterday".into())
    }),
    cells("stamps are written day first", "bad_timestamp", |table| {
        table.since_the_break("timestamp", |at| format!("{}/{}/{} 12:00", &at[8..10], &at[5..7], &at[..4]))
    }),
    cells("stamps count days", "timestamp_out_of_range", |table| {
        table.since_the_break("timestamp", |_| "17529".into())
    }),
    cells("stamps lie in the year 2093", "timestamp_in_future", |table| {
        table.since_the_break("timestamp", |at| at.replace("2017", "2093"))
    }),
    cells("stamps lie a year back", "data_goes_on", |table| {
        table.everywhere("timestamp", |at| at.replace("2017", "2016"))
    }),
    cells("user_id is null", "missing_value", |table| table.since_the_break("user_id", |_| String::new())),
    cells("user_id holds a line break", "bad_id", |table| {
        table.since_the_break("user_id", |id| format!("U\n{id}"))
    }),
    cells("value is a text", "bad_number", |table| {
        table.since_the_break("value", |value| format!("{value} USD"))
    }),
    cells("value is infinite", "non_finite_value", |table| table.since_the_break("value", |_| "inf".into())),
    cells("value is not a number", "nulls_like_before", |table| {
        table.since_the_break("value", |_| "NaN".into())
    }),
    cells("value has a decimal comma", "bad_number", |table| {
        table.since_the_break("value", |value| value.replace('.', ","))
    }),
    cells("the zone is no zone", "nulls_like_before", |table| {
        table.since_the_break("time_zone", |_| "EST5EDT4".into())
    }),
    cells("message ids are used again", "message_id_conflict", |mut table| {
        table.rows.iter_mut().enumerate().for_each(|(number, row)| row[0] = (number % 1_000).to_string());
        table
    }),
    // The events.
    cells("purchase is called buy from the 29th on", "volume_like_before", |table| {
        table.since_the_break("event", |name| name.replace("purchase", "buy"))
    }),
    cells("the rare redeem is called redeemed", "no_new_event", |table| {
        table.since_the_break("event", |name| name.replace("redeem", "redeemed"))
    }),
    cells("a name comes that never came", "no_new_event", |mut table| {
        let row = table.rows.iter().rfind(|row| table.day(row) == BREAK).unwrap().clone();
        for number in 0..20 {
            let mut row = row.clone();
            (row[0], row[2]) = (format!("new-{number}"), "debug_ping".into());
            table.rows.push(row);
        }
        table
    }),
    // Nobody used one on Christmas Day either, so three days of silence are not yet unheard of.
    cells("coupon_used stops, four days ago", "no_vanished_event", |table| {
        kept(table, |table, row| table.day(row) < "2017-12-28" || row[2] != "coupon_used")
    }),
    cells("a tenth of the events arrives", "volume_like_before", |table| {
        kept(table, |table, row| {
            table.day(row) < BREAK
                || row[0].as_bytes().iter().map(|b| u32::from(*b)).sum::<u32>().is_multiple_of(10)
        })
    }),
    cells("a day is missing", "volume_like_before", |table| {
        kept(table, |table, row| table.day(row) != "2017-12-30")
    }),
    cells("the last day ends at ten", "complete_day", |table| {
        kept(table, |table, row| row[table.column("timestamp")].as_str() < "2017-12-31T10")
    }),
    cells("a day came twice, with other ids", "no_repeated_events", |table| {
        doubled(table, "2017-12-30", "2017-12-31")
    }),
    cells("a join doubled every row of the month", "no_repeated_events", |table| {
        doubled(table, "2017-12-01", "2018-01-01")
    }),
    cells("one user has nine events of ten", "no_user_dominates", |mut table| {
        let stamp = table.column("timestamp");
        let late = table.rows.iter_mut().filter(|row| row[stamp][..10] >= *BREAK);
        late.enumerate().filter(|(number, _)| number % 10 > 0).for_each(|(_, row)| row[1] = "1001".into());
        table
    }),
    cells("user ids gain a prefix", "users_come_back", |table| {
        table.since_the_break("user_id", |id| format!("U{id}"))
    }),
    cells("user ids were rounded by a spreadsheet", "bad_id", |table| {
        table.since_the_break("user_id", |_| "1.00123E+11".into())
    }),
    cells("content ids are written in capitals", "contents_come_back", |table| {
        table.since_the_break("content_id", str::to_uppercase)
    }),
    cells("every content is the same", "volume_like_before", |table| {
        table.since_the_break("content_id", |id| if id.is_empty() { String::new() } else { "milk".into() })
    }),
    cells("content_id is null", "nulls_like_before", |table| {
        table.since_the_break("content_id", |_| String::new())
    }),
    cells("session_id is null", "nulls_like_before", |table| {
        table.since_the_break("session_id", |_| String::new())
    }),
    cells("campaign_id is null", "nulls_like_before", |table| {
        table.since_the_break("campaign_id", |_| String::new())
    }),
    cells("time_zone is null", "nulls_like_before", |table| {
        table.since_the_break("time_zone", |_| String::new())
    }),
    cells("values are in cents", "values_like_before", |table| {
        table.since_the_break("value", |value| scaled(value, 100.0))
    }),
    cells("values are in thousands", "values_like_before", |table| {
        table.since_the_break("value", |value| scaled(value, 0.001))
    }),
    cells("every value is one", "values_like_before", |table| table.since_the_break("value", |_| "1".into())),
    cells("values are negative", "values_like_before", |table| {
        table.since_the_break("value", |value| scaled(value, -1.0))
    }),
    cells("every event is of noon", "hours_like_before", |table| {
        table.since_the_break("timestamp", |at| format!("{}T12:00:00Z", &at[..10]))
    }),
    cells("local time is taken for UTC", "clock_like_before", |table| moved(table, -5)),
    cells("the clock runs eight hours ahead", "clock_like_before", |table| moved(table, 8)),
    cells("everybody has the same platform", "platforms_like_before", |table| {
        table.since_the_break("platform", |_| "ios".into())
    }),
    cells("the platform is not sent any more", "platforms_like_before", |table| {
        table.since_the_break("platform", |_| String::new())
    }),
    cells("one zone's events are missing", "zones_like_before", |table| {
        kept(table, |table, row| {
            table.day(row) < BREAK || row[table.column("time_zone")] != "America/Los_Angeles"
        })
    }),
];

/// Files that only look wrong.
pub(super) fn harmless() -> Vec<(&'static str, Vec<u8>)> {
    let seconds = |at: &str| {
        Instant::parse_rfc3339(at).map_or(at.to_string(), |at| (at.micros() / 1_000_000).to_string())
    };
    let millis =
        |at: &str| Instant::parse_rfc3339(at).map_or(at.to_string(), |at| (at.micros() / 1_000).to_string());
    let shuffled = cells_of(|mut table| {
        table.header.reverse();
        table.rows.iter_mut().for_each(|row| row.reverse());
        table
    });
    vec![
        ("semicolons between the cells", replaced(&events().to_csv(), b',', b';')),
        ("a byte order mark", [b"\xef\xbb\xbf".to_vec(), events().to_csv()].concat()),
        ("columns in another order, with their header", shuffled),
        (
            "UTF-16",
            [0xff, 0xfe]
                .into_iter()
                .chain(events().to_csv().into_iter().flat_map(|byte| [byte, 0]))
                .collect(),
        ),
        ("user ids became floats", events().since_the_break("user_id", |id| format!("{id}.0")).to_csv()),
        ("blanks around user ids", events().since_the_break("user_id", |id| format!(" {id}\n")).to_csv()),
        ("seconds from the 29th on", events().since_the_break("timestamp", seconds).to_csv()),
        ("milliseconds from the 29th on", events().since_the_break("timestamp", millis).to_csv()),
    ]
}

fn cells_of(change: impl Fn(Table) -> Table) -> Vec<u8> {
    change(events()).to_csv()
}

fn without_header(bytes: Vec<u8>) -> Vec<u8> {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    bytes[end + 1..].to_vec()
}

fn replaced(bytes: &[u8], from: u8, to: u8) -> Vec<u8> {
    bytes.iter().map(|byte| if *byte == from { to } else { *byte }).collect()
}

fn dropped(mut table: Table, name: &str) -> Table {
    let index = table.column(name);
    table.header.remove(index);
    table.rows.iter_mut().for_each(|row| drop(row.remove(index)));
    table
}

fn renamed(mut table: Table, name: &str, other: &str) -> Table {
    let index = table.column(name);
    table.header[index] = other.into();
    table
}

fn kept(table: Table, is_kept: impl Fn(&Table, &[String]) -> bool) -> Table {
    let rows = table.rows.iter().filter(|row| is_kept(&table, row)).cloned().collect();
    Table { rows, ..table }
}

/// Every row of some days a second time, with another id.
fn doubled(mut table: Table, from: &str, until: &str) -> Table {
    let again: Vec<Vec<String>> =
        table.rows.iter().filter(|row| (from..until).contains(&table.day(row))).cloned().collect();
    table.rows.extend(again.into_iter().map(|mut row| {
        row[0] += "-again";
        row
    }));
    table
}

fn scaled(value: &str, factor: f64) -> String {
    value.parse::<f64>().map_or(value.to_string(), |number| (number * factor).to_string())
}

/// Stamps with a time of day, moved by so many hours.
fn moved(table: Table, hours: i64) -> Table {
    table.since_the_break("timestamp", |at| {
        Instant::parse_rfc3339(at).map_or(at.to_string(), |at| at.plus(hours * HOUR).to_string())
    })
}
