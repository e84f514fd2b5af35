//! `smartpush ingests`: what was ingested, and taking one ingest back.

use serde_json::{Value, json};

use super::output::{print_json, print_lines, table, thousands};
use super::{Context, Failure};
use domain::text::counted;
use events::ingest_record::IngestRecord;
use events::undo::{TableChange, UndoneIngest};
use operations::ingests::{ListedIngests, list, undo};

/// List what was ingested, or take an ingest back
///
/// Undoing an ingest of events removes the events that it brought from the lake, in one step; its dead letters stay. An event
/// belongs to the ingest that brought it first: a later ingest of the same event counted it as a duplicate, and undoing the
/// first removes it. Ingest the later file again if it should stay; the report names such ingests.
/// Users, contents and campaigns: the table is then what the other ingests in force make of it, in their order. A grant of
/// consent that only this ingest gave is gone; where only this ingest had taken a grant away, the earlier grant holds again, and
/// the report counts and names that: ingest a row with `denied` for users who did refuse. Of ingests that an older version took
/// in, only the newest of each kind can be undone.
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
    let mut object = json!({
        "undone": undone.record.id, "kind": undone.record.kind, "removed": undone.removed, "changed_days": days,
        "repeated_by": undone.repeated_by,
    });
    if let Some(table) = &undone.table {
        object["rows_removed"] = json!(table.rows_removed);
        object["rows_changed"] = json!(table.rows_changed);
        object["rows_left"] = json!(table.rows_left);
        object["grants_removed"] = json!(table.grants_removed);
        object["grants_restored"] = json!(table.grants_restored);
        object["warnings"] = json!(restored(table).into_iter().collect::<Vec<_>>());
    }
    object
}

fn undone_to_lines(undone: &UndoneIngest) -> Vec<String> {
    let UndoneIngest { record, removed, table, changed_days, repeated_by } = undone;
    let mut lines = vec![match table {
        None => {
            let days = counted(changed_days.len() as u64, "day");
            format!("{}: {} removed from {days}", record.id, counted(*removed, "event"))
        }
        Some(table) => format!(
            "{}: the table of {} is what the other ingests make: {} removed, {} changed, {} left",
            record.id,
            record.kind,
            counted(table.rows_removed, "row"),
            thousands(table.rows_changed),
            thousands(table.rows_left)
        ),
    }];
    if let Some(table) = table {
        let removed = (table.grants_removed > 0).then(|| {
            format!(
                "  consent: {} by this ingest alone, gone with it",
                counted(table.grants_removed, "grant")
            )
        });
        lines.extend(removed.into_iter().chain(restored(table).map(|warning| format!("  {warning}"))));
    }
    lines.extend(repeated_by.iter().map(|(id, count)| {
        let duplicates = counted(*count, "duplicate");
        format!("  {id} counted {duplicates}: ingest its files again if they brought the same events")
    }));
    lines.push(
        "  profiles and models change with the next `smartpush profile` and `smartpush train`".to_string(),
    );
    lines
}

/// Grants that hold again: nobody may miss that pushes go out again.
fn restored(table: &TableChange) -> Option<String> {
    let count = table.grants_restored;
    let are = if count == 1 { "is" } else { "are" };
    (count > 0).then(|| {
        format!(
            "consent_restored: {} {are} granted again, because only this ingest had taken the grant away; for users who did \
             refuse, ingest a row with consent `denied` before the next push",
            counted(count, "user")
        )
    })
}
