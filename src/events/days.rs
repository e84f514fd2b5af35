//! One day of the lake written anew: from its events, or without some of them.

use std::collections::BTreeMap;
use std::path::Path;

use super::lake::{Lake, LakeFile};
use super::records::{Event, events_of, frame_of};
use super::stored::EventColumn;
use domain::time::Day;
use files::tables::TableError;

/// What is left of a day: a new file, no event at all, or the file as it was.
pub(super) enum DayWithout {
    Unchanged,
    Emptied(u64),
    Rewritten(LakeFile, u64),
}

/// Writes a day's file from its events, which may be in any order.
pub(super) fn write_events(
    lake: &Lake,
    day: Day,
    events: &[(Event<'_>, u64)],
) -> Result<LakeFile, TableError> {
    // References are sorted: an event is as large as twenty of them.
    let mut sorted: Vec<&(Event<'_>, u64)> = events.iter().collect();
    sorted.sort_unstable_by(|(a, _), (b, _)| a.order().cmp(&b.order()));
    let mut names: BTreeMap<String, u64> = BTreeMap::new();
    for (event, _) in events {
        match names.get_mut(event.name.as_ref()) {
            Some(count) => *count += 1,
            None => {
                names.insert(event.name.to_string(), 1);
            }
        }
    }
    let in_day = |error| TableError::parquet(Path::new(&format!("date={day}")))(error);
    let frame = frame_of(&sorted).map_err(in_day)?;
    lake.write_day(day, frame, names)
}

/// Writes a day's file without the events that are gone; how many those are comes with it.
pub(super) fn write_without(
    lake: &Lake,
    file: &LakeFile,
    is_gone: impl Fn(&Event<'_>) -> bool,
) -> Result<DayWithout, TableError> {
    let stored = lake.events(file, &EventColumn::ALL)?;
    let mut events = events_of(&stored);
    let before = events.len();
    events.retain(|(event, _)| !is_gone(event));
    let removed = (before - events.len()) as u64;
    let Some(day) = Day::parse(&file.date).filter(|_| removed > 0) else { return Ok(DayWithout::Unchanged) };
    if events.is_empty() {
        return Ok(DayWithout::Emptied(removed));
    }
    Ok(DayWithout::Rewritten(write_events(lake, day, &events)?, removed))
}
