//! `/v1/segments`: saved segments, written, read and taken out of use; previews, overlaps, members and fields beside them.
//!
//! Whoever asks over HTTP is taken for a marketer: small counts are hidden, others rounded, and nobody is asked for by id.

pub(super) mod fields;
pub(super) mod members;
pub(super) mod preview;
mod problems;

use std::time::Duration;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::JsonBody;
use super::decisions::{blocking, path_text, reading_tables};
use super::problem::{FieldError, INVALID_HEADER, Problem};
use super::{ApiState, json};
use ::segments::language::expression::Expression;
use operations::segments::delete::{DeleteRequest, delete as delete_segment};
use operations::segments::list::list as list_segments;
use operations::segments::save::{ExpectedVersion, NewDefinition, SaveRequest, save as save_segment};
use operations::segments::show::show as show_segment;
use operations::segments::{AskOptions, PeopleChoice, ReaderChoice, WrittenSegment};
use problems::read;

/// Members streamed at once; further askers are told to come back.
pub(super) const MOST_EXPORTS: usize = 4;

/// A writer that is done by then is waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a segment is to say: a text or a tree.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SegmentBody {
    /// As text: `purchases_30d >= 2 and not opted_out`.
    #[serde(default, rename = "where")]
    text: Option<String>,
    /// As tree: `{"all": [{"condition": {"subject": {"field": "purchases_30d"}, "test": {">=": 2}}}, …]}`.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    expression: Option<Expression>,
    /// What it is for; without one the former stays.
    #[serde(default)]
    description: Option<String>,
}

/// All saved segments
///
/// Each with its versions and what the current one says; a deleted one says when it was deleted.
#[utoipa::path(
    get, path = "/v1/segments", tag = "segments",
    responses(
        (status = 200, description = "By id", body = Object),
        (status = 503, description = "Stopping"),
    )
)]
pub(super) async fn list(State(state): State<ApiState>) -> Result<Response, Problem> {
    let report = reading_tables(&state, |state| list_segments(&state.context())).await?;
    Ok(json(report.to_json().to_string()))
}

/// A saved segment: its versions, what the current one says as text and as tree, and who names it
#[utoipa::path(
    get, path = "/v1/segments/{id}", tag = "segments",
    params(("id" = String, Path, description = "The segment's id")),
    responses(
        (status = 200, description = "It, its version as ETag", body = Object),
        (status = 404, description = "Nobody saved it, or it was deleted"),
        (status = 503, description = "Stopping"),
    )
)]
pub(super) async fn show(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let id = path_text(id)?;
    let report = reading_tables(&state, move |state| show_segment(&state.context(), &id, false)).await?;
    Ok(tagged(StatusCode::OK, &report.segment.card.version, &report.to_json()))
}

/// Save a segment as its current version
///
/// `where` is a text, `expression` a tree; exactly one of them is given. Every other text is another version, and the former
/// ones are kept. `If-Match` with the version that was read keeps two editors from overwriting each other.
#[utoipa::path(
    put, path = "/v1/segments/{id}", tag = "segments",
    params(
        ("id" = String, Path, description = "1 to 64 of a_z, 0_9, -, _ and ."),
        ("If-Match" = Option<String>, Header, description = "The version that is to be replaced, in quotes; * for any"),
        ("If-None-Match" = Option<String>, Header, description = "*: only when there is none"),
    ),
    request_body(content = SegmentBody, content_type = "application/json"),
    responses(
        (status = 200, description = "It, its version as ETag; `changed` says whether anything was", body = Object),
        (status = 201, description = "The same, of one that was not there", body = Object),
        (status = 400, description = "Not JSON, or a bad header"),
        (status = 412, description = "Another version is current"),
        (status = 413, description = "The body is too large"),
        (status = 422, description = "A segment that cannot be meant so, with its position and what was probably meant; a bad id; a question about who somebody is"),
        (status = 503, description = "Another process writes, or stopping"),
    )
)]
pub(super) async fn save(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Response, Problem> {
    let (id, expected) = (path_text(id)?, expected_version(&headers)?);
    let SegmentBody { text, expression, description } = read(&body)?;
    let definition = NewDefinition::Written(written(text, expression)?, ReaderChoice::Marketer);
    let request = SaveRequest { id, definition, description, expected, patience: PATIENCE };
    let saved = blocking(move || save_segment(&state.context(), &request)).await??;
    let status = if saved.is_new { StatusCode::CREATED } else { StatusCode::OK };
    let mut report = saved.segment.to_json();
    report["changed"] = json!(saved.is_changed);
    Ok(tagged(status, &saved.segment.card.version, &report))
}

fn written(text: Option<String>, expression: Option<Expression>) -> Result<WrittenSegment, Problem> {
    match (text, expression) {
        (Some(text), None) => Ok(WrittenSegment::Text(text)),
        (None, Some(tree)) => Ok(WrittenSegment::Tree(tree)),
        _ => Err(Problem::invalid(vec![FieldError::at("", "has not exactly one of where and expression")])),
    }
}

/// Take a saved segment out of use
///
/// Its versions are kept. Campaigns and segments that still name it are told: such a campaign is for nobody from now on.
#[utoipa::path(
    delete, path = "/v1/segments/{id}", tag = "segments",
    params(
        ("id" = String, Path, description = "The segment's id"),
        ("If-Match" = Option<String>, Header, description = "The version that is to be deleted, in quotes; * for any"),
    ),
    responses(
        (status = 200, description = "When it was deleted, and who still names it", body = Object),
        (status = 404, description = "Nobody saved it, or it was deleted before"),
        (status = 412, description = "Another version is current"),
        (status = 503, description = "Another process writes, or stopping"),
    )
)]
pub(super) async fn delete(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (id, expected) = (path_text(id)?, expected_version(&headers)?);
    let request = DeleteRequest { id, expected, patience: PATIENCE };
    let report = blocking(move || delete_segment(&state.context(), &request)).await??;
    Ok(json(report.to_json().to_string()))
}

/// Are user ids given in members and samples?
pub(super) fn ids_are_shown(state: &ApiState) -> bool {
    state.context().config.segments.ids_over_http
}

/// A marketer who asks about the people that the server keeps.
pub(super) fn marketer(state: &ApiState) -> AskOptions<'_> {
    AskOptions { people: PeopleChoice::Kept(&state.0.people), reader: ReaderChoice::Marketer }
}

fn tagged(status: StatusCode, version: &str, report: &Value) -> Response {
    (status, [(header::ETAG, entity_tag(version))], json(report.to_string())).into_response()
}

fn entity_tag(version: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// Which version a request means to change (RFC 9110, `If-Match` and `If-None-Match: *`).
fn expected_version(headers: &HeaderMap) -> Result<ExpectedVersion, Problem> {
    let mut values = headers.get_all(header::IF_MATCH).iter().peekable();
    if values.peek().is_none() {
        let is_new = headers.get(header::IF_NONE_MATCH).is_some_and(|value| value == "*");
        return Ok(if is_new { ExpectedVersion::Nothing } else { ExpectedVersion::Anything });
    }
    let mut versions = Vec::new();
    for value in values {
        let text = value.to_str().map_err(|_| Problem::new(INVALID_HEADER, "If-Match is not plain text"))?;
        for tag in text.split(',').map(str::trim) {
            match tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')) {
                Some(version) => versions.push(version.to_string()),
                None if tag == "*" => return Ok(ExpectedVersion::Some),
                // A weak tag never matches.
                None if tag.starts_with("W/\"") => {}
                None => {
                    let detail = "If-Match is neither * nor versions in quotes";
                    return Err(Problem::new(INVALID_HEADER, detail));
                }
            }
        }
    }
    Ok(ExpectedVersion::OneOf(versions))
}
