//! The rows of a table that have a label, in order of time.

use super::error::TableGoalError;
use super::read::{CellColumn, CellTable};
use domain::time::Instant;
use domain::zone::Zone;
use events::formats::{InputError, RawValue};
use events::stamps::StampReader;
use registry::table::number_of;

/// Words for yes, compared without case.
const YES: [&str; 6] = ["yes", "y", "true", "t", "1", "1.0"];
/// Words for no.
const NO: [&str; 6] = ["no", "n", "false", "f", "0", "0.0"];

/// Which columns of a table mean what.
#[derive(Clone, Debug, Default)]
pub struct TableRoles {
    /// The column that is predicted: yes or no.
    pub label: String,
    /// The column that orders rows in time; `None`: the file is in order.
    pub time: Option<String>,
    /// The column that names a row, or the user it is about: no input, and rows that share it stay together in intervals.
    pub id: Option<String>,
    /// Columns that are no inputs, such as what is known only after the outcome.
    pub excluded: Vec<String>,
    /// The column that says which rows were treated, yes or no.
    pub treatment: Option<String>,
}

/// Rows with a label, the oldest first.
#[derive(Clone, Debug)]
pub(super) struct LabelledRows<'a> {
    pub(super) table: &'a CellTable,
    /// Rows of the table.
    pub(super) order: Vec<usize>,
    pub(super) labels: Vec<bool>,
    /// Which rows were treated; empty without a treatment.
    pub(super) treated: Vec<bool>,
    /// Numbers that rows of one id share.
    pub(super) units: Vec<u32>,
    /// When each row was, where the time is a stamp.
    pub(super) moments: Option<Vec<Instant>>,
    /// A number that rises with time; equal for rows of the same moment, and the position where the file is in order.
    keys: Vec<f64>,
    /// Rows without a label.
    pub(super) without_label: usize,
}

impl<'a> LabelledRows<'a> {
    /// Orders the rows that have a label.
    ///
    /// # Errors
    /// When a column is missing, or a label, a treatment or a time cannot be read.
    pub(super) fn of(
        table: &'a CellTable,
        roles: &TableRoles,
        zone: &Zone,
        now: Instant,
    ) -> Result<LabelledRows<'a>, TableGoalError> {
        for name in &roles.excluded {
            table.need(name, "--exclude")?;
        }
        let labels = flags(table, table.need(&roles.label, "--label")?, "--label")?;
        let column = roles.treatment.as_ref().map(|name| table.need(name, "--treatment")).transpose()?;
        let treated = column.map(|column| flags(table, column, "--treatment")).transpose()?;
        let id = roles.id.as_ref().map(|name| table.need(name, "--id")).transpose()?;
        let is_known =
            |row: &usize| labels[*row].is_some() && treated.as_ref().is_none_or(|all| all[*row].is_some());
        let mut order: Vec<usize> = (0..table.rows()).filter(is_known).collect();
        let time = match &roles.time {
            Some(name) => times(table, table.need(name, "--time")?, &order, zone, now)?,
            None => Times::Order,
        };
        let key = |row: usize| match &time {
            Times::Order => row as f64,
            Times::Numbers(numbers) => numbers[row],
            Times::Moments(moments) => moments[row].micros() as f64,
        };
        order.sort_by(|one, other| key(*one).total_cmp(&key(*other)));
        let of = |flags: &[Option<bool>]| order.iter().filter_map(|row| flags[*row]).collect();
        Ok(LabelledRows {
            table,
            labels: of(&labels),
            treated: treated.as_deref().map(of).unwrap_or_default(),
            units: units(id, &order),
            moments: match &time {
                Times::Moments(moments) => Some(order.iter().map(|row| moments[*row]).collect()),
                Times::Order | Times::Numbers(_) => None,
            },
            keys: order.iter().map(|row| key(*row)).collect(),
            without_label: table.rows() - order.len(),
            order,
        })
    }

    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    pub(super) fn positives(&self, from: usize, to: usize) -> usize {
        self.labels[from..to].iter().filter(|label| **label).count()
    }

    /// A boundary at or before a position that no rows of the same moment lie across, if there is one after `least`.
    pub(super) fn boundary(&self, position: usize, least: usize) -> usize {
        let Some(key) = self.keys.get(position) else { return position };
        let first = self.keys.partition_point(|other| other < key);
        if first > least { first } else { position }
    }
}

/// Without an id each row is a unit of its own.
fn units(id: Option<&CellColumn>, order: &[usize]) -> Vec<u32> {
    let Some(id) = id else { return (0..order.len() as u32).collect() };
    let nameless = |position: usize| (id.distinct.len() + 1 + position) as u32;
    let unit = |(position, row): (usize, &usize)| match id.codes[*row] {
        0 => nameless(position),
        code => code,
    };
    order.iter().enumerate().map(unit).collect()
}

/// Yes or no of each row of the table; `None` where the cell is missing.
fn flags(table: &CellTable, column: &CellColumn, option: &str) -> Result<Vec<Option<bool>>, InputError> {
    let read = |cell: &String| {
        let cell = cell.to_lowercase();
        let is = |words: &[&str]| words.contains(&cell.as_str());
        if is(&YES) {
            Some(true)
        } else if is(&NO) {
            Some(false)
        } else {
            None
        }
    };
    let known: Vec<Option<bool>> = column.distinct.iter().map(read).collect();
    if let Some(index) = known.iter().position(Option::is_none) {
        let row = column.codes.iter().position(|code| *code as usize == index + 1).unwrap_or_default();
        let detail = format!(
            "{option} column {:?} holds {:?} in data row {}; expected yes or no, true or false, 1 or 0",
            column.name,
            column.distinct[index],
            row + 1
        );
        return Err(table.error("bad_label", detail));
    }
    let flag = |code: &u32| code.checked_sub(1).and_then(|index| known[index as usize]);
    Ok(column.codes.iter().map(flag).collect())
}

/// What orders the rows.
enum Times {
    Order,
    Numbers(Vec<f64>),
    Moments(Vec<Instant>),
}

/// Stamps or dates, or else numbers that rise with time, of each row of the table.
fn times(
    table: &CellTable,
    column: &CellColumn,
    rows: &[usize],
    zone: &Zone,
    now: Instant,
) -> Result<Times, InputError> {
    let numbered = |row: &&usize| column.codes[**row] == 0;
    if let Some(row) = rows.iter().find(numbered) {
        let detail = format!("--time column {:?} is empty in data row {}", column.name, row + 1);
        return Err(table.error("missing_value", detail));
    }
    let stamps = StampReader::new(Some(zone.clone()), now, 24);
    let stamp = |cell: &String| stamps.read(&column.name, &RawValue::Text(cell.as_str().into()));
    let read: Result<Vec<Instant>, _> =
        column.distinct.iter().map(|cell| stamp(cell).map(|stamp| stamp.instant)).collect();
    let of = |code: &u32| (*code as usize).saturating_sub(1);
    let error = match read {
        Ok(known) => {
            let moment = |code: &u32| known.get(of(code)).copied().unwrap_or(Instant::MIN);
            return Ok(Times::Moments(column.codes.iter().map(moment).collect()));
        }
        Err(rejection) => rejection,
    };
    let numbers: Option<Vec<f64>> = column.distinct.iter().map(|cell| number_of(cell)).collect();
    match numbers {
        Some(known) => {
            let number = |code: &u32| known.get(of(code)).copied().unwrap_or_default();
            Ok(Times::Numbers(column.codes.iter().map(number).collect()))
        }
        None => {
            let detail = format!(
                "--time column {:?} holds neither stamps nor numbers: {}; `--time row` takes the rows in file order",
                column.name, error.detail
            );
            Err(table.error("bad_timestamp", detail))
        }
    }
}
