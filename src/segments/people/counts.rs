//! How many events of a name each person has in a window, out of the lake.

use std::collections::HashMap;
use std::path::Path;

use polars::prelude::*;

use super::PeopleError;
use crate::domain::time::Instant;
use crate::events::lake::{Lake, LakeFile};
use crate::segments::expression::Duration;
use crate::tables::TableError;

/// Events named `event` in `[as_of − within, as_of)` by person, in the order of `ids`; 0 without any.
pub(super) fn count(
    lake: &Lake,
    ids: &StringChunked,
    event: &str,
    within: Duration,
    as_of: Instant,
) -> Result<Series, PeopleError> {
    let rows: HashMap<&str, usize> =
        ids.iter().enumerate().filter_map(|(row, id)| Some((id?, row))).collect();
    let (from, until) = (as_of.plus(-within.micros()).micros(), as_of.micros());
    let mut counts = vec![0_i64; ids.len()];
    let touches = |file: &&LakeFile| file.last_micros >= from && file.events.contains_key(event);
    for file in lake.files_before(as_of).into_iter().filter(touches) {
        let frame = lake.read(file, Some(&["user_id", "event", "timestamp"]))?;
        let mut add = || -> PolarsResult<()> {
            let (users, events) = (frame.column("user_id")?.str()?, frame.column("event")?.str()?);
            let stamps = frame.column("timestamp")?.datetime()?.physical();
            for ((user, name), stamp) in users.iter().zip(events.iter()).zip(stamps.iter()) {
                let is_within = stamp.is_some_and(|stamp| (from..until).contains(&stamp));
                let row = user.filter(|_| is_within && name == Some(event)).and_then(|user| rows.get(user));
                if let Some(row) = row {
                    counts[*row] += 1;
                }
            }
            Ok(())
        };
        add().map_err(TableError::parquet(Path::new(&file.path)))?;
    }
    Ok(Int64Chunked::from_vec("count".into(), counts).into_series())
}
