//! `[planning]`: plans for whole audiences.

use serde::{Deserialize, Serialize};

use super::ranges::{BadSetting, whole_within, within};

/// `[planning]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PlanningConfig {
    /// Most sends of all campaigns in a minute; 0: no limit.
    pub throttle_per_minute: u32,
    /// Most sends of all campaigns in an hour (UTC); 0: no limit.
    pub most_per_hour: u32,
    /// What reaching a person counts beside what is expected of the push, as a share of the mean best option's value.
    pub reach: f64,
    /// Parts that the hand-off is cut into, by user.
    pub shards: u32,
    /// Seed: in which order users are served when they are worth the same.
    pub seed: u64,
}

impl PlanningConfig {
    pub(super) fn check(&self) -> Result<(), BadSetting> {
        whole_within(&[
            ("planning.throttle_per_minute", self.throttle_per_minute.into(), 0, u32::MAX.into()),
            ("planning.most_per_hour", self.most_per_hour.into(), 0, u32::MAX.into()),
            ("planning.shards", self.shards.into(), 1, 1_024),
        ])?;
        within(&[("planning.reach", self.reach, 0.0, 1e3)])
    }
}
