//! The hand-off: what a sender needs to send, minute by minute and shard by shard, its manifest last.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use polars::prelude::{Column, DataFrame, PolarsResult};
use serde::Serialize;
use serde_json::{Value, json};

use decisions::context::DecisionContext;
use domain::content::MessageClass;
use domain::decision::Decision;
use domain::error::{Coded, ErrorKind};
use domain::identity::{sha256, sha256_hex};
use domain::time::{Instant, MINUTE};
use files::tables::{self, TableError};

/// Version of the hand-off and its manifest.
pub const FORMAT: u32 = 1;

/// Name of a hand-off directory's manifest: it is written last, so a directory without one is not whole.
pub const MANIFEST: &str = "_manifest.json";

/// One push to be sent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HandoffRow {
    /// The minute that `send_at` lies in.
    pub send_minute: Instant,
    /// Part of the hand-off, by user.
    pub shard: u32,
    /// One per (campaign, user, occurrence): sending it twice is never right.
    pub send_id: String,
    /// The decision that explains it.
    pub decision_id: String,
    /// For which campaign.
    pub campaign_id: String,
    /// To whom.
    pub user_id: String,
    /// What.
    pub content_id: String,
    /// In which variant.
    pub variant_id: Option<String>,
    /// Over which channel.
    pub channel: String,
    /// When.
    pub send_at: Instant,
    /// The same on the user's clock, with its offset.
    pub send_at_local: String,
    /// The user's zone.
    pub time_zone: String,
    /// From here on it must not be shown.
    pub expires_at: Instant,
    /// Service or marketing.
    pub message_class: MessageClass,
    /// The policy's probability of this arm.
    pub action_probability: f64,
}

impl HandoffRow {
    /// The row of a decision; `None` unless it sends.
    pub fn of(decision: &Decision, context: &DecisionContext, shards: u32) -> Option<HandoffRow> {
        let send_at = decision.send_at?;
        let content_id = decision.content_id.clone()?;
        let contents = context.contents.iter().map(|candidate| &candidate.content);
        let content = contents.into_iter().find(|content| content.content_id == content_id);
        Some(HandoffRow {
            send_minute: Instant::from_micros(send_at.micros().div_euclid(MINUTE) * MINUTE),
            shard: shard_of(&decision.user_id, shards),
            send_id: decision.send_id.clone()?,
            decision_id: decision.decision_id.clone(),
            campaign_id: decision.campaign_id.clone().unwrap_or_default(),
            user_id: decision.user_id.clone(),
            content_id,
            variant_id: decision.variant_id.clone(),
            channel: decision.channel.clone()?,
            send_at,
            send_at_local: decision.send_at_local.clone()?,
            time_zone: decision.time_zone.clone()?,
            expires_at: decision.expires_at?,
            message_class: content.map(|content| content.message_class).unwrap_or_default(),
            action_probability: decision.action_probability?,
        })
    }
}

/// All pushes of a user lie in one shard, so that one sender sees them in order.
fn shard_of(user_id: &str, shards: u32) -> u32 {
    let hash = sha256(user_id.as_bytes());
    u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]]) % shards.max(1)
}

/// Writes the rows, sorted by minute, shard and send id: to one file (.parquet, .csv, .jsonl) with its manifest beside it,
/// or, for a name without an extension, to a directory of `minute=…/shard=….jsonl` with its manifest in it.
///
/// Returns the manifest's path.
///
/// # Errors
/// When a file cannot be written, or a directory of that name holds something already.
pub fn write(out: &Path, mut rows: Vec<HandoffRow>, head: &Value) -> Result<PathBuf, TableError> {
    let key = |row: &HandoffRow| (row.send_minute, row.shard);
    rows.sort_by(|one, other| key(one).cmp(&key(other)).then_with(|| one.send_id.cmp(&other.send_id)));
    match out.extension() {
        Some(_) => write_file(out, &rows, head),
        None => write_directory(out, &rows, head),
    }
}

/// A path to which no hand-off can be written.
#[derive(Debug, thiserror::Error)]
pub enum HandoffError {
    /// The directory holds something already.
    #[error("bad_out: {} is not empty; a hand-off is never written over another", .0.display())]
    NotEmpty(PathBuf),
    /// The file system says no, or the extension is none of ours.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl Coded for HandoffError {
    fn code(&self) -> &'static str {
        match self {
            HandoffError::NotEmpty(_) => "bad_out",
            HandoffError::Table(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            HandoffError::NotEmpty(_) => ErrorKind::Conflict,
            HandoffError::Table(error) => error.kind(),
        }
    }
}

/// Can a hand-off be written there?
///
/// # Errors
/// For an extension that is none of ours, and a directory that holds something already.
pub fn check(out: &Path) -> Result<(), HandoffError> {
    if out.extension().is_some() {
        return Ok(tables::check_extension(out)?);
    }
    match fs::read_dir(out).map(Iterator::count) {
        Ok(0) => Ok(()),
        Ok(_) => Err(HandoffError::NotEmpty(out.to_path_buf())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(TableError::io(out)(error).into()),
    }
}

fn write_file(out: &Path, rows: &[HandoffRow], head: &Value) -> Result<PathBuf, TableError> {
    let frame = frame_of(rows).map_err(TableError::parquet(out))?;
    tables::write_frame(out, frame)?;
    let bytes = fs::read(out).map_err(TableError::io(out))?;
    let name = out.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let path = out.with_file_name(format!("{name}.manifest.json"));
    let file = json!({ "name": name, "rows": rows.len(), "sha256": sha256_hex(&bytes) });
    write_manifest(&path, head, vec![file])
}

fn write_directory(out: &Path, rows: &[HandoffRow], head: &Value) -> Result<PathBuf, TableError> {
    let (mut files, mut paths, mut directories) = (Vec::new(), Vec::new(), BTreeSet::new());
    for part in rows.chunk_by(|one, other| (one.send_minute, one.shard) == (other.send_minute, other.shard)) {
        // Colons are no part of names everywhere.
        let minute = part[0].send_minute.to_string().replace([':', '-'], "");
        let name = format!("minute={minute}/shard={:04}.jsonl", part[0].shard);
        let lines: String = part.iter().map(|row| json!(row).to_string() + "\n").collect();
        tables::write_unsynced(&out.join(&name), lines.as_bytes())?;
        files.push(json!({ "name": name, "rows": part.len(), "sha256": sha256_hex(lines.as_bytes()) }));
        paths.push(out.join(&name));
        directories.insert(out.join(format!("minute={minute}")));
    }
    paths.extend(directories);
    tables::sync_all(&paths)?;
    write_manifest(&out.join(MANIFEST), head, files)
}

fn write_manifest(path: &Path, head: &Value, files: Vec<Value>) -> Result<PathBuf, TableError> {
    let mut manifest = head.clone();
    manifest["format"] = json!(FORMAT);
    manifest["files"] = json!(files);
    let text = format!("{manifest:#}\n");
    tables::write_atomically(path, |file| file.write_all(text.as_bytes()))?;
    Ok(path.to_path_buf())
}

/// The rows as a table: instants are text, RFC 3339.
fn frame_of(rows: &[HandoffRow]) -> PolarsResult<DataFrame> {
    let texts = |name: &str, of: &dyn Fn(&HandoffRow) -> String| {
        Column::new(name.into(), rows.iter().map(of).collect::<Vec<String>>())
    };
    let variants: Vec<Option<&str>> = rows.iter().map(|row| row.variant_id.as_deref()).collect();
    let probabilities: Vec<f64> = rows.iter().map(|row| row.action_probability).collect();
    let shards: Vec<i32> = rows.iter().map(|row| row.shard as i32).collect();
    let columns = vec![
        texts("send_minute", &|row| row.send_minute.to_string()),
        Column::new("shard".into(), shards),
        texts("send_id", &|row| row.send_id.clone()),
        texts("decision_id", &|row| row.decision_id.clone()),
        texts("campaign_id", &|row| row.campaign_id.clone()),
        texts("user_id", &|row| row.user_id.clone()),
        texts("content_id", &|row| row.content_id.clone()),
        Column::new("variant_id".into(), variants),
        texts("channel", &|row| row.channel.clone()),
        texts("send_at", &|row| row.send_at.to_string()),
        texts("send_at_local", &|row| row.send_at_local.clone()),
        texts("time_zone", &|row| row.time_zone.clone()),
        texts("expires_at", &|row| row.expires_at.to_string()),
        texts("message_class", &|row| row.message_class.as_str().to_string()),
        Column::new("action_probability".into(), probabilities),
    ];
    DataFrame::new(rows.len(), columns)
}
