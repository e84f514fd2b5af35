//! Answers about members: how many have each value of a field.

use std::collections::BTreeMap;

use polars::prelude::*;
use serde_json::Value;

use super::people::cells;
use crate::tables::cell;

/// Most different numbers that are counted one by one; of more, tenths of the members are.
const MOST_NUMBERS: usize = 24;

/// Members by the value of a field.
#[derive(Clone, Debug, PartialEq)]
pub struct Breakdown {
    /// The field.
    pub by: String,
    /// Value, or range of values, and members. Texts come with the most frequent first, numbers ascending, unknown last.
    pub groups: Vec<(String, u64)>,
    /// Can one person be in several groups? Of sets of values he is.
    pub is_overlapping: bool,
    /// Are the values a closed set of ours, so that their names tell nothing of anybody?
    pub is_closed: bool,
}

/// What stands for members of whom the value is unknown.
pub const UNKNOWN: &str = "unknown";

/// Counts the members by their value in a column.
pub fn breakdown(by: &str, column: &Series, members: &[bool]) -> Breakdown {
    let rows = || (0..column.len()).filter(|row| members.get(*row) == Some(&true));
    let is_overlapping = matches!(column.dtype(), DataType::List(_));
    let groups = match column.dtype() {
        DataType::Int64 | DataType::Float64 => {
            numbers(&rows().map(|row| cell(column, row)).collect::<Vec<_>>())
        }
        DataType::Datetime(..) => by_month(rows().map(|row| cell(column, row))),
        _ => texts(rows().map(|row| cell(column, row))),
    };
    Breakdown { by: by.to_string(), groups, is_overlapping, is_closed: false }
}

impl Breakdown {
    /// The same of a closed set: words in their own order, since the order of frequency would tell what counts hide.
    pub fn closed(mut self, values: &[&str]) -> Breakdown {
        let place = |group: &str| values.iter().position(|value| *value == group).unwrap_or(values.len());
        self.groups.sort_by_key(|(value, _)| place(value));
        self.is_closed = true;
        self
    }
}

/// Counts named parts in their own order; those of nobody are left out.
pub fn parts<'a>(by: &str, order: &[&'a str], of: impl Iterator<Item = &'a str>) -> Breakdown {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    of.for_each(|part| *counts.entry(part).or_default() += 1);
    let groups = order.iter().filter_map(|part| Some((part.to_string(), *counts.get(part)?)));
    Breakdown { by: by.to_string(), groups: groups.collect(), is_overlapping: false, is_closed: true }
}

fn texts(values: impl Iterator<Item = Value>) -> Vec<(String, u64)> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut unknown = 0;
    for value in values {
        match value {
            Value::Null => unknown += 1,
            Value::Array(elements) if elements.is_empty() => *counts.entry("none".into()).or_default() += 1,
            Value::Array(elements) => {
                elements.iter().for_each(|element| *counts.entry(text(element)).or_default() += 1);
            }
            value => *counts.entry(text(&value)).or_default() += 1,
        }
    }
    let mut groups: Vec<(String, u64)> = counts.into_iter().collect();
    groups.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    with_unknown(groups, unknown)
}

fn by_month(values: impl Iterator<Item = Value>) -> Vec<(String, u64)> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    let mut unknown = 0;
    for value in values {
        match value.as_str().and_then(|stamp| stamp.get(..7)) {
            Some(month) => *counts.entry(month.to_string()).or_default() += 1,
            None => unknown += 1,
        }
    }
    with_unknown(counts.into_iter().collect(), unknown)
}

fn numbers(values: &[Value]) -> Vec<(String, u64)> {
    let numbers: Vec<Option<f64>> = values.iter().map(Value::as_f64).collect();
    let mut distinct: Vec<f64> = numbers.iter().flatten().copied().collect();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    let unknown = numbers.iter().filter(|number| number.is_none()).count() as u64;
    let cells = match distinct.len() <= MOST_NUMBERS {
        true => numbers.iter().map(|number| distinct.iter().position(|one| Some(*one) == *number)).collect(),
        false => {
            cells(&numbers, 10).into_iter().map(|cell| cell.map(|cell| cell as usize)).collect::<Vec<_>>()
        }
    };
    let mut ranges: BTreeMap<usize, (f64, f64, u64)> = BTreeMap::new();
    for (cell, number) in cells.into_iter().zip(&numbers) {
        if let (Some(cell), Some(number)) = (cell, *number) {
            let range = ranges.entry(cell).or_insert((number, number, 0));
            *range = (range.0.min(number), range.1.max(number), range.2 + 1);
        }
    }
    let named = |(low, high, members): (f64, f64, u64)| match low == high {
        true => (shortened(low), members),
        false => (format!("{} to {}", shortened(low), shortened(high)), members),
    };
    with_unknown(ranges.into_values().map(named).collect(), unknown)
}

fn with_unknown(mut groups: Vec<(String, u64)>, unknown: u64) -> Vec<(String, u64)> {
    if unknown > 0 {
        groups.push((UNKNOWN.to_string(), unknown));
    }
    groups
}

/// A whole number as such, others with four digits behind the point.
fn shortened(number: f64) -> String {
    if number.fract() == 0.0 { format!("{number}") } else { format!("{number:.4}") }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_string)
}
