//! `[serve]`: the server.

use serde::{Deserialize, Serialize};

use super::ranges::{BadSetting, GIB, whole_within};

/// `[serve]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ServeConfig {
    /// Seconds between looks for changes.
    pub refresh_seconds: u64,
    /// Does an answer wait until its record is on the disk?
    pub sync_log: bool,
    /// Seconds that a request may take.
    pub request_timeout_seconds: u64,
    /// Seconds that a connection may be without a whole header.
    pub header_timeout_seconds: u64,
    /// Requests worked on at once.
    pub most_requests: usize,
    /// Connections open at once.
    pub most_connections: usize,
    /// Bytes of a body as sent.
    pub max_body_bytes: usize,
    /// Bytes of a body once decompressed.
    pub max_decoded_bytes: usize,
    /// Items of a batch.
    pub max_batch_items: usize,
}

impl ServeConfig {
    pub(super) fn check(&self) -> Result<(), BadSetting> {
        whole_within(&[
            ("serve.refresh_seconds", self.refresh_seconds as i64, 1, 86_400),
            ("serve.request_timeout_seconds", self.request_timeout_seconds as i64, 1, 3_600),
            ("serve.header_timeout_seconds", self.header_timeout_seconds as i64, 1, 3_600),
            ("serve.most_requests", self.most_requests as i64, 1, 1_000_000),
            ("serve.most_connections", self.most_connections as i64, 1, 1_000_000),
            ("serve.max_body_bytes", self.max_body_bytes as i64, 1, GIB),
            ("serve.max_decoded_bytes", self.max_decoded_bytes as i64, 1, GIB),
            ("serve.max_batch_items", self.max_batch_items as i64, 1, 1_000_000),
        ])
    }
}
