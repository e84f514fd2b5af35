//! Operations as commands and the API call them: typed requests, typed reports and errors.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(unreachable_pub, reason = "the modules of a test binary are all its own")]

mod damage;
mod fixture;
mod saving;
