//! Segments from the command line.

mod audiences;
mod damaged;
mod exporting;
mod lookalike;
mod privacy;
mod ready_made;
mod rhythms;
mod saved;
