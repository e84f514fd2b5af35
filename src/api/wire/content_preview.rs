//! A content's wordings as a reader would see them, as they are given out.

use serde::{Deserialize, Serialize};

/// A content's wordings as somebody would see them.
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
    /// The wording that this language gets; null when there is none.
    pub variant_id: Option<String>,
    /// All of them, as they were declared.
    pub wordings: Vec<WordingPreviewBody>,
}

/// One wording as somebody would see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = WordingPreview)]
pub struct WordingPreviewBody {
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
