//! The model file: inputs in blocks, weights or trees, an intercept, a calibration.
//!
//! A linear score is the sum of four partial dot products, so many contents × slots cost their blocks once; trees see
//! the three blocks of a row at once, as they came in. Sums run in the order of the inputs, then of the trees, with
//! `libm`: the same bits in training, scoring and serving.

use serde::{Deserialize, Serialize};

use config::ProfilesConfig;
use decisions::scorer::{Contribution, Scorer, at_hour};
use domain::error::{Coded, ErrorKind};
use domain::goal::Goal;
use domain::time::Instant;
use learners::boosting::GradientBoosting;
use learners::calibration::Calibration;

use super::table::TableSchema;

/// Newest version of model.json that is read.
pub const FORMAT: u32 = TABLE_FORMAT;
/// Version of a model's file that reads the columns of a table.
pub const TABLE_FORMAT: u32 = 5;
/// Version of a model's file whose calibration rises strictly.
pub const CENTRED_FORMAT: u32 = 4;
/// Version of the file that stands for another team's table.
pub const IMPORTED_FORMAT: u32 = 3;
/// Version of a boosted model's file, which knows no tables.
pub const TREES_FORMAT: u32 = 2;
/// Version of a linear model's file, which knows no trees.
pub const LINEAR_FORMAT: u32 = 1;

/// What kind of model won.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelKind {
    /// L2-regularised logistic regression.
    LogisticRegression,
    /// Logistic regression learned online, one row after the other in order of time.
    Ftrl,
    /// Gradient-boosted trees.
    GradientBoosting,
    /// The share of positives, the same for all: what a model must beat to be served.
    BaseRate,
    /// Another team's predictions: compared and shadowed, never served.
    Imported,
}

impl ModelKind {
    /// Can a model of this kind score what is asked online?
    pub const fn can_be_served(self) -> bool {
        match self {
            ModelKind::LogisticRegression | ModelKind::Ftrl | ModelKind::GradientBoosting => true,
            ModelKind::BaseRate | ModelKind::Imported => false,
        }
    }

    /// The word used in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            ModelKind::LogisticRegression => "logistic_regression",
            ModelKind::Ftrl => "ftrl",
            ModelKind::GradientBoosting => "gradient_boosting",
            ModelKind::BaseRate => "base_rate",
            ModelKind::Imported => "imported",
        }
    }
}

/// What an input depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputBlock {
    /// The user alone.
    User,
    /// The content, or the campaign, alone.
    Content,
    /// The two together.
    Pair,
}

impl InputBlock {
    /// All blocks, in the order of a row of inputs.
    pub const ALL: [InputBlock; 3] = [InputBlock::User, InputBlock::Content, InputBlock::Pair];

    /// The word used in files and explanations.
    pub const fn as_str(self) -> &'static str {
        match self {
            InputBlock::User => "user",
            InputBlock::Content => "content",
            InputBlock::Pair => "pair",
        }
    }
}

/// One input with its standardisation and weight.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightedInput {
    /// What it depends on.
    pub block: InputBlock,
    /// Its name.
    pub name: String,
    /// Training mean; a missing value counts as this. To trees a missing value is one of its own, and the mean stands
    /// for values of a block that is not known at all.
    pub mean: f64,
    /// Training standard deviation; > 0.
    pub scale: f64,
    /// Weight of the standardised input; 0 where trees read it.
    pub weight: f64,
}

/// A model, as model.json holds it: no clock, path or host name, so equal training gives equal bytes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Version of this file.
    pub format: u32,
    /// What it predicts.
    pub goal: String,
    /// The goal as it was declared.
    pub definition: Goal,
    /// What won.
    pub kind: ModelKind,
    /// It learned from events before this moment.
    pub as_of: Instant,
    /// Hash of the profile features that its inputs need.
    pub features_sha256: String,
    /// Hash of the list of inputs.
    pub inputs_sha256: String,
    /// Half-lives and the like that the features were computed with.
    pub profile_settings: ProfilesConfig,
    /// Seed of its training.
    pub seed: u64,
    /// Strength of the regularisation: the loss is a sum over examples plus penalty / 2 · Σ weight².
    pub penalty: f64,
    /// Standardised inputs are held within ± this.
    pub clip: f64,
    /// Share of positives in training.
    pub base_rate: f64,
    /// Added to every logit.
    pub intercept: f64,
    /// Weight of ln(activity in the slot's hour / in the best hour). 1 until outcomes of pushes say more.
    pub time_weight: f64,
    /// The inputs, blocks in order.
    pub inputs: Vec<WeightedInput>,
    /// What adds to the logit beside the weights: the trees of a boosted model, whose columns are the inputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trees: Option<GradientBoosting>,
    /// What an imported model is: predictions.parquet beside the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predictions: Option<PredictionTable>,
    /// The table whose columns the inputs are, when the goal is a column of a table and not declared by events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub table: Option<TableSchema>,
    /// Raw logit → probability.
    pub calibration: Calibration,
}

/// A table of predictions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PredictionTable {
    /// Its rows.
    pub rows: usize,
    /// Hash of the file.
    pub sha256: String,
}

/// A model that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// Written by a newer smartpush.
    #[error("newer_format: format {0}, this smartpush reads up to {FORMAT}")]
    NewerFormat(u32),
    /// Not a model of ours.
    #[error("bad_model: {0}")]
    Bad(String),
    /// Its goal was declared otherwise when it was trained.
    #[error(
        "other_goal: it was trained when goal {0} was declared otherwise (events, signals, absent, unit, window or population); train it again"
    )]
    OtherGoal(String),
    /// Its inputs are not those that this build computes.
    #[error(
        "other_features: it was trained on other features ({found}) than this smartpush computes ({wanted}); train it again"
    )]
    OtherFeatures {
        /// Hash in the model.
        found: String,
        /// Hash of ours.
        wanted: String,
    },
}

impl Coded for ModelError {
    fn code(&self) -> &'static str {
        match self {
            ModelError::NewerFormat(_) => "newer_format",
            ModelError::Bad(_) => "bad_model",
            ModelError::OtherGoal(_) => "other_goal",
            ModelError::OtherFeatures { .. } => "other_features",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            ModelError::NewerFormat(_)
            | ModelError::Bad(_)
            | ModelError::OtherGoal(_)
            | ModelError::OtherFeatures { .. } => ErrorKind::Conflict,
        }
    }
}

#[derive(Deserialize)]
struct ModelMarker {
    format: u32,
}

impl Model {
    /// The text of model.json.
    pub fn to_text(&self) -> String {
        serde_json::to_string_pretty(self).map(|text| text + "\n").unwrap_or_default()
    }

    /// Reads model.json and checks that every number can be used.
    ///
    /// # Errors
    /// A newer format, text that is no model, or a weight, mean or scale that is not finite.
    pub fn from_text(text: &str) -> Result<Model, ModelError> {
        let bad = |error: serde_json::Error| ModelError::Bad(error.to_string());
        let ModelMarker { format } = serde_json::from_str(text).map_err(bad)?;
        if format > FORMAT {
            return Err(ModelError::NewerFormat(format));
        }
        let model: Model = serde_json::from_str(text).map_err(bad)?;
        model.check()?;
        Ok(model)
    }

    fn check(&self) -> Result<(), ModelError> {
        let bad = |text: String| Err(ModelError::Bad(text));
        for input in &self.inputs {
            let numbers = [input.mean, input.scale, input.weight];
            if numbers.iter().any(|number| !number.is_finite()) || input.scale <= 0.0 {
                return bad(format!("input {} has a mean, scale or weight that is no number", input.name));
            }
        }
        if !self.inputs.is_sorted_by_key(|input| input.block) {
            return bad("its blocks are not in order".into());
        }
        if self.predictions.is_some() != (self.kind == ModelKind::Imported) {
            return bad("a table of predictions is what an imported model is, and no other".into());
        }
        self.check_trees()?;
        self.check_table()?;
        let numbers = [self.intercept, self.time_weight, self.base_rate, self.penalty];
        if numbers.iter().any(|number| !number.is_finite()) || self.clip.is_nan() || self.clip <= 0.0 {
            return bad("intercept, time_weight, base_rate, penalty or clip is no number".into());
        }
        if self.time_weight < 0.0 || !(0.0..=1.0).contains(&self.base_rate) {
            return bad("time_weight or base_rate is out of range".into());
        }
        if let Err((key, detail)) = self.profile_settings.check() {
            return bad(format!("profile_settings: {key}: {detail}"));
        }
        self.calibration.check().or_else(|detail| bad(format!("calibration: {detail}")))
    }

    fn check_trees(&self) -> Result<(), ModelError> {
        let bad = |text: &str| Err(ModelError::Bad(text.into()));
        match (&self.trees, self.kind) {
            (None, ModelKind::GradientBoosting) => bad("there are no trees"),
            (Some(trees), ModelKind::GradientBoosting) if trees.columns() == self.inputs.len() => Ok(()),
            (Some(_), ModelKind::GradientBoosting) => bad("its trees do not read its inputs"),
            (Some(_), _) => bad("a linear model has no trees"),
            (None, _) => Ok(()),
        }
    }

    /// The inputs of a table's model are those that its columns make, in their order.
    fn check_table(&self) -> Result<(), ModelError> {
        let Some(table) = &self.table else { return Ok(()) };
        let names = table.input_names();
        let is_same = self.inputs.is_empty()
            || (self.inputs.len() == names.len()
                && self.inputs.iter().zip(&names).all(|(input, name)| input.name == *name));
        match is_same {
            true => Ok(()),
            false => Err(ModelError::Bad("its inputs are not those of its table's columns".into())),
        }
    }

    fn block(&self, block: InputBlock) -> &[WeightedInput] {
        let start = self.inputs.partition_point(|input| input.block < block);
        let end = self.inputs.partition_point(|input| input.block <= block);
        &self.inputs[start..end]
    }

    fn part(&self, block: InputBlock, values: &[f64]) -> f64 {
        let mut sum = 0.0;
        for (input, value) in self.block(block).iter().zip(values) {
            sum += self.term(input, *value);
        }
        sum
    }

    fn term(&self, input: &WeightedInput, value: f64) -> f64 {
        standardised(value, input.mean, input.scale, self.clip) * input.weight
    }

    /// Calibrated probability of one row of inputs: user, content and pair blocks.
    pub fn score(&self, user: &[f64], content: &[f64], pair: &[f64]) -> f64 {
        self.probability(self.logit(user, content, pair))
    }

    /// Calibrated probability of a whole row, its blocks one after the other.
    pub fn score_row(&self, inputs: &[f64]) -> f64 {
        let [user, content] = [InputBlock::User, InputBlock::Content].map(|block| self.block(block).len());
        let (user, rest) = inputs.split_at(user.min(inputs.len()));
        let (content, pair) = rest.split_at(content.min(rest.len()));
        self.score(user, content, pair)
    }

    /// Raw logit of one row of inputs.
    pub fn logit(&self, user: &[f64], content: &[f64], pair: &[f64]) -> f64 {
        self.user(user) + self.content(content) + self.pair(pair) + self.joint(user, content, pair)
    }

    /// The row that trees read: what a short block lacks is the mean.
    fn row(&self, blocks: [&[f64]; 3]) -> Vec<f64> {
        let mut row = Vec::with_capacity(self.inputs.len());
        for (block, values) in InputBlock::ALL.into_iter().zip(blocks) {
            let inputs = self.block(block);
            let known = values.iter().copied().take(inputs.len());
            row.extend(known.chain(inputs.iter().skip(values.len()).map(|input| input.mean)));
        }
        row
    }

    /// What trees add: the intercept of their own, and each input's share.
    fn tree_contributions(&self, blocks: [&[f64]; 3]) -> Vec<Contribution> {
        let row = self.row(blocks);
        let Some(parts) = self.trees.as_ref().and_then(|trees| trees.contributions(&row).ok()) else {
            return Vec::new();
        };
        let one = |input: String, value: f64, contribution: f64| Contribution { input, value, contribution };
        let inputs = self.inputs.iter().zip(row).zip(parts.inputs);
        let shares = inputs.map(|((input, value), share)| {
            one(format!("{}.{}", input.block.as_str(), input.name), value, share)
        });
        let intercept = one("intercept".into(), 1.0, self.intercept + parts.bias);
        std::iter::once(intercept).chain(shares).collect()
    }

    fn linear_contributions(&self, blocks: [&[f64]; 3]) -> Vec<Contribution> {
        let one = |input: String, value: f64, contribution: f64| Contribution { input, value, contribution };
        let mut all = vec![one("intercept".into(), 1.0, self.intercept)];
        for (block, values) in InputBlock::ALL.into_iter().zip(blocks) {
            let terms = self.block(block).iter().zip(values).map(|(input, value)| {
                one(format!("{}.{}", block.as_str(), input.name), *value, self.term(input, *value))
            });
            all.extend(terms);
        }
        all
    }
}

/// `(value − mean) / scale` held within ± clip; a missing value is the mean.
pub fn standardised(value: f64, mean: f64, scale: f64, clip: f64) -> f64 {
    if value.is_nan() { 0.0 } else { ((value - mean) / scale).clamp(-clip, clip) }
}

/// Mean and standard deviation of what is known in a column; a column that does not vary is given scale 1.
pub fn mean_and_scale(column: &[f64], rows: &[usize]) -> (f64, f64) {
    let known = || rows.iter().map(|row| column[*row]).filter(|value| !value.is_nan());
    let count = known().count() as f64;
    if count == 0.0 {
        return (0.0, 1.0);
    }
    let mean = known().sum::<f64>() / count;
    let variance = known().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
    let scale = libm::sqrt(variance);
    if scale > 1e-9 { (mean, scale) } else { (mean, 1.0) }
}

impl Scorer for Model {
    fn user(&self, inputs: &[f64]) -> f64 {
        self.intercept + self.part(InputBlock::User, inputs)
    }

    fn content(&self, inputs: &[f64]) -> f64 {
        self.part(InputBlock::Content, inputs)
    }

    fn pair(&self, inputs: &[f64]) -> f64 {
        self.part(InputBlock::Pair, inputs)
    }

    fn joint(&self, user: &[f64], content: &[f64], pair: &[f64]) -> f64 {
        let Some(trees) = &self.trees else { return 0.0 };
        let row = self.row([user, content, pair]);
        trees.logit_of(|column| row[column])
    }

    fn time(&self, activity: f64) -> f64 {
        self.time_weight * activity
    }

    fn probability(&self, logit: f64) -> f64 {
        self.calibration.probability(logit)
    }

    fn arm_probability(&self, shift: f64, time: f64) -> f64 {
        at_hour(self.calibration.probability(shift), time)
    }

    fn contributions(&self, user: &[f64], content: &[f64], pair: &[f64], activity: f64) -> Vec<Contribution> {
        let blocks = [user, content, pair];
        let mut all = match self.trees {
            Some(_) => self.tree_contributions(blocks),
            None => self.linear_contributions(blocks),
        };
        let (input, contribution) = ("time.activity".to_string(), self.time(activity));
        all.push(Contribution { input, value: activity, contribution });
        all
    }
}
