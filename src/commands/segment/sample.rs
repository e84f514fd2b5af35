//! `smartpush segment sample`: some members, always the same for the same people.

use super::super::output::{print_json, print_lines};
use super::super::{Context, Failure};
use super::count::told;
use super::selection::SelectionArguments;
use files::workspace::Workspace;
use operations::segments::sample::{SampleReport, sample};

/// Show some members, always the same for the same people
#[derive(clap::Args)]
pub(super) struct SampleArguments {
    #[command(flatten)]
    selection: SelectionArguments,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,
}

pub(super) fn run(
    context: &Context,
    workspace: &Workspace,
    arguments: &SampleArguments,
) -> Result<(), Failure> {
    let asking = arguments.selection.view.asking(context)?;
    let (selection, limit) = (arguments.selection.selection()?, arguments.limit);
    let report = context.operate(workspace, |context| sample(context, asking, &selection, limit))?;
    let SampleReport { asked, as_of, users, members, sample } = report;
    if context.json {
        print_json(&serde_json::json!({
            "as_of": as_of, "where": asked.expression.to_string(), "expression": asked.expression,
            "users": users, "members": members, "sample": sample,
        }));
        return Ok(());
    }
    let counts = format!("{} of {} users as of {as_of}", told(members), told(users));
    let mut lines = vec![asked.expression.to_string(), counts];
    lines.extend(sample.iter().map(|id| format!("  {id}")));
    print_lines(&lines);
    Ok(())
}
