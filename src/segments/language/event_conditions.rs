//! Selections of events into lookups: every name found, compared without case, and every test one that the field allows.

use super::arguments::{check_value, named, shortened};
use super::error::{CompileError, ErrorCause, MOST_FILTERS, MOST_VALUES};
use super::event_lookup::{EventAggregate, EventCondition, EventLookup, NameTest, ValueTest};
use super::event_selection::{EventField, EventFilter, EventSelection};
use super::expression::{Test, Value};
use super::fields::FieldType;
use super::questions::{TestedField, number_question};
use crate::names::{NameKind, Names};

/// An error and where it is below the subject: 0 is the event's name, then come the filters, each with its field (0) and
/// values.
type SelectionError = (Vec<usize>, CompileError);

/// What a selection looks up.
pub(super) fn lookup(
    aggregate: EventAggregate,
    selection: &EventSelection,
    names: &Names,
) -> Result<EventLookup, SelectionError> {
    let here = |cause: ErrorCause| (Vec::new(), CompileError::from(cause));
    let event = event_name(&selection.event, names).map_err(|error| (vec![0], error))?;
    if selection.within.is_some_and(|within| within.micros() == 0) {
        let message = format!("the window of {} is longer than nothing", aggregate.as_str());
        return Err(here(ErrorCause::BadArgument(message)));
    }
    if selection.filters.len() > MOST_FILTERS {
        return Err(here(ErrorCause::TooLarge(format!("{MOST_FILTERS} tests of an event are the most"))));
    }
    let mut conditions = Vec::new();
    for (index, filter) in selection.filters.iter().enumerate() {
        conditions.push(condition(filter, names).map_err(|(child, error)| (vec![index + 1, child], error))?);
    }
    conditions.sort_unstable();
    conditions.dedup();
    Ok(EventLookup { aggregate, event, within: selection.within, conditions })
}

/// A name that is in no event may be one to come, unless it looks like a slip for one that is known.
fn event_name(event: &str, names: &Names) -> Result<String, CompileError> {
    let event = named(event)?;
    match names.find(NameKind::Event, &event) {
        Err(unknown) if unknown.nearest.is_some() => {
            Err(unknown_name(NameKind::Event, &event, unknown.known, unknown.nearest))
        }
        _ => Ok(event),
    }
}

fn unknown_name(kind: NameKind, name: &str, known: String, nearest: Option<String>) -> CompileError {
    let meant = nearest.map(|name| format!("{name:?}"));
    ErrorCause::UnknownName { kind, name: shortened(name), known }.meant(meant)
}

/// An error and the child of the filter that it is about.
type FilterError = (usize, CompileError);

fn condition(filter: &EventFilter, names: &Names) -> Result<EventCondition, FilterError> {
    for (index, value) in filter.test.values().iter().enumerate() {
        check_value(value).map_err(|error| (index + 1, error))?;
    }
    if filter.test.values().len() > MOST_VALUES {
        return Err((0, ErrorCause::TooLarge(format!("{MOST_VALUES} values are the most")).into()));
    }
    let one_of = |kind| name_test(filter, |name| find(kind, name, names));
    Ok(match filter.field {
        EventField::Category => EventCondition::Category(one_of(NameKind::Category)?),
        EventField::Tag => EventCondition::Tag(one_of(NameKind::Tag)?),
        EventField::ContentId => EventCondition::ContentId(one_of(NameKind::Content)?),
        EventField::CampaignId => EventCondition::CampaignId(one_of(NameKind::Campaign)?),
        EventField::Channel => {
            EventCondition::Channel(name_test(filter, |name| Ok(vec![named(name)?.to_lowercase()]))?)
        }
        EventField::Value => {
            let asked = TestedField { name: "value", field_type: FieldType::Number, closed: &[] };
            EventCondition::Value(ValueTest(number_question(asked, &filter.test)?))
        }
    })
}

/// The names that are written so but for case.
pub(super) fn find(kind: NameKind, name: &str, names: &Names) -> Result<Vec<String>, CompileError> {
    let name = named(name.trim())?;
    names.find(kind, &name).map_err(|unknown| unknown_name(kind, &name, unknown.known, unknown.nearest))
}

fn name_test(
    filter: &EventFilter,
    find: impl Fn(&str) -> Result<Vec<String>, CompileError>,
) -> Result<NameTest, FilterError> {
    let (values, is_negated) = match &filter.test {
        Test::Equal(value) => (std::slice::from_ref(value), false),
        Test::NotEqual(value) => (std::slice::from_ref(value), true),
        Test::In(values) if values.is_empty() => return Err((1, ErrorCause::EmptyList.into())),
        Test::In(values) => (values.as_slice(), false),
        test => return Err((usize::from(!test.values().is_empty()), wrong_test(filter.field, None))),
    };
    let mut names = Vec::new();
    for (child, value) in (1..).zip(values) {
        match value {
            Value::Text(text) => names.extend(find(text).map_err(|error| (child, error))?),
            other => return Err((child, wrong_test(filter.field, Some(other)))),
        }
    }
    names.sort_unstable();
    names.dedup();
    Ok(NameTest { names, is_negated })
}

fn wrong_test(field: EventField, value: Option<&Value>) -> CompileError {
    let field = field.as_str();
    let message =
        format!("{field} of an event is a text; after it stands = \"x\", != \"x\" or in (\"x\", \"y\")");
    let quoted = match value {
        Some(Value::Number(_)) => value.map(|number| format!("\"{number}\"")),
        _ => None,
    };
    ErrorCause::WrongType(message).meant(quoted)
}
