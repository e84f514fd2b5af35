//! Anybody's log: one row an action, with its probability and its reward.

use std::path::Path;

use super::{ACTION, ACTION_PROBABILITY, DECISION, POSITION, REWARD, ReadLog, ReadRow, Reading, USER};
use crate::numbered::NumberedNames;
use events::foreign::ForeignRows;
use events::formats::InputError;

/// Reads a CSV or Parquet file, gzipped or not.
pub(super) fn read(path: &Path, reading: &Reading) -> Result<ReadLog, InputError> {
    let rows = ForeignRows::open(path, reading.names, reading.scratch)?;
    let (action, reward) = (rows.need(&ACTION)?, rows.need(&REWARD)?);
    let probability = rows.need(&ACTION_PROBABILITY)?;
    let (position, user, decision) = (rows.find(&POSITION), rows.find(&USER), rows.find(&DECISION));
    let (mut log, mut users) = (ReadLog::default(), NumberedNames::default());
    rows.each(|line| {
        let name = |source: &Option<_>| source.as_ref().map(|source| line.name(source)).transpose();
        let position = name(&position)?.unwrap_or_default();
        // Without users every row is a unit of its own.
        let unit = match name(&user)? {
            Some(user) => users.number(&user),
            None => log.rows.len() as u32,
        };
        log.decisions.extend(name(&decision)?.map(|name| name.into_owned()));
        log.rows.push(ReadRow {
            action: log.actions.number(&line.name(&action)?),
            position: log.positions.number(&position),
            unit,
            action_probability: line.probability(&probability, true)?,
            reward: line.number(&reward)?,
        });
        Ok(())
    })?;
    log.units = if user.is_some() { users.names.len() } else { log.rows.len() };
    match log.rows.is_empty() {
        true => Err(InputError::new("no_rows", path, "the log holds no row to learn from")),
        false => Ok(log),
    }
}
