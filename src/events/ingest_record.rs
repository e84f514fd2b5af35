//! One ingest as the lake's manifest remembers it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use domain::time::Instant;

/// One ingest that brought something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IngestRecord {
    /// The moment and a digest: `20171201T050000.000000Z-1a2b3c4d`.
    pub id: String,
    /// When it ran.
    pub at: Instant,
    /// What the files held: `events`, `users`, `contents` or `campaigns`.
    pub kind: String,
    /// The files.
    pub files: Vec<String>,
    /// How they were read, as on the command line: `time_zone`, `map`.
    pub options: BTreeMap<String, String>,
    /// Records in the files.
    pub read: u64,
    /// New to the workspace.
    pub accepted: u64,
    /// Known before.
    pub duplicate: u64,
    /// Not taken.
    pub rejected: u64,
    /// Of the file that undoing needs: the keys of the events, or the table that the ingest wrote.
    pub sha256: String,
    /// Of the table before the ingest; `None` of events, and when there was no table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former_sha256: Option<String>,
    /// Is what its rows said kept, so that the table can be made again without them? Of events, no.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keeps_rows: bool,
    /// When it was undone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undone_at: Option<Instant>,
}

impl IngestRecord {
    /// Does it still count?
    pub fn is_in_force(&self) -> bool {
        self.undone_at.is_none()
    }

    /// Did it bring events?
    pub fn is_of_events(&self) -> bool {
        self.kind == "events"
    }
}
