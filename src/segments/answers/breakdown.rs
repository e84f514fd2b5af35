//! Answers about members: how many have each value of a field.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use polars::prelude::*;

use crate::people::cells;
use domain::time::{DAY, Instant};

/// People whose texts are counted by one thread at a time.
const STRETCH: usize = 65_536;

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
///
/// # Errors
/// When the column is of a kind that no key has.
pub fn breakdown(by: &str, column: &Series, members: &[bool]) -> PolarsResult<Breakdown> {
    let is_overlapping = matches!(column.dtype(), DataType::List(_));
    let groups = match column.dtype() {
        DataType::Int64 | DataType::Float64 => {
            let of_members = column.filter(&BooleanChunked::from_slice("member".into(), members))?;
            numbers(&of_members.cast(&DataType::Float64)?.f64()?.iter().collect::<Vec<_>>())
        }
        DataType::Datetime(TimeUnit::Microseconds, _) => by_month(column.datetime()?.physical(), members),
        _ => texts(column, members)?,
    };
    Ok(Breakdown { by: by.to_string(), groups, is_overlapping, is_closed: false })
}

impl Breakdown {
    /// The same of a closed set: words in their own order, since the order of frequency would tell what counts hide.
    pub fn closed(mut self, values: &[&str]) -> Breakdown {
        let rank = |group: &str| values.iter().position(|value| *value == group).unwrap_or(values.len());
        self.groups.sort_by_key(|(value, _)| rank(value));
        self.is_closed = true;
        self
    }
}

/// Named parts of the members in their own order; those of nobody are left out.
pub fn parts<'a>(by: &str, counts: impl IntoIterator<Item = (&'a str, u64)>) -> Breakdown {
    let of_somebody = counts.into_iter().filter(|(_, members)| *members > 0);
    let groups = of_somebody.map(|(part, members)| (part.to_string(), members)).collect();
    Breakdown { by: by.to_string(), groups, is_overlapping: false, is_closed: true }
}

fn texts(column: &Series, members: &[bool]) -> PolarsResult<Vec<(String, u64)>> {
    let of_stretch = |stretch: Range<usize>| {
        let part = column.slice(stretch.start as i64, stretch.len());
        tally(&part, &members[stretch])
    };
    let mut counts: BTreeMap<Option<String>, u64> = BTreeMap::new();
    for part in parallel::in_chunks(column.len().min(members.len()), STRETCH, of_stretch) {
        part?.into_iter().for_each(|(text, members)| *counts.entry(text).or_default() += members);
    }
    let unknown = counts.remove(&None).unwrap_or_default();
    let named = counts.into_iter().filter_map(|(text, members)| Some((text?, members)));
    let mut groups: Vec<(String, u64)> = named.collect();
    groups.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(&other.0)));
    Ok(with_unknown(groups, unknown))
}

/// How many of some members have each text, and how many none.
fn tally(column: &Series, members: &[bool]) -> PolarsResult<Vec<(Option<String>, u64)>> {
    Ok(match column.dtype() {
        DataType::Boolean => {
            let word = |truth| if truth { "true" } else { "false" };
            count(of(members, column.bool()?.iter()).map(|truth| truth.map(word)))
        }
        DataType::List(_) => {
            let lists = column.list()?.rechunk();
            let (elements, known) = (lists.get_inner(), lists.is_not_null());
            let (elements, ends) = (elements.str()?, lists.downcast_as_array().offsets().windows(2));
            let texts = |(ends, known): (&[i64], Option<bool>)| {
                let (word, range) = match known {
                    Some(true) if ends[0] == ends[1] => (Some(Some("none")), 0..0),
                    Some(true) => (None, ends[0] as usize..ends[1] as usize),
                    _ => (Some(None), 0..0),
                };
                word.into_iter().chain(range.map(|at| elements.get(at)))
            };
            count(of(members, ends.zip(known.iter())).flat_map(texts))
        }
        _ => count(of(members, column.str()?.iter())),
    })
}

fn count<'a>(texts: impl Iterator<Item = Option<&'a str>>) -> Vec<(Option<String>, u64)> {
    let mut counts: HashMap<Option<&str>, u64> = HashMap::new();
    texts.for_each(|text| *counts.entry(text).or_default() += 1);
    counts.into_iter().map(|(text, members)| (text.map(str::to_string), members)).collect()
}

/// What belongs to members.
fn of<T>(members: &[bool], each: impl Iterator<Item = T>) -> impl Iterator<Item = T> {
    each.zip(members).filter(|(_, taken)| **taken).map(|(one, _)| one)
}

fn by_month(moments: &Int64Chunked, members: &[bool]) -> Vec<(String, u64)> {
    let mut days: BTreeMap<Option<i64>, u64> = BTreeMap::new();
    for moment in of(members, moments.iter()) {
        *days.entry(moment.map(|micros| micros.div_euclid(DAY))).or_default() += 1;
    }
    let unknown = days.remove(&None).unwrap_or_default();
    let mut months: BTreeMap<String, u64> = BTreeMap::new();
    for (day, members) in days.into_iter().filter_map(|(day, members)| Some((day?, members))) {
        let stamp = Instant::from_micros(day * DAY).to_string();
        *months.entry(stamp.get(..7).unwrap_or_default().to_string()).or_default() += members;
    }
    with_unknown(months.into_iter().collect(), unknown)
}

fn numbers(numbers: &[Option<f64>]) -> Vec<(String, u64)> {
    let mut distinct: Vec<f64> = numbers.iter().flatten().copied().collect();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    let unknown = numbers.iter().filter(|number| number.is_none()).count() as u64;
    let cells = match distinct.len() <= MOST_NUMBERS {
        true => numbers.iter().map(|number| distinct.iter().position(|one| Some(*one) == *number)).collect(),
        false => {
            cells(numbers, 10).into_iter().map(|cell| cell.map(|cell| cell as usize)).collect::<Vec<_>>()
        }
    };
    let mut ranges: BTreeMap<usize, (f64, f64, u64)> = BTreeMap::new();
    for (cell, number) in cells.into_iter().zip(numbers) {
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
