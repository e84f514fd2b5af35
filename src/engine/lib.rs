//! The online loop: load → context → decide → log; synchronous, without a clock. Every answer takes this path.

mod answers;
mod exploration;
mod fingerprint;
mod ids;
mod knowledge;
pub mod planning;
mod priors;
mod question;
mod refresh;
pub mod replay;
mod rhythms;
mod scorer;
mod send_time;
mod shadow;
mod snapshot;
mod watched;

use std::ops::ControlFlow;
use std::sync::Arc;

use arc_swap::ArcSwap;

pub use ids::is_decision_id;
pub use question::{DecisionQuestion, InvalidField, QuestionError, QuestionField};
pub use refresh::{RefreshState, Refresher};
pub use scorer::{POPULARITY, SnapshotScorer};
pub use send_time::{BestHour, SendTime};
pub use snapshot::Snapshot;
pub use watched::{WatchedChampion, WatchedFindings};

pub use answers::Answer;
use answers::{KeyedAnswer, Keys, RecentAnswers};
use exploration::ExploredToday;
use ids::DecisionIds;
use question::LoadedQuestion;

use config::Config;
use decisions::context::DecisionContext;
use decisions::decide;
use decisions::explanation::{Explanation, explain};
use domain::decision::{Action, Decision};
use domain::error::{Coded, ErrorKind};
use domain::time::{DAY, HOUR, Instant};
use events::lake::LakeError;
use files::tables::TableError;
use files::workspace::Workspace;
use profiles::ProfileError;
use store::ack::Ack;
use store::decision_log::{
    self, DecisionLog, IdempotencyKey, LogError, LogOptions, Record, RecordHead, ShadowScore,
};
use store::log_index::LogIndex;

/// A question without an answer, or a snapshot that cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The question cannot be answered.
    #[error(transparent)]
    Question(#[from] QuestionError),
    /// The key stands for another question already.
    #[error("idempotency_conflict: the key {0:?} was used with another request")]
    IdempotencyConflict(String),
    /// No such decision was ever given out.
    #[error("unknown_decision: there is no decision {0:?}")]
    UnknownDecision(String),
    /// The decision was made with a model that is not here any more.
    #[error(
        "unknown_model: decision {decision_id:?} was made with model {model:?}, which is not in this workspace"
    )]
    UnknownModel {
        /// The decision.
        decision_id: String,
        /// Its model.
        model: String,
    },
    /// The log cannot be written or read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A table cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// The lake cannot be read.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// Users' activity cannot be read.
    #[error(transparent)]
    Profile(#[from] ProfileError),
}

impl Coded for EngineError {
    fn code(&self) -> &'static str {
        match self {
            EngineError::Question(error) => error.code(),
            EngineError::IdempotencyConflict(_) => "idempotency_conflict",
            EngineError::UnknownDecision(_) => "unknown_decision",
            EngineError::UnknownModel { .. } => "unknown_model",
            EngineError::Log(error) => error.code(),
            EngineError::Table(error) => error.code(),
            EngineError::Lake(error) => error.code(),
            EngineError::Profile(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            // The state is as it should be; the request used the wrong key.
            EngineError::IdempotencyConflict(_) => ErrorKind::Caller,
            EngineError::UnknownDecision(_) => ErrorKind::NotFound,
            EngineError::UnknownModel { .. } => ErrorKind::Conflict,
            EngineError::Question(error) => error.kind(),
            EngineError::Log(error) => error.kind(),
            EngineError::Table(error) => error.kind(),
            EngineError::Lake(error) => error.kind(),
            EngineError::Profile(error) => error.kind(),
        }
    }
}

/// How a server decides: the snapshot in force, the log, and what was answered lately.
#[derive(Debug)]
pub struct Engine {
    workspace: Workspace,
    config: Config,
    is_clock_virtual: bool,
    snapshot: ArcSwap<Snapshot>,
    log: DecisionLog,
    index: LogIndex,
    ids: DecisionIds,
    recent: RecentAnswers,
    keys: Keys,
    explored: ExploredToday,
}

impl Engine {
    /// Reads the workspace as of `now`, and from the log what was asked in the day before it: idempotency keys, and what each
    /// campaign has explored.
    ///
    /// A virtual clock may stand before events of the lake, which it does not see; a real one may not. `entropy` tells
    /// this server's ids from those of others.
    ///
    /// # Errors
    /// When a table or the log cannot be read.
    pub fn open(
        workspace: Workspace,
        config: Config,
        now: Instant,
        is_clock_virtual: bool,
        entropy: [u8; 32],
    ) -> Result<Engine, EngineError> {
        let snapshot = ArcSwap::from_pointee(Snapshot::build(&workspace, &config, now)?);
        let options = LogOptions { sync_before_answer: config.serve.sync_log, ..LogOptions::default() };
        let log = DecisionLog::open(workspace.decision_log(), options);
        let index = LogIndex::new(workspace.decision_log());
        let (ids, recent, keys) = (DecisionIds::new(entropy), RecentAnswers::default(), Keys::default());
        let explored = ExploredToday::default();
        let engine =
            Engine { workspace, config, is_clock_virtual, snapshot, log, index, ids, recent, keys, explored };
        engine.index.read_since(now.plus(-DAY), |head| engine.remember(&head))?;
        Ok(engine)
    }

    /// Decides what and when for a user.
    ///
    /// The same question under the same key gets the same answer for a day at least, also from a server that was started
    /// meanwhile. A question with a key may wait for another one under it, or read the log.
    ///
    /// # Errors
    /// When the question cannot be answered, or the log takes no more.
    pub fn decide(
        &self,
        question: &DecisionQuestion,
        key: Option<&str>,
        now: Instant,
    ) -> Result<Answer, EngineError> {
        question.check()?;
        let Some(key) = key else { return self.decide_anew(question, None, now) };
        let request_hash = question.hash();
        loop {
            let earlier = self.keys.hold(key).get(key).cloned();
            // The log may have to be read: without the lock, which other keys share.
            if let Some(earlier) = &earlier
                && let Some(answer) = self.earlier_answer(&earlier.decision_id)?
            {
                if !earlier.is_to(&request_hash) {
                    return Err(EngineError::IdempotencyConflict(key.to_string()));
                }
                return Ok(answer);
            }
            let mut shard = self.keys.hold(key);
            if shard.get(key) != earlier.as_ref() {
                continue;
            }
            let key_and_hash = IdempotencyKey { key, request_hash: &request_hash };
            let answer = self.decide_anew(question, Some(&key_and_hash), now)?;
            shard.insert(key, KeyedAnswer::new(now, &request_hash, &answer.decision_id));
            return Ok(answer);
        }
    }

    /// The path of a decision.
    fn decide_anew(
        &self,
        question: &DecisionQuestion,
        key: Option<&IdempotencyKey<'_>>,
        now: Instant,
    ) -> Result<Answer, EngineError> {
        let snapshot = self.snapshot.load();
        let explored = |campaign_id: &str| self.explored.of(campaign_id, now);
        let loaded =
            LoadedQuestion::of(&snapshot, question, now, self.is_clock_trusted(&snapshot, now), &explored);
        let decision_id = self.ids.next(now);
        loop {
            let (context, decision) = decide_best(&snapshot, loaded.contexts(&decision_id)?);
            let shadow = snapshot.shadow_score(&context, &decision);
            if let Some(answer) = self.log(&context, &decision, key, shadow.as_ref())? {
                return Ok(answer);
            }
        }
    }

    /// Logs a decision; `None` when it explores and its campaign's budget has been spent by others since.
    fn log(
        &self,
        context: &DecisionContext,
        decision: &Decision,
        key: Option<&IdempotencyKey<'_>>,
        shadow: Option<&ShadowScore>,
    ) -> Result<Option<Answer>, EngineError> {
        let text = text_of(decision);
        let line = decision_log::line_of(&text, context, key, shadow);
        let append = || self.log.append(line);
        let ack = match decision.campaign_id.as_ref().filter(|_| decision.explored) {
            Some(campaign_id) => {
                let most = context.settings.exploration_most_per_day;
                self.explored.spend(campaign_id, most, context.now, append)?
            }
            None => Some(append()?),
        };
        let answer = ack.map(|ack| Answer::of(decision, text, ack));
        answer.iter().for_each(|answer| self.recent.push(answer.clone()));
        Ok(answer)
    }

    /// A clock that stands before events that were taken in goes wrong, by more than any of them may lie ahead.
    fn is_clock_trusted(&self, snapshot: &Snapshot, now: Instant) -> bool {
        let tolerance = self.config.ingest.future_tolerance_hours.saturating_mul(HOUR);
        self.is_clock_virtual || snapshot.newest().is_none_or(|newest| newest <= now.plus(tolerance))
    }

    /// The best hour for a user within the horizon, and the curve behind it.
    pub fn send_time(&self, user_id: &str, now: Instant, horizon_hours: Option<u32>) -> SendTime {
        let horizon_hours = horizon_hours.unwrap_or(self.config.decisions.horizon_hours);
        send_time::best_send_time(&self.snapshot.load(), user_id, now, horizon_hours)
    }

    /// A decision that was given out; reads the log when it was not lately, so it may take a while.
    ///
    /// # Errors
    /// When there is none of this id, or the log cannot be read.
    pub fn decision(&self, decision_id: &str) -> Result<Answer, EngineError> {
        let unknown = || EngineError::UnknownDecision(decision_id.to_string());
        if !is_decision_id(decision_id) {
            return Err(unknown());
        }
        if let Some(answer) = self.earlier_answer(decision_id)? {
            return Ok(answer);
        }
        Err(unknown())
    }

    /// Why a decision came out as it did: every input's share, and what each rule said.
    ///
    /// # Errors
    /// When there is none of this id, its model is gone, or the log cannot be read.
    pub fn explain(&self, decision_id: &str) -> Result<Explanation, EngineError> {
        let record = self.record(decision_id)?;
        let scorer = replay::scorer_of(&self.workspace, &record)?;
        Ok(explain(&record.context, &scorer, &record.decision))
    }

    /// A record, from the position that was acknowledged, else from wherever it is in the log.
    fn record(&self, decision_id: &str) -> Result<Record, EngineError> {
        let found = match self.recent.get(decision_id) {
            Some(answer) => {
                let position = answer.ack.wait()?;
                decision_log::read_at(&position, decision_id)?.map(|line| (line, position))
            }
            None if is_decision_id(decision_id) => self.index.find(decision_id)?,
            None => None,
        };
        let unknown = || EngineError::UnknownDecision(decision_id.to_string());
        let (line, position) = found.ok_or_else(unknown)?;
        Ok(decision_log::parse(line.as_bytes(), &position.path)?)
    }

    /// An answer from memory or the log; `None` when it was never written.
    fn earlier_answer(&self, decision_id: &str) -> Result<Option<Answer>, EngineError> {
        if let Some(answer) = self.recent.get(decision_id) {
            let is_lost = matches!(answer.ack.result(), Some(Err(_)));
            return Ok((!is_lost).then_some(answer));
        }
        let Some((line, position)) = self.index.find(decision_id)? else { return Ok(None) };
        let decision = decision_log::parse(line.as_bytes(), &position.path)?.decision;
        Ok(Some(Answer::of(&decision, text_of(&decision), Ack::settled(position))))
    }

    fn remember(&self, head: &RecordHead) {
        let (decision, now) = (&head.decision, head.context.now);
        if let (Some(key), Some(request_hash)) = (&head.idempotency_key, &head.request_hash) {
            let answer = KeyedAnswer::new(now, request_hash, &decision.decision_id);
            self.keys.hold(key).insert(key, answer);
        }
        if let Some(campaign_id) = decision.campaign_id.as_ref().filter(|_| decision.explored) {
            self.explored.remember(campaign_id, now);
        }
    }

    /// The workspace.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// Its settings.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The snapshot in force.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Puts a new snapshot in force when a file behind the present one has changed.
    ///
    /// Declarations come first, so a consent that was withdrawn before this call does not wait until a large lake is read
    /// again. One that is withdrawn during the build waits for its end, and is in force together with it.
    ///
    /// # Errors
    /// When a table cannot be read; the present snapshot stays in force.
    pub fn refresh(&self, now: Instant) -> Result<ControlFlow<()>, EngineError> {
        let former = self.snapshot.load_full();
        // Events that lay ahead of the clock are left out until it has passed them.
        let is_ahead = |newest: Instant| former.as_of() <= newest && newest < now;
        let is_behind = !self.is_clock_virtual && former.newest().is_some_and(is_ahead);
        let is_current = former.is_current(&self.workspace);
        if is_current && !is_behind {
            if former.has_current_audiences(&self.workspace) {
                return Ok(ControlFlow::Continue(()));
            }
            let snapshot = former.with_audiences(&self.workspace, &self.config, now);
            self.snapshot.store(Arc::new(snapshot));
            return Ok(ControlFlow::Break(()));
        }
        if !is_current {
            self.snapshot.store(Arc::new(former.with_declarations(&self.workspace)?));
        }
        let built = Snapshot::build(&self.workspace, &self.config, now)?;
        let is_overtaken = !built.is_current(&self.workspace);
        let built = if is_overtaken { built.with_declarations(&self.workspace)? } else { built };
        self.snapshot.store(Arc::new(built));
        Ok(ControlFlow::Break(()))
    }

    /// Records that wait to be written.
    pub fn log_queue(&self) -> usize {
        self.log.waiting()
    }

    /// Writes what waits and takes no more decisions.
    pub fn close(&self) {
        self.log.close();
    }
}

fn text_of(decision: &Decision) -> Arc<str> {
    serde_json::to_string(decision).unwrap_or_else(|error| unreachable!("plain data: {error}")).into()
}

/// Decides in every context and keeps the best: a send before a hold before nothing, then the larger value.
///
/// The values of campaigns are weighed by their priorities already. The first of equals wins.
fn decide_best(snapshot: &Snapshot, contexts: Vec<DecisionContext>) -> (DecisionContext, Decision) {
    let mut best: Option<(DecisionContext, Decision)> = None;
    for context in contexts {
        let decision = decide(&context, snapshot.scorer(&snapshot::goal_of(&context)));
        if best.as_ref().is_none_or(|(_, former)| is_better(&decision, former)) {
            best = Some((context, decision));
        }
    }
    best.unwrap_or_else(|| unreachable!("a question has at least one context"))
}

fn is_better(decision: &Decision, former: &Decision) -> bool {
    let rank = |decision: &Decision| match decision.action {
        Action::Send => 2,
        Action::Hold => 1,
        Action::NoSend => 0,
    };
    rank(decision) > rank(former) || (rank(decision) == rank(former) && value_of(decision) > value_of(former))
}

/// Value of the best arm, whichever was drawn: what a campaign learns must not decide whether it is heard. Without an arm,
/// minus infinity.
fn value_of(decision: &Decision) -> f64 {
    let best = decision.candidates.iter().find(|candidate| candidate.refused_by.is_empty());
    best.map_or(f64::NEG_INFINITY, |candidate| candidate.value)
}
