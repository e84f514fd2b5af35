//! `smartpush score`: the propensity of everybody a goal is about, as a file.

mod import;
mod table;

use std::path::PathBuf;

use super::output::{print_json, print_lines, thousands};
use super::{Context, Failure};
use operations::score::{ScoreRequest, score};
use operations::table::TableScoreRequest;

/// Write the calibrated propensity of a goal for everybody it is about, as of T
///
/// Features use events before T; the model is the newest as of T or before (--model names another). One row per member of
/// the goal's population: user_id, campaign_id or content_id where the goal has them, propensity.
///
/// --import takes predictions of another team's model: the columns of `examples` that say what a row is about, and
/// propensity, for every row of the test part (not learned from) and of the population.
///
/// --table scores the rows of a table by the champion of a goal that was trained with `train --table`: row (from 1), the id
/// column if one was named, propensity, and uplift if a treatment was. The table needs every column that the model reads;
/// a category that training did not know counts as a rare one.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smartpush score --goal purchase_7d --out propensity.parquet
  smartpush score --goal redeem --as-of 2017-11-15 --out redeem.csv
  smartpush examples --goal redeem --population --out rows.parquet   # another team learns, predicts test and population
  smartpush score --goal redeem --import predictions.csv --out redeem.csv
  smartpush score --table new.csv --goal bank --out scored.csv")]
pub(super) struct ScoreArguments {
    /// The goal
    #[arg(long, value_name = "NAME")]
    goal: String,
    /// Use events before this moment only [default: 1 µs after the newest event, at most now]
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
    /// Score the rows of this table (csv, jsonl or parquet), for a goal of `train --table`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["as_of", "import"])]
    table: Option<PathBuf>,
}

pub(super) fn run(context: &Context, arguments: &ScoreArguments) -> Result<(), Failure> {
    if let Some(predictions) = &arguments.import {
        return import::run(context, arguments, predictions);
    }
    if let Some(table) = &arguments.table {
        let request = TableScoreRequest {
            table: table.clone(),
            goal: arguments.goal.clone(),
            model: arguments.model.clone(),
            out: arguments.out.clone(),
        };
        return table::run(context, &request);
    }
    let workspace = context.open()?;
    let request = ScoreRequest {
        goal: arguments.goal.clone(),
        as_of: context.given_moment(arguments.as_of.as_deref())?,
        model: arguments.model.clone(),
        out: arguments.out.clone(),
    };
    let report = context.operate(&workspace, |operation| score(operation, &request))?;
    if context.json {
        print_json(&serde_json::json!({
            "goal": arguments.goal, "as_of": report.as_of, "version": report.version, "rows": report.rows,
            "path": arguments.out, "mean_propensity": report.mean_propensity,
        }));
    } else {
        print_lines(&[format!(
            "{} propensities of {} as of {} by model {} in {}",
            thousands(report.rows),
            arguments.goal,
            report.as_of,
            report.version,
            arguments.out.display()
        )]);
    }
    Ok(())
}
