//! The HTTP interface: one file for each resource; `router` is its table of contents.

mod body;
mod clock;
mod connections;
mod contents;
mod decisions;
mod guards;
mod health;
mod problem;
mod segments;
mod server;
mod users;
pub mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::get;
use tokio::sync::Semaphore;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub use clock::Clock;
pub use health::Metrics;
pub use problem::{Problem, status_of};
pub use server::serve;

use ::segments::answers::cache::PeopleCache;
use config::ServeConfig;
use engine::{Engine, Refresher};
use operations::context::{Context, NoProgress};

/// Requests that read the decision log at once.
const LOG_READERS: usize = 2;

/// Requests that read tables at once: a slow one keeps nobody from the log.
const TABLE_READERS: usize = 2;

/// What every request may use.
#[derive(Clone)]
pub struct ApiState(Arc<SharedState>);

struct SharedState {
    engine: Arc<Engine>,
    refresher: Refresher,
    clock: Clock,
    metrics: Metrics,
    config: ServeConfig,
    log_readers: Arc<Semaphore>,
    table_readers: Arc<Semaphore>,
    people: PeopleCache,
    exports: Arc<Semaphore>,
    in_flight: AtomicUsize,
    is_stopping: AtomicBool,
}

impl ApiState {
    /// The state of a server.
    pub fn new(
        engine: Arc<Engine>,
        refresher: Refresher,
        clock: Clock,
        metrics: Metrics,
        config: ServeConfig,
    ) -> ApiState {
        ApiState(Arc::new(SharedState {
            engine,
            refresher,
            clock,
            metrics,
            config,
            log_readers: Arc::new(Semaphore::new(LOG_READERS)),
            table_readers: Arc::new(Semaphore::new(TABLE_READERS)),
            people: PeopleCache::default(),
            exports: Arc::new(Semaphore::new(segments::MOST_EXPORTS)),
            in_flight: AtomicUsize::new(0),
            is_stopping: AtomicBool::new(false),
        }))
    }

    /// From now on `/readyz` says no.
    pub fn say_stopping(&self) {
        self.0.is_stopping.store(true, Ordering::Relaxed);
    }

    fn engine(&self) -> &Arc<Engine> {
        &self.0.engine
    }

    fn config(&self) -> &ServeConfig {
        &self.0.config
    }

    /// What operations work with, now.
    fn context(&self) -> Context<'_> {
        let (engine, now) = (self.engine(), self.0.clock.now());
        Context { workspace: engine.workspace(), config: engine.config(), now, progress: &NoProgress }
    }
}

/// The document's head; paths and schemas come from the routes.
#[derive(OpenApi)]
#[openapi(
    info(title = "smartpush", description = "What to push to a user, when, and whether to push at all."),
    tags(
        (name = "decisions", description = "What and when for a user"),
        (name = "contents", description = "What a content looks like"),
        (name = "users", description = "A user's hours"),
        (name = "segments", description = "Who should get this, and how many they are, as a marketer may see it"),
        (name = "operations", description = "Is the server well?")
    ),
    components(schemas(Problem))
)]
struct Document;

/// Every route.
pub fn router(state: ApiState) -> Router {
    let (routes, mut document) = OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(decisions::decide))
        .routes(routes!(decisions::decide_batch))
        .routes(routes!(decisions::show))
        .routes(routes!(decisions::explain))
        .routes(routes!(users::send_time))
        .routes(routes!(contents::show_preview))
        .routes(routes!(segments::fields::show))
        .routes(routes!(segments::list))
        .routes(routes!(segments::show, segments::save, segments::delete))
        .routes(routes!(segments::preview::preview))
        .routes(routes!(segments::preview::overlap))
        .routes(routes!(segments::members::stream))
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(health::metrics))
        .split_for_parts();
    problem::describe_problems(&mut document);
    let document = document.to_json().unwrap_or_else(|error| unreachable!("plain data: {error}"));
    let routes = routes
        .route("/openapi.json", get(|| async move { json(document) }))
        .route("/", get(|| async { "smartpush: see /openapi.json for what can be asked here\n" }))
        .fallback(guards::unknown_route)
        .method_not_allowed_fallback(guards::method_not_allowed);
    guards::guard(routes, &state).with_state(state)
}

/// A body that is JSON already.
fn json(text: impl Into<axum::body::Body>) -> axum::response::Response {
    ([(header::CONTENT_TYPE, "application/json")], text.into()).into_response()
}
