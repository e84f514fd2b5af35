//! Segments that are kept: versions, evaluations, uploaded lists.

pub mod evaluations;
pub mod upload;
pub mod versions;
