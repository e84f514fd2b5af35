//! The invariants of the source tree, and one campaign as five products would send it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(unreachable_pub, reason = "the modules of a test binary are all its own")]

mod architecture;
mod codes;
mod event_names;
mod products;
#[allow(dead_code, reason = "shared by the test binaries that run smartpush")]
mod support;
