//! Learning from profiles and events: when people can be reached, and how likely they respond.

pub mod calibration;
pub mod logistic;
mod parallel;
pub mod send_time;
