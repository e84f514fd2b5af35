//! A log and the policy to value on it, checked before anything is computed.

use domain::error::{Coded, ErrorKind};

/// A policy's probabilities may miss 1 by so much: tables are rounded, here by up to five digits an entry.
const SUM_TOLERANCE: f64 = 1e-3;

/// One logged action.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LoggedRow {
    /// Index of what was done.
    pub action: u32,
    /// Index of where; 0 where positions do not matter.
    pub position: u32,
    /// Index of the independent unit, such as the user, that the row belongs to.
    pub unit: u32,
    /// The log's own probability of the action, in (0, 1].
    pub action_probability: f64,
    /// What it earned.
    pub reward: f64,
    /// Index of the set that could be chosen from.
    pub choices: u32,
}

/// One action that the evaluated policy may choose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ActionChoice {
    /// Index of the action.
    pub action: u32,
    /// The evaluated policy's probability, in [0, 1].
    pub probability: f64,
    /// Could the log's policy choose it?
    pub is_supported: bool,
    /// A reward that an earlier model expects of it, in the reward's unit up to a factor; NaN without one.
    pub expected_reward: f64,
}

/// Rows, and what the evaluated policy would do in each.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffPolicyProblem {
    /// Names of actions.
    pub actions: Vec<String>,
    /// Names of positions; one empty name where positions do not matter.
    pub positions: Vec<String>,
    /// How many units there are.
    pub units: usize,
    /// The log.
    pub rows: Vec<LoggedRow>,
    /// Sets to choose from, each sorted by action; an action that is not in one has probability 0.
    pub choices: Vec<Vec<ActionChoice>>,
    /// Are the sets whole? Without, only the logged actions' probabilities are known: no sum is checked, and there is
    /// no reward model.
    pub is_whole: bool,
}

/// Why a policy cannot be valued on a log.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum OffPolicyError {
    /// There are no rows.
    #[error("no_rows: the log holds no row to learn from")]
    NoRows,
    /// A logged probability is none.
    #[error(
        "bad_action_probability: row {row}: the log's own probability {value} is not above 0 and at most 1"
    )]
    BadActionProbability {
        /// The row, from 1.
        row: usize,
        /// What it says.
        value: f64,
    },
    /// A reward is not finite.
    #[error("bad_reward: row {row}: {value} is not a finite number")]
    BadReward {
        /// The row, from 1.
        row: usize,
        /// What it says.
        value: f64,
    },
    /// A probability of the evaluated policy is none.
    #[error("bad_policy_probability: row {row}: the policy gives {action:?} {value}, which is not in [0, 1]")]
    BadPolicyProbability {
        /// The first row that meets it, from 1.
        row: usize,
        /// The action.
        action: String,
        /// What the policy says.
        value: f64,
    },
    /// The evaluated policy's probabilities do not sum to 1.
    #[error("not_a_distribution: row {row}{}: the policy's probabilities sum to {sum}, not to 1", at_position(.position))]
    NotADistribution {
        /// The first row that meets it, from 1.
        row: usize,
        /// Where.
        position: String,
        /// Their sum.
        sum: f64,
    },
    /// The evaluated policy wants what the log's could not choose.
    #[error(
        "missing_support: row {row}{}: the policy gives {action:?} probability {probability}, but the log's policy \
         could not choose it there; what was never tried cannot be valued",
        at_position(.position)
    )]
    MissingSupport {
        /// The first row that meets it, from 1.
        row: usize,
        /// Where.
        position: String,
        /// The action.
        action: String,
        /// What the policy gives it.
        probability: f64,
    },
    /// The evaluated policy gives no logged action any probability.
    #[error("no_overlap: the policy gives none of the logged actions any probability")]
    NoOverlap,
}

impl Coded for OffPolicyError {
    fn code(&self) -> &'static str {
        match self {
            OffPolicyError::NoRows => "no_rows",
            OffPolicyError::BadActionProbability { .. } => "bad_action_probability",
            OffPolicyError::BadReward { .. } => "bad_reward",
            OffPolicyError::BadPolicyProbability { .. } => "bad_policy_probability",
            OffPolicyError::NotADistribution { .. } => "not_a_distribution",
            OffPolicyError::MissingSupport { .. } => "missing_support",
            OffPolicyError::NoOverlap => "no_overlap",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            OffPolicyError::NoRows
            | OffPolicyError::BadActionProbability { .. }
            | OffPolicyError::BadReward { .. }
            | OffPolicyError::BadPolicyProbability { .. }
            | OffPolicyError::NotADistribution { .. }
            | OffPolicyError::MissingSupport { .. }
            | OffPolicyError::NoOverlap => ErrorKind::Caller,
        }
    }
}

fn at_position(position: &str) -> String {
    if position.is_empty() { String::new() } else { format!(", position {position:?}") }
}

impl OffPolicyProblem {
    /// π / p of each row's action.
    pub(super) fn weights(&self) -> Vec<f64> {
        self.rows.iter().map(|row| self.policy_probability(row) / row.action_probability).collect()
    }

    /// The choice that was logged, when the evaluated policy has it.
    pub(super) fn logged_choice(&self, row: &LoggedRow) -> Option<&ActionChoice> {
        let choices = &self.choices[row.choices as usize];
        choices.binary_search_by_key(&row.action, |choice| choice.action).ok().map(|index| &choices[index])
    }

    fn policy_probability(&self, row: &LoggedRow) -> f64 {
        self.logged_choice(row).map_or(0.0, |choice| choice.probability)
    }

    /// Can the policy be valued on this log?
    pub(super) fn check(&self) -> Result<(), OffPolicyError> {
        if self.rows.is_empty() {
            return Err(OffPolicyError::NoRows);
        }
        let mut is_checked = vec![false; self.choices.len()];
        for (index, row) in self.rows.iter().enumerate() {
            check_row(index + 1, row)?;
            let checked = &mut is_checked[row.choices as usize];
            if !std::mem::replace(checked, true) {
                self.check_choices(index + 1, row)?;
            }
        }
        Ok(())
    }

    fn check_choices(&self, number: usize, row: &LoggedRow) -> Result<(), OffPolicyError> {
        let choices = &self.choices[row.choices as usize];
        let name = |choice: &ActionChoice| self.actions[choice.action as usize].clone();
        let position = || self.positions[row.position as usize].clone();
        let is_bad = |choice: &&ActionChoice| !(0.0..=1.0).contains(&choice.probability);
        if let Some(bad) = choices.iter().find(is_bad) {
            let (action, value) = (name(bad), bad.probability);
            return Err(OffPolicyError::BadPolicyProbability { row: number, action, value });
        }
        if let Some(lost) = choices.iter().find(|choice| choice.probability > 0.0 && !choice.is_supported) {
            let (action, probability) = (name(lost), lost.probability);
            return Err(OffPolicyError::MissingSupport {
                row: number,
                position: position(),
                action,
                probability,
            });
        }
        let sum: f64 = choices.iter().map(|choice| choice.probability).sum();
        if self.is_whole && (sum - 1.0).abs() > SUM_TOLERANCE {
            return Err(OffPolicyError::NotADistribution { row: number, position: position(), sum });
        }
        Ok(())
    }
}

fn check_row(number: usize, row: &LoggedRow) -> Result<(), OffPolicyError> {
    // NaN is in no range.
    if !(row.action_probability > 0.0 && row.action_probability <= 1.0) {
        return Err(OffPolicyError::BadActionProbability { row: number, value: row.action_probability });
    }
    if !row.reward.is_finite() {
        return Err(OffPolicyError::BadReward { row: number, value: row.reward });
    }
    Ok(())
}
