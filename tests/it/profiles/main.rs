//! Profiles: what each feature means, that sums do not depend on order or splits, that the future is not seen.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(unreachable_pub, reason = "the modules of a test binary are all its own")]

mod cases;
#[path = "../support/coded.rs"]
mod coded;
mod codes;
mod golden;
mod oracle;
mod properties;
mod serving;
#[allow(dead_code, reason = "shared with other test binaries")]
mod world;
