//! Encodings of text: UTF-16 with its mark is read, other ones than UTF-8 are named with the command that helps.

use std::io::{self, BufRead, BufReader, Read};

use super::Text;

/// Bytes of UTF-16 taken at a time.
const BLOCK: usize = 1 << 16;

/// UTF-16 as UTF-8.
struct Utf16<R> {
    inner: R,
    big_endian: bool,
    /// A byte whose second half is still to come, and a surrogate whose second half is.
    half: Option<u8>,
    units: Vec<u16>,
    decoded: Vec<u8>,
    taken: usize,
}

/// The stream as UTF-8: what begins with the mark of UTF-16 is decoded, everything else stays as it is.
pub(super) fn decoded(mut text: Text) -> io::Result<Text> {
    let big_endian = match text.fill_buf()? {
        // UTF-32 begins in the same way as UTF-16.
        [0xff, 0xfe, 0, 0, ..] => return Ok(text),
        [0xff, 0xfe, ..] => false,
        [0xfe, 0xff, ..] => true,
        _ => return Ok(text),
    };
    text.consume(2);
    let (units, decoded) = (Vec::new(), Vec::new());
    let utf8 = Utf16 { inner: text, big_endian, half: None, units, decoded, taken: 0 };
    Ok(Box::new(BufReader::with_capacity(BLOCK, utf8)))
}

impl<R: BufRead> Utf16<R> {
    /// Decodes the next block; `false` at the end.
    fn refill(&mut self) -> io::Result<bool> {
        self.taken = 0;
        self.decoded.clear();
        let input = self.inner.fill_buf()?;
        let length = input.len().min(BLOCK);
        if length == 0 && self.half.is_some() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "UTF-16 ends within a character"));
        }
        let is_end = length == 0;
        for byte in &input[..length] {
            let Some(first) = self.half.take() else {
                self.half = Some(*byte);
                continue;
            };
            let pair = [first, *byte];
            self.units.push(if self.big_endian {
                u16::from_be_bytes(pair)
            } else {
                u16::from_le_bytes(pair)
            });
        }
        self.inner.consume(length);
        // A high surrogate waits for its low one.
        let waiting = self.units.last().copied().filter(|unit| !is_end && (0xd800..0xdc00).contains(unit));
        let whole = self.units.len() - usize::from(waiting.is_some());
        let characters = char::decode_utf16(self.units.drain(..whole));
        for character in characters {
            let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
            self.decoded.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        Ok(!is_end || !self.decoded.is_empty())
    }
}

impl<R: BufRead> Read for Utf16<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.decoded.len() {
            if !self.refill()? {
                return Ok(0);
            }
        }
        let rest = &self.decoded[self.taken..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.taken += length;
        Ok(length)
    }
}

/// The encoding, by `iconv`'s name, that bytes seem to be in which are not UTF-8; `None` when nothing fits.
pub(super) fn guessed(bytes: &[u8]) -> Option<&'static str> {
    let high: Vec<u8> = bytes.iter().copied().filter(|byte| *byte >= 0x80).collect();
    let share = |range: std::ops::RangeInclusive<u8>| {
        high.iter().filter(|byte| range.contains(byte)).count() as f64 / high.len().max(1) as f64
    };
    let lower_cyrillic = share(0xe0..=0xff);
    if let Some(leads) = leads_of_pairs(bytes) {
        let share_of = |range: std::ops::RangeInclusive<u8>| {
            leads.iter().filter(|byte| range.contains(byte)).count() * 2 > leads.len()
        };
        return Some(match () {
            () if lower_cyrillic > 0.7 => "WINDOWS-1251",
            () if share_of(0x81..=0x84) => "SHIFT_JIS",
            () => "GBK",
        });
    }
    if lower_cyrillic > 0.7
        && high.windows(2).count() > 2
        && bytes.windows(3).any(|run| run.iter().all(|byte| *byte >= 0xc0))
    {
        return Some("WINDOWS-1251");
    }
    // A Western letter stands beside a plain one, as in "café".
    let beside = |pair: &[u8]| {
        (pair[0].is_ascii_alphabetic() && pair[1] >= 0xc0)
            || (pair[0] >= 0xc0 && pair[1].is_ascii_alphabetic())
    };
    bytes.windows(2).any(beside).then_some("WINDOWS-1252")
}

/// The first bytes of two-byte characters, if all bytes beyond ASCII are parts of such.
fn leads_of_pairs(bytes: &[u8]) -> Option<Vec<u8>> {
    let (mut leads, mut rest) = (Vec::new(), bytes);
    while let Some(start) = rest.iter().position(|byte| *byte >= 0x80) {
        let lead = rest[start];
        let trail = *rest.get(start + 1)?;
        let is_pair = (0x81..=0xfe).contains(&lead) && matches!(trail, 0x40..=0x7e | 0x80..=0xfe);
        // A plain letter after a single one: "café au lait", not a character of two bytes.
        if !is_pair || trail.is_ascii_alphabetic() && !(0x81..=0xa0).contains(&lead) {
            return None;
        }
        leads.push(lead);
        rest = &rest[start + 2..];
    }
    (!leads.is_empty()).then_some(leads)
}

/// The encoding of a text that is not UTF-8 as a whole: so many of its first lines are not that no single line is to blame.
pub(super) fn other_than_utf8(start: &[u8]) -> Option<&'static str> {
    let last = start.iter().rposition(|byte| *byte == b'\n').map_or(start, |end| &start[..end]);
    let lines: Vec<&[u8]> = last.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    let bad: Vec<&[u8]> = lines.iter().copied().filter(|line| std::str::from_utf8(line).is_err()).collect();
    let is_utf8 = |line: &&[u8]| !line.is_ascii() && std::str::from_utf8(line).is_ok();
    if bad.len() * 5 < lines.len() || bad.is_empty() || lines.iter().any(is_utf8) {
        return None;
    }
    guessed(&bad.join(&b'\n'))
}
