//! `smartpush segment save`, `list`, `show` and `delete`: segments with a name and versions.

use std::time::Duration;

use serde_json::json;

use super::super::output::{print_json, print_lines, table, thousands};
use super::super::{Context, Failure};
use super::selection::written;
use ::segments::saved::versions::{DamagedSegment, Definition, Segment};
use files::workspace::Workspace;
use operations::segments::ReaderChoice;
use operations::segments::delete::{DeleteRequest, delete as delete_segment};
use operations::segments::list::list as list_segments;
use operations::segments::save::{
    ExpectedVersion, NewDefinition, SaveReport, SaveRequest, save as save_segment,
};
use operations::segments::show::{NamedBy, ShowReport, show as show_segment};

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

pub(super) fn save(
    context: &Context,
    workspace: &Workspace,
    arguments: &SaveArguments,
) -> Result<(), Failure> {
    let request = SaveRequest {
        id: arguments.id.clone(),
        definition: NewDefinition::Written(written(&arguments.condition)?, ReaderChoice::DataTeam),
        description: arguments.description.clone(),
        expected: ExpectedVersion::Anything,
        patience: Duration::ZERO,
    };
    let saved = context.operate(workspace, |context| save_segment(context, &request))?;
    let text = saved.segment.expression().to_string();
    if context.json {
        print_json(&json!({
            "segment": arguments.id, "version": saved.segment.card.version, "changed": saved.is_changed,
            "where": text,
        }));
        return Ok(());
    }
    print_lines(&[text, saved_line(&saved)]);
    Ok(())
}

/// What a save came to.
pub(super) fn saved_line(saved: &SaveReport) -> String {
    let card = &saved.segment.card;
    let verdict = if saved.is_changed { "saved" } else { "as it was" };
    format!("{} version {}: {verdict}", card.segment_id, card.version)
}

pub(super) fn list(context: &Context, workspace: &Workspace) -> Result<(), Failure> {
    let report = context.operate(workspace, list_segments)?;
    if context.json {
        print_json(&report.to_json());
        return Ok(());
    }
    let healthy = |segment: &Segment| {
        let card = &segment.card;
        let state = if card.deleted_at.is_some() { "deleted" } else { "" };
        vec![card.segment_id.clone(), card.version.clone(), kind(&segment.definition), state.to_string()]
    };
    let damaged = |segment: &DamagedSegment| {
        let state = format!("damaged: {}: {}", segment.path.display(), segment.detail);
        vec![segment.segment_id.clone(), String::new(), String::new(), state]
    };
    let mut rows: Vec<Vec<String>> = report.segments.iter().map(healthy).collect();
    rows.extend(report.damaged.iter().map(damaged));
    match rows.is_empty() {
        true => {
            print_lines(&["no segments are saved; `smartpush segment save ID --where TEXT` saves one".into()])
        }
        false => print_lines(&table(&rows)),
    }
    Ok(())
}

fn kind(definition: &Definition) -> String {
    match definition {
        Definition::Expression(_) => "expression".to_string(),
        Definition::List { members, .. } => format!("list of {}", thousands(*members)),
    }
}

pub(super) fn show(context: &Context, workspace: &Workspace, id: &str) -> Result<(), Failure> {
    let report = context.operate(workspace, |context| show_segment(context, id, true))?;
    if context.json {
        print_json(&report.to_json());
        return Ok(());
    }
    let ShowReport { segment, named_by } = &report;
    let card = &segment.card;
    let mut lines = vec![
        format!("{id} version {}, {}", card.version, kind(&segment.definition)),
        format!("  {}", segment.expression()),
    ];
    lines.extend((!card.description.is_empty()).then(|| format!("  {}", card.description)));
    lines.extend(card.history.iter().map(|saving| format!("  {} saved {}", saving.version, saving.saved_at)));
    lines.extend(card.deleted_at.iter().map(|at| format!("  deleted {at}")));
    lines.extend(still_named(id, named_by));
    print_lines(&lines);
    Ok(())
}

pub(super) fn delete(context: &Context, workspace: &Workspace, id: &str) -> Result<(), Failure> {
    let request =
        DeleteRequest { id: id.to_string(), expected: ExpectedVersion::Anything, patience: Duration::ZERO };
    let report = context.operate(workspace, |context| delete_segment(context, &request))?;
    for line in still_named(id, &report.named_by) {
        eprintln!("warning:{line}");
    }
    match context.json {
        true => print_json(&report.to_json()),
        false => print_lines(&[format!("{id} is deleted; its versions and evaluations are kept")]),
    }
    Ok(())
}

/// Who names the segment, so that nobody is left with an audience that is none.
fn still_named(id: &str, named_by: &NamedBy) -> Vec<String> {
    let campaigns = named_by.campaigns.iter();
    let campaigns = campaigns.map(|campaign| format!("  campaign {campaign:?} names {id:?}"));
    let segments = named_by.segments.iter().map(|segment| format!("  segment {segment:?} names {id:?}"));
    campaigns.chain(segments).collect()
}
