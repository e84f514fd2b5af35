//! Which wording speaks a reader's language: zh-Hant-HK, else zh-Hant, else zh (RFC 4647, lookup).

/// Parts of a locale that a fallback has at most; no language needs as many.
const MOST_PARTS: usize = 8;

/// A locale and what may stand for it, the nearest first: `zh-Hant-HK`, `zh-Hant`, `zh`.
///
/// Each is a beginning of the text as it was written, to be compared by [`is_same`]. An encoding (`de_DE.UTF-8`) does not
/// count, and no fallback ends in a single letter, which only announces what follows it. Of a text that has neither letter
/// nor digit nothing comes.
pub fn fallbacks(locale: &str) -> Vec<&str> {
    let whole = without_encoding(locale);
    if parts(whole).next().is_none() {
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
    let (mut ones, mut others) = (parts(without_encoding(one)), parts(without_encoding(other)));
    loop {
        match (ones.next(), others.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if a.eq_ignore_ascii_case(b) => {}
            _ => return false,
        }
    }
}

/// Of several, the one that speaks a locale best: that of the nearest fallback, else the first that names no locale, else
/// the first.
pub fn best_for<'a, T>(
    several: &'a [T],
    locale_of: impl Fn(&T) -> Option<&str>,
    wanted: Option<&str>,
) -> Option<&'a T> {
    let speaks =
        |fallback: &str| several.iter().find(|one| locale_of(one).is_some_and(|own| is_same(own, fallback)));
    let is_neutral = |one: &&T| locale_of(one).is_none_or(|own| fallbacks(own).is_empty());
    let chain = wanted.map(fallbacks).unwrap_or_default();
    chain.into_iter().find_map(speaks).or_else(|| several.iter().find(is_neutral)).or(several.first())
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
