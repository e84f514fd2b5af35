//! A content's variants as one of the declared users would see them.

use std::collections::{BTreeMap, BTreeSet};

use super::catalogue::user_with_attributes;
use domain::channel::ChannelSettings;
use domain::content::Content;
use domain::error::{Coded, ErrorKind};
use domain::preview::{self, Preview, PreviewFacts};
use domain::settings::DecisionSettings;
use domain::user::User;
use files::tables::TableError;
use files::workspace::Workspace;

/// "What would it look like?"
#[derive(Clone, Copy, Debug)]
pub struct PreviewQuestion<'a> {
    /// The content.
    pub content_id: &'a str,
    /// The reader; without one, somebody of whom nothing is known.
    pub user_id: Option<&'a str>,
    /// The language; without one, the reader's.
    pub locale: Option<&'a str>,
    /// The channel.
    pub channel: &'a str,
}

/// A question that cannot be answered.
#[derive(Debug, thiserror::Error)]
pub enum PreviewError {
    /// No such content was declared.
    #[error("unknown_content: there is no content {0:?} among those declared")]
    UnknownContent(String),
    /// No such user was declared.
    #[error("unknown_user: there is no user {0:?} among those declared")]
    UnknownUser(String),
    /// No such channel is set up.
    #[error("unknown_channel: {channel:?} is none of {known}; another one is a section [channels.NAME]")]
    UnknownChannel {
        /// The channel.
        channel: String,
        /// Those that are.
        known: String,
    },
    /// A table cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl Coded for PreviewError {
    fn code(&self) -> &'static str {
        match self {
            PreviewError::UnknownContent(_) => "unknown_content",
            PreviewError::UnknownUser(_) => "unknown_user",
            PreviewError::UnknownChannel { .. } => "unknown_channel",
            PreviewError::Table(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            // What is asked for is the content; the user and the channel only say how to show it.
            PreviewError::UnknownUser(_) | PreviewError::UnknownChannel { .. } => ErrorKind::Caller,
            PreviewError::UnknownContent(_) => ErrorKind::NotFound,
            PreviewError::Table(error) => error.kind(),
        }
    }
}

/// Shows all variants of a content. `declared_fields` are the attributes that at least one declared user has; without them,
/// no placeholder is pointed out as unknown.
///
/// # Errors
/// When content, user or channel is unknown, or the table of users cannot be read.
pub fn preview(
    contents: &BTreeMap<String, Content>,
    workspace: &Workspace,
    channels: &BTreeMap<String, ChannelSettings>,
    settings: &DecisionSettings,
    question: PreviewQuestion<'_>,
    declared_fields: Option<&BTreeSet<String>>,
) -> Result<Preview, PreviewError> {
    let channel = channels.get(question.channel).ok_or_else(|| PreviewError::UnknownChannel {
        channel: question.channel.to_string(),
        known: channels.keys().map(String::as_str).collect::<Vec<_>>().join(", "),
    })?;
    let unknown_content = || PreviewError::UnknownContent(question.content_id.to_string());
    let content = contents.get(question.content_id).ok_or_else(unknown_content)?;
    let (user, attributes) = match question.user_id {
        Some(user_id) => user_with_attributes(workspace, user_id)?
            .ok_or_else(|| PreviewError::UnknownUser(user_id.to_string()))?,
        None => (User::default(), BTreeMap::new()),
    };
    let locale = question.locale.map(str::to_string).or(user.locale);
    let user = User { locale, ..user };
    let facts = PreviewFacts { deep_link: content.deep_link.as_deref(), declared_fields };
    Ok(preview::preview(content, (question.channel, channel), &user, &attributes, settings, facts))
}
