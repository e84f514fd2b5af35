//! The wording of a content that fits the user's language best.

use crate::domain::content::{Content, Variant};

/// zh-Hant-HK → zh-Hant → zh → the first wording without a locale → the first; `None` for a content without wordings.
pub(super) fn variant_for<'a>(content: &'a Content, locale: Option<&str>) -> Option<&'a Variant> {
    let mut wanted = locale;
    while let Some(locale) = wanted.filter(|locale| !locale.is_empty()) {
        let fits = |variant: &&Variant| variant.locale.as_deref().is_some_and(|own| is_same(own, locale));
        if let Some(variant) = content.variants.iter().find(fits) {
            return Some(variant);
        }
        wanted = locale.rfind(['-', '_']).map(|end| &locale[..end]);
    }
    let neutral = |variant: &&Variant| variant.locale.as_deref().is_none_or(str::is_empty);
    content.variants.iter().find(neutral).or(content.variants.first())
}

/// Locales differ neither by case nor by `_` for `-`.
fn is_same(one: &str, other: &str) -> bool {
    let plain = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    one.len() == other.len() && one.bytes().zip(other.bytes()).all(|(a, b)| plain(a) == plain(b))
}
