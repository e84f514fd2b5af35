//! What a treatment changes: a learner of uplift beside a ranking by propensity, both on rows that neither knew.
//!
//! Rows were treated by chance, so any part of them is like any other: a fifth of the rows, taken in turn, is scored by what
//! the other four fifths taught, the strength of the penalty being chosen within those.

use serde::Serialize;

use ndarray::Array2;

use super::columns::columns_of;
use super::error::TableGoalError;
use super::fit::{InputMatrix, TableLearner, standard_matrix};
use config::EvaluationConfig;
use evaluation::bootstrap::Figure;
use evaluation::classification::Intervals;
use evaluation::uplift::{Lift, UpliftUnit, lift, qini, qini_difference};
use learners::logistic::{TOLERANCE, fit_logistic_within};
use learners::uplift::{ClassTransformation, TLearner, Uplift};
use registry::gate::GateLine;
use registry::model::mean_and_scale;
use registry::table::{TableColumn, TableUplift};

/// Parts of the rows that are scored by what the others taught.
const PARTS: usize = 5;
/// Parts of those others that the strength is chosen by.
const INNER_PARTS: usize = 3;
/// Penalties for each row that are tried.
const PENALTIES: [f64; 3] = [0.03, 0.003, 0.0003];
/// Rows that the strength is chosen on at most.
const ROWS_FOR_CHOICE: usize = 20_000;
/// AUC with which inputs may tell who was treated: chance treats everybody alike.
const MOST_AUC_OF_TREATMENT: f64 = 0.55;

/// How well uplift is told, on rows that were not learned from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UpliftFigures {
    /// The column that says which rows were treated.
    pub treatment: String,
    /// The learner that ships.
    pub learner: &'static str,
    /// Its penalty for each row.
    pub penalty: f64,
    /// What treatment changed on average.
    pub lift: Lift,
    /// Qini coefficient of the ranking by uplift.
    pub qini: Figure,
    /// Qini coefficient of the ranking by propensity.
    pub qini_of_propensity: Figure,
    /// The first less the second, paired.
    pub qini_difference: Figure,
    /// AUC with which the inputs tell who was treated; 0.5 where chance decided.
    pub treatment_auc: Figure,
}

impl UpliftFigures {
    /// The lines of the gate that uplift must pass.
    pub(super) fn gate_lines(&self) -> Vec<GateLine> {
        let line = |name: &str, passed: bool, found: String, wanted: &str| GateLine {
            name: name.to_string(),
            passed,
            found,
            wanted: wanted.to_string(),
        };
        let said = |figure: &Figure| format!("{:.5} [{:.5} {:.5}]", figure.value, figure.low, figure.high);
        let auc = &self.treatment_auc;
        vec![
            line(
                "treatment_is_random",
                auc.low <= 0.5 || auc.value < MOST_AUC_OF_TREATMENT,
                format!("the inputs tell who was treated with an AUC of {}", said(auc)),
                "an AUC of about 0.5: chance alone decided who was treated",
            ),
            line(
                "qini_above_zero",
                self.qini.low > 0.0,
                format!("Qini of uplift {}", said(&self.qini)),
                "an interval above 0",
            ),
            line(
                "qini_above_propensity",
                self.qini_difference.value > 0.0,
                format!(
                    "Qini of uplift {}, of propensity {}, difference {}",
                    said(&self.qini),
                    said(&self.qini_of_propensity),
                    said(&self.qini_difference)
                ),
                "a higher Qini than that of the ranking by propensity",
            ),
        ]
    }
}

/// A learner with its penalty for each row.
#[derive(Clone, Copy, Debug)]
struct UpliftRecipe {
    is_t_learner: bool,
    penalty: f64,
}

/// Standardised inputs of all rows, with what happened to them.
struct Randomised<'a> {
    learner: &'a TableLearner<'a>,
    columns: Vec<TableColumn>,
    matrix: InputMatrix,
    means: Vec<f64>,
    scales: Vec<f64>,
    probability: f64,
}

/// Learns uplift from all rows, and measures it by parts.
pub(super) fn learn_uplift(
    learner: &TableLearner<'_>,
    treatment: &str,
    settings: &EvaluationConfig,
    watch: &dyn Fn(usize, usize),
) -> Result<(TableUplift, UpliftFigures), TableGoalError> {
    let data = Randomised::of(learner);
    let all: Vec<usize> = (0..learner.rows.len()).collect();
    let (mut uplifts, mut propensities, mut treatments) =
        (vec![0.0; all.len()], vec![0.0; all.len()], vec![0.0; all.len()]);
    for part in 0..PARTS {
        watch(part, PARTS + 1);
        let (known, scored) = split(&all, PARTS, part);
        let recipe = data.choose(&known)?;
        let fitted = data.fit(&known, recipe)?;
        let inputs = data.inputs(&scored);
        let scores = [
            fitted.uplift(&inputs),
            data.ranking(&known, &scored, &learner.rows.labels)?,
            data.ranking(&known, &scored, &learner.rows.treated)?,
        ];
        for (index, position) in scored.iter().enumerate() {
            uplifts[*position] = scores[0][index];
            propensities[*position] = scores[1][index];
            treatments[*position] = scores[2][index];
        }
    }
    watch(PARTS, PARTS + 1);
    let recipe = data.choose(&all)?;
    let shipped = data.fit(&all, recipe)?;
    let units = data.units(&all);
    let (draws, seed) = (settings.bootstrap_draws, settings.seed);
    // Equal scores have a coefficient of 0; no curve is needed.
    let equal = vec![0.0; units.len()];
    let coefficient = |scores: &[f64]| qini_difference(&units, scores, &equal, draws, seed);
    let figures = UpliftFigures {
        treatment: treatment.to_string(),
        learner: shipped.as_str(),
        penalty: recipe.penalty,
        lift: lift(&units, units.len() as u64)?,
        qini: coefficient(&uplifts)?,
        qini_of_propensity: coefficient(&propensities)?,
        qini_difference: qini_difference(&units, &uplifts, &propensities, draws, seed)?,
        treatment_auc: Intervals::new(&learner.rows.treated, &learner.rows.units, draws, seed)
            .auc(&treatments),
    };
    watch(PARTS + 1, PARTS + 1);
    let Randomised { columns, means, scales, .. } = data;
    let uplift = TableUplift { treatment: treatment.to_string(), columns, learner: shipped, means, scales };
    Ok((uplift, figures))
}

/// Rows of the other parts, and those of one part.
fn split(rows: &[usize], parts: usize, part: usize) -> (Vec<usize>, Vec<usize>) {
    let is_other = |index: &usize| index % parts != part;
    let (others, own): (Vec<usize>, Vec<usize>) = (0..rows.len()).partition(is_other);
    let of = |indices: Vec<usize>| indices.into_iter().map(|index| rows[index]).collect();
    (of(others), of(own))
}

impl<'a> Randomised<'a> {
    fn of(learner: &'a TableLearner<'a>) -> Randomised<'a> {
        let all: Vec<usize> = (0..learner.rows.len()).collect();
        let columns = columns_of(learner.rows, learner.candidates, &all);
        let matrix = learner.matrix(&columns, &all);
        let moments = matrix.columns.iter().map(|column| mean_and_scale(column, &all));
        let (means, scales): (Vec<f64>, Vec<f64>) = moments.unzip();
        let treated = learner.rows.treated.iter().filter(|treated| **treated).count();
        let probability = treated as f64 / all.len() as f64;
        Randomised { learner, columns, matrix, means, scales, probability }
    }

    fn inputs(&self, positions: &[usize]) -> Array2<f64> {
        let of = |column: &Vec<f64>| positions.iter().map(|position| column[*position]).collect();
        let matrix = InputMatrix { columns: self.matrix.columns.iter().map(of).collect() };
        standard_matrix(&matrix, &self.means, &self.scales, positions.len())
    }

    fn flags(&self, positions: &[usize], of: &[bool]) -> Vec<bool> {
        positions.iter().map(|position| of[*position]).collect()
    }

    fn units(&self, positions: &[usize]) -> Vec<UpliftUnit> {
        let rows = self.learner.rows;
        let unit = |position: &usize| UpliftUnit {
            treated: rows.treated[*position],
            treated_probability: self.probability,
            reached: rows.labels[*position],
        };
        positions.iter().map(unit).collect()
    }

    fn fit(&self, known: &[usize], recipe: UpliftRecipe) -> Result<Uplift, TableGoalError> {
        let (inputs, rows) = (self.inputs(known), self.learner.rows);
        let (treated, reached) = (self.flags(known, &rows.treated), self.flags(known, &rows.labels));
        let fitted = match recipe.is_t_learner {
            true => TLearner::fit(&inputs, &treated, &reached, recipe.penalty).map(Uplift::TLearner),
            false => ClassTransformation::fit(&inputs, &treated, &reached, self.probability, recipe.penalty)
                .map(Uplift::ClassTransformation),
        };
        fitted.map_err(|source| TableGoalError::Learn { goal: self.learner.goal.to_string(), source })
    }

    /// The recipe with the highest Qini coefficient on parts that it did not know.
    fn choose(&self, known: &[usize]) -> Result<UpliftRecipe, TableGoalError> {
        let stride = known.len().div_ceil(ROWS_FOR_CHOICE).max(1);
        let known: Vec<usize> = known.iter().step_by(stride).copied().collect();
        let units = self.units(&known);
        let mut best = (f64::NEG_INFINITY, UpliftRecipe { is_t_learner: true, penalty: PENALTIES[0] });
        for is_t_learner in [true, false] {
            for penalty in PENALTIES {
                let recipe = UpliftRecipe { is_t_learner, penalty };
                let scores = self.crossed(&known, recipe)?;
                let found = qini(&units, &scores, 0, 0)?.coefficient.value;
                if found > best.0 {
                    best = (found, recipe);
                }
            }
        }
        Ok(best.1)
    }

    /// The uplift of each row by what other parts taught.
    fn crossed(&self, known: &[usize], recipe: UpliftRecipe) -> Result<Vec<f64>, TableGoalError> {
        let mut scores = vec![0.0; known.len()];
        for part in 0..INNER_PARTS {
            let (others, own) = split(known, INNER_PARTS, part);
            let found = self.fit(&others, recipe)?.uplift(&self.inputs(&own));
            let places = (0..known.len()).filter(|index| index % INNER_PARTS == part);
            places.zip(found).for_each(|(place, score)| scores[place] = score);
        }
        Ok(scores)
    }

    /// Logits of a logistic regression of some flags, such as the label (then it ranks by propensity).
    fn ranking(&self, known: &[usize], scored: &[usize], flags: &[bool]) -> Result<Vec<f64>, TableGoalError> {
        let labels = self.flags(known, flags);
        let fitted = fit_logistic_within(&self.inputs(known), &labels, 1.0, TOLERANCE);
        let (weights, intercept) = fitted
            .map_err(|source| TableGoalError::Logistic { goal: self.learner.goal.to_string(), source })?;
        let inputs = self.inputs(scored);
        let logit = |row: ndarray::ArrayView1<'_, f64>| {
            row.iter().zip(&weights).fold(intercept, |sum, (input, weight)| sum + input * weight)
        };
        Ok(inputs.outer_iter().map(logit).collect())
    }
}

/// The uplift of rows of inputs by a model.
pub(super) fn uplift_of(uplift: &TableUplift, matrix: &InputMatrix, rows: usize) -> Vec<f64> {
    match rows {
        0 => Vec::new(),
        _ => uplift.learner.uplift(&standard_matrix(matrix, &uplift.means, &uplift.scales, rows)),
    }
}
