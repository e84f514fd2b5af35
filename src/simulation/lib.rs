//! A world with known truth: people with rhythms, tastes and fatigue, and policies that push them, side by side.
//!
//! Every policy meets the same people, who do the same of themselves, and the same random numbers decide what comes of
//! the same push. The oracle knows the truth. The product plays as it is served, by the engine over a workspace, which
//! `operations::simulate` drives; the response model, which is not served yet, plays under its own name.

pub mod contents;
mod draws;
pub mod game;
mod log;
pub mod parameters;
pub mod policies;
pub mod report;
pub mod run;
pub mod truth;
pub mod world;

/// What every policy may look at: the world's public side, and what people do of themselves.
#[derive(Clone, Debug)]
pub struct Stage {
    /// The world.
    pub world: world::World,
    /// Contents that are out on each day, from the first day of history on.
    alive: Vec<Vec<usize>>,
    /// What each person does of himself, before and during play.
    acts: Vec<Vec<world::Act>>,
}

impl Stage {
    /// Sets a stage.
    pub fn set(parameters: parameters::Parameters, seed: u64) -> Stage {
        let world = world::World::new(parameters, seed);
        let alive = world.alive_by_day();
        let acts = parallel::map(world.people.len(), |user| world.acts(user, &alive));
        Stage { world, alive, acts }
    }

    /// Contents that are out on a day of play; of days beyond its ends those of the first or last day.
    pub fn alive(&self, day: i32) -> &[usize] {
        let index = (day + self.world.history_days()).max(0) as usize;
        &self.alive[index.min(self.alive.len() - 1)]
    }

    /// What a person does of himself, in order.
    pub fn acts(&self, user: usize) -> &[world::Act] {
        &self.acts[user]
    }
}
