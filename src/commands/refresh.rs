//! `smartpush refresh`: ingest → profile → train → gate → promote → plan, as of one moment; what is done stays done.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::ingest::{FormatArgument, IngestArguments, KindArgument};
use super::output::{print_json, print_lines};
use super::shape::ShapeArguments;
use super::{Context, Failure};
use files::workspace::Workspace;
use operations::ingest::IngestRequest;
use operations::refresh::{RefreshReport, RefreshRequest, RefreshStep, StepState, refresh};

/// Run the whole chain as of T: take files in, build profiles, train every goal, ask the gate, promote, plan
///
/// Each step is kept in data/refresh/T.json with what it was made from. A refresh that was cut off goes on where it stopped
/// when it is asked again, without --as-of as of the same moment if nothing was taken in since; a step whose input has not changed is not made anew. The same data give the same versions. A
/// model that the gate refuses is kept and the champion stays: the command then ends with exit code 3 and names the line.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smartpush refresh
  smartpush refresh --as-of 2017-12-01T05:00:00Z
  smartpush refresh --as-of 2017-12-02 yesterday.parquet --time-zone America/New_York --out handoff")]
pub(super) struct RefreshArguments {
    /// Files to take in first
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What the files hold
    #[arg(long, value_enum, default_value = "events")]
    kind: KindArgument,
    #[command(flatten)]
    shape: ShapeArguments,
    /// Share of the records that may be rejected; with more the refresh stops; default: ingest.most_rejected
    #[arg(long, value_name = "10%", value_parser = super::ingest::share)]
    most_rejected: Option<f64>,
    /// Use what was known before this moment [default: 1 µs after the newest event, once the files are taken in, at most now]
    #[arg(long, value_name = "T")]
    as_of: Option<String>,
    /// Plan the campaigns that are due on the date of T, and write the hand-off here
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

pub(super) fn run(context: &Context, arguments: &RefreshArguments) -> Result<(), Failure> {
    let as_of = context.given_moment(arguments.as_of.as_deref())?;
    let files = arguments.files()?;
    let workspace = match &files {
        None => context.open()?,
        Some(_) => Workspace::create(&context.workspace)?,
    };
    let request = RefreshRequest { files, as_of, out: arguments.out.clone() };
    let report = context.operate(&workspace, |operation| refresh(operation, &request))?;
    print(context, &report);
    Failure::after_report(report.refusal().map(Failure::from))
}

impl RefreshArguments {
    /// The files to take in first, if there are any.
    fn files(&self) -> Result<Option<IngestRequest>, Failure> {
        if self.files.is_empty() {
            return Ok(None);
        }
        let arguments = IngestArguments {
            files: self.files.clone(),
            kind: self.kind,
            format: FormatArgument::Auto,
            shape: self.shape.clone(),
            most_rejected: self.most_rejected,
        };
        arguments.request().map(Some)
    }
}

fn print(context: &Context, report: &RefreshReport) {
    let RefreshReport { as_of, steps, refused, journal } = report;
    if context.json {
        print_json(&json!({ "as_of": as_of, "steps": steps, "refused": refused, "journal": journal }));
    } else {
        print_lines(&steps.iter().map(line).collect::<Vec<_>>());
    }
}

fn line(step: &RefreshStep) -> String {
    let state = match step.state {
        StepState::Done if step.again => "done before",
        StepState::Done => "done",
        StepState::Skipped => "nothing to do",
        StepState::Refused => "refused",
    };
    let said = json!(step.said);
    let said = said.as_object().into_iter().flatten();
    let said: Vec<String> = said.map(|(key, value)| format!("{key} {}", text(value))).collect();
    format!("{:<22} {state:<14} {}", step.step, said.join(", "))
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if !number.is_u64() => {
            format!("{:.4}", number.as_f64().unwrap_or_default())
        }
        Value::Array(items) => items.len().to_string(),
        other => other.to_string(),
    }
}
