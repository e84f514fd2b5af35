//! The HTTP API as a gateway meets it, served by this process on a temporary workspace.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(unreachable_pub, reason = "the modules of a test binary are all its own")]

mod answers;
mod bad_requests;
mod previews;
mod retries;
#[allow(dead_code, reason = "shared with the test binaries that run smartpush")]
mod support;
mod waiting;
mod wire;
