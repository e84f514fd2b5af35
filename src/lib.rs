//! smartpush: what to push to a user, when, and whether to push at all.
//!
//! One sentence: *events → profiles → models → decisions → delivery → feedback events*. The folders of `src` are that
//! sentence; each is a crate, and the compiler holds their order: a crate depends only on crates written above it here.
//! This package is the binary and a facade over them.
//!
//! Invariants, each held by a test or the compiler:
//! * `now` is an argument everywhere below `commands` and `api`; no clock, no unseeded randomness.
//! * Features, curves and model inputs are *as of* T: they use events with `timestamp < T` only.
//! * A model input is computed by one function for training and for serving.
//! * `decisions` does no I/O, reads no clock and cannot fail: the same context and model give the same bytes.
//! * linfa stays in `learners`, `response` and `models`, axum in `api`, async in `api` and `commands::serve`.
//! * Accumulators are integers, so sums do not depend on order, threads or splits; files are written sorted.
//!   Equal input gives equal bytes.
//! * read = accepted + duplicate + rejected, and a rejected record is kept with its reason.
//! * A file appears whole or not at all; the lake changes by one rename of its manifest.

pub use api;
pub use commands;
pub use config;
pub use curves;
pub use decisions;
pub use domain;
pub use engine;
pub use evaluation;
pub use events;
pub use feedback;
pub use files;
pub use learners;
pub use models;
pub use operations;
pub use parallel;
pub use planning;
pub use profiles;
pub use registry;
pub use response;
pub use segments;
pub use simulation;
pub use store;
