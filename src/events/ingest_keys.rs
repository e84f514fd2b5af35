//! Which events an ingest brought: their keys by day, in a file beside the lake.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::PathBuf;

use super::ingest_record::IngestRecord;
use domain::identity::{key_of, sha256_hex};
use domain::time::Day;
use files::tables::{self, TableError};
use files::workspace::Workspace;

/// First bytes of the file, with its version.
const MAGIC: &[u8; 8] = b"spkeys01";

/// The keys of the events that an ingest brought, by day.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct IngestKeys {
    days: BTreeMap<Day, Vec<u64>>,
}

/// The key of an event: of two million events on one day, two share one with a chance of 1 to ten million.
pub(super) fn event_key(message_id: &str) -> u64 {
    key_of(message_id) as u64
}

impl IngestKeys {
    pub(super) fn add_day(&mut self, day: Day, keys: Vec<u64>) {
        if !keys.is_empty() {
            self.days.insert(day, keys);
        }
    }

    /// The days with their keys.
    pub(super) fn days(&self) -> impl Iterator<Item = (Day, HashSet<u64>)> {
        self.days.iter().map(|(day, keys)| (*day, keys.iter().copied().collect()))
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for (day, keys) in &self.days {
            bytes.extend_from_slice(&day.0.to_le_bytes());
            bytes.extend_from_slice(&(keys.len() as u32).to_le_bytes());
            keys.iter().for_each(|key| bytes.extend_from_slice(&key.to_le_bytes()));
        }
        bytes
    }

    fn parse(bytes: &[u8]) -> Option<IngestKeys> {
        let mut rest = bytes.strip_prefix(MAGIC)?;
        let mut keys = IngestKeys::default();
        while let Some((head, tail)) = rest.split_at_checked(8) {
            let day = Day(i32::from_le_bytes(head[..4].try_into().ok()?));
            let count = u32::from_le_bytes(head[4..].try_into().ok()?) as usize;
            let (own, tail) = tail.split_at_checked(count.checked_mul(8)?)?;
            let key = |bytes: &[u8]| Some(u64::from_le_bytes(bytes.try_into().ok()?));
            keys.days.insert(day, own.chunks_exact(8).map(key).collect::<Option<_>>()?);
            rest = tail;
        }
        rest.is_empty().then_some(keys)
    }

    /// Writes the keys of an ingest, durably, and returns the file's sha256.
    pub(super) fn write(&self, workspace: &Workspace, id: &str) -> Result<String, TableError> {
        let bytes = self.to_bytes();
        tables::write_atomically(&keys_path(workspace, id), |file| file.write_all(&bytes))?;
        tables::sync_directory(&workspace.ingests())?;
        Ok(sha256_hex(&bytes))
    }

    /// Reads the keys of an ingest; `None` when the file is not the one that was written.
    pub(super) fn read(
        workspace: &Workspace,
        record: &IngestRecord,
    ) -> Result<Option<IngestKeys>, TableError> {
        let path = keys_path(workspace, &record.id);
        let bytes = fs::read(&path).map_err(TableError::io(&path))?;
        Ok((sha256_hex(&bytes) == record.sha256).then(|| IngestKeys::parse(&bytes)).flatten())
    }
}

pub(super) fn keys_path(workspace: &Workspace, id: &str) -> PathBuf {
    workspace.ingests().join(format!("{id}.keys"))
}
