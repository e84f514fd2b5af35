//! The server as an operator meets it: the real binary, its signals, its log, and what it notices while it runs.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(unreachable_pub, reason = "the modules of a test binary are all its own")]

mod lifecycle;
mod logging;
mod segments;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "shared by the test binaries that run smartpush")]
mod support;
mod watching;
