//! Which variant of a content a reader gets: the one selector. Decisions, previews and explanations ask it.

use super::content::{Content, Variant};
use super::draw::draw;
use super::locale::{fallbacks, is_neutral, is_same};
use super::payload::{LARGEST_PAYLOAD, text_bytes};
use super::settings::DecisionSettings;
use super::template::{Template, is_known, is_visible, value_bytes};
use super::user::User;

/// Purpose of the draw among variants that fit equally. It keeps the word that variants were once called: another purpose
/// would give users other variants than they were sent, and no logged decision could be made again.
const PURPOSE: &str = "wording";

/// The rule that refuses a content that was never declared: there is no text to send.
pub const IS_DECLARED: &str = "is_declared";
/// The rule that refuses a content of which a stored field cannot be read.
pub const CONTENT_IS_READABLE: &str = "content_is_readable";
/// The rule that refuses a content without a variant, or without one in a language of the reader's.
pub const HAS_VARIANT: &str = "has_variant";
/// The rule that refuses a content whose variants all need a field that is not known of the reader.
pub const HAS_TEMPLATE_VALUES: &str = "has_template_values";
/// The rule that refuses a content of whose variants a reader would see nothing.
pub const HAS_VISIBLE_TEXT: &str = "has_visible_text";

/// The variants of a content that a reader may get.
#[derive(Clone, Debug, PartialEq)]
pub enum Fitting<'a> {
    /// A field of the content cannot be read, so that none may be sent.
    Unreadable,
    /// The content was never declared.
    Undeclared,
    /// The content has none: neither title nor variants.
    NoneDeclared,
    /// These, all of one language; each is as good as the next.
    These(Vec<&'a Variant>),
    /// None is in a language of the reader's.
    NoneInLanguage,
    /// Each of those in the reader's language needs a field that is not known of the reader.
    NoneFillable,
    /// Those in the reader's language that can be filled would be blank.
    NoneVisible,
}

impl<'a> Fitting<'a> {
    /// The variants that may be sent.
    pub fn variants(&self) -> &[&'a Variant] {
        match self {
            Fitting::These(variants) => variants,
            Fitting::Unreadable
            | Fitting::Undeclared
            | Fitting::NoneDeclared
            | Fitting::NoneInLanguage
            | Fitting::NoneFillable
            | Fitting::NoneVisible => &[],
        }
    }

    /// The rule that refuses the content, if one of these does.
    pub fn refused_by(&self) -> Option<&'static str> {
        match self {
            Fitting::These(_) => None,
            Fitting::Unreadable => Some(CONTENT_IS_READABLE),
            Fitting::Undeclared => Some(IS_DECLARED),
            Fitting::NoneDeclared | Fitting::NoneInLanguage => Some(HAS_VARIANT),
            Fitting::NoneFillable => Some(HAS_TEMPLATE_VALUES),
            Fitting::NoneVisible => Some(HAS_VISIBLE_TEXT),
        }
    }
}

/// A reader of contents: what is known of the user, and which languages to look for, the best first.
pub struct Reader<'a> {
    user: &'a User,
    levels: Vec<Level<'a>>,
    seed: u64,
    /// May they get a text of which they see nothing?
    takes_blank: bool,
}

/// One step of the search.
enum Level<'a> {
    /// Variants in this language.
    Locale(&'a str),
    /// Variants that name no language.
    Neutral,
    /// Every variant.
    Any,
}

impl<'a> Reader<'a> {
    /// A user under the settings of decisions.
    pub fn of(user: &'a User, settings: &'a DecisionSettings) -> Reader<'a> {
        Reader::new(user, &settings.default_locale, settings.seed)
    }

    /// A user; `default_locale` is the language of those whose own has no variant, `seed` that of draws.
    ///
    /// The search goes zh-Hant-HK → zh-Hant → zh → variants without a language → the default locale and its fallbacks. A
    /// user whose language is unknown may get any variant after that.
    pub fn new(user: &'a User, default_locale: &'a str, seed: u64) -> Reader<'a> {
        let own = user.locale.as_deref().map(fallbacks).unwrap_or_default();
        let last = own.is_empty().then_some(Level::Any);
        let default = fallbacks(default_locale).into_iter().map(Level::Locale);
        let levels = own.into_iter().map(Level::Locale).chain([Level::Neutral]).chain(default).chain(last);
        Reader { user, levels: levels.collect(), seed, takes_blank: false }
    }

    /// The same reader, who may get blank texts as well, as in decisions of old.
    pub fn also_blank(self, takes_blank: bool) -> Reader<'a> {
        Reader { takes_blank, ..self }
    }

    /// The variants of the first level that has one which can be filled in.
    pub fn fitting<'c>(&self, content: &'c Content) -> Fitting<'c> {
        if !content.unreadable.is_empty() {
            return Fitting::Unreadable;
        }
        if content.undeclared.is_some() {
            return Fitting::Undeclared;
        }
        if content.variants.is_empty() {
            return Fitting::NoneDeclared;
        }
        let (mut is_any_in_language, mut is_any_filled) = (false, false);
        for level in &self.levels {
            let of_level = content.variants.iter().filter(|variant| level.takes(variant.locale.as_deref()));
            let mut of_level = of_level.peekable();
            is_any_in_language |= of_level.peek().is_some();
            let mut fillable: Vec<&Variant> = of_level.filter(|variant| self.can_fill(variant)).collect();
            is_any_filled |= !fillable.is_empty();
            fillable.retain(|variant| self.takes_blank || self.sees(variant));
            if !fillable.is_empty() {
                return Fitting::These(fillable);
            }
        }
        match (is_any_in_language, is_any_filled) {
            (_, true) => Fitting::NoneVisible,
            (true, false) => Fitting::NoneFillable,
            (false, false) => Fitting::NoneInLanguage,
        }
    }

    /// The one of several that fit equally which the reader gets of a content in a campaign (`""`: in none).
    ///
    /// Drawn by hash: readers share the variants evenly, and each always gets the same one.
    pub fn choice<'c>(
        &self,
        fitting: &Fitting<'c>,
        content: &Content,
        campaign_id: &str,
    ) -> Option<&'c Variant> {
        let variants = fitting.variants();
        let names = [campaign_id.as_bytes(), self.user.user_id.as_bytes(), content.content_id.as_bytes()];
        let number = draw(self.seed, PURPOSE, &names) % (variants.len() as u64).max(1);
        variants.get(number as usize).copied()
    }

    /// Is every field known of the reader that the variant cannot do without?
    fn can_fill(&self, variant: &Variant) -> bool {
        variant.needs.iter().all(|field| is_known(self.user, field))
    }

    /// Would the reader see anything of the variant?
    fn sees(&self, variant: &Variant) -> bool {
        let shows = |text: &str| {
            let before = text.split("{{").next().unwrap_or_default();
            is_visible(before) || Template::parse(text).shows(|field| is_known(self.user, field))
        };
        shows(&variant.title) || shows(&variant.body)
    }
}

/// Bytes of the push's payload that a user would get, when they are more than push services accept.
pub fn too_many_bytes(variant: &Variant, user: &User) -> Option<usize> {
    let filled = variant.unfilled.map(|unfilled| {
        let texts = [variant.title.as_str(), variant.body.as_str()];
        let filled = |text| Template::parse(text).filled_bytes(|field| value_bytes(user, field));
        let written: usize = texts.map(text_bytes).iter().sum();
        unfilled.saturating_sub(written) + texts.map(filled).iter().sum::<usize>()
    });
    filled.filter(|bytes| *bytes > LARGEST_PAYLOAD).or(variant.oversize)
}

impl Level<'_> {
    fn takes(&self, locale: Option<&str>) -> bool {
        let locale = locale.filter(|locale| !is_neutral(locale));
        match (self, locale) {
            (Level::Any, _) | (Level::Neutral, None) => true,
            (Level::Locale(wanted), Some(own)) => is_same(own, wanted),
            (Level::Neutral, Some(_)) | (Level::Locale(_), None) => false,
        }
    }
}
