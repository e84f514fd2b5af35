//! The holdouts of our own log as randomised arms to read lift from.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use polars::prelude::*;
use serde::Deserialize;

use super::arms::{ArmRows, Arms};
use super::off_policy::PolicyInputError;
use super::partitions::files_of;
use super::reached::{AskedUser, Reached};
use decisions::rule_names::OUTSIDE_HOLDOUT;
use domain::time::Instant;
use evaluation::uplift::UpliftUnit;
use files::tables::{TableError, read_parquet};

/// Shares of users that are held out, from 0 to 1.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Holdouts {
    /// From everything.
    pub everywhere: f64,
    /// From each campaign, of those who are not held out from everything.
    pub campaigns: BTreeMap<String, f64>,
}

/// Reads the holdouts of our export, by the definition of [`Reached`].
///
/// # Errors
/// When there is no export, or it cannot be read.
pub fn of_export(decisions: &Path, outcomes: &Path, holdouts: &Holdouts) -> Result<Arms, PolicyInputError> {
    let mut goals = HashMap::new();
    for file in files_of(outcomes, "outcomes.parquet")? {
        read_outcomes(&file, &mut goals)?;
    }
    let mut reached = Reached::default();
    for file in files_of(decisions, "decisions.parquet")? {
        read_decisions(&file, &goals, &mut reached)?;
    }
    Ok(arms_of(&reached, holdouts))
}

fn arms_of(reached: &Reached, holdouts: &Holdouts) -> Arms {
    let outside = 1.0 - holdouts.everywhere;
    let unit = |treated, treated_probability, reached| UpliftUnit { treated, treated_probability, reached };
    let mut arms = Arms::default();
    arms.all.rows.extend(reached.users().map(|one| unit(one.is_treated, outside, one.reached)));
    for (campaign, one) in reached.in_campaigns() {
        let share = holdouts.campaigns.get(campaign).copied().unwrap_or(0.0);
        let rows: &mut ArmRows = arms.campaigns.entry(campaign.to_string()).or_default();
        rows.rows.push(unit(one.is_treated, outside * (1.0 - share), one.reached));
    }
    arms
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

/// Takes the decisions whose outcome is known.
fn read_decisions(
    file: &Path,
    goals: &HashMap<String, bool>,
    reached: &mut Reached,
) -> Result<(), TableError> {
    let columns = ["decision_id", "user_id", "campaign_id", "decided_at", "reasons", "holdout"];
    let frame = read_parquet(file, Some(&columns))?;
    let mut each = || -> PolarsResult<()> {
        let text = |name: &str| frame.column(name)?.str();
        let (ids, users, campaigns) = (text("decision_id")?, text("user_id")?, text("campaign_id")?);
        let (reasons, held) = (text("reasons")?, frame.column("holdout")?.bool()?);
        let moments = frame.column("decided_at")?.datetime()?.physical();
        for row in 0..frame.height() {
            let decision_id = ids.get(row).unwrap_or_default();
            let Some(goal_in_window) = goals.get(decision_id) else { continue };
            let told: Vec<RuleOfReason> =
                serde_json::from_str(reasons.get(row).unwrap_or_default()).unwrap_or_default();
            reached.absorb(&AskedUser {
                user_id: users.get(row).unwrap_or_default(),
                campaign_id: campaigns.get(row),
                decided_at: Instant::from_micros(moments.get(row).unwrap_or_default()),
                decision_id,
                held_everywhere: told.iter().any(|reason| reason.rule == OUTSIDE_HOLDOUT),
                held_out: held.get(row).unwrap_or_default(),
                goal_in_window: *goal_in_window,
            });
        }
        Ok(())
    };
    each().map_err(TableError::parquet(file))
}
