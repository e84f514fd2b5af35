//! A world of which everything is known, exported as a person would, read back and judged by what is true in it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(unreachable_pub, reason = "the modules of a test binary are all its own")]

mod acts;
mod content;
mod export;
mod proofs;
mod reader;
mod rounds;
#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "shared by the test binaries that run smartpush")]
mod support;
mod town;
mod truth;
mod world;

use std::path::PathBuf;
use std::sync::LazyLock;

use town::Town;
use world::{Size, World};

/// Who is in the segment of the fresh contents: gold alone, 300 pushes, would be too few to judge by.
const EVERYBODY: &str = "tier is known";

/// The small world.
static SMALL: LazyLock<(World, Town)> = LazyLock::new(|| planted(Size::SMALL, EVERYBODY));

/// The full world, for the tests that are run on demand.
static FULL: LazyLock<(World, Town)> = LazyLock::new(|| planted(Size::FULL, EVERYBODY));

fn planted(size: Size, gold: &str) -> (World, Town) {
    let mut world = World::plant(size);
    let town = Town::of(&mut world, gold);
    (world, town)
}

/// A proof on the small world in every run, and on the full one on demand.
macro_rules! proof {
    ($name:ident, $full:ident, $proof:path) => {
        #[test]
        fn $name() {
            $proof(&SMALL.0, &SMALL.1);
        }

        #[test]
        #[ignore = "the full world: about 785,000 events"]
        fn $full() {
            $proof(&FULL.0, &FULL.1);
        }
    };
}

proof!(every_row_is_accounted_for, every_row_of_the_full_world_is_accounted_for, proofs::counts_are_exact);
proof!(
    the_stages_of_life_are_those_that_were_planted,
    the_stages_of_life_of_the_full_world_are_those_that_were_planted,
    proofs::lifecycles_are_exact
);
proof!(
    best_hours_are_those_that_were_planted,
    best_hours_of_the_full_world_are_those_that_were_planted,
    proofs::best_hours_are_found
);
proof!(
    tastes_are_those_that_were_planted,
    tastes_of_the_full_world_are_those_that_were_planted,
    proofs::tastes_are_found
);
proof!(
    fresh_contents_are_pushed_at_the_best_hours_that_were_planted,
    fresh_contents_of_the_full_world_are_pushed_at_the_best_hours_that_were_planted,
    proofs::fresh_contents_get_the_best_hours
);

#[test]
fn fresh_contents_of_a_model_are_pushed_at_the_best_hours_that_were_planted() {
    let (world, town) = planted(Size::SMALL, EVERYBODY);
    proofs::fresh_contents_of_a_model_get_the_best_hours(&world, &town);
}

#[test]
#[ignore = "the full world: about 785,000 events"]
fn fresh_contents_of_a_model_of_the_full_world_are_pushed_at_the_best_hours_that_were_planted() {
    let (world, town) = planted(Size::FULL, EVERYBODY);
    proofs::fresh_contents_of_a_model_get_the_best_hours(&world, &town);
}

#[test]
fn fresh_contents_are_pushed_in_the_order_of_their_quality() {
    let (world, town) = planted(Size::SMALL, EVERYBODY);
    proofs::fresh_contents_are_found(&world, &town);
}

#[test]
#[ignore = "the full world: about 785,000 events"]
fn fresh_contents_of_the_full_world_are_pushed_in_the_order_of_their_quality() {
    let (world, town) = planted(Size::FULL, EVERYBODY);
    proofs::fresh_contents_are_found(&world, &town);
}

#[test]
fn the_same_seed_gives_the_same_world_and_another_seed_another() {
    let small = Size { readers: 20, ..Size::SMALL };
    let events = |size: Size| {
        let folder = tempfile::tempdir().unwrap();
        World::plant(size).write(folder.path());
        std::fs::read(folder.path().join("events.csv")).unwrap()
    };
    let first = events(small);
    assert!(first == events(small), "the same seed");
    assert!(first != events(Size { seed: 2, ..small }), "another seed");
}

#[test]
#[ignore = "writes the full world into the folder that PLANTED_WORLD names"]
fn the_full_world_is_written_to_a_folder() {
    let folder = PathBuf::from(std::env::var_os("PLANTED_WORLD").expect("PLANTED_WORLD=FOLDER"));
    World::plant(Size::FULL).write(&folder);
}
