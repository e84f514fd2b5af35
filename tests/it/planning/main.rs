//! Plans: the solver against every possible plan, joint rules against a naive reading, whole plans against their promises.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(unreachable_pub, reason = "the modules of a test binary are all its own")]

#[path = "../support/clock.rs"]
#[allow(dead_code, reason = "shared with other test binaries")]
mod clock;
#[path = "../support/coded.rs"]
mod coded;
mod codes;
mod crowd;
mod many_lanes;
#[path = "../decisions/oracle.rs"]
#[allow(dead_code, reason = "shared with other test binaries")]
mod oracle;
mod solver;
mod together;
mod whole;
#[path = "../decisions/world.rs"]
#[allow(dead_code, reason = "shared with other test binaries")]
mod world;
