//! `[segments]`: answers about segments.

use serde::{Deserialize, Serialize};

use super::ranges::{BadSetting, whole_within};

/// `[segments]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentsConfig {
    /// Fewer people than this are not told to marketers.
    pub privacy_threshold: u64,
    /// Does the server give user ids in members and samples of segments?
    pub ids_over_http: bool,
}

impl SegmentsConfig {
    pub(super) fn check(&self) -> Result<(), BadSetting> {
        whole_within(&[("segments.privacy_threshold", self.privacy_threshold as i64, 0, 1_000_000)])
    }
}
