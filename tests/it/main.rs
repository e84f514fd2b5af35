//! The one integration test binary: polars is linked once, and every test file is a module of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(unreachable_pub, reason = "the modules of a test binary are all its own")]

mod agreement;
mod architecture;
mod bad_input;
mod boosting;
mod calibration;
mod classification;
mod command_line;
mod config;
mod crashes;
mod decisions;
mod delong;
mod domain;
mod engine;
mod evaluate_lift;
mod evaluate_policy;
mod evaluation;
mod feedback;
mod ftrl;
mod ingest_properties;
mod ingesting;
mod intervals;
mod logistic;
mod models;
mod mutations;
mod off_policy;
mod planning;
mod products;
mod profiles;
mod ranking;
mod response;
mod same_bytes;
mod segments;
mod send_time;
mod send_time_commands;
mod serve;
mod simulation;
mod stability;
mod support;
mod synthetic;
mod templates;
mod uplift;
mod upserts;
mod warnings;
