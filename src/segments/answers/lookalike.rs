//! What a model of membership reads of people: the numbers of their profiles, their interests, their words and attributes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use polars::prelude::*;

use crate::language::fields::{FieldCatalogue, FieldType};
use crate::language::keys::{Computed, DeclaredField, LookupKey};
use crate::people::{People, PeopleError};
use files::tables::TableError;
use models::inputs::user::{input_of, user_features};
use models::lookalike::LookAlike;
use profiles::features::Feature;

/// Categories whose shares are inputs: those that most people have anything to do with.
const MOST_CATEGORIES: usize = 20;
/// Values of a word that are inputs: those that most people have.
const MOST_VALUES: usize = 8;
/// A value that fewer of a hundred people have is none.
const LEAST_PERCENT: usize = 2;

/// One input of everybody.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// As it is written in a segment; of one word among several, with the word.
    pub name: String,
    /// What it is made of.
    pub key: LookupKey,
    /// As a model reads it; NaN where it is missing.
    pub values: Vec<f64>,
    /// Mean of what is known of members, in its own unit.
    pub seed_mean: f64,
    /// Mean of what is known of the others.
    pub others_mean: f64,
}

/// Fields of which nobody is like another: they say who somebody is, or how we write to him.
const NO_INPUTS: [&str; 2] = ["time_zone_source", "lifecycle"];

/// What is looked up of people before it is known what they like.
pub fn first_needed(catalogue: &FieldCatalogue) -> BTreeSet<LookupKey> {
    let numbers = user_features().into_iter().map(|feature| LookupKey::Feature(feature.name));
    let said = catalogue.fields().filter(|field| match &field.key {
        LookupKey::Feature(name) => field.field_type == FieldType::Text && !NO_INPUTS.contains(name),
        LookupKey::Attribute(..) => {
            matches!(field.field_type, FieldType::Number | FieldType::Text | FieldType::Truth)
        }
        _ => false,
    });
    let said = said.map(|field| field.key.clone());
    let also =
        [LookupKey::Feature("interest_categories"), LookupKey::Declared(DeclaredField::Personalisation)];
    numbers.chain(said).chain(also).collect()
}

/// Shares of the categories that most people have anything to do with.
///
/// # Errors
/// When [`first_needed`] was not looked up.
pub fn then_needed(people: &People) -> Result<BTreeSet<LookupKey>, PeopleError> {
    let key = LookupKey::Feature("interest_categories");
    let column = people.column(&key).ok_or_else(|| PeopleError::Missing(key.clone()))?;
    let lists = column.list().map_err(|_| PeopleError::WrongKind(key.clone()))?.rechunk();
    let words = lists.get_inner();
    let words = words.str().map_err(|_| PeopleError::WrongKind(key.clone()))?;
    Ok(most_frequent(words.iter(), MOST_CATEGORIES, 0).into_iter().map(LookupKey::Interest).collect())
}

/// Who may be looked at: what the others did may not decide what they get.
///
/// # Errors
/// When [`first_needed`] was not looked up.
pub fn eligible(people: &People) -> Result<Vec<bool>, PeopleError> {
    let key = LookupKey::Declared(DeclaredField::Personalisation);
    let column = people.column(&key).ok_or_else(|| PeopleError::Missing(key.clone()))?;
    let answers = column.bool().map_err(|_| PeopleError::WrongKind(key.clone()))?;
    Ok(answers.iter().map(|answer| answer == Some(true)).collect())
}

/// The inputs of `rows`, whose memberships stand beside them, out of everything that was looked up but `without`.
///
/// Features are on the scales that models of goals read; attributes and shares are as they are; of a word each frequent value is
/// an input of 1 or 0. What does not differ between people is left out.
pub fn inputs(
    people: &People,
    rows: &[usize],
    members: &[bool],
    without: &BTreeSet<LookupKey>,
) -> Vec<Input> {
    let mut all = Vec::new();
    let features: BTreeMap<&str, Feature> =
        user_features().into_iter().map(|feature| (feature.name, feature)).collect();
    for key in people.keys().filter(|key| !without.contains(key) && is_input(key)) {
        let Some(column) = people.column(key) else { continue };
        let scaled = |value: Option<f64>| match key {
            LookupKey::Feature(name) => {
                features.get(name).map_or(f64::NAN, |feature| input_of(feature, value))
            }
            _ => value.unwrap_or(f64::NAN),
        };
        match column.dtype() {
            DataType::String => all.extend(words(key, column, rows, members)),
            _ => all
                .extend(numbers(column, rows).map(|known| input(name_of(key), key, &known, members, scaled))),
        }
    }
    all.retain(differs);
    all
}

/// What a model read of people: user_id, member, fold, similarity, then a column an input, as it was read before
/// standardisation.
///
/// # Errors
/// When the columns are not of one length, or two inputs have one name.
pub fn frame_of(
    ids: &[String],
    members: &[bool],
    model: &LookAlike,
    inputs: &[Input],
) -> Result<DataFrame, TableError> {
    let folds: Vec<i64> = model.folds.iter().map(|fold| *fold as i64).collect();
    let mut columns = vec![
        Column::new("user_id".into(), ids),
        Column::new("member".into(), members),
        Column::new("fold".into(), folds),
        Column::new("similarity".into(), &model.similarity),
    ];
    for input in inputs {
        let values = input.values.iter().map(|value| Some(*value).filter(|value| !value.is_nan()));
        let column = Float64Chunked::from_iter_options(input.name.as_str().into(), values);
        columns.push(column.into_series().into());
    }
    DataFrame::new(ids.len(), columns).map_err(TableError::parquet(Path::new("rows")))
}

fn is_input(key: &LookupKey) -> bool {
    matches!(key, LookupKey::Feature(_) | LookupKey::Attribute(..) | LookupKey::Interest(_))
        && *key != LookupKey::Feature("interest_categories")
        && !matches!(key, LookupKey::Feature(name) if NO_INPUTS.contains(name))
}

/// Inputs that a seed is defined by: a model that reads them learns the definition and little of the people.
pub fn defining(keys: &BTreeSet<LookupKey>) -> BTreeSet<LookupKey> {
    let made_of = |key: &LookupKey| match key {
        LookupKey::Computed(Computed::RfmRecency) => vec![LookupKey::Feature("days_since_purchase")],
        LookupKey::Computed(Computed::RfmFrequency) => vec![LookupKey::Feature("orders_90d")],
        LookupKey::Computed(Computed::RfmMoney) => vec![LookupKey::Feature("revenue_total")],
        LookupKey::Feature("lifecycle") => vec![LookupKey::Feature("days_since_own_event")],
        other => vec![other.clone()],
    };
    keys.iter().flat_map(made_of).collect()
}

/// As a person would type it.
pub fn name_of(key: &LookupKey) -> String {
    match key {
        LookupKey::Attribute(name, _) if crate::language::words::is_field_name(name) => name.clone(),
        key => key.to_string(),
    }
}

impl Input {
    /// What it is, in a sentence.
    pub fn said(&self) -> String {
        let feature =
            user_features().into_iter().find(|feature| self.key == LookupKey::Feature(feature.name));
        match (&self.key, feature) {
            (LookupKey::Interest(category), _) => format!("interest in {category}"),
            (_, Some(feature)) if feature.description.starts_with("since ") => {
                format!("days {}", feature.description)
            }
            (_, Some(feature)) => feature.description.to_string(),
            (_, None) => self.name.clone(),
        }
    }
}

fn input(
    name: String,
    key: &LookupKey,
    known: &[Option<f64>],
    members: &[bool],
    scaled: impl Fn(Option<f64>) -> f64,
) -> Input {
    let mean = |of_members: bool| {
        let rows = known.iter().zip(members).filter(|(_, member)| **member == of_members);
        let (mut sum, mut count) = (0.0, 0.0);
        for value in rows.filter_map(|(value, _)| *value) {
            (sum, count) = (sum + value, count + 1.0);
        }
        sum / count
    };
    let values = known.iter().map(|value| scaled(*value)).collect();
    Input { name, key: key.clone(), values, seed_mean: mean(true), others_mean: mean(false) }
}

/// `None` of what is no number, nor a truth.
fn numbers(column: &Series, rows: &[usize]) -> Option<Vec<Option<f64>>> {
    let truth = |truth: Option<bool>| truth.map(|truth| f64::from(u8::from(truth)));
    match column.dtype() {
        DataType::Int64 => {
            let column = column.i64().ok()?;
            Some(rows.iter().map(|row| column.get(*row).map(|number| number as f64)).collect())
        }
        DataType::Float64 => {
            let column = column.f64().ok()?;
            Some(rows.iter().map(|row| column.get(*row).filter(|number| number.is_finite())).collect())
        }
        DataType::Boolean => {
            let column = column.bool().ok()?;
            Some(rows.iter().map(|row| truth(column.get(*row))).collect())
        }
        _ => None,
    }
}

/// An input for each frequent value of a word; of whom it is unknown, none holds.
fn words(key: &LookupKey, column: &Series, rows: &[usize], members: &[bool]) -> Vec<Input> {
    let Ok(column) = column.str() else { return Vec::new() };
    let values: Vec<Option<&str>> = rows.iter().map(|row| column.get(*row)).collect();
    let least = (rows.len() * LEAST_PERCENT).div_ceil(100);
    let of = |word: String| {
        let known: Vec<Option<f64>> =
            values.iter().map(|value| Some(f64::from(u8::from(*value == Some(word.as_str()))))).collect();
        let name = format!("{} = {word:?}", name_of(key));
        input(name, key, &known, members, |value| value.unwrap_or(f64::NAN))
    };
    most_frequent(values.iter().copied(), MOST_VALUES, least).into_iter().map(of).collect()
}

/// The words that occur most often, at least so often; equals in the order of the alphabet.
fn most_frequent<'a>(words: impl Iterator<Item = Option<&'a str>>, most: usize, least: usize) -> Vec<String> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    words.flatten().for_each(|word| *counts.entry(word).or_default() += 1);
    let mut counts: Vec<(&str, usize)> = counts.into_iter().filter(|(_, count)| *count >= least).collect();
    counts.sort_by(|one, other| other.1.cmp(&one.1).then_with(|| one.0.cmp(other.0)));
    counts.into_iter().take(most).map(|(word, _)| word.to_string()).collect()
}

fn differs(input: &Input) -> bool {
    let mut known = input.values.iter().filter(|value| !value.is_nan());
    let first = known.next();
    known.any(|value| Some(value) != first)
}
