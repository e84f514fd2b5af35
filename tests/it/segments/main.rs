//! Segments: text, tree and JSON are one, both evaluators agree with a naive one, and nothing hostile gets through.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(unreachable_pub, reason = "the modules of a test binary are all its own")]

mod errors;
mod frame;
mod hostile;
mod oracle;
mod round_trips;
mod town;
mod trees;
mod within;
