//! Models from end to end: goals, examples, training, the registry, scores, rankings, and what they are worth.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(unreachable_pub, reason = "the modules of a test binary are all its own")]

mod bad_models;
mod boosted;
mod codes;
mod drift;
mod evaluating;
mod gate;
mod goals;
mod handmade;
mod importing;
mod labels;
mod neighbours;
mod online;
mod point_in_time;
mod promoting;
mod recommending;
mod refreshing;
#[path = "../registry/mod.rs"]
mod registry;
mod sampling;
mod scoring;
mod serving;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "shared by the test binaries that run smartpush")]
mod support;
mod tables;
mod town;
mod training;
mod world;
