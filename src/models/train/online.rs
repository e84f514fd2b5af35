//! Going on from a model that was learned online: what became known since is first scored, then learned.
//!
//! The rows that it is judged by are those that it had not seen: its figures are held-out figures (progressive validation).
//! Inputs stay standardised as they were at the start, or old and new steps would speak of different things.

use ndarray::{Array2, ShapeBuilder};

use super::{Learner, Split, Trained, TrainingRequest, beats_base_rate, logit};
use crate::examples::{ExampleError, Examples, GoalQuestion, Labels};
use crate::measure::measure;
use crate::score::check_inputs;
use domain::error::{Coded, ErrorKind};
use learners::calibration::Calibration;
use learners::ftrl::FtrlError;
use registry::model::{Model, ModelError, ModelKind, standardised};
use registry::online_state::{FORMAT, OnlineState};

/// Why a model does not go on.
#[derive(Debug, thiserror::Error)]
pub enum OnlineError {
    /// It was learned otherwise, or its state is not that of its weights.
    #[error("not_online: goal {goal}: its model was not learned online, or its online.json is not its own")]
    NotOnline {
        /// The goal.
        goal: String,
    },
    /// The inputs are others today, or the goal was declared otherwise.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// There are no examples.
    #[error(transparent)]
    Examples(#[from] ExampleError),
    /// No label became known since.
    #[error("nothing_new: goal {goal}: no outcome became known since the model's own as_of")]
    NothingNew {
        /// The goal.
        goal: String,
    },
    /// Negatives are sampled at another rate than before.
    #[error(
        "other_share: goal {goal}: one negative of {now} is kept now, it was one of {before}; train it anew"
    )]
    OtherShare {
        /// The goal.
        goal: String,
        /// At the start.
        before: u32,
        /// Today.
        now: u32,
    },
    /// The rows cannot be learned.
    #[error("{source} (goal {goal})")]
    Ftrl {
        /// The goal.
        goal: String,
        /// Why.
        source: FtrlError,
    },
}

impl Coded for OnlineError {
    fn code(&self) -> &'static str {
        match self {
            OnlineError::NotOnline { .. } => "not_online",
            OnlineError::Model(error) => error.code(),
            OnlineError::Examples(error) => error.code(),
            OnlineError::NothingNew { .. } => "nothing_new",
            OnlineError::OtherShare { .. } => "other_share",
            OnlineError::Ftrl { source, .. } => source.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            OnlineError::NothingNew { .. } => ErrorKind::Caller,
            OnlineError::NotOnline { .. } | OnlineError::OtherShare { .. } => ErrorKind::Conflict,
            OnlineError::Model(error) => error.kind(),
            OnlineError::Examples(error) => error.kind(),
            OnlineError::Ftrl { source, .. } => source.kind(),
        }
    }
}

impl OnlineError {
    /// Does the error only mean that there is not enough data yet? A refresh skips such a goal; any other error ends it.
    pub fn is_not_enough_data(&self) -> bool {
        match self {
            OnlineError::NothingNew { .. } => true,
            OnlineError::Examples(error) => error.is_not_enough_data(),
            OnlineError::Ftrl { source, .. } => source.is_not_enough_data(),
            OnlineError::NotOnline { .. } | OnlineError::Model(_) | OnlineError::OtherShare { .. } => false,
        }
    }
}

/// Scores, then learns the examples whose outcomes became known between the model's as_of and the request's.
///
/// # Errors
/// What keeps the model from going on, by name.
pub fn go_on(
    question: &GoalQuestion<'_>,
    request: &TrainingRequest<'_>,
    from: &Model,
    state: &OnlineState,
    watch: &impl Fn(usize, usize),
) -> Result<Trained, OnlineError> {
    check(question, from, state)?;
    let goal = || question.name.to_string();
    let examples = question.examples(Labels::MatureBefore(request.as_of), watch)?;
    if examples.one_kept_of != state.one_kept_of {
        let (before, now) = (state.one_kept_of, examples.one_kept_of);
        return Err(OnlineError::OtherShare { goal: goal(), before, now });
    }
    let is_new = |row: &usize| !question.is_mature(examples.moment(*row), from.as_of);
    let rows: Vec<usize> = (0..examples.len()).filter(is_new).collect();
    if rows.is_empty() {
        return Err(OnlineError::NothingNew { goal: goal() });
    }
    let metrics = measure(&examples, &rows, request.config, from.base_rate, |row| {
        from.score_row(&examples.inputs_of(row))
    });
    let is_served = beats_base_rate(&metrics);
    let mut online = state.clone();
    let labels: Vec<bool> = rows.iter().map(|row| examples.labels[*row]).collect();
    let matrix = standardised_rows(from, &examples, &rows);
    let learned = online.learner.learn(matrix.view(), &labels, None);
    learned.map_err(|source| OnlineError::Ftrl { goal: goal(), source })?;
    let learner = Learner { question, examples: &examples };
    let split = Split { train: Vec::new(), calibrate: Vec::new(), test: rows, left_out: 0 };
    let model = moved(from, &online, is_served, request);
    let probabilities = probabilities_by(from, &examples, &split.test);
    let gate = learner.gate(&split, &probabilities, &metrics, &model, None, request);
    let mut card = learner.card(&split, metrics, Vec::new(), is_served, gate, request);
    card.fitted_on = learner.part(&split.test);
    Ok(Trained { model, card, online: is_served.then_some(online) })
}

fn check(question: &GoalQuestion<'_>, from: &Model, state: &OnlineState) -> Result<(), OnlineError> {
    let is_its_own = from.kind == ModelKind::Ftrl
        && state.format <= FORMAT
        && state.learner.check().is_ok()
        && state.learner.weights().0.iter().eq(from.inputs.iter().map(|input| &input.weight));
    if !is_its_own {
        return Err(OnlineError::NotOnline { goal: question.name.to_string() });
    }
    check_inputs(from)?;
    if from.definition != *question.goal {
        return Err(ModelError::OtherGoal(question.name.to_string()).into());
    }
    Ok(())
}

/// The probabilities a model gives some rows, in their order.
fn probabilities_by(model: &Model, examples: &Examples, rows: &[usize]) -> Vec<f64> {
    let mut probabilities = vec![f64::NAN; examples.len()];
    for row in rows {
        probabilities[*row] = model.score_row(&examples.inputs_of(*row));
    }
    probabilities
}

/// Column-major rows of inputs as the model reads them.
fn standardised_rows(model: &Model, examples: &Examples, rows: &[usize]) -> Array2<f64> {
    let mut matrix = Array2::zeros((rows.len(), model.inputs.len()).f());
    for ((mut to, input), column) in
        matrix.columns_mut().into_iter().zip(&model.inputs).zip(&examples.columns)
    {
        to.iter_mut().zip(rows).for_each(|(to, row)| {
            *to = standardised(column[*row], input.mean, input.scale, model.clip);
        });
    }
    matrix
}

/// The model with the weights of a state, or the base rate without one.
fn moved(from: &Model, state: &OnlineState, is_served: bool, request: &TrainingRequest<'_>) -> Model {
    let mut model = Model { as_of: request.as_of, ..from.clone() };
    if !is_served {
        let (kind, intercept) = (ModelKind::BaseRate, logit(from.base_rate));
        return Model { kind, intercept, inputs: Vec::new(), calibration: Calibration::None, ..model };
    }
    let (weights, intercept) = state.learner.weights();
    model.inputs.iter_mut().zip(weights).for_each(|(input, weight)| input.weight = weight);
    model.intercept = intercept - libm::log(f64::from(state.one_kept_of));
    model
}
