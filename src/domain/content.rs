//! What can be pushed: contents with their variants.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::payload::{LARGEST_PAYLOAD, payload_bytes};
use super::rejection::{Rejection, RejectionCode};
use super::template::{Template, is_visible};
use super::time::Instant;

/// What kind of message a content is: marketing asks for more restraint than service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageClass {
    /// The user needs it: an order, a delivery, a security notice.
    Service,
    /// We want it.
    #[default]
    Marketing,
}

impl MessageClass {
    /// The word used in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            MessageClass::Service => "service",
            MessageClass::Marketing => "marketing",
        }
    }
}

/// One variant of a content: a text in a language.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Variant {
    /// Its id within the content.
    pub variant_id: String,
    /// Language it is written in.
    pub locale: Option<String>,
    /// Headline.
    pub title: String,
    /// Text.
    pub body: String,
    /// Fields of the user that headline and text cannot do without: `{{field}}` without a default.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
    /// Bytes of its push's payload as it was written, when they are more than push services accept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub oversize: Option<usize>,
    /// Bytes of its push's payload as it was written, when placeholders make that another one for each reader.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unfilled: Option<usize>,
}

/// A content as decisions see it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// Its id.
    pub content_id: String,
    /// Its category.
    pub category: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// When it came out: declared, else its first event.
    pub published_at: Option<Instant>,
    /// From here on it is worth nothing.
    pub expires_at: Option<Instant>,
    /// Service or marketing.
    pub message_class: MessageClass,
    /// Countries it may be sent to; empty: all.
    #[serde(default)]
    pub countries: Vec<String>,
    /// What vendors' push services take it for, such as `news`.
    #[serde(default)]
    pub vendor_category: Option<String>,
    /// Its variants; empty for a content that only events know.
    pub variants: Vec<Variant>,
    /// How long a push of it may wait for its device, in seconds.
    pub ttl_seconds: Option<u32>,
    /// Fields that are stored and cannot be read; a content with any is never sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreadable: Vec<String>,
    /// Set when the content was never declared: only events or a campaign name it. It is never sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undeclared: Option<UndeclaredContent>,
    /// Where a tap leads; previews weigh it, decisions do not look at it, so it is not logged.
    #[serde(skip)]
    pub deep_link: Option<String>,
}

/// A content id without a declared content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UndeclaredContent {
    /// The declared id that is spelled most like it, if a campaign names it and one is close.
    pub nearest: Option<String>,
}

impl Content {
    /// A content that was never declared.
    pub fn undeclared(content_id: &str, nearest: Option<String>) -> Content {
        let undeclared = Some(UndeclaredContent { nearest });
        Content { content_id: content_id.to_string(), undeclared, ..Content::default() }
    }

    /// Does it have a text to send, or one that cannot be read and is reported?
    pub fn has_text(&self) -> bool {
        self.undeclared.is_none() && !(self.variants.is_empty() && self.unreadable.is_empty())
    }
}

/// What is wrong with a variant that has nothing to show.
const NO_TEXT: &str = " has neither a title nor a body";

impl Variant {
    /// The one variant of a content that has a title and nothing else.
    pub fn of_title(title: String) -> Variant {
        Variant::of_texts(title, String::new())
    }

    /// The one variant of a content that has a title and a body in place of variants.
    pub fn of_texts(title: String, body: String) -> Variant {
        Variant { variant_id: "default".into(), title, body, ..Variant::default() }.with_needs()
    }

    /// Reads the variants of a content as its file gives them. Null is a missing field; a variant whose title and body are
    /// blank, such as a translation that is still to come, is left out.
    ///
    /// # Errors
    /// The first entry that is not a variant, or the first one of those left out when no other is there.
    pub fn read_all(written: &Value) -> Result<Vec<Variant>, Rejection> {
        let bad = |detail| Rejection::new(RejectionCode::BadVariants, detail);
        let Value::Array(entries) = written else {
            return Err(bad("variants is not a JSON array".to_string()));
        };
        let (mut variants, mut first_blank) = (Vec::new(), None);
        for (index, entry) in entries.iter().enumerate() {
            match Variant::read(entry).map_err(|what| bad(format!("variants[{index}]{what}")))? {
                Some(variant) => variants.push(variant),
                None => first_blank = first_blank.or(Some(index)),
            }
        }
        match first_blank {
            Some(index) if variants.is_empty() => Err(bad(format!("variants[{index}]{NO_TEXT}"))),
            _ => Ok(variants),
        }
    }

    /// One entry; `None` when its texts are blank.
    fn read(entry: &Value) -> Result<Option<Variant>, String> {
        // serde would take an array of texts for the fields of a variant, in order.
        let Value::Object(fields) = entry else {
            return Err(" is not an object with variant_id, locale, title, body".to_string());
        };
        if !fields.contains_key("title") && !fields.contains_key("body") {
            return Err(NO_TEXT.to_string());
        }
        let present = fields.iter().filter(|(_, value)| !value.is_null());
        let present = Value::Object(present.map(|(name, value)| (name.clone(), value.clone())).collect());
        let variant: Variant = serde_path_to_error::deserialize(present)
            .map_err(|error| format!(".{} cannot be read: {}", error.path(), error.inner()))?;
        let is_blank = !is_visible(&variant.title) && !is_visible(&variant.body);
        Ok((!is_blank).then(|| variant.with_needs()))
    }

    /// The same with the size of its push, when push services would not accept it or placeholders change it.
    pub fn weighed(mut self, deep_link: Option<&str>) -> Variant {
        let bytes = payload_bytes(&self.title, &self.body, deep_link);
        self.oversize = (bytes > LARGEST_PAYLOAD).then_some(bytes);
        self.unfilled = (self.title.contains("{{") || self.body.contains("{{")).then_some(bytes);
        self
    }

    /// The same with the fields that headline and text cannot do without, sorted.
    fn with_needs(mut self) -> Variant {
        let (title, body) = (Template::parse(&self.title), Template::parse(&self.body));
        let needs: BTreeSet<&str> = title.required().chain(body.required()).collect();
        self.needs = needs.into_iter().map(str::to_string).collect();
        self
    }
}
