//! Goals: examples and their inputs, training, scores, rankings, drift.

pub mod drift;
pub mod evaluate;
pub mod evidence;
pub mod examples;
pub mod inputs;
pub mod lookalike;
pub mod material;
pub mod measure;
pub mod recipe;
pub mod recommend;
pub mod score;
pub mod table;
pub mod timeline;
pub mod train;
