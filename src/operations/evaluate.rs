//! Measures curves, rankings and propensities on days that they have not seen, beside baselines.

use std::collections::BTreeMap;

use super::context::{Context, ContextError, parse_moment};
use super::material::{question, read_before};
use config::Config;
use curves::evaluate::{CurvesReport, EvaluateError as CurvesError, evaluate as evaluate_curves};
use curves::population::Cut;
use domain::error::{Coded, ErrorKind};
use domain::goal::Unit;
use domain::time::{Day, Instant};
use domain::zone::Zone;
use events::lake::Lake;
use models::evaluate::{ContentReport, PropensityReport, content, propensity};
use models::examples::GoalQuestion;
use models::material::Material;
use models::train::TrainError;
use profiles::declared::Declared;

/// What to measure.
#[derive(Clone, Debug, Default)]
pub struct EvaluateRequest {
    /// Where learning ends and measuring begins; by default the newest days are held out.
    pub cut: Option<Cut>,
    /// Which sections; none means all.
    pub sections: Vec<Section>,
    /// Only this goal, and no curves.
    pub goal: Option<String>,
}

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Curves: when users are active.
    SendTime,
    /// Rankings: which contents they touch next.
    Content,
    /// Propensities: who reaches a goal.
    Propensity,
}

impl Section {
    /// Its key in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Section::SendTime => "send_time",
            Section::Content => "content",
            Section::Propensity => "propensity",
        }
    }
}

/// What was measured.
#[derive(Debug)]
pub struct EvaluateReport {
    /// Where learning ended and measuring began.
    pub cut: Cut,
    /// Curves.
    pub send_time: Option<CurvesReport>,
    /// Rankings.
    pub content: Option<ContentReport>,
    /// Propensities, by goal.
    pub propensity: BTreeMap<String, PropensityReport>,
    /// What could not be measured, in the order in which it was tried.
    pub missing: Vec<MissingSection>,
}

/// A section, or a goal of it, that could not be measured.
#[derive(Debug)]
pub struct MissingSection {
    /// The section.
    pub section: Section,
    /// Why.
    pub error: MeasureError,
}

/// Why something could not be measured.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// Events or declarations cannot be read.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// Curves.
    #[error(transparent)]
    Curves(#[from] CurvesError),
    /// Rankings or propensities.
    #[error(transparent)]
    Models(#[from] TrainError),
}

impl Coded for MeasureError {
    fn code(&self) -> &'static str {
        match self {
            MeasureError::Context(error) => error.code(),
            MeasureError::Curves(error) => error.code(),
            MeasureError::Models(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            MeasureError::Context(error) => error.kind(),
            MeasureError::Curves(error) => error.kind(),
            MeasureError::Models(error) => error.kind(),
        }
    }
}

/// An evaluation without a figure.
#[derive(Debug, thiserror::Error)]
pub enum EvaluationError {
    /// Everything that was asked for could not be measured; the text is the first reason.
    #[error("{}", .first.error)]
    NothingMeasured {
        /// The first reason.
        first: Box<MissingSection>,
        /// The others.
        others: Vec<MissingSection>,
    },
    /// No goal fits the sections that were asked for.
    #[error("nothing_to_measure: no section was asked for")]
    NothingAskedFor,
    /// The goal is unknown, or the workspace cannot be used.
    #[error(transparent)]
    Context(#[from] ContextError),
}

impl Coded for EvaluationError {
    fn code(&self) -> &'static str {
        match self {
            EvaluationError::NothingMeasured { first, .. } => first.error.code(),
            EvaluationError::NothingAskedFor => "nothing_to_measure",
            EvaluationError::Context(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            EvaluationError::NothingMeasured { first, .. } => first.error.kind(),
            EvaluationError::NothingAskedFor => ErrorKind::Caller,
            EvaluationError::Context(error) => error.kind(),
        }
    }
}

impl EvaluationError {
    /// What could not be measured.
    pub fn missing(&self) -> impl Iterator<Item = &MissingSection> {
        let (first, others) = match self {
            EvaluationError::NothingMeasured { first, others } => (Some(&**first), others.as_slice()),
            EvaluationError::NothingAskedFor | EvaluationError::Context(_) => (None, [].as_slice()),
        };
        first.into_iter().chain(others)
    }
}

/// Reads a cut: a date is each user's own midnight, RFC 3339 one instant for all.
///
/// # Errors
/// When the text is neither.
pub fn parse_cut(config: &Config, text: &str) -> Result<Cut, ContextError> {
    match Day::parse(text) {
        Some(day) => Ok(Cut::LocalMidnight(day)),
        None => Ok(Cut::At(parse_moment(config, text)?)),
    }
}

/// The newest days are held out, the day of the newest event that has happened (in the default zone) among them.
fn default_cut(context: &Context<'_>, lake: &Lake) -> Cut {
    let config = context.config;
    let zone = Zone::find(&config.default_time_zone).unwrap_or_else(|_| Zone::utc());
    let newest = zone.local_day(context.default_moment(lake.newest()).plus(-1));
    Cut::LocalMidnight(Day(newest.0 + 1 - config.evaluation.held_out_days as i32))
}

/// Trains on what was known before the cut, and measures on what came from the cut on. A section that the data says nothing
/// about is left out.
///
/// # Errors
/// When nothing could be measured, the goal is unknown, or there are no events.
pub fn evaluate(context: &Context<'_>, request: &EvaluateRequest) -> Result<EvaluateReport, EvaluationError> {
    if let Some(goal) = &request.goal {
        context.goal(goal)?;
    }
    let lake = context.lake()?;
    let cut = request.cut.unwrap_or_else(|| default_cut(context, &lake));
    let (propensity, missing) = (BTreeMap::new(), Vec::new());
    let mut report = EvaluateReport { cut, send_time: None, content: None, propensity, missing };
    if request.wants(Section::SendTime) && request.goal.is_none() {
        match measure_curves(context, &lake, cut) {
            Ok(curves) => report.send_time = Some(curves),
            Err(error) => report.miss(Section::SendTime, error),
        }
    }
    if request.wants(Section::Content) || request.wants(Section::Propensity) {
        measure_models(context, &lake, request, &mut report)?;
    }
    report.or_why_not()
}

impl EvaluateRequest {
    fn wants(&self, section: Section) -> bool {
        self.sections.is_empty() || self.sections.contains(&section)
    }

    fn wants_goal(&self, name: &str) -> bool {
        self.goal.as_ref().is_none_or(|wanted| wanted == name)
    }
}

impl EvaluateReport {
    fn miss(&mut self, section: Section, error: impl Into<MeasureError>) {
        self.missing.push(MissingSection { section, error: error.into() });
    }

    /// The report, unless it holds no figure.
    fn or_why_not(mut self) -> Result<EvaluateReport, EvaluationError> {
        if self.send_time.is_some() || self.content.is_some() || !self.propensity.is_empty() {
            return Ok(self);
        }
        if self.missing.is_empty() {
            return Err(EvaluationError::NothingAskedFor);
        }
        let first = Box::new(self.missing.remove(0));
        Err(EvaluationError::NothingMeasured { first, others: self.missing })
    }
}

fn measure_curves(context: &Context<'_>, lake: &Lake, cut: Cut) -> Result<CurvesReport, MeasureError> {
    let zone = &context.config.default_time_zone;
    let declared = Declared::read(context.workspace, zone).map_err(ContextError::from)?;
    context.progress.step("evaluating curves");
    Ok(evaluate_curves(lake, &declared, cut, context.config, &context.counting())?)
}

fn measure_models(
    context: &Context<'_>,
    lake: &Lake,
    request: &EvaluateRequest,
    report: &mut EvaluateReport,
) -> Result<(), ContextError> {
    let material = read_before(context, lake, context.default_moment(lake.newest()))?;
    let sources = material.sources(&context.config.profiles);
    let measure = Measure { at: instant_of(context.config, report.cut), known: known(&material), context };
    let goals = context.config.goals.iter().filter(|(name, _)| request.wants_goal(name));
    for (name, goal) in goals {
        let question = question(context, name, goal, &sources);
        let is_default = *name == context.config.decisions.goal || request.goal.is_some();
        match goal.unit {
            Unit::UserContent if request.wants(Section::Content) && is_default => {
                measure.content(&question, report);
            }
            Unit::UserDay | Unit::UserCampaign if request.wants(Section::Propensity) => {
                measure.propensity(&question, report);
            }
            Unit::UserContent | Unit::UserDay | Unit::UserCampaign => {}
        }
    }
    Ok(())
}

/// An instant after everything that is known.
fn known(material: &Material) -> Instant {
    material.timeline.newest().unwrap_or(Instant::MIN).plus(1)
}

/// Measures goals between two moments.
struct Measure<'a> {
    context: &'a Context<'a>,
    /// The cut as one instant.
    at: Instant,
    /// The end of what is known.
    known: Instant,
}

impl Measure<'_> {
    fn content(&self, question: &GoalQuestion<'_>, report: &mut EvaluateReport) {
        let context = self.context;
        context.progress.step("evaluating rankings");
        match content(question, self.at, self.known, context.config, &context.counting()) {
            Ok(measured) => report.content = Some(measured),
            Err(error) => report.miss(Section::Content, error),
        }
    }

    fn propensity(&self, question: &GoalQuestion<'_>, report: &mut EvaluateReport) {
        match propensity(question, self.at, self.known, self.context.config) {
            Ok(measured) => drop(report.propensity.insert(question.name.to_string(), measured)),
            Err(error) => report.miss(Section::Propensity, error),
        }
    }
}

/// The cut as one instant: of a date, its midnight in the default zone.
fn instant_of(config: &Config, cut: Cut) -> Instant {
    match cut {
        Cut::At(at) => at,
        Cut::LocalMidnight(day) => {
            let zone = Zone::find(&config.default_time_zone).unwrap_or_else(|_| Zone::utc());
            zone.instant_of(day.civil().into()).unwrap_or(Instant::MIN)
        }
    }
}
