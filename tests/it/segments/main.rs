//! Segments: text, tree and JSON are one, both evaluators agree with a naive one, and nothing hostile gets through.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(unreachable_pub, reason = "the modules of a test binary are all its own")]

#[path = "../support/coded.rs"]
mod coded;
mod codes;
mod errors;
mod frame;
mod hostile;
mod oracle;
mod reach;
mod round_trips;
mod selections;
mod town;
mod trees;
mod within;
