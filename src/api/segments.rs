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
use super::decisions::{path_text, reading_files};
use super::problem::{Fault, INVALID_HEADER, PRECONDITION_FAILED, Problem};
use super::{ApiState, json};
use ::segments::answers::desk::{Desk, saved_segments};
use ::segments::language::expression::Expression;
use ::segments::language::keys::needs;
use ::segments::saved::versions::{Card, SavedError, SavedSegments, Segment, campaigns_for};
use engine::Fault;
use files::workspace::{Workspace, WorkspaceError, WriteLock};
use problems::{about_expression, about_text, read};
use profiles::table::ProfileFile;

/// Members streamed at once; further askers are told to come back.
pub(super) const MOST_EXPORTS: usize = 4;

/// A writer that is done by then is waited for.
const LOCK_ATTEMPTS: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(50);

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
    let segments: Vec<Value> = reading_files(&state, |state| -> Result<_, Problem> {
        let saved = SavedSegments::read(state.engine().workspace())?;
        Ok(saved.all().map(Segment::to_json).collect())
    })
    .await?;
    Ok(json(json!({ "segments": segments }).to_string()))
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
    let (version, report) = reading_files(&state, move |state| -> Result<_, Problem> {
        let workspace = state.engine().workspace();
        let saved = saved_segments(workspace, state.engine().config())?;
        let segment = saved.in_use(&id)?;
        let mut report = segment.to_json();
        report["named_by"] = named_by(workspace, &saved, &id)?;
        Ok((segment.card.version.clone(), report))
    })
    .await?;
    Ok(tagged(StatusCode::OK, &version, &report))
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
        (status = 422, description = "A segment that cannot be meant so, with its place and what was probably meant; a bad id; a question about who somebody is"),
        (status = 503, description = "Another process writes, or stopping"),
    )
)]
pub(super) async fn save(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Response, Problem> {
    let (id, expected, body) = (path_text(id)?, Expected::of(&headers)?, read::<SegmentBody>(&body)?);
    let (status, version, report) =
        reading_files(&state, move |state| save_as(state, &id, &expected, &body)).await?;
    Ok(tagged(status, &version, &report))
}

fn save_as(
    state: &ApiState,
    id: &str,
    expected: &Expected,
    body: &SegmentBody,
) -> Result<(StatusCode, String, Value), Problem> {
    let (workspace, now) = (state.engine().workspace(), state.0.clock.now());
    let lock = lock(workspace)?;
    let desk = Desk::open(workspace, state.engine().config())?;
    let before = desk.saved.in_use(id).ok().map(|segment| segment.card.clone());
    expected.check(before.as_ref())?;
    // A segment may be written down before there are profiles.
    let as_of = ProfileFile::find_until(workspace, now).map_or(now, |file| file.as_of);
    let (expression, predicate) = match (&body.text, &body.expression) {
        (Some(text), None) => {
            desk.compile_written(text, as_of, Some(id)).map_err(|error| about_text("/where", text, &error))?
        }
        (None, Some(tree)) => {
            let predicate = desk.compile_tree(tree, as_of, Some(id));
            (tree.clone(), predicate.map_err(|error| about_expression(&error))?)
        }
        _ => {
            return Err(Problem::invalid(vec![Fault::at("", "has not exactly one of where and expression")]));
        }
    };
    desk.marketer().check_question(&needs(&predicate)).map_err(Problem::from)?;
    let (card, is_changed) = desk.saved.save(id, &expression, body.description.as_deref(), now, &lock)?;
    let saved = SavedSegments::read(workspace)?;
    let mut report = saved.in_use(id)?.to_json();
    report["changed"] = json!(is_changed);
    let status = if before.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, card.version, report))
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
    let (id, expected) = (path_text(id)?, Expected::of(&headers)?);
    let report = reading_files(&state, move |state| -> Result<_, Problem> {
        let (workspace, now) = (state.engine().workspace(), state.0.clock.now());
        let lock = lock(workspace)?;
        let saved = SavedSegments::read(workspace)?;
        expected.check(Some(&saved.in_use(&id)?.card))?;
        let card = saved.delete(&id, now, &lock)?;
        Ok(json!({
            "segment": id, "version": card.version, "deleted_at": card.deleted_at,
            "named_by": named_by(workspace, &saved, &id)?,
        }))
    })
    .await?;
    Ok(json(report.to_string()))
}

/// Campaigns and other segments that name a segment.
fn named_by(workspace: &Workspace, saved: &SavedSegments, id: &str) -> Result<Value, SavedError> {
    Ok(json!({ "campaigns": campaigns_for(workspace, id)?, "segments": saved.naming(id) }))
}

fn tagged(status: StatusCode, version: &str, report: &Value) -> Response {
    (status, [(header::ETAG, entity_tag(version))], json(report.to_string())).into_response()
}

fn entity_tag(version: &str) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

/// The writer's lock of the workspace; one who writes for a moment is waited for.
fn lock(workspace: &Workspace) -> Result<WriteLock, Problem> {
    let mut attempts = 1;
    loop {
        match workspace.lock() {
            Ok(lock) => return Ok(lock),
            Err(WorkspaceError::Locked(_)) if attempts < LOCK_ATTEMPTS => std::thread::sleep(LOCK_PAUSE),
            Err(error @ WorkspaceError::Locked(_)) => {
                let detail = "another smartpush is writing here; try again when it is done";
                return Err(Problem::of(&error, "Another process writes to the workspace").saying(detail));
            }
            Err(error) => return Err(Problem::unusable(&error)),
        }
        attempts += 1;
    }
}

/// Which version a request means to change (RFC 9110, `If-Match`).
enum Expected {
    /// Whatever there is.
    Anything,
    /// None (`If-None-Match: *`).
    Nothing,
    /// Some version.
    Some,
    /// One of these.
    OneOf(Vec<String>),
}

impl Expected {
    fn of(headers: &HeaderMap) -> Result<Expected, Problem> {
        let mut values = headers.get_all(header::IF_MATCH).iter().peekable();
        if values.peek().is_none() {
            let is_new = headers.get(header::IF_NONE_MATCH).is_some_and(|value| value == "*");
            return Ok(if is_new { Expected::Nothing } else { Expected::Anything });
        }
        let mut versions = Vec::new();
        for value in values {
            let text =
                value.to_str().map_err(|_| Problem::new(INVALID_HEADER, "If-Match is not plain text"))?;
            for tag in text.split(',').map(str::trim) {
                match tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')) {
                    Some(version) => versions.push(version.to_string()),
                    None if tag == "*" => return Ok(Expected::Some),
                    // A weak tag never matches.
                    None if tag.starts_with("W/\"") => {}
                    None => {
                        let detail = "If-Match is neither * nor versions in quotes";
                        return Err(Problem::new(INVALID_HEADER, detail));
                    }
                }
            }
        }
        Ok(Expected::OneOf(versions))
    }

    fn check(&self, current: Option<&Card>) -> Result<(), Problem> {
        let is_expected = match (self, current) {
            (Expected::Anything, _) | (Expected::Some, Some(_)) | (Expected::Nothing, None) => true,
            (Expected::Nothing, Some(_)) => false,
            (Expected::OneOf(versions), Some(card)) => versions.contains(&card.version),
            (_, None) => false,
        };
        let found =
            current.map_or("there is none".to_string(), |card| format!("current is {:?}", card.version));
        if is_expected { Ok(()) } else { Err(Problem::new(PRECONDITION_FAILED, found)) }
    }
}
