//! `smartpush recommend`: the best contents for each user, as a file.

use std::path::{Path, PathBuf};

use super::learning::{goal_of, question, read_before};
use super::output::{print_json, print_lines, thousands, warn_of_damaged};
use super::{Context, Failure};
use domain::goal::{Goal, Unit};
use domain::time::Instant;
use files::tables::{self, TableError};
use models::recommend::{Wanted, frame_of, recommend};
use models::score::{check_goal, check_inputs};
use registry::versions::{Registered, Registry, RegistryError};

/// Write the best contents for every user, as of T
///
/// Candidates are what is popular now and lately, what people like the user touched, and what he comes back to; they are
/// ranked by the response model, the newest as of T or before. Without a model they are ranked by decayed popularity, and
/// the answer says so. Only contents that were published before T and have not expired.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smartpush recommend --top 10 --out recommendations.parquet
  smartpush recommend --as-of 2016-11-06 --top 10 --exclude-seen --out 2016-11-06.csv")]
pub(super) struct RecommendArguments {
    /// Use events before this moment only
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
    let name = arguments.goal.as_deref().unwrap_or(&context.config.decisions.goal);
    let goal = goal_of(context, name)?;
    if goal.unit != Unit::UserContent {
        let message = format!("{name} is about a {}, not about contents", goal.unit);
        return Err(Failure::caller("bad_goal", message));
    }
    let workspace = context.open()?;
    context.check_out(&workspace, &arguments.out)?;
    let lake = context.lake(&workspace)?;
    let as_of = context.moment(arguments.as_of.as_deref(), &lake)?;
    let found = find(&Registry::of(&workspace), (name, goal), arguments.model.as_deref(), as_of)?;
    let material = read_before(context, &workspace, &lake, as_of)?;
    let model = found.as_ref().map(|found| &found.model);
    let profiles = model.map_or(&context.config.profiles, |model| &model.profile_settings);
    let sources = material.sources(profiles);
    let question = question(context, name, goal, &sources);
    let wanted = Wanted { top: arguments.top as usize, unseen: arguments.exclude_seen };
    let rankings = recommend(&question, model, as_of, wanted)?;
    let frame =
        frame_of(&material.timeline, &rankings).map_err(TableError::parquet(Path::new("rankings")))?;
    let rows = tables::write_frame(&arguments.out, frame)?;
    let version = found.as_ref().map(|found| found.version.as_str());
    if version.is_none() {
        eprintln!(
            "fallback: no model of {name} as of {as_of}; ranked by decayed popularity (`smartpush train --goal {name} \
             --as-of {as_of}` trains one)"
        );
    }
    if context.json {
        print_json(&serde_json::json!({
            "goal": name, "as_of": as_of, "version": version, "fallback": version.is_none(),
            "users": rankings.len(), "rows": rows, "path": arguments.out,
        }));
    } else {
        let by =
            version.map_or("decayed popularity (fallback)".to_string(), |version| format!("model {version}"));
        print_lines(&[format!(
            "{} contents for {} users as of {as_of}, ranked by {by}, in {}",
            thousands(rows),
            thousands(rankings.len() as u64),
            arguments.out.display()
        )]);
    }
    Ok(())
}

/// The version asked for, or the newest; none is no failure.
fn find(
    registry: &Registry,
    (name, goal): (&str, &Goal),
    version: Option<&str>,
    as_of: Instant,
) -> Result<Option<Registered>, Failure> {
    let found = match version {
        Some(version) => registry.read(name, version)?,
        None => match registry.newest(name, as_of) {
            Ok(newest) => {
                newest.damaged.iter().for_each(warn_of_damaged);
                newest.found
            }
            Err(RegistryError::NoModel { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        },
    };
    let path = registry.place(name, &found.version).join("model.json");
    check_goal(&found.model, goal)
        .and_then(|()| check_inputs(&found.model))
        .map_err(|fault| RegistryError::Unusable { path, fault })?;
    Ok(Some(found))
}
