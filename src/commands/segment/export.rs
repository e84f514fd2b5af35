//! `smartpush segment export`: all members as a file with its manifest.

use std::path::PathBuf;

use serde_json::json;

use super::super::Failure;
use super::super::output::{print_json, print_lines, thousands};
use super::{Desk, Selection};
use domain::identity::sha256_hex;
use segments::answers::export::{frame_of, write};
use segments::language::keys::Key;

/// Write the members to a file (.csv, .jsonl, .parquet), and beside it FILE.manifest.json
///
/// Of a CSV, a text that begins with = + - @, a tab or a carriage return gets a ' before it, so that no spreadsheet takes it for
/// a formula. JSON lines and Parquet have every text as it is.
#[derive(clap::Args)]
pub(super) struct ExportArguments {
    #[command(flatten)]
    selection: Selection,
    /// Where to
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// This field as a column beside user_id, or function such as 'interest("DELI")'; may be repeated
    #[arg(long, value_name = "FIELD")]
    column: Vec<String>,
}

pub(super) fn run(desk: &Desk, arguments: &ExportArguments) -> Result<(), Failure> {
    desk.context.check_out(desk.workspace, &arguments.out)?;
    let as_of = desk.moment(&arguments.selection.view)?;
    let reader = desk.reader(&arguments.selection.view);
    let asked = desk.asked(&arguments.selection, as_of)?;
    let mut columns: Vec<(String, Key)> = Vec::new();
    for field in &arguments.column {
        let key = desk.field(field, as_of, reader)?;
        if key == Key::UserId || columns.iter().any(|(title, _)| title == field) {
            return Err(Failure::caller("bad_field", format!("column {field:?} is there already")));
        }
        columns.push((field.clone(), key));
    }
    let also = columns.iter().map(|(_, key)| key.clone()).collect();
    let evaluated = desk.evaluate(std::slice::from_ref(&asked), as_of, reader, &also)?;
    let mask = &evaluated.masks[0];
    reader.check_members(mask.iter().filter(|taken| **taken).count() as u64)?;
    let frame = frame_of(&evaluated.people, mask, &columns)?;
    let text = asked.expression.to_string();
    let (id, version) = match &asked.card {
        Some(card) => (Some(card.segment_id.clone()), card.version.clone()),
        None => (
            None,
            sha256_hex(json!({ "expression": asked.expression }).to_string().as_bytes())[..12].to_string(),
        ),
    };
    let head = json!({ "segment": id, "version": version, "where": text, "as_of": as_of });
    let export = write(&arguments.out, &frame, &head)?;
    if desk.context.json {
        print_json(&json!({
            "segment": id, "version": version, "where": text, "as_of": as_of, "rows": export.rows,
            "path": arguments.out, "sha256": export.sha256, "manifest": export.manifest,
        }));
        return Ok(());
    }
    print_lines(&[
        text,
        format!("{} members as of {as_of} in {}", thousands(export.rows), arguments.out.display()),
        format!("  manifest {}", export.manifest.display()),
    ]);
    Ok(())
}
