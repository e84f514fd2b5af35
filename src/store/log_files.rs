//! The log's files: concatenated zstd frames of JSON lines, numbered, read whole or up to where a crash cut them.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zstd::bulk::Compressor;
use zstd::zstd_safe::{CParameter, find_frame_compressed_size, get_frame_content_size};

use super::ack::FramePosition;
use super::log_error::LogError;

/// End of every file's name.
const EXTENSION: &str = ".jsonl.zst";

/// Start of the names of files that hold decisions made together.
const BATCH_PREFIX: &str = "batch-";
/// Fast, and still a fifth of the JSON.
pub(super) const COMPRESSION_LEVEL: i32 = 1;

/// A frame that claims to hold more is damage, not ours.
const LARGEST_FRAME: u64 = 256 << 20;

/// No batch of ours is longer once it is compressed.
const LONGEST_COMPRESSED_FRAME: u64 = 32 << 20;

/// Bytes that are read first of a frame whose length is unknown: most frames are shorter.
const FIRST_READ: u64 = 64 << 10;

/// Where a file's sound part ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileEnd {
    /// Every frame is sound.
    Whole,
    /// A crash, or damage, made the file unreadable from this byte on.
    Torn {
        /// First byte that is not part of a sound frame.
        offset: usize,
    },
}

/// All files of the log: those of batches in order of their names, then those of servers in order of their numbers.
pub fn files(directory: &Path) -> Result<Vec<PathBuf>, LogError> {
    let mut named: Vec<PathBuf> =
        names_in(directory, |name| is_batch_file(name).then_some(name.to_string()))?
            .into_iter()
            .map(|(_, path)| path)
            .collect();
    named.extend(numbered_files(directory)?);
    Ok(named)
}

/// The files that servers write, in order of their numbers; a directory that does not exist has none.
pub(super) fn numbered_files(directory: &Path) -> Result<Vec<PathBuf>, LogError> {
    Ok(names_in(directory, number_of)?.into_iter().map(|(_, path)| path).collect())
}

/// Files whose names give a key, in order of it.
fn names_in<K: Ord>(
    directory: &Path,
    key: impl Fn(&str) -> Option<K>,
) -> Result<Vec<(K, PathBuf)>, LogError> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(LogError::io(directory, &error)),
    };
    let mut found: Vec<(K, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| Some((key(&entry.file_name().to_string_lossy())?, entry.path())))
        .collect();
    found.sort_unstable();
    Ok(found)
}

/// The name of the file of decisions that were made together.
pub(super) fn batch_file_name(batch_id: &str) -> String {
    format!("{BATCH_PREFIX}{batch_id}{EXTENSION}")
}

fn is_batch_file(name: &str) -> bool {
    name.starts_with(BATCH_PREFIX) && name.ends_with(EXTENSION)
}

/// The number in a log file's name.
fn number_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(EXTENSION)?;
    let is_number = digits.len() >= 6 && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}

/// Gives every line of a file's sound frames to `each`, with the first byte of its frame, oldest first, until it breaks.
pub fn read_lines(
    path: &Path,
    mut each: impl FnMut(&[u8], u64) -> ControlFlow<()>,
) -> Result<FileEnd, LogError> {
    read_frames(path, 0..u64::MAX, |text, bytes| {
        !lines_of(text).any(|line| each(line, bytes.start).is_break())
    })
}

/// Gives every sound frame of a part of a file to `each`, with the bytes that it takes, until `each` wants no more of them.
///
/// The part begins where a frame does.
pub(super) fn read_frames(
    path: &Path,
    part: Range<u64>,
    mut each: impl FnMut(&[u8], Range<u64>) -> bool,
) -> Result<FileEnd, LogError> {
    let wrap = |error: io::Error| LogError::io(path, &error);
    let mut file = File::open(path).map_err(wrap)?;
    file.seek(SeekFrom::Start(part.start)).map_err(wrap)?;
    let mut bytes = Vec::new();
    file.take(part.end - part.start).read_to_end(&mut bytes).map_err(wrap)?;
    let mut read = 0;
    while read < bytes.len() {
        let offset = part.start + read as u64;
        let Some((text, length)) = frame_at(&bytes[read..]) else {
            return Ok(FileEnd::Torn { offset: offset as usize });
        };
        if !each(&text, offset..offset + length as u64) {
            break;
        }
        read += length;
    }
    Ok(FileEnd::Whole)
}

/// The lines of one frame; `None` when there is no sound one.
pub(super) fn read_frame(position: &FramePosition) -> Result<Option<Vec<u8>>, LogError> {
    let wrap = |error: io::Error| LogError::io(&position.path, &error);
    let mut file = File::open(&position.path).map_err(wrap)?;
    file.seek(SeekFrom::Start(position.offset)).map_err(wrap)?;
    let (mut bytes, mut most) = (Vec::new(), FIRST_READ);
    loop {
        let wanted = most - bytes.len() as u64;
        let read = (&file).take(wanted).read_to_end(&mut bytes).map_err(wrap)?;
        let frame = frame_at(&bytes);
        if frame.is_some() || (read as u64) < wanted || most >= LONGEST_COMPRESSED_FRAME {
            return Ok(frame.map(|(text, _)| text));
        }
        most *= 2;
    }
}

/// Lines that hold something.
pub(super) fn lines_of(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

/// The content and length of the frame that begins here; `None` when it is cut short or damaged.
fn frame_at(bytes: &[u8]) -> Option<(Vec<u8>, usize)> {
    let length = find_frame_compressed_size(bytes).ok()?;
    let frame = bytes.get(..length)?;
    let size = get_frame_content_size(frame).ok()??;
    if size > LARGEST_FRAME {
        return None;
    }
    let text = zstd::bulk::decompress(frame, size as usize).ok()?;
    Some((text, length))
}

/// The one open file of a writer.
pub(super) struct LogFile {
    path: Arc<Path>,
    file: File,
    length: u64,
    compressor: Compressor<'static>,
}

impl LogFile {
    /// Makes the file after the newest one. An old file is never appended to: its tail may be torn.
    pub(super) fn create(directory: &Path) -> Result<LogFile, LogError> {
        fs::create_dir_all(directory).map_err(|error| LogError::io(directory, &error))?;
        let newest = numbered_files(directory)?.pop();
        let newest = newest.and_then(|path| number_of(&path.file_name()?.to_string_lossy()));
        let path = directory.join(format!("{:06}{EXTENSION}", newest.map_or(1, |number| number + 1)));
        let wrap = |error: io::Error| LogError::io(&path, &error);
        let file = File::options().append(true).create_new(true).open(&path).map_err(wrap)?;
        // The file's name must outlive a crash of the machine, or its content is lost with it.
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(wrap)?;
        let mut compressor = Compressor::new(COMPRESSION_LEVEL).map_err(wrap)?;
        compressor.set_parameter(CParameter::ChecksumFlag(true)).map_err(wrap)?;
        let path = path.into();
        Ok(LogFile { path, file, length: 0, compressor })
    }

    /// Bytes in the file.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Appends lines as one frame. After an error the file ends where it did before, or must not be used any more.
    pub(super) fn append(&mut self, lines: &[u8]) -> Result<FramePosition, LogError> {
        let wrap = |error: io::Error| LogError::io(&self.path, &error);
        let frame = self.compressor.compress(lines).map_err(wrap)?;
        match self.file.write_all(&frame) {
            Ok(()) => {
                let position = FramePosition { path: Arc::clone(&self.path), offset: self.length };
                self.length += frame.len() as u64;
                Ok(position)
            }
            Err(error) => {
                let failure = wrap(error);
                let _ = self.file.set_len(self.length);
                Err(failure)
            }
        }
    }

    /// Makes what was appended durable.
    pub(super) fn sync(&self) -> Result<(), LogError> {
        self.file.sync_data().map_err(|error| LogError::io(&self.path, &error))
    }
}
