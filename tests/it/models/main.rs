//! Models from end to end: goals, examples, training, the registry, scores, rankings, and what they are worth.

mod bad_models;
mod boosted;
mod drift;
mod evaluating;
mod gate;
mod goals;
mod handmade;
mod importing;
mod labels;
mod online;
mod point_in_time;
mod promoting;
mod recommending;
mod refreshing;
mod registry;
mod sampling;
mod scoring;
mod serving;
mod town;
mod training;
mod world;
