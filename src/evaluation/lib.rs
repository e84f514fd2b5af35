//! Honest measurement: metrics, baselines, bootstrap intervals, coverage. Pure numerics over plain data.

pub mod agreement;
pub mod baselines;
pub mod bootstrap;
pub mod classification;
pub mod coverage;
pub mod delong;
pub mod off_policy;
pub mod ranking;
pub mod send_time;
pub mod stability;
pub mod uplift;
