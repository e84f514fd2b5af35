//! The server as a gateway meets it: the real binary on a temporary workspace, asked over HTTP.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(unreachable_pub, reason = "the modules of a test binary are all its own")]

mod answers;
mod bad_requests;
mod lifecycle;
mod logging;
mod previews;
mod retries;
mod segments;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "shared by the test binaries that run smartpush")]
mod support;
mod waiting;
mod watching;
mod wire;
