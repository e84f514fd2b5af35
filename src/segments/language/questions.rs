//! Tests into questions: what each type of field may be asked, and what the values of a test mean for it.

use super::error::{CompileError, ErrorCause};
use super::expression::{Moment, Test, Value};
use super::fields::FieldType;
use super::keys::LookupKey;
use super::predicate::{CompiledQuestion, NumberQuestion, Predicate, TextQuestion};
use super::words::nearest;
use domain::time::{Day, Instant};
use domain::zone::Zone;

/// The subject of a test.
#[derive(Clone, Copy)]
pub(super) struct TestedField<'a> {
    /// As it is written.
    pub(super) name: &'a str,
    /// Of its values.
    pub(super) field_type: FieldType,
    /// All of them, when they are few; else empty.
    pub(super) closed: &'a [&'static str],
}

/// An error and the child of the condition that it is about.
type ChildError = (usize, CompileError);

/// The predicate of a test; dates are days on the calendar of `zone`.
pub(super) fn ask(
    asked: TestedField<'_>,
    test: &Test,
    key: LookupKey,
    zone: &Zone,
    as_of: Instant,
) -> Result<Predicate, ChildError> {
    let holds = |question| Predicate::Holds { key: key.clone(), question };
    let question = match (test, asked.field_type) {
        (Test::IsKnown, _) => CompiledQuestion::IsKnown,
        (Test::IsUnknown, _) => return Ok(Predicate::Not(Box::new(holds(CompiledQuestion::IsKnown)))),
        (_, FieldType::Number | FieldType::Money) => CompiledQuestion::Number(number_question(asked, test)?),
        (_, FieldType::Duration) => CompiledQuestion::Number(duration_question(asked, test)?),
        (_, FieldType::Truth) => CompiledQuestion::Is(truth_question(asked, test)?),
        (_, FieldType::Text) => CompiledQuestion::Text(text_question(asked, test)?),
        (Test::Contains(value), FieldType::Set) => CompiledQuestion::Has(text(asked, value, 1)?),
        (_, FieldType::Set) => return Err(misfit(asked, test)),
        (_, FieldType::Moment) => {
            let question = CompiledQuestion::Number(moment_question(asked, test, zone, as_of)?);
            return Ok(match test {
                Test::NotEqual(_) => Predicate::All(vec![
                    holds(CompiledQuestion::IsKnown),
                    Predicate::Not(Box::new(holds(question))),
                ]),
                _ => holds(question),
            });
        }
    };
    Ok(holds(question))
}

/// The subject cannot be asked so: shown at the first value, or where there is none, at the subject.
fn misfit(asked: TestedField<'_>, test: &Test) -> ChildError {
    (usize::from(!test.values().is_empty()), wrong_type(asked))
}

fn wrong_type(asked: TestedField<'_>) -> CompileError {
    let TestedField { name, field_type, .. } = asked;
    let (noun, example) = (field_type.as_noun(), field_type.example());
    ErrorCause::WrongType(format!("{name} is {noun}; after it stands {example}")).into()
}

fn number(asked: TestedField<'_>, value: &Value, child: usize) -> Result<f64, ChildError> {
    match value {
        // Zero has one sign here, so that it is found among others.
        Value::Number(number) => Ok(*number + 0.0),
        _ => Err((child, wrong_type(asked))),
    }
}

/// The question about a number.
pub(super) fn number_question(asked: TestedField<'_>, test: &Test) -> Result<NumberQuestion, ChildError> {
    let value = |value, child| number(asked, value, child);
    Ok(match test {
        Test::Equal(one) => NumberQuestion::Equal(value(one, 1)?),
        Test::NotEqual(one) => NumberQuestion::NotEqual(value(one, 1)?),
        Test::Less(one) => NumberQuestion::Less(value(one, 1)?),
        Test::AtMost(one) => NumberQuestion::AtMost(value(one, 1)?),
        Test::Greater(one) => NumberQuestion::Greater(value(one, 1)?),
        Test::AtLeast(one) => NumberQuestion::AtLeast(value(one, 1)?),
        Test::Between([low, high]) => range(value(low, 1)?, value(high, 2)?, test)?,
        Test::In(values) => {
            let numbers = (1..).zip(filled(values)?).map(|(child, one)| value(one, child));
            let mut numbers = numbers.collect::<Result<Vec<f64>, _>>()?;
            numbers.sort_by(f64::total_cmp);
            NumberQuestion::OneOf(numbers)
        }
        Test::IsTrue | Test::IsKnown | Test::IsUnknown | Test::Contains(_) => {
            return Err(misfit(asked, test));
        }
    })
}

/// Lengths of time are compared in days of 24 hours; no length is met to the microsecond, so equality is not asked.
fn duration_question(asked: TestedField<'_>, test: &Test) -> Result<NumberQuestion, ChildError> {
    let days = |value: &Value, child| match value {
        Value::Duration(length) => Ok(length.days()),
        _ => Err((child, wrong_type(asked))),
    };
    Ok(match test {
        Test::Less(one) => NumberQuestion::Less(days(one, 1)?),
        Test::AtMost(one) => NumberQuestion::AtMost(days(one, 1)?),
        Test::Greater(one) => NumberQuestion::Greater(days(one, 1)?),
        Test::AtLeast(one) => NumberQuestion::AtLeast(days(one, 1)?),
        Test::Between([low, high]) => range(days(low, 1)?, days(high, 2)?, test)?,
        _ => return Err(misfit(asked, test)),
    })
}

/// A date is the whole day: later than it is after its end, equal is within it.
fn moment_question(
    asked: TestedField<'_>,
    test: &Test,
    zone: &Zone,
    as_of: Instant,
) -> Result<NumberQuestion, ChildError> {
    let ends = |value: &Value, child| match value {
        Value::Moment(moment) => {
            ends_of(*moment, zone, as_of).filter(|_| moment.is_possible()).ok_or_else(|| {
                let message = format!("{moment} is outside the years 1700 to 2250");
                (child, ErrorCause::NoSuchMoment(message).into())
            })
        }
        _ => Err((child, wrong_type(asked))),
    };
    Ok(match test {
        Test::Equal(one) | Test::NotEqual(one) => {
            let (first, last) = ends(one, 1)?;
            NumberQuestion::Between(first, last)
        }
        Test::Less(one) => NumberQuestion::Less(ends(one, 1)?.0),
        Test::AtMost(one) => NumberQuestion::AtMost(ends(one, 1)?.1),
        Test::Greater(one) => NumberQuestion::Greater(ends(one, 1)?.1),
        Test::AtLeast(one) => NumberQuestion::AtLeast(ends(one, 1)?.0),
        Test::Between([low, high]) => range(ends(low, 1)?.0, ends(high, 2)?.1, test)?,
        _ => return Err(misfit(asked, test)),
    })
}

/// First and last microsecond of a moment or a day.
fn ends_of(moment: Moment, zone: &Zone, as_of: Instant) -> Option<(f64, f64)> {
    let midnight = |day: Day| zone.instant_of(day.civil().at(0, 0, 0, 0)).map(Instant::micros);
    let (first, last) = match moment {
        Moment::Date(day) => (midnight(day)?, midnight(Day(day.0 + 1))? - 1),
        Moment::At(instant) => (instant.micros(), instant.micros()),
        Moment::Ago(length) => {
            let instant = as_of.plus(-length.micros()).micros();
            (instant, instant)
        }
    };
    Some((first as f64, last as f64))
}

fn truth_question(asked: TestedField<'_>, test: &Test) -> Result<bool, ChildError> {
    match test {
        Test::IsTrue => Ok(true),
        Test::Equal(Value::Truth(truth)) => Ok(*truth),
        Test::NotEqual(Value::Truth(truth)) => Ok(!truth),
        _ => Err(misfit(asked, test)),
    }
}

fn text(asked: TestedField<'_>, value: &Value, child: usize) -> Result<String, ChildError> {
    match value {
        Value::Text(text) => Ok(text.clone()),
        _ => Err((child, wrong_type(asked))),
    }
}

/// A text that the field may have.
fn word(asked: TestedField<'_>, value: &Value, child: usize) -> Result<String, ChildError> {
    let text = text(asked, value, child)?;
    if asked.closed.is_empty() || asked.closed.contains(&text.as_str()) {
        return Ok(text);
    }
    let meant = nearest(&text, asked.closed.iter().copied()).map(|word| format!("{word:?}"));
    let value = text.chars().take(64).collect();
    let cause =
        ErrorCause::UnknownValue { field: asked.name.to_string(), value, known: asked.closed.join(", ") };
    Err((child, cause.meant(meant)))
}

fn text_question(asked: TestedField<'_>, test: &Test) -> Result<TextQuestion, ChildError> {
    Ok(match test {
        Test::Equal(one) => TextQuestion::OneOf(vec![word(asked, one, 1)?]),
        Test::NotEqual(one) => TextQuestion::NotEqual(word(asked, one, 1)?),
        Test::Contains(one) => TextQuestion::Contains(text(asked, one, 1)?),
        Test::In(values) => {
            let words = (1..).zip(filled(values)?).map(|(child, one)| word(asked, one, child));
            let mut words = words.collect::<Result<Vec<String>, _>>()?;
            words.sort_unstable();
            TextQuestion::OneOf(words)
        }
        _ => return Err(misfit(asked, test)),
    })
}

fn filled(values: &[Value]) -> Result<&[Value], ChildError> {
    if values.is_empty() { Err((1, ErrorCause::EmptyList.into())) } else { Ok(values) }
}

fn range(low: f64, high: f64, test: &Test) -> Result<NumberQuestion, ChildError> {
    if low <= high {
        return Ok(NumberQuestion::Between(low, high));
    }
    let written = |index: usize| test.values().get(index).map(Value::to_string).unwrap_or_default();
    Err((2, ErrorCause::EmptyRange(written(0), written(1)).into()))
}
