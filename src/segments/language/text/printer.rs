//! Trees into text: one way of writing each, which reads back as the same tree.

use std::fmt::{self, Display, Formatter, Write};

use super::lexer::must_be_escaped;
use crate::language::event_selection::{EventFilter, EventSelection};
use crate::language::expression::{Condition, Expression, Subject, Test, Value, whole};

impl Display for Expression {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Expression::Everybody => f.write_str("everybody"),
            Expression::All(members) => group(f, "all", " and ", members),
            Expression::Any(members) => group(f, "any", " or ", members),
            Expression::Not(negated) => {
                f.write_str("not ")?;
                grouped(f, negated, is_joined(negated))
            }
            Expression::Condition(condition) => condition.fmt(f),
        }
    }
}

/// Members between words; a group of one (or none) could not be told from its member and is written as a function.
fn group(f: &mut Formatter<'_>, name: &str, word: &str, members: &[Expression]) -> fmt::Result {
    if members.len() < 2 {
        write!(f, "{name}(")?;
        members.iter().try_for_each(|member| member.fmt(f))?;
        return f.write_str(")");
    }
    for (index, member) in members.iter().enumerate() {
        if index > 0 {
            f.write_str(word)?;
        }
        // `and` binds closer than `or`; a group within one of its own kind must stay a group of its own.
        let binds_closer = name == "any" && matches!(member, Expression::All(_));
        grouped(f, member, is_joined(member) && !binds_closer)?;
    }
    Ok(())
}

/// Is this written as members between words?
fn is_joined(expression: &Expression) -> bool {
    matches!(expression, Expression::All(members) | Expression::Any(members) if members.len() > 1)
}

fn grouped(f: &mut Formatter<'_>, expression: &Expression, needs_parentheses: bool) -> fmt::Result {
    match needs_parentheses {
        true => write!(f, "({expression})"),
        false => expression.fmt(f),
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.subject.fmt(f)?;
        tested(f, &self.test)
    }
}

/// A test, with a blank before its word.
fn tested(f: &mut Formatter<'_>, test: &Test) -> fmt::Result {
    match test {
        Test::IsTrue => Ok(()),
        Test::IsKnown => f.write_str(" is known"),
        Test::IsUnknown => f.write_str(" is unknown"),
        Test::In(values) => {
            f.write_str(" in (")?;
            listed(f, values)?;
            f.write_str(")")
        }
        Test::Between([low, high]) => write!(f, " between {low} and {high}"),
        test => {
            write!(f, " {} ", test.word())?;
            listed(f, test.values())
        }
    }
}

/// `count("order", 30d, category = "dairy")`
fn selected(f: &mut Formatter<'_>, function: &str, selection: &EventSelection) -> fmt::Result {
    write!(f, "{function}(")?;
    quoted(f, &selection.event)?;
    if let Some(within) = selection.within {
        write!(f, ", {within}")?;
    }
    for EventFilter { field, test } in &selection.filters {
        write!(f, ", {}", field.as_str())?;
        tested(f, test)?;
    }
    f.write_str(")")
}

fn listed(f: &mut Formatter<'_>, values: &[Value]) -> fmt::Result {
    for (index, value) in values.iter().enumerate() {
        f.write_str(if index > 0 { ", " } else { "" })?;
        value.fmt(f)?;
    }
    Ok(())
}

impl Display for Subject {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (name, argument) = match self {
            Subject::Field(name) => return f.write_str(name.as_str()),
            Subject::Count(events) => return selected(f, "count", events),
            Subject::Sum(events) => return selected(f, "sum", events),
            Subject::Last(events) => return selected(f, "last", events),
            Subject::First(events) => return selected(f, "first", events),
            Subject::Attribute(name) => ("attribute", name),
            Subject::Interest(category) => ("interest", category),
            Subject::TagInterest(tag) => ("tag_interest", tag),
            Subject::Propensity(goal) => ("propensity", goal),
            Subject::PropensityDecile(goal) => ("propensity_decile", goal),
            Subject::Bucket(salt) => ("bucket", salt),
            Subject::InSegment(id) => ("in_segment", id),
        };
        write!(f, "{name}(")?;
        quoted(f, argument)?;
        f.write_str(")")
    }
}

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Value::Number(number) => match whole(*number) {
                Some(whole) => write!(f, "{whole}"),
                None => write!(f, "{number:?}"),
            },
            Value::Text(text) => quoted(f, text),
            Value::Truth(truth) => write!(f, "{truth}"),
            Value::Duration(duration) => write!(f, "{duration}"),
            Value::Moment(moment) => write!(f, "{moment}"),
        }
    }
}

fn quoted(f: &mut Formatter<'_>, text: &str) -> fmt::Result {
    f.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' | '\\' => write!(f, "\\{character}")?,
            '\n' => f.write_str("\\n")?,
            '\t' => f.write_str("\\t")?,
            hidden if must_be_escaped(hidden) => write!(f, "\\u{{{:x}}}", u32::from(hidden))?,
            plain => f.write_char(plain)?,
        }
    }
    f.write_char('"')
}
