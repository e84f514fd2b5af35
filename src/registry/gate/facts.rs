//! What the gate's questions are answered from.

use serde::{Deserialize, Serialize};

use super::golden::GoldenRow;
use super::rival::Rival;
use crate::figures::Metrics;
use evaluation::bootstrap::Figure;
use evaluation::classification::Bin;
use evaluation::stability::HABIT;

/// Something with a name and a number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Its number.
    pub value: f64,
}

/// Rows and those that reached the goal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Count {
    /// Rows.
    pub rows: usize,
    /// Positive ones.
    pub positives: usize,
}

/// How far something moved from part to part, as PSI.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Move {
    /// What.
    pub name: String,
    /// From train to calibrate part: its habit.
    pub before: f64,
    /// From calibrate to test part.
    pub after: f64,
}

impl Move {
    /// Did it jump? What grows with time, like the days since somebody came, moves as far from every part to the next.
    pub fn is_jump(&self, limit: f64) -> bool {
        self.after > limit && self.after > HABIT * self.before
    }
}

/// How high probabilities lie on the calibrate part, beside what happened.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// Mean probability.
    pub mean: f64,
    /// Share of positives.
    pub rate: f64,
    /// Half the width of the share's 99 % interval, users taken as the units.
    pub margin: f64,
}

/// What the gate was told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// The test part.
    pub test: Count,
    /// Share of positives before the test part.
    pub base_rate: f64,
    /// Figures on the test part.
    pub metrics: Metrics,
    /// Probability and share in bins of equal mass, lowest first; on the test part.
    pub reliability: Vec<Bin>,
    /// Probabilities on the calibrate part; `None` when it has no row.
    pub level: Option<Level>,
    /// The comparison with the champion, if there was one.
    pub champion: Option<Rival>,
    /// AUC by slice of the test part.
    pub slices: Vec<Slice>,
    /// Calibration error that chance makes of a calibrated model on as many rows, 95 of 100 times at most.
    pub ece_by_chance: f64,
    /// How far each input moved; what moved furthest beyond its habit first.
    pub inputs_moved: Vec<Move>,
    /// How far the probabilities moved.
    pub scores_moved: Option<Move>,
    /// The user with most rows, and his share of them.
    pub busiest_user: Named,
    /// The input with the largest AUC of its own, either way round.
    pub most_telling_input: Option<Named>,
    /// Why the model's numbers cannot be used, if they cannot.
    #[serde(rename = "fault")]
    pub error: Option<String>,
    /// Made-up rows with their probabilities.
    pub golden: Vec<GoldenRow>,
    /// Of them, those that the written model scores otherwise.
    pub golden_misses: usize,
}

/// The AUC within one slice of the test part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Slice {
    /// The dimension.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Rows.
    pub rows: usize,
    /// Rows that reached the goal.
    pub positives: usize,
    /// AUC with its interval, users drawn.
    pub auc: Figure,
}
