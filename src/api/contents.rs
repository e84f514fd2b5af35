//! `/v1/contents/{id}`: what a content looks like to a reader.

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::response::Response;
use serde::Deserialize;

use super::decisions::{path_text, reading_tables};
use super::problem::{FieldError, Problem};
use super::wire::content_preview::ContentPreviewBody;
use super::{ApiState, json};
use domain::identity::{NOT_AN_ID, is_valid_id};
use events::preview::PreviewError;
use operations::preview::{PreviewRequest, preview, preview_among};

/// Parameters of a preview.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct PreviewQuery {
    /// The reader; without one, somebody of whom nothing is known.
    user_id: Option<String>,
    /// The language; without one, the reader's.
    locale: Option<String>,
    /// A channel of the settings; without one, that of decisions.
    channel: Option<String>,
}

/// A content's variants as a reader would see them
///
/// Filled with what was declared of the user, cut to what the channel shows, the one marked that a decision would send. A
/// variant with a field that has neither a value nor a default would not be sent and says so.
#[utoipa::path(
    get, path = "/v1/contents/{id}/preview", tag = "contents",
    params(("id" = String, Path, description = "The content's id"), PreviewQuery),
    responses(
        (status = 200, description = "All variants", body = ContentPreviewBody),
        (status = 400, description = "A path that is not UTF-8"),
        (status = 404, description = "No such content"),
        (status = 422, description = "A bad id or parameter, an unknown user or channel"),
        (status = 503, description = "Stopping"),
    )
)]
pub(super) async fn show_preview(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
    query: Result<Query<PreviewQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let content_id = path_text(id)?;
    let Query(query) =
        query.map_err(|rejection| Problem::invalid(vec![FieldError::at("", rejection.body_text())]))?;
    check(&content_id, &query)?;
    let PreviewQuery { user_id, locale, channel } = query;
    let request = PreviewRequest { content_id, user_id, locale, channel };
    let found = reading_tables(&state, move |state| {
        let snapshot = state.engine().snapshot();
        match preview_among(&state.context(), &snapshot.declared().contents, &request) {
            // It may have been declared since the snapshot was built.
            Err(PreviewError::UnknownContent(_)) => preview(&state.context(), &request),
            found => found,
        }
    })
    .await?;
    Ok(json(serde_json::to_string(&found).unwrap_or_default()))
}

fn check(content_id: &str, query: &PreviewQuery) -> Result<(), Problem> {
    let texts = [
        ("/id", Some(content_id)),
        ("/user_id", query.user_id.as_deref()),
        ("/locale", query.locale.as_deref()),
        ("/channel", query.channel.as_deref()),
    ];
    let is_bad = |(_, text): &(&str, Option<&str>)| text.is_some_and(|text| !is_valid_id(text));
    let errors: Vec<FieldError> =
        texts.into_iter().filter(is_bad).map(|(pointer, _)| FieldError::at(pointer, NOT_AN_ID)).collect();
    if errors.is_empty() { Ok(()) } else { Err(Problem::invalid(errors)) }
}

impl From<PreviewError> for Problem {
    fn from(error: PreviewError) -> Problem {
        let at = |pointer| Problem::invalid(vec![FieldError::at(pointer, error.to_string())]);
        match &error {
            PreviewError::UnknownContent(_) => Problem::of(&error, "There is no such content"),
            PreviewError::UnknownUser(_) => at("/user_id"),
            PreviewError::UnknownChannel { .. } => at("/channel"),
            PreviewError::Table(_) => Problem::unusable(&error),
        }
    }
}
