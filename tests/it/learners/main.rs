//! Estimators: beside reference implementations, on any number of threads, and against bad input.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(unreachable_pub, reason = "the modules of a test binary are all its own")]

mod boosting;
mod calibration;
#[path = "../support/coded.rs"]
mod coded;
mod codes;
#[path = "../support/figures.rs"]
#[allow(dead_code, reason = "shared with other test binaries")]
mod figures;
mod ftrl;
mod logistic;
mod uplift;
