//! `[ingest]`: how raw records become clean tables.

use serde::{Deserialize, Serialize};

use super::ranges::{BadSetting, CENTURY, GIB, whole_within};

/// `[ingest]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct IngestConfig {
    /// Rows of foreign Parquet decoded at a time.
    pub chunk_rows: usize,
    /// Largest record in bytes.
    pub max_record_bytes: usize,
    /// Memory of the staging buffers in MiB.
    pub staging_memory_mib: usize,
    /// Hours that a stamp may lie ahead of now.
    pub future_tolerance_hours: i64,
}

impl IngestConfig {
    pub(super) fn check(&self) -> Result<(), BadSetting> {
        whole_within(&[
            ("ingest.chunk_rows", self.chunk_rows as i64, 1, i64::MAX),
            ("ingest.max_record_bytes", self.max_record_bytes as i64, 1, GIB),
            ("ingest.staging_memory_mib", self.staging_memory_mib as i64, 0, 1 << 20),
            ("ingest.future_tolerance_hours", self.future_tolerance_hours, 0, CENTURY * 24),
        ])
    }
}
