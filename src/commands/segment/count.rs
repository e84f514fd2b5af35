//! `smartpush segment count`: how many, of which kinds, how many could be reached, and who came and went.

use super::super::Failure;
use super::super::output::{print_json, print_lines, table, thousands};
use super::{Desk, Selection};
use segments::answers::breakdown::Breakdown;
use segments::answers::count::{By, Counted};
use segments::answers::desk::{Asked, Evaluated};
use segments::answers::privacy::Shown;
use segments::people::reach;
use segments::saved::evaluations::{Change, Evaluation, Evaluations};

/// Groups of a breakdown that are shown to people; JSON has all.
const MOST_LINES: usize = 12;

/// Count the members, by lifecycle, platform, locale, zone, and by what keeps a push from them
#[derive(clap::Args)]
pub(super) struct CountArguments {
    #[command(flatten)]
    selection: Selection,
    /// Break down by this field too, or function such as 'propensity_decile("purchase_7d")'; may be repeated
    #[arg(long, value_name = "FIELD")]
    by: Vec<String>,
}

pub(super) fn run(desk: &Desk, arguments: &CountArguments) -> Result<(), Failure> {
    let as_of = desk.moment(&arguments.selection.view)?;
    let reader = desk.reader(&arguments.selection.view);
    let asked = desk.asked(&arguments.selection, as_of)?;
    let by = By::read(desk, &arguments.by, as_of, reader).map_err(|(_, error)| error)?;
    let evaluated = desk.evaluate(std::slice::from_ref(&asked), as_of, reader, &by.keys())?;
    let (people, mask) = (&evaluated.people, &evaluated.masks[0]);
    let reached = reach::reach(people, desk.workspace, &desk.config.decisions, &desk.zone)?;
    let counted = Counted {
        asked: &asked,
        as_of,
        users: people.len() as u64,
        reader,
        members: evaluated.count(),
        breakdowns: by.breakdowns(&desk.catalogue, people, mask, &reached)?,
        change: remember(desk, &asked, &evaluated)?,
    };
    if desk.context.json {
        print_json(&counted.to_json())
    } else {
        print_lines(&for_people(&counted))
    }
    Ok(())
}

/// Compares a saved segment with its evaluation before, and keeps this one for the next.
fn remember(desk: &Desk, asked: &Asked, evaluated: &Evaluated) -> Result<Option<Change>, Failure> {
    let Some(card) = &asked.card else { return Ok(None) };
    let members = evaluated.members();
    let evaluations = Evaluations::of(desk.saved.evaluations(&card.segment_id));
    let present = Evaluation { as_of: evaluated.people.as_of(), version: card.version.clone() };
    let change = evaluations.change(card, &present, &members)?;
    match desk.workspace.lock() {
        Ok(lock) => evaluations.keep(&present, &members, &lock)?,
        // Counting does not wait for a writer; the next count compares with an older evaluation.
        Err(error) => eprintln!("warning: this evaluation is not kept: {error}"),
    }
    Ok(change)
}

fn for_people(counted: &Counted<'_>) -> Vec<String> {
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

fn rows(counted: &Counted<'_>, breakdown: &Breakdown) -> Vec<Vec<String>> {
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
