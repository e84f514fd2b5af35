//! Where in the log a decision is: the moment in its id selects the few blocks of a file that may hold it.

use std::collections::HashMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use super::ack::FramePosition;
use super::decision_log::{RecordHead, find_in, id_in};
use super::log_error::LogError;
use super::log_files::{files, lines_of, numbered_files, read_frame, read_frames};
use domain::time::Instant;

/// A block that has this many compressed bytes takes no further frame.
const BLOCK_BYTES: u64 = 64 << 10;

/// The blocks of a log's files. Each file is read once, and then only as far as it has grown.
///
/// It takes about 32 bytes of memory for 64 KiB of log.
#[derive(Debug)]
pub struct LogIndex {
    directory: PathBuf,
    files: Mutex<HashMap<PathBuf, Arc<FileBlocks>>>,
}

/// What is known of one file.
#[derive(Clone, Debug, Default)]
struct FileBlocks {
    blocks: Vec<FrameBlock>,
    /// First byte that belongs to no block: the end of the file's sound part.
    end: u64,
    /// Bytes that the file had when it was read.
    length: u64,
}

/// Neighbouring frames of a file, and the earliest and latest moments in the ids that they hold.
#[derive(Clone, Debug)]
struct FrameBlock {
    bytes: Range<u64>,
    earliest: u64,
    latest: u64,
}

impl LogIndex {
    /// The index of the log in a directory; nothing is read yet.
    pub fn new(directory: PathBuf) -> LogIndex {
        LogIndex { directory, files: Mutex::default() }
    }

    /// A decision's line, and where it is; `None` when the log does not have it.
    ///
    /// A file that is looked into for the first time is read whole; after that, blocks of it.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn find(&self, decision_id: &str) -> Result<Option<(String, FramePosition)>, LogError> {
        let moment = millisecond_of(decision_id.as_bytes());
        for path in files(&self.directory)?.into_iter().rev() {
            let known = self.extend(&path, |_| Ok(()))?;
            for block in known.blocks.iter().filter(|block| block.may_hold(moment)) {
                if let Some(found) = find_in(&path, block.bytes.clone(), decision_id)? {
                    return Ok(Some(found));
                }
            }
        }
        Ok(None)
    }

    /// Gives every record that servers have written since a moment to `each`, oldest first, and some before it: files are
    /// read whole, the newest always, and one before another as long as that one begins after the moment.
    ///
    /// # Errors
    /// When a file cannot be read, or a record is of a newer format or none of ours.
    pub fn read_since(&self, since: Instant, mut each: impl FnMut(RecordHead)) -> Result<(), LogError> {
        let mut wanted = Vec::new();
        for path in numbered_files(&self.directory)?.into_iter().rev() {
            let first = first_record(&path)?;
            wanted.push(path);
            if first.is_some_and(|first| first.context.now < since) {
                break;
            }
        }
        for path in wanted.iter().rev() {
            self.extend(path, |line| {
                RecordHead::parse(line, path)?.into_iter().for_each(&mut each);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Reads what a file has that was not read before and gives every line of it to `each`.
    fn extend(
        &self,
        path: &Path,
        mut each: impl FnMut(&[u8]) -> Result<(), LogError>,
    ) -> Result<Arc<FileBlocks>, LogError> {
        let length = fs::metadata(path).map_err(|error| LogError::io(path, &error))?.len();
        let known = self.lock().get(path).cloned().unwrap_or_default();
        if known.length == length {
            return Ok(known);
        }
        // Files only grow; a batch's may be replaced by its equal.
        let mut blocks = if length < known.length { FileBlocks::default() } else { (*known).clone() };
        blocks.length = length;
        let mut result = Ok(());
        read_frames(path, blocks.end..u64::MAX, |text, bytes| {
            blocks.absorb(text, bytes);
            result = lines_of(text).try_for_each(&mut each);
            result.is_ok()
        })?;
        result?;
        let blocks = Arc::new(blocks);
        self.lock().insert(path.to_path_buf(), Arc::clone(&blocks));
        Ok(blocks)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PathBuf, Arc<FileBlocks>>> {
        self.files.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

impl FileBlocks {
    /// Adds the file's next frame.
    fn absorb(&mut self, text: &[u8], bytes: Range<u64>) {
        self.end = bytes.end;
        let is_full = |block: &FrameBlock| block.bytes.end - block.bytes.start >= BLOCK_BYTES;
        if self.blocks.last().is_none_or(is_full) {
            self.blocks.push(FrameBlock { bytes: bytes.clone(), earliest: u64::MAX, latest: 0 });
        }
        if let Some(block) = self.blocks.last_mut() {
            block.bytes.end = bytes.end;
            for moment in lines_of(text).filter_map(id_in).map(millisecond_of) {
                block.earliest = block.earliest.min(moment);
                block.latest = block.latest.max(moment);
            }
        }
    }
}

impl FrameBlock {
    fn may_hold(&self, moment: u64) -> bool {
        (self.earliest..=self.latest).contains(&moment)
    }
}

/// The millisecond that a UUIDv7 begins with. Of any other id it is some number, the same for the same id.
fn millisecond_of(id: &[u8]) -> u64 {
    let digits = |range: Range<usize>| std::str::from_utf8(id.get(range)?).ok();
    let text = digits(0..8).zip(digits(9..13)).map(|(first, second)| format!("{first}{second}"));
    text.and_then(|text| u64::from_str_radix(&text, 16).ok()).unwrap_or_default()
}

/// The first record of a file's first frame; `None` when there is no sound one.
fn first_record(path: &Path) -> Result<Option<RecordHead>, LogError> {
    let Some(text) = read_frame(&FramePosition { path: path.into(), offset: 0 })? else { return Ok(None) };
    for line in lines_of(&text) {
        if let Some(head) = RecordHead::parse(line, path)? {
            return Ok(Some(head));
        }
    }
    Ok(None)
}
