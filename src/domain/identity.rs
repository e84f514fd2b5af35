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

/// sha256.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Lower-case hexadecimal sha256.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&sha256(bytes))
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
