//! The policy to value: a table of probabilities for all rows alike, or for each of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{ACTION, DECISION, Loaded, POSITION, PROBABILITY, ROW, ReadLog, ReadRow, Reading};
use crate::numbered::NumberedNames;
use evaluation::off_policy::{ActionChoice, LoggedRow, OffPolicyProblem};
use events::foreign::{ForeignColumn, ForeignRows, Line};
use events::formats::InputError;

/// Of rows with one entry each, sums nearer to 1 than this are whole policies.
const WHOLE: f64 = 1e-3;

/// Probabilities by action.
type Probabilities = BTreeMap<String, f64>;

/// A policy as it was read.
#[derive(Debug)]
pub(super) enum Policy {
    /// The same for all rows.
    Everywhere(Probabilities),
    /// The same for all rows of a position.
    ByPosition(BTreeMap<String, Probabilities>),
    /// For each row of its own, in the log's order.
    ByRow(Vec<Probabilities>),
    /// Only the logged actions' probabilities, in the log's order.
    Logged(Vec<f64>),
}

/// What an entry of a policy speaks of.
enum PolicyKey {
    Everywhere,
    Position(ForeignColumn),
    Row(ForeignColumn),
    Decision(ForeignColumn),
}

/// Reads a policy that is meant for a log.
pub(super) fn read(path: &Path, reading: &Reading, log: &ReadLog) -> Result<Policy, InputError> {
    let rows = ForeignRows::open(path, reading.names, reading.scratch)?;
    let probability = rows.need(&PROBABILITY)?;
    let key = key_of(&rows, path, log)?;
    let action = match (&key, rows.find(&ACTION)) {
        (PolicyKey::Everywhere, None) => return in_order(rows, &probability, path, log),
        (_, Some(action)) => action,
        (_, None) => rows.need(&ACTION)?,
    };
    let mut groups: BTreeMap<String, Probabilities> = BTreeMap::new();
    rows.each(|line| {
        let group = match &key {
            PolicyKey::Everywhere => String::new(),
            PolicyKey::Position(source) | PolicyKey::Decision(source) => line.name(source)?.into_owned(),
            PolicyKey::Row(source) => row_number(line, source)?,
        };
        let name = line.name(&action)?.into_owned();
        let value = line.probability(&probability, false)?;
        match groups.entry(group).or_default().insert(name.clone(), value) {
            None => Ok(()),
            Some(_) => {
                Err(line.error("duplicate_action", &format!("action {name:?} stands here a second time")))
            }
        }
    })?;
    if groups.is_empty() {
        return Err(InputError::new("no_policy", path, "the policy holds no line"));
    }
    match key {
        PolicyKey::Everywhere => Ok(Policy::Everywhere(groups.remove("").unwrap_or_default())),
        PolicyKey::Position(_) => Ok(Policy::ByPosition(groups)),
        PolicyKey::Row(_) => by_row(groups, path, log),
        PolicyKey::Decision(_) => by_decision(groups, path, log),
    }
}

fn key_of(rows: &ForeignRows, path: &Path, log: &ReadLog) -> Result<PolicyKey, InputError> {
    let lacks = |what: &str| {
        let detail = format!("the policy has a column {what}, the log has none");
        InputError::new("missing_column", path, detail)
    };
    if let Some(source) = rows.find(&DECISION) {
        return if log.decisions.is_empty() {
            Err(lacks("decision_id"))
        } else {
            Ok(PolicyKey::Decision(source))
        };
    }
    if let Some(source) = rows.find(&ROW) {
        return Ok(PolicyKey::Row(source));
    }
    match rows.find(&POSITION) {
        Some(_) if log.positions.names == [""] => Err(lacks("position")),
        Some(source) => Ok(PolicyKey::Position(source)),
        None => Ok(PolicyKey::Everywhere),
    }
}

/// A row's number, padded so that it sorts as a number.
fn row_number(line: &Line, source: &ForeignColumn) -> Result<String, InputError> {
    match line.name(source)?.trim().parse::<u64>() {
        Ok(number) => Ok(format!("{number:020}")),
        Err(_) => Err(line.error("bad_number", "row is no whole number from 0 or 1 on")),
    }
}

/// Rows are counted from 0 or from 1: which of the two shows when all are there.
fn by_row(groups: BTreeMap<String, Probabilities>, path: &Path, log: &ReadLog) -> Result<Policy, InputError> {
    let first: u64 = groups.keys().next().and_then(|key| key.parse().ok()).unwrap_or_default();
    let expected = (first..).take(log.rows.len()).map(|number| format!("{number:020}"));
    if first > 1 || groups.len() != log.rows.len() || !groups.keys().cloned().eq(expected) {
        let detail = format!(
            "the policy speaks of {} rows, the log has {}; it must have each, counted from 0 or from 1",
            groups.len(),
            log.rows.len()
        );
        return Err(InputError::new("rows_differ", path, detail));
    }
    Ok(Policy::ByRow(groups.into_values().collect()))
}

fn by_decision(
    groups: BTreeMap<String, Probabilities>,
    path: &Path,
    log: &ReadLog,
) -> Result<Policy, InputError> {
    let of_decision = |id: &String| {
        let missing = || InputError::new("no_policy", path, format!("nothing is said of decision {id:?}"));
        groups.get(id).cloned().ok_or_else(missing)
    };
    Ok(Policy::ByRow(log.decisions.iter().map(of_decision).collect::<Result<_, _>>()?))
}

/// Without actions a file has one line for each row: the probability of what was logged.
fn in_order(
    rows: ForeignRows,
    probability: &ForeignColumn,
    path: &Path,
    log: &ReadLog,
) -> Result<Policy, InputError> {
    let mut values = Vec::with_capacity(log.rows.len());
    rows.each(|line| {
        values.push(line.probability(probability, false)?);
        Ok(())
    })?;
    if values.len() != log.rows.len() {
        let (ours, theirs) = (values.len(), log.rows.len());
        let detail = format!(
            "the policy names no actions, so it needs a line for each of the log's {theirs} rows; it has {ours}"
        );
        return Err(InputError::new("rows_differ", path, detail));
    }
    Ok(Policy::Logged(values))
}

impl Policy {
    /// The problem that a log and this policy pose.
    pub(super) fn applied(self, path: &Path, mut log: ReadLog) -> Result<Loaded, InputError> {
        let seen: BTreeSet<(u32, u32)> = log.rows.iter().map(|row| (row.position, row.action)).collect();
        let is_whole = self.is_whole(&log);
        let choices = match &self {
            Policy::Logged(values) => logged(&log.rows, values),
            Policy::ByRow(rows) => of_rows(rows, &mut log, &seen),
            Policy::Everywhere(table) if log.allowed.is_some() => restricted(table, path, &mut log)?,
            Policy::Everywhere(table) => {
                let positions = 0..log.positions.names.len() as u32;
                positions.map(|position| of_table(table, &mut log.actions, &seen, position)).collect()
            }
            Policy::ByPosition(tables) => of_positions(tables, path, &mut log, &seen)?,
        };
        let is_by_row = log.allowed.is_some() || matches!(self, Policy::ByRow(_) | Policy::Logged(_));
        let row = |(index, row): (usize, &ReadRow)| LoggedRow {
            action: row.action,
            position: row.position,
            unit: row.unit,
            action_probability: row.action_probability,
            reward: row.reward,
            choices: if is_by_row { index as u32 } else { row.position },
        };
        let rows = log.rows.iter().enumerate().map(row).collect();
        let (actions, positions) = (log.actions.names, log.positions.names);
        let problem = OffPolicyProblem { actions, positions, units: log.units, rows, choices, is_whole };
        Ok(Loaded { problem, not_sent: log.not_sent, without_arms: log.without_arms })
    }

    /// Does it say all that it would do, or only how probable what was logged would be?
    fn is_whole(&self, log: &ReadLog) -> bool {
        let is_logged_alone = |(table, row): (&Probabilities, &ReadRow)| {
            table.len() == 1 && table.contains_key(&log.actions.names[row.action as usize])
        };
        match self {
            Policy::Everywhere(_) | Policy::ByPosition(_) => true,
            Policy::Logged(_) => false,
            Policy::ByRow(rows) => {
                !rows.iter().zip(&log.rows).all(is_logged_alone)
                    || rows.iter().all(|table| (table.values().sum::<f64>() - 1.0).abs() < WHOLE)
            }
        }
    }
}

fn sorted(mut choices: Vec<ActionChoice>) -> Vec<ActionChoice> {
    choices.sort_unstable_by_key(|choice| choice.action);
    choices
}

fn logged(rows: &[ReadRow], values: &[f64]) -> Vec<Vec<ActionChoice>> {
    let choice = |(row, value): (&ReadRow, &f64)| {
        vec![ActionChoice {
            action: row.action,
            probability: *value,
            is_supported: true,
            expected_reward: f64::NAN,
        }]
    };
    rows.iter().zip(values).map(choice).collect()
}

/// What a table gives at a position; what the log shows there it could choose there.
fn of_table(
    table: &Probabilities,
    actions: &mut NumberedNames,
    seen: &BTreeSet<(u32, u32)>,
    position: u32,
) -> Vec<ActionChoice> {
    let choice = |(name, probability): (&String, &f64)| {
        let action = actions.number(name);
        let is_supported = seen.contains(&(position, action));
        ActionChoice { action, probability: *probability, is_supported, expected_reward: f64::NAN }
    };
    sorted(table.iter().map(choice).collect())
}

fn of_positions(
    tables: &BTreeMap<String, Probabilities>,
    path: &Path,
    log: &mut ReadLog,
    seen: &BTreeSet<(u32, u32)>,
) -> Result<Vec<Vec<ActionChoice>>, InputError> {
    let mut choices = Vec::new();
    for (position, name) in log.positions.names.iter().enumerate() {
        let table = tables.get(name).ok_or_else(|| {
            let known: Vec<&str> = tables.keys().map(String::as_str).collect();
            let detail = format!("nothing is said of position {name:?}, only of {}", known.join(", "));
            InputError::new("no_policy", path, detail)
        })?;
        choices.push(of_table(table, &mut log.actions, seen, position as u32));
    }
    Ok(choices)
}

/// What each row's own table gives, and what else it could have chosen.
fn of_rows(
    tables: &[Probabilities],
    log: &mut ReadLog,
    seen: &BTreeSet<(u32, u32)>,
) -> Vec<Vec<ActionChoice>> {
    let mut all = Vec::with_capacity(tables.len());
    for (index, table) in tables.iter().enumerate() {
        let mut choices = of_table(table, &mut log.actions, seen, log.rows[index].position);
        if let Some(allowed) = &log.allowed {
            let of = |action| allowed[index].binary_search_by_key(&action, |one| one.action).ok();
            for choice in &mut choices {
                let found = of(choice.action).map(|option| allowed[index][option]);
                choice.is_supported = found.is_some_and(|allowed| allowed.probability > 0.0);
                choice.expected_reward = found.map_or(f64::NAN, |allowed| allowed.expected_reward);
            }
            let missing = allowed[index].iter().filter(|allowed| {
                choices.binary_search_by_key(&allowed.action, |choice| choice.action).is_err()
            });
            let missing: Vec<ActionChoice> = missing.map(|allowed| chosen(allowed, 0.0)).collect();
            choices.extend(missing);
        }
        all.push(sorted(choices));
    }
    all
}

fn chosen(allowed: &super::Allowed, probability: f64) -> ActionChoice {
    ActionChoice {
        action: allowed.action,
        probability,
        is_supported: allowed.probability > 0.0,
        expected_reward: allowed.expected_reward,
    }
}

/// A table for all decisions alike, cut to what each may choose: rules bind every policy.
fn restricted(
    table: &Probabilities,
    path: &Path,
    log: &mut ReadLog,
) -> Result<Vec<Vec<ActionChoice>>, InputError> {
    let allowed = log.allowed.as_deref().unwrap_or_default();
    for (name, probability) in table.iter().filter(|(_, probability)| **probability > 0.0) {
        let action = log.actions.find(name);
        let mut all = allowed.iter().flatten();
        if !all.any(|allowed| Some(allowed.action) == action && allowed.probability > 0.0) {
            let detail = format!(
                "the policy gives {name:?} probability {probability}, but the log's policy never could choose it; \
                 what was never tried cannot be valued"
            );
            return Err(InputError::new("missing_support", path, detail));
        }
    }
    let names = &log.actions.names;
    let of = |allowed: &super::Allowed| table.get(&names[allowed.action as usize]).copied().unwrap_or(0.0);
    let mut all = Vec::with_capacity(allowed.len());
    for (index, set) in allowed.iter().enumerate() {
        let sum: f64 = set.iter().map(of).sum();
        if sum <= 0.0 {
            let id = &log.decisions[index];
            let detail = format!("decision {id:?} allows nothing to which the policy gives any probability");
            return Err(InputError::new("no_policy", path, detail));
        }
        all.push(set.iter().map(|allowed| chosen(allowed, of(allowed) / sum)).collect());
    }
    Ok(all)
}
