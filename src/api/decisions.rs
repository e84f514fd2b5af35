//! `/v1/decisions`: what and when for a user, one or many at a time; what was decided before, and why.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use super::body::{JsonBody, LinesBody, parse};
use super::problem::{INTERNAL_ERROR, INVALID_HEADER, INVALID_PATH, Problem, STOPPING, TOO_MANY_ITEMS};
use super::wire::decision::DecisionBody;
use super::wire::explanation::ExplanationBody;
use super::wire::question::Question;
use super::{ApiState, json};
use domain::decision::Action;
use domain::identity::{NOT_AN_ID, is_valid_id};
use engine::{Answer, DecisionQuestion};

/// Name of the header under which the same question gets the same answer.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// What to push to a user, when, and whether to push at all
///
/// Without a campaign, those that run compete; without contents, all that are alive. The answer is in the decision log
/// before it is given. A user nobody knows is no error: he is not sent to, since nobody knows his consent.
#[utoipa::path(
    post, path = "/v1/decisions", tag = "decisions",
    request_body(content = Question, content_type = "application/json"),
    params(("Idempotency-Key" = Option<String>, Header,
        description = "1 to 128 bytes; the same question under the same key gets the same decision")),
    responses(
        (status = 200, description = "The decision", body = DecisionBody),
        (status = 400, description = "Not JSON, a body cut short, or a bad header"),
        (status = 404, description = "No such campaign"),
        (status = 408, description = "The request came too slowly"),
        (status = 413, description = "The body is too large"),
        (status = 415, description = "Not application/json, or an unknown coding"),
        (status = 422, description = "Fields that cannot be meant so, by JSON pointer; or a key used before for another question"),
        (status = 503, description = "Overloaded, stopping, or the log cannot be written; nothing was decided"),
    )
)]
pub(super) async fn decide(
    State(state): State<ApiState>,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Response, Problem> {
    let key = idempotency_key(&headers)?;
    let question: DecisionQuestion = body.parse::<Question>()?.into();
    let answer = match key {
        None => ask(&state, &question, None)?,
        // It may wait for another request under its key, or read the log: not on a thread that others need.
        Some(key) => blocking(move || ask(&state, &question, Some(&key))).await??,
    };
    Ok(json(logged(answer).await?))
}

/// Many questions at once, one JSON object a line
///
/// Answers come in the order of the questions, each a decision or a problem. An idempotency key stands for the whole
/// batch: each item has it with its index.
#[utoipa::path(
    post, path = "/v1/decisions:batch", tag = "decisions",
    request_body(content = Question, content_type = "application/x-ndjson", description = "A question a line, at most 1,000"),
    params(("Idempotency-Key" = Option<String>, Header, description = "As for one; each item is told apart by its index")),
    responses(
        (status = 200, description = "A decision or a problem a line", body = DecisionBody, content_type = "application/x-ndjson"),
        (status = 400, description = "A body cut short, or a bad header"),
        (status = 408, description = "The request came too slowly"),
        (status = 413, description = "The body is too large, or has too many items"),
        (status = 415, description = "Not application/x-ndjson, or an unknown coding"),
        (status = 503, description = "Overloaded or stopping"),
    )
)]
pub(super) async fn decide_batch(
    State(state): State<ApiState>,
    headers: HeaderMap,
    body: LinesBody,
) -> Result<Response, Problem> {
    let key = idempotency_key(&headers)?;
    let most = state.config().max_batch_items;
    if body.lines().nth(most).is_some() {
        return Err(Problem::new(TOO_MANY_ITEMS, format!("a batch may have {most} items")));
    }
    // A thousand decisions take a while: not on a thread that others wait for.
    let answers = blocking(move || {
        let answer = |(index, line): (usize, &[u8])| {
            let key = key.as_ref().map(|key| format!("{key}#{index}"));
            ask(&state, &parse::<Question>(line)?.into(), key.as_deref())
        };
        body.lines().enumerate().map(answer).collect::<Vec<_>>()
    })
    .await?;
    let mut lines = Vec::new();
    for answer in answers {
        let line = match answer {
            Ok(answer) => logged(answer).await,
            Err(problem) => Err(problem),
        };
        lines.push(line.unwrap_or_else(|problem| serde_json::to_string(&problem).unwrap_or_default()));
        lines.push("\n".to_string());
    }
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from(lines.concat())).into_response())
}

/// A decision that was given out
#[utoipa::path(
    get, path = "/v1/decisions/{id}", tag = "decisions",
    params(("id" = String, Path, description = "The decision's id")),
    responses(
        (status = 200, description = "The decision as it was given out", body = DecisionBody),
        (status = 404, description = "No such decision"),
        (status = 503, description = "The log cannot be read"),
    )
)]
pub(super) async fn show(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let id = path_text(id)?;
    let answer = reading_log(&state, move |state| state.engine().decision(&id)).await?;
    Ok(json(logged(answer).await?))
}

/// Why a decision came out as it did
#[utoipa::path(
    get, path = "/v1/decisions/{id}/explain", tag = "decisions",
    params(("id" = String, Path, description = "The decision's id")),
    responses(
        (status = 200, description = "Every input's share of the logit, refusals by rule, the second best, and sentences in English and Chinese", body = ExplanationBody),
        (status = 404, description = "No such decision"),
        (status = 409, description = "Its model is not here any more"),
        (status = 503, description = "The log cannot be read"),
    )
)]
pub(super) async fn explain(
    State(state): State<ApiState>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let id = path_text(id)?;
    let explanation = reading_log(&state, move |state| state.engine().explain(&id)).await?;
    Ok(json(serde_json::to_string(&explanation).unwrap_or_default()))
}

/// The text of a path's parameter.
pub(super) fn path_text(id: Result<Path<String>, PathRejection>) -> Result<String, Problem> {
    id.map(|Path(id)| id).map_err(|rejection| Problem::new(INVALID_PATH, rejection.body_text()))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let invalid = || Problem::new(INVALID_HEADER, format!("Idempotency-Key {NOT_AN_ID}"));
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let key = std::str::from_utf8(value.as_bytes()).map_err(|_| invalid())?;
    if values.next().is_some() || !is_valid_id(key) {
        return Err(invalid());
    }
    Ok(Some(key.to_string()))
}

/// Decides on this thread: without a key it takes a fraction of a millisecond.
fn ask(state: &ApiState, question: &DecisionQuestion, key: Option<&str>) -> Result<Answer, Problem> {
    let answer = state.engine().decide(question, key, state.0.clock.now())?;
    let action = match answer.action {
        Action::Send => "send",
        Action::Hold => "hold",
        Action::NoSend => "no_send",
    };
    metrics::counter!("smartpush_decisions_total", "action" => action).increment(1);
    Ok(answer)
}

/// The answer's text, once it may be given.
async fn logged(answer: Answer) -> Result<String, Problem> {
    answer.ack.await?;
    Ok(answer.text.to_string())
}

/// Looks for something that may have to be read from the decision log.
async fn reading_log<T, E>(
    state: &ApiState,
    look: impl FnOnce(&ApiState) -> Result<T, E> + Send + 'static,
) -> Result<T, Problem>
where
    T: Send + 'static,
    E: Send + 'static,
    Problem: From<E>,
{
    with_permit(&state.0.log_readers, state, look).await
}

/// Looks for something that may have to be read from tables.
pub(super) async fn reading_tables<T, E>(
    state: &ApiState,
    look: impl FnOnce(&ApiState) -> Result<T, E> + Send + 'static,
) -> Result<T, Problem>
where
    T: Send + 'static,
    E: Send + 'static,
    Problem: From<E>,
{
    with_permit(&state.0.table_readers, state, look).await
}

async fn with_permit<T, E>(
    permits: &Arc<Semaphore>,
    state: &ApiState,
    look: impl FnOnce(&ApiState) -> Result<T, E> + Send + 'static,
) -> Result<T, Problem>
where
    T: Send + 'static,
    E: Send + 'static,
    Problem: From<E>,
{
    let closed = |_| Problem::new(STOPPING, "the server is stopping");
    let permit = Arc::clone(permits).acquire_owned().await.map_err(closed)?;
    let state = state.clone();
    let work = move || {
        // Given back when the work is done, also when its request has timed out meanwhile.
        let _permit = permit;
        look(&state)
    };
    Ok(blocking(work).await??)
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "a request has panicked");
        Problem::new(INTERNAL_ERROR, "the server's log says more")
    })
}
