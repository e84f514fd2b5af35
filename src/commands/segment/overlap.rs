//! `smartpush segment overlap`: how far saved segments are the same people.

use std::collections::BTreeSet;

use super::super::Failure;
use super::super::output::{print_json, print_lines, table};
use super::Desk;
use super::count::told;
use super::selection::View;
use segments::answers::desk::Asked;
use segments::answers::overlap::{Overlap, overlap};
use segments::answers::privacy::Reader;

/// Compare saved segments: sizes, who is in one alone, and what every two share
///
/// Jaccard is the members of both over the members of either: 0 for strangers, 1 for the same people.
#[derive(clap::Args)]
pub(super) struct OverlapArguments {
    /// Saved segments, 2 to 20
    #[arg(value_name = "ID", num_args = 2..=20, required = true)]
    segments: Vec<String>,
    #[command(flatten)]
    view: View,
}

pub(super) fn run(desk: &Desk, arguments: &OverlapArguments) -> Result<(), Failure> {
    let (as_of, reader) = (desk.moment(&arguments.view)?, desk.reader(&arguments.view));
    let ids = &arguments.segments;
    if let Some(twice) = ids.iter().enumerate().find(|(place, id)| ids[..*place].contains(id)) {
        let message = format!("segment {:?} is the same as itself", twice.1);
        return Err(Failure::caller("named_twice", message));
    }
    let asked = ids.iter().map(|id| desk.saved_one(id, as_of)).collect::<Result<Vec<Asked>, _>>()?;
    let evaluated = desk.evaluate(&asked, as_of, reader, &BTreeSet::new())?;
    let found = overlap(&evaluated.masks);
    if desk.context.json {
        print_json(&found.to_json(&asked, as_of, evaluated.people.len() as u64, reader));
    } else {
        print_lines(&for_people(ids, &found, reader));
    }
    Ok(())
}

fn for_people(ids: &[String], found: &Overlap, reader: Reader) -> Vec<String> {
    let row = |cells: [&str; 3]| cells.map(str::to_string).to_vec();
    let mut rows = vec![row(["segment", "members", "in no other"])];
    for (place, id) in ids.iter().enumerate() {
        let only = told(found.only_shown(place, reader));
        rows.push(vec![id.clone(), told(reader.show(found.sizes[place])), only]);
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
