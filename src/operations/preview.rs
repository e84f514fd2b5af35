//! A content's variants as a reader would see them.

use std::collections::{BTreeMap, BTreeSet};

use super::context::Context;
use domain::content::Content;
use domain::preview::Preview;
use events::catalogue::{declared_fields, read_contents};
use events::preview::{PreviewError, PreviewQuestion, preview as preview_of};
use events::rejected_texts::rejected_content;

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

/// Shows all variants of a content; of one that is only known because its texts were rejected, what is wrong with them. Reads the
/// table of contents whole, so it may take a while.
///
/// # Errors
/// When content, user or channel is unknown, or a table cannot be read.
pub fn preview(context: &Context<'_>, request: &PreviewRequest) -> Result<Preview, PreviewError> {
    let fields = declared_fields(context.workspace)?;
    let mut contents = read_contents(context.workspace)?;
    if !contents.contains_key(&request.content_id) {
        let rejected = rejected_content(context.workspace, &request.content_id);
        contents.extend(rejected.map(|content| (content.content_id.clone(), content)));
    }
    preview_with(context, &contents, request, Some(&fields))
}

/// The same with contents that are in memory, without a look at which fields users have. Only the table of users is read, and
/// only for a question about one of them.
///
/// # Errors
/// When content, user or channel is unknown, or the table of users cannot be read.
pub fn preview_among(
    context: &Context<'_>,
    contents: &BTreeMap<String, Content>,
    request: &PreviewRequest,
) -> Result<Preview, PreviewError> {
    preview_with(context, contents, request, None)
}

fn preview_with(
    context: &Context<'_>,
    contents: &BTreeMap<String, Content>,
    request: &PreviewRequest,
    fields: Option<&BTreeSet<String>>,
) -> Result<Preview, PreviewError> {
    let question = PreviewQuestion {
        content_id: &request.content_id,
        user_id: request.user_id.as_deref(),
        locale: request.locale.as_deref(),
        channel: request.channel.as_deref().unwrap_or(&context.config.decisions.channel),
    };
    let (channels, decisions) = (&context.config.channels, &context.config.decisions);
    preview_of(contents, context.workspace, channels, decisions, question, fields)
}
