//! How many events of a name each person has in a window, out of the lake: one pass for all names and windows.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use polars::prelude::*;

use super::PeopleError;
use crate::language::expression::Duration;
use domain::time::Instant;
use events::lake::{Lake, LakeFile};
use files::tables::TableError;

/// Windows of one name, each with the count of every person so far.
type Windows = Vec<(Duration, Vec<i64>)>;

/// Events named `event` in `[as_of − within, as_of)` by person, in the order of `ids`, for each event and window; 0 without any.
pub(super) fn count<'a>(
    lake: &Lake,
    ids: &StringChunked,
    asked: impl Iterator<Item = (&'a str, Duration)>,
    as_of: Instant,
) -> Result<Vec<(String, Duration, Series)>, PeopleError> {
    let mut by_event: BTreeMap<&str, Windows> = BTreeMap::new();
    for (event, within) in asked {
        by_event.entry(event).or_default().push((within, vec![0; ids.len()]));
    }
    let longest = by_event.values().flatten().map(|(within, _)| within.micros()).max().unwrap_or_default();
    let from = as_of.plus(-longest).micros();
    let rows: HashMap<&str, usize> =
        ids.iter().enumerate().filter_map(|(row, id)| Some((id?, row))).collect();
    let touches = |file: &&LakeFile| {
        file.last_micros >= from && by_event.keys().any(|event| file.events.contains_key(*event))
    };
    let files: Vec<&LakeFile> = lake.files_before(as_of).into_iter().filter(touches).collect();
    for file in files {
        let frame = lake.read(file, Some(&["user_id", "event", "timestamp"]))?;
        add(&frame, &rows, &mut by_event, as_of).map_err(TableError::parquet(Path::new(&file.path)))?;
    }
    let column = |counts| Int64Chunked::from_vec("count".into(), counts).into_series();
    let of_event = |(event, windows): (&str, Windows)| {
        let event = event.to_string();
        windows.into_iter().map(move |(within, counts)| (event.clone(), within, column(counts)))
    };
    Ok(by_event.into_iter().flat_map(of_event).collect())
}

fn add(
    frame: &DataFrame,
    rows: &HashMap<&str, usize>,
    by_event: &mut BTreeMap<&str, Windows>,
    as_of: Instant,
) -> PolarsResult<()> {
    let (users, events) = (frame.column("user_id")?.str()?, frame.column("event")?.str()?);
    let stamps = frame.column("timestamp")?.datetime()?.physical();
    for ((user, name), stamp) in users.iter().zip(events.iter()).zip(stamps.iter()) {
        let Some(windows) = name.and_then(|name| by_event.get_mut(name)) else { continue };
        let Some(age) = stamp.map(|stamp| as_of.micros() - stamp).filter(|age| *age > 0) else { continue };
        let Some(row) = user.and_then(|user| rows.get(user)) else { continue };
        for (_, counts) in windows.iter_mut().filter(|(within, _)| age <= within.micros()) {
            counts[*row] += 1;
        }
    }
    Ok(())
}
