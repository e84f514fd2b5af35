//! What the server keeps: the log of every decision it has given out.

pub mod ack;
pub mod batch_log;
pub mod decision_log;
pub mod erasure;
mod log_error;
pub mod log_files;
pub mod log_index;
pub mod whole_log;
