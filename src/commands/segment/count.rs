//! `smartpush segment count`: how many, of which kinds, how many could be reached, and who came and went.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::Failure;
use super::super::output::{print_json, print_lines, table, thousands};
use super::selection::{Asked, Evaluated};
use super::{Desk, Selection};
use crate::segments::answers::{Breakdown, breakdown, parts};
use crate::segments::evaluations::{Change, Evaluation, Evaluations};
use crate::segments::keys::Key;
use crate::segments::privacy::{Reader, Shown, show_groups};
use crate::segments::reach::{self, Reach};

/// Groups of a breakdown that are shown to people; JSON has all.
const MOST_LINES: usize = 12;

/// What every count is broken down by, beside who can be reached.
const USUAL: [&str; 4] = ["lifecycle", "platform", "locale", "time_zone"];

/// Count the members, by lifecycle, platform, locale, zone, and by what keeps a push from them
#[derive(clap::Args)]
pub(super) struct CountArguments {
    #[command(flatten)]
    selection: Selection,
    /// Break down by this field too, or function such as 'propensity_decile("purchase_7d")'; may be repeated
    #[arg(long, value_name = "FIELD")]
    by: Vec<String>,
}

struct Counted<'a> {
    asked: &'a Asked,
    evaluated: &'a Evaluated,
    reader: Reader,
    members: u64,
    breakdowns: Vec<Breakdown>,
    change: Option<Change>,
}

pub(super) fn run(desk: &Desk, arguments: &CountArguments) -> Result<(), Failure> {
    let as_of = desk.moment(&arguments.selection.view)?;
    let reader = desk.reader(&arguments.selection.view);
    let asked = desk.asked(&arguments.selection, as_of)?;
    let fields: Vec<&str> = USUAL.into_iter().chain(arguments.by.iter().map(String::as_str)).collect();
    let keys =
        fields.iter().map(|field| desk.field(field, as_of, reader)).collect::<Result<Vec<Key>, _>>()?;
    let also: BTreeSet<Key> = keys.iter().cloned().chain(reach::needed()).collect();
    let evaluated = desk.evaluate(std::slice::from_ref(&asked), as_of, reader, &also)?;
    let mask = &evaluated.masks[0];
    let reached =
        reach::reach(&evaluated.people, desk.workspace, &desk.context.config.decisions, &desk.zone)?;
    let of_members = reached.iter().zip(mask).filter(|(_, taken)| **taken).map(|(reach, _)| reach.as_str());
    let mut breakdowns = vec![parts("reach", &Reach::ALL.map(Reach::as_str), of_members)];
    for (field, key) in fields.iter().zip(&keys) {
        let found = evaluated.people.column(key).map(|column| breakdown(field, column, mask));
        breakdowns.extend(found.map(|found| match key.is_closed() {
            true => found.closed(desk.catalogue.values(key)),
            false => found,
        }));
    }
    let members = evaluated.members();
    let change = remember(desk, &asked, &evaluated, &members)?;
    let members = members.len() as u64;
    let counted = Counted { asked: &asked, evaluated: &evaluated, reader, members, breakdowns, change };
    if desk.context.json {
        print_json(&counted.for_machines())
    } else {
        print_lines(&counted.for_people())
    }
    Ok(())
}

/// Compares a saved segment with its evaluation before, and keeps this one for the next.
fn remember(
    desk: &Desk,
    asked: &Asked,
    evaluated: &Evaluated,
    members: &[String],
) -> Result<Option<Change>, Failure> {
    let Some(card) = &asked.card else { return Ok(None) };
    let evaluations = Evaluations::of(desk.saved.evaluations(&card.segment_id));
    let present = Evaluation { as_of: evaluated.people.as_of(), version: card.version.clone() };
    let change = evaluations.change(card, &present, members)?;
    match desk.workspace.lock() {
        Ok(lock) => evaluations.keep(&present, members, &lock)?,
        // Counting does not wait for a writer; the next count compares with an older evaluation.
        Err(error) => eprintln!("warning: this evaluation is not kept: {error}"),
    }
    Ok(change)
}

impl Counted<'_> {
    fn for_machines(&self) -> Value {
        let reader = self.reader;
        let people = &self.evaluated.people;
        let mut report = json!({
            "as_of": people.as_of(), "where": self.asked.expression.to_string(), "expression": self.asked.expression,
            "users": reader.show(people.len() as u64), "members": reader.show(self.members),
            "breakdowns": self.breakdowns.iter().map(|one| self.groups(one)).collect::<Vec<Value>>(),
        });
        if let Some(card) = &self.asked.card {
            report["segment"] = json!(card.segment_id);
            report["version"] = json!(card.version);
            report["change"] = json!(self.change.as_ref().map(|change| json!({
                "since": change.since.as_of, "since_version": change.since.version,
                "entered": reader.show(change.entered.len() as u64),
                "left": reader.show(change.left.len() as u64),
            })));
        }
        if let Reader::Marketer { threshold } = reader {
            report["hidden_below"] = json!(threshold);
        }
        report
    }

    fn groups(&self, breakdown: &Breakdown) -> Value {
        let group = |(value, members)| json!({ "value": value, "members": members });
        let groups: Vec<Value> = self.shown(breakdown).into_iter().map(group).collect();
        json!({ "by": breakdown.by, "groups": groups, "overlapping": breakdown.is_overlapping })
    }

    /// The groups as the reader may see them.
    fn shown(&self, breakdown: &Breakdown) -> Vec<(String, Shown)> {
        if !breakdown.is_closed {
            return show_groups(self.reader, &breakdown.groups);
        }
        let counts: Vec<u64> = breakdown.groups.iter().map(|(_, members)| *members).collect();
        let names = breakdown.groups.iter().map(|(value, _)| value.clone());
        names.zip(self.reader.show_parts(&counts)).collect()
    }

    fn for_people(&self) -> Vec<String> {
        let people = &self.evaluated.people;
        let mut lines = vec![self.asked.expression.to_string()];
        if let Some(card) = &self.asked.card {
            lines.insert(0, format!("{} version {}", card.segment_id, card.version));
        }
        let (members, users) = (self.reader.show(self.members), self.reader.show(people.len() as u64));
        lines.push(format!("{} of {} users as of {}", told(members), told(users), people.as_of()));
        if let Some(change) = &self.change {
            let count = |ids: &[String]| told(self.reader.show(ids.len() as u64));
            let (entered, left) = (count(&change.entered), count(&change.left));
            lines.push(format!("entered {entered}, left {left} since {}", change.since.as_of));
        }
        for breakdown in self.breakdowns.iter().filter(|one| !one.groups.is_empty()) {
            lines.push(format!("by {}", breakdown.by));
            lines.extend(table(&self.rows(breakdown)));
        }
        lines
    }

    fn rows(&self, breakdown: &Breakdown) -> Vec<Vec<String>> {
        let groups = self.shown(breakdown);
        let more = groups.len().saturating_sub(MOST_LINES);
        let row = |(value, members): (String, Shown)| vec![value, told(members)];
        let mut rows: Vec<Vec<String>> = groups.into_iter().take(MOST_LINES).map(row).collect();
        if more > 0 {
            rows.push(vec![format!("… and {more} more, in --json"), String::new()]);
        }
        rows
    }
}

/// With separators.
pub(super) fn told(count: Shown) -> String {
    match count {
        Shown::Exact(count) => thousands(count),
        Shown::Rounded(count) => format!("about {}", thousands(count)),
        hidden => hidden.to_string(),
    }
}
