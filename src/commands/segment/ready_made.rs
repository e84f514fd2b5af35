//! `smartpush segment ready-made`: the audiences that every workspace has, with how many are in each now.

use serde_json::{Value, json};

use super::super::output::{print_json, print_lines};
use super::super::{Context, Failure};
use super::count::told;
use super::selection::ViewArguments;
use ::segments::answers::privacy::Shown;
use ::segments::language::ready_made::{Family, ReadyMade};
use files::workspace::Workspace;
use operations::segments::ready_made::{ReadyMadeReport, ready_made};

pub(super) fn run(context: &Context, workspace: &Workspace, view: &ViewArguments) -> Result<(), Failure> {
    let asking = view.asking(context)?;
    let report = context.operate(workspace, |context| ready_made(context, asking))?;
    let ReadyMadeReport { as_of, users, audiences, goals_without_model } = &report;
    if context.json {
        let one = |(one, members): &(ReadyMade, Shown)| {
            json!({
                "segment": one.id, "family": one.family.title(), "where": one.expression.to_string(),
                "description": one.description, "members": members,
            })
        };
        let ready: Vec<Value> = audiences.iter().map(one).collect();
        print_json(&json!({
            "as_of": as_of, "users": users, "ready_made": ready, "goals_without_model": goals_without_model,
        }));
        return Ok(());
    }
    let mut lines = vec![format!("ready-made audiences among {} users as of {as_of}", told(*users))];
    lines.extend(for_people(audiences));
    let without = goals_without_model.iter();
    lines.extend(without.map(|goal| format!("no tenths by {goal}: it has no model that is served")));
    print_lines(&lines);
    Ok(())
}

fn for_people(audiences: &[(ReadyMade, Shown)]) -> Vec<String> {
    let width = audiences.iter().map(|(one, _)| one.id.len()).max().unwrap_or_default();
    let counts: Vec<String> = audiences.iter().map(|(_, count)| told(*count)).collect();
    let digits = counts.iter().map(|count| count.chars().count()).max().unwrap_or_default();
    let mut family: Option<&Family> = None;
    let mut lines = Vec::new();
    for ((one, _), count) in audiences.iter().zip(counts) {
        if family != Some(&one.family) {
            lines.push(one.family.title());
            family = Some(&one.family);
        }
        lines.push(format!("  {:<width$}  {count:>digits$}  {}", one.id, one.description));
    }
    lines
}
