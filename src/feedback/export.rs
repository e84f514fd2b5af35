//! `data/decisions/date=…/`: the log as two tables, the decisions and the arms that each could choose among.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use polars::prelude::*;
use serde::Serialize;
use serde_json::json;

use super::FeedbackError;
use super::columns::{flags, instants, numbers, texts, word_of};
use super::decided::Logged;
use super::partitions::Partitions;
use decisions::scorer::Scorer;
use decisions::{AllowedArm, allowed_arms};
use domain::decision::{Action, Decision};
use domain::time::{Day, Instant};
use files::tables::TableError;
use files::workspace::Workspace;
use store::decision_log::Record;
use store::whole_log::{LinePosition, records_at};

/// Bytes of JSON whose records are in memory at once, but for a single larger one.
const CHUNK_BYTES: usize = 32 << 20;

/// Probabilities that differ by more are not the same.
const TOLERANCE: f64 = 1e-9;

/// What was exported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Decisions.
    pub decisions: u64,
    /// Their allowed arms.
    pub arms: u64,
    /// Decisions whose model is gone, so that nobody knows their arms.
    pub without_model: u64,
    /// Sends whose arms, made again, do not hold the one that was sent with the probability that was logged.
    pub differing: u64,
    /// Where.
    pub path: PathBuf,
}

/// Writes `decisions.parquet` and `arms.parquet` for each UTC date, sorted by id, from the log alone.
///
/// The probabilities of a send's arms sum to 1. `scorer_of` gives the scorer that a record was made with. Memory holds one
/// chunk of records, and of one day the columns of its decisions. Equal logs give equal bytes.
///
/// # Errors
/// When the log cannot be read, or a file cannot be written.
pub fn export<S: Scorer>(
    workspace: &Workspace,
    logged: &Logged,
    as_of: Instant,
    mut scorer_of: impl FnMut(&Record) -> Option<Arc<S>>,
) -> Result<Exported, FeedbackError> {
    let mut exported = Exported::default();
    let mut partitions = Partitions::begin(workspace.decisions(), &["decisions", "arms"])?;
    for (day, rows) in logged.days() {
        exported.decisions += rows.len() as u64;
        let mut arms = |record: &Record| exported.arms_of(record, &mut scorer_of);
        write_day(&mut partitions, day, logged.positions(rows), &mut arms)?;
    }
    exported.path = partitions.finish(&json!({ "as_of": as_of }))?;
    Ok(exported)
}

/// Both files of a day.
fn write_day(
    partitions: &mut Partitions,
    day: Day,
    positions: &[LinePosition],
    arms_of: &mut impl FnMut(&Record) -> Vec<ArmRow>,
) -> Result<(), FeedbackError> {
    let (mut chunks, mut decisions) = (chunks_of(positions).into_iter(), Vec::new());
    partitions.write(day, "arms", || {
        let Some(positions) = chunks.next() else { return Ok(None) };
        let records = records_at(positions)?;
        decisions.push(decisions_frame(&records).map_err(in_export)?);
        let rows: Vec<ArmRow> = records.iter().flat_map(&mut *arms_of).collect();
        Ok(Some(arms_frame(&rows).map_err(in_export)?))
    })?;
    let mut decisions = decisions.into_iter();
    partitions.write(day, "decisions", || Ok(decisions.next()))?;
    Ok(())
}

fn in_export(error: PolarsError) -> TableError {
    TableError::parquet(Path::new("decisions"))(error)
}

/// Positions in runs of about as many bytes as memory should hold.
fn chunks_of(positions: &[LinePosition]) -> Vec<&[LinePosition]> {
    let (mut chunks, mut from, mut bytes) = (Vec::new(), 0, 0);
    for (index, position) in positions.iter().enumerate() {
        if bytes > 0 && bytes + position.bytes > CHUNK_BYTES {
            chunks.push(&positions[from..index]);
            (from, bytes) = (index, 0);
        }
        bytes += position.bytes;
    }
    chunks.push(&positions[from..]);
    chunks
}

/// One arm of one decision.
struct ArmRow {
    decision_id: String,
    user_id: String,
    campaign_id: Option<String>,
    arm: AllowedArm,
    is_chosen: bool,
}

impl Exported {
    /// The arms of a record, the chosen one marked, and counted.
    fn arms_of<S: Scorer>(
        &mut self,
        record: &Record,
        scorer_of: &mut impl FnMut(&Record) -> Option<Arc<S>>,
    ) -> Vec<ArmRow> {
        let Some(scorer) = scorer_of(record) else {
            self.without_model += 1;
            return Vec::new();
        };
        let decision = &record.decision;
        let mut arms = allowed_arms(&record.context, &*scorer);
        arms.sort_by(|one, other| order(one).cmp(&order(other)));
        let chosen = chosen(decision, &arms);
        self.arms += arms.len() as u64;
        self.differing += u64::from(decision.action == Action::Send && !is_logged(decision, &arms, chosen));
        let row = |(index, arm)| ArmRow {
            decision_id: decision.decision_id.clone(),
            user_id: decision.user_id.clone(),
            campaign_id: decision.campaign_id.clone(),
            arm,
            is_chosen: Some(index) == chosen,
        };
        arms.into_iter().enumerate().map(row).collect()
    }
}

fn order(arm: &AllowedArm) -> (&str, Option<&str>, &str, Instant) {
    (&arm.content_id, arm.variant_id.as_deref(), &arm.channel, arm.slot_start)
}

/// The arm that was sent: of its content, variant and channel the last slot that begins by then.
fn chosen(decision: &Decision, arms: &[AllowedArm]) -> Option<usize> {
    let send_at = decision.send_at?;
    let is_same = |arm: &AllowedArm| {
        decision.content_id.as_ref() == Some(&arm.content_id)
            && decision.variant_id == arm.variant_id
            && decision.channel.as_ref() == Some(&arm.channel)
            && arm.slot_start <= send_at
    };
    let fitting = arms.iter().enumerate().filter(|(_, arm)| is_same(arm));
    fitting.max_by_key(|(_, arm)| arm.slot_start).map(|(index, _)| index)
}

/// Do the arms hold what was sent, with the logged probability, and sum to 1?
fn is_logged(decision: &Decision, arms: &[AllowedArm], chosen: Option<usize>) -> bool {
    let sum: f64 = arms.iter().map(|arm| arm.action_probability).sum();
    let logged = decision.action_probability.unwrap_or(f64::NAN);
    let is_same = |index: usize| (arms[index].action_probability - logged).abs() <= TOLERANCE;
    chosen.is_some_and(is_same) && (sum - 1.0).abs() <= TOLERANCE
}

fn arms_frame(rows: &[ArmRow]) -> PolarsResult<DataFrame> {
    let columns = vec![
        texts("decision_id", rows.iter().map(|row| Some(row.decision_id.as_str()))),
        texts("user_id", rows.iter().map(|row| Some(row.user_id.as_str()))),
        texts("campaign_id", rows.iter().map(|row| row.campaign_id.as_deref())),
        texts("content_id", rows.iter().map(|row| Some(row.arm.content_id.as_str()))),
        texts("variant_id", rows.iter().map(|row| row.arm.variant_id.as_deref())),
        texts("channel", rows.iter().map(|row| Some(row.arm.channel.as_str()))),
        instants("slot_start", rows.iter().map(|row| Some(row.arm.slot_start))),
        numbers("response_probability", rows.iter().map(|row| Some(row.arm.response_probability))),
        numbers("value", rows.iter().map(|row| Some(row.arm.value))),
        numbers("action_probability", rows.iter().map(|row| Some(row.arm.action_probability))),
        flags("chosen", rows.iter().map(|row| row.is_chosen)),
    ];
    DataFrame::new(rows.len(), columns)
}

/// Decisions as the contract has them, in its order, but for the candidates; reasons and versions as JSON.
fn decisions_frame(records: &[Record]) -> PolarsResult<DataFrame> {
    let rows = || records.iter().map(|record| &record.decision);
    let shadows = || records.iter().map(|record| record.shadow.as_ref());
    let reasons: Vec<String> = rows().map(|row| json_of(&row.reasons)).collect();
    let versions: Vec<String> = rows().map(|row| json_of(&row.versions)).collect();
    let columns = vec![
        texts("decision_id", rows().map(|row| Some(row.decision_id.as_str()))),
        texts("send_id", rows().map(|row| row.send_id.as_deref())),
        texts("user_id", rows().map(|row| Some(row.user_id.as_str()))),
        texts("campaign_id", rows().map(|row| row.campaign_id.as_deref())),
        texts("action", rows().map(|row| Some(word_of(row.action)))),
        texts("content_id", rows().map(|row| row.content_id.as_deref())),
        texts("variant_id", rows().map(|row| row.variant_id.as_deref())),
        texts("channel", rows().map(|row| row.channel.as_deref())),
        instants("decided_at", records.iter().map(|record| Some(record.context.now))),
        instants("send_at", rows().map(|row| row.send_at)),
        texts("send_at_local", rows().map(|row| row.send_at_local.as_deref())),
        texts("time_zone", rows().map(|row| row.time_zone.as_deref())),
        instants("expires_at", rows().map(|row| row.expires_at)),
        instants("retry_at", rows().map(|row| row.retry_at)),
        flags("fallback", rows().map(|row| row.fallback)),
        texts("reasons", reasons.iter().map(|text| Some(text.as_str()))),
        numbers("response_probability", rows().map(|row| row.response_probability)),
        numbers("action_probability", rows().map(|row| row.action_probability)),
        flags("explored", rows().map(|row| row.explored)),
        flags("holdout", rows().map(|row| row.holdout)),
        texts("shadow_model", shadows().map(|shadow| shadow.map(|shadow| shadow.model.as_str()))),
        numbers(
            "shadow_probability",
            shadows().map(|shadow| shadow.map(|shadow| shadow.response_probability)),
        ),
        texts("versions", versions.iter().map(|text| Some(text.as_str()))),
    ];
    DataFrame::new(records.len(), columns)
}

fn json_of<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| unreachable!("plain data: {error}"))
}
