//! Files as plain bytes: gzip is recognised by its first two bytes, whatever the file's name.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use super::{Counted, Progress, Text, encoding};

const BUFFER: usize = 1 << 18;

/// A file with its compression taken off.
pub(super) struct Plain {
    text: Text,
    /// Was the file compressed? Then formats that seek need a plain copy.
    pub(super) compressed: bool,
}

impl Plain {
    /// Opens a regular file.
    pub(super) fn open(path: &Path, progress: Progress) -> io::Result<Plain> {
        let file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "a directory, not a file"));
        }
        let mut bytes = BufReader::with_capacity(BUFFER, Counted { inner: file, progress });
        let compressed = bytes.fill_buf()?.starts_with(&[0x1f, 0x8b]);
        let text: Text = if compressed {
            Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(bytes)))
        } else {
            Box::new(bytes)
        };
        Ok(Plain { text, compressed })
    }

    /// Decodes UTF-16.
    pub(super) fn decode_text(&mut self) -> io::Result<()> {
        let raw = std::mem::replace(&mut self.text, Box::new(io::empty()));
        self.text = encoding::decoded(raw)?;
        Ok(())
    }

    pub(super) fn text(&mut self) -> &mut Text {
        &mut self.text
    }

    pub(super) fn into_text(self) -> Text {
        self.text
    }
}
