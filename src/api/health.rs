//! Is the server well: alive, ready, and what it counts.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde_json::json;

use super::ApiState;
use super::problem::Problem;
use domain::time::SECOND;
use engine::WatchedFindings;

/// Upper ends of the latency histogram, in seconds.
const LATENCIES: [f64; 14] =
    [0.000_25, 0.000_5, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.125, 0.25, 0.5, 1.0, 5.0];

/// How often counted durations are folded into their histograms.
const UPKEEP: Duration = Duration::from_secs(5);

/// What the process counts, as text for Prometheus.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
}

impl Metrics {
    /// Starts counting, for the whole process.
    ///
    /// # Errors
    /// When something else counts already.
    pub fn install() -> Result<Metrics, String> {
        let latency = Matcher::Full("smartpush_http_request_seconds".to_string());
        let builder = PrometheusBuilder::new().set_buckets_for_metric(latency, &LATENCIES);
        let recorder = builder.map_err(|error| error.to_string())?.build_recorder();
        let handle = recorder.handle();
        metrics::set_global_recorder(recorder).map_err(|error| error.to_string())?;
        Ok(Metrics { handle })
    }

    /// Keeps memory bounded while nobody reads the metrics.
    pub(super) async fn keep_up(self) {
        loop {
            tokio::time::sleep(UPKEEP).await;
            self.handle.run_upkeep();
        }
    }
}

/// Does the process answer?
#[utoipa::path(
    get, path = "/healthz", tag = "operations",
    responses((status = 200, description = "It does", body = Object, example = json!({"status": "ok"})))
)]
pub(super) async fn healthz() -> Response {
    super::json(r#"{"status":"ok"}"#)
}

/// May it be asked? What it rests on, and how refreshing goes
///
/// A workspace that cannot be read any more does not make the server unready: the former snapshot stays in force, and
/// `refresh.last_error` says why.
#[utoipa::path(
    get, path = "/readyz", tag = "operations",
    responses(
        (status = 200, description = "It may", body = Object),
        (status = 503, description = "It is stopping"),
    )
)]
pub(super) async fn readyz(State(state): State<ApiState>) -> Result<Response, Problem> {
    if state.0.is_stopping.load(Ordering::Relaxed) {
        return Err(Problem::new(super::problem::STOPPING, "the server finishes what it has begun"));
    }
    let (snapshot, refresh) = (state.engine().snapshot(), state.0.refresher.state());
    let sizes: serde_json::Map<String, serde_json::Value> =
        snapshot.sizes().into_iter().map(|(name, size)| (name.to_string(), size.into())).collect();
    let body = json!({
        "status": "ready",
        "now": state.0.clock.now(),
        "clock": if state.0.clock.is_virtual() { "virtual" } else { "real" },
        "snapshot": { "as_of": snapshot.as_of(), "newest_event": snapshot.newest(), "sizes": sizes, "model_faults": snapshot.model_errors() },
        "refresh": {
            "refreshed": refresh.refreshed, "failed": refresh.failed,
            "last_error": refresh.last_error, "last_seconds": refresh.last_seconds,
        },
        "log_queue": state.engine().log_queue(),
    });
    Ok(super::json(body.to_string()))
}

/// Sets the gauges of what was found last about data and champions.
fn show_findings(findings: &WatchedFindings) {
    if let Some(failed) = findings.failed_checks {
        metrics::gauge!("smartpush_data_checks_failed").set(failed as f64);
    }
    for champion in &findings.champions {
        let goal = &champion.goal;
        metrics::gauge!("smartpush_champion_psi", "goal" => goal.clone()).set(champion.psi);
        metrics::gauge!("smartpush_champion_drifted", "goal" => goal.clone())
            .set(f64::from(u8::from(champion.is_drifted)));
        if let Some(ratio) = champion.calibration_ratio {
            metrics::gauge!("smartpush_champion_calibration_ratio", "goal" => goal.clone()).set(ratio);
        }
    }
}

/// What the process counts, in the text format of Prometheus
#[utoipa::path(
    get, path = "/metrics", tag = "operations",
    responses((status = 200, description = "Counters, gauges and histograms", body = String, content_type = "text/plain"))
)]
pub(super) async fn metrics(State(state): State<ApiState>) -> Response {
    let (snapshot, refresh) = (state.engine().snapshot(), state.0.refresher.state());
    let seconds = |micros: i64| micros as f64 / SECOND as f64;
    let as_of = snapshot.as_of().micros();
    metrics::gauge!("smartpush_snapshot_as_of_seconds").set(seconds(as_of));
    metrics::gauge!("smartpush_snapshot_age_seconds").set(seconds(state.0.clock.now().micros() - as_of));
    metrics::gauge!("smartpush_log_queue").set(state.engine().log_queue() as f64);
    metrics::gauge!("smartpush_requests_in_flight").set(state.0.in_flight.load(Ordering::Relaxed) as f64);
    metrics::counter!("smartpush_refreshes_total", "outcome" => "done").absolute(refresh.refreshed);
    metrics::counter!("smartpush_refreshes_total", "outcome" => "failed").absolute(refresh.failed);
    show_findings(&state.0.refresher.findings());
    let text = state.0.metrics.handle.render();
    (StatusCode::OK, [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text)
        .into_response()
}
