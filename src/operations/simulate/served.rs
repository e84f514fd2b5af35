//! The product at play as it is served: the engine decides over a workspace, its feedback is taken in as events, and models
//! are trained, judged and promoted by `refresh`.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;

use super::error::ServedError;
use super::records::{Feedback, Records};
use crate::context::{Context, NoProgress};
use crate::ingest::{IngestError, IngestRequest, ingest};
use crate::refresh::{Product, RefreshReport, RefreshRequest, refresh};
use config::Config;
use domain::decision::{Action, Decision};
use domain::event::StandardEvent;
use domain::identity::sha256;
use domain::time::{DAY, Day, Instant};
use engine::{DecisionQuestion, Engine};
use events::mapping::Renames;
use events::request::InputKind;
use files::workspace::Workspace;
use simulation::Stage;
use simulation::truth::{Push, PushAnswer};
use simulation::world::Person;

/// The product in a world: its workspace, and what it has done so far.
#[derive(Debug)]
pub struct ServedProduct<'a> {
    stage: &'a Stage,
    workspace: Workspace,
    config: Config,
    people: usize,
    records: Records<'a>,
    run: ProductRun,
}

/// What the product did, beside what its pushes came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ProductRun {
    /// Questions to the engine: one for each person and day.
    pub asked: u64,
    /// Decisions by what they say: `send`, `hold`, `no_send`.
    pub actions: BTreeMap<&'static str, u64>,
    /// Decisions that do not send, by the rule that is named first.
    pub refused_by: BTreeMap<String, u64>,
    /// Decisions of which a part fell back.
    pub fallback: u64,
    /// Decisions by the kind of what scored them: `popularity` without a champion, else the goal.
    pub scored_by: BTreeMap<String, u64>,
    /// Sends that explored.
    pub explored: u64,
    /// Decisions about people in a holdout.
    pub holdout: u64,
    /// Models that were trained.
    pub trained: u64,
    /// Models that passed the gate and became the champion.
    pub promoted: u64,
    /// Lines of the gate that did not hold, by name, and how often.
    pub gate_lines_failed: BTreeMap<String, u64>,
    /// Steps of refreshes that came to nothing, by the code of the reason.
    pub not_promoted: BTreeMap<String, u64>,
}

/// A push that the engine decided.
#[derive(Clone, Debug, PartialEq)]
pub struct DecidedPush {
    /// The push in the world.
    pub push: Push,
    /// The decision behind it.
    pub decision: Decision,
}

impl ProductRun {
    /// Adds what another run did.
    pub fn merge(&mut self, other: ProductRun) {
        self.asked += other.asked;
        self.fallback += other.fallback;
        self.explored += other.explored;
        self.holdout += other.holdout;
        self.trained += other.trained;
        self.promoted += other.promoted;
        other
            .actions
            .into_iter()
            .for_each(|(action, count)| *self.actions.entry(action).or_default() += count);
        let named = [
            (&mut self.refused_by, other.refused_by),
            (&mut self.scored_by, other.scored_by),
            (&mut self.gate_lines_failed, other.gate_lines_failed),
            (&mut self.not_promoted, other.not_promoted),
        ];
        for (counts, others) in named {
            others.into_iter().for_each(|(name, count)| *counts.entry(name).or_default() += count);
        }
    }

    fn count(&mut self, decision: &Decision) {
        self.asked += 1;
        let action = match decision.action {
            Action::Send => "send",
            Action::Hold => "hold",
            Action::NoSend => "no_send",
        };
        *self.actions.entry(action).or_default() += 1;
        if decision.action != Action::Send {
            let rule = decision.reasons.first().map(|reason| reason.rule.clone());
            *self.refused_by.entry(rule.unwrap_or_default()).or_default() += 1;
        }
        let model = decision.versions.get("model").map(String::as_str).unwrap_or_default();
        let kind = model.split('/').next().unwrap_or_default().to_string();
        *self.scored_by.entry(kind).or_default() += 1;
        self.fallback += u64::from(decision.fallback);
        self.explored += u64::from(decision.explored);
        self.holdout += u64::from(decision.holdout);
    }

    fn count_training(&mut self, report: &RefreshReport) {
        for step in &report.steps {
            match &step.said {
                Product::Model { failed, .. } => {
                    self.trained += 1;
                    failed.iter().for_each(|line| add_one(&mut self.gate_lines_failed, line));
                }
                Product::Champion { .. } => self.promoted += 1,
                Product::Nothing { why } => add_one(&mut self.not_promoted, why),
                Product::Records { .. } | Product::Profiles { .. } | Product::Plan { .. } => {}
            }
        }
    }
}

impl<'a> ServedProduct<'a> {
    /// Makes a workspace with the first so many people of a world, its contents, and one campaign for everybody.
    ///
    /// # Errors
    /// When the workspace cannot be made.
    pub fn open(root: &Path, stage: &'a Stage, people: usize) -> Result<ServedProduct<'a>, ServedError> {
        let workspace = Workspace::create(root)?;
        let product = ServedProduct {
            stage,
            config: settings(stage),
            people,
            records: Records::new(stage, people, workspace.root()),
            workspace,
            run: ProductRun::default(),
        };
        let kinds = [InputKind::Users, InputKind::Contents, InputKind::Campaigns];
        for (kind, file) in kinds.into_iter().zip(product.records.declare()?) {
            product.ingest(product.moment(0), &product.files(kind, &file))?;
        }
        Ok(product)
    }

    /// Its workspace.
    pub fn workspace(&self) -> &Workspace {
        &self.workspace
    }

    /// The settings: those that are shipped, with the rules of the world.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The moment of a day at which everybody is asked about: when the last clock reaches the first day of play, and every 24
    /// hours after it.
    pub fn moment(&self, day: i32) -> Instant {
        self.stage.world.last_midnight(0).plus(i64::from(day) * DAY)
    }

    /// What tells the ids of this product's decisions from those of others.
    pub fn entropy(&self) -> [u8; 32] {
        sha256(format!("simulation {}", self.stage.world.seed).as_bytes())
    }

    /// Takes in what is known at the day's moment, and trains when it is time.
    ///
    /// # Errors
    /// When the workspace cannot be read or written.
    pub fn begin_day(&mut self, day: i32) -> Result<(), ServedError> {
        let now = self.moment(day);
        let file = self.records.write_until(now)?;
        let files = self.files(InputKind::Events, &file);
        if day % self.stage.world.parameters.product.train_every_days != 0 {
            return self.ingest(now, &files);
        }
        let request = RefreshRequest { files: Some(files), as_of: Some(now), out: None };
        let report = refresh(&self.context(now), &request)?;
        self.run.count_training(&report);
        Ok(())
    }

    /// Asks the engine about everybody at the day's moment, as a gateway does, and logs every decision: each answer as it is
    /// given out and logged, in order of the people.
    ///
    /// # Errors
    /// When the workspace cannot be read, or the log not written.
    pub fn answers(&self, day: i32) -> Result<Vec<Arc<str>>, ServedError> {
        let now = self.moment(day);
        let engine = Engine::open(self.workspace.clone(), self.config.clone(), now, true, self.entropy())?;
        let ask = |person: &Person| {
            let question = DecisionQuestion { user_id: person.id.clone(), ..DecisionQuestion::default() };
            Ok(engine.decide(&question, None, now)?.text)
        };
        let answers = self.stage.world.people.iter().take(self.people).map(ask).collect();
        engine.close();
        answers
    }

    /// The pushes that the engine's answers of a day ask for.
    ///
    /// # Errors
    /// When the workspace cannot be read, or the log not written.
    pub fn decide(&mut self, day: i32) -> Result<Vec<DecidedPush>, ServedError> {
        let mut pushes = Vec::new();
        for (user, text) in self.answers(day)?.into_iter().enumerate() {
            let decision: Decision = serde_json::from_str(&text)?;
            self.run.count(&decision);
            pushes.extend(self.push_of(user, decision));
        }
        Ok(pushes)
    }

    /// A decision that sends, as a push in the world.
    fn push_of(&self, user: usize, decision: Decision) -> Option<DecidedPush> {
        let at = decision.send_at.filter(|_| decision.action == Action::Send)?;
        let content = Records::content_of(decision.content_id.as_deref()?)?;
        let world = &self.stage.world;
        let hour = world.people[user].zone.local_hour(at);
        let Day(first) = world.calendar_day(0);
        let push = Push { user, content, day: hour.day().0 - first, hour: hour.hour_of_day(), at };
        Some(DecidedPush { push, decision })
    }

    /// Takes note of what came of a push: events that are taken in once their moment has passed.
    pub fn hear(&mut self, decided: &DecidedPush, answer: PushAnswer) {
        let DecidedPush { push, decision } = decided;
        self.records.hear(&Feedback::of_decision(decision, push, answer));
    }

    /// Takes note of a push before play.
    pub fn hear_past(&mut self, push: &Push, answer: PushAnswer) {
        self.records.hear(&Feedback::of_past(push, answer));
    }

    /// What the product did.
    pub fn into_run(self) -> ProductRun {
        self.run
    }

    fn context(&self, now: Instant) -> Context<'_> {
        Context { workspace: &self.workspace, config: &self.config, now, progress: &NoProgress }
    }

    fn files(&self, kind: InputKind, file: &Path) -> IngestRequest {
        IngestRequest {
            files: vec![file.to_path_buf()],
            kind,
            format: None,
            renames: Renames::default(),
            zone: None,
            most_rejected: Some(0.0),
        }
    }

    fn ingest(&self, now: Instant, files: &IngestRequest) -> Result<(), ServedError> {
        match ingest(&self.context(now), files)?.refusal {
            Some(refusal) => Err(IngestError::from(refusal).into()),
            None => Ok(()),
        }
    }
}

/// Counts what a line begins with, up to its colon: the name of a rule, or a code.
fn add_one(counts: &mut BTreeMap<String, u64>, line: &str) {
    let name = line.split(':').next().unwrap_or_default();
    *counts.entry(name.to_string()).or_default() += 1;
}

/// The settings as they are shipped, with the rules of the world and the one goal that decisions pursue.
fn settings(stage: &Stage) -> Config {
    let world = &stage.world;
    let rules = &world.parameters.rules;
    let mut config = Config::defaults();
    let goal = config.decisions.goal.clone();
    config.goals.retain(|name, _| *name == goal);
    config.decisions.max_per_day = 1;
    config.decisions.quiet_from.clone_from(&rules.quiet_from);
    config.decisions.quiet_until.clone_from(&rules.quiet_until);
    config.decisions.repeat_sleep_hours = rules.repeat_sleep_hours;
    config.decisions.goal_value = rules.click_value;
    config.decisions.opt_out_cost = rules.opt_out_cost;
    config.decisions.seed = world.seed;
    config.training.seed = world.seed;
    // The product begins to push on the first day of play: names that are meant to come.
    config.health.known_events = StandardEvent::ALL.map(|event| event.name().to_string()).to_vec();
    config
}
