//! `smartpush segment count`: how many, of which kinds, how many could be reached, and who came and went.

use super::super::output::{print_json, print_lines, table, thousands};
use super::super::{Context, Failure};
use super::selection::SelectionArguments;
use ::segments::answers::breakdown::Breakdown;
use ::segments::answers::count::Counted;
use ::segments::answers::privacy::Shown;
use files::workspace::Workspace;
use operations::segments::count::{CountRequest, count};

/// Groups of a breakdown that are shown to people; JSON has all.
const MOST_LINES: usize = 12;

/// Count the members, by lifecycle, platform, locale, zone, and by what keeps a push from them
#[derive(clap::Args)]
pub(super) struct CountArguments {
    #[command(flatten)]
    selection: SelectionArguments,
    /// Break down by this field too, or function such as 'propensity_decile("purchase_7d")'; may be repeated
    #[arg(long, value_name = "FIELD")]
    by: Vec<String>,
}

pub(super) fn run(
    context: &Context,
    workspace: &Workspace,
    arguments: &CountArguments,
) -> Result<(), Failure> {
    let asking = arguments.selection.view.asking(context)?;
    let (selection, by) = (arguments.selection.selection()?, arguments.by.clone());
    let request = CountRequest { selection, by, sample: None, keep_evaluation: true };
    let report = context.operate(workspace, |context| count(context, asking, &request))?;
    if let Some(error) = &report.not_kept {
        eprintln!("warning: this evaluation is not kept: {error}");
    }
    match context.json {
        true => print_json(&report.to_json()),
        false => print_lines(&for_people(&report.counted)),
    }
    Ok(())
}

fn for_people(counted: &Counted) -> Vec<String> {
    let reader = counted.reader;
    let mut lines = vec![counted.asked.expression.to_string()];
    if let Some(card) = &counted.asked.card {
        lines.insert(0, format!("{} version {}", card.segment_id, card.version));
    }
    let (members, users) = (reader.show(counted.members), reader.show(counted.users));
    lines.push(format!("{} of {} users as of {}", told(members), told(users), counted.as_of));
    if let Some(change) = &counted.change {
        let count = |ids: &[String]| told(reader.show(ids.len() as u64));
        let (entered, left) = (count(&change.entered), count(&change.left));
        lines.push(format!("entered {entered}, left {left} since {}", change.since.as_of));
    }
    for breakdown in counted.breakdowns.iter().filter(|one| !one.groups.is_empty()) {
        lines.push(format!("by {}", breakdown.by));
        lines.extend(table(&rows(counted, breakdown)));
    }
    lines
}

fn rows(counted: &Counted, breakdown: &Breakdown) -> Vec<Vec<String>> {
    let groups = counted.shown(breakdown);
    let more = groups.len().saturating_sub(MOST_LINES);
    let row = |(value, members): (String, Shown)| vec![value, told(members)];
    let mut rows: Vec<Vec<String>> = groups.into_iter().take(MOST_LINES).map(row).collect();
    if more > 0 {
        rows.push(vec![format!("… and {more} more, in --json"), String::new()]);
    }
    rows
}

/// With separators.
pub(super) fn told(count: Shown) -> String {
    match count {
        Shown::Exact(count) => thousands(count),
        Shown::Rounded(count) => format!("about {}", thousands(count)),
        hidden => hidden.to_string(),
    }
}
