//! `smartpush segment ready-made`: the audiences that every workspace has, with how many are in each now.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::Failure;
use super::super::output::{print_json, print_lines};
use super::Desk;
use super::count::told;
use super::selection::View;
use registry::versions::{Registry, RegistryError};
use segments::answers::desk::Asked;
use segments::answers::privacy::{Reader, Shown};
use segments::language::ready_made::{Family, ReadyMade, ready_made};

pub(super) fn run(desk: &Desk, view: &View) -> Result<(), Failure> {
    let (as_of, reader) = (desk.moment(view)?, desk.reader(view));
    let registry = Registry::of(desk.workspace);
    // What is skipped on the way to a model, its propensities tell below; what leaves a goal without one, nobody else.
    let has_model = |goal: &String| match registry.newest(goal, as_of) {
        Ok(_) => true,
        Err(RegistryError::NoModel { .. }) => false,
        Err(error) => {
            eprintln!("warning: {error}");
            false
        }
    };
    let (goals, without): (Vec<String>, Vec<String>) =
        desk.catalogue.goals().iter().cloned().partition(has_model);
    let all = ready_made(&goals);
    let asked = all.iter().map(|one| desk.saved_one(&one.id, as_of)).collect::<Result<Vec<Asked>, _>>()?;
    let evaluated = desk.evaluate(&asked, as_of, reader, &BTreeSet::new())?;
    let counts: Vec<u64> =
        evaluated.masks.iter().map(|mask| mask.iter().filter(|taken| **taken).count() as u64).collect();
    let shown = shown_by_family(&all, &counts, reader);
    let users = reader.show(evaluated.people.len() as u64);
    if desk.context.json {
        let one = |(one, members): (&ReadyMade, &Shown)| {
            json!({
                "segment": one.id, "family": one.family.title(), "where": one.expression.to_string(),
                "description": one.description, "members": members,
            })
        };
        let ready: Vec<Value> = all.iter().zip(&shown).map(one).collect();
        print_json(
            &json!({ "as_of": as_of, "users": users, "ready_made": ready, "goals_without_model": without }),
        );
        return Ok(());
    }
    let mut lines = vec![format!("ready-made audiences among {} users as of {as_of}", told(users))];
    lines.extend(for_people(&all, &shown));
    lines.extend(without.iter().map(|goal| format!("no tenths by {goal}: it has no model that is served")));
    print_lines(&lines);
    Ok(())
}

/// Counts as the reader may see them: members of a family are parts of a whole.
fn shown_by_family(all: &[ReadyMade], counts: &[u64], reader: Reader) -> Vec<Shown> {
    let mut shown = Vec::with_capacity(counts.len());
    for family in all.chunk_by(|one, other| one.family == other.family) {
        shown.extend(reader.show_parts(&counts[shown.len()..shown.len() + family.len()]));
    }
    shown
}

fn for_people(all: &[ReadyMade], shown: &[Shown]) -> Vec<String> {
    let width = all.iter().map(|one| one.id.len()).max().unwrap_or_default();
    let counts: Vec<String> = shown.iter().map(|count| told(*count)).collect();
    let digits = counts.iter().map(|count| count.chars().count()).max().unwrap_or_default();
    let mut family: Option<&Family> = None;
    let mut lines = Vec::new();
    for (one, count) in all.iter().zip(counts) {
        if family != Some(&one.family) {
            lines.push(one.family.title());
            family = Some(&one.family);
        }
        lines.push(format!("  {:<width$}  {count:>digits$}  {}", one.id, one.description));
    }
    lines
}
