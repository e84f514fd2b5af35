//! `[ingest]`: how raw records become clean tables.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use super::ranges::{BadSetting, CENTURY, GIB, bad, whole_within, within};
use domain::identity::{NOT_AN_ID, is_valid_id};

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
    /// Their names of events → ours, `other` or `own`.
    pub map_events: BTreeMap<String, String>,
    /// Names of events that are no acts of the user's own.
    pub not_own_acts: Vec<String>,
    /// Share of the records that may be rejected: `0.1` or `"10%"`.
    #[serde(deserialize_with = "share")]
    pub most_rejected: f64,
}

/// Reads a share: `10%` or `0.1`; `None` when it is neither, or not from 0 to 1.
pub fn parse_share(text: &str) -> Option<f64> {
    let text = text.trim();
    let share = match text.strip_suffix('%') {
        Some(percent) => percent.trim().parse::<f64>().ok()? / 100.0,
        None => text.parse().ok()?,
    };
    (0.0..=1.0).contains(&share).then_some(share)
}

fn share<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(f64),
        Text(String),
    }
    match Written::deserialize(deserializer)? {
        Written::Number(share) => Ok(share),
        Written::Text(text) => parse_share(&text)
            .ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no share such as 10% or 0.1"))),
    }
}

impl IngestConfig {
    pub(super) fn check(&self) -> Result<(), BadSetting> {
        within(&[("ingest.most_rejected", self.most_rejected, 0.0, 1.0)])?;
        let is_name = |name: &&String| is_valid_id(name.trim());
        let refused = |key: &str, name: &String| Err(bad(key, format!("{name:?} {NOT_AN_ID}")));
        if let Some(name) =
            self.map_events.iter().flat_map(|pair| [pair.0, pair.1]).find(|name| !is_name(name))
        {
            return refused("ingest.map_events", name);
        }
        if let Some(name) = self.not_own_acts.iter().find(|name| !is_name(name)) {
            return refused("ingest.not_own_acts", name);
        }
        whole_within(&[
            ("ingest.chunk_rows", self.chunk_rows as i64, 1, i64::MAX),
            ("ingest.max_record_bytes", self.max_record_bytes as i64, 1, GIB),
            ("ingest.staging_memory_mib", self.staging_memory_mib as i64, 0, 1 << 20),
            ("ingest.future_tolerance_hours", self.future_tolerance_hours, 0, CENTURY * 24),
        ])
    }
}
