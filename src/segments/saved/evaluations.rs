//! Who was in a saved segment when it was last looked at: member lists by moment and version, and what changed since.

use std::fs;
use std::path::PathBuf;

use crate::saved::versions::{Card, SavedError, damaged, names_in, read_ids, write_ids};
use domain::time::Instant;
use files::tables::TableError;
use files::workspace::WriteLock;

/// Evaluations kept of a segment; older ones are removed.
const MOST_KEPT: usize = 30;

/// A moment and the version that was evaluated at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// The moment of the profiles.
    pub as_of: Instant,
    /// The version of the segment.
    pub version: String,
}

/// What differs from an earlier evaluation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MembershipChange {
    /// The earlier one.
    pub since: Evaluation,
    /// Ids that were not in it, sorted.
    pub entered: Vec<String>,
    /// Ids that were in it and no longer are, sorted.
    pub left: Vec<String>,
}

/// The kept evaluations of one segment.
#[derive(Clone, Debug)]
pub struct Evaluations {
    directory: PathBuf,
}

impl Evaluations {
    /// Those in a directory, which need not exist.
    pub fn of(directory: PathBuf) -> Evaluations {
        Evaluations { directory }
    }

    /// What changed since the newest evaluation before this one: of an earlier moment, or of the same moment by a version that
    /// counted before; `None` when there is none.
    ///
    /// # Errors
    /// When a kept list cannot be read.
    pub fn change(
        &self,
        card: &Card,
        present: &Evaluation,
        members: &[String],
    ) -> Result<Option<MembershipChange>, SavedError> {
        let rank = |version: &str| card.history.iter().rposition(|saving| saving.version == version);
        let key = |one: &Evaluation| (one.as_of, rank(&one.version));
        let earlier = self.kept()?.into_iter().filter(|one| key(one) < key(present));
        let Some(since) = earlier.max_by_key(key) else { return Ok(None) };
        let before = read_ids(&self.path(&since))?;
        let (entered, left) = (missing_from(members, &before), missing_from(&before, members));
        Ok(Some(MembershipChange { since, entered, left }))
    }

    /// Keeps the members, sorted, as an evaluation.
    ///
    /// # Errors
    /// When the file cannot be written, or those that are kept cannot be read.
    pub fn keep(
        &self,
        present: &Evaluation,
        members: &[String],
        _lock: &WriteLock,
    ) -> Result<(), SavedError> {
        write_ids(&self.path(present), members)?;
        let mut kept = self.kept()?;
        kept.sort_by_key(|one| one.as_of);
        let surplus = kept.len().saturating_sub(MOST_KEPT);
        for old in kept.iter().take(surplus).filter(|old| *old != present) {
            let path = self.path(old);
            fs::remove_file(&path).map_err(TableError::io(&path))?;
        }
        Ok(())
    }

    fn path(&self, evaluation: &Evaluation) -> PathBuf {
        let Evaluation { as_of, version } = evaluation;
        self.directory.join(format!("as_of={}.version={version}.parquet", as_of.file_name()))
    }

    /// All of them, in no order. A file of ours with an unreadable name is an error: leaving it out would report another change.
    fn kept(&self) -> Result<Vec<Evaluation>, SavedError> {
        let names = names_in(&self.directory)?;
        let ours = names.iter().filter(|name| name.starts_with("as_of=") && name.ends_with(".parquet"));
        let evaluation = |name: &String| {
            parse_name(name).ok_or_else(|| {
                damaged(&self.directory.join(name), "its name has no moment and version that can be read")
            })
        };
        ours.map(evaluation).collect()
    }
}

fn parse_name(name: &str) -> Option<Evaluation> {
    let name = name.strip_prefix("as_of=")?.strip_suffix(".parquet")?;
    let (as_of, version) = name.split_once(".version=")?;
    Some(Evaluation { as_of: Instant::parse_file_name(as_of)?, version: version.to_string() })
}

/// Those of the first that the second lacks; both sorted.
fn missing_from(ids: &[String], others: &[String]) -> Vec<String> {
    ids.iter().filter(|id| others.binary_search(id).is_err()).cloned().collect()
}
