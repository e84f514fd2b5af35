//! What pushes cause, read off a randomised arm: lift with intervals that may be looked at any day, and Qini curves.
//!
//! Attribution says what a push was followed by. Only those who were left alone by chance say what would have happened
//! anyway: everything here needs to know with what probability each unit was treated.

use domain::error::{Coded, ErrorKind};

mod lift;
mod qini;

pub use lift::{Lift, Rate, half_width, lift, lift_of};
pub use qini::{Point, Qini, qini, qini_difference, qini_of};

/// One row of a randomised arm: a unit, such as a user in a campaign, or one of several observations of a unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UpliftUnit {
    /// Was it treated, or held out?
    pub treated: bool,
    /// With what probability it was to be treated, strictly between 0 and 1.
    pub treated_probability: f64,
    /// Was the goal reached?
    pub reached: bool,
}

impl UpliftUnit {
    /// 1 / probability of the arm that it came to.
    fn weight(&self) -> f64 {
        if self.treated { 1.0 / self.treated_probability } else { 1.0 / (1.0 - self.treated_probability) }
    }

    fn outcome(&self) -> f64 {
        f64::from(u8::from(self.reached))
    }
}

/// Rows with the unit of each: rows of one unit are not independent of one another.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a> {
    /// The rows.
    pub rows: &'a [UpliftUnit],
    /// The unit of each row, numbered from 0 in the order in which they came; `None` when every row is a unit.
    pub units: Option<&'a [u32]>,
}

impl Rows<'_> {
    /// How many units.
    fn count(&self) -> usize {
        self.units.map_or(self.rows.len(), |units| units.iter().max().map_or(0, |last| *last as usize + 1))
    }

    /// The unit of a row.
    fn unit_of(&self, row: usize) -> usize {
        self.units.map_or(row, |units| units[row] as usize)
    }
}

/// Why there is no lift.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum UpliftError {
    /// One of the arms is empty.
    #[error("one_arm: {treated} units were treated and {control} held out; both are needed")]
    OneArm {
        /// Units that were treated.
        treated: u64,
        /// Units that were held out.
        control: u64,
    },
    /// Assigned without chance.
    #[error("not_randomised: unit {unit} was treated with probability {value}, which is not between 0 and 1")]
    NotRandomised {
        /// The unit, from 1.
        unit: usize,
        /// Its probability.
        value: f64,
    },
    /// Units and scores are not equally many.
    #[error("rows_differ: {units} units, {scores} scores")]
    RowsDiffer {
        /// Units.
        units: usize,
        /// Scores.
        scores: usize,
    },
    /// A score is not a number.
    #[error("bad_score: unit {unit}: its score is not a number")]
    BadScore {
        /// The unit, from 1.
        unit: usize,
    },
}

impl Coded for UpliftError {
    fn code(&self) -> &'static str {
        match self {
            UpliftError::OneArm { .. } => "one_arm",
            UpliftError::NotRandomised { .. } => "not_randomised",
            UpliftError::RowsDiffer { .. } => "rows_differ",
            UpliftError::BadScore { .. } => "bad_score",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            UpliftError::OneArm { .. }
            | UpliftError::NotRandomised { .. }
            | UpliftError::RowsDiffer { .. }
            | UpliftError::BadScore { .. } => ErrorKind::Caller,
        }
    }
}

/// Both arms are there, and chance chose between them.
fn check(units: &[UpliftUnit]) -> Result<(), UpliftError> {
    let is_chance = |unit: &UpliftUnit| unit.treated_probability > 0.0 && unit.treated_probability < 1.0;
    if let Some(index) = units.iter().position(|unit| !is_chance(unit)) {
        let value = units[index].treated_probability;
        return Err(UpliftError::NotRandomised { unit: index + 1, value });
    }
    let treated = units.iter().filter(|unit| unit.treated).count() as u64;
    let control = units.len() as u64 - treated;
    match treated > 0 && control > 0 {
        true => Ok(()),
        false => Err(UpliftError::OneArm { treated, control }),
    }
}
