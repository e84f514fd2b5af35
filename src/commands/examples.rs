//! `smartpush examples`: the rows that a model learns from, for other tools.

use std::path::PathBuf;

use super::output::{print_json, print_lines, thousands};
use super::{Context, Failure};
use operations::examples::{ExamplesRequest, examples};

/// Write a goal's training examples: inputs as of each moment, and whether the goal was reached
///
/// Only rows whose outcome was known before T. Inputs use events before the row's own moment. The column `part` says what
/// training takes a row for: train, calibrate, test, or left_out between them.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smartpush examples --goal redeem --out redeem.parquet
  smartpush examples --goal churn_30d --as-of 2017-11-01 --out churn.csv")]
pub(super) struct ExamplesArguments {
    /// The goal
    #[arg(long, value_name = "NAME")]
    goal: String,
    /// Use what was known before this moment only [default: 1 µs after the newest event, at most now]
    #[arg(long, value_name = "T")]
    as_of: Option<String>,
    /// File to write; .parquet, .csv or .jsonl
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Add everybody the goal is about at T, without a label: what `score --import` wants predicted beside the test part
    #[arg(long)]
    population: bool,
}

pub(super) fn run(context: &Context, arguments: &ExamplesArguments) -> Result<(), Failure> {
    let workspace = context.open()?;
    let request = ExamplesRequest {
        goal: arguments.goal.clone(),
        as_of: context.given_moment(arguments.as_of.as_deref())?,
        with_population: arguments.population,
        out: arguments.out.clone(),
    };
    let report = context.operate(&workspace, |operation| examples(operation, &request))?;
    if context.json {
        print_json(&serde_json::json!({
            "goal": arguments.goal, "as_of": report.as_of, "rows": report.rows, "positives": report.positives,
            "moments": report.moments, "immature_moments": report.immature_moments,
            "one_negative_kept_of": report.one_negative_kept_of, "population": report.population, "path": arguments.out,
        }));
    } else {
        print_lines(&[format!(
            "{} examples of {} at {} moments, {} reach the goal, in {}",
            thousands(report.examples as u64),
            arguments.goal,
            report.moments,
            thousands(report.positives as u64),
            arguments.out.display()
        )]);
    }
    Ok(())
}
