//! Anybody's randomised experiment: a file of rows, each in an arm, with the unit that chance assigned where one is named.

use std::collections::BTreeMap;
use std::path::Path;

use super::arms::{ArmRows, Arms, BothArms, UnitReport};
use super::numbered::NumberedNames;
use super::repeats::Repeats;
use evaluation::uplift::UpliftUnit;
use events::foreign::{ForeignColumn, ForeignField, ForeignRows, Line, Names};
use events::formats::InputError;

const TREATED: ForeignField = ForeignField { names: &["treated", "treatment", "arm"] };
const TREATED_PROBABILITY: ForeignField = ForeignField { names: &["treated_probability"] };
const REACHED: ForeignField = ForeignField { names: &["reached", "outcome", "goal", "click", "reward"] };
const CAMPAIGN: ForeignField = ForeignField { names: &["campaign_id"] };
const SCORE: ForeignField = ForeignField { names: &["score"] };
/// What chance assigned: all rows of one unit are in one arm.
const UNIT: ForeignField = ForeignField { names: &["unit_id", "user_id"] };

const TREATED_WORDS: [&str; 4] = ["treated", "treatment", "test", "push"];
const CONTROL_WORDS: [&str; 4] = ["control", "holdout", "held_out", "no_push"];

/// Of units in both arms, a larger share says that chance did not assign units.
const MOST_IN_BOTH: f64 = 0.10;
/// Units in both arms that are named.
const EXAMPLES: usize = 5;

/// How an experiment is read.
#[derive(Clone, Copy, Debug)]
pub struct ExperimentReading<'a> {
    /// Their names of columns.
    pub names: &'a Names,
    /// Probability of treatment, when the file has no column that says it.
    pub treated_probability: Option<f64>,
    /// Did chance assign each row on its own, so that a unit may be in both arms?
    pub assigned_by_row: bool,
    /// Where a compressed Parquet file may be unpacked.
    pub scratch: &'a Path,
}

/// Reads `theirs=ours,theirs=ours`, for the file of an experiment.
///
/// # Errors
/// A text that says which pair cannot be used.
pub fn names(text: &str) -> Result<Names, String> {
    Names::parse(text, &[&TREATED, &TREATED_PROBABILITY, &REACHED, &UNIT, &CAMPAIGN, &SCORE])
}

/// Reads an experiment of anybody's: CSV or Parquet.
///
/// Rows with the same unit_id (or user_id) belong to one unit. A unit with rows in both arms was reached by both
/// treatments, so its rows are left out and it is named, unless chance assigned rows one by one.
///
/// # Errors
/// When the file lacks a column, or a line is no row; without a column of probabilities there must be one for all; when so
/// many units are in both arms that chance cannot have assigned units.
pub fn of_file(path: &Path, reading: &ExperimentReading<'_>) -> Result<Arms, InputError> {
    reading.names.check(&[path], reading.scratch)?;
    let rows = ForeignRows::open(path, reading.names, reading.scratch)?;
    let columns = Columns::find(&rows, path, reading.treated_probability)?;
    let mut read = ReadRows::default();
    let mut repeats =
        Repeats::watch(if columns.unit.is_none() { rows.others(&columns.used()) } else { Vec::new() });
    let unit_column = columns.unit.as_ref().map(|unit| unit.source_name().to_string());
    rows.each(|line| {
        let row = columns.row(line, reading.treated_probability)?;
        repeats.absorb(line, row.treated);
        read.push(line, &columns, row)
    })?;
    let mut arms = read.arms(path, reading.assigned_by_row)?;
    arms.units.column = unit_column;
    arms.units.repeating = repeats.finish();
    Ok(arms)
}

/// Where an experiment's values are.
struct Columns {
    treated: ForeignColumn,
    reached: ForeignColumn,
    probability: Option<ForeignColumn>,
    unit: Option<ForeignColumn>,
    campaign: Option<ForeignColumn>,
    score: Option<ForeignColumn>,
}

impl Columns {
    fn find(rows: &ForeignRows<'_>, path: &Path, common: Option<f64>) -> Result<Columns, InputError> {
        let columns = Columns {
            treated: rows.need(&TREATED)?,
            reached: rows.need(&REACHED)?,
            probability: rows.find(&TREATED_PROBABILITY),
            unit: rows.find(&UNIT),
            campaign: rows.find(&CAMPAIGN),
            score: rows.find(&SCORE),
        };
        match columns.probability.is_none() && common.is_none() {
            true => {
                let detail = "no column treated_probability; say --treated-percent when it is one for all";
                Err(InputError::new("missing_column", path, detail))
            }
            false => Ok(columns),
        }
    }

    fn used(&self) -> Vec<&ForeignColumn> {
        let optional = [&self.probability, &self.unit, &self.campaign, &self.score];
        [&self.treated, &self.reached].into_iter().chain(optional.into_iter().flatten()).collect()
    }

    fn row(&self, line: &Line<'_>, common: Option<f64>) -> Result<UpliftUnit, InputError> {
        let own = self.probability.as_ref().map(|source| line.probability(source, true)).transpose()?;
        Ok(UpliftUnit {
            treated: line.flag(&self.treated, &TREATED_WORDS, &CONTROL_WORDS)?,
            treated_probability: own.or(common).unwrap_or(f64::NAN),
            reached: line.flag(&self.reached, &[], &[])?,
        })
    }
}

/// Which arms a unit has rows in.
#[derive(Clone, Copy, Debug, Default)]
struct ArmsSeen {
    treated: bool,
    control: bool,
}

/// The rows of a file before units in both arms are left out.
#[derive(Default)]
struct ReadRows {
    rows: Vec<UpliftUnit>,
    scores: Vec<f64>,
    /// Of each row; empty when the file names none.
    units: Vec<u32>,
    campaigns: Vec<u32>,
    unit_names: NumberedNames,
    campaign_names: NumberedNames,
}

impl ReadRows {
    fn push(&mut self, line: &Line<'_>, columns: &Columns, row: UpliftUnit) -> Result<(), InputError> {
        let name = |source: &Option<_>| source.as_ref().map(|source| line.name(source)).transpose();
        self.units.extend(name(&columns.unit)?.map(|name| self.unit_names.number(&name)));
        self.campaigns.extend(name(&columns.campaign)?.map(|name| self.campaign_names.number(&name)));
        self.scores.extend(columns.score.as_ref().map(|source| line.number(source)).transpose()?);
        self.rows.push(row);
        Ok(())
    }

    /// Units are in both arms of a campaign: campaigns assign on their own.
    fn in_both_arms(&self) -> (BTreeMap<(u32, u32), ArmsSeen>, BothArms) {
        let mut seen: BTreeMap<(u32, u32), ArmsSeen> = BTreeMap::new();
        for (index, unit) in self.units.iter().enumerate() {
            let campaign = self.campaigns.get(index).copied().unwrap_or_default();
            let arms = seen.entry((campaign, *unit)).or_default();
            let arm = if self.rows[index].treated { &mut arms.treated } else { &mut arms.control };
            *arm = true;
        }
        let of = seen.len() as u64;
        seen.retain(|_, arms| arms.treated && arms.control);
        let mut names: Vec<&String> =
            seen.keys().map(|(_, unit)| &self.unit_names.names[*unit as usize]).collect();
        names.sort_unstable();
        names.dedup();
        let examples = names.into_iter().take(EXAMPLES).cloned().collect();
        let both = BothArms { n: seen.len() as u64, of, examples, excluded_rows: 0 };
        (seen, both)
    }

    fn arms(self, path: &Path, assigned_by_row: bool) -> Result<Arms, InputError> {
        let (crossing, mut both) = self.in_both_arms();
        if !assigned_by_row && both.n as f64 > MOST_IN_BOTH * both.of as f64 {
            return Err(InputError::new("units_in_both_arms", path, too_many(&both)));
        }
        let mut arms = Arms { scores: (!self.scores.is_empty()).then(Vec::new), ..Arms::default() };
        let mut all = Dense::default();
        let mut of_campaign: BTreeMap<u32, Dense> = BTreeMap::new();
        for (index, row) in self.rows.iter().enumerate() {
            let (unit, campaign) = (self.units.get(index).copied(), self.campaigns.get(index).copied());
            let key = (campaign.unwrap_or_default(), unit.unwrap_or_default());
            if unit.is_some() && !assigned_by_row && crossing.contains_key(&key) {
                both.excluded_rows += 1;
                continue;
            }
            all.push(&mut arms.all, *row, unit);
            if let Some(campaign) = campaign {
                let name = self.campaign_names.names[campaign as usize].clone();
                let rows = arms.campaigns.entry(name).or_default();
                of_campaign.entry(campaign).or_default().push(rows, *row, unit);
            }
            arms.scores.iter_mut().for_each(|scores| scores.extend(self.scores.get(index)));
        }
        let rows = arms.all.rows.len() as u64;
        let n = if self.units.is_empty() { rows } else { all.numbers.len() as u64 };
        arms.units = UnitReport { n, rows, both_arms: both, ..UnitReport::default() };
        Ok(arms)
    }
}

fn too_many(both: &BothArms) -> String {
    format!(
        "{} of {} units have rows in both arms ({}): chance did not assign these units. Name the column that it assigned \
         by --map theirs=unit_id, or say --assigned-by row when it assigned each row on its own",
        both.n,
        both.of,
        both.examples.join(", ")
    )
}

/// Units numbered anew, in the order in which their rows are kept.
#[derive(Default)]
struct Dense {
    numbers: BTreeMap<u32, u32>,
}

impl Dense {
    fn push(&mut self, rows: &mut ArmRows, row: UpliftUnit, unit: Option<u32>) {
        rows.rows.push(row);
        if let Some(unit) = unit {
            let next = self.numbers.len() as u32;
            let number = *self.numbers.entry(unit).or_insert(next);
            rows.units.get_or_insert_default().push(number);
        }
    }
}
