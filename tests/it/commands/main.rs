//! The commands, run as a person runs them: the binary on temporary workspaces.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(unreachable_pub, reason = "the modules of a test binary are all its own")]

mod bad_input;
mod command_line;
mod crashes;
#[path = "../engine/mod.rs"]
mod engine;

mod evaluate_lift;
mod evaluate_policy;
mod example_files;
mod exit_codes;
mod feedback;
mod ingest_properties;
mod mutations;
mod not_supported;
mod payloads;
mod plan;
mod plan_audiences;
mod plan_forecasts;
mod profile_bytes;
mod same_bytes;
mod sample_decisions;
mod segment;
mod send_time_commands;
#[path = "../simulation/mod.rs"]
mod simulation;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "shared by the test binaries that run smartpush")]
mod support;
mod templates;
mod undoing;
mod unreadable_contents;
mod upserts;
