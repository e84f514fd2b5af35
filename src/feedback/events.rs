//! The lake's events in the order in which attribution takes them, one day in memory at a time.

use std::path::Path;

use polars::prelude::*;

use super::FeedbackError;
use super::attribution::{Attributor, FeedbackEvent, rank};
use ::events::lake::Lake;
use domain::time::Instant;
use files::tables::TableError;

/// What attribution reads of an event.
const COLUMNS: [&str; 8] =
    ["message_id", "user_id", "event", "timestamp", "value", "content_id", "campaign_id", "decision_id"];

/// Gives the lake's events from `from` on and before `until` to an attributor.
///
/// # Errors
/// When a file of the lake cannot be read.
pub fn absorb_all(
    lake: &Lake,
    from: Instant,
    until: Instant,
    attributor: &mut Attributor,
) -> Result<(), FeedbackError> {
    for file in lake.files_before(until).into_iter().filter(|file| file.last_micros >= from.micros()) {
        let frame = lake.read(file, Some(&COLUMNS))?;
        absorb_day(&frame, until, attributor).map_err(TableError::parquet(Path::new(&file.path)))?;
    }
    Ok(())
}

/// Days follow one another; within a day the events of a user are put in order.
fn absorb_day(frame: &DataFrame, until: Instant, attributor: &mut Attributor) -> PolarsResult<()> {
    let text = |name: &str| frame.column(name)?.str();
    let (ids, users, names) = (text("message_id")?, text("user_id")?, text("event")?);
    let (contents, campaigns, decisions) = (text("content_id")?, text("campaign_id")?, text("decision_id")?);
    let (stamps, values) = (frame.column("timestamp")?.datetime()?.physical(), frame.column("value")?.f64()?);
    let event = |row: usize| {
        Some(FeedbackEvent {
            user_id: users.get(row)?,
            name: names.get(row)?,
            at: Instant::from_micros(stamps.get(row)?),
            decision_id: decisions.get(row),
            campaign_id: campaigns.get(row),
            content_id: contents.get(row),
            value: values.get(row),
        })
    };
    let mut events: Vec<(FeedbackEvent, &str)> = (0..frame.height())
        .filter_map(|row| Some((event(row)?, ids.get(row)?)))
        .filter(|(event, _)| event.at < until && attributor.is_concerned(event.user_id, event.decision_id))
        .collect();
    events.sort_unstable_by_key(|(event, id)| (event.user_id, event.at, rank(event.name), *id));
    events.iter().for_each(|(event, _)| attributor.absorb(event));
    Ok(())
}
