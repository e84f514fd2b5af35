//! What the server keeps: the log of every decision it has given out.

pub mod batch_log;
pub mod decision_log;
pub mod log_files;
pub mod receipt;
pub mod whole_log;
