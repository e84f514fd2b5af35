//! A content's variants as a reader would see them.

use super::context::Context;
use domain::preview::Preview;
use events::preview::{PreviewError, PreviewQuestion, preview as preview_of};

/// Which content, and for whom.
#[derive(Clone, Debug, Default)]
pub struct PreviewRequest {
    /// The content.
    pub content_id: String,
    /// The reader; without one, a reader without any known attribute.
    pub user_id: Option<String>,
    /// The language; without one, the reader's.
    pub locale: Option<String>,
    /// The channel; without one, that of decisions.
    pub channel: Option<String>,
}

/// Shows all variants of a content.
///
/// # Errors
/// When content, user or channel is unknown, or a table cannot be read.
pub fn preview(context: &Context<'_>, request: &PreviewRequest) -> Result<Preview, PreviewError> {
    let question = PreviewQuestion {
        content_id: &request.content_id,
        user_id: request.user_id.as_deref(),
        locale: request.locale.as_deref(),
        channel: request.channel.as_deref().unwrap_or(&context.config.decisions.channel),
    };
    preview_of(context.workspace, &context.config.channels, &context.config.decisions, question)
}
