//! A column of any table as a goal: rows in order of time → recipe → figures on later rows → gate → model.
//!
//! Base rates drift, so everything is measured forward in time: before each block of the test part the recipe is learned
//! anew from all rows before it, as it will be when the table grows. What ships is the same recipe applied to all rows.

mod columns;
mod error;
mod fit;
mod forward;
mod judged;
mod read;
mod rows;
mod score;
mod shift;
mod uplift;

use config::Config;
use domain::goal::{Goal, GoalWindow, Population, Unit};
use domain::identity::sha256_hex;
use domain::time::{DAY, Instant};
use domain::zone::Zone;
use registry::card::Card;
use registry::gate::GateLine;
use registry::model::{InputBlock, Model, ModelKind, TABLE_FORMAT, WeightedInput};
use registry::table::{TableSchema, TableUplift};
use registry::versions::Registered;

pub use columns::LeftOut;
pub use error::TableGoalError;
pub use forward::TriedRecipe;
pub use judged::FrozenFigures;
pub use read::CellTable;
pub use rows::TableRoles;
pub use score::{TableScores, score_table};
pub use uplift::UpliftFigures;

use fit::{CLIP, TableFit, TableLearner, TableRecipe};
use learners::calibration::Calibration;
use rows::LabelledRows;
use uplift::learn_uplift;

/// Rows with a label that it takes at least.
const LEAST_ROWS: usize = 100;
/// Share of the rows that teach and calibrate before the test part.
const BEFORE_TEST: f64 = 0.8;

/// What to learn from a table.
#[derive(Clone, Copy)]
pub struct TableTraining<'a> {
    /// The goal's name.
    pub goal: &'a str,
    /// Which columns mean what.
    pub roles: &'a TableRoles,
    /// Settings.
    pub config: &'a Config,
    /// Stamps without a zone are in this one.
    pub zone: &'a Zone,
    /// For the card, and for stamps that lie ahead.
    pub now: Instant,
    /// Seed of draws.
    pub seed: u64,
    /// Hash of the file.
    pub file_sha256: &'a str,
    /// The goal's champion, which the new model is compared with.
    pub champion: Option<&'a Registered>,
}

/// A model of a table's column.
#[derive(Clone, Debug)]
pub struct TrainedTable {
    /// The model.
    pub model: Model,
    /// Its card.
    pub card: Card,
    /// Every candidate with its figures, forward in time.
    pub tried: Vec<TriedRecipe>,
    /// Columns that are no inputs.
    pub left_out: Vec<LeftOut>,
    /// Rows without a label, which are left out.
    pub without_label: usize,
    /// How often the recipe was learned over the test part.
    pub blocks: usize,
    /// Figures of the recipe that was learned once, before the test part.
    pub frozen: FrozenFigures,
    /// How well uplift is told, of a goal with a treatment.
    pub uplift: Option<UpliftFigures>,
}

/// Stages of a training, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TableStage {
    /// Candidates are compared.
    Choosing,
    /// The chosen one is measured forward in time.
    Measuring,
    /// Uplift is learned.
    Uplift,
}

/// Learns a column of a table.
///
/// # Errors
/// When a column is missing, a label or a time cannot be read, there are too few rows, or there is no fit.
pub fn train_table(
    table: &CellTable,
    request: &TableTraining<'_>,
    watch: &dyn Fn(TableStage, usize, usize),
) -> Result<TrainedTable, TableGoalError> {
    let rows = LabelledRows::of(table, request.roles, request.zone, request.now)?;
    let (candidates, left_out) = columns::candidates(table, request.roles);
    check_inputs(request.goal, &candidates, &left_out)?;
    let learner =
        TableLearner { goal: request.goal, rows: &rows, candidates: &candidates, seed: request.seed };
    let start = test_start(&learner)?;
    let tried = learner.choose(start, &|done, all| watch(TableStage::Choosing, done, all))?;
    let recipe = chosen(&tried);
    let forward = learner.forward(start, recipe, &|done, all| watch(TableStage::Measuring, done, all))?;
    let shipped = learner.fit(rows.len(), recipe, 1)?;
    let uplift = match &request.roles.treatment {
        Some(treatment) => {
            let watch = |done, all| watch(TableStage::Uplift, done, all);
            Some(learn_uplift(&learner, treatment, &request.config.evaluation, &watch)?)
        }
        None => None,
    };
    let (uplift, uplift_figures) = uplift.unzip();
    let judged = judged::Judged { learner: &learner, request, start, forward: &forward, tried: &tried };
    let metrics = judged.metrics();
    let is_served = judged::is_told_from_noise(&metrics) || uplift.is_some();
    let model = model_of(request, &rows, recipe, shipped, uplift, is_served);
    let lines: Option<Vec<GateLine>> = uplift_figures.as_ref().map(UpliftFigures::gate_lines);
    let card = judged.card(&model, metrics, lines.as_deref());
    Ok(TrainedTable {
        frozen: judged.frozen(),
        blocks: forward.blocks,
        without_label: rows.without_label,
        uplift: uplift_figures,
        model,
        card,
        tried,
        left_out,
    })
}

fn check_inputs(goal: &str, candidates: &[usize], left_out: &[LeftOut]) -> Result<(), TableGoalError> {
    if !candidates.is_empty() {
        return Ok(());
    }
    let of = |left: &LeftOut| format!("{} ({})", left.column, left.reason);
    let left_out = left_out.iter().map(of).collect::<Vec<_>>().join(", ");
    Err(TableGoalError::NoInputs { goal: goal.to_string(), left_out })
}

/// Where the test part begins; both outcomes must be on either side.
fn test_start(learner: &TableLearner<'_>) -> Result<usize, TableGoalError> {
    let (rows, goal) = (learner.rows, learner.goal.to_string());
    let n = rows.len();
    if n < LEAST_ROWS {
        return Err(TableGoalError::TooFewRows { goal, rows: n, needed: LEAST_ROWS });
    }
    let start = rows.boundary((BEFORE_TEST * n as f64) as usize, n / 2);
    for (part, from, to) in [("train", 0, learner.calibrates_from(start)), ("test", start, n)] {
        let positives = rows.positives(from, to);
        if positives == 0 || positives == to - from {
            return Err(TableGoalError::OneClass { goal, part, rows: to - from, positives });
        }
    }
    Ok(start)
}

fn chosen(tried: &[TriedRecipe]) -> TableRecipe {
    let chosen = tried.iter().find(|tried| tried.chosen).or(tried.first());
    let strong = fit::Shape::Logistic { penalty: 10.0 };
    chosen.map_or(TableRecipe { shape: strong, half_life: None }, |chosen| chosen.recipe)
}

/// 1 µs after the newest row; a table whose rows have no stamp is as of the epoch, so that equal files give equal models.
fn as_of(rows: &LabelledRows<'_>) -> Instant {
    let newest = rows.moments.as_ref().and_then(|moments| moments.last());
    newest.map_or(Instant::from_micros(0), |newest| newest.plus(1))
}

fn model_of(
    request: &TableTraining<'_>,
    rows: &LabelledRows<'_>,
    recipe: TableRecipe,
    fit: TableFit,
    uplift: Option<TableUplift>,
    is_served: bool,
) -> Model {
    let roles = request.roles;
    let schema = TableSchema {
        label: roles.label.clone(),
        time: roles.time.clone(),
        id: roles.id.clone(),
        columns: fit.columns.clone(),
        half_life: recipe.half_life,
        uplift,
    };
    let names = schema.input_names();
    let inputs = names.iter().enumerate().map(|(index, name)| WeightedInput {
        block: InputBlock::User,
        name: name.clone(),
        mean: fit.means[index],
        scale: fit.scales[index],
        weight: fit.weights[index],
    });
    let base_rate = rows.positives(0, rows.len()) as f64 / rows.len() as f64;
    Model {
        format: TABLE_FORMAT,
        goal: request.goal.to_string(),
        definition: definition(&roles.label),
        kind: if is_served { recipe.kind() } else { ModelKind::BaseRate },
        as_of: as_of(rows),
        features_sha256: sha256_hex(b"table"),
        inputs_sha256: sha256_hex(names.join("\n").as_bytes()),
        profile_settings: request.config.profiles.clone(),
        seed: request.seed,
        penalty: recipe.penalty(),
        clip: CLIP,
        base_rate,
        intercept: if is_served {
            fit.intercept
        } else {
            libm::log(fit.newest_rate / (1.0 - fit.newest_rate))
        },
        time_weight: 1.0,
        inputs: if is_served { inputs.collect() } else { Vec::new() },
        trees: fit.trees.filter(|_| is_served),
        predictions: None,
        table: Some(schema),
        calibration: if is_served { fit.calibration } else { Calibration::None },
    }
}

/// What stands where a declared goal has its events: no event reaches the goal, a cell of the table does.
fn definition(label: &str) -> Goal {
    Goal {
        description: format!("Column {label} of a table."),
        events: Vec::new(),
        signals: Vec::new(),
        absent: false,
        unit: Unit::UserDay,
        window: GoalWindow::Micros(DAY),
        population: Population::Everybody,
        value: 1.0,
    }
}
