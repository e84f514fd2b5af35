//! What feedback keeps of each logged decision, and where its record lies.

use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;

use super::FeedbackError;
use decisions::rule_names::OUTSIDE_HOLDOUT;
use domain::decision::{Action, Decision};
use domain::time::{Day, Instant};
use store::decision_log::{FORMAT, LogError};
use store::whole_log::{LinePosition, read_all};

/// A decision without its context, reasons and candidates.
#[derive(Clone, Debug, PartialEq)]
pub struct Decided {
    /// Its id.
    pub decision_id: String,
    /// Id of what it sends.
    pub send_id: Option<String>,
    /// Who was asked for.
    pub user_id: String,
    /// For which campaign.
    pub campaign_id: Option<String>,
    /// What to do.
    pub action: Action,
    /// What to push.
    pub content_id: Option<String>,
    /// In which variant.
    pub variant_id: Option<String>,
    /// Over which channel.
    pub channel: Option<String>,
    /// The moment of the question.
    pub decided_at: Instant,
    /// When to send.
    pub send_at: Option<Instant>,
    /// The goal it pursued: its campaign's, else that of the settings.
    pub goal: String,
    /// Calibrated P(goal | user, arm) of the chosen arm.
    pub response_probability: Option<f64>,
    /// The policy's probability of the chosen arm.
    pub action_probability: Option<f64>,
    /// Was the arm drawn for the sake of learning?
    pub explored: bool,
    /// Was the user held out?
    pub holdout: bool,
    /// Was the user held out from everything?
    pub held_everywhere: bool,
    /// The user's clock at `send_at`: local date and hour.
    pub local_hour: Option<LocalHour>,
    /// Did quality fall back?
    pub fallback: bool,
    /// The model that scored it.
    pub model: Option<String>,
}

/// A local date and hour of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LocalHour {
    /// The date on the user's calendar.
    pub date: Day,
    /// 0 to 23.
    pub hour: u8,
}

impl LocalHour {
    /// Of a local time as decisions write it, such as `2026-03-01T18:05:00+01:00`.
    fn of(text: &str) -> Option<LocalHour> {
        let hour = text.get(11..13)?.parse().ok().filter(|hour| *hour < 24)?;
        Some(LocalHour { date: Day::parse(text.get(..10)?)?, hour })
    }
}

impl Decided {
    /// Does it send?
    pub fn is_send(&self) -> bool {
        self.action == Action::Send
    }
}

/// The decisions of a log, sorted by UTC date and id, each with the position of its record.
#[derive(Clone, Debug, Default)]
pub struct Logged {
    decisions: Vec<Decided>,
    positions: Vec<LinePosition>,
    /// Decisions that were erased; nothing is left of them but that.
    pub erased: u64,
    /// Files whose tail was torn by a crash and passed over.
    pub torn_files: u64,
}

impl Logged {
    /// Reads the whole log, without the contexts.
    ///
    /// Of two records with one id the first counts.
    ///
    /// # Errors
    /// When a file cannot be read, or a record is of a newer format or none of ours.
    pub fn read(directory: &Path) -> Result<Logged, FeedbackError> {
        let (mut pairs, mut seen, mut erased) = (Vec::new(), HashSet::new(), 0);
        let torn_files = read_all(directory, |line, position| {
            match parse(line, &position.file)? {
                Some(decided) if seen.insert(decided.decision_id.clone()) => pairs.push((decided, position)),
                Some(_) => {}
                None => erased += 1,
            }
            Ok(())
        })?;
        pairs.sort_unstable_by(|(one, _), (other, _)| order(one).cmp(&order(other)));
        let (decisions, positions) = pairs.into_iter().unzip();
        Ok(Logged { decisions, positions, erased, torn_files })
    }

    /// The decisions, sorted by UTC date and id.
    pub fn decisions(&self) -> &[Decided] {
        &self.decisions
    }

    /// The moment of the newest decision.
    pub fn newest(&self) -> Option<Instant> {
        self.decisions.iter().map(|decided| decided.decided_at).max()
    }

    /// The same with decisions before a moment only.
    pub fn before(self, as_of: Instant) -> Logged {
        let pairs = self.decisions.into_iter().zip(self.positions);
        let (decisions, positions) = pairs.filter(|(decided, _)| decided.decided_at < as_of).unzip();
        Logged { decisions, positions, erased: self.erased, torn_files: self.torn_files }
    }

    /// UTC dates with the rows of their decisions.
    pub fn days(&self) -> Vec<(Day, Range<usize>)> {
        let mut from = 0;
        let days = self.decisions.chunk_by(|one, other| day_of(one) == day_of(other));
        days.map(|day| {
            let rows = from..from + day.len();
            from = rows.end;
            (day_of(&day[0]), rows)
        })
        .collect()
    }

    /// Where the records of some rows lie.
    pub(super) fn positions(&self, rows: Range<usize>) -> &[LinePosition] {
        &self.positions[rows]
    }
}

fn day_of(decided: &Decided) -> Day {
    decided.decided_at.utc_day()
}

fn order(decided: &Decided) -> (Day, &str) {
    (day_of(decided), &decided.decision_id)
}

/// The part of a record that is kept; the rest is skipped without being held.
#[derive(Deserialize)]
struct KeptRecord {
    format: u32,
    decision: Decision,
    context: KeptContext,
}

#[derive(Deserialize)]
struct KeptContext {
    now: Instant,
    campaign: Option<KeptGoal>,
    settings: KeptGoal,
}

#[derive(Deserialize)]
struct KeptGoal {
    goal: Option<String>,
}

/// What every record has, also an erased one or a newer one.
#[derive(Deserialize)]
struct RecordMarker {
    #[serde(default)]
    format: u32,
    #[serde(default)]
    erased: bool,
}

/// Reads a record's line; `None` when it was erased.
fn parse(line: &[u8], file: &Path) -> Result<Option<Decided>, LogError> {
    let newer = |found| Err(LogError::NewerFormat { path: file.to_path_buf(), found });
    match serde_json::from_slice::<KeptRecord>(line) {
        Ok(kept) if kept.format > FORMAT => newer(kept.format),
        Ok(kept) => Ok(Some(decided(kept))),
        Err(error) => match serde_json::from_slice(line) {
            Ok(RecordMarker { format, .. }) if format > FORMAT => newer(format),
            Ok(RecordMarker { erased: true, .. }) => Ok(None),
            _ => Err(LogError::BadRecord { path: file.to_path_buf(), detail: error.to_string() }),
        },
    }
}

fn decided(kept: KeptRecord) -> Decided {
    let KeptRecord { decision, context, .. } = kept;
    let goal = context.campaign.and_then(|campaign| campaign.goal).or(context.settings.goal);
    Decided {
        decision_id: decision.decision_id,
        send_id: decision.send_id,
        user_id: decision.user_id,
        campaign_id: decision.campaign_id,
        action: decision.action,
        content_id: decision.content_id,
        variant_id: decision.variant_id,
        channel: decision.channel,
        decided_at: context.now,
        send_at: decision.send_at,
        goal: goal.unwrap_or_default(),
        response_probability: decision.response_probability,
        action_probability: decision.action_probability,
        explored: decision.explored,
        holdout: decision.holdout,
        held_everywhere: decision.reasons.iter().any(|reason| reason.rule == OUTSIDE_HOLDOUT),
        local_hour: decision.send_at_local.as_deref().and_then(LocalHour::of),
        fallback: decision.fallback,
        model: decision.versions.get("model").cloned(),
    }
}
