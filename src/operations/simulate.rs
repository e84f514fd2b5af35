//! Lets policies play in worlds with known truth, and measures them between random and perfect.

use std::cell::Cell;
use std::path::PathBuf;

use super::context::Progress;
use domain::error::{Coded, ErrorKind};
use simulation::Stage;
use simulation::parameters::{ParameterError, Parameters, Scenario};
use simulation::policies::{PlayError, Policy};
use simulation::report::{PolicyReport, Reporter};
use simulation::run::play;

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
}

impl Coded for SimulateError {
    fn code(&self) -> &'static str {
        match self {
            SimulateError::File { .. } => "bad_parameters",
            SimulateError::Parameters(error) => error.code(),
            SimulateError::Play(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            SimulateError::File { .. } => ErrorKind::Caller,
            SimulateError::Parameters(error) => error.kind(),
            SimulateError::Play(error) => error.kind(),
        }
    }
}

/// Plays every policy in every world. No workspace is needed or changed.
///
/// # Errors
/// When the parameters cannot be used, or a policy cannot go on.
pub fn simulate(progress: &dyn Progress, request: &SimulateRequest) -> Result<SimulateReport, SimulateError> {
    let parameters = parameters(request)?;
    let is_asked = |policy: &Policy| request.policies.is_empty() || request.policies.contains(policy);
    let policies: Vec<Policy> = Policy::ALL.into_iter().filter(is_asked).collect();
    let total = request.seeds * policies.len() as u64 * 7 * parameters.weeks as u64;
    let days = Cell::new(0);
    let mut reporter = Reporter::new(request.seed);
    for world in 0..request.seeds {
        progress.step(&format!("world {} of {}", world + 1, request.seeds));
        let stage = Stage::set(parameters.clone(), request.seed.wrapping_add(world));
        for policy in &policies {
            let played = play(&stage, *policy, &|_, _| {
                days.set(days.get() + 1);
                progress.count(days.get(), Some(total));
            })?;
            reporter.absorb(&stage, played);
        }
    }
    Ok(SimulateReport { parameters, policies: reporter.report() })
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
