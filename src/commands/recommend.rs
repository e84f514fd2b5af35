//! `smartpush recommend`: the best contents for each user, as a file.

use std::path::PathBuf;

use super::output::{print_json, print_lines, thousands};
use super::{Context, Failure};
use ::models::recommend::Wanted;
use operations::recommend::{RecommendReport, RecommendRequest, recommend};

/// Write the best contents for every user, as of T
///
/// Candidates are what is popular now and lately, what people like the user touched, and what they come back to; they are
/// ranked by the model of the goal (decisions.goal), the newest as of T or before. Without a model they are ranked by decayed popularity, and
/// the answer says so. Only contents that were published before T and have not expired.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smartpush recommend --top 10 --out recommendations.parquet
  smartpush recommend --as-of 2016-11-06 --top 10 --exclude-seen --out 2016-11-06.csv")]
pub(super) struct RecommendArguments {
    /// Use events before this moment only [default: 1 µs after the newest event, at most now]
    #[arg(long, value_name = "T")]
    as_of: Option<String>,
    /// Contents for each user
    #[arg(long, value_name = "K", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    top: u32,
    /// File to write; .parquet, .csv or .jsonl
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Leave out contents that the user has touched before
    #[arg(long)]
    exclude_seen: bool,
    /// A goal about contents; default: decisions.goal
    #[arg(long, value_name = "NAME")]
    goal: Option<String>,
    /// Rank with this version instead of the newest
    #[arg(long, value_name = "VERSION")]
    model: Option<String>,
}

pub(super) fn run(context: &Context, arguments: &RecommendArguments) -> Result<(), Failure> {
    let workspace = context.open()?;
    let request = RecommendRequest {
        goal: arguments.goal.clone(),
        as_of: context.given_moment(arguments.as_of.as_deref())?,
        wanted: Wanted { top: arguments.top as usize, unseen: arguments.exclude_seen },
        model: arguments.model.clone(),
        out: arguments.out.clone(),
    };
    let report = context.operate(&workspace, |operation| recommend(operation, &request))?;
    let RecommendReport { goal, as_of, version, users, rows } = &report;
    if version.is_none() {
        eprintln!(
            "fallback: no model of {goal} as of {as_of}; ranked by decayed popularity (`smartpush train --goal {goal} \
             --as-of {as_of}` trains one)"
        );
    }
    if context.json {
        print_json(&serde_json::json!({
            "goal": goal, "as_of": as_of, "version": version, "fallback": version.is_none(),
            "users": users, "rows": rows, "path": arguments.out,
        }));
    } else {
        let by = match version {
            Some(version) => format!("model {version}"),
            None => "decayed popularity (fallback)".to_string(),
        };
        print_lines(&[format!(
            "{} contents for {} users as of {as_of}, ranked by {by}, in {}",
            thousands(*rows),
            thousands(*users as u64),
            arguments.out.display()
        )]);
    }
    Ok(())
}
