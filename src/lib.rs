//! smartpush: what to push to a user, when, and whether to push at all.
//!
//! One sentence: *events → profiles → models → decisions → delivery → feedback events*. The folders are that
//! sentence; each imports only folders written above it here:
//!
//! `domain` → `parallel` → `config` → `tables` → `workspace` → `evaluation` → `decisions` → `storage` → `events` → `profiles` →
//! `models` → `segments` → `feedback` → `planning` → `engine` → `simulation` → `operations` → `api` → `commands`.
//!
//! Invariants, each held by a test or the compiler:
//! * `now` is an argument everywhere below `commands` and `api`; no clock, no unseeded randomness.
//! * Features, curves and model inputs are *as of* T: they use events with `timestamp < T` only.
//! * A model input is computed by one function for training and for serving.
//! * `decisions` does no I/O, reads no clock and cannot fail: the same context and model give the same bytes.
//! * linfa stays in `models`, axum in `api`, async in `api` and `commands::serve`.
//! * Accumulators are integers, so sums do not depend on order, threads or splits; files are written sorted.
//!   Equal input gives equal bytes.
//! * read = accepted + duplicate + rejected, and a rejected record is kept with its reason.
//! * A file appears whole or not at all; the lake changes by one rename of its manifest.
//! * polars stays in `tables`, `events`, `profiles`, `models`, `segments`, `feedback` and `planning`.

// What is printed goes through `commands::output`: a reader that has gone away is no reason to panic.
#![deny(clippy::print_stdout)]

pub mod api;
pub mod commands;
pub mod config;
pub mod decisions;
pub mod domain;
pub mod engine;
pub mod evaluation;
pub mod events;
pub mod feedback;
pub mod models;
pub mod operations;
mod parallel;
pub mod planning;
pub mod profiles;
pub mod segments;
pub mod simulation;
pub mod storage;
pub mod tables;
pub mod workspace;
