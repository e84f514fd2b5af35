//! The words of the language, what may be a name beside them, and the nearest of several names.

pub use domain::nearest::nearest;

/// Words that mean something by themselves, in any mixture of cases; no field is called so.
pub const RESERVED: [&str; 15] = [
    "ago",
    "all",
    "and",
    "any",
    "between",
    "contains",
    "everybody",
    "false",
    "in",
    "is",
    "known",
    "not",
    "or",
    "true",
    "unknown",
];

/// Longest name of a field in bytes.
pub const LONGEST_NAME: usize = 64;

/// Is this a name that may stand in text without quotes?
pub fn is_field_name(name: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    name.len() <= LONGEST_NAME
        && name.bytes().next().is_some_and(is_letter)
        && name.bytes().all(|byte| is_letter(byte) || byte.is_ascii_digit())
        && !is_reserved(name)
}

/// Is this a word of the language?
pub fn is_reserved(name: &str) -> bool {
    RESERVED.iter().any(|word| word.eq_ignore_ascii_case(name))
}
