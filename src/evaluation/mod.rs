//! Honest measurement: metrics, baselines, bootstrap intervals, coverage. Pure numerics over plain data.

pub mod baselines;
pub mod bootstrap;
pub mod coverage;
pub mod send_time;
