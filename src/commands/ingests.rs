//! `smartpush ingests`: what was ingested, and taking one ingest back.

use serde_json::{Value, json};

use super::output::{print_json, print_lines, table, thousands};
use super::{Context, Failure};
use events::ingest_record::IngestRecord;
use events::undo::UndoneIngest;
use operations::ingests::{ListedIngests, list, undo};

/// List what was ingested, or take an ingest back
///
/// Undoing an ingest of events removes the events that it brought from the lake, in one step; its dead letters stay. An event
/// belongs to the ingest that brought it first: a later ingest of the same event counted it as a duplicate, and undoing the
/// first removes it. Ingest the later file again if it should stay; the report names such ingests.
/// Users, contents and campaigns: only the newest ingest of each kind can be undone; the table is then what it was before.
/// To correct an older one, ingest the right rows: the later row of a key wins.
/// Profiles and models are those of before until `smartpush profile` and `smartpush train` have run again.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smartpush ingests list
  smartpush ingests undo 20171201T050000.000000Z-1a2b3c4d")]
pub(super) struct IngestsArguments {
    #[command(subcommand)]
    action: IngestsAction,
}

#[derive(clap::Subcommand)]
enum IngestsAction {
    /// Every ingest that brought something, oldest first
    List,
    /// Take an ingest back
    Undo {
        /// Its id, as ingest printed it and `ingests list` shows it
        id: String,
    },
}

pub(super) fn run(context: &Context, arguments: &IngestsArguments) -> Result<(), Failure> {
    let workspace = context.open()?;
    match &arguments.action {
        IngestsAction::List => {
            let listed = context.operate(&workspace, list)?;
            match context.json {
                true => print_json(&list_to_json(&listed)),
                false => print_lines(&list_to_lines(&listed)),
            }
        }
        IngestsAction::Undo { id } => {
            let undone = context.operate(&workspace, |operation| undo(operation, id))?;
            match context.json {
                true => print_json(&undone_to_json(&undone)),
                false => print_lines(&undone_to_lines(&undone)),
            }
        }
    }
    Ok(())
}

fn list_to_json(listed: &ListedIngests) -> Value {
    let ingests: Vec<Value> = listed.ingests.iter().map(entry).collect();
    json!({ "ingests": ingests, "events_before": listed.events_before })
}

fn entry(record: &IngestRecord) -> Value {
    json!({
        "id": record.id, "at": record.at, "kind": record.kind, "files": record.files, "options": record.options,
        "read": record.read, "accepted": record.accepted, "duplicate": record.duplicate,
        "rejected": record.rejected, "undone_at": record.undone_at,
    })
}

fn list_to_lines(listed: &ListedIngests) -> Vec<String> {
    let heading =
        ["id", "kind", "accepted", "duplicate", "rejected", "", "files"].map(str::to_string).to_vec();
    let mut rows = vec![heading];
    rows.extend(listed.ingests.iter().map(|record| {
        let options =
            record.options.iter().map(|(name, value)| format!(" --{} {value}", name.replace('_', "-")));
        let files = record.files.join(" ") + &options.collect::<String>();
        let state = if record.is_in_force() { "" } else { "undone" };
        let counts = [record.accepted, record.duplicate, record.rejected].map(thousands);
        let [accepted, duplicate, rejected] = counts;
        vec![record.id.clone(), record.kind.clone(), accepted, duplicate, rejected, state.to_string(), files]
    }));
    let mut lines = if listed.ingests.is_empty() { Vec::new() } else { table(&rows) };
    if listed.events_before > 0 {
        lines.push(format!(
            "  {} events are older than this list and cannot be undone",
            thousands(listed.events_before)
        ));
    }
    if lines.is_empty() {
        lines.push("nothing was ingested yet".to_string());
    }
    lines
}

fn undone_to_json(undone: &UndoneIngest) -> Value {
    let days: Vec<String> = undone.changed_days.iter().map(ToString::to_string).collect();
    json!({
        "undone": undone.record.id, "kind": undone.record.kind, "removed": undone.removed, "changed_days": days,
        "repeated_by": undone.repeated_by,
    })
}

fn undone_to_lines(undone: &UndoneIngest) -> Vec<String> {
    let UndoneIngest { record, removed, changed_days, repeated_by } = undone;
    let mut lines = vec![match record.is_of_events() {
        true => {
            format!("{}: {} events removed from {} days", record.id, thousands(*removed), changed_days.len())
        }
        false => format!(
            "{}: the table of {} is what it was before ({} rows)",
            record.id,
            record.kind,
            thousands(*removed)
        ),
    }];
    lines.extend(repeated_by.iter().map(|(id, count)| {
        format!(
            "  {id} counted {} duplicates: ingest its files again if they brought the same events",
            thousands(*count)
        )
    }));
    lines.push(
        "  profiles and models change with the next `smartpush profile` and `smartpush train`".to_string(),
    );
    lines
}
