//! What became of decisions: attribution, the exports, the command, and replay of a whole log.

mod attribution;
mod command;
mod log;
mod oracle;
mod policies;
mod replaying;
mod world;
