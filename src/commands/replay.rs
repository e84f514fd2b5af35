//! `smartpush replay`: a logged decision made again, byte for byte.

use super::output::{print_json, print_lines};
use super::{Context, Failure};
use engine::replay::{Difference, Replay};
use operations::replay::{ReplayReport, replay};

/// Make a logged decision again and compare the bytes
///
/// The log holds all that the decision was made from but the model's weights, which the workspace keeps. The same build
/// gives the same bytes. Exit 0 when they are the same, 3 when they differ, 2 when there is no such decision.
#[derive(clap::Args)]
#[command(after_help = "Example:
  smartpush replay 01890a5d-ac96-7b3c-9c3e-6f1d2a4b8c70")]
pub(super) struct ReplayArguments {
    /// The decision's id
    decision_id: String,
}

pub(super) fn run(context: &Context, arguments: &ReplayArguments) -> Result<(), Failure> {
    let workspace = context.open()?;
    let ReplayReport { replay: found, refusal } =
        context.operate(&workspace, |context| replay(context, &arguments.decision_id))?;
    if context.json {
        print_json(&serde_json::json!({
            "decision_id": found.decision_id, "identical": found.identical, "differences": found.differences,
            "versions": found.logged.context.versions,
        }));
    } else {
        print_lines(&for_people(&found));
    }
    Failure::after_report(refusal.map(Failure::from))
}

fn for_people(found: &Replay) -> Vec<String> {
    if found.identical {
        return vec![format!("{}: the same bytes", found.decision_id)];
    }
    let line = |difference: &Difference| {
        format!("  {}: logged {}, now {}", difference.pointer, difference.logged, difference.now)
    };
    let mut lines = vec![format!("{}: differs", found.decision_id)];
    lines.extend(found.differences.iter().map(line));
    let built = found.logged.context.versions.get("build").map(String::as_str).unwrap_or("an unknown build");
    lines.push(format!("  logged by build {built}, replayed by {}", env!("CARGO_PKG_VERSION")));
    lines
}
