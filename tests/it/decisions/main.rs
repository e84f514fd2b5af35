//! Decisions: what is pushed when and why, that no rule is ever broken, that the same question has the same answer.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(unreachable_pub, reason = "the modules of a test binary are all its own")]

#[path = "../support/clock.rs"]
#[allow(dead_code, reason = "shared with other test binaries")]
mod clock;
mod explaining;
mod fatigue;
mod golden;
mod oracle;
mod previews;
mod properties;
mod reach;
mod send_slots;
mod trying;
mod world;
