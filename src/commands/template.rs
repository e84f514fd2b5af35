//! `smartpush template`: an example file of a kind, with a comment for each column.

use std::path::PathBuf;

use clap::ValueEnum;

use super::ingest::KindArgument;
use super::output::{print_json, print_lines, print_text};
use super::{Context, Failure};
use events::request::InputKind;
use events::taught::{TemplateFormat, template};
use files::tables;

/// Write an example file of events, users, contents or campaigns, with a comment for each column
///
/// The comments are lines that begin with "# ", which ingest skips at the start of a file: the file can be ingested as it is.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smartpush template users > users.csv
  smartpush template contents --format jsonl --out contents.jsonl && smartpush ingest --kind contents contents.jsonl")]
pub(super) struct TemplateArguments {
    /// What the file holds
    #[arg(value_enum)]
    kind: KindArgument,
    /// Form of the file
    #[arg(long, value_enum, default_value = "csv")]
    format: TemplateArgument,
    /// File to write; without it the file goes to stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum TemplateArgument {
    Csv,
    Jsonl,
}

pub(super) fn run(context: &Context, arguments: &TemplateArguments) -> Result<(), Failure> {
    let format = match arguments.format {
        TemplateArgument::Csv => TemplateFormat::Csv,
        TemplateArgument::Jsonl => TemplateFormat::Jsonl,
    };
    let kind = InputKind::from(arguments.kind);
    let text = template(kind, format);
    match (&arguments.out, context.json) {
        (Some(out), is_json) => {
            if out.exists() {
                let message = format!("{}: there is a file already; a template replaces none", out.display());
                return Err(Failure::caller("bad_out", message));
            }
            tables::write_atomically(out, |file| file.write_all(text.as_bytes()))?;
            match is_json {
                true => print_json(&serde_json::json!({ "kind": kind.as_str(), "path": out })),
                false => print_lines(&[format!("{}: an example file of {}", out.display(), kind.as_str())]),
            }
        }
        (None, true) => print_json(&serde_json::json!({ "kind": kind.as_str(), "text": text })),
        (None, false) => print_text(&text),
    }
    Ok(())
}
