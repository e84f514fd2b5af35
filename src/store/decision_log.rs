//! The decision log: append-only, with each decision's whole context, so that it can be made again.
//!
//! One thread writes. What waits is written together as one zstd frame; an answer is given only after the write, so no
//! crash of the process loses an answered decision. With [`LogOptions::sync_before_answer`] it is given after `fdatasync`,
//! so no crash of the machine does either; without, that follows within a second.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant as Stopwatch};

use serde::{Deserialize, Serialize};

use super::log_files::{FileEnd, LogFile, files, lines_of, numbered_files, read_frame, read_lines};
use super::receipt::{Place, Promise, Receipt, pair};
use decisions::context::DecisionContext;
use domain::decision::Decision;
use domain::error::{Coded, ErrorKind};

/// Version of a record; a newer one is refused.
pub const FORMAT: u32 = 1;

/// A file this long is closed and the next one begun.
const ROTATE_BYTES: u64 = 64 << 20;

/// Records that may wait; beyond it the server is overloaded and says so.
const LONGEST_QUEUE: usize = 4_096;

/// Most bytes of JSON in one frame, but for a single larger record.
const LARGEST_BATCH: usize = 4 << 20;

/// Longest time that written bytes wait for their `fdatasync`.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// A log that cannot be written or read; the text names the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The file system said no.
    #[error("log_unavailable: {}: {detail}", .path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What it said.
        detail: String,
    },
    /// More records wait than may.
    #[error("log_overloaded: {LONGEST_QUEUE} records wait to be written")]
    Overloaded,
    /// The server is stopping.
    #[error("log_closed: the decision log is closed")]
    Closed,
    /// A record from a newer smartpush.
    #[error("newer_format: {}: a record of format {found}, this smartpush reads up to {FORMAT}", .path.display())]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format number.
        found: u32,
    },
    /// A record that cannot be read.
    #[error("bad_record: {}: {detail}", .path.display())]
    BadRecord {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
}

impl Coded for LogError {
    fn code(&self) -> &'static str {
        match self {
            LogError::Io { .. } => "log_unavailable",
            LogError::Overloaded => "log_overloaded",
            LogError::Closed => "log_closed",
            LogError::NewerFormat { .. } => "newer_format",
            LogError::BadRecord { .. } => "bad_record",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            LogError::NewerFormat { .. } => ErrorKind::Conflict,
            LogError::Overloaded | LogError::Closed => ErrorKind::Busy,
            LogError::Io { .. } | LogError::BadRecord { .. } => ErrorKind::Ours,
        }
    }
}

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
    /// Does a receipt wait for `fdatasync`, once for all that is written together?
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

    /// Hands a record's line to the writer. The receipt settles when it is in the file.
    ///
    /// # Errors
    /// When too many records wait already, or the log is closed. Nothing was written then.
    pub fn append(&self, line: String) -> Result<Receipt, LogError> {
        let (promise, receipt) = pair();
        let queue = self.queue.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let queue = queue.as_ref().ok_or(LogError::Closed)?;
        self.waiting.fetch_add(1, Ordering::Relaxed);
        queue.try_send(Entry { line, promise }).map(|()| receipt).map_err(|error| {
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

    fn append(&mut self, lines: &[u8]) -> Result<Place, LogError> {
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
            Ok(place) if self.options.sync_before_answer => file.sync().map(|()| place),
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

/// Finds a decision's line, newest file first. Torn tails are passed over: nothing in them was ever answered.
pub fn find(directory: &Path, decision_id: &str) -> Result<Option<String>, LogError> {
    let mark = mark_of(decision_id);
    for path in files(directory)?.into_iter().rev() {
        let mut found = None;
        read_lines(&path, |line, _| match contains(line, &mark) {
            true => {
                found = Some(String::from_utf8_lossy(line).into_owned());
                ControlFlow::Break(())
            }
            false => ControlFlow::Continue(()),
        })?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// A decision's line, from the frame that its receipt named.
pub fn read_at(place: &Place, decision_id: &str) -> Result<Option<String>, LogError> {
    let mark = mark_of(decision_id);
    let Some(text) = read_frame(place)? else { return Ok(None) };
    let mut lines = lines_of(&text);
    Ok(lines.find(|line| contains(line, &mark)).map(|line| String::from_utf8_lossy(line).into_owned()))
}

fn mark_of(decision_id: &str) -> Vec<u8> {
    format!("\"decision\":{{\"decision_id\":{},", to_json(decision_id)).into_bytes()
}

/// The mark stands near the start of a line, if at all.
fn contains(line: &[u8], mark: &[u8]) -> bool {
    let start = &line[..line.len().min(mark.len() + 64)];
    start.windows(mark.len()).any(|window| window == mark)
}

/// Gives every record of a server's newest file to `each`, with its place, oldest first, and says where the file ends.
pub fn read_newest(directory: &Path, mut each: impl FnMut(Record, Place)) -> Result<FileEnd, LogError> {
    let Some(path) = numbered_files(directory)?.pop() else { return Ok(FileEnd::Whole) };
    let (mut failure, shared) = (None, Arc::from(path.as_path()));
    let end = read_lines(&path, |line, offset| match parse(line, &path) {
        Ok(record) => {
            each(record, Place { path: Arc::clone(&shared), offset });
            ControlFlow::Continue(())
        }
        Err(error) => {
            failure = Some(error);
            ControlFlow::Break(())
        }
    })?;
    failure.map_or(Ok(end), Err)
}

/// Reads a record's line.
///
/// # Errors
/// When it is of a newer format, or none of ours.
pub fn parse(line: &[u8], path: &Path) -> Result<Record, LogError> {
    #[derive(Deserialize)]
    struct Marker {
        format: u32,
    }
    let bad = |error: serde_json::Error| LogError::BadRecord {
        path: path.to_path_buf(),
        detail: error.to_string(),
    };
    match serde_json::from_slice::<Record>(line) {
        Ok(record) if record.format <= FORMAT => Ok(record),
        Ok(record) => Err(LogError::NewerFormat { path: path.to_path_buf(), found: record.format }),
        // A newer record need not look like ours in anything but its number.
        Err(error) => match serde_json::from_slice(line) {
            Ok(Marker { format }) if format > FORMAT => {
                Err(LogError::NewerFormat { path: path.to_path_buf(), found: format })
            }
            _ => Err(bad(error)),
        },
    }
}
