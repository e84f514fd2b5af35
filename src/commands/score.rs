//! `smartpush score`: the propensity of everybody a goal is about, as a file.

mod import;

use std::path::{Path, PathBuf};

use super::learning::{goal_of, question, read_before};
use super::output::{print_json, print_lines, thousands, warn_of_damaged};
use super::{Context, Failure};
use files::tables::{self, TableError};
use models::score::{check_goal, check_inputs, frame_of, score};
use registry::versions::{Registry, RegistryError};

/// Write the calibrated propensity of a goal for everybody it is about, as of T
///
/// Features use events before T; the model is the newest as of T or before (--model names another). One row per member of
/// the goal's population: user_id, campaign_id or content_id where the goal has them, propensity.
///
/// --import takes predictions of another team's model: the columns of `examples` that say what a row is about, and
/// propensity, for every row of the test part (not learned from) and of the population.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smartpush score --goal purchase_7d --out propensity.parquet
  smartpush score --goal redeem --as-of 2017-11-15 --out redeem.csv
  smartpush examples --goal redeem --population --out rows.parquet   # another team learns, predicts test and population
  smartpush score --goal redeem --import predictions.csv --out redeem.csv")]
pub(super) struct ScoreArguments {
    /// The goal
    #[arg(long, value_name = "NAME")]
    goal: String,
    /// Use events before this moment only
    #[arg(long, value_name = "T")]
    as_of: Option<String>,
    /// File to write; .parquet, .csv or .jsonl
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Score with this version instead of the newest
    #[arg(long, value_name = "VERSION")]
    model: Option<String>,
    /// Take another team's predictions instead: they go through the gate, become a challenger, and are logged in the shadow
    #[arg(long, value_name = "FILE", conflicts_with = "model")]
    import: Option<PathBuf>,
    /// With --import: their columns' names for ours
    #[arg(long, value_name = "theirs=ours,…", requires = "import")]
    map: Option<String>,
}

pub(super) fn run(context: &Context, arguments: &ScoreArguments) -> Result<(), Failure> {
    let goal = goal_of(context, &arguments.goal)?;
    let workspace = context.open()?;
    context.check_out(&workspace, &arguments.out)?;
    let lake = context.lake(&workspace)?;
    let as_of = context.moment(arguments.as_of.as_deref(), &lake)?;
    if let Some(file) = &arguments.import {
        return import::run(context, arguments, &workspace, &lake, as_of, file);
    }
    let registry = Registry::of(&workspace);
    let found = match &arguments.model {
        Some(version) => registry.read(&arguments.goal, version)?,
        None => {
            let newest = registry.newest(&arguments.goal, as_of)?;
            newest.damaged.iter().for_each(warn_of_damaged);
            newest.found
        }
    };
    registry.check_servable(&found)?;
    let path = registry.place(&arguments.goal, &found.version).join("model.json");
    check_goal(&found.model, goal)
        .and_then(|()| check_inputs(&found.model))
        .map_err(|fault| RegistryError::Unusable { path, fault })?;
    let material = read_before(context, &workspace, &lake, as_of)?;
    // Features as the model knows them, also when the settings have changed since.
    let sources = material.sources(&found.model.profile_settings);
    let question = question(context, &arguments.goal, goal, &sources);
    let scores = score(&question, &found.model, as_of)?;
    let frame = frame_of(&question, &scores).map_err(TableError::parquet(Path::new("scores")))?;
    let rows = tables::write_frame(&arguments.out, frame)?;
    if context.json {
        print_json(&serde_json::json!({
            "goal": arguments.goal, "as_of": as_of, "version": found.version, "rows": rows, "path": arguments.out,
            "mean_propensity": scores.iter().map(|score| score.propensity).sum::<f64>() / scores.len() as f64,
        }));
    } else {
        let place = arguments.out.display();
        print_lines(&[format!(
            "{} propensities of {} as of {as_of} by model {} in {place}",
            thousands(rows),
            arguments.goal,
            found.version
        )]);
    }
    Ok(())
}
