//! `smartpush segment upload`: a list of users as a segment.

use std::path::PathBuf;

use serde_json::json;

use super::super::Failure;
use super::super::evaluate_policy::Scratch;
use super::super::output::{print_json, print_lines, thousands};
use super::Desk;
use super::storage::saved_line;
use events::formats::Limits;
use profiles::table::ProfileFile;
use segments::language::keys::Needs;
use segments::people::People;
use segments::saved::upload::{Upload, read};

/// Unknown users that are named to people; JSON has all.
const MOST_NAMED: usize = 10;

/// Save a list of users as a segment: a file with a column user_id (CSV, JSON lines or Parquet, also gzipped)
///
/// read = accepted + duplicate + unknown; unknown is whoever has no profile. Uploading again makes a new version.
#[derive(clap::Args)]
pub(super) struct UploadArguments {
    /// Its id: a_z, 0_9, -, _ and .
    id: String,
    /// The list
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
    /// What it is for
    #[arg(long, value_name = "TEXT")]
    description: Option<String>,
}

pub(super) fn run(desk: &Desk, arguments: &UploadArguments) -> Result<(), Failure> {
    let as_of = ProfileFile::find(desk.workspace, None)?.as_of;
    let people = People::read(desk.workspace, Some(as_of), &Needs::default(), &desk.zone)?;
    let scratch = Scratch::make()?;
    let upload = read(&arguments.file, limits(desk), &scratch.0, |id| people.row_of(id).is_some())?;
    if upload.members.is_empty() {
        let place = arguments.file.display();
        let read = thousands(upload.read);
        let message = format!("{place}: none of {read} records names a user with a profile");
        return Err(Failure::caller("nobody_known", message));
    }
    let members: Vec<String> = upload.members.iter().cloned().collect();
    let lock = desk.workspace.lock()?;
    let description = arguments.description.as_deref();
    let (card, is_changed) =
        desk.saved.save_list(&arguments.id, &members, description, desk.context.now, &lock)?;
    if desk.context.json {
        print_json(&json!({
            "segment": arguments.id, "version": card.version, "changed": is_changed, "read": upload.read,
            "accepted": members.len(), "duplicate": upload.duplicate, "unknown": upload.of_unknown,
            "unknown_users": upload.unknown,
        }));
        return Ok(());
    }
    let mut lines = vec![saved_line(&card, is_changed), counts_line(&upload)];
    lines.extend(unknown_line(&upload));
    print_lines(&lines);
    Ok(())
}

/// What a list may hold.
pub(super) fn limits(desk: &Desk) -> Limits {
    let ingest = &desk.context.config.ingest;
    Limits { chunk_rows: ingest.chunk_rows, record_bytes: ingest.max_record_bytes }
}

fn counts_line(upload: &Upload) -> String {
    format!(
        "  read {} = accepted {} + duplicate {} + unknown {}",
        thousands(upload.read),
        thousands(upload.members.len() as u64),
        thousands(upload.duplicate),
        thousands(upload.of_unknown)
    )
}

fn unknown_line(upload: &Upload) -> Option<String> {
    let named: Vec<&str> = upload.unknown.iter().take(MOST_NAMED).map(String::as_str).collect();
    let more = upload.unknown.len().saturating_sub(named.len());
    let rest =
        if more > 0 { format!(" and {} more, in --json", thousands(more as u64)) } else { String::new() };
    (!named.is_empty()).then(|| format!("  no profile has {}{rest}", named.join(", ")))
}
