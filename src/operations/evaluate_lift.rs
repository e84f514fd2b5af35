//! Measures what pushes caused: those who were to be pushed beside those whom chance left alone.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::context::{Context, ContextError};
use super::scratch::Scratch;
use domain::error::{Coded, ErrorKind};
use evaluation::uplift::{Lift, Qini, UpliftError, lift_of, qini_of};
use events::catalogue::Catalogue;
use feedback::arms::{ArmRows, Arms, UnitReport};
use feedback::experiment::{ExperimentReading, names, of_file};
use feedback::lift::{Holdouts, of_export};
use feedback::off_policy::PolicyInputError;

/// So many standard deviations off (p < 0.001) an assignment is suspect.
pub(super) const SUSPECT: f64 = 3.29;
/// Below so many units of an arm that reached the goal, intervals are none to rely on.
const FEW: u64 = 10;

/// How to measure.
#[derive(Clone, Copy, Debug)]
pub struct LiftRequest {
    /// Units after which the interval is to be narrowest.
    pub planned: u64,
    /// Draws for the intervals of the Qini curve.
    pub draws: usize,
    /// Seed of these draws.
    pub seed: u64,
}

/// A randomised experiment in a file: CSV, also gzipped, or Parquet; rows of one unit share its unit_id or user_id.
#[derive(Clone, Debug)]
pub struct Experiment {
    /// The file.
    pub file: PathBuf,
    /// Its names of columns for ours: `theirs=ours,…`.
    pub map: String,
    /// Probability with which a unit was to be treated, when the file has no column that says it.
    pub treated_probability: Option<f64>,
    /// Did chance assign each row on its own, so that a unit may be in both arms?
    pub assigned_by_row: bool,
}

/// A comparison, or why there is none.
pub type Compared = Result<Lift, UpliftError>;

/// What was measured.
#[derive(Debug)]
pub struct LiftReport {
    /// Of all units.
    pub all: Compared,
    /// Of each campaign.
    pub campaigns: BTreeMap<String, Compared>,
    /// How well a score says whom a push moves.
    pub qini: Option<Qini>,
    /// Of an experiment in a file: its units.
    pub units: Option<UnitReport>,
}

/// A lift that cannot be measured.
#[derive(Debug, thiserror::Error)]
pub enum LiftError {
    /// Names of columns that cannot be read.
    #[error("bad_map: --map: {0}")]
    BadMap(String),
    /// No campaign allows a comparison.
    #[error("{0}; without users left alone by chance nobody knows what they would have done")]
    NoComparison(UpliftError),
    /// Of our own decisions nobody is held out.
    #[error(
        "not_randomised: neither decisions.holdout_percent nor a campaign's holdout_percent holds anybody out, so there is no \
         control group; without users left alone by chance nobody knows what they would have done"
    )]
    NoHoldout,
    /// The scores cannot be put to the test.
    #[error(transparent)]
    Qini(UpliftError),
    /// The arms cannot be read.
    #[error(transparent)]
    Input(#[from] PolicyInputError),
    /// The workspace or the system's temporary directory cannot be used.
    #[error(transparent)]
    Context(#[from] ContextError),
}

impl Coded for LiftError {
    fn code(&self) -> &'static str {
        match self {
            LiftError::BadMap(_) => "bad_map",
            LiftError::NoHoldout => "not_randomised",
            LiftError::NoComparison(error) | LiftError::Qini(error) => error.code(),
            LiftError::Input(error) => error.code(),
            LiftError::Context(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            LiftError::BadMap(_) | LiftError::NoHoldout => ErrorKind::Caller,
            LiftError::NoComparison(error) | LiftError::Qini(error) => error.kind(),
            LiftError::Input(error) => error.kind(),
            LiftError::Context(error) => error.kind(),
        }
    }
}

/// Measures our own decisions: users who are held out beside all others, as `outcomes` wrote them.
///
/// # Errors
/// When they cannot be read, or there is no holdout.
pub fn evaluate_holdouts(context: &Context<'_>, request: &LiftRequest) -> Result<LiftReport, LiftError> {
    let workspace = context.workspace;
    let share = |percent: f64| percent / 100.0;
    let campaigns = Catalogue::read(workspace).map_err(ContextError::from)?.campaigns.into_iter();
    let holdouts = Holdouts {
        everywhere: share(context.config.decisions.holdout_percent),
        campaigns: campaigns.map(|(id, campaign)| (id, share(campaign.holdout_percent))).collect(),
    };
    let arms = of_export(&workspace.decisions(), &workspace.outcomes(), &holdouts)?;
    measure(&arms, None, request)
}

/// Measures anybody's experiment.
///
/// # Errors
/// When the file cannot be read, or it has no control group.
pub fn evaluate_experiment(experiment: &Experiment, request: &LiftRequest) -> Result<LiftReport, LiftError> {
    let names = names(&experiment.map).map_err(LiftError::BadMap)?;
    let scratch = Scratch::make()?;
    let reading = ExperimentReading {
        names: &names,
        treated_probability: experiment.treated_probability,
        assigned_by_row: experiment.assigned_by_row,
        scratch: &scratch.0,
    };
    let arms = of_file(&experiment.file, &reading).map_err(PolicyInputError::from)?;
    measure(&arms, Some(arms.units.clone()), request)
}

fn measure(arms: &Arms, units: Option<UnitReport>, request: &LiftRequest) -> Result<LiftReport, LiftError> {
    let compare = |rows: &ArmRows| lift_of(rows.as_rows(), request.planned);
    let all = compare(&arms.all);
    let campaigns: BTreeMap<String, Compared> =
        arms.campaigns.iter().map(|(campaign, units)| (campaign.clone(), compare(units))).collect();
    if let (Err(error), false) = (&all, campaigns.values().any(Result::is_ok)) {
        let is_ours = units.is_none();
        let is_held_out =
            |error: &UpliftError| !matches!(error, UpliftError::NotRandomised { value, .. } if *value >= 1.0);
        let mut errors = campaigns.values().filter_map(|compared| compared.as_ref().err()).chain([error]);
        return match is_ours && !errors.any(is_held_out) {
            true => Err(LiftError::NoHoldout),
            false => Err(LiftError::NoComparison(error.clone())),
        };
    }
    let scores = arms.scores.as_ref().filter(|_| all.is_ok());
    let qini = scores.map(|scores| qini_of(arms.all.as_rows(), scores, request.draws, request.seed));
    Ok(LiftReport { all, campaigns, qini: qini.transpose().map_err(LiftError::Qini)?, units })
}

impl LiftReport {
    /// Reasons for doubt, with what they are about.
    pub fn warnings(&self) -> Vec<(String, String)> {
        let all = std::iter::once(("all", &self.all));
        let groups = all.chain(self.campaigns.iter().map(|(name, compared)| (name.as_str(), compared)));
        let mut warnings: Vec<(String, String)> =
            self.units.iter().flat_map(unit_doubts).map(|doubt| ("units".to_string(), doubt)).collect();
        for (name, compared) in groups {
            let Ok(lift) = compared else { continue };
            let doubts = [assignment_off(lift), few_outcomes(lift)];
            warnings.extend(doubts.into_iter().flatten().map(|doubt| (name.to_string(), doubt)));
        }
        warnings
    }
}

fn assignment_off(lift: &Lift) -> Option<String> {
    (lift.assignment_z.abs() > SUSPECT).then(|| {
        format!(
            "assignment_off: {:+.1} standard deviations more units were treated than their probabilities say; \
             the holdout has changed, or only one arm was asked about",
            lift.assignment_z
        )
    })
}

fn few_outcomes(lift: &Lift) -> Option<String> {
    let (treated, control) = (lift.treated.units_reached, lift.control.units_reached);
    (treated.min(control) < FEW).then(|| {
        format!(
            "few_outcomes: {treated} treated and {control} held-out units reached the goal: too few to rely on the interval"
        )
    })
}

/// Reasons to doubt what the file says of its units.
fn unit_doubts(units: &UnitReport) -> Vec<String> {
    let mut doubts = Vec::new();
    let both = &units.both_arms;
    if both.n > 0 {
        let examples = both.examples.join(", ");
        let treated_as = match both.excluded_rows {
            0 => {
                "chance assigned each row on its own, so their rows count in the arm of each row".to_string()
            }
            rows => format!("their {rows} rows are left out: they met both treatments"),
        };
        doubts.push(format!(
            "units_in_both_arms: {} of {} units have rows in both arms ({examples}{}); {treated_as}",
            both.n,
            both.of,
            if both.n > both.examples.len() as u64 { ", …" } else { "" },
        ));
    }
    doubts.extend(units.repeating.iter().map(|column| {
        format!(
            "rows_repeat: column {:?} has {} values in {} rows, as ids of units have, and every row counts as a unit of its \
             own: the intervals are too narrow if chance assigned by it. Name it with --map {}=unit_id",
            column.column, column.values, column.rows, column.column
        )
    }));
    doubts
}
