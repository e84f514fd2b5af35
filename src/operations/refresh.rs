//! Runs the whole chain as of one moment: ingest → profiles → training → gate → champion → plan. Steps whose input has not
//! changed are skipped, so an interrupted run resumes.

mod begun;
mod error;
mod journal;

use std::path::{Path, PathBuf};

use domain::error::Coded;
use domain::identity::sha256_hex;
use domain::time::Instant;
use domain::zone::Zone;
use events::formats::InputError;
use events::lake::Lake;
use files::tables::{self, TableError};
use planning::handoff;
use registry::gate::Gate;
use registry::versions::Registry;
use segments::saved::versions::SavedSegments;

pub use super::promote::NotPromoted;
use begun::Begun;
pub use error::RefreshError;
use journal::{Journal, StepRecord};
pub use journal::{Product, RefreshStep, StepState};

use super::context::{Context, ContextError};
use super::plan::{CampaignChoice, PlanError, PlanRequest, plan};
use super::promote::{Candidacy, stand};
use super::train::{TrainedModel, Trainer};
use super::{ingest, profile};

/// What to bring up to date.
#[derive(Clone, Debug)]
pub struct RefreshRequest {
    /// Files to take in first.
    pub files: Option<ingest::IngestRequest>,
    /// What was known before this moment counts; without one, the default moment of every command, after the files were taken in.
    pub as_of: Option<Instant>,
    /// Plan the campaigns that are due on the moment's date, and write the hand-off here.
    pub out: Option<PathBuf>,
}

/// What a refresh came to.
#[derive(Debug)]
pub struct RefreshReport {
    /// The moment.
    pub as_of: Instant,
    /// The steps, in order.
    pub steps: Vec<RefreshStep>,
    /// Of each new model that the gate refused, the reason.
    pub refused: Vec<String>,
    /// The journal.
    pub journal: PathBuf,
}

impl RefreshReport {
    /// Set when the gate refused a model.
    pub fn refusal(&self) -> Option<NotPromoted> {
        self.refused.first().map(|first| NotPromoted { first: first.clone() })
    }
}

/// Runs every step that is not done yet.
///
/// # Errors
/// When a step fails. A goal that there is not enough data for, and a model that the gate refuses, are in the report.
pub fn refresh(context: &Context<'_>, request: &RefreshRequest) -> Result<RefreshReport, RefreshError> {
    if let Some(out) = &request.out {
        handoff::check(out)?;
        context.check_free(out)?;
    }
    let (as_of, taken) = match request.as_of {
        Some(as_of) => (as_of, None),
        None => begin(context, request.files.as_ref())?,
    };
    let journal = Journal::open(context.workspace, as_of);
    let mut refresh = Refresh { context, as_of, journal, refused: Vec::new() };
    if let Some(files) = &request.files {
        refresh.ingest(files, taken)?;
    }
    let lake = context.lake()?;
    let input = input_of(context, &lake, as_of)?;
    refresh.profile(&input)?;
    refresh.train(&lake, &input)?;
    if let Some(out) = &request.out {
        refresh.plan(&input, out)?;
    }
    Begun::end(context.workspace)?;
    Ok(refresh.report())
}

/// The moment of a refresh that was given none: that of the same refresh when it was cut off, else the default moment once the files
/// are taken in, and what came of taking them in.
fn begin(
    context: &Context<'_>,
    files: Option<&ingest::IngestRequest>,
) -> Result<(Instant, Option<MadeStep>), RefreshError> {
    let identity = files.map(identity_of).transpose()?.unwrap_or_default();
    let begun = Begun::read(context.workspace);
    let is_same = |begun: &Begun, lake: &Lake| begun.files == identity && begun.lake == lake.content_sha256();
    let known = Lake::open(context.workspace).map_err(ContextError::from)?;
    if let Some(begun) = begun.filter(|begun| is_same(begun, &known)) {
        return Ok((begun.as_of, None));
    }
    let taken = files.map(|files| take_files(context, files)).transpose()?;
    let lake = context.lake()?;
    let as_of = context.default_moment(lake.newest());
    Begun { as_of, files: identity, lake: lake.content_sha256() }.write(context.workspace)?;
    Ok((as_of, taken))
}

/// Takes files in; nothing is learned from a file of which too little could be read.
fn take_files(context: &Context<'_>, files: &ingest::IngestRequest) -> Result<MadeStep, RefreshError> {
    context.progress.stage("ingest");
    let summary = ingest::take(context, files)?;
    let refusal = ingest::refusal(context, files, &summary);
    let (read, accepted) = (summary.read, summary.accepted);
    let (duplicate, rejected) = (summary.duplicate, summary.rejected);
    match (summary.refused.into_iter().next(), refusal) {
        (Some(refused), _) => Err(refused.into()),
        (None, Some(refusal)) => Err(ingest::IngestError::from(refusal).into()),
        (None, None) => Ok(MadeStep::done(Product::Records { accepted, duplicate, read, rejected })),
    }
}

/// Identity of everything that profiles and models are made from.
fn input_of(context: &Context<'_>, lake: &Lake, as_of: Instant) -> Result<String, RefreshError> {
    let mut text = format!("{as_of}\n{}\n", lake.content_sha256());
    text += &serde_json::to_string(context.config).map_err(RefreshError::Settings)?;
    for name in ["users", "contents", "campaigns"] {
        text += &format!("\n{name} {}", context.table_sha256(name)?);
    }
    text += env!("CARGO_PKG_VERSION");
    Ok(sha256_hex(text.as_bytes()))
}

/// Identity of files to take in, and of how they are read.
fn identity_of(files: &ingest::IngestRequest) -> Result<String, RefreshError> {
    let mut text = String::new();
    for file in &files.files {
        text += &format!("{} {}\n", file.display(), sha256_of_input(file)?);
    }
    let zone = files.zone.as_ref().map(Zone::name);
    text += &format!("{} {:?} {:?} {zone:?}", files.kind.as_str(), files.format, files.renames);
    Ok(sha256_hex(text.as_bytes()))
}

fn sha256_of_input(file: &Path) -> Result<String, RefreshError> {
    match tables::sha256_of_file(file) {
        Err(TableError::Io { path, source }) => Err(InputError::from_io(&path, &source).into()),
        sha256 => Ok(sha256?),
    }
}

/// How a step ended that was made now.
struct MadeStep {
    state: StepState,
    said: Product,
    refusal: Option<String>,
}

impl MadeStep {
    fn done(said: Product) -> MadeStep {
        MadeStep { state: StepState::Done, said, refusal: None }
    }

    fn skipped(why: impl ToString) -> MadeStep {
        MadeStep { state: StepState::Skipped, said: Product::Nothing { why: why.to_string() }, refusal: None }
    }

    fn refused(error: &impl Coded) -> MadeStep {
        let why = error.to_string();
        MadeStep { state: StepState::Refused, said: Product::Nothing { why }, refusal: Some(error.detail()) }
    }
}

/// A refresh under way.
struct Refresh<'a> {
    context: &'a Context<'a>,
    as_of: Instant,
    journal: Journal,
    refused: Vec<String>,
}

impl Refresh<'_> {
    /// Makes a step unless it was made from the same input before.
    fn step(
        &mut self,
        name: &str,
        input: &str,
        make: impl FnOnce() -> Result<MadeStep, RefreshError>,
    ) -> Result<StepRecord, RefreshError> {
        match self.journal.done(name, input) {
            Some(record) => Ok(record),
            None => self.make(name, input, make),
        }
    }

    fn make(
        &mut self,
        name: &str,
        input: &str,
        make: impl FnOnce() -> Result<MadeStep, RefreshError>,
    ) -> Result<StepRecord, RefreshError> {
        self.context.progress.stage(name);
        let MadeStep { state, said, refusal } = make()?;
        let (name, input) = (name.to_string(), input.to_string());
        let step = RefreshStep { step: name, input, state, said, again: false };
        Ok(self.journal.write(StepRecord { step, refusal })?)
    }

    /// `taken`: what came of taking the files in, if that was done already.
    fn ingest(&mut self, files: &ingest::IngestRequest, taken: Option<MadeStep>) -> Result<(), RefreshError> {
        let context = self.context;
        let input = identity_of(files)?;
        match taken {
            Some(taken) => self.make("ingest", &input, || Ok(taken))?,
            None => self.step("ingest", &input, || take_files(context, files))?,
        };
        Ok(())
    }

    fn profile(&mut self, input: &str) -> Result<(), RefreshError> {
        let (context, as_of) = (self.context, self.as_of);
        let manifest = context.workspace.profiles_as_of(as_of).join("_manifest.json");
        self.journal.forget_unless("profile", |_| manifest.exists());
        self.step("profile", input, || {
            let manifest = profile::build(context, Some(as_of))?.manifest;
            Ok(MadeStep::done(Product::Profiles { rows: manifest.rows, sha256: manifest.sha256 }))
        })?;
        Ok(())
    }

    /// Every goal that there is enough data for: trained, asked, and promoted if every line of the gate holds.
    fn train(&mut self, lake: &Lake, input: &str) -> Result<(), RefreshError> {
        let context = self.context;
        let registry = Registry::of(context.workspace);
        // Events are read only if something is to be trained.
        let mut trainer: Option<Trainer<'_>> = None;
        for goal in context.config.goals.keys() {
            let name = format!("train {goal}");
            let is_there = |step: &RefreshStep| {
                step.version().is_none_or(|version| registry.read(goal, version).is_ok())
            };
            self.journal.forget_unless(&name, is_there);
            let record = match self.journal.done(&name, input) {
                Some(record) => record,
                None => {
                    let opened = match trainer.take() {
                        Some(trainer) => trainer,
                        None => Trainer::open(context, lake, self.as_of)?,
                    };
                    let record = self.make(&name, input, || train_goal(context, &opened, goal))?;
                    trainer = Some(opened);
                    record
                }
            };
            if let Some(version) = record.step.version() {
                self.promote(&registry, goal, version)?;
            }
        }
        Ok(())
    }

    fn promote(&mut self, registry: &Registry, goal: &str, version: &str) -> Result<(), RefreshError> {
        let context = self.context;
        registry.check_pointer(goal).map_err(|error| RefreshError::of_goal(goal, error))?;
        let record = self.step(&format!("promote {goal}"), version, || {
            let _lock = context.lock()?;
            match stand(context, goal, version).map_err(|error| RefreshError::of_goal(goal, error))? {
                Candidacy::Promoted => {
                    Ok(MadeStep::done(Product::Champion { champion: version.to_string() }))
                }
                Candidacy::ChampionIsNewer { champion } => {
                    Ok(MadeStep::skipped(format!("champion {champion} knows a later day")))
                }
                Candidacy::Refused(error) => Ok(MadeStep::refused(&error)),
            }
        })?;
        self.refused.extend(record.refusal);
        Ok(())
    }

    fn plan(&mut self, input: &str, out: &Path) -> Result<(), RefreshError> {
        let context = self.context;
        self.journal.forget_unless("plan", |_| out.exists());
        let input = self.input_of_plan(input, out)?;
        let day = Zone::find(&context.config.default_time_zone)?.local_day(self.as_of);
        let request = PlanRequest {
            campaigns: CampaignChoice::Due(day),
            out: Some(out.to_path_buf()),
            what_if: Vec::new(),
            as_of: Some(self.as_of),
        };
        self.step("plan", &input, || match plan(context, &request) {
            Ok(report) => {
                report.warnings.iter().for_each(|warning| context.progress.warn(&warning.to_string()));
                let sends = report.sum(&report.forecasts()).0.sends;
                let path = out.display().to_string();
                let skipped: Vec<&str> = report.skipped.iter().map(|one| one.campaign_id.as_str()).collect();
                let skipped = (!skipped.is_empty()).then(|| skipped.join(" "));
                Ok(MadeStep::done(Product::Plan { path, plan_id: report.plan_id, sends, skipped }))
            }
            Err(error @ PlanError::NoCampaigns) => Ok(MadeStep::skipped(error)),
            // Of the only campaigns that are due, none can be planned: everything else is done.
            Err(error) if error.is_about_one_campaign() => {
                context.progress.warn(&error.to_string());
                Ok(MadeStep::skipped(error))
            }
            Err(error) => Err(error.into()),
        })?;
        Ok(())
    }

    /// Champions and segments decide a plan beside what decides the models.
    fn input_of_plan(&self, input: &str, out: &Path) -> Result<String, RefreshError> {
        let context = self.context;
        let registry = Registry::of(context.workspace);
        let champion = |goal: &String| format!("{goal}={}", registry.champion(goal).unwrap_or_default());
        let champions: Vec<String> = context.config.goals.keys().map(champion).collect();
        let cards = SavedSegments::read(context.workspace)?;
        let segments: Vec<String> = cards.all().map(|segment| format!("{:?}", segment.card)).collect();
        let parts = [input, &out.display().to_string(), &champions.join(" "), &segments.join(" ")];
        Ok(sha256_hex(parts.join(" ").as_bytes()))
    }

    fn report(self) -> RefreshReport {
        let (steps, journal) = (self.journal.told(), self.journal.path().to_path_buf());
        RefreshReport { as_of: self.as_of, steps, refused: self.refused, journal }
    }
}

/// A shipped goal that there is not enough data for is no failure of the others; any other error ends the refresh.
fn train_goal(context: &Context<'_>, trainer: &Trainer<'_>, goal: &str) -> Result<MadeStep, RefreshError> {
    let _lock = context.lock()?;
    match trainer.train(goal) {
        Ok(learned) => Ok(MadeStep::done(product_of(&learned))),
        Err(error) if error.is_not_enough_data() => Ok(MadeStep::skipped(error)),
        Err(error) => Err(RefreshError::of_goal(goal, error)),
    }
}

fn product_of(learned: &TrainedModel) -> Product {
    let (card, model) = (&learned.trained.card, &learned.trained.model);
    let failed = card.gate.iter().flat_map(Gate::failed);
    Product::Model {
        auc: Some(card.metrics.auc.value),
        base_rate_log_loss: Some(card.metrics.base_rate_log_loss.value),
        failed: failed.map(|line| line.to_string()).collect(),
        log_loss: Some(card.metrics.log_loss.value),
        model: model.kind.as_str().to_string(),
        version: learned.version.clone(),
    }
}
