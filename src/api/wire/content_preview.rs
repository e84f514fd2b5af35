//! A content's variants as a reader would see them, as they are given out.

use serde::{Deserialize, Serialize};

/// A content's variants as somebody would see them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = Preview)]
pub struct ContentPreviewBody {
    /// The content.
    pub content_id: String,
    /// The reader; null: somebody of whom nothing is known.
    pub user_id: Option<String>,
    /// The language asked for, else the reader's.
    pub locale: Option<String>,
    /// The channel.
    pub channel: String,
    /// The variant that a decision outside of campaigns would send to this reader; null: none.
    pub variant_id: Option<String>,
    /// The rule that keeps every variant from this reader; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_by: Option<String>,
    /// All of them, as they were declared.
    // Programs know this key.
    #[serde(rename = "wordings")]
    pub variants: Vec<VariantPreviewBody>,
}

/// One variant as somebody would see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = VariantPreview)]
pub struct VariantPreviewBody {
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
    /// What is wrong with placeholders, and where.
    #[serde(rename = "faults")]
    pub errors: Vec<String>,
    /// Fields that no declared user has: everybody gets the default.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// Bytes of its push's payload with these values; absent over a channel without pushes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_bytes: Option<usize>,
}
