//! The wording of a content that fits the user's language best, and that can be filled in for him.

use super::draw::draw;
use domain::content::{Content, Variant};
use domain::settings::DecisionSettings;
use domain::user::User;

/// The wordings of a content that a user may get.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Wordings<'a> {
    /// The content has none: only events know it.
    Unknown,
    /// These, all of one language; each is as good as the next.
    Fitting(Vec<&'a Variant>),
    /// He would not understand any of them.
    NoneInHisLanguage,
    /// Each needs something of him that nobody knows.
    NoneThatCanBeFilled,
}

impl<'a> Wordings<'a> {
    /// The wordings of the first level that has one which can be filled in.
    pub(super) fn of(content: &'a Content, user: &User, levels: &[Level<'_>]) -> Wordings<'a> {
        if content.variants.is_empty() {
            return Wordings::Unknown;
        }
        let mut is_any_in_his_language = false;
        for level in levels {
            let of_level = content.variants.iter().filter(|variant| level.takes(variant.locale.as_deref()));
            let mut of_level = of_level.peekable();
            is_any_in_his_language |= of_level.peek().is_some();
            let fitting: Vec<&Variant> = of_level.filter(|variant| can_be_filled(variant, user)).collect();
            if !fitting.is_empty() {
                return Wordings::Fitting(fitting);
            }
        }
        match is_any_in_his_language {
            true => Wordings::NoneThatCanBeFilled,
            false => Wordings::NoneInHisLanguage,
        }
    }

    /// Those that may be sent.
    pub(super) fn fitting(&self) -> &[&'a Variant] {
        match self {
            Wordings::Fitting(fitting) => fitting,
            _ => &[],
        }
    }

    /// One of them, by hash: among equals each user has his own, and the same each time he is asked for.
    pub(super) fn drawn(&self, settings: &DecisionSettings, names: &[&[u8]]) -> Option<&'a Variant> {
        let fitting = self.fitting();
        let number = draw(settings.seed, "wording", names) % (fitting.len() as u64).max(1);
        fitting.get(number as usize).copied()
    }
}

/// One step of the search for a wording.
pub(super) enum Level<'a> {
    Locale(&'a str),
    Neutral,
    Any,
}

impl Level<'_> {
    fn takes(&self, own: Option<&str>) -> bool {
        match (self, own.filter(|own| !own.is_empty())) {
            (Level::Any, _) | (Level::Neutral, None) => true,
            (Level::Locale(wanted), Some(own)) => is_same(own, wanted),
            _ => false,
        }
    }
}

/// zh-Hant-HK → zh-Hant → zh → without a locale → the default locale, each as far as it can be filled in.
///
/// Somebody whose language nobody knows may get any.
pub(super) fn levels<'a>(locale: Option<&'a str>, default_locale: &'a str) -> Vec<Level<'a>> {
    let locale = locale.filter(|locale| !locale.is_empty());
    let mut levels: Vec<Level> = locale.map(fallbacks).unwrap_or_default();
    levels.push(Level::Neutral);
    levels.extend(fallbacks(default_locale));
    if locale.is_none() {
        levels.push(Level::Any);
    }
    levels
}

/// A locale and those it is a part of: zh-Hant-HK, zh-Hant, zh.
fn fallbacks<'a>(locale: &'a str) -> Vec<Level<'a>> {
    let shorter = |locale: &&'a str| {
        let whole: &'a str = locale;
        whole.rfind(['-', '_']).map(|end| &whole[..end])
    };
    let chain = std::iter::successors(Some(locale), shorter).filter(|locale| !locale.is_empty());
    chain.take(8).map(Level::Locale).collect()
}

/// Is every field that the wording cannot do without known of the user?
fn can_be_filled(variant: &Variant, user: &User) -> bool {
    let is_known = |field: &str| match field {
        "user_id" => true,
        "locale" => user.locale.is_some(),
        "country" => user.country.is_some(),
        "time_zone" => user.time_zone.is_some(),
        other => user.fields.binary_search_by(|known| known.as_str().cmp(other)).is_ok(),
    };
    variant.needs.iter().all(|field| is_known(field))
}

/// The wording that a reader of a locale would see, whoever he is.
pub(super) fn variant_for<'a>(
    content: &'a Content,
    user: &User,
    default_locale: &str,
) -> Option<&'a Variant> {
    let levels = levels(user.locale.as_deref(), default_locale);
    Wordings::of(content, user, &levels).fitting().first().copied().or(content.variants.first())
}

/// Locales differ neither by case nor by `_` for `-`.
fn is_same(one: &str, other: &str) -> bool {
    let plain = |byte: u8| if byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    one.len() == other.len() && one.bytes().zip(other.bytes()).all(|(a, b)| plain(a) == plain(b))
}
