//! What a training run gathers for the gate: facts about the model, its examples and its rival.

mod slices;

use std::collections::BTreeMap;

use super::examples::{Examples, GoalQuestion};
use super::measure::stands_for;
use config::Config;
use evaluation::classification::{Bin, Intervals, auc, ece_by_chance};
use evaluation::stability::Reference;
use registry::figures::{ECE_BINS, Metrics};
use registry::gate::facts::{Count, Facts, Level, Move, Named};
use registry::gate::golden::{GoldenRow, golden_rows};
use registry::gate::rival::Rival;
use registry::model::Model;
use slices::slices;

/// Standard deviations on either side of a mean that hold 99 % of a normal distribution.
const NINETY_NINE_PERCENT: f64 = 2.575_829_303_548_901;

/// Where facts are gathered from: rows, and what a model says of them that did not learn from the calibrate and test part.
#[derive(Clone, Copy)]
pub struct Evidence<'a> {
    /// The goal.
    pub question: &'a GoalQuestion<'a>,
    /// The rows.
    pub examples: &'a Examples,
    /// Rows of the train part.
    pub train: &'a [usize],
    /// Rows of the calibrate part.
    pub calibrate: &'a [usize],
    /// Rows of the test part.
    pub test: &'a [usize],
    /// Probability per row of the examples; NaN where there is none, which may be so on the train part.
    pub probabilities: &'a [f64],
    /// Share of positives before the test part.
    pub base_rate: f64,
    /// Figures on the test part.
    pub metrics: &'a Metrics,
    /// The model that would be served; `None` when it is not ours.
    pub model: Option<&'a Model>,
    /// The comparison with the champion.
    pub champion: Option<&'a Rival>,
    /// Settings.
    pub config: &'a Config,
}

impl Evidence<'_> {
    /// Gathers everything.
    pub fn facts(&self) -> Facts {
        let written = self.model.map(|model| (model, Model::from_text(&model.to_text())));
        let golden = self.model.map(golden_rows).unwrap_or_default();
        let is_missed = |row: &&GoldenRow| match &written {
            Some((_, Ok(model))) => !row.is_reproduced_by(model),
            _ => true,
        };
        Facts {
            test: self.count(self.test),
            base_rate: self.base_rate,
            metrics: self.metrics.clone(),
            reliability: self.reliability(),
            level: self.level(),
            champion: self.champion.cloned(),
            slices: slices(self),
            ece_by_chance: self.ece_by_chance(),
            inputs_moved: self.inputs_moved(),
            scores_moved: self.scores_moved(),
            busiest_user: self.busiest_user(),
            most_telling_input: self.most_telling_input(),
            error: written.as_ref().and_then(|(_, read)| read.as_ref().err()).map(|error| error.to_string()),
            golden_misses: golden.iter().filter(is_missed).count(),
            golden,
        }
    }
}

impl Evidence<'_> {
    fn count(&self, rows: &[usize]) -> Count {
        Count { rows: rows.len(), positives: self.examples.positives(rows) }
    }

    fn weight(&self, row: usize) -> f64 {
        stands_for(self.examples.labels[row], self.examples)
    }

    fn labels_and_users(&self, rows: &[usize]) -> (Vec<bool>, Vec<u32>) {
        let labels = rows.iter().map(|row| self.examples.labels[*row]).collect();
        let users = rows.iter().map(|row| self.examples.rows[*row].user).collect();
        (labels, users)
    }

    fn probabilities_of(&self, rows: &[usize]) -> Vec<f64> {
        rows.iter().map(|row| self.probabilities[*row]).collect()
    }

    fn reliability(&self) -> Vec<Bin> {
        let (labels, users) = self.labels_and_users(self.test);
        let intervals = Intervals::new(&labels, &users, 0, 0).with_one_negative_of(self.examples.one_kept_of);
        intervals.reliability(&self.probabilities_of(self.test), ECE_BINS)
    }

    /// The share's standard error is that of a ratio of sums over users (Cochran 1977, §6.3).
    fn level(&self) -> Option<Level> {
        let mut by_user: BTreeMap<u32, (f64, f64)> = BTreeMap::new();
        let (mut given, mut happened, mut rows) = (0.0, 0.0, 0.0);
        for row in self.calibrate {
            let weight = self.weight(*row);
            let label = f64::from(u8::from(self.examples.labels[*row]));
            given += weight * self.probabilities[*row];
            happened += weight * label;
            rows += weight;
            let own = by_user.entry(self.examples.rows[*row].user).or_default();
            own.0 += weight * label;
            own.1 += weight;
        }
        if rows == 0.0 {
            return None;
        }
        let (rate, users) = (happened / rows, by_user.len() as f64);
        let squares: f64 =
            by_user.values().map(|(hits, own)| (hits - rate * own) * (hits - rate * own)).sum();
        let error = libm::sqrt(squares * users / (users - 1.0).max(1.0)) / rows;
        Some(Level { mean: given / rows, rate, margin: NINETY_NINE_PERCENT * error })
    }

    fn ece_by_chance(&self) -> f64 {
        const SHARE: f64 = 0.95;
        let (given, seed) = (self.probabilities_of(self.test), self.config.evaluation.seed);
        ece_by_chance(&given, self.examples.one_kept_of, ECE_BINS, SHARE, seed)
    }

    /// Inputs that are the same for everybody at a moment say something of the moment: their few values are no distribution.
    fn inputs_moved(&self) -> Vec<Move> {
        let names = input_names(self.examples);
        let moves = parallel::map_each(names.len(), |index| {
            let column = &self.examples.columns[index];
            let varies = varies_within_moments(self.examples, column);
            varies.then(|| self.moved(&names[index], column)).flatten()
        });
        let mut moves: Vec<Move> = moves.into_iter().flatten().collect();
        let excess = |moved: &Move| moved.after - moved.before;
        moves.sort_by(|a, b| excess(b).total_cmp(&excess(a)).then(a.name.cmp(&b.name)));
        moves
    }

    fn scores_moved(&self) -> Option<Move> {
        self.moved("probability", self.probabilities)
    }

    /// `None` when a part has no row to compare; a habit that nobody knows is none.
    fn moved(&self, name: &str, column: &[f64]) -> Option<Move> {
        let spread = |rows: &[usize]| -> Vec<(f64, f64)> {
            rows.iter().map(|row| (column[*row], self.weight(*row))).collect()
        };
        let (train, calibrate) = (spread(self.train), spread(self.calibrate));
        let after = Reference::of(&calibrate).psi(&spread(self.test));
        let is_known = train.iter().any(|(value, _)| !value.is_nan());
        let before = if is_known { Reference::of(&train).psi(&calibrate) } else { 0.0 };
        after.is_finite().then(|| Move { name: name.to_string(), before: before.max(0.0), after })
    }

    fn busiest_user(&self) -> Named {
        let mut rows_of: BTreeMap<u32, usize> = BTreeMap::new();
        self.examples.rows.iter().for_each(|row| *rows_of.entry(row.user).or_default() += 1);
        let busiest = rows_of.into_iter().max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(&a.0)));
        let (user, rows) = busiest.unwrap_or_default();
        let name = self.question.sources.timeline.users().get(user as usize).cloned().unwrap_or_default();
        Named { name, value: rows as f64 / self.examples.len().max(1) as f64 }
    }

    /// A missing value counts as below all others. Of predictions that were made elsewhere it is the prediction itself.
    fn most_telling_input(&self) -> Option<Named> {
        let areas = parallel::map_each(self.examples.columns.len(), |index| {
            let column = self.examples.columns[index].iter();
            let values: Vec<f64> =
                column.map(|value| if value.is_nan() { f64::NEG_INFINITY } else { *value }).collect();
            let area = auc(&values, &self.examples.labels);
            area.max(1.0 - area)
        });
        let named = input_names(self.examples).into_iter().zip(areas);
        let theirs = self.model.is_none().then(|| ("propensity".to_string(), self.metrics.auc.value));
        let named = named.chain(theirs).map(|(name, value)| Named { name, value });
        let named = named.filter(|input| !input.value.is_nan());
        named.max_by(|a, b| a.value.total_cmp(&b.value).then(b.name.cmp(&a.name)))
    }
}

/// Does a column tell users apart at any moment?
fn varies_within_moments(examples: &Examples, column: &[f64]) -> bool {
    let differ = |(a, b): (&f64, &f64)| a.to_bits() != b.to_bits();
    let rows = examples.rows.windows(2).zip(column.iter().zip(&column[1.min(column.len())..]));
    rows.into_iter().any(|(rows, values)| rows[0].moment == rows[1].moment && differ(values))
}

fn input_names(examples: &Examples) -> Vec<String> {
    examples.inputs.iter().map(|(block, name)| format!("{}.{name}", block.as_str())).collect()
}
