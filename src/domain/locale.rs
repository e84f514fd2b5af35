//! Locales as texts: what may stand for one (RFC 4647, lookup), and when two are the same.

/// Parts of a locale that a fallback has at most; no language needs as many.
const MOST_PARTS: usize = 8;

/// A locale and what may stand for it, the nearest first: `zh-Hant-HK`, `zh-Hant`, `zh`.
///
/// Each is a beginning of the text as it was written, to be compared by [`is_same`]. An encoding (`de_DE.UTF-8`) does not
/// count, and no fallback ends in a single letter, which only announces what follows it. Of a text that has neither letter
/// nor digit nothing comes.
pub fn fallbacks(locale: &str) -> Vec<&str> {
    let whole = without_encoding(locale);
    if is_neutral(whole) {
        return Vec::new();
    }
    let beginnings = whole.match_indices(SEPARATORS).take(MOST_PARTS).map(|(end, _)| trimmed(&whole[..end]));
    let mut chain: Vec<&str> = beginnings.filter(|beginning| !ends_in_letter(beginning)).collect();
    chain.push(whole);
    chain.dedup();
    chain.reverse();
    chain
}

/// Locales differ neither by case nor by `_` for `-`, nor by how many of them stand between two parts.
pub fn is_same(one: &str, other: &str) -> bool {
    if begin_differently(one, other) {
        return false;
    }
    let (mut ones, mut others) = (parts(without_encoding(one)), parts(without_encoding(other)));
    loop {
        match (ones.next(), others.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if a.eq_ignore_ascii_case(b) => {}
            _ => return false,
        }
    }
}

/// Does the text name no language at all?
pub fn is_neutral(locale: &str) -> bool {
    let begins_plainly = locale.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric());
    !begins_plainly && parts(without_encoding(locale)).next().is_none()
}

/// Most comparisons end at the first letter; every content's variants are compared in every decision.
fn begin_differently(one: &str, other: &str) -> bool {
    match (one.bytes().next(), other.bytes().next()) {
        (Some(a), Some(b)) if a.is_ascii_alphanumeric() && b.is_ascii_alphanumeric() => {
            !a.eq_ignore_ascii_case(&b)
        }
        _ => false,
    }
}

const SEPARATORS: [char; 2] = ['-', '_'];

/// The parts of a locale that say something.
fn parts(locale: &str) -> impl Iterator<Item = &str> {
    locale.split(SEPARATORS).map(str::trim).filter(|part| !part.is_empty())
}

/// A part of one letter, which announces another: the `x` of `zh-x-mine`, the `i` of `i-klingon`.
fn ends_in_letter(locale: &str) -> bool {
    locale.rsplit(SEPARATORS).next().is_some_and(|last| last.trim().len() <= 1)
}

/// `de_DE.UTF-8@euro` is `de_DE`.
fn without_encoding(locale: &str) -> &str {
    trimmed(locale.split(['.', '@']).next().unwrap_or_default())
}

/// Blanks and separators at either end are nothing.
fn trimmed(locale: &str) -> &str {
    locale.trim_matches(|c: char| c.is_whitespace() || SEPARATORS.contains(&c))
}
