//! Figures of the test part, the gate's answers and the card of a table's goal.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Serialize;

use super::TableTraining;
use super::fit::TableLearner;
use super::forward::{Forward, TriedRecipe};
use super::score::probabilities_at;
use domain::zone::database_version;
use evaluation::bootstrap::Figure;
use evaluation::classification::{Intervals, auc, ece_by_chance};
use registry::card::{Card, FORMAT as CARD_FORMAT};
use registry::figures::{ECE_BINS, Metrics, SplitCard, SplitPart};
use registry::gate::facts::{Count, Facts, Named};
use registry::gate::golden::golden_rows;
use registry::gate::rival::Rival;
use registry::gate::{Gate, GateLine};
use registry::model::Model;

/// Lines of the gate that are asked of every table.
const ASKED: [&str; 6] = [
    "has_enough_rows",
    "has_enough_of_both_outcomes",
    "no_user_dominates",
    "no_input_tells_the_outcome",
    "numbers_are_finite",
    "golden_rows_are_reproduced",
];
/// Those that its probabilities are asked as well; one that ranks by uplift has lines of its own instead.
const ASKED_OF_PROPENSITIES: [&str; 5] = [
    "beats_base_rate",
    "ranks_above_chance",
    "log_loss_holds_against_champion",
    "auc_holds_against_champion",
    "is_calibrated",
];

/// Figures of the recipe that was learned once, before the test part: what a model that is not trained again would show.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct FrozenFigures {
    /// Mean −ln probability of what happened.
    pub log_loss: Figure,
    /// Probability that a positive is ranked above a negative.
    pub auc: Figure,
    /// Calibration error over 15 bins of equal mass.
    pub ece: Figure,
}

/// What was measured, with what it was measured on.
pub(super) struct Judged<'a> {
    pub(super) learner: &'a TableLearner<'a>,
    pub(super) request: &'a TableTraining<'a>,
    /// First row of the test part.
    pub(super) start: usize,
    pub(super) forward: &'a Forward,
    pub(super) tried: &'a [TriedRecipe],
}

/// Is a model told from noise?
pub(super) fn is_told_from_noise(metrics: &Metrics) -> bool {
    metrics.difference.high < 0.0 && metrics.auc.low > 0.5
}

impl Judged<'_> {
    fn test(&self) -> Range<usize> {
        self.start..self.learner.rows.len()
    }

    fn labels(&self) -> &[bool] {
        &self.learner.rows.labels[self.test()]
    }

    fn intervals(&self) -> Intervals<'_> {
        let settings = &self.request.config.evaluation;
        let units = &self.learner.rows.units[self.test()];
        Intervals::new(self.labels(), units, settings.bootstrap_draws, settings.seed)
    }

    /// Figures of the recipe learned anew before each block.
    pub(super) fn metrics(&self) -> Metrics {
        let (intervals, forward) = (self.intervals(), self.forward);
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        let positives = self.labels().iter().filter(|label| **label).count();
        Metrics {
            log_loss: intervals.log_loss(&forward.refreshed),
            auc: intervals.auc(&forward.refreshed),
            ece: intervals.ece(&forward.refreshed, ECE_BINS),
            base_rate_log_loss: intervals.log_loss(&forward.base),
            difference: intervals.log_loss_difference(&forward.refreshed, &forward.base),
            mean_probability: mean(&forward.refreshed),
            test_rate: positives as f64 / self.labels().len() as f64,
        }
    }

    pub(super) fn frozen(&self) -> FrozenFigures {
        let (intervals, frozen) = (self.intervals(), &self.forward.frozen);
        FrozenFigures {
            log_loss: intervals.log_loss(frozen),
            auc: intervals.auc(frozen),
            ece: intervals.ece(frozen, ECE_BINS),
        }
    }

    /// The lines of the gate; `uplift` are those of a treatment.
    fn gate(&self, model: &Model, metrics: &Metrics, uplift: Option<&[GateLine]>) -> Gate {
        let facts = self.facts(model, metrics);
        let mut gate = Gate::judge(facts, &self.request.config.gates, uplift.unwrap_or_default());
        let is_asked = |name: &str| {
            ASKED.contains(&name)
                || match uplift {
                    Some(lines) => lines.iter().any(|line| line.name == name),
                    None => ASKED_OF_PROPENSITIES.contains(&name),
                }
        };
        gate.lines.retain(|line| is_asked(&line.name));
        gate
    }

    fn facts(&self, model: &Model, metrics: &Metrics) -> Facts {
        let forward = self.forward;
        let written = Model::from_text(&model.to_text());
        let golden = golden_rows(model);
        let is_kept = |read: &Model| golden.iter().filter(|row| !row.is_reproduced_by(read)).count();
        let positives = self.labels().iter().filter(|label| **label).count();
        let settings = &self.request.config.evaluation;
        Facts {
            test: Count { rows: self.labels().len(), positives },
            base_rate: forward.base.iter().sum::<f64>() / forward.base.len() as f64,
            metrics: metrics.clone(),
            reliability: self.intervals().reliability(&forward.refreshed, ECE_BINS),
            level: None,
            champion: self.rival(),
            slices: Vec::new(),
            ece_by_chance: ece_by_chance(&forward.refreshed, 1, ECE_BINS, 0.95, settings.seed),
            inputs_moved: Vec::new(),
            scores_moved: None,
            busiest_user: self.busiest_unit(),
            most_telling_input: self.most_telling_input(),
            error: written.as_ref().err().map(|error| error.to_string()),
            golden_misses: written.as_ref().map_or(golden.len(), is_kept),
            golden,
        }
    }

    fn busiest_unit(&self) -> Named {
        let mut rows_of: BTreeMap<u32, usize> = BTreeMap::new();
        self.learner.rows.units.iter().for_each(|unit| *rows_of.entry(*unit).or_default() += 1);
        let busiest = rows_of.into_iter().max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(&a.0)));
        let (unit, rows) = busiest.unwrap_or_default();
        let position = self.learner.rows.units.iter().position(|other| *other == unit).unwrap_or_default();
        let row = self.learner.rows.order.get(position).copied().unwrap_or_default();
        let id = self.request.roles.id.as_ref().and_then(|id| self.learner.rows.table.find(id));
        let name = id.and_then(|id| id.cell(row)).map_or(format!("of row {}", row + 1), str::to_string);
        Named { name, value: rows as f64 / self.learner.rows.len().max(1) as f64 }
    }

    /// A missing value counts as below all others.
    fn most_telling_input(&self) -> Option<Named> {
        let columns = &self.forward.first.columns;
        let all: Vec<usize> = (0..self.learner.rows.len()).collect();
        let matrix = self.learner.matrix(columns, &all);
        let names = columns.iter().flat_map(registry::table::TableColumn::input_names);
        let named = names.zip(&matrix.columns).map(|(name, column)| {
            let lowest = |value: &f64| if value.is_nan() { f64::NEG_INFINITY } else { *value };
            let area = auc(&column.iter().map(lowest).collect::<Vec<_>>(), &self.learner.rows.labels);
            Named { name, value: area.max(1.0 - area) }
        });
        let known = named.filter(|input| !input.value.is_nan());
        known.max_by(|a, b| a.value.total_cmp(&b.value).then(b.name.cmp(&a.name)))
    }

    /// The champion on rows of the test part that are newer than it; where rows have no stamp, nobody knows which it knew.
    fn rival(&self) -> Option<Rival> {
        let champion = self.request.champion?;
        let rows = self.learner.rows;
        let newer = |moments: &Vec<_>| moments.partition_point(|moment| *moment < champion.model.as_of);
        let from = rows.moments.as_ref().map(|moments| newer(moments).max(self.start));
        let mut rival = Rival {
            version: champion.version.clone(),
            rows: from.map_or(0, |from| rows.len() - from),
            positives: from.map_or(0, |from| rows.positives(from, rows.len())),
            log_loss_difference: None,
            auc_difference: None,
            error: from.is_none().then(|| "rows without a stamp do not say which it had known".to_string()),
        };
        let Some(from) = from else { return Some(rival) };
        let least = self.request.config.gates.least_positives;
        if rival.positives.min(rival.rows - rival.positives) < least {
            return Some(rival);
        }
        match probabilities_at(rows.table, &champion.model, &rows.order[from..]) {
            Ok(theirs) => {
                let (labels, units) = (&rows.labels[from..], &rows.units[from..]);
                let ours = &self.forward.refreshed[from - self.start..];
                let settings = &self.request.config.evaluation;
                let intervals = Intervals::new(labels, units, settings.bootstrap_draws, settings.seed);
                rival.log_loss_difference = Some(intervals.log_loss_difference(ours, &theirs));
                rival.auc_difference = Some(intervals.auc_difference(ours, &theirs));
            }
            Err(error) => rival.error = Some(error.to_string()),
        }
        Some(rival)
    }

    pub(super) fn card(&self, model: &Model, metrics: Metrics, uplift: Option<&[GateLine]>) -> Card {
        let (request, n) = (self.request, self.learner.rows.len());
        let gate = self.gate(model, &metrics, uplift);
        let calibrates = self.forward.first.calibrates_from;
        Card {
            format: CARD_FORMAT,
            goal: request.goal.to_string(),
            trained_at: request.now,
            lake_sha256: String::new(),
            data_sha256: request.file_sha256.to_string(),
            split: SplitCard {
                train: self.part(0..calibrates),
                calibrate: self.part(calibrates..self.start),
                test: self.part(self.test()),
                left_out: 0,
            },
            fitted_on: self.part(0..n),
            immature_moments: 0,
            beats_base_rate: is_told_from_noise(&metrics),
            metrics,
            gate: Some(gate),
            gate_sha256: None,
            tried: self.tried.iter().map(TriedRecipe::of_card).collect(),
            excluded_users: 0,
            tz_database: database_version().to_string(),
            build: env!("CARGO_PKG_VERSION").to_string(),
        }
    }

    /// Rows without a stamp have no moments.
    fn part(&self, range: Range<usize>) -> SplitPart {
        let rows = self.learner.rows;
        let mut moments = rows.moments.as_ref().map(|all| all[range.clone()].to_vec()).unwrap_or_default();
        let (from, to) = (moments.first().copied(), moments.last().copied());
        moments.dedup();
        SplitPart {
            from,
            to,
            moments: moments.len(),
            rows: range.len(),
            positives: rows.positives(range.start, range.end),
        }
    }
}
