//! The whole path on a data directory, in a workspace of its own: what came in, who is there, when they come, what is
//! learned, who a campaign is for, and what would be decided. Each stage is reported as soon as it is done.

mod decided;
mod error;

pub use decided::{DecidedDemo, ShownDecision};
pub use error::DemoError;

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::context::Context;
use super::evaluate::{self, Section, evaluate};
use super::ingest::{self, ingest};
use super::segments::count::{CountRequest, count};
use super::segments::save::{ExpectedVersion, NewDefinition, SaveRequest, save};
use super::segments::{AskOptions, PeopleChoice, ReaderChoice, Selection, WrittenSegment};
use super::train::{self, GoalChoice, train};
use super::{profile, serve};
use curves::SendTimeModel;
use curves::evaluate::CurvesReport;
use curves::export::{CurveFrames, Layout};
use curves::population::{Cut, Population};
use domain::time::Instant;
use domain::zone::Zone;
use events::lake::{Lake, LakeFile};
use events::mapping::Renames;
use events::request::{IngestSummary, InputKind};
use files::tables::{self, TableError};
use files::workspace::{ServeLock, Workspace};
use profiles::build::Built;
use profiles::declared::Declared;
use segments::answers::count::Counted;

/// The sample's bare dates (campaigns, redemptions) are read on this clock.
const SAMPLE_ZONE: &str = "America/New_York";

/// Files of a data directory, in the order in which they are taken.
const FILES: [(InputKind, &[&str]); 4] = [
    (InputKind::Users, &["users.csv"]),
    (InputKind::Contents, &["contents.jsonl"]),
    (InputKind::Campaigns, &["campaigns.jsonl"]),
    (InputKind::Events, &["purchases.parquet", "coupon_uses.csv", "campaign_events.csv"]),
];

/// The segment that the demo saves.
pub const SEGMENT_ID: &str = "produce-cooling";
/// What it says.
pub const SEGMENT_WHERE: &str = "lifecycle = \"cooling\" and interest(\"PRODUCE\") > 0.02";
/// What it is for.
pub const SEGMENT_DESCRIPTION: &str = "produce buyers cooling off";

/// A workspace without anything in it, and the sole right to serve it.
#[derive(Debug)]
pub struct FreshWorkspace {
    /// The workspace.
    pub workspace: Workspace,
    /// Held from here on, so that no second demo takes it away.
    pub serving: ServeLock,
}

/// What the demo has just done.
pub enum DemoStage<'a> {
    /// Files were taken in.
    CameIn(&'a [(InputKind, IngestSummary)], &'a [LakeFile]),
    /// Activity was read: as if everybody lived on UTC, and on each user's own clock.
    Activity(&'a Population, &'a Population),
    /// Profiles were built.
    Profiles(&'a Built),
    /// Curves were learned.
    Curves(&'a Population, &'a SendTimeModel),
    /// Curves were measured on days that they had not seen.
    Measured(&'a CurvesReport),
    /// Models were trained.
    Trained(&'a [train::TrainedModel]),
    /// A segment was saved and counted.
    Counted(&'a Counted),
    /// Everybody was decided about, at a moment.
    Decided(Instant, &'a DecidedDemo),
}

/// What the demo came to.
#[derive(Debug)]
pub struct DemoReport {
    /// The moment at which the data ends.
    pub as_of: Instant,
    /// What came of each kind of file.
    pub taken: Vec<(InputKind, IngestSummary)>,
    /// The profiles.
    pub built: Built,
    /// How good the curves are.
    pub measured: CurvesReport,
    /// The models.
    pub models: Vec<train::TrainedModel>,
    /// The segment's members.
    pub counted: Counted,
    /// The decisions.
    pub decided: DecidedDemo,
    /// Files of curves: all of them, and everybody's best hour.
    pub curves: Vec<PathBuf>,
}

/// Makes the demo's workspace, or takes everything out of the one that is there.
///
/// # Errors
/// When there is no data, the directory holds other files, or another process uses the workspace.
pub fn fresh_workspace(root: &Path, data: &Path) -> Result<FreshWorkspace, DemoError> {
    if !data.join("purchases.parquet").exists() {
        return Err(DemoError::NoData(data.to_path_buf()));
    }
    if Workspace::is_foreign(root) {
        return Err(DemoError::Foreign(root.join("data")));
    }
    let workspace = Workspace::create(root)?;
    let lock = workspace.lock()?;
    let serving = serve::reserve(&workspace)?;
    workspace.clear(&lock)?;
    Ok(FreshWorkspace { workspace, serving })
}

/// Goes the whole path in a fresh workspace.
///
/// # Errors
/// The first stage that fails, fails the demo.
pub fn demo(
    context: &Context<'_>,
    data: &Path,
    entropy: [u8; 32],
    tell: &mut dyn FnMut(DemoStage<'_>),
) -> Result<DemoReport, DemoError> {
    let taken = take_all(context, data)?;
    let lake = context.lake()?;
    let as_of = context.moment(None, &lake);
    tell(DemoStage::CameIn(&taken, &lake.manifest().files));
    let declared = Declared::read(context.workspace, &context.config.default_time_zone)?;
    let population = activity(&lake, &declared, as_of)?;
    tell(DemoStage::Activity(&activity(&lake, &declared.everybody_in("UTC"), as_of)?, &population));
    let built = profile::build(context, Some(as_of))?;
    tell(DemoStage::Profiles(&built));
    let model = SendTimeModel::fit(&population.histories, context.config.send_time.interval);
    tell(DemoStage::Curves(&population, &model));
    let measured = measure_curves(context)?;
    tell(DemoStage::Measured(&measured));
    let models = train_all(context, as_of)?;
    tell(DemoStage::Trained(&models));
    let counted = save_and_count(context)?;
    tell(DemoStage::Counted(&counted));
    let decided = decided::decide_all(&Context { now: as_of, ..*context }, entropy, &population.ids)?;
    tell(DemoStage::Decided(as_of, &decided));
    let curves = write_curves(context.workspace, &population, &model)?;
    Ok(DemoReport { as_of, taken, built, measured, models, counted, decided, curves })
}

fn take_all(context: &Context<'_>, data: &Path) -> Result<Vec<(InputKind, IngestSummary)>, DemoError> {
    let zone = Zone::find(SAMPLE_ZONE)?;
    let take = |(kind, names): (InputKind, &[&str])| {
        let files = names.iter().map(|name| data.join(name)).collect();
        let (renames, zone) = (Renames::default(), Some(zone.clone()));
        let request = ingest::IngestRequest { files, kind, format: None, renames, zone, most_rejected: None };
        let mut summary = ingest(context, &request)?.summary;
        match summary.refused.pop() {
            Some(refused) => Err(refused.into()),
            None => Ok((kind, summary)),
        }
    };
    FILES.into_iter().map(take).collect()
}

fn activity(lake: &Lake, declared: &Declared, as_of: Instant) -> Result<Population, DemoError> {
    Ok(Population::read(lake, declared, Cut::At(as_of), &|_, _| ())?)
}

fn measure_curves(context: &Context<'_>) -> Result<CurvesReport, DemoError> {
    let request = evaluate::EvaluateRequest {
        sections: vec![Section::SendTime],
        ..evaluate::EvaluateRequest::default()
    };
    evaluate(context, &request)?.send_time.ok_or(DemoError::NothingMeasured)
}

/// Trains every goal that the data says something about.
fn train_all(context: &Context<'_>, as_of: Instant) -> Result<Vec<train::TrainedModel>, DemoError> {
    let request = train::TrainRequest { goals: GoalChoice::Every, as_of: Some(as_of), seed: None };
    let mut report = train(context, &request)?;
    match report.failed.pop() {
        Some(failed) => Err(failed.error.into()),
        None => Ok(report.models),
    }
}

fn save_and_count(context: &Context<'_>) -> Result<Counted, DemoError> {
    let reader = ReaderChoice::DataTeam;
    let definition = NewDefinition::Written(WrittenSegment::Text(SEGMENT_WHERE.to_string()), reader);
    let request = SaveRequest {
        id: SEGMENT_ID.to_string(),
        definition,
        description: Some(SEGMENT_DESCRIPTION.to_string()),
        expected: ExpectedVersion::Anything,
        patience: Duration::ZERO,
    };
    save(context, &request)?;
    let selection = Selection::Saved(SEGMENT_ID.to_string());
    let request = CountRequest { selection, by: Vec::new(), sample: None, keep_evaluation: false };
    Ok(count(context, AskOptions { people: PeopleChoice::Newest, reader }, &request)?.counted)
}

fn write_curves(
    workspace: &Workspace,
    population: &Population,
    model: &SendTimeModel,
) -> Result<Vec<PathBuf>, TableError> {
    let mut files = Vec::new();
    for (layout, name) in [(Layout::Long, "curves.parquet"), (Layout::Best, "best_hours.csv")] {
        let path = workspace.data().join(name);
        let mut frames = CurveFrames::new(model, population, layout);
        tables::write_table(&path, || frames.next_frame().map_err(TableError::parquet(Path::new(name))))?;
        files.push(path);
    }
    Ok(files)
}
