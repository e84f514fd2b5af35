//! What can be pushed: contents with their variants.

use serde::{Deserialize, Serialize};

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

/// One wording of a content.
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
    /// Its wordings; empty for a content that only events know.
    pub variants: Vec<Variant>,
    /// How long a push of it may wait for its device, in seconds.
    pub ttl_seconds: Option<u32>,
}
