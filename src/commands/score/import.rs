//! `smartpush score --import`: another team's predictions as a challenger.

use std::path::Path;

use super::super::evaluate_policy::Scratch;
use super::super::learning::{goal_of, question, read_before};
use super::super::output::{print_json, print_lines, thousands};
use super::super::train::figures;
use super::super::{Context, Failure};
use super::ScoreArguments;
use domain::time::Instant;
use events::lake::Lake;
use files::tables::{self, TableError};
use files::workspace::Workspace;
use models::score::frame_of;
use models::train::Request;
use models::train::imported::{File, Imported, import, names};
use registry::gate::{Gate, GateLine};
use registry::versions::Registry;

pub(super) fn run(
    context: &Context,
    arguments: &ScoreArguments,
    workspace: &Workspace,
    lake: &Lake,
    as_of: Instant,
    file: &Path,
) -> Result<(), Failure> {
    let goal = goal_of(context, &arguments.goal)?;
    let is_same =
        |out: &Path| out.canonicalize().ok().is_some_and(|out| file.canonicalize().ok() == Some(out));
    if is_same(&arguments.out) {
        let place = file.display();
        let message = format!("{place}: the predictions are read from there");
        return Err(Failure::caller("bad_out", message));
    }
    let names = names(arguments.map.as_deref().unwrap_or_default());
    let names = names.map_err(|detail| Failure::caller("bad_map", detail))?;
    let _lock = workspace.lock()?;
    let material = read_before(context, workspace, lake, as_of)?;
    let sources = material.sources(&context.config.profiles);
    let question = question(context, &arguments.goal, goal, &sources);
    let registry = Registry::of(workspace);
    let (lake_sha256, champion) = (lake.content_sha256(), registry.read_champion(&arguments.goal).ok());
    let request = Request {
        lake_sha256: &lake_sha256,
        champion: champion.as_ref(),
        ..Request::new(as_of, &context.config, context.now)
    };
    let scratch = Scratch::make()?;
    let file = File { path: file, names: &names, scratch: &scratch.0 };
    let imported = import(&question, &request, &file)?;
    let frame = frame_of(&question, &imported.scores).map_err(TableError::parquet(Path::new("scores")))?;
    let rows = tables::write_frame(&arguments.out, frame)?;
    let version = registry.write_imported(&imported.model, &imported.card, &imported.table)?;
    let failed: Vec<&GateLine> = imported.card.gate.iter().flat_map(Gate::failed).collect();
    if failed.is_empty() {
        registry.set_shadow(&arguments.goal, Some(&version))?;
    }
    report(context, arguments, &imported, &version, rows);
    match failed.first() {
        None => Ok(()),
        Some(line) => Err(Failure::refused("not_shadowed", line).reported()),
    }
}

fn report(context: &Context, arguments: &ScoreArguments, imported: &Imported, version: &str, rows: u64) {
    let (card, goal) = (&imported.card, &arguments.goal);
    let is_passed = card.gate.as_ref().is_some_and(Gate::is_passed);
    if context.json {
        print_json(&serde_json::json!({
            "goal": goal, "as_of": imported.model.as_of, "version": version, "rows": rows, "path": arguments.out,
            "shadow": is_passed, "metrics": card.metrics, "gate": card.gate.as_ref().map(|gate| &gate.lines),
        }));
        return;
    }
    let verdict = match is_passed {
        true => "passes the gate: it is the shadow now, logged beside the champion",
        false => "refused by the gate: kept, not shadowed",
    };
    let mut lines = vec![format!("{goal} {version} (imported): {verdict}")];
    lines.extend(card.gate.iter().flat_map(Gate::failed).map(|line| format!("  ✗ {line}")));
    lines.extend(figures(card).into_iter().map(|line| format!("  {line}")));
    let place = arguments.out.display();
    lines.push(format!("  {} propensities in {place}", thousands(rows)));
    print_lines(&lines);
}
