//! Inputs of real use that once went wrong, each with the answer that is right: one file a case, its inputs beside it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(unreachable_pub, reason = "the modules of a test binary are all its own")]

mod case_01;
mod case_02;
mod case_03;
mod case_03_plans;
mod case_05;
mod case_06;
mod case_07;
mod case_08;
mod case_09;
mod case_11;
mod case_12;
mod case_13;
mod case_14;
mod case_15;
mod case_17;
mod case_19;
mod case_21;
mod case_24;
mod files;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "shared by the test binaries that run smartpush")]
mod support;
