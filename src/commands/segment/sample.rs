//! `smartpush segment sample`: some members, always the same for the same people.

use std::collections::BTreeSet;

use super::super::Failure;
use super::super::output::{print_json, print_lines};
use super::count::told;
use super::{Desk, Selection};
use segments::answers::desk::sample;

/// Show some members, always the same for the same people
#[derive(clap::Args)]
pub(super) struct SampleArguments {
    #[command(flatten)]
    selection: Selection,
    /// How many
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,
}

pub(super) fn run(desk: &Desk, arguments: &SampleArguments) -> Result<(), Failure> {
    let as_of = desk.moment(&arguments.selection.view)?;
    let reader = desk.reader(&arguments.selection.view);
    let asked = desk.asked(&arguments.selection, as_of)?;
    let evaluated = desk.evaluate(std::slice::from_ref(&asked), as_of, reader, &BTreeSet::new())?;
    let members = evaluated.members();
    reader.check_members(members.len() as u64)?;
    let sample = sample(&members, arguments.limit);
    let (users, count) = (reader.show(evaluated.people.len() as u64), reader.show(members.len() as u64));
    if desk.context.json {
        print_json(&serde_json::json!({
            "as_of": as_of, "where": asked.expression.to_string(), "expression": asked.expression,
            "users": users, "members": count, "sample": sample,
        }));
        return Ok(());
    }
    let mut lines =
        vec![asked.expression.to_string(), format!("{} of {} users as of {as_of}", told(count), told(users))];
    lines.extend(sample.iter().map(|id| format!("  {id}")));
    print_lines(&lines);
    Ok(())
}
