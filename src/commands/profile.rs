//! `smartpush profile`: events → one row per user; or one user's row, for people.

use super::output::{print_json, print_lines, thousands};
use super::{Context, Failure};
use operations::profile::{UserProfile, build, show_user};
use profiles::features::{FEATURES, Feature};

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
    /// Use events before this moment only [default: 1 µs after the newest event, at most now]
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
        return show(context, arguments, user_id);
    }
    let workspace = context.open()?;
    let as_of = context.given_moment(arguments.as_of.as_deref())?;
    let built = context.operate(&workspace, |operation| build(operation, as_of))?;
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

fn show(context: &Context, arguments: &ProfileArguments, user_id: &str) -> Result<(), Failure> {
    let workspace = context.open()?;
    let as_of = context.given_moment(arguments.as_of.as_deref())?;
    let UserProfile { as_of, profile } =
        context.operate(&workspace, |operation| show_user(operation, user_id, as_of))?;
    if context.json {
        print_json(&serde_json::json!({ "as_of": as_of, "profile": profile }));
        return Ok(());
    }
    let mut lines = vec![format!("{user_id} as of {as_of}")];
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
