//! `smartpush segment overlap`: how far saved segments are the same people.

use super::super::output::{print_json, print_lines, table};
use super::super::{Context, Failure};
use super::count::told;
use super::selection::ViewArguments;
use files::workspace::Workspace;
use operations::segments::overlap::{OverlapReport, overlap};

/// Compare saved segments: sizes, who is in one alone, and what every two share
///
/// Jaccard is the members of both over the members of either: 0 for strangers, 1 for the same people.
#[derive(clap::Args)]
pub(super) struct OverlapArguments {
    /// Saved segments, 2 to 20
    #[arg(value_name = "ID", num_args = 2..=20, required = true)]
    segments: Vec<String>,
    #[command(flatten)]
    view: ViewArguments,
}

pub(super) fn run(
    context: &Context,
    workspace: &Workspace,
    arguments: &OverlapArguments,
) -> Result<(), Failure> {
    let (asking, ids) = (arguments.view.asking(context)?, &arguments.segments);
    let report = context.operate(workspace, |context| overlap(context, asking, ids))?;
    match context.json {
        true => print_json(&report.to_json()),
        false => print_lines(&for_people(ids, &report)),
    }
    Ok(())
}

fn for_people(ids: &[String], report: &OverlapReport) -> Vec<String> {
    let (found, reader) = (&report.overlap, report.reader);
    let row = |cells: [&str; 3]| cells.map(str::to_string).to_vec();
    let mut rows = vec![row(["segment", "members", "in no other"])];
    for (index, id) in ids.iter().enumerate() {
        let only = told(found.only_shown(index, reader));
        rows.push(vec![id.clone(), told(reader.show(found.sizes[index])), only]);
    }
    let mut lines = table(&rows);
    let mut rows = vec![row(["every two", "both", "jaccard"])];
    for pair in &found.pairs {
        let jaccard = found.jaccard(pair, reader).map_or("–".to_string(), |share| format!("{share:.3}"));
        let names = format!("{} and {}", ids[pair.first], ids[pair.second]);
        rows.push(vec![names, told(reader.show(pair.both)), jaccard]);
    }
    lines.extend(table(&rows));
    let (any, all) = (told(reader.show(found.any)), told(reader.show(found.all)));
    lines.push(format!("  in at least one {any}, in all {all}"));
    lines
}
