//! `smartpush examples`: the rows that a model learns from, for other tools.

use std::path::{Path, PathBuf};

use super::learning::{goal_of, question, read_before};
use super::output::{print_json, print_lines, progress_bar, thousands};
use super::{Context, Failure};
use files::tables::{self, TableError};
use models::examples::Labels;
use models::score::{POPULATION, examples_frame};
use models::train::parts_of;

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
    /// Use what was known before this moment only
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
    let goal = goal_of(context, &arguments.goal)?;
    let workspace = context.open()?;
    context.check_out(&workspace, &arguments.out)?;
    let lake = context.lake(&workspace)?;
    let as_of = context.moment(arguments.as_of.as_deref(), &lake)?;
    let material = read_before(context, &workspace, &lake, as_of)?;
    let sources = material.sources(&context.config.profiles);
    let question = question(context, &arguments.goal, goal, &sources);
    let bar = progress_bar();
    bar.set_message("examples");
    let examples = question.examples(Labels::MatureBefore(material.as_of), &|done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    // A goal with too few moments to split can still be looked at.
    let mut parts = parts_of(&question, &examples).unwrap_or_else(|_| vec!["train"; examples.len()]);
    let all: Vec<usize> = (0..examples.len()).collect();
    let positives = examples.positives(&all);
    let (counted, immature) = (examples.moments.len(), examples.immature);
    let one_kept_of = examples.one_kept_of;
    let examples = match arguments.population {
        true => examples.followed_by(question.population_rows(material.as_of)?),
        false => examples,
    };
    parts.resize(examples.len(), POPULATION);
    let frame =
        examples_frame(&question, &examples, &parts).map_err(TableError::parquet(Path::new("examples")))?;
    let rows = tables::write_frame(&arguments.out, frame)?;
    if context.json {
        print_json(&serde_json::json!({
            "goal": arguments.goal, "as_of": material.as_of, "rows": rows, "positives": positives,
            "moments": counted, "immature_moments": immature,
            "one_negative_kept_of": one_kept_of, "population": examples.len() - all.len(), "path": arguments.out,
        }));
    } else {
        print_lines(&[format!(
            "{} examples of {} at {} moments, {} reach the goal, in {}",
            thousands(all.len() as u64),
            arguments.goal,
            counted,
            thousands(positives as u64),
            arguments.out.display()
        )]);
    }
    Ok(())
}
