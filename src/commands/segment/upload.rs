//! `smartpush segment upload`: a list of users as a segment.

use std::path::PathBuf;

use serde_json::json;

use super::super::output::{print_json, print_lines, thousands};
use super::super::{Context, Failure};
use super::storage::saved_line;
use ::segments::saved::upload::Upload;
use files::workspace::Workspace;
use operations::segments::upload::{UploadReport, UploadRequest, upload};

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

pub(super) fn run(
    context: &Context,
    workspace: &Workspace,
    arguments: &UploadArguments,
) -> Result<(), Failure> {
    let UploadArguments { id, file, description } = arguments;
    let request = UploadRequest { id: id.clone(), file: file.clone(), description: description.clone() };
    let UploadReport { saved, upload } = context.operate(workspace, |context| upload(context, &request))?;
    if context.json {
        print_json(&json!({
            "segment": id, "version": saved.segment.card.version, "changed": saved.is_changed,
            "read": upload.read, "accepted": upload.members.len(), "duplicate": upload.duplicate,
            "unknown": upload.of_unknown, "unknown_users": upload.unknown,
        }));
        return Ok(());
    }
    let mut lines = vec![saved_line(&saved), counts_line(&upload)];
    lines.extend(unknown_line(&upload));
    print_lines(&lines);
    Ok(())
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
