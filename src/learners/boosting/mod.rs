//! Gradient-boosted trees for two classes as a linfa estimator: histograms in integers, leaf-wise growth.
//!
//! The method is Friedman's (2001) with the second-order gain of XGBoost (Chen and Guestrin 2016) and the histograms
//! and leaf-wise growth of LightGBM (Ke and others 2017). Gradients are summed as integers, so that the order of
//! rows, and with it the number of threads, changes nothing: the same data, parameters and seed give the same bits.
//!
//! The folder needs linfa, ndarray, libm, rand_chacha, serde and thiserror, and nothing of the crate around it.
//!
//! ```ignore
//! let model = GradientBoosting::params().trees(200).monotone(vec![1, 0, -1]).fit(&dataset)?;
//! let probabilities = model.predict_probabilities(&records)?;
//! ```

mod contributions;
mod cuts;
mod error;
mod fit;
mod grow;
mod grown;
mod histogram;
mod model;
mod parameters;
mod rows;
mod shard;
mod split;
mod team;

pub use contributions::Contributions;
pub use error::BoostingError;
pub use model::GradientBoosting;
pub use parameters::{GradientBoostingParams, GradientBoostingValidParams};
