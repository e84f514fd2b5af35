//! Everybody against a predicate at once, column by column.
//!
//! A predicate becomes loops over the columns' own memory, not a polars query: there is no name, text or expression of a
//! segment that a query planner could see.

use std::ops::Range;

use polars::prelude::*;

use super::people::{People, PeopleError};
use super::predicate::{NumberQuestion, Predicate, Question, TextQuestion};
use crate::parallel;

/// People whose answers are found by one thread at a time: what is held of them stays in its cache.
const STRETCH: usize = 32_768;

/// Of whom the predicate holds, in the order of the people.
///
/// # Errors
/// When something that it asks for was not looked up, or is of another kind.
pub fn members(predicate: &Predicate, people: &People) -> Result<BooleanChunked, PeopleError> {
    let masks = parallel::in_chunks(people.len(), STRETCH, |stretch| mask(predicate, people, &stretch));
    let mask = masks.into_iter().collect::<Result<Vec<_>, _>>()?.concat();
    Ok(BooleanChunked::from_slice("member".into(), &mask))
}

/// The answers for a stretch of the people.
fn mask(predicate: &Predicate, people: &People, stretch: &Range<usize>) -> Result<Vec<bool>, PeopleError> {
    match predicate {
        Predicate::Everybody => Ok(vec![true; stretch.len()]),
        Predicate::All(members) => folded(members, people, stretch, true, |all, one| *all &= one),
        Predicate::Any(members) => folded(members, people, stretch, false, |any, one| *any |= one),
        Predicate::Not(negated) => {
            let mut mask = mask(negated, people, stretch)?;
            mask.iter_mut().for_each(|answer| *answer = !*answer);
            Ok(mask)
        }
        Predicate::Holds { key, question } => {
            let column = people.column(key).ok_or_else(|| PeopleError::Missing(key.clone()))?;
            let column = column.slice(stretch.start as i64, stretch.len());
            answers(question, &column).map_err(|_| PeopleError::WrongKind(key.clone()))
        }
    }
}

fn folded(
    members: &[Predicate],
    people: &People,
    stretch: &Range<usize>,
    empty: bool,
    fold: impl Fn(&mut bool, bool),
) -> Result<Vec<bool>, PeopleError> {
    let mut result = vec![empty; stretch.len()];
    for member in members {
        let answers = mask(member, people, stretch)?;
        result.iter_mut().zip(answers).for_each(|(result, answer)| fold(result, answer));
    }
    Ok(result)
}

/// One answer a row; of what is unknown, no.
fn answers(question: &Question, column: &Series) -> PolarsResult<Vec<bool>> {
    Ok(match question {
        Question::IsKnown => column.is_not_null().iter().map(|known| known == Some(true)).collect(),
        Question::Is(truth) => truths(*truth, column.bool()?),
        Question::Number(question) => numbers(question, column)?,
        Question::Text(question) => texts(question, column.str()?),
        Question::Has(element) => having(element, column)?,
    })
}

fn truths(wanted: bool, truths: &BooleanChunked) -> Vec<bool> {
    match truths.null_count() {
        0 => truths
            .downcast_iter()
            .flat_map(|part| part.values().iter().map(|truth| truth == wanted))
            .collect(),
        _ => truths.iter().map(|known| known == Some(wanted)).collect(),
    }
}

fn texts(question: &TextQuestion, texts: &StringChunked) -> Vec<bool> {
    match texts.null_count() {
        0 => texts
            .downcast_iter()
            .flat_map(|part| part.values_iter().map(|text| question.holds(text)))
            .collect(),
        _ => texts.iter().map(|text| text.is_some_and(|text| question.holds(text))).collect(),
    }
}

fn numbers(question: &NumberQuestion, column: &Series) -> PolarsResult<Vec<bool>> {
    Ok(match column.dtype() {
        DataType::Int64 => compared(column.i64()?, |number| number as f64, question),
        DataType::Datetime(TimeUnit::Microseconds, _) => {
            compared(column.datetime()?.physical(), |number| number as f64, question)
        }
        _ => compared(column.f64()?, |number| number, question),
    })
}

/// Answers of known numbers. The usual questions are loops of their own, in which nothing but two numbers is compared.
fn compared<T: PolarsNumericType>(
    numbers: &ChunkedArray<T>,
    of: impl Fn(T::Native) -> f64,
    question: &NumberQuestion,
) -> Vec<bool> {
    match *question {
        NumberQuestion::Less(value) => holding(numbers, |number| of(number) < value),
        NumberQuestion::AtMost(value) => holding(numbers, |number| of(number) <= value),
        NumberQuestion::Greater(value) => holding(numbers, |number| of(number) > value),
        NumberQuestion::AtLeast(value) => holding(numbers, |number| of(number) >= value),
        _ => holding(numbers, |number| question.holds(of(number))),
    }
}

/// Of which known numbers something holds, straight over their memory.
fn holding<T: PolarsNumericType>(numbers: &ChunkedArray<T>, holds: impl Fn(T::Native) -> bool) -> Vec<bool> {
    let mut answers = Vec::with_capacity(numbers.len());
    for part in numbers.downcast_iter() {
        let start = answers.len();
        answers.extend(part.values().iter().map(|number| holds(*number)));
        if let Some(known) = part.validity() {
            answers[start..].iter_mut().zip(known.iter()).for_each(|(answer, known)| *answer &= known);
        }
    }
    answers
}

/// Whose lists have the element: the elements of all lists are compared in one pass.
fn having(element: &str, column: &Series) -> PolarsResult<Vec<bool>> {
    let lists = column.list()?.rechunk();
    let ends = lists.downcast_as_array().offsets();
    let first = *ends.first();
    // A stretch of a column still holds the elements of the whole.
    let elements = lists.get_inner().slice(first, (*ends.last() - first) as usize);
    let equal: Vec<bool> = elements.str()?.iter().map(|text| text == Some(element)).collect();
    let ends = ends.windows(2).map(|ends| (ends[0] - first) as usize..(ends[1] - first) as usize);
    let known = lists.is_not_null();
    Ok(ends
        .zip(known.iter())
        .map(|(range, known)| known == Some(true) && equal[range].contains(&true))
        .collect())
}
