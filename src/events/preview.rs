//! A content's wordings as one of the declared users would see them, read from the tables.

use std::collections::BTreeMap;

use serde_json::Value;

use super::catalogue::Catalogue;
use domain::channel::ChannelSettings;
use domain::error::{Coded, ErrorKind};
use domain::template::field_of;
use domain::user::User;
use domain::wording::{self, Preview};
use files::tables::{self, TableError};
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

/// Shows all wordings of a content. Reads whole tables, so it may take a while.
///
/// # Errors
/// When content, user or channel is unknown, or a table cannot be read.
pub fn preview(
    workspace: &Workspace,
    channels: &BTreeMap<String, ChannelSettings>,
    question: PreviewQuestion<'_>,
) -> Result<Preview, PreviewError> {
    let channel = channels.get(question.channel).ok_or_else(|| PreviewError::UnknownChannel {
        channel: question.channel.to_string(),
        known: channels.keys().map(String::as_str).collect::<Vec<_>>().join(", "),
    })?;
    let Catalogue { mut users, contents, .. } = Catalogue::read(workspace)?;
    let unknown_content = || PreviewError::UnknownContent(question.content_id.to_string());
    let content = contents.get(question.content_id).ok_or_else(unknown_content)?;
    let user = match question.user_id {
        Some(user_id) => {
            Some(users.remove(user_id).ok_or_else(|| PreviewError::UnknownUser(user_id.to_string()))?)
        }
        None => None,
    };
    let attributes = match question.user_id {
        Some(user_id) => attributes_of(workspace, user_id)?,
        None => BTreeMap::new(),
    };
    let locale = question.locale.or(user.as_ref().and_then(|user: &User| user.locale.as_deref()));
    let value = |field: &str| user.as_ref().and_then(|user| field_of(user, &attributes, field));
    Ok(wording::preview(content, locale, (question.channel, channel), question.user_id, value))
}

/// What was declared of a user beyond the columns that everybody has; nothing of a user who is not declared.
///
/// # Errors
/// When the table cannot be read.
pub fn attributes_of(workspace: &Workspace, user_id: &str) -> Result<BTreeMap<String, Value>, TableError> {
    let path = workspace.table("users");
    if !path.exists() {
        return Ok(BTreeMap::new());
    }
    let frame = tables::read_parquet(&path, None)?;
    let text = |name: &str| frame.column(name).and_then(|column| column.str());
    let keys = text("user_id").map_err(TableError::parquet(&path))?;
    let row = keys.iter().position(|key| key == Some(user_id));
    // A table written before there were attributes has no such column.
    let written = row.and_then(|row| text("attributes").ok()?.get(row));
    Ok(written.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default())
}
