//! What became of decisions: the exports, the command, and replay of a whole log.

mod command;
mod erasing;
mod log;
mod policies;
mod replaying;
mod reports;
mod world;
