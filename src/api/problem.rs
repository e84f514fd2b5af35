//! What went wrong, as RFC 9457 wants it: a stable type, a title, a status, a detail, and where in the request.
//!
//! Of an error of the crates below, the type is its code and the status follows from its kind ([`status_of`]). Four groups of
//! errors are answered otherwise, because a client of the server neither chooses the workspace nor waits for its files:
//!
//! | error | answer |
//! |---|---|
//! | a file of the workspace cannot be used, whatever its kind is on the command line | 500 `internal_error`; the log says which |
//! | the decision log is full, closed or damaged ([`LogError`]) | 503 `overloaded`, `stopping` or `log_unavailable` |
//! | a field or a parameter is wrong, also a user or channel that does not exist | 422 `invalid_request` with pointers |
//! | the transport: headers, body, path, method, version | the types below, each with its own status |

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{Content, OpenApi, PathItem, Ref, RefOr};

use super::wire::PositionBody;
use domain::error::{Coded, ErrorKind};
use engine::{EngineError, InvalidField, QuestionError, QuestionField};
use segments::language::error::Position;
use store::decision_log::LogError;

/// Content type of problems.
pub(super) const CONTENT_TYPE: &str = "application/problem+json";

/// The status of an error of this kind.
pub const fn status_of(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::Caller => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Conflict | ErrorKind::Refused => StatusCode::CONFLICT,
        ErrorKind::Busy => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::Ours => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A type of problem that has no error below the API: its stable code, its status, and its title.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProblemType {
    code: &'static str,
    status: StatusCode,
    title: &'static str,
}

const fn problem(code: &'static str, status: StatusCode, title: &'static str) -> ProblemType {
    ProblemType { code, status, title }
}

pub(super) const INVALID_JSON: ProblemType =
    problem("invalid_json", StatusCode::BAD_REQUEST, "The body is not JSON");
pub(super) const BROKEN_BODY: ProblemType =
    problem("broken_body", StatusCode::BAD_REQUEST, "The body cannot be read to its end");
pub(super) const INVALID_HEADER: ProblemType =
    problem("invalid_header", StatusCode::BAD_REQUEST, "A header cannot be used");
pub(super) const INVALID_PATH: ProblemType =
    problem("invalid_path", StatusCode::BAD_REQUEST, "The path is not UTF-8");
pub(super) const UNKNOWN_ROUTE: ProblemType =
    problem("unknown_route", StatusCode::NOT_FOUND, "There is nothing at this path");
pub(super) const METHOD_NOT_ALLOWED: ProblemType =
    problem("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED, "This path has other methods");
pub(super) const REQUEST_TIMEOUT: ProblemType =
    problem("request_timeout", StatusCode::REQUEST_TIMEOUT, "The request took too long");
pub(super) const BODY_TOO_LARGE: ProblemType =
    problem("body_too_large", StatusCode::PAYLOAD_TOO_LARGE, "The body is too large");
pub(super) const TOO_MANY_ITEMS: ProblemType =
    problem("too_many_items", StatusCode::PAYLOAD_TOO_LARGE, "The batch has too many items");
pub(super) const UNSUPPORTED_MEDIA_TYPE: ProblemType = problem(
    "unsupported_media_type",
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    "The body's type or coding is not taken",
);
pub(super) const INVALID_REQUEST: ProblemType =
    problem("invalid_request", StatusCode::UNPROCESSABLE_ENTITY, "The request cannot be meant so");
pub(super) const IDS_NOT_SHOWN: ProblemType =
    problem("ids_not_shown", StatusCode::FORBIDDEN, "User ids are not given over HTTP");
pub(super) const PRECONDITION_FAILED: ProblemType = problem(
    "precondition_failed",
    StatusCode::PRECONDITION_FAILED,
    "It is not the version that was expected",
);
pub(super) const INTERNAL_ERROR: ProblemType =
    problem("internal_error", StatusCode::INTERNAL_SERVER_ERROR, "We have made a mistake");
pub(super) const OVERLOADED: ProblemType =
    problem("overloaded", StatusCode::SERVICE_UNAVAILABLE, "Too much is asked at once");
pub(super) const LOG_UNAVAILABLE: ProblemType =
    problem("log_unavailable", StatusCode::SERVICE_UNAVAILABLE, "The decision log cannot be used");
pub(super) const STOPPING: ProblemType =
    problem("stopping", StatusCode::SERVICE_UNAVAILABLE, "The server is stopping");

/// One thing that is wrong with a question, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[schema(as = Fault)]
pub(super) struct FieldError {
    /// JSON pointer into the question.
    pub(super) pointer: String,
    /// In English, for people.
    pub(super) detail: String,
}

impl FieldError {
    /// An error at a pointer.
    pub(super) fn at(pointer: impl Into<String>, detail: impl Into<String>) -> FieldError {
        FieldError { pointer: pointer.into(), detail: detail.into() }
    }
}

impl From<InvalidField> for FieldError {
    fn from(InvalidField { field, detail }: InvalidField) -> FieldError {
        let pointer = match field {
            QuestionField::UserId => "/user_id".to_string(),
            QuestionField::CampaignId => "/campaign_id".to_string(),
            QuestionField::ContentIds => "/content_ids".to_string(),
            QuestionField::ContentId(index) => format!("/content_ids/{index}"),
            QuestionField::HorizonHours => "/horizon_hours".to_string(),
            QuestionField::Channel => "/channel".to_string(),
        };
        FieldError { pointer, detail }
    }
}

/// A problem, RFC 9457.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// `/problems/` and a stable snake_case code.
    #[serde(rename = "type")]
    #[schema(example = "/problems/invalid_request")]
    type_uri: String,
    /// The same for every problem of this type.
    #[schema(value_type = String)]
    title: &'static str,
    /// HTTP status.
    status: u16,
    /// What is wrong with this request.
    detail: String,
    /// Where, when it is the body or a parameter.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    /// Where in a segment's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<Box<PositionBody>>,
    /// What was probably meant, for that position.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    suggestion: Option<Box<str>>,
}

impl Problem {
    pub(super) fn new(problem: ProblemType, detail: impl Into<String>) -> Problem {
        Problem {
            type_uri: format!("/problems/{}", problem.code),
            title: problem.title,
            status: problem.status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
            position: None,
            suggestion: None,
        }
    }

    /// The problem of an error: its code is the type, its kind decides the status, and its text is the detail. What only we
    /// can mend goes to the log.
    pub(super) fn of(error: &dyn Coded, title: &'static str) -> Problem {
        if error.kind() == ErrorKind::Ours {
            return Problem::unusable(error);
        }
        let (code, status) = (error.code(), status_of(error.kind()));
        Problem::new(ProblemType { code, status, title }, error.to_string())
    }

    /// A file of the workspace that cannot be used: the log says which, the client only that.
    pub(super) fn unusable(error: &dyn Coded) -> Problem {
        tracing::error!(%error, "a request met a file that cannot be used");
        Problem::new(INTERNAL_ERROR, "the workspace cannot be used; the server's log says more")
    }

    /// The same with another detail: a client is not told where files lie.
    pub(super) fn saying(self, detail: impl Into<String>) -> Problem {
        Problem { detail: detail.into(), ..self }
    }

    /// The same problem at a pointer into the body.
    pub(super) fn at(mut self, pointer: impl Into<String>) -> Problem {
        self.errors = vec![FieldError::at(pointer, self.detail.clone())];
        self
    }

    /// The same with the position in a segment's text, and what was probably meant there.
    pub(super) fn hinting(self, position: Option<Position>, suggestion: Option<String>) -> Problem {
        let position = position.map(|position| Box::new(position.into()));
        let suggestion = suggestion.map(Into::into);
        Problem { position, suggestion, ..self }
    }

    /// Does it name an error below this pointer?
    pub(super) fn is_below(&self, pointer: &str) -> bool {
        self.errors.iter().any(|error| error.pointer.starts_with(pointer))
    }

    /// The same under another code, which also begins its text.
    pub(super) fn recoded(mut self, code: &str, title: &'static str) -> Problem {
        self.type_uri = format!("/problems/{code}");
        self.title = title;
        self.detail = format!("{code}: {}", self.detail);
        self
    }

    /// A request that reads well and cannot be meant so.
    pub(super) fn invalid(errors: Vec<FieldError>) -> Problem {
        let detail = match errors.as_slice() {
            [one] => format!("{} {}", one.pointer, one.detail),
            many => format!("{} errors", many.len()),
        };
        Problem { errors, ..Problem::new(INVALID_REQUEST, detail) }
    }

    /// Its status.
    pub(super) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// Says of every response of the document that is an error: its body is a problem.
pub(super) fn describe_problems(document: &mut OpenApi) {
    let operations = document.paths.paths.values_mut().flat_map(operations_of);
    for (status, response) in operations.flat_map(|operation| &mut operation.responses.responses) {
        let is_error = status.starts_with('4') || status.starts_with('5');
        if let RefOr::T(response) = response
            && is_error
        {
            let body = Content::new(Some(Ref::from_schema_name(Problem::name())));
            response.content.insert(CONTENT_TYPE.to_string(), RefOr::T(body));
        }
    }
}

fn operations_of(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, .. } = path;
    [get, put, post, delete].into_iter().flatten()
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        if self.status() == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Problem {
        match error {
            EngineError::Question(QuestionError::Invalid(fields)) => {
                Problem::invalid(fields.into_iter().map(FieldError::from).collect())
            }
            EngineError::Question(QuestionError::UnknownCampaign(_)) => {
                Problem::of(&error, "There is no such campaign")
            }
            EngineError::IdempotencyConflict(_) => {
                Problem::of(&error, "The key was used with another request")
            }
            EngineError::UnknownDecision(_) => Problem::of(&error, "There is no such decision"),
            EngineError::UnknownModel { .. } => {
                Problem::of(&error, "The decision's model is not here any more")
            }
            EngineError::Log(error) => error.into(),
            EngineError::Table(_) | EngineError::Lake(_) | EngineError::Profile(_) => {
                Problem::unusable(&error)
            }
        }
    }
}

impl From<LogError> for Problem {
    fn from(error: LogError) -> Problem {
        match error {
            LogError::Overloaded => Problem::new(OVERLOADED, "too many decisions wait to be logged"),
            LogError::Closed => Problem::new(STOPPING, "the server takes no more decisions"),
            LogError::Erased => Problem::of(&error, "The decision was erased with its user"),
            LogError::Io { .. } | LogError::NewerFormat { .. } | LogError::BadRecord { .. } => {
                tracing::error!(%error, "the decision log cannot be used");
                Problem::new(LOG_UNAVAILABLE, "the decision log cannot be used; the server's log says more")
            }
        }
    }
}
