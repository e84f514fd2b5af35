//! Send-time curves: their parts by hand, on made-up people with known rhythms, and their intervals.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(unreachable_pub, reason = "the modules of a test binary are all its own")]

#[path = "../support/coded.rs"]
mod coded;
mod codes;
mod cuts;
#[path = "../support/draws.rs"]
#[allow(dead_code, reason = "shared with other test binaries")]
mod draws;
mod intervals;
mod send_time;
mod synthetic;
#[path = "../profiles/world.rs"]
#[allow(dead_code, reason = "shared with other test binaries")]
mod world;
