//! Bodies: of the right type, not too large, decompressed, and read into what they should be, or a named problem.

use std::future::poll_fn;
use std::io::Read;
use std::pin::Pin;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use serde::de::{DeserializeOwned, IgnoredAny};

use super::ApiState;
use super::problem::{
    BODY_TOO_LARGE, BROKEN_BODY, FieldError, INVALID_JSON, Problem, UNSUPPORTED_MEDIA_TYPE,
};
use domain::pointer;

/// Media types of one JSON text.
const JSON: &[&str] = &["application/json"];
/// Media types of one JSON text a line.
const LINES: &[&str] =
    &["application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"];

/// Bytes beyond a body's limit that are still read, so that its sender hears of the limit.
const LONGEST_OVERRUN: usize = 8 << 20;

/// The bytes of a JSON body.
pub(super) struct JsonBody(Bytes);

/// The bytes of an NDJSON body.
pub(super) struct LinesBody(Bytes);

impl FromRequest<ApiState> for JsonBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &ApiState) -> Result<JsonBody, Problem> {
        read(request, state, JSON).await.map(JsonBody)
    }
}

impl FromRequest<ApiState> for LinesBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &ApiState) -> Result<LinesBody, Problem> {
        read(request, state, LINES).await.map(LinesBody)
    }
}

impl JsonBody {
    /// The body as what it should be.
    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        parse(&self.0)
    }
}

impl LinesBody {
    /// Lines that hold something.
    pub(super) fn lines(&self) -> impl Iterator<Item = &[u8]> {
        self.0.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty())
    }
}

async fn read(request: Request, state: &ApiState, types: &[&str]) -> Result<Bytes, Problem> {
    check_type(request.headers(), types)?;
    let is_compressed = is_gzip(request.headers())?;
    let most = state.config().max_body_bytes;
    let bytes = collect(request.into_body(), most).await?;
    if is_compressed { decompress(&bytes, state.config().max_decoded_bytes) } else { Ok(bytes) }
}

/// Reads a body of at most so many bytes.
///
/// A longer one is read on for a while and forgotten: a client that is cut off while it writes never sees why.
async fn collect(mut body: Body, most: usize) -> Result<Bytes, Problem> {
    let (mut bytes, mut length) = (Vec::new(), 0);
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|error| Problem::new(BROKEN_BODY, error.to_string()))?;
        let Ok(data) = frame.into_data() else { continue };
        length += data.len();
        if length > most.saturating_add(LONGEST_OVERRUN) {
            break;
        }
        if length <= most {
            bytes.extend_from_slice(&data);
        }
    }
    match length > most {
        true => Err(Problem::new(BODY_TOO_LARGE, format!("a body may have {most} bytes"))),
        false => Ok(bytes.into()),
    }
}

fn check_type(headers: &HeaderMap, types: &[&str]) -> Result<(), Problem> {
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = types == JSON && essence.starts_with("application/") && essence.ends_with("+json");
    if is_json || types.contains(&essence.as_str()) {
        return Ok(());
    }
    let shown: String = essence.chars().take(64).collect();
    Err(Problem::new(UNSUPPORTED_MEDIA_TYPE, format!("content-type {shown:?} is not {}", types.join(" or "))))
}

fn is_gzip(headers: &HeaderMap) -> Result<bool, Problem> {
    let coding = headers.get(header::CONTENT_ENCODING).map(|value| value.as_bytes().to_ascii_lowercase());
    match coding.as_deref() {
        None | Some(b"identity") => Ok(false),
        Some(b"gzip" | b"x-gzip") => Ok(true),
        Some(_) => Err(Problem::new(UNSUPPORTED_MEDIA_TYPE, "content-encoding is neither gzip nor identity")),
    }
}

fn decompress(bytes: &[u8], most: usize) -> Result<Bytes, Problem> {
    let mut decoded = Vec::new();
    let mut reader = flate2::read::MultiGzDecoder::new(bytes).take(most as u64 + 1);
    match reader.read_to_end(&mut decoded) {
        Ok(_) if decoded.len() <= most => Ok(decoded.into()),
        Ok(_) => Err(Problem::new(BODY_TOO_LARGE, format!("a body may have {most} bytes once decompressed"))),
        Err(error) => Err(Problem::new(BROKEN_BODY, format!("not gzip: {error}"))),
    }
}

/// Reads one JSON object: 400 when it is no JSON, 422 with a pointer when it is not what it should be.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let not_json = |error: serde_json::Error| Problem::new(INVALID_JSON, error.to_string());
    // JSON is UTF-8 (RFC 8259); serde would put it down to a field.
    std::str::from_utf8(bytes).map_err(|error| Problem::new(INVALID_JSON, error.to_string()))?;
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    match serde_path_to_error::deserialize(&mut deserializer) {
        // serde would take a list for an object's fields in their order; we do not.
        Ok(value) if bytes.trim_ascii_start().starts_with(b"{") => {
            deserializer.end().map_err(not_json)?;
            Ok(value)
        }
        Ok(_) => Err(Problem::invalid(vec![FieldError::at("", "is not a JSON object")])),
        // What stands behind the first error may be no JSON at all.
        Err(error) => match serde_json::from_slice::<IgnoredAny>(bytes) {
            Ok(_) => Err(Problem::invalid(vec![error_of(&error)])),
            Err(error) => Err(not_json(error)),
        },
    }
}

fn error_of(error: &serde_path_to_error::Error<serde_json::Error>) -> FieldError {
    let pointer = pointer::of_path(error.path());
    // Where it stands in the text says less than the pointer.
    let text = error.inner().to_string();
    let detail = text.split(" at line ").next().unwrap_or_default();
    FieldError::at(
        pointer.chars().take(256).collect::<String>(),
        detail.chars().take(256).collect::<String>(),
    )
}
