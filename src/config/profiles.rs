//! `[profiles]`: how events become profiles.

use serde::{Deserialize, Serialize};

use super::ranges::{BadSetting, bad, whole_within};

/// `[profiles]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ProfilesConfig {
    /// Days.
    pub interest_half_life_days: f64,
    /// Days.
    pub rhythm_half_life_days: f64,
    /// Days.
    pub fatigue_half_life_days: f64,
    /// Entries kept of each list feature.
    pub longest_list: usize,
    /// Pseudo-count of the smoothed rates.
    pub rate_prior_pushes: f64,
}

impl ProfilesConfig {
    /// Ranges that types cannot express; the key is named in full.
    ///
    /// # Errors
    /// The first setting that is out of range.
    pub fn check(&self) -> Result<(), BadSetting> {
        whole_within(&[("profiles.longest_list", self.longest_list as i64, 1, 1_000)])?;
        let positive = [
            ("profiles.interest_half_life_days", self.interest_half_life_days),
            ("profiles.rhythm_half_life_days", self.rhythm_half_life_days),
            ("profiles.fatigue_half_life_days", self.fatigue_half_life_days),
            ("profiles.rate_prior_pushes", self.rate_prior_pushes),
        ];
        match positive.into_iter().find(|(_, value)| !value.is_finite() || *value <= 0.0) {
            Some((key, value)) => Err(bad(key, format!("{value} is not a positive number"))),
            None => Ok(()),
        }
    }
}
