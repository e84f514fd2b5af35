//! Trains goals: events → data checks → examples → model and card → registry → champion, if the gate lets it.

use super::context::{Context, ContextError};
use super::material::read_before;
use super::promote::{Candidacy, NotPromoted, stand};
use config::TrainingConfig;
use domain::error::{Coded, ErrorKind};
use domain::time::Instant;
use events::health::people::People;
use events::health::{self, CheckOutcome};
use events::lake::Lake;
use models::examples::GoalQuestion;
use models::material::Material;
use models::train::online::{OnlineError, go_on};
use models::train::{self as training, TrainError, Trained};
use registry::gate::{Gate, GateLine};
use registry::versions::{Registry, RegistryError};

/// What to train.
#[derive(Clone, Debug)]
pub struct TrainRequest {
    /// Which goals.
    pub goals: GoalChoice,
    /// What was known before this moment counts; by default 1 µs after the newest event, but not later than now.
    pub as_of: Option<Instant>,
    /// Seed of draws; by default `training.seed`.
    pub seed: Option<u64>,
}

/// Which goals to train.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GoalChoice {
    /// Every declared goal that there is enough data for.
    Every,
    /// One goal.
    One(String),
    /// One goal, from where its champion stopped, which was learned online.
    Online(String),
}

/// What came of a training.
#[derive(Debug)]
pub struct TrainReport {
    /// What was known before this moment was learned.
    pub as_of: Instant,
    /// The models, in order of their goals.
    pub models: Vec<TrainedModel>,
    /// Goals that the data does not say enough about.
    pub skipped: Vec<NotTrained>,
    /// Goals whose training failed; the others were trained all the same.
    pub failed: Vec<NotTrained>,
}

impl TrainReport {
    /// Set when a new model is not promoted, because it does not beat the base rate or a line of the gate does not hold.
    pub fn refusal(&self) -> Option<NotPromoted> {
        let refused = self.models.iter().find_map(|learned| Some((learned, learned.standing.refusal()?)));
        refused.map(|(learned, why)| {
            let failed = learned.trained.card.gate.iter().flat_map(Gate::failed).next();
            let line = failed.map(|line| format!(": {line}")).unwrap_or_default();
            NotPromoted { first: format!("{} {} {why}{line}", learned.goal, learned.version) }
        })
    }
}

impl ModelStanding {
    fn refusal(self) -> Option<&'static str> {
        match self {
            ModelStanding::BelowBaseRate => Some("does not beat the base rate"),
            ModelStanding::RefusedByGate => Some("is refused by the gate"),
            ModelStanding::Registered | ModelStanding::Promoted | ModelStanding::ChampionKnowsMore => None,
        }
    }
}

/// A model that was trained and registered.
#[derive(Debug)]
pub struct TrainedModel {
    /// The goal.
    pub goal: String,
    /// The version.
    pub version: String,
    /// Does it serve?
    pub standing: ModelStanding,
    /// The model and its card.
    pub trained: Trained,
}

/// Where a new model stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelStanding {
    /// It is registered; nobody asked for more.
    Registered,
    /// It is the champion.
    Promoted,
    /// It passes the gate, but the champion knows a later day and stays.
    ChampionKnowsMore,
    /// It does not beat the base rate.
    BelowBaseRate,
    /// A line of the gate does not hold.
    RefusedByGate,
}

/// A goal without a new model.
#[derive(Debug)]
pub struct NotTrained {
    /// The goal.
    pub goal: String,
    /// Why.
    pub error: TrainingError,
}

/// A training that came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// The data says enough about no goal.
    #[error("nothing_to_learn: no declared goal could be trained; see the lines above")]
    NothingToLearn {
        /// Every declared goal.
        skipped: Vec<NotTrained>,
    },
    /// The goal is unknown, or the workspace cannot be used.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// The goal cannot be learned.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The champion cannot go on.
    #[error(transparent)]
    Online(#[from] OnlineError),
    /// The registry cannot be read or written, or refuses the model.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

impl TrainedModel {
    /// Is it the champion now?
    pub fn is_promoted(&self) -> bool {
        self.standing == ModelStanding::Promoted
    }
}

impl TrainingError {
    /// The goals that were skipped before the training came to nothing.
    pub fn skipped(&self) -> &[NotTrained] {
        match self {
            TrainingError::NothingToLearn { skipped } => skipped,
            _ => &[],
        }
    }

    /// Is there just not enough data for the goal yet? Every other error needs somebody to act.
    pub fn is_not_enough_data(&self) -> bool {
        match self {
            TrainingError::NothingToLearn { .. } => true,
            TrainingError::Train(error) => error.is_not_enough_data(),
            TrainingError::Context(_) | TrainingError::Online(_) | TrainingError::Registry(_) => false,
        }
    }
}

impl Coded for TrainingError {
    fn code(&self) -> &'static str {
        match self {
            TrainingError::NothingToLearn { .. } => "nothing_to_learn",
            TrainingError::Context(error) => error.code(),
            TrainingError::Train(error) => error.code(),
            TrainingError::Online(error) => error.code(),
            TrainingError::Registry(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            TrainingError::NothingToLearn { .. } => ErrorKind::Caller,
            TrainingError::Context(error) => error.kind(),
            TrainingError::Train(error) => error.kind(),
            TrainingError::Online(error) => error.kind(),
            TrainingError::Registry(error) => error.kind(),
        }
    }
}

/// Trains goals, registers the models, and promotes those that the gate lets pass.
///
/// # Errors
/// When the workspace cannot be used, or there is not a model to report: of one goal its error, of every goal that the
/// data says enough about none.
pub fn train(context: &Context<'_>, request: &TrainRequest) -> Result<TrainReport, TrainingError> {
    if let GoalChoice::One(goal) | GoalChoice::Online(goal) = &request.goals {
        context.goal(goal)?;
    }
    let _lock = context.lock()?;
    let lake = context.lake()?;
    let as_of = context.moment(request.as_of, &lake);
    let seed = request.seed.unwrap_or(context.config.training.seed);
    let trainer = Trainer { seed, ..Trainer::open(context, &lake, as_of)? };
    match &request.goals {
        GoalChoice::Every => trainer.train_every_goal(),
        GoalChoice::One(goal) => Ok(trainer.report(trainer.train_and_promote(goal)?)),
        GoalChoice::Online(goal) => Ok(trainer.report(trainer.go_on(goal)?)),
    }
}

/// What every goal of one run is trained from. Whoever trains holds the workspace's lock.
pub struct Trainer<'a> {
    context: Context<'a>,
    material: Material,
    lake_sha256: String,
    /// The data checks as lines of the gate.
    health: Vec<GateLine>,
    seed: u64,
}

impl<'a> Trainer<'a> {
    /// Reads what was known before a moment, and asks the data checks.
    ///
    /// # Errors
    /// When there is no event before the moment, or a file cannot be read.
    pub fn open(context: &Context<'a>, lake: &Lake, as_of: Instant) -> Result<Trainer<'a>, ContextError> {
        let material = read_before(context, lake, as_of)?;
        context.progress.step("checking the data");
        Ok(Trainer {
            context: *context,
            material,
            lake_sha256: lake.content_sha256(),
            health: health_lines(context, lake, as_of)?,
            seed: context.config.training.seed,
        })
    }

    /// Trains a goal and registers the model.
    ///
    /// # Errors
    /// When the goal cannot be learned, or the registry cannot be written.
    pub fn train(&self, goal: &str) -> Result<TrainedModel, TrainingError> {
        self.learn(goal, |question, request, watch| Ok(training::train(question, request, &watch)?))
    }

    /// Trains a goal, registers the model, and makes it the champion if it is worth it.
    ///
    /// # Errors
    /// When the goal cannot be learned, or the registry cannot be written.
    pub fn train_and_promote(&self, goal: &str) -> Result<TrainedModel, TrainingError> {
        self.promoted(self.train(goal)?)
    }

    /// The same, from where the champion stopped.
    fn go_on(&self, goal: &str) -> Result<TrainedModel, TrainingError> {
        let registry = Registry::of(self.context.workspace);
        let champion = registry.read_champion(goal)?;
        let state = registry
            .read_online(goal, &champion.version)
            .ok_or_else(|| OnlineError::NotOnline { goal: goal.to_string() })?;
        self.promoted(self.learn(goal, |question, request, watch| {
            Ok(go_on(question, request, &champion.model, &state, &watch)?)
        })?)
    }

    /// A shipped goal that this data says nothing of is no failure of the others.
    fn train_every_goal(&self) -> Result<TrainReport, TrainingError> {
        let (mut models, mut skipped, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for goal in self.context.config.goals.keys() {
            match self.train_and_promote(goal) {
                Ok(learned) => models.push(learned),
                Err(error) if error.is_not_enough_data() => {
                    skipped.push(NotTrained { goal: goal.clone(), error });
                }
                Err(error) => failed.push(NotTrained { goal: goal.clone(), error }),
            }
        }
        match models.is_empty() && failed.is_empty() {
            true => Err(TrainingError::NothingToLearn { skipped }),
            false => Ok(TrainReport { as_of: self.material.as_of, models, skipped, failed }),
        }
    }

    fn report(&self, learned: TrainedModel) -> TrainReport {
        let as_of = self.material.as_of;
        TrainReport { as_of, models: vec![learned], skipped: Vec::new(), failed: Vec::new() }
    }

    fn promoted(&self, learned: TrainedModel) -> Result<TrainedModel, TrainingError> {
        let standing = self.standing(&learned)?;
        Ok(TrainedModel { standing, ..learned })
    }

    /// Asks the gate, then promotes the model to champion.
    fn standing(&self, learned: &TrainedModel) -> Result<ModelStanding, TrainingError> {
        let card = &learned.trained.card;
        if !card.beats_base_rate {
            return Ok(ModelStanding::BelowBaseRate);
        }
        if !card.gate.as_ref().is_some_and(Gate::is_passed) {
            return Ok(ModelStanding::RefusedByGate);
        }
        match stand(&self.context, &learned.goal, &learned.version)? {
            Candidacy::Promoted => Ok(ModelStanding::Promoted),
            Candidacy::ChampionIsNewer { .. } => Ok(ModelStanding::ChampionKnowsMore),
            Candidacy::Refused(error) => Err(error.into()),
        }
    }

    fn learn(
        &self,
        name: &str,
        learn: impl FnOnce(
            &GoalQuestion<'_>,
            &training::TrainingRequest<'_>,
            &dyn Fn(usize, usize),
        ) -> Result<Trained, TrainingError>,
    ) -> Result<TrainedModel, TrainingError> {
        let (config, progress) = (self.context.config, self.context.progress);
        let goal = self.context.goal(name)?;
        let sources = self.material.sources(&config.profiles);
        let settings = TrainingConfig { seed: self.seed, ..config.training.clone() };
        let question = GoalQuestion { name, goal, sources: &sources, training: &settings };
        let registry = Registry::of(self.context.workspace);
        // Whoever serves a champion that cannot be read names it; training is the way out.
        let champion = registry.read_champion(name).ok();
        let request = training::TrainingRequest {
            lake_sha256: &self.lake_sha256,
            champion: champion.as_ref(),
            others: &self.health,
            ..training::TrainingRequest::new(self.material.as_of, config, self.context.now)
        };
        progress.step(&format!("examples of {name}"));
        let trained = learn(&question, &request, &|done, total| {
            progress.count(done as u64, Some(total as u64));
            if done == total {
                progress.step(&format!("fitting {name}"));
            }
        })?;
        let version = registry.write_with(&trained.model, &trained.card, trained.online.as_ref())?;
        Ok(TrainedModel { goal: name.to_string(), version, standing: ModelStanding::Registered, trained })
    }
}

/// The data checks as lines of the gate: what was learned from days that are unlike those before is not to be promoted.
fn health_lines(context: &Context<'_>, lake: &Lake, as_of: Instant) -> Result<Vec<GateLine>, ContextError> {
    let people = People::read(context.workspace)?;
    let report = health::check(lake, &people, as_of, context.now, &context.config.health)?;
    let failures: Vec<GateLine> = report.failed().map(line_of_failure).collect();
    if !failures.is_empty() {
        return Ok(failures);
    }
    let judged = report.days.iter().filter(|day| day.judged).count();
    Ok(vec![GateLine {
        name: "data_is_healthy".to_string(),
        passed: true,
        found: format!("{} checks of {judged} days", report.checks.len()),
        wanted: "days like the four weeks before them".to_string(),
    }])
}

fn line_of_failure(outcome: &CheckOutcome) -> GateLine {
    let parts = [&outcome.day, &outcome.found].into_iter().flatten();
    GateLine {
        name: outcome.name.to_string(),
        passed: false,
        found: parts.map(String::as_str).collect::<Vec<_>>().join(": "),
        wanted: match &outcome.expected {
            Some(expected) => format!("a day like those before: {expected}"),
            None => "a day like those before".to_string(),
        },
    }
}
