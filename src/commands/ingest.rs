//! `smartpush ingest`: foreign files → clean tables, with a summary that adds up.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::ValueEnum;

use super::event_names;
use super::output::{print_json, print_text, thousands};
use super::shape::{ShapeArguments, presets};
use super::{Context, Failure};
use events::formats::Format;
use events::notes::NoteKind;
use events::request::{IngestSummary, InputKind};
use events::taught::columns_text;
use files::workspace::Workspace;
use operations::ingest::{IngestReport, IngestRequest, ingest};

/// Take events, users, contents or campaigns into the workspace
///
/// CSV, JSON lines and Parquet, each also gzipped. Records that cannot be taken go to data/rejected/ with file,
/// line and reason; read = accepted + duplicate + rejected. Taking the same file again, in the same way, changes
/// nothing; an event without message_id is known by its whole content. The report names the id with which
/// `smartpush ingests undo` takes the ingest back.
/// Exit codes: 2 when a file is refused, or none of its records was accepted or known; 3 when more records were rejected than
/// --most-rejected (what was accepted is kept); 4 when another smartpush wrote for longer than --wait.
#[derive(clap::Args)]
#[command(after_help = help_text(), after_long_help = long_help())]
pub(super) struct IngestArguments {
    /// Files to read, in order
    #[arg(required = true, value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    /// What the files hold
    #[arg(long, value_enum, default_value = "events")]
    pub(super) kind: KindArgument,
    /// Format of the files; auto goes by each file's name, then by its first bytes
    #[arg(long, value_enum, default_value = "auto")]
    pub(super) format: FormatArgument,
    #[command(flatten)]
    pub(super) shape: ShapeArguments,
    /// Share of the records that may be rejected before the command ends with exit code 3; default: ingest.most_rejected
    #[arg(long, value_name = "10%", value_parser = share)]
    pub(super) most_rejected: Option<f64>,
}

/// The preset that `--format segment` means.
const SEGMENT: &str = "segment";

const EXAMPLES: &str = "Event names with a meaning:
  view click like share bookmark comment search add_to_cart purchase session_start campaign_targeted push_sent
  push_delivered push_displayed push_opened push_clicked push_dismissed push_failed push_opted_out
  notifications_disabled message_replied
Names of other systems for pushes (notification_receive, \"Push Sent\", message.push.clicked) and for what no user did at
that moment (app_remove, os_update) are understood. Any other name is a custom event, counted as the user's own act.
ingest prints every name with its count and how it is understood; map those that are not understood rightly:
  smartpush ingest events.csv --map-event 'Order Completed=purchase,Nightly Job=other'
or for all files, in smartpush.toml:
  [ingest]
  map_events = { \"Order Completed\" = \"purchase\" }
  not_own_acts = [\"Nightly Job\"]

Files of other systems, without a script:
  smartpush ingest ratings.csv --map userId=user_id,movieId=content_id,rating=value --set event=rating
  smartpush ingest UserBehavior.csv --header user_id,content_id,category,event,timestamp --map-event pv=view,buy=purchase
  smartpush ingest track.jsonl --map 'userId|anonymousId=user_id,context.timezone=time_zone'
  smartpush ingest orders.csv --map '\"Amount, USD\"=value'
  smartpush ingest events.jsonl --preset ga4
Other flags count before those of a preset.

Items of a list are separated by `;`; JSON has arrays.

Anything but a clear grant stops pushes, also an empty cell after a grant. push_opted_out and notifications_disabled stop them
from their moment on, until a row says granted with a consent_at after it. A cell of users that cannot be read costs only
itself; one of a preference stops pushes until it is corrected. Contents come before the campaigns that name them.

Examples:
  smartpush ingest events.csv.gz
  smartpush ingest --kind users users.csv
  smartpush ingest clicks.jsonl --map uid=user_id,type=event,at=timestamp --time-zone Europe/Paris";

/// The examples, and the columns of each kind of file.
fn long_help() -> String {
    let kinds = [InputKind::Events, InputKind::Users, InputKind::Contents, InputKind::Campaigns];
    let columns = kinds.map(|kind| format!("Columns of {}:\n{}\n", kind.as_str(), columns_text(kind)));
    format!(
        "{}{}\n\nA file to begin with:\n  smartpush template users > users.csv",
        columns.concat(),
        help_text()
    )
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum KindArgument {
    Events,
    Users,
    Contents,
    Campaigns,
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum FormatArgument {
    Auto,
    Csv,
    Jsonl,
    Parquet,
    /// JSON lines, read by --preset segment
    Segment,
}

impl From<KindArgument> for InputKind {
    fn from(kind: KindArgument) -> InputKind {
        match kind {
            KindArgument::Events => InputKind::Events,
            KindArgument::Users => InputKind::Users,
            KindArgument::Contents => InputKind::Contents,
            KindArgument::Campaigns => InputKind::Campaigns,
        }
    }
}

impl From<FormatArgument> for Option<Format> {
    fn from(format: FormatArgument) -> Option<Format> {
        match format {
            FormatArgument::Auto => None,
            FormatArgument::Csv => Some(Format::Csv),
            FormatArgument::Jsonl | FormatArgument::Segment => Some(Format::Jsonl),
            FormatArgument::Parquet => Some(Format::Parquet),
        }
    }
}

/// The presets with what each reads, after what is fixed.
fn help_text() -> String {
    format!("{EXAMPLES}\n\nPresets:\n{}", presets())
}

pub(super) fn run(context: &Context, arguments: &IngestArguments) -> Result<(), Failure> {
    let request = arguments.request()?;
    let workspace = Workspace::create(&context.workspace)?;
    let report = context.operate(&workspace, |operation| ingest(operation, &request))?;
    let IngestReport { summary, warnings, refusal } = report;
    let refusal = refusal.map(Failure::from);
    if context.json {
        print_json(&to_json(&summary, &warnings, refusal.as_ref()));
    } else {
        print_text(&to_text(&summary, &warnings));
    }
    for refused in &summary.refused {
        eprintln!("refused: {refused}");
    }
    Failure::after_report(refusal)
}

impl IngestArguments {
    /// The files and how to read them.
    pub(super) fn request(&self) -> Result<IngestRequest, Failure> {
        let kind = InputKind::from(self.kind);
        let mut shape = self.shape.clone();
        if matches!(self.format, FormatArgument::Segment) {
            shape.preset.get_or_insert_with(|| SEGMENT.to_string());
        }
        let (renames, zone) = shape.shape(kind)?;
        let (files, format) = (self.files.clone(), self.format.into());
        Ok(IngestRequest { files, kind, format, renames, most_rejected: self.most_rejected, zone })
    }
}

fn to_json(summary: &IngestSummary, warnings: &[String], refusal: Option<&Failure>) -> serde_json::Value {
    let refused: Vec<serde_json::Value> = summary
        .refused
        .iter()
        .map(|error| serde_json::json!({ "file": error.path, "code": error.code, "detail": error.detail }))
        .collect();
    let unreadable = summary.notes.of(NoteKind::Unreadable);
    let unreadable: BTreeMap<&str, u64> = unreadable.map(|(column, cells)| (column, cells.count)).collect();
    let consents = &summary.consents;
    let mut object = serde_json::json!({
        "read": summary.read, "accepted": summary.accepted, "duplicate": summary.duplicate,
        "rejected": summary.rejected, "reasons": summary.reasons, "examples": summary.examples, "dead_letters": summary.dead_letters,
        "other_columns": summary.other_columns, "event_names": event_names::to_json(&summary.event_names), "unreadable": unreadable, "consents": {
            "refused": consents.refused, "unreadable": consents.unreadable, "emptied": consents.emptied, "not_later": consents.stale,
        }, "warnings": warnings, "refused": refused, "ingest_id": summary.ingest_id,
    });
    let dropped = summary.notes.of(NoteKind::Dropped);
    let dropped = dropped.map(|(column, cells)| (column.to_string(), cells.count.into()));
    object["dropped"] = serde_json::Value::Object(dropped.collect());
    if let Some(failure) = refusal {
        failure.add_to(&mut object);
    }
    object
}

/// The summary for people.
fn to_text(summary: &IngestSummary, warnings: &[String]) -> String {
    let mut text = format!(
        "read {} = accepted {} + duplicate {} + rejected {}\n",
        thousands(summary.read),
        thousands(summary.accepted),
        thousands(summary.duplicate),
        thousands(summary.rejected)
    );
    for (reason, count) in &summary.reasons {
        text += &format!("  rejected {:>9}  {reason}\n", thousands(*count));
        if let Some(example) = summary.examples.get(reason) {
            text += &format!("                      e.g. {example}\n");
        }
    }
    if let Some(path) = &summary.dead_letters {
        text += &format!("  dead letters: {}\n", path.display());
    }
    if !summary.other_columns.is_empty() {
        let names: Vec<&str> = summary.other_columns.iter().map(String::as_str).collect();
        text += &format!("  kept as properties: {}\n", names.join(", "));
    }
    text += &event_names::to_text(&summary.event_names);
    for warning in warnings {
        text += &format!("  warning: {warning}\n");
    }
    if let Some(id) = &summary.ingest_id {
        text += &format!("  undo with: smartpush ingests undo {id}\n");
    }
    text
}

/// Reads `10%` or `0.1`.
pub(super) fn share(text: &str) -> Result<f64, String> {
    config::parse_share(text).ok_or_else(|| format!("{text:?} is no share from 0 to 1 such as 10% or 0.1"))
}
