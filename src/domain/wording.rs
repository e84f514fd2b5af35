//! What a reader sees of a wording over a channel: filled, cut, or refused for want of a value.

use std::borrow::Cow;

use serde::Serialize;

use super::channel::ChannelSettings;
use super::content::{Content, Variant};
use super::locale::best_for;
use super::template::{MissingValue, Template, truncate};

/// A wording as it is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// Headline; empty over a channel without titles.
    pub title: String,
    /// Text.
    pub body: String,
}

/// A content's wordings as somebody would see them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Preview {
    /// The content.
    pub content_id: String,
    /// The reader; null: somebody of whom nothing is known.
    pub user_id: Option<String>,
    /// The language asked for, else the reader's.
    pub locale: Option<String>,
    /// The channel.
    pub channel: String,
    /// The wording that this language gets; null when there is none.
    pub variant_id: Option<String>,
    /// All of them, as they were declared.
    pub wordings: Vec<WordingPreview>,
}

/// One wording as somebody would see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WordingPreview {
    /// Its id within the content.
    pub variant_id: String,
    /// Language it is written in.
    pub locale: Option<String>,
    /// Is it the one that this language gets?
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
    pub faults: Vec<String>,
}

/// The texts of a wording that a channel shows. Where a channel has no titles and the wording has nothing else, its title
/// is its text.
fn shown<'a>(variant: &'a Variant, channel: &ChannelSettings) -> (&'a str, &'a str) {
    match (channel.title_length, variant.body.trim()) {
        (0, "") => ("", &variant.title),
        (0, _) => ("", &variant.body),
        _ => (&variant.title, &variant.body),
    }
}

/// A wording as it is sent over a channel.
///
/// # Errors
/// The first field that has neither a value nor a default: such a wording is not sent.
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

/// All wordings of a content over a channel, for a reader of whom `value` knows what can be known.
pub fn preview<'v>(
    content: &Content,
    locale: Option<&str>,
    channel: (&str, &ChannelSettings),
    user_id: Option<&str>,
    value: impl Fn(&str) -> Option<Cow<'v, str>>,
) -> Preview {
    let (name, settings) = channel;
    let chosen = best_for(&content.variants, |variant| variant.locale.as_deref(), locale);
    let wording = |variant: &Variant| WordingPreview {
        chosen: chosen.is_some_and(|chosen| std::ptr::eq(chosen, variant)),
        ..preview_of(variant, settings, &value)
    };
    Preview {
        content_id: content.content_id.clone(),
        user_id: user_id.map(str::to_string),
        locale: locale.map(str::to_string),
        channel: name.to_string(),
        variant_id: chosen.map(|variant| variant.variant_id.clone()),
        wordings: content.variants.iter().map(wording).collect(),
    }
}

fn preview_of<'v>(
    variant: &Variant,
    channel: &ChannelSettings,
    value: &impl Fn(&str) -> Option<Cow<'v, str>>,
) -> WordingPreview {
    let (title, body) = shown(variant, channel);
    let (title_template, body_template) = (Template::parse(title), Template::parse(body));
    let (title, body) = (title_template.fill_known(value), body_template.fill_known(value));
    let (short_title, short_body) =
        (truncate(&title, channel.title_length), truncate(&body, channel.body_length));
    let faults = faults_of(&[("title", &title_template), ("body", &body_template)]);
    let missing = &title_template.missing(value) | &body_template.missing(value);
    WordingPreview {
        variant_id: variant.variant_id.clone(),
        locale: variant.locale.clone(),
        chosen: false,
        title_cut: short_title != title,
        body_cut: short_body != body,
        title: short_title.into_owned(),
        body: short_body.into_owned(),
        refused: !missing.is_empty() || !faults.is_empty(),
        missing: missing.into_iter().map(str::to_string).collect(),
        faults,
    }
}

fn faults_of(templates: &[(&str, &Template<'_>)]) -> Vec<String> {
    let faults = templates
        .iter()
        .flat_map(|(part, template)| template.faults().iter().map(move |fault| (part, fault)));
    faults.map(|(part, fault)| format!("{part}, character {}: {}", fault.position, fault.what)).collect()
}
