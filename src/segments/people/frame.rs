//! Everybody against a predicate at once: compiled to one polars expression, evaluated a stretch of people at a time.
//!
//! The expression names columns by their index among what the predicate looks up, and values stand in it as typed literals or
//! within functions of ours: no text of a segment is a name, a pattern or an expression to polars.

use std::collections::BTreeMap;
use std::ops::Range;

use polars::prelude::*;
use polars_expr::prelude::ExecutionState;
use polars_expr::{ExpressionConversionState, create_physical_expr};
use polars_plan::prelude::{
    Arena, Expr, ExprToIRContext, Operator, binary_expr, col, lit, to_expr_ir, typed_lit,
};

use crate::language::keys::{LookupKey, needs};
use crate::language::predicate::{CompiledQuestion, NumberQuestion, Predicate, TextQuestion};
use crate::people::{People, PeopleError};

/// People whose answers are found by one thread at a time: what is held of them stays in its cache.
const STRETCH: usize = 32_768;

/// Of whom the predicate holds, in the order of the people.
///
/// # Errors
/// When something that it asks for was not looked up, or is of another kind.
pub fn members(predicate: &Predicate, people: &People) -> Result<BooleanChunked, PeopleError> {
    let asked = ColumnLookup::of(predicate, people)?;
    Ok(evaluate(asked.expression(predicate)?, &asked.frame(people.len())?)?)
}

/// The predicate as an expression over columns "0", "1" … of what it looks up, in the order of the keys; it is never null.
///
/// # Errors
/// As [`members`].
pub fn expression(predicate: &Predicate, people: &People) -> Result<Expr, PeopleError> {
    ColumnLookup::of(predicate, people)?.expression(predicate)
}

/// What a predicate looks up, each with its column's name in the expression.
struct ColumnLookup<'a> {
    people: &'a People,
    columns: BTreeMap<LookupKey, (PlSmallStr, &'a Series)>,
}

impl<'a> ColumnLookup<'a> {
    fn of(predicate: &Predicate, people: &'a People) -> Result<ColumnLookup<'a>, PeopleError> {
        let keys = needs(predicate).keys.into_iter().enumerate();
        let found = |(index, key): (usize, LookupKey)| match people.column(&key) {
            Some(column) => Ok((key, (index.to_string().into(), column))),
            None => Err(PeopleError::Missing(key)),
        };
        Ok(ColumnLookup { people, columns: keys.map(found).collect::<Result<_, _>>()? })
    }

    /// The columns as a table; moments are their microseconds.
    fn frame(&self, people: usize) -> PolarsResult<DataFrame> {
        let column = |(name, column): &(PlSmallStr, &Series)| {
            column.to_physical_repr().into_owned().with_name(name.clone()).into_column()
        };
        DataFrame::new(people, self.columns.values().map(column).collect())
    }

    fn expression(&self, predicate: &Predicate) -> Result<Expr, PeopleError> {
        Ok(match predicate {
            Predicate::Everybody => lit(true),
            Predicate::All(members) => joined(&self.expressions(members)?, Operator::And, true),
            Predicate::Any(members) => joined(&self.expressions(members)?, Operator::Or, false),
            Predicate::Not(negated) => self.expression(negated)?.not(),
            Predicate::Holds { key, question } => {
                let (name, column) =
                    self.columns.get(key).ok_or_else(|| PeopleError::Missing(key.clone()))?;
                let has_nan = self.people.has_nan(key);
                let answer = condition(question, col(name.clone()), column.dtype(), has_nan);
                // Of what is unknown nothing holds, also below a "not".
                answer.ok_or_else(|| PeopleError::WrongKind(key.clone()))?.fill_null(lit(false))
            }
        })
    }

    fn expressions(&self, members: &[Predicate]) -> Result<Vec<Expr>, PeopleError> {
        members.iter().map(|member| self.expression(member)).collect()
    }
}

/// The members of a group in halves of halves: a wide group is no deep expression.
fn joined(members: &[Expr], operator: Operator, empty: bool) -> Expr {
    match members {
        [] => lit(empty),
        [one] => one.clone(),
        _ => {
            let (left, right) = members.split_at(members.len() / 2);
            binary_expr(joined(left, operator, empty), operator, joined(right, operator, empty))
        }
    }
}

/// A question about a column, among whose numbers some may be NaN; `None` when it is about another kind.
fn condition(question: &CompiledQuestion, column: Expr, kind: &DataType, has_nan: bool) -> Option<Expr> {
    Some(match (question, kind) {
        (CompiledQuestion::IsKnown, _) => column.is_not_null(),
        (CompiledQuestion::Is(true), DataType::Boolean) => column,
        (CompiledQuestion::Is(false), DataType::Boolean) => column.not(),
        (
            CompiledQuestion::Number(question),
            DataType::Float64 | DataType::Int64 | DataType::Datetime(TimeUnit::Microseconds, _),
        ) => number(question, column, *kind == DataType::Float64, has_nan),
        (CompiledQuestion::Text(question), DataType::String) => text(question, column),
        (CompiledQuestion::Has(element), DataType::List(elements)) if **elements == DataType::String => {
            let element = element.clone();
            computed(column, move |column| having(&element, column.list()?))
        }
        _ => return None,
    })
}

/// A question about numbers that have, or have not, a part behind the point, or may be NaN.
fn number(question: &NumberQuestion, column: Expr, is_float: bool, has_nan: bool) -> Expr {
    // Beside whole numbers that floats tell apart, a whole number lies as its float does, and need not become one.
    let is_whole = |value: &f64| value.fract() == 0.0 && value.abs() < (1_i64 << f64::MANTISSA_DIGITS) as f64;
    let (column, literal): (Expr, fn(f64) -> Expr) = match is_float {
        true => (column, |value| typed_lit(value)),
        false if question.values().iter().all(is_whole) => (column, |value| typed_lit(value as i64)),
        false => (column.cast(DataType::Float64), |value| typed_lit(value)),
    };
    // To polars NaN is the largest number and equals itself; of it nothing holds but that it is another.
    let ordered = |answer: Expr| match has_nan {
        true => answer.and(column.clone().lt_eq(literal(f64::INFINITY))),
        false => answer,
    };
    match question.clone() {
        NumberQuestion::Equal(value) => column.eq(literal(value)),
        NumberQuestion::NotEqual(value) => column.neq(literal(value)),
        NumberQuestion::Less(value) => column.lt(literal(value)),
        NumberQuestion::AtMost(value) => column.lt_eq(literal(value)),
        NumberQuestion::Greater(value) => ordered(column.clone().gt(literal(value))),
        NumberQuestion::AtLeast(value) => ordered(column.clone().gt_eq(literal(value))),
        NumberQuestion::Between(low, high) => {
            column.clone().gt_eq(literal(low)).and(column.lt_eq(literal(high)))
        }
        question @ NumberQuestion::OneOf(_) => computed(column.cast(DataType::Float64), move |column| {
            let answers = column.f64()?.iter().map(|number| number.map(|number| question.holds(number)));
            Ok(BooleanChunked::from_iter_options(column.name().clone(), answers))
        }),
    }
}

fn text(question: &TextQuestion, column: Expr) -> Expr {
    match question {
        TextQuestion::NotEqual(value) => return column.neq(typed_lit(value.as_str())),
        TextQuestion::OneOf(values) if values.len() == 1 => return column.eq(typed_lit(values[0].as_str())),
        TextQuestion::OneOf(_) | TextQuestion::Contains(_) => {}
    }
    let question = question.clone();
    computed(column, move |column| {
        let answers = column.str()?.iter().map(|text| text.map(|text| question.holds(text)));
        Ok(BooleanChunked::from_iter_options(column.name().clone(), answers))
    })
}

/// Whose lists have the element: the elements of all lists are compared in one pass.
fn having(element: &str, lists: &ListChunked) -> PolarsResult<BooleanChunked> {
    let lists = lists.rechunk();
    let ends = lists.downcast_as_array().offsets();
    let first = *ends.first();
    // A stretch of a column still holds the elements of the whole.
    let elements = lists.get_inner().slice(first, (*ends.last() - first) as usize);
    let equal = elements.str()?.equal_missing(element).rechunk().into_owned();
    let equal = equal.downcast_as_array().values();
    let ends = ends.windows(2).map(|ends| (ends[0] - first) as usize..(ends[1] - first) as usize);
    let known = lists.is_not_null();
    let has = |mut range: Range<usize>| range.any(|index| equal.get_bit(index));
    let answers = ends.zip(known.iter()).map(|(range, known)| (known == Some(true)).then(|| has(range)));
    Ok(BooleanChunked::from_iter_options(lists.name().clone(), answers))
}

/// Answers about a column by a function of ours.
fn computed(
    column: Expr,
    answers: impl Fn(&Series) -> PolarsResult<BooleanChunked> + Send + Sync + 'static,
) -> Expr {
    column.map(
        move |column| answers(column.as_materialized_series()).map(IntoColumn::into_column),
        |_, field| Ok(Field::new(field.name().clone(), DataType::Boolean)),
    )
}

/// The answers of an expression for each row.
fn evaluate(expression: Expr, frame: &DataFrame) -> PolarsResult<BooleanChunked> {
    let (schema, mut arena) = (frame.schema(), Arena::new());
    let planned = to_expr_ir(expression, &mut ExprToIRContext::new(&mut arena, schema))?;
    // All cores are busy with stretches already.
    let mut conversion = ExpressionConversionState::new(false);
    let physical = create_physical_expr(&planned, &mut arena, schema, &mut conversion)?;
    let of_stretch = |stretch: Range<usize>| {
        let part = frame.slice(stretch.start as i64, stretch.len());
        let answers = physical.evaluate(&part, &ExecutionState::new())?;
        // What asks nothing of a column has one answer.
        match answers.len() == stretch.len() {
            true => answers.bool().cloned(),
            false => answers.new_from_index(0, stretch.len()).bool().cloned(),
        }
    };
    let mut all = BooleanChunked::full_null("member".into(), 0);
    for answers in parallel::in_chunks(frame.height(), STRETCH, of_stretch) {
        all.append(&answers?)?;
    }
    Ok(all.rechunk().into_owned())
}
