//! Everybody against a predicate at once, column by column.
//!
//! A predicate becomes loops over the columns' own memory, not a polars query: there is no name, text or expression of a
//! segment that a query planner could see.

use polars::prelude::*;

use super::people::{People, PeopleError};
use super::predicate::{NumberQuestion, Predicate, Question};

/// Of whom the predicate holds, in the order of the people.
///
/// # Errors
/// When something that it asks for was not looked up, or is of another kind.
pub fn members(predicate: &Predicate, people: &People) -> Result<BooleanChunked, PeopleError> {
    let mask = mask(predicate, people)?;
    Ok(BooleanChunked::from_slice("member".into(), &mask))
}

fn mask(predicate: &Predicate, people: &People) -> Result<Vec<bool>, PeopleError> {
    match predicate {
        Predicate::Everybody => Ok(vec![true; people.len()]),
        Predicate::All(members) => folded(members, people, true, |all, one| *all &= one),
        Predicate::Any(members) => folded(members, people, false, |any, one| *any |= one),
        Predicate::Not(negated) => {
            let mut mask = mask(negated, people)?;
            mask.iter_mut().for_each(|answer| *answer = !*answer);
            Ok(mask)
        }
        Predicate::Holds { key, question } => {
            let column = people.column(key).ok_or_else(|| PeopleError::Missing(key.clone()))?;
            answers(question, column).map_err(|_| PeopleError::WrongKind(key.clone()))
        }
    }
}

fn folded(
    members: &[Predicate],
    people: &People,
    empty: bool,
    fold: fn(&mut bool, bool),
) -> Result<Vec<bool>, PeopleError> {
    let mut result = vec![empty; people.len()];
    for member in members {
        let answers = mask(member, people)?;
        result.iter_mut().zip(answers).for_each(|(result, answer)| fold(result, answer));
    }
    Ok(result)
}

/// One answer a row; of what is unknown, no.
fn answers(question: &Question, column: &Series) -> PolarsResult<Vec<bool>> {
    Ok(match question {
        Question::IsKnown => column.is_not_null().iter().map(|known| known == Some(true)).collect(),
        Question::Is(truth) => column.bool()?.iter().map(|known| known == Some(*truth)).collect(),
        Question::Number(question) => numbers(question, column)?,
        Question::Text(question) => {
            column.str()?.iter().map(|text| text.is_some_and(|text| question.holds(text))).collect()
        }
        Question::Has(element) => having(element, column)?,
    })
}

fn numbers(question: &NumberQuestion, column: &Series) -> PolarsResult<Vec<bool>> {
    Ok(match column.dtype() {
        DataType::Int64 => compared(column.i64()?, |number| question.holds(number as f64)),
        DataType::Datetime(TimeUnit::Microseconds, _) => {
            compared(column.datetime()?.physical(), |number| question.holds(number as f64))
        }
        _ => compared(column.f64()?, |number| question.holds(number)),
    })
}

/// Answers of known numbers; where all are known, straight over their memory.
fn compared<T: PolarsNumericType>(numbers: &ChunkedArray<T>, holds: impl Fn(T::Native) -> bool) -> Vec<bool> {
    match numbers.cont_slice() {
        Ok(numbers) => numbers.iter().map(|number| holds(*number)).collect(),
        Err(_) => numbers.iter().map(|number| number.is_some_and(&holds)).collect(),
    }
}

/// Whose lists have the element: the elements of all lists are compared in one pass.
fn having(element: &str, column: &Series) -> PolarsResult<Vec<bool>> {
    let lists = column.list()?.rechunk();
    let elements = lists.get_inner();
    let equal: Vec<bool> = elements.str()?.iter().map(|text| text == Some(element)).collect();
    let ends = lists.downcast_as_array().offsets().windows(2).map(|ends| ends[0] as usize..ends[1] as usize);
    let known = lists.is_not_null();
    Ok(ends
        .zip(known.iter())
        .map(|(range, known)| known == Some(true) && equal[range].contains(&true))
        .collect())
}
