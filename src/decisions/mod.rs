//! Content, time and whether to push at all: one pure function from a context to a decision.

pub mod context;
pub mod scorer;
