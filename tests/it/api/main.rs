//! The server as a gateway meets it: the real binary on a temporary workspace, asked over HTTP.

mod answers;
mod bad_requests;
mod lifecycle;
mod logging;
mod previews;
mod segments;
pub(crate) mod server;
mod watching;
pub(crate) mod world;
