//! A world of which everything is known, exported as a person would, read back and judged by what is true in it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(unreachable_pub, reason = "the modules of a test binary are all its own")]

mod acts;
mod content;
mod export;
mod reader;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "shared by the test binaries that run smartpush")]
mod support;
mod truth;
mod world;

use std::path::PathBuf;

use world::{Size, World};

#[test]
#[ignore = "writes the full world into the folder that PLANTED_WORLD names"]
fn the_full_world_is_written_to_a_folder() {
    let folder = PathBuf::from(std::env::var_os("PLANTED_WORLD").expect("PLANTED_WORLD=FOLDER"));
    World::plant(Size::FULL).write(&folder);
}
