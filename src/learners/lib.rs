//! Arrays in, numbers out: the estimators, which know nothing of users, goals or files.

pub mod boosting;
pub mod calibration;
mod centred;
pub mod ftrl;
pub mod logistic;
pub mod uplift;
