//! Randomised arms to read lift from: the holdouts of our own log, or anybody's experiment.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use polars::prelude::*;
use serde::Deserialize;

use super::off_policy::PolicyInputError;
use super::partitions::files_of;
use evaluation::uplift::UpliftUnit;
use events::foreign::{ForeignField, ForeignRows, Names};
use events::formats::InputError;
use files::tables::{TableError, read_parquet};

const TREATED: ForeignField = ForeignField { names: &["treated", "treatment", "arm"] };
const TREATED_PROBABILITY: ForeignField = ForeignField { names: &["treated_probability"] };
const REACHED: ForeignField = ForeignField { names: &["reached", "outcome", "goal", "click", "reward"] };
const CAMPAIGN: ForeignField = ForeignField { names: &["campaign_id"] };
const SCORE: ForeignField = ForeignField { names: &["score"] };

const TREATED_WORDS: [&str; 4] = ["treated", "treatment", "test", "push"];
const CONTROL_WORDS: [&str; 4] = ["control", "holdout", "held_out", "no_push"];

/// Units of experiments.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Arms {
    /// Of all campaigns together.
    pub all: Vec<UpliftUnit>,
    /// Of each campaign.
    pub campaigns: BTreeMap<String, Vec<UpliftUnit>>,
    /// A score of each unit in `all`, when there are any.
    pub scores: Option<Vec<f64>>,
}

/// Reads `theirs=ours,theirs=ours`, for the file of an experiment.
///
/// # Errors
/// A text that says which pair cannot be used.
pub fn names(text: &str) -> Result<Names, String> {
    Names::parse(text, &[&TREATED, &TREATED_PROBABILITY, &REACHED, &CAMPAIGN, &SCORE])
}

/// Reads an experiment of anybody's: CSV or Parquet, one row a unit.
///
/// # Errors
/// When the file lacks a column, or a line is no unit; without a column of probabilities there must be one for all.
pub fn of_file(
    path: &Path,
    names: &Names,
    treated_probability: Option<f64>,
    scratch: &Path,
) -> Result<Arms, InputError> {
    names.check(&[path], scratch)?;
    let rows = ForeignRows::open(path, names, scratch)?;
    let (treated, reached) = (rows.need(&TREATED)?, rows.need(&REACHED)?);
    let (probability, campaign, score) =
        (rows.find(&TREATED_PROBABILITY), rows.find(&CAMPAIGN), rows.find(&SCORE));
    if probability.is_none() && treated_probability.is_none() {
        let detail = "no column treated_probability; say --treated-percent when it is one for all";
        return Err(InputError::new("missing_column", path, detail));
    }
    let (mut arms, mut scores) = (Arms::default(), Vec::new());
    rows.each(|line| {
        let own = probability.as_ref().map(|source| line.probability(source, true)).transpose()?;
        let unit = UpliftUnit {
            treated: line.flag(&treated, &TREATED_WORDS, &CONTROL_WORDS)?,
            treated_probability: own.or(treated_probability).unwrap_or(f64::NAN),
            reached: line.flag(&reached, &[], &[])?,
        };
        arms.all.push(unit);
        if let Some(source) = &campaign {
            arms.campaigns.entry(line.name(source)?.into_owned()).or_default().push(unit);
        }
        scores.extend(score.as_ref().map(|source| line.number(source)).transpose()?);
        Ok(())
    })?;
    arms.scores = score.is_some().then_some(scores);
    Ok(arms)
}

/// Shares of users that are held out, from 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Holdouts {
    /// From everything.
    pub everywhere: f64,
    /// From each campaign, of those who are not held out from everything.
    pub campaigns: BTreeMap<String, f64>,
}

/// A decision, as far as an experiment is about it.
struct ExperimentDecision {
    decided_at: i64,
    decision_id: String,
    held_everywhere: bool,
    held_out: bool,
    reached: bool,
}

/// Reads the holdouts of our export: a unit is a user, in a campaign the user in it, and the outcome is whether he reached
/// the goal within the window after the first decision about him, whatever it said. What came later may be caused by
/// what came before, so it does not count.
///
/// # Errors
/// When there is no export, or it cannot be read.
pub fn of_export(decisions: &Path, outcomes: &Path, holdouts: &Holdouts) -> Result<Arms, PolicyInputError> {
    let mut reached = HashMap::new();
    for file in files_of(outcomes, "outcomes.parquet")? {
        read_outcomes(&file, &mut reached)?;
    }
    let mut users: BTreeMap<String, ExperimentDecision> = BTreeMap::new();
    let mut campaigns: BTreeMap<(String, String), ExperimentDecision> = BTreeMap::new();
    for file in files_of(decisions, "decisions.parquet")? {
        read_decisions(&file, &reached, |user, campaign, asked| {
            if let Some(campaign) = campaign {
                keep_first(&mut campaigns, (campaign.to_string(), user.to_string()), asked());
            }
            keep_first(&mut users, user.to_string(), asked());
        })?;
    }
    let unit = |treated, treated_probability, asked: &ExperimentDecision| UpliftUnit {
        treated,
        treated_probability,
        reached: asked.reached,
    };
    let outside = 1.0 - holdouts.everywhere;
    let mut arms = Arms::default();
    arms.all.extend(users.values().map(|asked| unit(!asked.held_everywhere, outside, asked)));
    for ((campaign, _), asked) in campaigns {
        let share = holdouts.campaigns.get(&campaign).copied().unwrap_or(0.0);
        let unit = unit(!asked.held_out, outside * (1.0 - share), &asked);
        arms.campaigns.entry(campaign).or_default().push(unit);
    }
    Ok(arms)
}

fn keep_first<K: Ord>(kept: &mut BTreeMap<K, ExperimentDecision>, key: K, asked: ExperimentDecision) {
    let order = |asked: &ExperimentDecision| (asked.decided_at, asked.decision_id.clone());
    match kept.get(&key) {
        Some(other) if order(other) <= order(&asked) => {}
        _ => drop(kept.insert(key, asked)),
    }
}

/// Which decisions were followed by the goal within the window, whoever caused it.
fn read_outcomes(file: &Path, reached: &mut HashMap<String, bool>) -> Result<(), TableError> {
    let frame = read_parquet(file, Some(&["decision_id", "goal_in_window"]))?;
    let mut take = || -> PolarsResult<()> {
        let ids = frame.column("decision_id")?.str()?;
        for (id, goal) in ids.iter().zip(frame.column("goal_in_window")?.bool()?.iter()) {
            reached.insert(id.unwrap_or_default().to_string(), goal.unwrap_or_default());
        }
        Ok(())
    };
    take().map_err(TableError::parquet(file))
}

#[derive(Deserialize)]
struct RuleOfReason {
    rule: String,
}

/// Hands on the decisions whose outcome is known: user, campaign, and the rest.
fn read_decisions(
    file: &Path,
    reached: &HashMap<String, bool>,
    mut take: impl FnMut(&str, Option<&str>, &dyn Fn() -> ExperimentDecision),
) -> Result<(), TableError> {
    let columns = ["decision_id", "user_id", "campaign_id", "decided_at", "reasons", "holdout"];
    let frame = read_parquet(file, Some(&columns))?;
    let mut each = || -> PolarsResult<()> {
        let text = |name: &str| frame.column(name)?.str();
        let (ids, users, campaigns) = (text("decision_id")?, text("user_id")?, text("campaign_id")?);
        let (reasons, held) = (text("reasons")?, frame.column("holdout")?.bool()?);
        let moments = frame.column("decided_at")?.datetime()?.physical();
        for row in 0..frame.height() {
            let id = ids.get(row).unwrap_or_default();
            let Some(reached) = reached.get(id) else { continue };
            let told: Vec<RuleOfReason> =
                serde_json::from_str(reasons.get(row).unwrap_or_default()).unwrap_or_default();
            let held_everywhere = told.iter().any(|reason| reason.rule == "outside_holdout");
            take(users.get(row).unwrap_or_default(), campaigns.get(row), &|| ExperimentDecision {
                decided_at: moments.get(row).unwrap_or_default(),
                decision_id: id.to_string(),
                held_everywhere,
                held_out: held.get(row).unwrap_or_default(),
                reached: *reached,
            });
        }
        Ok(())
    };
    each().map_err(TableError::parquet(file))
}
