//! Values another policy on what was logged, before anybody is pushed by it.

use std::path::PathBuf;

use super::context::ContextError;
use super::scratch::Scratch;
use domain::error::{Coded, ErrorKind};
use evaluation::off_policy::{Draws, OffPolicyError, OffPolicyReport, evaluate};
use feedback::off_policy::{ArmPart, Loaded, PolicyInputError, Reading, load, names};

/// Which policy, on which log.
#[derive(Clone, Debug)]
pub struct PolicyRequest {
    /// What was logged: data/decisions, or a file.
    pub log: PathBuf,
    /// The policy.
    pub policy: PathBuf,
    /// Their names of columns for ours, in either file: `theirs=ours,…`.
    pub map: String,
    /// Of data/decisions, the part of the arm that the policy chooses.
    pub part: ArmPart,
    /// Of data/decisions: do goals count that were reached without a click?
    pub influenced: bool,
    /// Where the outcomes of data/decisions lie, when not beside it.
    pub outcomes: Option<PathBuf>,
    /// Draws for the bootstrap intervals, and the seed of everything that is drawn.
    pub draws: Draws,
    /// Refused when the effective sample size is below this.
    pub least_effective: Option<f64>,
}

/// What the policy would have earned.
#[derive(Debug)]
pub struct PolicyReport {
    /// The estimates.
    pub report: OffPolicyReport,
    /// What they rest on.
    pub loaded: Loaded,
    /// Set when the effective sample size is below what was asked for.
    pub refusal: Option<TooLittleOverlap>,
}

/// A log that says too little about a policy to go by.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error(
    "effective_sample_size_too_small: the rows say as much as {effective:.2} rows of the policy's own would, {least} were asked \
     for; log more exploration, or value a policy nearer to the log's"
)]
pub struct TooLittleOverlap {
    /// (Σ w)² / Σ w².
    pub effective: f64,
    /// What was asked for.
    pub least: f64,
}

impl Coded for TooLittleOverlap {
    fn code(&self) -> &'static str {
        "effective_sample_size_too_small"
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::Refused
    }
}

/// A policy that cannot be valued.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// Names of columns that cannot be read.
    #[error("bad_map: --map: {0}")]
    BadMap(String),
    /// The log or the policy cannot be read.
    #[error(transparent)]
    Input(#[from] PolicyInputError),
    /// The log says nothing about such a policy.
    #[error(transparent)]
    OffPolicy(#[from] OffPolicyError),
    /// The system's temporary directory cannot be used.
    #[error(transparent)]
    Context(#[from] ContextError),
}

impl Coded for PolicyError {
    fn code(&self) -> &'static str {
        match self {
            PolicyError::BadMap(_) => "bad_map",
            PolicyError::Input(error) => error.code(),
            PolicyError::OffPolicy(error) => error.code(),
            PolicyError::Context(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            PolicyError::BadMap(_) => ErrorKind::Caller,
            PolicyError::Input(error) => error.kind(),
            PolicyError::OffPolicy(error) => error.kind(),
            PolicyError::Context(error) => error.kind(),
        }
    }
}

/// Values a policy.
///
/// # Errors
/// When a file cannot be read, or the log could not choose what the policy wants.
pub fn evaluate_policy(request: &PolicyRequest) -> Result<PolicyReport, PolicyError> {
    let names = names(&request.map).map_err(PolicyError::BadMap)?;
    let scratch = Scratch::make()?;
    let reading = Reading {
        names: &names,
        part: request.part,
        influenced: request.influenced,
        outcomes: request.outcomes.clone(),
        scratch: &scratch.0,
    };
    let loaded = load(&request.log, &request.policy, &reading)?;
    let report = evaluate(&loaded.problem, request.draws)?;
    let effective = report.overlap.effective_sample_size;
    let refusal = request
        .least_effective
        .filter(|least| effective < *least)
        .map(|least| TooLittleOverlap { effective, least });
    Ok(PolicyReport { report, loaded, refusal })
}
