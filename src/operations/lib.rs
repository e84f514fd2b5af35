//! One file for each use case: a typed request in, a typed report or error out, progress as an argument.
//!
//! Commands and the API parse, call one operation, and print or answer. The order of steps, the workspace's lock and the
//! choice of a model are here and nowhere else.

pub mod context;
pub mod demo;
pub mod drift;
pub mod erase;
pub mod evaluate;
pub mod evaluate_lift;
pub mod evaluate_policy;
pub mod examples;
pub mod health;
pub mod import;
pub mod ingest;
pub mod ingests;
mod material;
pub mod models;
pub mod outcomes;
pub mod plan;
pub mod preview;
pub mod profile;
pub mod promote;
pub mod recommend;
pub mod refresh;
pub mod replay;
pub mod score;
mod scratch;
pub mod segments;
pub mod send_times;
pub mod serve;
pub mod shadow;
pub mod simulate;
pub mod table;
pub mod train;
