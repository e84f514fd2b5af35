//! `smartpush segment export`: all members as a file with its manifest.

use std::path::PathBuf;

use serde_json::json;

use super::super::output::{print_json, print_lines, thousands};
use super::super::{Context, Failure};
use super::selection::SelectionArguments;
use files::workspace::Workspace;
use operations::segments::export::{ExportReport, ExportRequest, export};

/// Write the members to a file (.csv, .jsonl, .parquet), and beside it FILE.manifest.json
///
/// Of a CSV, a text that begins with = + - @, a tab or a carriage return gets a ' before it, so that no spreadsheet takes it for
/// a formula. JSON lines and Parquet have every text as it is.
///
/// With --for messaging, users who opted out, gave no consent or have a preference that
/// cannot be read are left out and counted. With --hash email, for ad platforms,
/// the file has no ids, only email_sha256: the SHA-256 of the trimmed lowercase value, in hex, each once; users without one are
/// left out and counted.
#[derive(clap::Args)]
pub(super) struct ExportArguments {
    #[command(flatten)]
    selection: SelectionArguments,
    /// Where to
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// This field as a column beside user_id, or function such as 'interest("DELI")'; may be repeated
    #[arg(long, value_name = "FIELD")]
    column: Vec<String>,
    /// Write the SHA-256 of this attribute, such as email, in place of ids
    #[arg(long, value_name = "ATTRIBUTE", conflicts_with = "column")]
    hash: Option<String>,
}

pub(super) fn run(
    context: &Context,
    workspace: &Workspace,
    arguments: &ExportArguments,
) -> Result<(), Failure> {
    let asking = arguments.selection.view.asking_to_export(context)?;
    let request = ExportRequest {
        selection: arguments.selection.selection()?,
        out: arguments.out.clone(),
        columns: arguments.column.clone(),
        hash: arguments.hash.clone(),
        is_for_messaging: arguments.selection.view.is_for_messaging(),
    };
    let report = context.operate(workspace, |context| export(context, asking, &request))?;
    let ExportReport { segment, version, text, as_of, left_out, export } = report;
    if context.json {
        print_json(&json!({
            "segment": segment, "version": version, "where": text, "as_of": as_of, "rows": export.rows,
            "path": arguments.out, "sha256": export.sha256, "manifest": export.manifest, "left_out": left_out,
        }));
        return Ok(());
    }
    let what = if arguments.hash.is_some() { "hashes" } else { "members" };
    let mut lines =
        vec![text, format!("{} {what} as of {as_of} in {}", thousands(export.rows), arguments.out.display())];
    lines.extend(
        left_out
            .iter()
            .map(|(why, users)| format!("  left out {} {}", thousands(*users), why.replace('_', " "))),
    );
    lines.push(format!("  manifest {}", export.manifest.display()));
    print_lines(&lines);
    Ok(())
}
