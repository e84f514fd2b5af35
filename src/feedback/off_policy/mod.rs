//! Logs and policies as off-policy evaluation wants them: our decision export, or anybody's table.

mod export;
mod policy;
mod table;

use domain::error::{Coded, ErrorKind};

use std::path::{Path, PathBuf};

use crate::numbered::NumberedNames;
use evaluation::off_policy::OffPolicyProblem;
use events::foreign::ForeignField;
use events::formats::InputError;
use files::tables::TableError;

pub use events::foreign::Names;

const ACTION: ForeignField = ForeignField { names: &["action", "item_id", "content_id"] };
const POSITION: ForeignField = ForeignField { names: &["position"] };
const ACTION_PROBABILITY: ForeignField =
    ForeignField { names: &["action_probability", "propensity_score", "pscore"] };
const REWARD: ForeignField = ForeignField { names: &["reward", "click"] };
const USER: ForeignField = ForeignField { names: &["user_id", "unit_id"] };
const DECISION: ForeignField = ForeignField { names: &["decision_id"] };
const ROW: ForeignField = ForeignField { names: &["row", "row_number"] };
const PROBABILITY: ForeignField =
    ForeignField { names: &["probability", "action_probability", "policy_probability"] };

/// Reads `theirs=ours,theirs=ours`, for a log and a policy.
///
/// # Errors
/// A text that says which pair cannot be used.
pub fn names(text: &str) -> Result<Names, String> {
    let all = [&ACTION, &POSITION, &ACTION_PROBABILITY, &REWARD, &USER, &DECISION, &ROW, &PROBABILITY];
    Names::parse(text, &all)
}

/// A log or a policy that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum PolicyInputError {
    /// A file of somebody's.
    #[error(transparent)]
    Input(#[from] InputError),
    /// A table of ours.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl Coded for PolicyInputError {
    fn code(&self) -> &'static str {
        match self {
            PolicyInputError::Input(error) => error.code(),
            PolicyInputError::Table(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            PolicyInputError::Input(error) => error.kind(),
            PolicyInputError::Table(error) => error.kind(),
        }
    }
}

/// What the action of a decision is: other parts of the arm stay as the log's policy chose them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArmPart {
    /// Which content.
    Content,
    /// Which variant of it: content and variant, joined by `/`.
    Variant,
    /// Over which channel.
    Channel,
    /// In which send slot: its first instant.
    Slot,
}

/// How files are read.
#[derive(Clone, Debug)]
pub struct Reading<'a> {
    /// Their column names for ours.
    pub names: &'a Names,
    /// Of our export: what counts as the action.
    pub part: ArmPart,
    /// Of our export: do rewards count that came without a click?
    pub influenced: bool,
    /// Of our export: where outcomes lie.
    pub outcomes: Option<PathBuf>,
    /// Where a compressed Parquet file may be unpacked.
    pub scratch: &'a Path,
}

/// A log with the policy to value on it.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// Ready to be evaluated.
    pub problem: OffPolicyProblem,
    /// Decisions of our export that are no rows: they send nothing.
    pub not_sent: u64,
    /// Sends of our export whose arms are not known.
    pub without_arms: u64,
}

/// Reads a log, a directory being our export, and the policy to value on it.
///
/// # Errors
/// When a file cannot be read, lacks a column, or holds a line that is no row; when the policy says nothing about a row,
/// or wants actions that the log does not know.
pub fn load(log: &Path, policy: &Path, reading: &Reading) -> Result<Loaded, PolicyInputError> {
    reading.names.check(&[log, policy], reading.scratch)?;
    let read = match log.is_dir() {
        true => export::read(log, reading)?,
        false => table::read(log, reading)?,
    };
    let policy_table = policy::read(policy, reading, &read)?;
    Ok(policy_table.applied(policy, read)?)
}

/// A log as it was read, without a policy.
#[derive(Clone, Debug, Default)]
struct ReadLog {
    actions: NumberedNames,
    /// Empty when the log does not tell positions apart.
    positions: NumberedNames,
    units: usize,
    rows: Vec<ReadRow>,
    /// The decision of each row, where the log names it.
    decisions: Vec<String>,
    /// What each row could choose among, where the log says so; sorted by action.
    allowed: Option<Vec<Vec<Allowed>>>,
    not_sent: u64,
    without_arms: u64,
}

#[derive(Clone, Copy, Debug)]
struct ReadRow {
    action: u32,
    position: u32,
    unit: u32,
    action_probability: f64,
    reward: f64,
}

/// An action that a row could choose.
#[derive(Clone, Copy, Debug)]
struct Allowed {
    action: u32,
    /// The log's own probability.
    probability: f64,
    /// The reward that the log's model expected.
    expected_reward: f64,
}
