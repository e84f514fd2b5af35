//! What went wrong, as RFC 9457 wants it: a stable type, a title, a status, a detail, and where in the request.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use engine::{EngineError, Fault, QuestionError};
use segments::language::error::Position;
use store::decision_log::LogError;

/// Content type of problems.
pub(super) const CONTENT_TYPE: &str = "application/problem+json";

/// A kind of problem: its stable code, its status, and its title.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    code: &'static str,
    status: StatusCode,
    title: &'static str,
}

const fn kind(code: &'static str, status: StatusCode, title: &'static str) -> Kind {
    Kind { code, status, title }
}

pub(super) const INVALID_JSON: Kind = kind("invalid_json", StatusCode::BAD_REQUEST, "The body is not JSON");
pub(super) const BROKEN_BODY: Kind =
    kind("broken_body", StatusCode::BAD_REQUEST, "The body cannot be read to its end");
pub(super) const INVALID_HEADER: Kind =
    kind("invalid_header", StatusCode::BAD_REQUEST, "A header cannot be used");
pub(super) const INVALID_PATH: Kind = kind("invalid_path", StatusCode::BAD_REQUEST, "The path is not UTF-8");
pub(super) const UNKNOWN_ROUTE: Kind =
    kind("unknown_route", StatusCode::NOT_FOUND, "There is nothing at this path");
pub(super) const UNKNOWN_CAMPAIGN: Kind =
    kind("unknown_campaign", StatusCode::NOT_FOUND, "There is no such campaign");
pub(super) const UNKNOWN_CONTENT: Kind =
    kind("unknown_content", StatusCode::NOT_FOUND, "There is no such content");
pub(super) const UNKNOWN_DECISION: Kind =
    kind("unknown_decision", StatusCode::NOT_FOUND, "There is no such decision");
pub(super) const METHOD_NOT_ALLOWED: Kind =
    kind("method_not_allowed", StatusCode::METHOD_NOT_ALLOWED, "This path has other methods");
pub(super) const REQUEST_TIMEOUT: Kind =
    kind("request_timeout", StatusCode::REQUEST_TIMEOUT, "The request took too long");
pub(super) const UNKNOWN_MODEL: Kind =
    kind("unknown_model", StatusCode::CONFLICT, "The decision's model is not here any more");
pub(super) const BODY_TOO_LARGE: Kind =
    kind("body_too_large", StatusCode::PAYLOAD_TOO_LARGE, "The body is too large");
pub(super) const TOO_MANY_ITEMS: Kind =
    kind("too_many_items", StatusCode::PAYLOAD_TOO_LARGE, "The batch has too many items");
pub(super) const UNSUPPORTED_MEDIA_TYPE: Kind = kind(
    "unsupported_media_type",
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    "The body's type or coding is not taken",
);
pub(super) const INVALID_REQUEST: Kind =
    kind("invalid_request", StatusCode::UNPROCESSABLE_ENTITY, "The request cannot be meant so");
pub(super) const IDEMPOTENCY_CONFLICT: Kind =
    kind("idempotency_conflict", StatusCode::UNPROCESSABLE_ENTITY, "The key was used with another request");
pub(super) const PRECONDITION_FAILED: Kind =
    kind("precondition_failed", StatusCode::PRECONDITION_FAILED, "It is not the version that was expected");
pub(super) const NO_PROFILES: Kind =
    kind("no_profiles", StatusCode::CONFLICT, "There are no profiles to answer from");
pub(super) const PROFILES_CHANGED: Kind =
    kind("profiles_changed", StatusCode::SERVICE_UNAVAILABLE, "Profiles are being rebuilt");
pub(super) const WORKSPACE_LOCKED: Kind =
    kind("workspace_locked", StatusCode::SERVICE_UNAVAILABLE, "Another process writes to the workspace");
pub(super) const INTERNAL_ERROR: Kind =
    kind("internal_error", StatusCode::INTERNAL_SERVER_ERROR, "We have made a mistake");
pub(super) const OVERLOADED: Kind =
    kind("overloaded", StatusCode::SERVICE_UNAVAILABLE, "Too much is asked at once");
pub(super) const LOG_UNAVAILABLE: Kind =
    kind("log_unavailable", StatusCode::SERVICE_UNAVAILABLE, "The decision log cannot be used");
pub(super) const STOPPING: Kind = kind("stopping", StatusCode::SERVICE_UNAVAILABLE, "The server is stopping");

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
    errors: Vec<Fault>,
    /// Where in a segment's text.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<Box<Position>>,
    /// What was probably meant, to stand at that place.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    suggestion: Option<Box<str>>,
}

impl Problem {
    pub(super) fn new(kind: Kind, detail: impl Into<String>) -> Problem {
        Problem {
            type_uri: format!("/problems/{}", kind.code),
            title: kind.title,
            status: kind.status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
            position: None,
            suggestion: None,
        }
    }

    /// A problem whose code begins the text, as on the command line.
    pub(super) fn coded(status: StatusCode, title: &'static str, detail: String) -> Problem {
        let code = detail.split(':').next().unwrap_or_default();
        Problem {
            type_uri: format!("/problems/{code}"),
            title,
            status: status.as_u16(),
            ..Problem::new(INTERNAL_ERROR, detail)
        }
    }

    /// The same problem at a place of the body.
    pub(super) fn at(mut self, pointer: impl Into<String>) -> Problem {
        self.errors = vec![Fault::at(pointer, self.detail.clone())];
        self
    }

    /// The same with the place in a segment's text, and what was probably meant there.
    pub(super) fn hinting(self, position: Option<Position>, suggestion: Option<String>) -> Problem {
        let (position, suggestion) = (position.map(Box::new), suggestion.map(Into::into));
        Problem { position, suggestion, ..self }
    }

    /// Does it name a fault below this pointer?
    pub(super) fn is_below(&self, pointer: &str) -> bool {
        self.errors.iter().any(|fault| fault.pointer.starts_with(pointer))
    }

    /// The same under another code, which also begins its text.
    pub(super) fn recoded(mut self, code: &str, title: &'static str) -> Problem {
        self.type_uri = format!("/problems/{code}");
        self.title = title;
        self.detail = format!("{code}: {}", self.detail);
        self
    }

    /// A request that reads well and cannot be meant so.
    pub(super) fn invalid(faults: Vec<Fault>) -> Problem {
        let detail = match faults.as_slice() {
            [one] => format!("{} {}", one.pointer, one.detail),
            many => format!("{} faults", many.len()),
        };
        Problem { errors: faults, ..Problem::new(INVALID_REQUEST, detail) }
    }

    /// Its status.
    pub(super) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
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
        let detail = error.to_string();
        match error {
            EngineError::Question(QuestionError::Invalid(faults)) => Problem::invalid(faults),
            EngineError::Question(QuestionError::UnknownCampaign(_)) => {
                Problem::new(UNKNOWN_CAMPAIGN, detail)
            }
            EngineError::IdempotencyConflict(_) => Problem::new(IDEMPOTENCY_CONFLICT, detail),
            EngineError::UnknownDecision(_) => Problem::new(UNKNOWN_DECISION, detail),
            EngineError::UnknownModel { .. } => Problem::new(UNKNOWN_MODEL, detail),
            EngineError::Log(error) => error.into(),
            EngineError::Table(_) | EngineError::Lake(_) | EngineError::Profile(_) => {
                tracing::error!(%detail, "a request met a table that cannot be read");
                Problem::new(INTERNAL_ERROR, "the workspace cannot be read; the server's log says more")
            }
        }
    }
}

impl From<LogError> for Problem {
    fn from(error: LogError) -> Problem {
        match error {
            LogError::Overloaded => Problem::new(OVERLOADED, "too many decisions wait to be logged"),
            LogError::Closed => Problem::new(STOPPING, "the server takes no more decisions"),
            LogError::Io { .. } | LogError::NewerFormat { .. } | LogError::BadRecord { .. } => {
                tracing::error!(%error, "the decision log cannot be used");
                Problem::new(LOG_UNAVAILABLE, "the decision log cannot be used; the server's log says more")
            }
        }
    }
}
