//! Inputs of real use that once went wrong, each with the answer that is right: one file a case, its inputs beside it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(unreachable_pub, reason = "the modules of a test binary are all its own")]

mod case_24;
mod files;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "shared by the test binaries that run smartpush")]
mod support;
