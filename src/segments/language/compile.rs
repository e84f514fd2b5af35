//! Expressions into predicates: every field found, every type agreed, every limit kept, named segments put in.

use super::arguments::{check_value, named, shortened};
use super::error::{CompileError, ErrorCause, Located, MOST_LEVELS, MOST_NODES, MOST_VALUES, NodePath};
use super::event_conditions;
use super::event_lookup::EventAggregate;
use super::event_selection::EventSelection;
use super::expression::{Condition, Expression, Subject};
use super::fields::{AttributeTypes, CatalogueField, FUNCTIONS, FieldCatalogue, FieldType};
use super::keys::LookupKey;
use super::predicate::{CompiledQuestion, Predicate};
use super::questions::{TestedField, ask};
use super::words::nearest;
use crate::names::NameKind;
use domain::time::Instant;
use domain::zone::Zone;

/// Most segments that are named one within the other.
const MOST_NESTED: usize = 10;

/// What stands behind the id of a segment.
#[derive(Clone, Copy, Debug)]
pub enum Saved<'a> {
    /// An expression, and the types that its attributes had when it was saved.
    Expression(&'a Expression, &'a AttributeTypes),
    /// Members that were uploaded: looked up as [`LookupKey::List`].
    List,
    /// Nobody can tell: a file of it cannot be read, for this reason.
    Damaged(&'a str),
}

/// What an expression is compiled against.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// The fields.
    pub catalogue: &'a FieldCatalogue,
    /// The moment that "ago" counts from.
    pub as_of: Instant,
    /// On whose calendar dates are read.
    pub zone: &'a Zone,
}

/// Compiles an expression; `saved` knows other segments.
///
/// `own` is the id under which this expression is, or is to be, saved: it must not name itself.
///
/// # Errors
/// The first error and its path.
pub fn compile<'s>(
    expression: &Expression,
    circumstances: Circumstances<'_>,
    own: Option<&str>,
    saved: &impl Fn(&str) -> Option<Saved<'s>>,
) -> Result<Predicate, Located> {
    compile_saved(expression, &AttributeTypes::new(), circumstances, own, saved)
}

/// Compiles a saved expression, whose attributes keep the types that they had then, whatever cells have come since.
///
/// # Errors
/// As [`compile`].
pub fn compile_saved<'s>(
    expression: &Expression,
    types: &AttributeTypes,
    circumstances: Circumstances<'_>,
    own: Option<&str>,
    saved: &impl Fn(&str) -> Option<Saved<'s>>,
) -> Result<Predicate, Located> {
    let stack = own.map(str::to_string).into_iter().collect();
    let types = types.clone();
    let mut compiler = Compiler { circumstances, saved, stack, types, path: Vec::new(), nodes: 0 };
    compiler.expression(expression).map_err(|CompileError { cause, suggestion }| Located {
        cause,
        suggestion,
        path: compiler.path,
    })
}

struct Compiler<'a, 'b, F> {
    circumstances: Circumstances<'a>,
    saved: &'b F,
    /// Ids of the segments that are being put in.
    stack: Vec<String>,
    /// Types that the segment at hand remembers.
    types: AttributeTypes,
    /// Where it stands; after an error, where that is.
    path: NodePath,
    nodes: usize,
}

impl<'s, F: Fn(&str) -> Option<Saved<'s>>> Compiler<'_, '_, F> {
    fn expression(&mut self, expression: &Expression) -> Result<Predicate, CompileError> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            let message =
                format!("{MOST_NODES} groups and conditions are the most, those of named segments included");
            return Err(ErrorCause::TooLarge(message).into());
        }
        if self.path.len() >= MOST_LEVELS {
            return Err(ErrorCause::TooLarge(format!("{MOST_LEVELS} levels are the most")).into());
        }
        match expression {
            Expression::Everybody => Ok(Predicate::Everybody),
            Expression::All(members) => self.group("all", members).map(Predicate::All),
            Expression::Any(members) => self.group("any", members).map(Predicate::Any),
            Expression::Not(negated) => {
                Ok(Predicate::Not(Box::new(self.child(0, |compiler| compiler.expression(negated))?)))
            }
            Expression::Condition(condition) => self.condition(condition),
        }
    }

    /// Goes to a child and comes back, unless there was an error: then the path stays at the error.
    fn child<T>(
        &mut self,
        index: usize,
        visit: impl FnOnce(&mut Self) -> Result<T, CompileError>,
    ) -> Result<T, CompileError> {
        self.path.push(index);
        let value = visit(self)?;
        self.path.pop();
        Ok(value)
    }

    fn group(&mut self, name: &'static str, members: &[Expression]) -> Result<Vec<Predicate>, CompileError> {
        if members.is_empty() {
            return Err(ErrorCause::EmptyGroup(name).into());
        }
        let member = |(index, member)| self.child(index, |compiler| compiler.expression(member));
        members.iter().enumerate().map(member).collect()
    }

    fn condition(&mut self, condition: &Condition) -> Result<Predicate, CompileError> {
        let Condition { subject, test } = condition;
        for (index, value) in test.values().iter().enumerate() {
            self.child(index + 1, |_| check_value(value))?;
        }
        if test.values().len() > MOST_VALUES {
            return Err(ErrorCause::TooLarge(format!("{MOST_VALUES} values are the most")).into());
        }
        let (key, field_type, closed) = self.child(0, |compiler| compiler.resolve(subject))?;
        let asked = TestedField { name: &subject.to_string(), field_type, closed: &closed };
        let (zone, as_of) = (self.circumstances.zone, self.circumstances.as_of);
        let predicate = match ask(asked, test, key, zone, as_of) {
            Ok(predicate) => predicate,
            Err((child, error)) => return self.child(child, |_| Err(error)),
        };
        match subject {
            Subject::InSegment(id) => self.child(0, |compiler| compiler.put_in(id, predicate)),
            _ => Ok(predicate),
        }
    }

    /// What a subject looks up, its type, and its values when they are a closed set.
    fn resolve(
        &mut self,
        subject: &Subject,
    ) -> Result<(LookupKey, FieldType, Vec<&'static str>), CompileError> {
        let catalogue = self.circumstances.catalogue;
        let number = |key| Ok((key, FieldType::Number, Vec::new()));
        let length = |key| Ok((key, FieldType::Duration, Vec::new()));
        match subject {
            Subject::Field(name) => match (catalogue.field(name.as_str()), self.remembered(name.as_str())) {
                (None | Some(CatalogueField { key: LookupKey::Attribute(..), .. }), Some(remembered)) => {
                    Ok(remembered)
                }
                (Some(field), _) => Ok((field.key.clone(), field.field_type, field.values.clone())),
                (None, None) => Err(unknown_field(catalogue, name.as_str())),
            },
            Subject::Attribute(name) => match (self.remembered(name), catalogue.attribute(name)) {
                (Some(remembered), _) => Ok(remembered),
                (None, Some(field_type)) => Ok(attribute(name, field_type)),
                (None, None) => {
                    let nearest = catalogue.nearest_attribute(name);
                    Err(ErrorCause::UnknownField(shortened(name))
                        .meant(nearest.map(|name| format!("attribute({name:?})"))))
                }
            },
            Subject::Interest(category) => {
                number(LookupKey::Interest(self.spelled(NameKind::Category, category)?))
            }
            Subject::TagInterest(tag) => number(LookupKey::TagInterest(self.spelled(NameKind::Tag, tag)?)),
            Subject::Count(events) => number(self.events(EventAggregate::Count, events)?),
            Subject::Sum(events) => number(self.events(EventAggregate::Sum, events)?),
            Subject::Last(events) => length(self.events(EventAggregate::Last, events)?),
            Subject::First(events) => length(self.events(EventAggregate::First, events)?),
            Subject::Propensity(goal) => number(LookupKey::Propensity(self.goal(goal)?)),
            Subject::PropensityDecile(goal) => number(LookupKey::PropensityDecile(self.goal(goal)?)),
            Subject::Bucket(salt) => number(LookupKey::Bucket(named(salt)?)),
            Subject::InSegment(id) => Ok((LookupKey::List(named(id)?), FieldType::Truth, Vec::new())),
        }
    }

    /// An attribute with the type that the segment at hand remembers.
    fn remembered(&self, name: &str) -> Option<(LookupKey, FieldType, Vec<&'static str>)> {
        self.types.get(name).map(|field_type| attribute(name, *field_type))
    }

    fn events(
        &mut self,
        aggregate: EventAggregate,
        events: &EventSelection,
    ) -> Result<LookupKey, CompileError> {
        let names = self.circumstances.catalogue.names();
        event_conditions::lookup(aggregate, events, names).map(LookupKey::Events).map_err(|(path, error)| {
            self.path.extend(path);
            error
        })
    }

    /// A category or tag as contents spell it: as it is written here, if one does. Interests in the others alike count as well.
    fn spelled(&self, kind: NameKind, name: &str) -> Result<String, CompileError> {
        let found = event_conditions::find(kind, name, self.circumstances.catalogue.names())?;
        let own = found.iter().find(|found| *found == name).or(found.first());
        Ok(own.cloned().unwrap_or_else(|| name.to_string()))
    }

    fn goal(&self, goal: &str) -> Result<String, CompileError> {
        let goals = self.circumstances.catalogue.goals();
        match goals.iter().any(|known| known == goal) {
            true => Ok(goal.to_string()),
            false => {
                let meant = nearest(goal, goals.iter().map(String::as_str));
                Err(ErrorCause::UnknownGoal(shortened(goal)).meant(meant.map(|goal| format!("{goal:?}"))))
            }
        }
    }

    /// The question about a list stays one; of a segment, its own predicate replaces "he is a member".
    fn put_in(&mut self, id: &str, asked: Predicate) -> Result<Predicate, CompileError> {
        if let Some(start) = self.stack.iter().position(|open| open == id) {
            let round: Vec<&str> = self.stack[start..].iter().map(String::as_str).chain([id]).collect();
            return Err(ErrorCause::SegmentCycle(round.join(" → ")).into());
        }
        let (expression, types) = match (self.saved)(id) {
            Some(Saved::Expression(expression, types)) => (expression, types),
            Some(Saved::List) => return Ok(asked),
            Some(Saved::Damaged(why)) => {
                let (segment, why) = (shortened(id), why.to_string());
                return Err(ErrorCause::DamagedSegment { segment, why }.into());
            }
            None => return Err(ErrorCause::UnknownSegment(shortened(id)).into()),
        };
        if self.stack.len() >= MOST_NESTED {
            return Err(ErrorCause::TooLarge(format!(
                "{MOST_NESTED} segments within each other are the most"
            ))
            .into());
        }
        self.stack.push(id.to_string());
        let path = std::mem::take(&mut self.path);
        let own_types = std::mem::replace(&mut self.types, types.clone());
        let inner = self.expression(expression);
        self.types = own_types;
        // What is wrong inside the other segment is shown at the node that names it.
        self.path = path;
        self.stack.pop();
        let inner = inner.map_err(|error| error.within(id))?;
        Ok(match asked {
            Predicate::Holds { question: CompiledQuestion::Is(false), .. } => Predicate::Not(Box::new(inner)),
            Predicate::Holds { question: CompiledQuestion::Is(true), .. } => inner,
            // Of a segment everybody is known to be a member or not.
            Predicate::Not(_) => Predicate::Not(Box::new(Predicate::Everybody)),
            _ => Predicate::Everybody,
        })
    }
}

fn attribute(name: &str, field_type: FieldType) -> (LookupKey, FieldType, Vec<&'static str>) {
    (LookupKey::Attribute(name.to_string(), field_type), field_type, Vec::new())
}

fn unknown_field(catalogue: &FieldCatalogue, name: &str) -> CompileError {
    let function =
        FUNCTIONS.iter().map(|function| function.form).find(|form| form.split('(').next() == Some(name));
    ErrorCause::UnknownField(shortened(name)).meant(function.or(catalogue.nearest_field(name)))
}
