//! A model's card: where it comes from, what it was trained on, how good it was on days it had not seen.

use serde::{Deserialize, Serialize};

use super::figures::{Metrics, SplitCard, SplitPart, Tried};
use super::gate::Gate;
use super::model::{Model, ModelKind};
use domain::time::Instant;
use evaluation::bootstrap::Figure;
use learners::boosting::GradientBoosting;

/// Version of card.json.
pub const FORMAT: u32 = 2;

/// card.json. It may hold the clock; nothing is computed from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// Version of this file.
    pub format: u32,
    /// The goal's name.
    pub goal: String,
    /// When it was trained, by the machine's clock.
    pub trained_at: Instant,
    /// Identity of the lake it was trained from.
    pub lake_sha256: String,
    /// Hash of the examples: inputs and labels.
    pub data_sha256: String,
    /// The parts behind the figures.
    pub split: SplitCard,
    /// All mature examples: what the shipped weights were fitted on, with the same recipe.
    pub fitted_on: SplitPart,
    /// Moments whose labels were still open.
    pub immature_moments: usize,
    /// Figures on the test part.
    pub metrics: Metrics,
    /// Does the upper end of `metrics.difference` lie below zero, and the lower end of `metrics.auc` above a half?
    pub beats_base_rate: bool,
    /// What the gate saw and said; cards of before there was one have none.
    #[serde(default)]
    pub gate: Option<Gate>,
    /// Hash of the gate as it was written: an edited answer shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate_sha256: Option<String>,
    /// What was tried, as chosen from.
    pub tried: Vec<Tried>,
    /// Users left out by `training.excluded_users`.
    pub excluded_users: usize,
    /// Version of the time zone database.
    pub tz_database: String,
    /// The smartpush that trained it.
    pub build: String,
}

impl Card {
    /// CARD.md: the same for people.
    pub fn to_markdown(&self, model: &Model, version: &str) -> String {
        let figure = |name: &str, figure: &Figure| {
            format!(
                "| {name} | {:.4} | {:.4} … {:.4} | {} |\n",
                figure.value, figure.low, figure.high, figure.n
            )
        };
        let part = |name: &str, part: &SplitPart| {
            let moment =
                |moment: Option<Instant>| moment.map_or("–".to_string(), |moment| moment.to_string());
            format!(
                "| {name} | {} | {} | {} | {} | {} |\n",
                moment(part.from),
                moment(part.to),
                part.moments,
                part.rows,
                part.positives
            )
        };
        let metrics = &self.metrics;
        let verdict = match model.kind {
            ModelKind::LogisticRegression | ModelKind::Ftrl | ModelKind::GradientBoosting => {
                "It beats the base rate on the test part."
            }
            ModelKind::Imported => "Another team's predictions: compared and shadowed, never served.",
            ModelKind::BaseRate => "It does **not** beat the base rate on the test part and is not served.",
        };
        let mut text = format!("# {} {version}\n\n{}\n\n", self.goal, model.definition.description);
        text += &format!(
            "{} as of {}, trained {} by smartpush {}, seed {}, penalty {}. {verdict}\n\n",
            model.kind.as_str(),
            model.as_of,
            self.trained_at,
            self.build,
            model.seed,
            model.penalty
        );
        text += "| on the test part | value | 95 % interval (users drawn) | rows |\n|---|---|---|---|\n";
        text += &figure("log-loss", &metrics.log_loss);
        text += &figure("base rate's log-loss", &metrics.base_rate_log_loss);
        text += &figure("difference", &metrics.difference);
        text += &figure("AUC", &metrics.auc);
        text += &figure("ECE (15 bins of equal mass)", &metrics.ece);
        text += &format!(
            "\nMean probability {:.4}, share of positives {:.4}.\n\n",
            metrics.mean_probability, metrics.test_rate
        );
        text += "| part | from | to | moments | rows | positives |\n|---|---|---|---|---|---|\n";
        text += &part("train", &self.split.train);
        text += &part("calibrate", &self.split.calibrate);
        text += &part("test", &self.split.test);
        text += &part("shipped weights", &self.fitted_on);
        text += &format!(
            "\n{} rows lay across two parts and were left out; {} moments were not mature.\n",
            self.split.left_out, self.immature_moments
        );
        text += "\nThe figures are those of the recipe fitted on the train part; the shipped weights are the same recipe \
                 fitted on all mature examples.\n\n";
        text += &self.gate.as_ref().map(gate_lines).unwrap_or_default();
        text += &match &model.trees {
            Some(trees) => most_asked(model, trees),
            None => heaviest(model),
        };
        text
    }
}

/// The gate's lines, the reliability table and the slices.
fn gate_lines(gate: &Gate) -> String {
    let mut text = "| gate | | seen | asked |\n|---|---|---|---|\n".to_string();
    for line in &gate.lines {
        let mark = if line.passed { "holds" } else { "**fails**" };
        text += &format!("| {} | {mark} | {} | {} |\n", line.name, line.found, line.wanted);
    }
    text += "\n| probability given | share that happened | rows |\n|---|---|---|\n";
    for bin in &gate.facts.reliability {
        text += &format!("| {:.4} | {:.4} | {} |\n", bin.mean_probability, bin.rate, bin.n);
    }
    if !gate.facts.slices.is_empty() {
        text +=
            "\n| slice of the test part | AUC | 95 % interval | rows | positives |\n|---|---|---|---|---|\n";
    }
    for slice in &gate.facts.slices {
        let auc = &slice.auc;
        text += &format!(
            "| {}={} | {:.3} | {:.3} … {:.3} | {} | {} |\n",
            slice.name, slice.value, auc.value, auc.low, auc.high, slice.rows, slice.positives
        );
    }
    text + "\n"
}

/// The inputs that move the logit most.
fn heaviest(model: &Model) -> String {
    let mut inputs: Vec<_> = model.inputs.iter().collect();
    inputs.sort_by(|a, b| b.weight.abs().total_cmp(&a.weight.abs()));
    let mut text = "| input | weight of one standard deviation |\n|---|---|\n".to_string();
    for input in inputs.iter().take(15) {
        text += &format!("| {}.{} | {:+.3} |\n", input.block.as_str(), input.name, input.weight);
    }
    text
}

/// The inputs that trees ask for most.
fn most_asked(model: &Model, trees: &GradientBoosting) -> String {
    let mut inputs: Vec<_> =
        model.inputs.iter().zip(trees.splits()).filter(|(_, splits)| *splits > 0).collect();
    inputs.sort_by_key(|(_, splits)| std::cmp::Reverse(*splits));
    let mut text = format!("| input | splits of {} trees |\n|---|---|\n", trees.trees());
    for (input, splits) in inputs.into_iter().take(15) {
        text += &format!("| {}.{} | {splits} |\n", input.block.as_str(), input.name);
    }
    text
}
