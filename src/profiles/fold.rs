//! Folding the lake into one accumulator per user, file by file, on all cores.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use polars::prelude::*;

use super::ProfileError;
use crate::domain::time::Instant;
use crate::domain::zone::{ZoneCode, Zones};
use crate::events::lake::{Lake, LakeFile};
use crate::tables::TableError;

/// What accumulators see of an event.
#[derive(Clone, Copy, Debug)]
pub struct EventRow<'a> {
    /// The event's name.
    pub name: &'a str,
    /// When.
    pub timestamp: Instant,
    /// The stamp says nothing of the time of day.
    pub date_only: bool,
    /// The zone the event brought.
    pub zone: Option<ZoneCode>,
    /// Its id; empty unless it brought a zone or the fold asked for ids.
    pub message_id: &'a str,
    /// Its content; `None` unless asked for.
    pub content_id: Option<&'a str>,
    /// Its session; `None` unless asked for.
    pub session_id: Option<&'a str>,
    /// Its value; `None` unless asked for.
    pub value: Option<f64>,
}

/// Integer sums over a user's events: absorbing in any order, in any split, comes to the same.
pub trait Accumulator: Send {
    /// Takes in one event.
    fn absorb(&mut self, event: &EventRow<'_>);
    /// Takes in another part of the same user.
    fn merge(&mut self, other: Self);
}

/// Which columns a fold reads beside user, name, time and zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Columns {
    /// No others.
    Activity,
    /// Content, session, value and id.
    All,
}

/// Folds all events before `until`, by user id in order. `make` gives an empty accumulator; `watch` is told
/// how many of how many files are done.
pub fn fold_users<A: Accumulator>(
    lake: &Lake,
    until: Instant,
    columns: Columns,
    zones: &Mutex<Zones>,
    make: &(impl Fn() -> A + Sync),
    watch: &(impl Fn(usize, usize) + Sync),
) -> Result<BTreeMap<String, A>, ProfileError> {
    let files = lake.files_before(until);
    let next = AtomicUsize::new(0);
    let worker = || -> Result<HashMap<String, A>, ProfileError> {
        let mut users = HashMap::new();
        let mut names = ZoneNames { shared: zones, known: HashMap::new() };
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            fold_file(lake, file, until, columns, &mut names, make, &mut users)?;
            watch(next.load(Ordering::Relaxed).min(files.len()), files.len());
        }
        Ok(users)
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let parts = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        threads.into_iter().map(|thread| thread.join()).collect::<Vec<_>>()
    });
    let mut users: BTreeMap<String, A> = BTreeMap::new();
    for part in parts {
        let part = part.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
        for (user_id, accumulator) in part {
            match users.get_mut(&user_id) {
                Some(known) => known.merge(accumulator),
                None => {
                    users.insert(user_id, accumulator);
                }
            }
        }
    }
    Ok(users)
}

/// Zone names of a thread, by the codes that all threads share.
struct ZoneNames<'a> {
    shared: &'a Mutex<Zones>,
    known: HashMap<String, Option<ZoneCode>>,
}

impl ZoneNames<'_> {
    fn code(&mut self, name: &str) -> Option<ZoneCode> {
        if let Some(code) = self.known.get(name) {
            return *code;
        }
        let mut shared = self.shared.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let code = shared.code(name).ok();
        self.known.insert(name.to_string(), code);
        code
    }
}

fn fold_file<A: Accumulator>(
    lake: &Lake,
    file: &LakeFile,
    until: Instant,
    columns: Columns,
    zones: &mut ZoneNames<'_>,
    make: &impl Fn() -> A,
    users: &mut HashMap<String, A>,
) -> Result<(), ProfileError> {
    let mut wanted = vec!["user_id", "event", "timestamp", "date_only", "time_zone"];
    if columns == Columns::All {
        wanted.extend(["message_id", "content_id", "session_id", "value"]);
    }
    let mut frame = lake.read(file, Some(&wanted))?;
    let damaged = |error| TableError::parquet(Path::new(&file.path))(error);
    if columns == Columns::Activity
        && frame.column("time_zone").map_err(damaged)?.null_count() < frame.height()
    {
        // Ties between zones are broken by message_id.
        wanted.push("message_id");
        frame = lake.read(file, Some(&wanted))?;
    }
    fold_frame(&frame, until, zones, make, users).map_err(damaged)?;
    Ok(())
}

fn fold_frame<A: Accumulator>(
    frame: &DataFrame,
    until: Instant,
    zones: &mut ZoneNames<'_>,
    make: &impl Fn() -> A,
    users: &mut HashMap<String, A>,
) -> PolarsResult<()> {
    let text = |name: &str| frame.column(name)?.str();
    let optional = |name: &str| frame.column(name).ok().and_then(|column| column.str().ok());
    let (ids, names, zone_names) = (text("user_id")?, text("event")?, text("time_zone")?);
    let stamps = frame.column("timestamp")?.datetime()?.physical();
    let dates = frame.column("date_only")?.bool()?;
    let (messages, contents, sessions) =
        (optional("message_id"), optional("content_id"), optional("session_id"));
    let values = frame.column("value").ok().and_then(|column| column.f64().ok());
    let has_zones = zone_names.null_count() < frame.height();
    let mut row = 0;
    // A file is sorted by user, so each user's accumulator is looked up once.
    while row < frame.height() {
        let user_id = ids.get(row).unwrap_or_default();
        let mut fresh = None;
        let (accumulator, is_known) = match users.get_mut(user_id) {
            Some(known) => (known, true),
            None => (fresh.insert(make()), false),
        };
        let (first, mut absorbed) = (row, 0);
        while row < frame.height() && (row == first || ids.get(row) == Some(user_id)) {
            let timestamp = Instant::from_micros(stamps.get(row).unwrap_or(i64::MAX));
            if timestamp < until {
                absorbed += 1;
                accumulator.absorb(&EventRow {
                    name: names.get(row).unwrap_or_default(),
                    timestamp,
                    date_only: dates.get(row).unwrap_or_default(),
                    zone: if has_zones {
                        zone_names.get(row).and_then(|name| zones.code(name))
                    } else {
                        None
                    },
                    message_id: messages.and_then(|column| column.get(row)).unwrap_or_default(),
                    content_id: contents.and_then(|column| column.get(row)),
                    session_id: sessions.and_then(|column| column.get(row)),
                    value: values.and_then(|column| column.get(row)),
                });
            }
            row += 1;
        }
        if let Some(fresh) = fresh.filter(|_| absorbed > 0 && !is_known) {
            users.insert(user_id.to_string(), fresh);
        }
    }
    Ok(())
}
