//! `smartpush score --import`: another team's predictions as a challenger.

use std::path::Path;

use super::super::output::{print_json, print_lines, thousands};
use super::super::train::figures;
use super::super::{Context, Failure};
use super::ScoreArguments;
use ::models::train::imported::names;
use operations::import::{ImportReport, ImportRequest, import};
use registry::gate::Gate;

pub(super) fn run(context: &Context, arguments: &ScoreArguments, predictions: &Path) -> Result<(), Failure> {
    let workspace = context.open()?;
    let names = names(arguments.map.as_deref().unwrap_or_default());
    let request = ImportRequest {
        goal: arguments.goal.clone(),
        as_of: context.given_moment(arguments.as_of.as_deref())?,
        predictions: predictions.to_path_buf(),
        names: names.map_err(|detail| Failure::caller("bad_map", detail))?,
        out: arguments.out.clone(),
    };
    let report = context.operate(&workspace, |operation| import(operation, &request))?;
    print(context, arguments, &report);
    Failure::after_report(report.refusal.map(Failure::from))
}

fn print(context: &Context, arguments: &ScoreArguments, report: &ImportReport) {
    let ImportReport { as_of, version, card, rows, refusal } = report;
    let goal = &arguments.goal;
    if context.json {
        print_json(&serde_json::json!({
            "goal": goal, "as_of": as_of, "version": version, "rows": rows, "path": arguments.out,
            "shadow": refusal.is_none(), "metrics": card.metrics, "gate": card.gate.as_ref().map(|gate| &gate.lines),
        }));
        return;
    }
    let verdict = match refusal {
        None => "passes the gate: it is the shadow now, logged beside the champion",
        Some(_) => "refused by the gate: kept, not shadowed",
    };
    let mut lines = vec![format!("{goal} {version} (imported): {verdict}")];
    lines.extend(card.gate.iter().flat_map(Gate::failed).map(|line| format!("  ✗ {line}")));
    lines.extend(figures(card).into_iter().map(|line| format!("  {line}")));
    lines.push(format!("  {} propensities in {}", thousands(*rows), arguments.out.display()));
    print_lines(&lines);
}
