//! Learning from profiles and events: when people can be reached.

mod parallel;
pub mod send_time;
