//! `GET /v1/segments/{id}/members`: everybody in a saved segment, streamed; memory holds some chunks, however many there are.

use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use http_body::Frame;
use serde::Deserialize;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::super::ApiState;
use super::super::decisions::{path_text, reading_tables};
use super::super::problem::{FieldError, IDS_NOT_SHOWN, OVERLOADED, Problem};
use super::{entity_tag, ids_are_shown, marketer};
use ::segments::answers::export::{self, Format};
use ::segments::answers::privacy::PrivacyError;
use operations::segments::members::{MembersReport, members};

/// Bytes of a chunk, and chunks that wait for a client.
const CHUNK_BYTES: usize = 64 << 10;
const MOST_WAITING: usize = 4;

/// A client that takes no chunk for so long is given up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Parameters of an export.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct MembersQuery {
    /// csv, jsonl or parquet; csv when it is left out.
    format: Option<String>,
}

/// Everybody in a saved segment, by id
///
/// As of the newest profiles. In a CSV an id that begins with `= + - @`, a tab or a carriage return gets a `'` before it, so that
/// no spreadsheet takes it for a formula. Fewer members than the privacy threshold are not shown, and none unless the setting
/// `segments.ids_over_http` is on.
#[utoipa::path(
    get, path = "/v1/segments/{id}/members", tag = "segments",
    params(("id" = String, Path, description = "The segment's id"), MembersQuery),
    responses(
        (status = 200, description = "user_id of each, sorted; the segment's version as ETag", body = String, content_type = "text/csv"),
        (status = 403, description = "Ids are not given over HTTP"),
        (status = 404, description = "Nobody saved it, or it was deleted"),
        (status = 409, description = "There are no profiles yet"),
        (status = 422, description = "An unknown format, too few members, or a segment that cannot be evaluated"),
        (status = 503, description = "Profiles are being rebuilt, too many exports at once, or stopping"),
    )
)]
pub(crate) async fn stream(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
    query: Result<Query<MembersQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let id = path_text(id)?;
    let format = format_of(query)?;
    if !ids_are_shown(&state) {
        return Err(Problem::new(IDS_NOT_SHOWN, PrivacyError::IdsNotShown.to_string()));
    }
    let Ok(permit) = state.0.exports.clone().try_acquire_owned() else {
        return Err(Problem::new(OVERLOADED, "as many exports as may run at once are running"));
    };
    let name = id.clone();
    let MembersReport { version, people, mask } =
        reading_tables(&state, move |state| members(&state.context(), marketer(state), &id)).await?;
    let (sender, receiver) = channel(MOST_WAITING);
    let handle = Handle::current();
    tokio::task::spawn_blocking(move || {
        let mut chunks = Chunks { sender, handle, waiting: Vec::with_capacity(CHUNK_BYTES) };
        let written = export::stream(&people, &mask, format, &mut chunks).and_then(|_| chunks.end());
        if let Err(error) = written {
            tracing::warn!(%error, "members were not streamed to their end");
        }
        drop(permit);
    });
    let disposition = format!("attachment; filename=\"{name}.{}\"", format.as_str());
    let disposition = HeaderValue::from_str(&disposition).unwrap_or(HeaderValue::from_static("attachment"));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(media_type(format))),
        (header::CONTENT_DISPOSITION, disposition),
        (header::ETAG, entity_tag(&version)),
    ];
    Ok((headers, Body::new(Streamed { receiver })).into_response())
}

fn format_of(query: Result<Query<MembersQuery>, QueryRejection>) -> Result<Format, Problem> {
    let Query(query) =
        query.map_err(|rejection| Problem::invalid(vec![FieldError::at("", rejection.body_text())]))?;
    let name = query.format.as_deref().unwrap_or("csv");
    Format::parse(name)
        .ok_or_else(|| Problem::invalid(vec![FieldError::at("/format", "is not csv, jsonl or parquet")]))
}

const fn media_type(format: Format) -> &'static str {
    match format {
        Format::Csv => "text/csv; charset=utf-8",
        Format::Jsonl => "application/x-ndjson",
        Format::Parquet => "application/vnd.apache.parquet",
    }
}

/// What the thread that writes says to the one that sends.
enum Piece {
    Chunk(Bytes),
    /// All is written. Whoever hears no end was cut off.
    End,
}

/// Cuts what is written into chunks, and waits for the client to take them.
struct Chunks {
    sender: Sender<Piece>,
    handle: Handle,
    waiting: Vec<u8>,
}

impl Chunks {
    fn end(&mut self) -> io::Result<()> {
        self.flush()?;
        self.send(Piece::End)
    }

    fn send(&self, piece: Piece) -> io::Result<()> {
        let sent = self.handle.block_on(self.sender.send_timeout(piece, PATIENCE));
        sent.map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "the client has gone, or takes nothing"))
    }
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= CHUNK_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let chunk = std::mem::replace(&mut self.waiting, Vec::with_capacity(CHUNK_BYTES));
        self.send(Piece::Chunk(chunk.into()))
    }
}

/// A body whose chunks come from another thread. Without their end it fails, so that nobody takes a part for the whole.
struct Streamed {
    receiver: Receiver<Piece>,
}

impl HttpBody for Streamed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.receiver.poll_recv(context).map(|piece| match piece {
            Some(Piece::Chunk(bytes)) => Some(Ok(Frame::data(bytes))),
            Some(Piece::End) => None,
            None => Some(Err(io::Error::other("the members were not written to their end"))),
        })
    }
}
