//! `smartpush profile`: events → one row per user; or one user's row, for people.

use super::output::{print_json, print_lines, progress_bar, thousands};
use super::{Context, Failure};
use profiles::build::{Built, build};
use profiles::declared::Declared;
use profiles::features::{FEATURES, Feature};
use profiles::table::ProfileTable;

/// Build one row of features per user, from events before T
///
/// The table goes to data/profiles/as_of=T/profiles.parquet. With --user it shows one user's row of a table
/// that was built before; with --features it lists what the columns mean.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smartpush profile
  smartpush profile --as-of 2017-12-01T05:00:00Z
  smartpush profile --user 1001
  smartpush profile --features")]
pub(super) struct ProfileArguments {
    /// Use events before this moment only
    #[arg(long, value_name = "T")]
    as_of: Option<String>,
    /// Show this user's profile instead of building
    #[arg(long, value_name = "USER_ID", conflicts_with = "features")]
    user: Option<String>,
    /// List the features instead of building
    #[arg(long)]
    features: bool,
}

pub(super) fn run(context: &Context, arguments: &ProfileArguments) -> Result<(), Failure> {
    if arguments.features {
        return list_features(context);
    }
    if let Some(user_id) = &arguments.user {
        return show_user(context, arguments, user_id);
    }
    let built = make(context, arguments.as_of.as_deref())?;
    if context.json {
        print_json(&serde_json::json!({
            "as_of": built.manifest.as_of, "rows": built.manifest.rows, "path": built.path,
            "sha256": built.manifest.sha256, "features_sha256": built.manifest.features_sha256,
            "lifecycle": built.lifecycle,
        }));
    } else {
        let mut lines =
            vec![format!("{} users as of {}", thousands(built.manifest.rows), built.manifest.as_of)];
        let stage = |(stage, count): (&String, &u64)| format!("  {:>9}  {stage}", thousands(*count));
        lines.extend(built.lifecycle.iter().map(stage));
        lines.push(format!("  {}", built.path.display()));
        print_lines(&lines);
    }
    Ok(())
}

/// Builds under the workspace's lock, with a progress bar.
pub(super) fn make(context: &Context, as_of: Option<&str>) -> Result<Built, Failure> {
    let workspace = context.open()?;
    let _lock = workspace.lock()?;
    let lake = context.lake(&workspace)?;
    let as_of = context.moment(as_of, &lake)?;
    let declared = Declared::read(&workspace, &context.config.default_time_zone)?;
    let bar = progress_bar();
    bar.set_message("building profiles");
    let built = build(&workspace, &lake, &declared, as_of, &context.config.profiles, &|done, total| {
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    })?;
    bar.finish_and_clear();
    Ok(built)
}

fn list_features(context: &Context) -> Result<(), Failure> {
    if context.json {
        let entry = |feature: &Feature| {
            serde_json::json!({
                "name": feature.name, "revision": feature.revision, "unit": feature.unit,
                "description": feature.description,
            })
        };
        print_json(&serde_json::json!({ "features": FEATURES.iter().map(entry).collect::<Vec<_>>() }));
        return Ok(());
    }
    let line =
        |feature: &Feature| format!("{:<26} {:<10} {}", feature.name, feature.unit, feature.description);
    print_lines(&FEATURES.iter().map(line).collect::<Vec<_>>());
    Ok(())
}

fn show_user(context: &Context, arguments: &ProfileArguments, user_id: &str) -> Result<(), Failure> {
    let workspace = context.open()?;
    let as_of = arguments.as_of.as_deref().map(|text| context.parse_moment(text)).transpose()?;
    let table = ProfileTable::open(&workspace, as_of)?;
    let Some(profile) = table.get(user_id) else {
        let message = format!("{user_id:?} is not in the profiles as of {}", table.manifest().as_of);
        return Err(Failure::not_found("unknown_user", message));
    };
    if context.json {
        print_json(&serde_json::json!({ "as_of": table.manifest().as_of, "profile": profile }));
        return Ok(());
    }
    let mut lines = vec![format!("{user_id} as of {}", table.manifest().as_of)];
    for feature in FEATURES.iter().filter(|feature| feature.name != "hours_of_week") {
        let value = profile.get(feature.name).filter(|value| !value.is_null());
        lines.push(format!("  {:<26} {}", feature.name, value.map(for_people).unwrap_or_else(|| "–".into())));
    }
    print_lines(&lines);
    Ok(())
}

fn for_people(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Array(items) => {
            items.iter().take(5).map(for_people).collect::<Vec<_>>().join(", ")
        }
        serde_json::Value::Number(number) if !number.is_i64() => {
            format!("{:.3}", number.as_f64().unwrap_or_default())
        }
        other => other.to_string(),
    }
}
