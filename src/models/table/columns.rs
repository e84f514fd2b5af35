//! Which columns are inputs, and what their cells are: learned from the rows that are known, without their labels.

use super::read::{CellColumn, CellTable};
use super::rows::{LabelledRows, TableRoles};
use registry::table::{CellKind, TableColumn, number_of};

/// A level, or the missing cells of a column, needs so many rows to have an input of its own …
const LEAST_ROWS: usize = 10;
/// … and one in so many.
const ONE_ROW_OF: usize = 500;
/// Levels of a column with an input of their own at most.
const MOST_LEVELS: usize = 50;
/// Share of a column's cells that are numbers when the column is one of numbers.
const NUMBERS: f64 = 0.9;

/// A column that is no input, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The column.
    pub column: String,
    /// Why it is no input.
    pub reason: String,
}

/// Columns that may be inputs, and those that are not.
pub(super) fn candidates(table: &CellTable, roles: &TableRoles) -> (Vec<usize>, Vec<LeftOut>) {
    let (mut kept, mut left_out) = (Vec::new(), Vec::new());
    for (index, column) in table.columns().iter().enumerate() {
        let Some(reason) = reason_against(column, roles) else {
            kept.push(index);
            continue;
        };
        if !reason.is_empty() {
            left_out.push(LeftOut { column: column.name.clone(), reason });
        }
    }
    (kept, left_out)
}

/// Why a column is no input; empty for the columns that have a role of their own.
fn reason_against(column: &CellColumn, roles: &TableRoles) -> Option<String> {
    let TableRoles { label, time, id, excluded, treatment } = roles;
    let with_role = [Some(label), time.as_ref(), id.as_ref(), treatment.as_ref()];
    if with_role.into_iter().flatten().any(|name| *name == column.name) {
        return Some(String::new());
    }
    if excluded.contains(&column.name) {
        return Some("excluded".to_string());
    }
    let has_missing = column.codes.contains(&0);
    if column.distinct.len() + usize::from(has_missing) <= 1 {
        return Some("all its cells are the same".to_string());
    }
    if numbers_its_rows(column) {
        return Some("it numbers the rows".to_string());
    }
    let rows = column.codes.len();
    let kind = kind_of(column, &counts(column, 0..rows), rows);
    let is_useless = matches!(&kind, CellKind::Category { levels, .. } if levels.is_empty());
    is_useless.then(|| "each of its texts is rare: an id, a free text or a date".to_string())
}

/// Whole numbers that rise from row to row say where in the file a row is and nothing of it.
fn numbers_its_rows(column: &CellColumn) -> bool {
    const LEAST: usize = 20;
    let rows = column.codes.len();
    if rows < LEAST || column.distinct.len() < rows || column.codes.contains(&0) {
        return false;
    }
    let whole: Option<Vec<i64>> = column.distinct.iter().map(|cell| cell.parse().ok()).collect();
    whole.is_some_and(|whole| whole.windows(2).all(|pair| pair[0] < pair[1]))
}

/// How the candidates are read, as far as some known rows say.
pub(super) fn columns_of(rows: &LabelledRows<'_>, kept: &[usize], known: &[usize]) -> Vec<TableColumn> {
    let read = |index: &usize| {
        let column = &rows.table.columns()[*index];
        let counts = counts(column, known.iter().map(|position| rows.order[*position]));
        TableColumn {
            name: column.name.clone(),
            cells: kind_of(column, &counts, known.len()),
            missing_is_input: is_enough(counts[0], known.len()) && counts[0] < known.len(),
        }
    };
    kept.iter().map(read).collect()
}

/// Rows of each code.
fn counts(column: &CellColumn, rows: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut counts = vec![0; column.distinct.len() + 1];
    rows.for_each(|row| counts[column.codes[row] as usize] += 1);
    counts
}

fn is_enough(rows: usize, of: usize) -> bool {
    rows >= LEAST_ROWS.max(of / ONE_ROW_OF)
}

/// `counts` are rows of each code, of so many rows.
fn kind_of(column: &CellColumn, counts: &[usize], rows: usize) -> CellKind {
    let cells = || column.distinct.iter().zip(&counts[1..]).filter(|(_, count)| **count > 0);
    let all: usize = cells().map(|(_, count)| count).sum();
    let numbers: usize = cells().filter(|(cell, _)| number_of(cell).is_some()).map(|(_, count)| count).sum();
    if all > 0 && numbers as f64 >= NUMBERS * all as f64 {
        return CellKind::Number;
    }
    let mut common: Vec<(&String, usize)> =
        cells().filter(|(_, count)| is_enough(**count, rows)).map(|(cell, count)| (cell, *count)).collect();
    common.sort_by(|one, other| other.1.cmp(&one.1).then(one.0.cmp(other.0)));
    common.truncate(MOST_LEVELS);
    let rare = all - common.iter().map(|(_, count)| count).sum::<usize>();
    let mut levels: Vec<String> = common.into_iter().map(|(cell, _)| cell.clone()).collect();
    levels.sort_unstable();
    CellKind::Category { levels, rare_is_input: is_enough(rare, rows) }
}
