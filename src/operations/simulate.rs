//! Lets policies play in worlds with known truth, and measures them between random and perfect.
//!
//! The product plays as it is served, in a workspace below the system's temporary directory.

mod error;
mod records;
pub mod served;

use std::cell::Cell;
use std::path::{Path, PathBuf};

use super::context::{ContextError, Progress};
use super::scratch::Scratch;
use domain::error::{Coded, ErrorKind};
pub use error::ServedError;
use served::{ProductRun, ServedProduct};
use simulation::Stage;
use simulation::game::{Game, Play};
use simulation::parameters::{ParameterError, Parameters, Scenario};
use simulation::policies::{PlayError, Player, Policy};
use simulation::report::{PolicyReport, Reporter};
use simulation::run::play;
use simulation::truth::Push;

/// Which worlds, and who plays in them.
#[derive(Clone, Debug)]
pub struct SimulateRequest {
    /// Parameters that override the committed world.
    pub parameters: Option<PathBuf>,
    /// People, instead of what the parameters say.
    pub users: Option<usize>,
    /// Weeks of play, instead of what the parameters say.
    pub weeks: Option<i32>,
    /// What the past was like.
    pub scenario: Scenario,
    /// The first seed.
    pub seed: u64,
    /// Worlds, each with the next seed.
    pub seeds: u64,
    /// Who plays; all when none is named.
    pub policies: Vec<Policy>,
}

/// What the policies came to.
#[derive(Debug)]
pub struct SimulateReport {
    /// The parameters in force.
    pub parameters: Parameters,
    /// The policies, in their own order.
    pub policies: Vec<PolicyReport>,
    /// What the product did in all worlds; `None` when it did not play.
    pub product: Option<ProductRun>,
}

/// A simulation that cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum SimulateError {
    /// The file of parameters cannot be read.
    #[error("bad_parameters: {}: {source}", .file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The parameters make no world.
    #[error(transparent)]
    Parameters(#[from] ParameterError),
    /// A policy cannot go on.
    #[error(transparent)]
    Play(#[from] PlayError),
    /// The product cannot go on.
    #[error(transparent)]
    Served(#[from] ServedError),
    /// There is no place for the product's workspace.
    #[error(transparent)]
    Context(#[from] ContextError),
}

impl Coded for SimulateError {
    fn code(&self) -> &'static str {
        match self {
            SimulateError::File { .. } => "bad_parameters",
            SimulateError::Parameters(error) => error.code(),
            SimulateError::Play(error) => error.code(),
            SimulateError::Served(error) => error.code(),
            SimulateError::Context(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            SimulateError::File { .. } => ErrorKind::Caller,
            SimulateError::Parameters(error) => error.kind(),
            SimulateError::Play(error) => error.kind(),
            SimulateError::Served(error) => error.kind(),
            SimulateError::Context(error) => error.kind(),
        }
    }
}

/// Plays every policy in every world. No workspace of the caller's is needed or changed.
///
/// # Errors
/// When the parameters cannot be used, or a policy cannot go on.
pub fn simulate(progress: &dyn Progress, request: &SimulateRequest) -> Result<SimulateReport, SimulateError> {
    let parameters = parameters(request)?;
    let is_asked = |policy: &Policy| request.policies.is_empty() || request.policies.contains(policy);
    let policies: Vec<Policy> = Policy::ALL.into_iter().filter(is_asked).collect();
    let total = request.seeds * policies.len() as u64 * 7 * parameters.weeks as u64;
    let days = Cell::new(0);
    let watch = |_: usize, _: usize| {
        days.set(days.get() + 1);
        progress.count(days.get(), Some(total));
    };
    let (mut reporter, mut product) = (Reporter::new(request.seed), None);
    for world in 0..request.seeds {
        let stage = Stage::set(parameters.clone(), request.seed.wrapping_add(world));
        for policy in &policies {
            progress.step(&format!("world {} of {}, {}", world + 1, request.seeds, policy.as_str()));
            let played = match Player::of(*policy, &stage) {
                Some(player) => play(&stage, player, &watch)?,
                None => {
                    let scratch = Scratch::make()?;
                    let (played, run) = play_served(&stage, &scratch.0, &watch)?;
                    product.get_or_insert_with(ProductRun::default).merge(run);
                    played
                }
            };
            reporter.absorb(&stage, played);
        }
    }
    Ok(SimulateReport { parameters, policies: reporter.report(), product })
}

/// Lets the product play as it is served, in a workspace in a folder, with as many people as the parameters give it.
///
/// # Errors
/// When its workspace cannot be made, read or written.
fn play_served(
    stage: &Stage,
    folder: &Path,
    watch: &impl Fn(usize, usize),
) -> Result<(Play, ProductRun), ServedError> {
    let parameters = &stage.world.parameters;
    let people = parameters.product.users.min(parameters.users);
    let mut product = ServedProduct::open(&folder.join("workspace"), stage, people)?;
    let mut game = Game::begin(stage, Policy::Product, people);
    game.live_the_past(|push, answer| product.hear_past(push, answer));
    for day in 0..stage.world.days() {
        product.begin_day(day)?;
        let decided = product.decide(day)?;
        let pushes: Vec<Push> = decided.iter().map(|decided| decided.push).collect();
        for (decided, answer) in decided.iter().zip(game.send(day, &pushes)) {
            product.hear(decided, answer);
        }
        watch(day as usize + 1, stage.world.days() as usize);
    }
    Ok((game.finish(None), product.into_run()))
}

fn parameters(request: &SimulateRequest) -> Result<Parameters, SimulateError> {
    let read = |file: &PathBuf| match std::fs::read_to_string(file) {
        Ok(text) => Ok((file.display().to_string(), text)),
        Err(source) => Err(SimulateError::File { file: file.clone(), source }),
    };
    let file = request.parameters.as_ref().map(read).transpose()?;
    let mut parameters = Parameters::read(file.as_ref().map(|(name, text)| (name.as_str(), text.as_str())))?;
    parameters.users = request.users.unwrap_or(parameters.users);
    parameters.weeks = request.weeks.unwrap_or(parameters.weeks);
    parameters.check()?;
    Ok(parameters.under(request.scenario))
}
