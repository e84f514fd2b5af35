//! `smartpush segment save`, `list`, `show` and `delete`: segments with a name and versions.

use serde_json::{Value, json};

use super::super::Failure;
use super::super::output::{print_json, print_lines, table, thousands};
use super::Desk;
use profiles::table::ProfileFile;
use segments::saved::versions::{Card, Definition, Segment, campaigns_for};

/// Save a segment under a name; saving it again makes a new version
#[derive(clap::Args)]
pub(super) struct SaveArguments {
    /// Its id: a_z, 0_9, -, _ and .
    id: String,
    /// The segment as text or JSON, or a file that holds it
    #[arg(long = "where", value_name = "TEXT|FILE")]
    condition: String,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
}

pub(super) fn save(desk: &Desk, arguments: &SaveArguments) -> Result<(), Failure> {
    let id = &arguments.id;
    // A segment may be written down before there are profiles.
    let as_of = ProfileFile::find(desk.workspace, None).map_or(desk.context.now, |file| file.as_of);
    let (expression, _) = desk.compiled(&arguments.condition, as_of, Some(id))?;
    let lock = desk.workspace.lock()?;
    let description = arguments.description.as_deref();
    let (card, is_changed) = desk.saved.save(id, &expression, description, desk.context.now, &lock)?;
    if desk.context.json {
        print_json(&json!({
            "segment": id, "version": card.version, "changed": is_changed, "where": expression.to_string(),
        }));
        return Ok(());
    }
    print_lines(&[expression.to_string(), saved_line(&card, is_changed)]);
    Ok(())
}

/// What a save came to.
pub(super) fn saved_line(card: &Card, is_changed: bool) -> String {
    let verdict = if is_changed { "saved" } else { "as it was" };
    format!("{} version {}: {verdict}", card.segment_id, card.version)
}

pub(super) fn list(desk: &Desk) {
    let segments: Vec<&Segment> = desk.saved.all().collect();
    if desk.context.json {
        let segments: Vec<Value> = segments.iter().map(|segment| segment.to_json()).collect();
        return print_json(&json!({ "segments": segments }));
    }
    let row = |segment: &&Segment| {
        let card = &segment.card;
        let state = if card.deleted_at.is_some() { "deleted" } else { "" };
        vec![card.segment_id.clone(), card.version.clone(), kind(&segment.definition), state.to_string()]
    };
    match segments.is_empty() {
        true => {
            print_lines(&["no segments are saved; `smartpush segment save ID --where TEXT` saves one".into()])
        }
        false => print_lines(&table(&segments.iter().map(row).collect::<Vec<_>>())),
    }
}

fn kind(definition: &Definition) -> String {
    match definition {
        Definition::Expression(_) => "expression".to_string(),
        Definition::List { members, .. } => format!("list of {}", thousands(*members)),
    }
}

pub(super) fn show(desk: &Desk, id: &str) -> Result<(), Failure> {
    let segment = desk.saved.any(id)?;
    let (card, campaigns) = (&segment.card, campaigns_for(desk.workspace, id)?);
    let named_by = desk.saved.naming(id);
    if desk.context.json {
        let mut report = segment.to_json();
        report["named_by"] = json!({ "campaigns": campaigns, "segments": named_by });
        print_json(&report);
        return Ok(());
    }
    let mut lines = vec![
        format!("{id} version {}, {}", card.version, kind(&segment.definition)),
        format!("  {}", segment.expression()),
    ];
    lines.extend((!card.description.is_empty()).then(|| format!("  {}", card.description)));
    lines.extend(card.history.iter().map(|saving| format!("  {} saved {}", saving.version, saving.saved_at)));
    lines.extend(card.deleted_at.iter().map(|at| format!("  deleted {at}")));
    lines.extend(still_named(id, &campaigns, &named_by));
    print_lines(&lines);
    Ok(())
}

pub(super) fn delete(desk: &Desk, id: &str) -> Result<(), Failure> {
    let lock = desk.workspace.lock()?;
    let card = desk.saved.delete(id, desk.context.now, &lock)?;
    let (campaigns, named_by) = (campaigns_for(desk.workspace, id)?, desk.saved.naming(id));
    for line in still_named(id, &campaigns, &named_by) {
        eprintln!("warning:{line}");
    }
    if desk.context.json {
        print_json(&json!({
            "segment": id, "version": card.version, "deleted_at": card.deleted_at,
            "named_by": { "campaigns": campaigns, "segments": named_by },
        }));
        return Ok(());
    }
    print_lines(&[format!("{id} is deleted; its versions and evaluations are kept")]);
    Ok(())
}

/// Who names the segment, so that nobody is left with an audience that is none.
fn still_named(id: &str, campaigns: &[String], segments: &[&str]) -> Vec<String> {
    let campaigns = campaigns.iter().map(|campaign| format!("  campaign {campaign:?} names {id:?}"));
    let segments = segments.iter().map(|segment| format!("  segment {segment:?} names {id:?}"));
    campaigns.chain(segments).collect()
}
