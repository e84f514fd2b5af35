//! What a reader sees of a variant over a channel: filled, cut, or refused because a value is missing.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use serde_json::Value;

use super::channel::ChannelSettings;
use super::content::{Content, Variant};
use super::nearest::nearest;
use super::payload::{LARGEST_PAYLOAD, PAYLOAD_FITS, is_push, payload_bytes};
use super::settings::DecisionSettings;
use super::template::{MissingValue, OWN_FIELDS, Template, field_of, is_visible, truncate};
use super::user::User;
use super::variant::Reader;

/// A variant as it is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// Headline; empty over a channel without titles.
    pub title: String,
    /// Text.
    pub body: String,
}

/// A content's variants as a reader would see them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Preview {
    /// The content.
    pub content_id: String,
    /// The reader; null: a reader of whom nothing is known.
    pub user_id: Option<String>,
    /// The language asked for, else the reader's.
    pub locale: Option<String>,
    /// The channel.
    pub channel: String,
    /// The variant that a decision outside of campaigns would send to this reader; null: none.
    pub variant_id: Option<String>,
    /// The rule that keeps every variant from this reader; absent when there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused_by: Option<&'static str>,
    /// All of them, as they were declared.
    // Programs know this key.
    #[serde(rename = "wordings")]
    pub variants: Vec<VariantPreview>,
}

/// One variant as a reader would see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VariantPreview {
    /// Its id within the content.
    pub variant_id: String,
    /// Language it is written in.
    pub locale: Option<String>,
    /// Is it the one that a decision would send?
    pub chosen: bool,
    /// Headline, as long as the channel shows it. Placeholders without a value stand as they were written.
    pub title: String,
    /// Text, in the same way.
    pub body: String,
    /// Is a part of the headline cut off?
    pub title_cut: bool,
    /// Is a part of the text cut off?
    pub body_cut: bool,
    /// It would not be sent: a value is missing, a placeholder is not valid, nothing can be seen, or the push is too large.
    pub refused: bool,
    /// Fields that have neither a value nor a default.
    pub missing: Vec<String>,
    /// What is wrong with placeholders, and where; also a text that is blank, and a push that is larger than push services accept.
    // Programs know this key.
    #[serde(rename = "faults")]
    pub errors: Vec<String>,
    /// Fields that no declared user has: everybody gets the default.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Bytes of its push's payload with these values, its texts uncut; absent over a channel without pushes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload_bytes: Option<usize>,
}

/// What a preview is told beside content and user.
#[derive(Clone, Copy, Debug, Default)]
pub struct PreviewFacts<'a> {
    /// Where a tap leads.
    pub deep_link: Option<&'a str>,
    /// Attributes that at least one declared user has; `None`: not looked up.
    pub declared_fields: Option<&'a BTreeSet<String>>,
}

/// The texts of a variant that a channel shows. Where a channel has no titles and the variant has nothing else, its title
/// is its text.
fn shown<'a, 'v>(
    variant: &'a Variant,
    channel: &ChannelSettings,
    value: &impl Fn(&str) -> Option<Cow<'v, str>>,
) -> (&'a str, &'a str) {
    let is_known = |field: &str| value(field).as_deref().is_some_and(is_visible);
    let body = Template::parse(&variant.body);
    match channel.title_length {
        0 if body.shows(is_known) || body.required().next().is_some() => ("", &variant.body),
        0 => ("", &variant.title),
        _ => (&variant.title, &variant.body),
    }
}

/// A variant as it is sent over a channel.
///
/// # Errors
/// The first field that has neither a value nor a default: such a variant is not sent.
pub fn render<'v>(
    variant: &Variant,
    channel: &ChannelSettings,
    value: impl Fn(&str) -> Option<Cow<'v, str>>,
) -> Result<Rendered, MissingValue> {
    let (title, body) = shown(variant, channel, &value);
    let (title, body) = (Template::parse(title).fill(&value)?, Template::parse(body).fill(&value)?);
    Ok(Rendered {
        title: truncate(&title, channel.title_length).into_owned(),
        body: truncate(&body, channel.body_length).into_owned(),
    })
}

/// All variants of a content over a channel, as a user with these attributes would see them.
///
/// The variant that is marked is the one of [`Reader::choice`], as in a decision without a campaign; among several that fit
/// equally, a campaign may draw another one.
pub fn preview(
    content: &Content,
    channel: (&str, &ChannelSettings),
    user: &User,
    attributes: &BTreeMap<String, Value>,
    settings: &DecisionSettings,
    facts: PreviewFacts<'_>,
) -> Preview {
    let (name, _) = channel;
    let reader = Reader::of(user, settings);
    let fitting = reader.fitting(content);
    let choice = reader.choice(&fitting, content, "");
    let value = |field: &str| field_of(user, attributes, field);
    let is_too_large = |choice: &Variant| {
        let filled = preview_of(choice, channel, &value, facts).payload_bytes;
        choice.oversize.is_some() || filled.is_some_and(|bytes| bytes > LARGEST_PAYLOAD)
    };
    let too_large = choice.is_some_and(|choice| is_push(name) && is_too_large(choice));
    let choice = choice.filter(|_| !too_large);
    let variant = |variant: &Variant| VariantPreview {
        chosen: choice.is_some_and(|choice| std::ptr::eq(choice, variant)),
        ..preview_of(variant, channel, &value, facts)
    };
    Preview {
        content_id: content.content_id.clone(),
        user_id: Some(user.user_id.clone()).filter(|id| !id.is_empty()),
        locale: user.locale.clone(),
        channel: name.to_string(),
        variant_id: choice.map(|variant| variant.variant_id.clone()),
        refused_by: if too_large { Some(PAYLOAD_FITS) } else { fitting.refused_by() },
        variants: content.variants.iter().map(variant).collect(),
    }
}

fn preview_of<'v>(
    variant: &Variant,
    (name, channel): (&str, &ChannelSettings),
    value: &impl Fn(&str) -> Option<Cow<'v, str>>,
    facts: PreviewFacts<'_>,
) -> VariantPreview {
    let (title, body) = shown(variant, channel, value);
    let (title_template, body_template) = (Template::parse(title), Template::parse(body));
    let (title, body) = (title_template.fill_known(value), body_template.fill_known(value));
    let (short_title, short_body) =
        (truncate(&title, channel.title_length), truncate(&body, channel.body_length));
    let templates = [("title", &title_template), ("body", &body_template)];
    let mut errors = errors_of(&templates);
    let payload_bytes = is_push(name).then(|| payload_bytes(&title, &body, facts.deep_link));
    errors.extend(payload_bytes.and_then(too_large));
    let is_blank = !is_visible(&title) && !is_visible(&body);
    errors.extend(
        is_blank.then(|| "title and body: nothing of them can be seen with these values".to_string()),
    );
    let missing = &title_template.missing(value) | &body_template.missing(value);
    VariantPreview {
        variant_id: variant.variant_id.clone(),
        locale: variant.locale.clone(),
        chosen: false,
        title_cut: short_title != title,
        body_cut: short_body != body,
        title: short_title.into_owned(),
        body: short_body.into_owned(),
        refused: !missing.is_empty() || !errors.is_empty(),
        missing: missing.into_iter().map(str::to_string).collect(),
        errors,
        warnings: facts
            .declared_fields
            .map(|declared| unknown_fields(&templates, declared).iter().map(ToString::to_string).collect())
            .unwrap_or_default(),
        payload_bytes,
    }
}

/// What is wrong with a payload of this size, if anything.
pub fn too_large(bytes: usize) -> Option<String> {
    let shorten = "shorten title, body or deep_link";
    (bytes > LARGEST_PAYLOAD)
        .then(|| format!("payload: {bytes} bytes, and push services accept {LARGEST_PAYLOAD}; {shorten}"))
}

/// A field of a text that no declared user has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownField {
    /// The part of the text.
    pub part: String,
    /// The field.
    pub field: String,
    /// The name that was probably meant.
    pub meant: Option<String>,
}

impl fmt::Display for UnknownField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: no declared user has {:?}", self.part, self.field)?;
        self.meant.iter().try_for_each(|name| write!(f, "; did you mean {name:?}?"))
    }
}

/// Fields of the parts of a text that no declared user has.
pub fn unknown_fields(parts: &[(&str, &Template<'_>)], declared: &BTreeSet<String>) -> Vec<UnknownField> {
    let is_known = |field: &str| OWN_FIELDS.contains(&field) || declared.contains(field);
    let names = || OWN_FIELDS.into_iter().chain(declared.iter().map(String::as_str));
    let unknown = |part: &str, field: &str| {
        let meant = nearest(field, names()).map(str::to_string);
        UnknownField { part: part.to_string(), field: field.to_string(), meant }
    };
    let fields = parts
        .iter()
        .flat_map(|(part, template)| template.fields().into_iter().map(move |field| (*part, field)));
    fields.filter(|(_, field)| !is_known(field)).map(|(part, field)| unknown(part, field)).collect()
}

/// What is wrong with the placeholders of the parts of a text, and where.
pub fn errors_of(templates: &[(&str, &Template<'_>)]) -> Vec<String> {
    let errors = templates
        .iter()
        .flat_map(|(part, template)| template.errors().iter().map(move |error| (part, error)));
    errors.map(|(part, error)| format!("{part}, character {}: {}", error.position, error.what)).collect()
}
