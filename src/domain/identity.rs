//! What may serve as an identifier, and the stable hashes that name records and files.

use sha2::{Digest, Sha256};

/// Longest identifier in bytes.
pub const LONGEST_ID: usize = 128;

/// What messages say of a text that is no identifier.
pub const NOT_AN_ID: &str = "is not 1 to 128 bytes of text without control characters";
const _: () = assert!(LONGEST_ID == 128, "NOT_AN_ID names the limit");

/// Is this an identifier: 1 to [`LONGEST_ID`] bytes of text without control characters?
pub fn is_valid_id(id: &str) -> bool {
    let is_plain = id.bytes().all(|byte| (0x20..0x7f).contains(&byte));
    !id.is_empty() && id.len() <= LONGEST_ID && (is_plain || !id.chars().any(char::is_control))
}

/// Whole numbers of this size and beyond may stand for another number in an f64: 2^53 and 2^53 + 1 are the same one.
const FIRST_INEXACT_WHOLE: f64 = (1_u64 << 53) as f64;

/// The whole number that an f64 is, if it is exactly one: without a fraction and within ±(2^53 − 1).
///
/// Larger ones are refused, not rounded: an identifier that a file's writer has rounded names another user.
pub fn whole_number(number: f64) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < FIRST_INEXACT_WHOLE).then_some(number as i64)
}

/// Whole numbers of this size and beyond may stand for another number in an f32.
const FIRST_INEXACT_SINGLE: f32 = (1_u32 << 24) as f32;

/// The same as [`whole_number`] for an f32: within ±(2^24 − 1).
pub fn whole_single(number: f32) -> Option<i64> {
    (number.fract() == 0.0 && number.abs() < FIRST_INEXACT_SINGLE).then_some(number as i64)
}

/// sha256.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Lower-case hexadecimal sha256.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&sha256(bytes))
}

/// The sha256 of bytes that come piece by piece and need not be in memory together.
#[derive(Clone, Debug, Default)]
pub struct Sha256Stream(Sha256);

impl Sha256Stream {
    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Lower-case hexadecimal sha256 of all bytes taken, as [`sha256_hex`] of them side by side.
    pub fn finish(self) -> String {
        hex(&self.0.finalize())
    }
}

/// Lower-case hexadecimal text of some bytes.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A 128-bit key of an identifier: equal text, equal key, on every build and platform (XXH3).
pub fn key_of(id: &str) -> u128 {
    xxhash_rust::xxh3::xxh3_128(id.as_bytes())
}

/// A 64-bit hash of a record's canonical bytes (XXH3).
pub fn hash_of(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(bytes)
}
