//! What a reader sees of a variant over a channel: filled, cut, or refused because a value is missing.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::channel::ChannelSettings;
use super::content::{Content, Variant};
use super::settings::DecisionSettings;
use super::template::{MissingValue, Template, field_of, truncate};
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
    /// It would not be sent: a value is missing, or a placeholder cannot be meant so.
    pub refused: bool,
    /// Fields that have neither a value nor a default.
    pub missing: Vec<String>,
    /// What is wrong with placeholders, and where.
    // Programs know this key.
    #[serde(rename = "faults")]
    pub errors: Vec<String>,
}

/// The texts of a variant that a channel shows. Where a channel has no titles and the variant has nothing else, its title
/// is its text.
fn shown<'a>(variant: &'a Variant, channel: &ChannelSettings) -> (&'a str, &'a str) {
    match (channel.title_length, variant.body.trim()) {
        (0, "") => ("", &variant.title),
        (0, _) => ("", &variant.body),
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
    let (title, body) = shown(variant, channel);
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
) -> Preview {
    let (name, shown) = channel;
    let reader = Reader::of(user, settings);
    let fitting = reader.fitting(content);
    let choice = reader.choice(&fitting, content, "");
    let value = |field: &str| field_of(user, attributes, field);
    let variant = |variant: &Variant| VariantPreview {
        chosen: choice.is_some_and(|choice| std::ptr::eq(choice, variant)),
        ..preview_of(variant, shown, &value)
    };
    Preview {
        content_id: content.content_id.clone(),
        user_id: Some(user.user_id.clone()).filter(|id| !id.is_empty()),
        locale: user.locale.clone(),
        channel: name.to_string(),
        variant_id: choice.map(|variant| variant.variant_id.clone()),
        refused_by: fitting.refused_by(),
        variants: content.variants.iter().map(variant).collect(),
    }
}

fn preview_of<'v>(
    variant: &Variant,
    channel: &ChannelSettings,
    value: &impl Fn(&str) -> Option<Cow<'v, str>>,
) -> VariantPreview {
    let (title, body) = shown(variant, channel);
    let (title_template, body_template) = (Template::parse(title), Template::parse(body));
    let (title, body) = (title_template.fill_known(value), body_template.fill_known(value));
    let (short_title, short_body) =
        (truncate(&title, channel.title_length), truncate(&body, channel.body_length));
    let errors = errors_of(&[("title", &title_template), ("body", &body_template)]);
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
    }
}

fn errors_of(templates: &[(&str, &Template<'_>)]) -> Vec<String> {
    let errors = templates
        .iter()
        .flat_map(|(part, template)| template.errors().iter().map(move |error| (part, error)));
    errors.map(|(part, error)| format!("{part}, character {}: {}", error.position, error.what)).collect()
}
