//! Our files: tables read and written whole, and where things lie in a workspace.

pub mod erasure;
pub mod tables;
pub mod workspace;
