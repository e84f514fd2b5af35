//! The decision log: append-only, with each decision's whole context, so that it can be made again.
//!
//! One thread writes. What waits is written together as one zstd frame; an answer is given only after the write, so no
//! crash of the process loses an answered decision. With [`LogOptions::sync_before_answer`] it is given after `fdatasync`,
//! so no crash of the machine does either; without, that follows within a second.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant as Stopwatch};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::ack::{Ack, FramePosition, Promise, pair};
use super::log_error::LONGEST_QUEUE;
pub use super::log_error::{FORMAT, LogError};
use super::log_files::{LogFile, files, lines_of, read_frame, read_frames};
use decisions::context::DecisionContext;
use domain::decision::Decision;
use domain::time::Instant;

/// A file this long is closed and the next one begun.
const ROTATE_BYTES: u64 = 64 << 20;

/// Most bytes of JSON in one frame, but for a single larger record.
const LARGEST_BATCH: usize = 4 << 20;

/// Longest time that written bytes wait for their `fdatasync`.
const SYNC_EVERY: Duration = Duration::from_secs(1);

impl LogError {
    pub(super) fn io(path: &Path, error: &std::io::Error) -> LogError {
        LogError::Io { path: path.to_path_buf(), detail: error.to_string() }
    }
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Version of this form.
    pub format: u32,
    /// What was answered.
    pub decision: Decision,
    /// What it was made from.
    pub context: DecisionContext,
    /// The key under which the same question gets the same answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency_key: Option<String>,
    /// Hash of the question, so that another question under the same key is noticed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_hash: Option<String>,
    /// What a challenger in the shadow said of what was sent; it decided nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shadow: Option<ShadowScore>,
}

/// A challenger's word on what was sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShadowScore {
    /// `goal/version`
    pub model: String,
    /// P(goal | user, arm) by it.
    pub response_probability: f64,
}

impl Record {
    /// The record as the log holds it, without the line feed.
    pub fn to_line(&self) -> String {
        to_json(self)
    }
}

/// The line of a record whose decision is JSON already: it is given out and logged with the same bytes.
pub fn line_of(
    decision: &str,
    context: &DecisionContext,
    key: Option<&IdempotencyKey<'_>>,
    shadow: Option<&ShadowScore>,
) -> String {
    let context = to_json(context);
    let mut line = format!("{{\"format\":{FORMAT},\"decision\":{decision},\"context\":{context}");
    if let Some(IdempotencyKey { key, request_hash }) = key {
        let (key, hash) = (to_json(key), to_json(request_hash));
        line.push_str(&format!(",\"idempotency_key\":{key},\"request_hash\":{hash}"));
    }
    if let Some(shadow) = shadow {
        line.push_str(&format!(",\"shadow\":{}", to_json(shadow)));
    }
    line.push('}');
    line
}

/// The key of a question, and the hash of what was asked under it.
#[derive(Clone, Copy, Debug)]
pub struct IdempotencyKey<'a> {
    /// As the client gave it.
    pub key: &'a str,
    /// Equal questions, equal hash.
    pub request_hash: &'a str,
}

fn to_json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| unreachable!("plain data: {error}"))
}

/// A record's line, on its way to the writer.
struct Entry {
    line: String,
    promise: Promise,
}

/// How a log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// A file this long is closed and the next one begun.
    pub rotate_bytes: u64,
    /// Does an acknowledgement wait for `fdatasync`, once for all that is written together?
    pub sync_before_answer: bool,
}

impl Default for LogOptions {
    fn default() -> LogOptions {
        LogOptions { rotate_bytes: ROTATE_BYTES, sync_before_answer: false }
    }
}

/// The open log of a server.
#[derive(Debug)]
pub struct DecisionLog {
    directory: PathBuf,
    queue: Mutex<Option<SyncSender<Entry>>>,
    waiting: Arc<AtomicUsize>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

impl DecisionLog {
    /// Opens the log in a directory; the first record makes a new file.
    pub fn open(directory: PathBuf, options: LogOptions) -> DecisionLog {
        let (queue, entries) = sync_channel(LONGEST_QUEUE);
        let waiting = Arc::new(AtomicUsize::new(0));
        let mut writer = Writer {
            directory: directory.clone(),
            options,
            file: None,
            unsynced_since: None,
            waiting: Arc::clone(&waiting),
        };
        let thread = std::thread::spawn(move || writer.run(&entries));
        DecisionLog { directory, queue: Mutex::new(Some(queue)), waiting, writer: Mutex::new(Some(thread)) }
    }

    /// Hands a record's line to the writer. The acknowledgement settles when it is in the file.
    ///
    /// # Errors
    /// When too many records wait already, or the log is closed. Nothing was written then.
    pub fn append(&self, line: String) -> Result<Ack, LogError> {
        let (promise, ack) = pair();
        let queue = self.queue.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let queue = queue.as_ref().ok_or(LogError::Closed)?;
        self.waiting.fetch_add(1, Ordering::Relaxed);
        queue.try_send(Entry { line, promise }).map(|()| ack).map_err(|error| {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            match error {
                TrySendError::Full(_) => LogError::Overloaded,
                TrySendError::Disconnected(_) => LogError::Closed,
            }
        })
    }

    /// Records that wait to be written.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Where the log lies.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Writes and syncs what waits, and takes nothing more.
    pub fn close(&self) {
        drop(self.queue.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take());
        let writer = self.writer.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        if let Some(writer) = writer {
            let _ = writer.join();
        }
    }
}

impl Drop for DecisionLog {
    fn drop(&mut self) {
        self.close();
    }
}

/// What the writing thread owns.
struct Writer {
    directory: PathBuf,
    options: LogOptions,
    file: Option<LogFile>,
    unsynced_since: Option<Stopwatch>,
    waiting: Arc<AtomicUsize>,
}

impl Writer {
    fn run(&mut self, entries: &Receiver<Entry>) {
        loop {
            let patience =
                self.unsynced_since.map_or(SYNC_EVERY, |since| SYNC_EVERY.saturating_sub(since.elapsed()));
            match entries.recv_timeout(patience) {
                Ok(first) => self.write(batch(first, entries)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.unsynced_since.is_some_and(|since| since.elapsed() >= SYNC_EVERY) {
                self.sync();
            }
        }
        self.sync();
    }

    fn write(&mut self, batch: Vec<Entry>) {
        let mut lines = String::with_capacity(batch.iter().map(|entry| entry.line.len() + 1).sum());
        for entry in &batch {
            lines.push_str(&entry.line);
            lines.push('\n');
        }
        let outcome = self.append(lines.as_bytes());
        self.waiting.fetch_sub(batch.len(), Ordering::Relaxed);
        batch.into_iter().for_each(|entry| entry.promise.settle(outcome.clone()));
    }

    fn append(&mut self, lines: &[u8]) -> Result<FramePosition, LogError> {
        if self.file.as_ref().is_some_and(|file| file.length() >= self.options.rotate_bytes) {
            self.sync();
            self.file = None;
        }
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(LogFile::create(&self.directory)?),
        };
        let written = file.append(lines);
        let outcome = match written {
            Ok(position) if self.options.sync_before_answer => file.sync().map(|()| position),
            other => other,
        };
        match &outcome {
            Ok(_) if self.options.sync_before_answer => {}
            Ok(_) => drop(self.unsynced_since.get_or_insert_with(Stopwatch::now)),
            // What a failed write left in the file is for readers to pass over; the next batch starts a new one.
            Err(_) => self.file = None,
        }
        outcome
    }

    /// A sync that fails loses nothing that was promised; the next one may succeed.
    fn sync(&mut self) {
        if let Some(file) = self.file.as_ref().filter(|_| self.unsynced_since.is_some())
            && let Err(error) = file.sync()
        {
            tracing::error!(%error, "the decision log could not be synced");
        }
        self.unsynced_since = None;
    }
}

/// The first entry and all that wait behind it, up to a frame's size.
fn batch(first: Entry, entries: &Receiver<Entry>) -> Vec<Entry> {
    let mut bytes = first.line.len();
    let mut batch = vec![first];
    while bytes < LARGEST_BATCH
        && let Ok(entry) = entries.try_recv()
    {
        bytes += entry.line.len();
        batch.push(entry);
    }
    batch
}

/// A decision's line and where it is, newest file first. Incomplete frames at the end of a file are skipped: no client
/// received a decision from them.
///
/// It reads whole files; a server, which is asked again and again, asks its [`super::log_index::LogIndex`].
///
/// # Errors
/// When a file cannot be read.
pub fn find(directory: &Path, decision_id: &str) -> Result<Option<(String, FramePosition)>, LogError> {
    for path in files(directory)?.into_iter().rev() {
        let found = find_in(&path, 0..u64::MAX, decision_id)?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// The same in a part of one file that begins where a frame does.
pub(super) fn find_in(
    path: &Path,
    part: Range<u64>,
    decision_id: &str,
) -> Result<Option<(String, FramePosition)>, LogError> {
    let mut found = None;
    read_frames(path, part, |text, bytes| {
        found = line_of_decision(text, decision_id)
            .map(|line| (line, FramePosition { path: path.into(), offset: bytes.start }));
        found.is_none()
    })?;
    Ok(found)
}

/// A decision's line, from the frame that its acknowledgement named.
///
/// # Errors
/// When the file cannot be read.
pub fn read_at(position: &FramePosition, decision_id: &str) -> Result<Option<String>, LogError> {
    Ok(read_frame(position)?.and_then(|text| line_of_decision(&text, decision_id)))
}

/// What every record's decision begins with.
const MARK: &[u8] = b"\"decision\":{\"decision_id\":";

/// What every erased record begins with.
const ERASED_MARK: &[u8] = b"{\"decision_id\":";

/// The mark is this near to the start of a line, if at all.
const LONGEST_START: usize = 64;

fn line_of_decision(text: &[u8], decision_id: &str) -> Option<String> {
    let id = to_json(decision_id);
    let is_wanted = |line: &&[u8]| after_mark(line).is_some_and(|rest| rest.starts_with(id.as_bytes()));
    lines_of(text).find(is_wanted).map(|line| String::from_utf8_lossy(line).into_owned())
}

/// The id in a record's line, up to its first quote, also in an erased record's.
pub(super) fn id_in(line: &[u8]) -> Option<&[u8]> {
    after_mark(line)?.strip_prefix(b"\"")?.split(|byte| *byte == b'"').next()
}

fn after_mark(line: &[u8]) -> Option<&[u8]> {
    if let Some(rest) = line.strip_prefix(ERASED_MARK) {
        return Some(rest);
    }
    let start = &line[..line.len().min(MARK.len() + LONGEST_START)];
    let at = start.windows(MARK.len()).position(|window| window == MARK)?;
    Some(&line[at + MARK.len()..])
}

/// The part of a record that a server remembers; the rest is skipped without being held.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct RecordHead {
    /// Version of the record's form.
    pub format: u32,
    /// What was answered.
    pub decision: DecisionHead,
    /// What it was made from.
    pub context: ContextHead,
    /// The key under which the same question gets the same answer.
    pub idempotency_key: Option<String>,
    /// Hash of the question.
    pub request_hash: Option<String>,
}

/// The part of a decision that a server remembers.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct DecisionHead {
    /// Its id.
    pub decision_id: String,
    /// Its campaign.
    pub campaign_id: Option<String>,
    /// Was it drawn for the sake of learning?
    pub explored: bool,
}

/// The part of a context that a server remembers.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct ContextHead {
    /// When the question was asked.
    pub now: Instant,
}

impl RecordHead {
    /// Reads the head of a record's line; `None` of a record that was erased.
    ///
    /// # Errors
    /// When it is of a newer format, or none of ours.
    pub fn parse(line: &[u8], path: &Path) -> Result<Option<RecordHead>, LogError> {
        match parse_as(line, path, |head: &RecordHead| head.format) {
            Err(LogError::Erased) => Ok(None),
            head => head.map(Some),
        }
    }
}

fn is_erased(line: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct ErasedRecord {
        erased: bool,
    }
    serde_json::from_slice::<ErasedRecord>(line).is_ok_and(|record| record.erased)
}

/// Reads a record's line.
///
/// # Errors
/// When it was erased, is of a newer format, or none of ours.
pub fn parse(line: &[u8], path: &Path) -> Result<Record, LogError> {
    parse_as(line, path, |record: &Record| record.format)
}

fn parse_as<T: DeserializeOwned>(
    line: &[u8],
    path: &Path,
    format_of: impl Fn(&T) -> u32,
) -> Result<T, LogError> {
    #[derive(Deserialize)]
    struct FormatNumber {
        format: u32,
    }
    let newer = |found: u32| LogError::NewerFormat { path: path.to_path_buf(), found };
    match serde_json::from_slice::<T>(line) {
        Ok(record) if format_of(&record) <= FORMAT => Ok(record),
        Ok(record) => Err(newer(format_of(&record))),
        // A newer record need not look like ours in anything but its number.
        Err(error) => match serde_json::from_slice(line) {
            Ok(FormatNumber { format }) if format > FORMAT => Err(newer(format)),
            _ if is_erased(line) => Err(LogError::Erased),
            _ => Err(LogError::BadRecord { path: path.to_path_buf(), detail: error.to_string() }),
        },
    }
}
