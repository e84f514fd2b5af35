//! Segments: text, tree and JSON are one, both evaluators agree with a naive one, and nothing hostile gets through.

mod audiences;
mod errors;
mod exporting;
mod frame;
mod hostile;
mod lookalike;
mod oracle;
mod privacy;
mod ready_made;
mod rhythms;
mod round_trips;
pub(crate) mod saved;
mod town;
mod trees;
mod within;
