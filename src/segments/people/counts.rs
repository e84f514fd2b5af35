//! How many events of a name each person has in a window, out of the lake: one pass for all names and windows.

use std::collections::{BTreeMap, HashMap};

use polars::prelude::*;

use super::PeopleError;
use crate::language::expression::Duration;
use domain::time::Instant;
use events::lake::{Lake, LakeFile};
use events::stored::{EventColumn, StoredEvents};

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
    let rows: HashMap<&str, usize> =
        ids.iter().enumerate().filter_map(|(row, id)| Some((id?, row))).collect();
    let mut files = lake.files_within(as_of.plus(-longest), as_of);
    files.retain(|file: &&LakeFile| by_event.keys().any(|event| file.holds(event)));
    for file in files {
        let columns = [EventColumn::UserId, EventColumn::Name, EventColumn::Timestamp];
        add(&lake.events(file, &columns)?, &rows, &mut by_event, as_of);
    }
    let column = |counts| Int64Chunked::from_vec("count".into(), counts).into_series();
    let of_event = |(event, windows): (&str, Windows)| {
        let event = event.to_string();
        windows.into_iter().map(move |(within, counts)| (event.clone(), within, column(counts)))
    };
    Ok(by_event.into_iter().flat_map(of_event).collect())
}

fn add(
    events: &StoredEvents,
    rows: &HashMap<&str, usize>,
    by_event: &mut BTreeMap<&str, Windows>,
    as_of: Instant,
) {
    for event in events.iter().filter(|event| event.timestamp < as_of) {
        let Some(windows) = by_event.get_mut(event.name) else { continue };
        let Some(row) = rows.get(event.user_id) else { continue };
        let age = as_of.micros() - event.timestamp.micros();
        for (_, counts) in windows.iter_mut().filter(|(within, _)| age <= within.micros()) {
            counts[*row] += 1;
        }
    }
}
