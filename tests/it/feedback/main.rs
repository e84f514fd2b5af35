//! Attribution: golden cases, and a naive oracle.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(unreachable_pub, reason = "the modules of a test binary are all its own")]

mod attribution;
#[path = "../support/coded.rs"]
mod coded;
mod codes;
mod oracle;
mod world;
