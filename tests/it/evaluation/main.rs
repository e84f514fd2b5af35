//! Figures: each against hand-made values, an oracle, or those of another library.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(unreachable_pub, reason = "the modules of a test binary are all its own")]

mod agreement;
mod classification;
mod clustered_lift;
#[path = "../support/coded.rs"]
mod coded;
mod codes;
mod delong;
#[path = "../support/draws.rs"]
#[allow(dead_code, reason = "shared with other test binaries")]
mod draws;
#[path = "../support/figures.rs"]
#[allow(dead_code, reason = "shared with other test binaries")]
mod figures;
mod off_policy;
mod ranking;
mod send_time;
mod stability;
