//! Texts with `{{field|default}}`: what is asked for, what a reader sees, and where it is cut.
//!
//! A text is written by one person and filled with what another one said of himself, so a value is plain text: it is
//! not read as a template again, and neither control characters nor marks that turn the direction of writing pass.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use unicode_segmentation::UnicodeSegmentation;

use super::error::{Coded, ErrorKind};
use super::payload::text_bytes;
use super::placeholder::{Mark, PlaceholderError, first_mark, read};
use super::user::User;

/// What stands at the end of a text that was cut.
const ELLIPSIS: &str = "…";

/// A text, read for its placeholders.
///
/// `{{field}}` asks for a value, `{{field|default}}` has one for those of whom none is known; blanks around either do not
/// count, and `{{field | default: "x"}}` means the same. Marks of other template languages, and braces that nothing opens or
/// closes, are errors: a text that has any is never sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template<'a> {
    parts: Vec<TemplatePart<'a>>,
    errors: Vec<TemplateError>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum TemplatePart<'a> {
    Text(&'a str),
    Field {
        name: &'a str,
        default: Option<&'a str>,
        written: &'a str,
    },
    /// A placeholder that is not valid; nothing fills it.
    Invalid(&'a str),
}

/// A placeholder that is not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad_template: character {position}: {what}")]
pub struct TemplateError {
    /// Its first brace, counted in characters (Unicode scalar values) from 1.
    pub position: usize,
    /// What is wrong.
    pub what: PlaceholderError,
}

impl Coded for TemplateError {
    fn code(&self) -> &'static str {
        "bad_template"
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::Caller
    }
}

/// A field without a default, of which no value is known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("missing_value: {field:?} is not known and has no default")]
pub struct MissingValue {
    /// The field's name; an invalid placeholder as it was written.
    pub field: String,
}

impl Coded for MissingValue {
    fn code(&self) -> &'static str {
        "missing_value"
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::Caller
    }
}

impl<'a> Template<'a> {
    /// Reads a text; every text can be read.
    pub fn parse(text: &'a str) -> Template<'a> {
        let (mut parts, mut errors) = (Vec::new(), Vec::new());
        let (mut rest, mut position, mut closed) = (text, 1, false);
        while let Some((start, mark)) = first_mark(rest, closed) {
            let (before, marked) = rest.split_at(start);
            position += before.chars().count();
            if !before.is_empty() {
                parts.push(TemplatePart::Text(before));
            }
            let (part, error) = TemplatePart::of(marked, &mark);
            errors.extend(error.map(|what| TemplateError { position, what }));
            position += part.written().chars().count();
            rest = &marked[part.written().len()..];
            closed = matches!(part, TemplatePart::Field { .. });
            parts.push(part);
        }
        if !rest.is_empty() {
            parts.push(TemplatePart::Text(rest));
        }
        Template { parts, errors }
    }

    /// Placeholders that are not valid, in the order of the text. A text that has any is never filled.
    pub fn errors(&self) -> &[TemplateError] {
        &self.errors
    }

    /// Fields without a default, each once, sorted. An invalid placeholder is among them as it was written: no user has that.
    pub fn required(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let name = |part: &TemplatePart<'a>| match part {
            TemplatePart::Field { name, default: None, .. } => Some(*name),
            TemplatePart::Invalid(written) => Some(*written),
            _ => None,
        };
        self.parts.iter().filter_map(name).collect::<BTreeSet<_>>().into_iter()
    }

    /// All fields with or without a default, each once, sorted.
    pub fn fields(&self) -> BTreeSet<&'a str> {
        let name = |part: &TemplatePart<'a>| match part {
            TemplatePart::Field { name, .. } => Some(*name),
            TemplatePart::Text(_) | TemplatePart::Invalid(_) => None,
        };
        self.parts.iter().filter_map(name).collect()
    }

    /// Fields that have neither a value nor a default, each once, sorted; invalid placeholders are not among them.
    pub fn missing<'v>(&self, value: impl Fn(&str) -> Option<Cow<'v, str>>) -> BTreeSet<&'a str> {
        let is_known = |name: &str| value(name).as_deref().is_some_and(is_visible);
        let name = |part: &TemplatePart<'a>| match part {
            TemplatePart::Field { name, default: None, .. } if !is_known(name) => Some(*name),
            _ => None,
        };
        self.parts.iter().filter_map(name).collect()
    }

    /// The text with values, or defaults where there is none. A value of blanks alone is none.
    ///
    /// # Errors
    /// The first field that has neither.
    pub fn fill<'v>(&self, value: impl Fn(&str) -> Option<Cow<'v, str>>) -> Result<String, MissingValue> {
        let mut text = String::new();
        for part in &self.parts {
            part.write(&mut text, &value).map_err(|field| MissingValue { field: field.to_string() })?;
        }
        Ok(text)
    }

    /// Would a reader see anything of it? `is_known` says which fields have a value; others show their default.
    pub fn shows(&self, is_known: impl Fn(&str) -> bool) -> bool {
        self.parts.iter().any(|part| match *part {
            TemplatePart::Text(own) | TemplatePart::Invalid(own) => is_visible(own),
            TemplatePart::Field { name, default, .. } => is_known(name) || default.is_some_and(is_visible),
        })
    }

    /// Bytes of the text in a payload, filled with values of so many bytes; others show their default.
    pub fn filled_bytes(&self, value_bytes: impl Fn(&str) -> Option<usize>) -> usize {
        let part_bytes = |part: &TemplatePart<'_>| match *part {
            TemplatePart::Text(own) | TemplatePart::Invalid(own) => text_bytes(own),
            TemplatePart::Field { name, default, written } => {
                value_bytes(name).unwrap_or_else(|| text_bytes(default.unwrap_or(written)))
            }
        };
        self.parts.iter().map(part_bytes).sum()
    }

    /// As [`Template::fill`] does, but a placeholder that cannot be filled stays as it was written: a draft, for its author.
    pub fn fill_known<'v>(&self, value: impl Fn(&str) -> Option<Cow<'v, str>>) -> String {
        let mut text = String::new();
        for part in &self.parts {
            if part.write(&mut text, &value).is_err() {
                text.push_str(part.written());
            }
        }
        text
    }
}

impl<'a> TemplatePart<'a> {
    /// The part that a mark at the beginning of a text makes, and what is wrong with it.
    fn of(text: &'a str, mark: &Mark) -> (TemplatePart<'a>, Option<PlaceholderError>) {
        match *mark {
            Mark::Invalid(length, what) => (TemplatePart::Invalid(&text[..length]), Some(what)),
            Mark::Placeholder(length) => match read(&text[2..length - 2]) {
                Ok((name, default)) => {
                    (TemplatePart::Field { name, default, written: &text[..length] }, None)
                }
                Err(what) => {
                    // The third brace of `{{{field}}}` belongs to it.
                    let braces = text[length..].len() - text[length..].trim_start_matches('}').len();
                    (TemplatePart::Invalid(&text[..length + braces]), Some(what))
                }
            },
        }
    }

    /// Appends what a reader sees; `Err` with the field that has no value.
    fn write<'v>(
        &self,
        text: &mut String,
        value: &impl Fn(&str) -> Option<Cow<'v, str>>,
    ) -> Result<(), &'a str> {
        match *self {
            TemplatePart::Text(own) => text.push_str(own),
            TemplatePart::Invalid(written) => return Err(written),
            TemplatePart::Field { name, default, .. } => {
                match (value(name).as_deref().and_then(plain), default) {
                    (Some(value), _) => text.push_str(&value),
                    (None, Some(default)) => text.push_str(default),
                    (None, None) => return Err(name),
                }
            }
        }
        Ok(())
    }

    fn written(&self) -> &'a str {
        match *self {
            TemplatePart::Text(written)
            | TemplatePart::Field { written, .. }
            | TemplatePart::Invalid(written) => written,
        }
    }
}

/// Would a reader see anything of a text? Of blanks, characters without width and characters without ink nobody does.
pub fn is_visible(text: &str) -> bool {
    !text.chars().all(is_unseen)
}

fn is_unseen(c: char) -> bool {
    c.is_whitespace()
        || is_control(c)
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}')
        || matches!(c, '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{2800}')
        || matches!(c, '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

/// A value as it may stand in a text; `None` when nothing of it can be seen.
fn plain(value: &str) -> Option<String> {
    let text: String = value.chars().map(|c| if is_control(c) { ' ' } else { c }).collect();
    is_visible(&text).then(|| text.trim().to_string())
}

/// Control characters, ends of lines, and the marks that would turn the direction of the text that follows the value.
fn is_control(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Fields that every user may have without declaring attributes.
pub const OWN_FIELDS: [&str; 4] = ["user_id", "locale", "country", "time_zone"];

/// What is known of a user under a field's name: `user_id`, `locale`, `country`, `time_zone`, or one of his attributes.
///
/// Texts, numbers and truth values read as text; null, lists and objects are nothing that a text could say.
pub fn field_of<'a>(
    user: &'a User,
    attributes: &'a BTreeMap<String, Value>,
    field: &str,
) -> Option<Cow<'a, str>> {
    match own_field(user, field) {
        Some(own) => Some(Cow::Borrowed(own)),
        None => text_of(attributes.get(field)?),
    }
}

/// Is a value known of a user under a field's name? Answers as [`field_of`] would fill, from the names alone.
pub fn is_known(user: &User, field: &str) -> bool {
    match own_field(user, field) {
        Some(own) => is_visible(own),
        None => user.fields.binary_search_by(|known| known.as_str().cmp(field)).is_ok(),
    }
}

/// Bytes that the value of a field takes in a payload; `None` when it is not known.
pub fn value_bytes(user: &User, field: &str) -> Option<usize> {
    if let Some(own) = own_field(user, field) {
        return plain(own).as_deref().map(text_bytes);
    }
    let index = user.fields.binary_search_by(|known| known.as_str().cmp(field)).ok()?;
    Some(user.field_bytes.get(index).copied().unwrap_or_default())
}

/// Names of the attributes that can fill a text, sorted: the [`User::fields`] of their user.
pub fn fillable_names(attributes: &BTreeMap<String, Value>) -> Vec<String> {
    fillable(attributes).map(|(name, _)| name.clone()).collect()
}

/// Bytes that each of [`fillable_names`] takes in a payload: the [`User::field_bytes`] of their user.
pub fn fillable_bytes(attributes: &BTreeMap<String, Value>) -> Vec<usize> {
    fillable(attributes).map(|(_, text)| text_bytes(&text)).collect()
}

/// Attributes that can fill a text, with what stands there then.
fn fillable(attributes: &BTreeMap<String, Value>) -> impl Iterator<Item = (&String, String)> {
    attributes.iter().filter_map(|(name, value)| Some((name, text_of(value).as_deref().and_then(plain)?)))
}

/// The fields that are no attributes.
fn own_field<'a>(user: &'a User, field: &str) -> Option<&'a str> {
    match field {
        "user_id" => Some(&user.user_id),
        "locale" => user.locale.as_deref(),
        "country" => user.country.as_deref(),
        "time_zone" => user.time_zone.as_deref(),
        _ => None,
    }
}

fn text_of(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(truth) => Some(Cow::Borrowed(if *truth { "true" } else { "false" })),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A text of at most so many characters as readers count them (extended grapheme clusters, UAX #29).
///
/// What is cut ends with `…`, which counts. A flag, a family or a letter with its marks stays whole. A cut within a word goes
/// back to the blank before it when that lies in the last third; Chinese has none and is cut where it is full.
pub fn truncate(text: &str, most: usize) -> Cow<'_, str> {
    if text.graphemes(true).nth(most).is_none() {
        return Cow::Borrowed(text);
    }
    if most == 0 {
        return Cow::Borrowed("");
    }
    let mut kept: Vec<&str> = text.graphemes(true).take(most - 1).collect();
    if splits_word(text, kept.iter().map(|cluster| cluster.len()).sum())
        && let Some(blank) = kept.iter().rposition(|cluster| is_blank(cluster))
        && blank * 3 >= kept.len() * 2
    {
        kept.truncate(blank);
    }
    while kept.last().is_some_and(|cluster| is_blank(cluster)) {
        kept.pop();
    }
    kept.push(ELLIPSIS);
    Cow::Owned(kept.concat())
}

/// Does a word go on beyond this byte?
fn splits_word(text: &str, end: usize) -> bool {
    let bound = text.split_word_bound_indices().map(|(start, _)| start).find(|start| *start >= end);
    bound != Some(end)
}

fn is_blank(cluster: &str) -> bool {
    cluster.chars().all(char::is_whitespace)
}
