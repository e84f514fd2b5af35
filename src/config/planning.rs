//! `[planning]`: plans for whole audiences.

use serde::{Deserialize, Serialize};

use super::ranges::{BadSetting, whole_within, within};

/// `[planning]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PlanningConfig {
    /// Most sends of all campaigns in a minute; absent: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttle_per_minute: Option<u32>,
    /// Most sends of all campaigns in an hour (UTC); absent: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most_per_hour: Option<u32>,
    /// What reaching a person counts beside what is expected of the push, as a share of the mean best option's value.
    pub reach: f64,
    /// Parts that the hand-off is cut into, by user.
    pub shards: u32,
    /// Seed: in which order users are served when they are worth the same.
    pub seed: u64,
}

impl PlanningConfig {
    pub(super) fn check(&self) -> Result<(), BadSetting> {
        whole_within(&[("planning.shards", self.shards.into(), 1, 1_024)])?;
        within(&[("planning.reach", self.reach, 0.0, 1e3)])
    }
}
