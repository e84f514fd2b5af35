//! Drift: is a champion still what it was when it was trained? Inputs and probabilities beside those of its training, and what
//! it promised beside what happened since.
//!
//! The reference is not stored: the lake before the champion's `as_of` tells it again, with the inputs that this build computes.
//! Much moves by itself, the days since sign-up most of all. So what an input moved by *within* the reference, between its older
//! and its newer moments (and from one campaign to the others), is taken for its habit: only what moves much further, for the
//! time that went by, has drifted.

use std::fs;

use serde::{Deserialize, Serialize};

use super::examples::{ExampleError, Examples, GoalQuestion, Labels, Moment};
use super::measure::{measure, stands_for};
use config::{Config, DriftConfig, TrainingConfig};
use domain::time::Instant;
use evaluation::bootstrap::{Bootstrap, Figure, RatioPart};
use evaluation::stability::{BINS, HABIT, Reference};
use files::tables::{self, TableError};
use files::workspace::Workspace;
use registry::model::Model;

/// Users at moments, and pairs of them with contents, that are looked at on either side at most.
const MOST_ROWS: usize = 20_000;

/// What drift is measured by; each names itself in [`Drift::failed`].
pub const MEASURES: [&str; 4] =
    ["scores_like_training", "inputs_like_training", "calibrated_since", "better_than_base_rate"];

/// What is left of a champion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftVerdict {
    /// As far as can be seen it is what it was.
    Stable,
    /// It is not: `failed` says in what.
    Drifted,
}

/// How far one input moved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct InputDrift {
    /// Block and name, such as `user.purchases_30d`.
    pub name: String,
    /// PSI of now beside the reference, less what chance makes.
    pub psi: f64,
    /// The same of the newer half of the reference beside the older one.
    pub habit: f64,
    /// Its share of the champion's weight: |weight| of a standard deviation, or splits.
    pub weight: f64,
    /// Does it carry weight, and has it moved beyond its habit?
    pub drifted: bool,
}

/// What was promised beside what happened, at moments after the champion's own whose outcome is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CalibrationDrift {
    /// The first moment.
    pub from: Instant,
    /// The last moment.
    pub to: Instant,
    /// Rows.
    pub rows: usize,
    /// Rows that reached the goal.
    pub positives: usize,
    /// Mean probability given.
    pub mean_probability: f64,
    /// Share that reached the goal.
    pub observed_rate: f64,
    /// Observed over expected, users drawn.
    pub ratio: Figure,
    /// Expected calibration error.
    pub ece: Figure,
    /// Log-loss of the champion.
    pub log_loss: Figure,
    /// Log-loss of the share of positives in its training.
    pub base_rate_log_loss: Figure,
    /// The first less the second, paired.
    pub difference: Figure,
}

/// A champion beside the days since it was trained. `models/<goal>/drift.json` holds the last.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// The goal.
    pub goal: String,
    /// The champion's version.
    pub version: String,
    /// It was trained on what was known before this …
    pub champion_as_of: Instant,
    /// … and is looked at with what was known before this.
    pub as_of: Instant,
    /// PSI of its probabilities now beside those of the reference, less what chance makes.
    pub psi_score: f64,
    /// The same within the reference.
    pub habit_score: f64,
    /// Its inputs, those that moved most first.
    pub inputs: Vec<InputDrift>,
    /// `None` as long as no outcome after the champion's moment is known.
    pub calibration: Option<CalibrationDrift>,
    /// Is it what it was?
    pub verdict: DriftVerdict,
    /// Those of [`MEASURES`] that say it is not.
    pub failed: Vec<String>,
}

/// Measures the drift of a champion whose inputs this build computes.
///
/// Now is the newest moments after the champion's own whose outcome is known; before there are any, whoever the goal is about at
/// `as_of`.
///
/// # Errors
/// When there are no examples of before, or nobody to look at now.
pub fn drift(
    question: &GoalQuestion<'_>,
    version: &str,
    model: &Model,
    as_of: Instant,
    config: &Config,
) -> Result<Drift, ExampleError> {
    let most = config.drift.reference_moments;
    let training = TrainingConfig {
        most_moments: most,
        most_days: most,
        most_users: question.training.most_users.min(MOST_ROWS),
        most_negatives: question.training.most_negatives.min(MOST_ROWS),
        ..question.training.clone()
    };
    let question = GoalQuestion { training: &training, ..*question };
    let before = question.examples(Labels::MatureBefore(model.as_of), &|_, _| ())?;
    let since = match question.examples_from(model.as_of, as_of, true, &|_, _| ()) {
        Ok(examples) => Some(examples),
        Err(ExampleError::NoMatureRows { .. } | ExampleError::EmptyPopulation { .. }) => None,
        Err(error) => return Err(error),
    };
    let calibration = since.as_ref().map(|examples| calibration(model, examples, config));
    let now = since.map_or_else(|| question.examples_at(as_of), Ok)?;
    let comparison = Comparison::new(&before, &now);
    let scores = [probabilities(model, &before), probabilities(model, &now)];
    let (psi_score, habit_score) = comparison.psi(&scores[0], &scores[1]);
    let inputs = inputs(model, &comparison, &config.drift);
    let mut found = Drift {
        goal: question.name.to_string(),
        version: version.to_string(),
        champion_as_of: model.as_of,
        as_of,
        psi_score,
        habit_score,
        inputs,
        calibration,
        verdict: DriftVerdict::Stable,
        failed: Vec::new(),
    };
    found.failed = failed(&found, comparison.patience, &config.drift);
    found.verdict = if found.failed.is_empty() { DriftVerdict::Stable } else { DriftVerdict::Drifted };
    Ok(found)
}

fn failed(found: &Drift, patience: f64, config: &DriftConfig) -> Vec<String> {
    let calibration = found.calibration.as_ref().filter(|calibration| {
        calibration.positives.min(calibration.rows - calibration.positives) >= config.least_outcomes
    });
    let margin = config.calibration_margin;
    let is_off = |ratio: &Figure| ratio.high < 1.0 - margin || ratio.low > 1.0 + margin;
    let verdicts = [
        found.psi_score > config.score_psi && found.psi_score > patience * found.habit_score,
        found.inputs.iter().any(|input| input.drifted),
        calibration.is_some_and(|calibration| is_off(&calibration.ratio)),
        calibration.is_some_and(|calibration| calibration.difference.low > 0.0),
    ];
    let named = MEASURES.into_iter().zip(verdicts).filter(|(_, is_failed)| *is_failed);
    named.map(|(name, _)| name.to_string()).collect()
}

/// Probabilities in order of the rows.
fn probabilities(model: &Model, examples: &Examples) -> Vec<f64> {
    (0..examples.len()).map(|row| model.score_row(&examples.inputs_of(row))).collect()
}

fn inputs(model: &Model, comparison: &Comparison<'_>, config: &DriftConfig) -> Vec<InputDrift> {
    let weights = weight_shares(model);
    let one = |index: usize| {
        let (psi, habit) = comparison.psi(&comparison.before.columns[index], &comparison.now.columns[index]);
        let (input, weight) = (&model.inputs[index], weights[index]);
        let has_weight = weight >= config.input_weight;
        InputDrift {
            name: format!("{}.{}", input.block.as_str(), input.name),
            psi,
            habit,
            weight,
            drifted: has_weight && psi > config.input_psi && psi > comparison.patience * habit,
        }
    };
    let mut inputs: Vec<InputDrift> = (0..model.inputs.len()).map(one).collect();
    // Stable: equal ones stay in the order of the inputs.
    inputs.sort_by(|a, b| b.psi.total_cmp(&a.psi));
    inputs
}

/// Each input's share of what moves the logit.
fn weight_shares(model: &Model) -> Vec<f64> {
    let sizes: Vec<f64> = match &model.trees {
        Some(trees) => trees.splits().into_iter().map(|splits| splits as f64).collect(),
        None => model.inputs.iter().map(|input| input.weight.abs()).collect(),
    };
    let total = sizes.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    sizes.into_iter().map(|size| size / total).collect()
}

/// Rows of before and of now, and which of the former are the newer half.
struct Comparison<'a> {
    before: &'a Examples,
    now: &'a Examples,
    /// Rows of `before` from here on are of the newer moments.
    newer_from: usize,
    /// How many times its habit something may move.
    patience: f64,
}

impl Comparison<'_> {
    fn new<'a>(before: &'a Examples, now: &'a Examples) -> Comparison<'a> {
        let middle = before.moments[before.moments.len() / 2].at;
        let newer_from = (0..before.len()).take_while(|row| before.moment(*row).at < middle).count();
        let (older, newer) = before.moments.split_at(before.moments.len() / 2);
        let way = mean_moment(&now.moments) - mean_moment(&before.moments);
        let times = way / (mean_moment(newer) - mean_moment(older));
        // The PSI of what grows steadily goes with the square of the way. Moments of one day tell no way.
        let patience =
            Some(times * times).filter(|square| square.is_finite()).map_or(HABIT, |square| square.max(HABIT));
        Comparison { before, now, newer_from, patience }
    }

    /// PSI of now beside before, and the habit of before.
    fn psi(&self, before: &[f64], now: &[f64]) -> (f64, f64) {
        let (before, now) = (weighted(self.before, before), weighted(self.now, now));
        let (older, newer) = before.split_at(self.newer_from);
        (distance(&before, &now), distance(older, newer).max(self.between_campaigns(&before)))
    }

    /// The largest PSI of one campaign beside the others: they differ as days do not.
    fn between_campaigns(&self, before: &[(f64, f64)]) -> f64 {
        let moments = self.before.moments.iter().enumerate();
        let campaigns = moments.filter(|(_, moment)| moment.campaign.is_some());
        let of_one = |(index, _): (usize, _)| {
            let is_its = |row: &usize| self.before.rows[*row].moment as usize == index;
            let (own, others): (Vec<usize>, Vec<usize>) = (0..before.len()).partition(is_its);
            let values = |rows: Vec<usize>| rows.into_iter().map(|row| before[row]).collect::<Vec<_>>();
            distance(&values(others), &values(own))
        };
        campaigns.map(of_one).fold(0.0, f64::max)
    }
}

/// Mean of some moments, microseconds since the epoch; NaN of none.
fn mean_moment(moments: &[Moment]) -> f64 {
    moments.iter().map(|moment| moment.at.micros() as f64).sum::<f64>() / moments.len() as f64
}

/// Values with what each row stands for: a kept negative for those left out.
fn weighted(examples: &Examples, values: &[f64]) -> Vec<(f64, f64)> {
    let weights = examples.labels.iter().map(|label| stands_for(*label, examples));
    values.iter().copied().zip(weights).collect()
}

/// PSI less what two samples of one distribution differ by; 0 when either has no row.
fn distance(before: &[(f64, f64)], now: &[(f64, f64)]) -> f64 {
    if before.is_empty() || now.is_empty() {
        return 0.0;
    }
    let chance = BINS as f64 * (1.0 / before.len() as f64 + 1.0 / now.len() as f64);
    (Reference::of(before).psi(now) - chance).max(0.0)
}

fn calibration(model: &Model, examples: &Examples, config: &Config) -> CalibrationDrift {
    let rows: Vec<usize> = (0..examples.len()).collect();
    let given = probabilities(model, examples);
    let metrics = measure(examples, &rows, config, model.base_rate, |row| given[row]);
    let at = |row: Option<&usize>| row.map_or(model.as_of, |row| examples.moment(*row).at);
    CalibrationDrift {
        from: at(rows.first()),
        to: at(rows.last()),
        rows: rows.len(),
        positives: examples.positives(&rows),
        mean_probability: metrics.mean_probability,
        observed_rate: metrics.test_rate,
        ratio: ratio(examples, &given, config),
        ece: metrics.ece,
        log_loss: metrics.log_loss,
        base_rate_log_loss: metrics.base_rate_log_loss,
        difference: metrics.difference,
    }
}

/// Outcomes over the sum of the probabilities, users drawn.
fn ratio(examples: &Examples, given: &[f64], config: &Config) -> Figure {
    let mut users: Vec<u32> = examples.rows.iter().map(|row| row.user).collect();
    users.sort_unstable();
    users.dedup();
    let mut parts: Vec<RatioPart> = vec![(0.0, 0.0); users.len()];
    for (row, probability) in given.iter().enumerate() {
        let index = users.partition_point(|user| *user < examples.rows[row].user);
        let label = examples.labels[row];
        parts[index].0 += f64::from(u8::from(label));
        parts[index].1 += probability * stands_for(label, examples);
    }
    let bootstrap = Bootstrap::new(users.len(), config.evaluation.bootstrap_draws, config.evaluation.seed);
    Figure { n: given.len() as u64, ..bootstrap.ratio(&parts) }
}

impl Drift {
    /// Keeps it as `models/<goal>/drift.json`, for whoever watches the server.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, workspace: &Workspace) -> Result<(), TableError> {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        let path = workspace.models().join(&self.goal).join("drift.json");
        tables::write_atomically(&path, |file| writeln!(file, "{text}"))
    }

    /// What was kept last of a goal's champion; `None` when it was another's, or cannot be read.
    pub fn read(workspace: &Workspace, goal: &str, champion: &str) -> Option<Drift> {
        let text = fs::read_to_string(workspace.models().join(goal).join("drift.json")).ok()?;
        let kept: Drift = serde_json::from_str(&text).ok()?;
        (kept.goal == goal && kept.version == champion).then_some(kept)
    }
}
