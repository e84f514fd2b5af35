//! What stands around every request: counting, a bound on how many run at once, a time limit, and a net for panics.

use std::any::Any;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant as Stopwatch};

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{Method, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;

use super::ApiState;
use super::problem::{
    INTERNAL_ERROR, METHOD_NOT_ALLOWED, OVERLOADED, Problem, REQUEST_TIMEOUT, UNKNOWN_ROUTE,
};

/// Puts the guards around all routes.
pub(super) fn guard(routes: Router<ApiState>, state: &ApiState) -> Router<ApiState> {
    routes
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(state.clone(), within_time))
        .layer(from_fn_with_state(state.clone(), when_there_is_room))
        .layer(from_fn_with_state(state.clone(), counted))
}

/// Nothing at this path.
pub(super) async fn unknown_route(uri: Uri) -> Problem {
    Problem::new(
        UNKNOWN_ROUTE,
        format!("{:?} is no path of this server; /openapi.json lists them", shown(&uri)),
    )
}

/// Something at this path, but for other methods.
pub(super) async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    Problem::new(METHOD_NOT_ALLOWED, format!("{method} is not for {:?}", shown(&uri)))
}

fn shown(uri: &Uri) -> String {
    uri.path().chars().take(128).collect()
}

fn panicked(_: Box<dyn Any + Send>) -> Response {
    tracing::error!("a request has panicked");
    Problem::new(INTERNAL_ERROR, "the server's log says more").into_response()
}

async fn within_time(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let limit = Duration::from_secs(state.config().request_timeout_seconds);
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail = format!("it was not done after {} s", limit.as_secs());
            Problem::new(REQUEST_TIMEOUT, detail).into_response()
        }
    }
}

/// Counts a request for as long as it runs, also when its client gives up and it is dropped.
struct InFlight<'a>(&'a ApiState);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn when_there_is_room(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let running = state.0.in_flight.fetch_add(1, Ordering::Relaxed);
    let _one = InFlight(&state);
    if running >= state.config().most_requests {
        return Problem::new(OVERLOADED, format!("{running} requests are being worked on")).into_response();
    }
    next.run(request).await
}

async fn counted(State(_): State<ApiState>, request: Request, next: Next) -> Response {
    let watch = Stopwatch::now();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.map_or_else(|| "unknown".to_string(), |path| path.as_str().to_string());
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    metrics::counter!("smartpush_http_requests_total", "route" => route.clone(), "status" => status)
        .increment(1);
    metrics::histogram!("smartpush_http_request_seconds", "route" => route)
        .record(watch.elapsed().as_secs_f64());
    response
}
