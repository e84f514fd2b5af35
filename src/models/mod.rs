//! Learning from profiles and events: when people can be reached, what they will do, what they will like.

pub mod boosting;
pub mod calibration;
pub mod card;
pub mod drift;
pub mod evaluate;
pub mod examples;
pub mod ftrl;
pub mod gate;
pub mod inputs;
pub mod logistic;
pub mod lookalike;
pub mod material;
pub mod model;
pub mod recipe;
pub mod recommend;
pub mod registry;
pub mod response;
pub mod score;
pub mod send_time;
pub mod timeline;
pub mod train;
pub mod uplift;
