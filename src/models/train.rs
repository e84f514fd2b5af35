//! Training: mature examples → split by time → recipe, weights, calibration, figures → the model that ships.
//!
//! The figures are those of the recipe fitted on the train part alone. The weights that ship are the same recipe, with the
//! strength and the calibration found, fitted on all mature examples: the newest days matter most for the next ones.

mod choice;
mod fit;
mod gated;
pub mod imported;
pub mod online;

use super::examples::{ExampleError, Examples, GoalQuestion, Labels};
use super::inputs::inputs_sha256;
use super::measure::measure;
use super::recipe::{Recipe, RecipeError};
use config::Config;
use domain::error::{Coded, ErrorKind};
use domain::identity::Sha256Stream;
use domain::time::Instant;
use domain::zone::database_version;
use fit::Fitted;
use learners::calibration::Calibration;
use profiles::features::features_sha256;
use registry::card::{Card, FORMAT as CARD_FORMAT};
use registry::figures::{Metrics, SplitCard, SplitPart, Tried};
use registry::gate::{Gate, GateLine};
use registry::model::{CENTRED_FORMAT, LINEAR_FORMAT, Model, ModelKind, TREES_FORMAT, WeightedInput};
use registry::online_state::{self, OnlineState};
use registry::versions::Registered;

/// Standardised inputs are held within this many standard deviations.
const CLIP: f64 = 3.0;

/// Parts of the training moments that the recipe is chosen by, forward in time.
const FORWARD_PARTS: usize = 4;
/// Rows that a recipe's strength is chosen on at most: the choice is coarse, the fit is not.
const ROWS_FOR_CHOICE: usize = 20_000;

/// A model that could not be trained.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    /// There are no examples to learn from.
    #[error(transparent)]
    Examples(#[from] ExampleError),
    /// Fewer moments than train, calibrate and test need.
    #[error(
        "too_few_moments: goal {goal}: {moments} moments with known labels, and training, calibrating and testing need {needed} a window apart"
    )]
    TooFewMoments {
        /// The goal.
        goal: String,
        /// Moments there are.
        moments: usize,
        /// Moments it takes.
        needed: usize,
    },
    /// Everybody reached the goal, or nobody.
    #[error(
        "one_class: goal {goal}: {positives} of {rows} examples of the {part} part reach it; a model needs both kinds"
    )]
    OneClass {
        /// The goal.
        goal: String,
        /// train or test.
        part: &'static str,
        /// Rows of it.
        rows: usize,
        /// Positive ones.
        positives: usize,
    },
    /// An input that no mean can be taken of.
    #[error(
        "not_finite: goal {goal}: input {input} of user {user} as of {at} is {value}; its square must be a number"
    )]
    NotFinite {
        /// The goal.
        goal: String,
        /// The input.
        input: String,
        /// Whose.
        user: String,
        /// When.
        at: Instant,
        /// What it is.
        value: f64,
    },
    /// The fit came to nothing.
    #[error("{source} (goal {goal})")]
    Fit {
        /// The goal.
        goal: String,
        /// Why.
        source: RecipeError,
    },
}

impl Coded for TrainError {
    fn code(&self) -> &'static str {
        match self {
            TrainError::Examples(error) => error.code(),
            TrainError::TooFewMoments { .. } => "too_few_moments",
            TrainError::OneClass { .. } => "one_class",
            TrainError::NotFinite { .. } => "not_finite",
            TrainError::Fit { source, .. } => source.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            TrainError::TooFewMoments { .. } | TrainError::OneClass { .. } | TrainError::NotFinite { .. } => {
                ErrorKind::Caller
            }
            TrainError::Examples(error) => error.kind(),
            TrainError::Fit { source, .. } => source.kind(),
        }
    }
}

impl TrainError {
    /// Does the error only mean that there is not enough data yet? A refresh skips such a goal; any other error ends it.
    pub fn is_not_enough_data(&self) -> bool {
        match self {
            TrainError::TooFewMoments { .. } | TrainError::OneClass { .. } => true,
            TrainError::Examples(error) => error.is_not_enough_data(),
            TrainError::Fit { source, .. } => source.is_not_enough_data(),
            TrainError::NotFinite { .. } => false,
        }
    }
}

/// A trained model with its card.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The model.
    pub model: Model,
    /// Its card.
    pub card: Card,
    /// Where it may go on, if it was learned online and is served.
    pub online: Option<OnlineState>,
}

/// What training is asked for beside the question.
#[derive(Clone, Copy)]
pub struct TrainingRequest<'a> {
    /// Labels known before this count, and the model is as of it.
    pub as_of: Instant,
    /// Settings.
    pub config: &'a Config,
    /// For the card.
    pub now: Instant,
    /// For the card: identity of the lake.
    pub lake_sha256: &'a str,
    /// The goal's champion, which the new model is compared with.
    pub champion: Option<&'a Registered>,
    /// Lines of the gate that were answered elsewhere: the health of the data.
    pub others: &'a [GateLine],
}

impl<'a> TrainingRequest<'a> {
    /// A first training: no champion, nothing said of the data.
    pub fn new(as_of: Instant, config: &'a Config, now: Instant) -> TrainingRequest<'a> {
        TrainingRequest { as_of, config, now, lake_sha256: "", champion: None, others: &[] }
    }
}

/// Trains a goal on what was known before a moment.
pub fn train(
    question: &GoalQuestion<'_>,
    request: &TrainingRequest<'_>,
    watch: &impl Fn(usize, usize),
) -> Result<Trained, TrainError> {
    let examples = question.examples(Labels::MatureBefore(request.as_of), watch)?;
    train_on(question, request, &examples)
}

/// Trains a goal on examples that are there already.
pub fn train_on(
    question: &GoalQuestion<'_>,
    request: &TrainingRequest<'_>,
    examples: &Examples,
) -> Result<Trained, TrainError> {
    let learner = Learner { question, examples };
    let split = Split::of(question, examples)?;
    learner.check_numbers()?;
    learner.check_classes("train", &split.train)?;
    learner.check_classes("test", &split.test)?;
    let (recipe, tried) = learner.choose_recipe(&split.train)?;
    let fitted = learner.fit(&split.train, recipe)?;
    let calibration = learner.calibrate(&fitted, &split.calibrate);
    let metrics = learner.measure(&fitted, &calibration, &split, request.config);
    let rival = learner.against_champion(request, recipe, &calibration, &split)?;
    let beats_base_rate = beats_base_rate(&metrics);
    let all: Vec<usize> = (0..examples.len()).collect();
    let shipped = learner.fit(&all, recipe)?;
    let online = shipped.state.clone().filter(|_| beats_base_rate).map(|learner| OnlineState {
        format: online_state::FORMAT,
        one_kept_of: examples.one_kept_of,
        learner,
    });
    let probabilities = learner.probabilities(&fitted, &calibration, &split);
    let model = learner.model(shipped, calibration, beats_base_rate, request);
    let gate = learner.gate(&split, &probabilities, &metrics, &model, rival.as_ref(), request);
    let card = learner.card(&split, metrics, tried, beats_base_rate, gate, request);
    Ok(Trained { model, card, online })
}

/// Fits the recipe on all given examples: its strength and calibration from the inside, for evaluations that hold out later days.
pub fn fit_for_evaluation(
    question: &GoalQuestion<'_>,
    examples: &Examples,
    request: &TrainingRequest<'_>,
) -> Result<Model, TrainError> {
    let learner = Learner { question, examples };
    let all: Vec<usize> = (0..examples.len()).collect();
    learner.check_classes("train", &all)?;
    let (recipe, _) = learner.choose_recipe(&all)?;
    let calibration = learner.cross_calibrate(&all, recipe)?;
    let fitted = learner.fit(&all, recipe)?;
    Ok(learner.model(fitted, calibration, true, request))
}

/// Row numbers of the three parts.
pub(crate) struct Split {
    pub(crate) train: Vec<usize>,
    pub(crate) calibrate: Vec<usize>,
    pub(crate) test: Vec<usize>,
    left_out: usize,
}

impl Split {
    /// The newest fifth of the rows tests, the fifth before it calibrates; a row whose label window reaches into the next
    /// part is left out.
    pub(crate) fn of(question: &GoalQuestion<'_>, examples: &Examples) -> Result<Split, TrainError> {
        let few = |moments: usize| TrainError::TooFewMoments {
            goal: question.name.to_string(),
            moments,
            needed: 3,
        };
        let starts = starts_of(examples);
        if starts.len() < 3 {
            return Err(few(starts.len()));
        }
        let rows = examples.len();
        let boundary = |share: f64, from: usize, to: usize| {
            let wanted = (share * rows as f64) as usize;
            // The last start at or before the wanted row: a part is rather too large than too small.
            let index = starts.partition_point(|(_, first)| *first <= wanted).saturating_sub(1);
            index.clamp(from, to)
        };
        let test = boundary(0.8, 2, starts.len() - 1);
        let calibrate = boundary(0.6, 1, test - 1);
        let part = |from: usize, to: usize| -> Vec<usize> {
            let first = starts[from].1;
            let last = starts.get(to).map_or(rows, |(_, first)| *first);
            let ends = starts.get(to).map_or(Instant::MAX, |(at, _)| *at);
            (first..last).filter(|row| question.is_mature(examples.moment(*row), ends)).collect()
        };
        let split = Split {
            train: part(0, calibrate),
            calibrate: part(calibrate, test),
            test: part(test, starts.len()),
            left_out: 0,
        };
        let left_out = rows - split.train.len() - split.calibrate.len() - split.test.len();
        match split.train.is_empty() || split.test.is_empty() {
            true => Err(few(starts.len())),
            false => Ok(Split { left_out, ..split }),
        }
    }
}

/// The part that training takes each row for: train, calibrate, test, or left_out (its label was not known when the next
/// part begins).
///
/// # Errors
/// When there are too few moments to split.
pub fn parts_of(question: &GoalQuestion<'_>, examples: &Examples) -> Result<Vec<&'static str>, TrainError> {
    let split = Split::of(question, examples)?;
    let mut parts = vec!["left_out"; examples.len()];
    for (name, rows) in [("train", &split.train), ("calibrate", &split.calibrate), ("test", &split.test)] {
        rows.iter().for_each(|row| parts[*row] = name);
    }
    Ok(parts)
}

/// Each distinct instant of the examples with its first row, in order.
fn starts_of(examples: &Examples) -> Vec<(Instant, usize)> {
    let mut starts: Vec<(Instant, usize)> = Vec::new();
    for row in 0..examples.len() {
        let at = examples.moment(row).at;
        if starts.last().is_none_or(|(last, _)| *last != at) {
            starts.push((at, row));
        }
    }
    starts
}

struct Learner<'a> {
    question: &'a GoalQuestion<'a>,
    examples: &'a Examples,
}

impl Learner<'_> {
    fn check_classes(&self, part: &'static str, rows: &[usize]) -> Result<(), TrainError> {
        let positives = self.examples.positives(rows);
        if positives > 0 && positives < rows.len() {
            return Ok(());
        }
        Err(TrainError::OneClass { goal: self.question.name.to_string(), part, rows: rows.len(), positives })
    }

    /// Unknown values are fine, numbers that are none are not.
    fn check_numbers(&self) -> Result<(), TrainError> {
        const LARGEST: f64 = 1e150;
        let is_none = |value: &f64| value.abs() > LARGEST;
        let mut columns = self.examples.inputs.iter().zip(&self.examples.columns);
        let found =
            columns.find_map(|(input, column)| Some((input, column, column.iter().position(is_none)?)));
        let Some(((block, name), column, row)) = found else { return Ok(()) };
        Err(TrainError::NotFinite {
            goal: self.question.name.to_string(),
            input: format!("{}.{name}", block.as_str()),
            user: self.question.sources.timeline.users()[self.examples.rows[row].user as usize].clone(),
            at: self.examples.moment(row).at,
            value: column[row],
        })
    }

    fn failed(&self, source: RecipeError) -> TrainError {
        TrainError::Fit { goal: self.question.name.to_string(), source }
    }

    /// (known before, started later) for each later part of the rows' moments; of both, every `stride`-th row.
    fn forward_folds(&self, rows: &[usize], stride: usize) -> Vec<(Vec<usize>, Vec<usize>)> {
        let mut folds = Vec::new();
        for part in 1..FORWARD_PARTS {
            let Some(first) = rows.get(part * rows.len() / FORWARD_PARTS) else { continue };
            let start = self.examples.moment(*first).at;
            let end = rows
                .get((part + 1) * rows.len() / FORWARD_PARTS)
                .map_or(Instant::MAX, |row| self.examples.moment(*row).at);
            let known = |row: &&usize| self.examples.moment(**row).at < start;
            let later = |row: &&usize| (start..end).contains(&self.examples.moment(**row).at);
            let before: Vec<usize> = rows.iter().filter(known).step_by(stride).copied().collect();
            let after: Vec<usize> = rows.iter().filter(later).step_by(stride).copied().collect();
            let positives = self.examples.positives(&before);
            if positives > 0 && positives < before.len() && !after.is_empty() {
                folds.push((before, after));
            }
        }
        folds
    }

    fn calibrate(&self, fitted: &Fitted, rows: &[usize]) -> Calibration {
        let (logits, labels) = self.whole_population(fitted, rows);
        Calibration::fit_sampled(&logits, &labels, self.examples.one_kept_of)
    }

    /// Calibrated on later parts by fits on what was known before them.
    fn cross_calibrate(&self, rows: &[usize], recipe: Recipe) -> Result<Calibration, TrainError> {
        let (mut logits, mut labels) = (Vec::new(), Vec::new());
        let stride = rows.len().div_ceil(ROWS_FOR_CHOICE).max(1);
        for (before, after) in self.forward_folds(rows, stride) {
            let fitted = self.fit(&before, recipe)?;
            let (part, truth) = self.whole_population(&fitted, &after);
            logits.extend(part);
            labels.extend(truth);
        }
        Ok(Calibration::fit_sampled(&logits, &labels, self.examples.one_kept_of))
    }

    /// Logits and labels as if no negative had been left out: each kept one stands for several.
    fn whole_population(&self, fitted: &Fitted, rows: &[usize]) -> (Vec<f64>, Vec<bool>) {
        let copies = self.examples.one_kept_of as usize;
        let (mut logits, mut labels) = (Vec::new(), Vec::new());
        for row in rows {
            let (logit, label) = (fitted.logit(self.examples, *row), self.examples.labels[*row]);
            let times = if label { 1 } else { copies };
            logits.extend(std::iter::repeat_n(logit, times));
            labels.extend(std::iter::repeat_n(label, times));
        }
        (logits, labels)
    }

    fn measure(&self, fitted: &Fitted, calibration: &Calibration, split: &Split, config: &Config) -> Metrics {
        let before: Vec<usize> = split.train.iter().chain(&split.calibrate).copied().collect();
        let base_rate = self.rate(&before);
        measure(self.examples, &split.test, config, base_rate, |row| {
            calibration.probability(fitted.logit(self.examples, row))
        })
    }

    /// Share of positives among rows, left-out negatives counted.
    fn rate(&self, rows: &[usize]) -> f64 {
        let positives = self.examples.positives(rows) as f64;
        positives / (positives + (rows.len() as f64 - positives) * f64::from(self.examples.one_kept_of))
    }

    fn model(
        &self,
        fitted: Fitted,
        calibration: Calibration,
        beats_base_rate: bool,
        request: &TrainingRequest<'_>,
    ) -> Model {
        let names = &self.examples.inputs;
        let inputs = names.iter().enumerate().map(|(index, (block, name))| WeightedInput {
            block,
            name: name.to_string(),
            mean: fitted.means[index],
            scale: fitted.scales[index],
            weight: fitted.weights[index],
        });
        let is_served = beats_base_rate;
        Model {
            format: match &calibration {
                Calibration::CentredIsotonic { .. } if is_served => CENTRED_FORMAT,
                _ if is_served && fitted.trees.is_some() => TREES_FORMAT,
                _ => LINEAR_FORMAT,
            },
            goal: self.question.name.to_string(),
            definition: self.question.goal.clone(),
            kind: if is_served { fitted.recipe.kind() } else { ModelKind::BaseRate },
            as_of: request.as_of,
            features_sha256: features_sha256(&super::inputs::user::user_features()),
            inputs_sha256: inputs_sha256(self.question.goal.unit),
            profile_settings: request.config.profiles.clone(),
            seed: self.question.training.seed,
            penalty: fitted.recipe.penalty(),
            clip: CLIP,
            base_rate: fitted.base_rate,
            intercept: if is_served { fitted.intercept } else { logit(fitted.base_rate) },
            time_weight: 1.0,
            inputs: if is_served { inputs.collect() } else { Vec::new() },
            trees: fitted.trees.filter(|_| is_served),
            predictions: None,
            table: None,
            calibration: if is_served { calibration } else { Calibration::None },
        }
    }

    fn card(
        &self,
        split: &Split,
        metrics: Metrics,
        tried: Vec<Tried>,
        beats_base_rate: bool,
        gate: Gate,
        request: &TrainingRequest<'_>,
    ) -> Card {
        let all: Vec<usize> = (0..self.examples.len()).collect();
        Card {
            format: CARD_FORMAT,
            goal: self.question.name.to_string(),
            trained_at: request.now,
            lake_sha256: request.lake_sha256.to_string(),
            data_sha256: data_sha256(self.examples),
            split: SplitCard {
                train: self.part(&split.train),
                calibrate: self.part(&split.calibrate),
                test: self.part(&split.test),
                left_out: split.left_out,
            },
            fitted_on: self.part(&all),
            immature_moments: self.examples.immature,
            metrics,
            beats_base_rate,
            gate: Some(gate),
            gate_sha256: None,
            tried,
            excluded_users: self.question.training.excluded_users.len(),
            tz_database: database_version().to_string(),
            build: env!("CARGO_PKG_VERSION").to_string(),
        }
    }

    fn part(&self, rows: &[usize]) -> SplitPart {
        let at = |row: Option<&usize>| row.map(|row| self.examples.moment(*row).at);
        let mut moments: Vec<u32> = rows.iter().map(|row| self.examples.rows[*row].moment).collect();
        moments.dedup();
        SplitPart {
            from: at(rows.first()),
            to: at(rows.last()),
            moments: moments.len(),
            rows: rows.len(),
            positives: self.examples.positives(rows),
        }
    }
}

/// Is a model told from noise? A constant that lies nearer to the test days' share beats the base rate as well, without
/// telling anybody apart.
fn beats_base_rate(metrics: &Metrics) -> bool {
    metrics.difference.high < 0.0 && metrics.auc.low > 0.5
}

fn logit(probability: f64) -> f64 {
    let p = probability.clamp(1e-9, 1.0 - 1e-9);
    libm::log(p / (1.0 - p))
}

/// Identity of the examples: every input's bits, column by column, then every label. Some rows are in memory at a time.
fn data_sha256(examples: &Examples) -> String {
    const ROWS: usize = 8_192;
    let (mut hash, mut piece) = (Sha256Stream::default(), Vec::with_capacity(ROWS * size_of::<f64>()));
    for values in examples.columns.iter().flat_map(|column| column.chunks(ROWS)) {
        piece.clear();
        piece.extend(values.iter().flat_map(|value| value.to_bits().to_le_bytes()));
        hash.update(&piece);
    }
    for labels in examples.labels.chunks(ROWS) {
        piece.clear();
        piece.extend(labels.iter().map(|label| u8::from(*label)));
        hash.update(&piece);
    }
    hash.finish()
}
