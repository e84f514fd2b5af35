//! `data/outcomes/`: one row for each decision with what became of it.

use std::path::{Path, PathBuf};

use polars::prelude::*;
use serde_json::json;

use super::FeedbackError;
use super::attribution::{Attribution, Attributor, DecisionOutcome, Strays};
use super::columns::{flags, instants, numbers, texts, word_of};
use super::decided::{Decided, Logged};
use super::events::absorb_all;
use super::partitions::Partitions;
use config::Config;
use domain::time::{HOUR, Instant};
use events::lake::Lake;
use files::tables::TableError;
use files::workspace::Workspace;

/// What became of each decision of a log, in its order, from events before a moment.
///
/// # Errors
/// When the lake cannot be read.
pub fn outcomes_of(
    logged: &Logged,
    lake: &Lake,
    config: &Config,
    as_of: Instant,
) -> Result<(Vec<DecisionOutcome>, Strays), FeedbackError> {
    let decisions = logged.decisions();
    let window = config.feedback.attribution_window_hours * HOUR;
    let mut attributor = Attributor::new(decisions, &config.goals, window);
    let from = decisions.iter().map(|decided| decided.decided_at).min().unwrap_or(as_of);
    absorb_all(lake, from, as_of, &mut attributor)?;
    Ok(attributor.finish())
}

/// Writes `data/outcomes/date=YYYY-MM-DD/outcomes.parquet` by the decisions' UTC dates, sorted by id.
///
/// Equal decisions and outcomes give equal bytes. Files of an earlier export that this one does not have are removed.
///
/// # Errors
/// When a file cannot be written.
pub fn write(
    workspace: &Workspace,
    logged: &Logged,
    outcomes: &[DecisionOutcome],
    window_hours: i64,
    as_of: Instant,
) -> Result<PathBuf, FeedbackError> {
    let mut partitions = Partitions::begin(workspace.outcomes(), &["outcomes"])?;
    for (day, rows) in logged.days() {
        let frame = frame_of(&logged.decisions()[rows.clone()], &outcomes[rows]);
        let mut frame = Some(frame.map_err(TableError::parquet(Path::new("outcomes")))?);
        partitions.write(day, "outcomes", || Ok(frame.take()))?;
    }
    let about = json!({ "as_of": as_of, "attribution_window_hours": window_hours });
    Ok(partitions.finish(&about)?)
}

/// Decisions and their outcomes as a table.
///
/// # Errors
/// When there are not as many of one as of the other.
pub fn frame_of(decisions: &[Decided], outcomes: &[DecisionOutcome]) -> PolarsResult<DataFrame> {
    let mut columns = what_was_decided(decisions);
    columns.extend(what_happened(outcomes, decisions));
    columns.extend(how_it_was_decided(decisions));
    DataFrame::new(decisions.len(), columns)
}

fn what_was_decided(decisions: &[Decided]) -> Vec<Column> {
    let rows = || decisions.iter();
    vec![
        texts("decision_id", rows().map(|row| Some(row.decision_id.as_str()))),
        texts("send_id", rows().map(|row| row.send_id.as_deref())),
        texts("user_id", rows().map(|row| Some(row.user_id.as_str()))),
        texts("campaign_id", rows().map(|row| row.campaign_id.as_deref())),
        texts("action", rows().map(|row| Some(word_of(row.action)))),
        texts("content_id", rows().map(|row| row.content_id.as_deref())),
        texts("variant_id", rows().map(|row| row.variant_id.as_deref())),
        texts("channel", rows().map(|row| row.channel.as_deref())),
        instants("decided_at", rows().map(|row| Some(row.decided_at))),
        instants("send_at", rows().map(|row| row.send_at)),
    ]
}

fn what_happened(outcomes: &[DecisionOutcome], decisions: &[Decided]) -> Vec<Column> {
    let rows = || outcomes.iter();
    let money = |micros: i64| micros as f64 / 1e6;
    let events = rows().map(|row| row.goal_events);
    let rewards = rows().map(DecisionOutcome::reward);
    vec![
        instants("sent_at", rows().map(|row| row.sent_at)),
        instants("delivered_at", rows().map(|row| row.delivered_at)),
        instants("displayed_at", rows().map(|row| row.displayed_at)),
        instants("opened_at", rows().map(|row| row.opened_at)),
        instants("clicked_at", rows().map(|row| row.clicked_at)),
        instants("dismissed_at", rows().map(|row| row.dismissed_at)),
        instants("failed_at", rows().map(|row| row.failed_at)),
        instants("opted_out_at", rows().map(|row| row.opted_out_at)),
        texts("goal", decisions.iter().map(|row| Some(row.goal.as_str()))),
        instants("goal_at", rows().map(|row| row.goal_at)),
        Int64Chunked::from_iter_values("goal_events".into(), events).into_column(),
        numbers("goal_value", rows().map(|row| row.goal_value_micros.map(money))),
        Int64Chunked::from_iter_values("purchases".into(), rows().map(|row| row.purchases)).into_column(),
        numbers("revenue", rows().map(|row| row.revenue_micros.map(money))),
        texts("attribution", rows().map(|row| row.attribution.map(Attribution::as_str))),
        Int32Chunked::from_iter_values("reward".into(), rewards).into_column(),
        flags("goal_in_window", rows().map(|row| row.goal_in_window)),
    ]
}

fn how_it_was_decided(decisions: &[Decided]) -> Vec<Column> {
    let rows = || decisions.iter();
    vec![
        numbers("response_probability", rows().map(|row| row.response_probability)),
        numbers("action_probability", rows().map(|row| row.action_probability)),
        flags("explored", rows().map(|row| row.explored)),
        flags("holdout", rows().map(|row| row.holdout)),
        flags("fallback", rows().map(|row| row.fallback)),
        texts("model", rows().map(|row| row.model.as_deref())),
    ]
}
