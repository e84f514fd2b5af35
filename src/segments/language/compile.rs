//! Expressions into predicates: every field found, every type agreed, every limit kept, named segments put in.

use super::error::{Error, Fault, LONGEST_VALUE, Located, MOST_LEVELS, MOST_NODES, MOST_VALUES, Place};
use super::expression::{Condition, Expression, Subject, Value};
use super::fields::{FUNCTIONS, FieldCatalogue, FieldType};
use super::keys::Key;
use super::predicate::{Predicate, Question};
use super::questions::{Asked, ask};
use super::words::nearest;
use domain::identity::{NOT_AN_ID, is_valid_id};
use domain::time::Instant;
use domain::zone::Zone;

/// Most segments that are named one within the other.
const MOST_NESTED: usize = 10;

/// What stands behind the id of a segment.
#[derive(Clone, Copy, Debug)]
pub enum Saved<'a> {
    /// An expression.
    Expression(&'a Expression),
    /// Members that were uploaded: looked up as [`Key::List`].
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
/// The first fault and its place.
pub fn compile<'s>(
    expression: &Expression,
    circumstances: Circumstances<'_>,
    own: Option<&str>,
    saved: &impl Fn(&str) -> Option<Saved<'s>>,
) -> Result<Predicate, Located> {
    let stack = own.map(str::to_string).into_iter().collect();
    let mut compiler = Compiler { circumstances, saved, stack, place: Vec::new(), nodes: 0 };
    compiler.expression(expression).map_err(|Error { fault, suggestion }| Located {
        fault,
        suggestion,
        place: compiler.place,
    })
}

struct Compiler<'a, 'b, F> {
    circumstances: Circumstances<'a>,
    saved: &'b F,
    /// Ids of the segments that are being put in.
    stack: Vec<String>,
    /// Where it stands; after an error, where that is.
    place: Place,
    nodes: usize,
}

impl<'s, F: Fn(&str) -> Option<Saved<'s>>> Compiler<'_, '_, F> {
    fn expression(&mut self, expression: &Expression) -> Result<Predicate, Error> {
        self.nodes += 1;
        if self.nodes > MOST_NODES {
            let message =
                format!("{MOST_NODES} groups and conditions are the most, those of named segments included");
            return Err(Fault::TooLarge(message).into());
        }
        if self.place.len() >= MOST_LEVELS {
            return Err(Fault::TooLarge(format!("{MOST_LEVELS} levels are the most")).into());
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

    /// Goes to a child and comes back, unless there was an error: then the place is where it was.
    fn child<T>(
        &mut self,
        index: usize,
        visit: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.place.push(index);
        let value = visit(self)?;
        self.place.pop();
        Ok(value)
    }

    fn group(&mut self, name: &'static str, members: &[Expression]) -> Result<Vec<Predicate>, Error> {
        if members.is_empty() {
            return Err(Fault::EmptyGroup(name).into());
        }
        let member = |(index, member)| self.child(index, |compiler| compiler.expression(member));
        members.iter().enumerate().map(member).collect()
    }

    fn condition(&mut self, condition: &Condition) -> Result<Predicate, Error> {
        let Condition { subject, test } = condition;
        for (index, value) in test.values().iter().enumerate() {
            self.child(index + 1, |_| check_value(value))?;
        }
        if test.values().len() > MOST_VALUES {
            return Err(Fault::TooLarge(format!("{MOST_VALUES} values are the most")).into());
        }
        let (key, field_type, closed) = self.child(0, |compiler| compiler.resolve(subject))?;
        let asked = Asked { name: &subject.to_string(), field_type, closed: &closed };
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
    fn resolve(&self, subject: &Subject) -> Result<(Key, FieldType, Vec<&'static str>), Error> {
        let catalogue = self.circumstances.catalogue;
        let number = |key| Ok((key, FieldType::Number, Vec::new()));
        match subject {
            Subject::Field(name) => match catalogue.field(name.as_str()) {
                Some(field) => Ok((field.key.clone(), field.field_type, field.values.clone())),
                None => Err(unknown_field(catalogue, name.as_str())),
            },
            Subject::Attribute(name) => match catalogue.attribute(name) {
                Some(field_type) => Ok((Key::Attribute(name.clone()), field_type, Vec::new())),
                None => {
                    let nearest = catalogue.nearest_attribute(name);
                    Err(Fault::UnknownField(shortened(name))
                        .meant(nearest.map(|name| format!("attribute({name:?})"))))
                }
            },
            Subject::Interest(category) => number(Key::Interest(named(category)?)),
            Subject::TagInterest(tag) => number(Key::TagInterest(named(tag)?)),
            Subject::Count { event, within } if within.micros() > 0 => {
                number(Key::Count(named(event)?, *within))
            }
            Subject::Count { .. } => {
                Err(Fault::BadArgument("the window of a count is longer than nothing".into()).into())
            }
            Subject::Propensity(goal) => number(Key::Propensity(self.goal(goal)?)),
            Subject::PropensityDecile(goal) => number(Key::PropensityDecile(self.goal(goal)?)),
            Subject::Bucket(salt) => number(Key::Bucket(named(salt)?)),
            Subject::InSegment(id) => Ok((Key::List(named(id)?), FieldType::Truth, Vec::new())),
        }
    }

    fn goal(&self, goal: &str) -> Result<String, Error> {
        let goals = self.circumstances.catalogue.goals();
        match goals.iter().any(|known| known == goal) {
            true => Ok(goal.to_string()),
            false => {
                let meant = nearest(goal, goals.iter().map(String::as_str));
                Err(Fault::UnknownGoal(shortened(goal)).meant(meant.map(|goal| format!("{goal:?}"))))
            }
        }
    }

    /// The question about a list stays one; of a segment, its own predicate comes in place of "he is a member".
    fn put_in(&mut self, id: &str, asked: Predicate) -> Result<Predicate, Error> {
        if let Some(start) = self.stack.iter().position(|open| open == id) {
            let round: Vec<&str> = self.stack[start..].iter().map(String::as_str).chain([id]).collect();
            return Err(Fault::SegmentCycle(round.join(" → ")).into());
        }
        let expression = match (self.saved)(id) {
            Some(Saved::Expression(expression)) => expression,
            Some(Saved::List) => return Ok(asked),
            Some(Saved::Damaged(why)) => {
                let (segment, why) = (shortened(id), why.to_string());
                return Err(Fault::DamagedSegment { segment, why }.into());
            }
            None => return Err(Fault::UnknownSegment(shortened(id)).into()),
        };
        if self.stack.len() >= MOST_NESTED {
            return Err(
                Fault::TooLarge(format!("{MOST_NESTED} segments within each other are the most")).into()
            );
        }
        self.stack.push(id.to_string());
        let place = std::mem::take(&mut self.place);
        let inner = self.expression(expression);
        // What is wrong inside the other segment is shown at the place that names it.
        self.place = place;
        self.stack.pop();
        let inner = inner.map_err(|error| error.within(id))?;
        Ok(match asked {
            Predicate::Holds { question: Question::Is(false), .. } => Predicate::Not(Box::new(inner)),
            Predicate::Holds { question: Question::Is(true), .. } => inner,
            // Of a segment everybody is known to be a member or not.
            Predicate::Not(_) => Predicate::Not(Box::new(Predicate::Everybody)),
            _ => Predicate::Everybody,
        })
    }
}

fn check_value(value: &Value) -> Result<(), Error> {
    match value {
        Value::Number(number) if !number.is_finite() => {
            Err(Fault::BadNumber("a number is finite".into()).into())
        }
        Value::Text(text) if text.len() > LONGEST_VALUE => {
            Err(Fault::TooLarge(format!("a text has at most {LONGEST_VALUE} bytes")).into())
        }
        _ => Ok(()),
    }
}

fn unknown_field(catalogue: &FieldCatalogue, name: &str) -> Error {
    let function =
        FUNCTIONS.iter().map(|function| function.form).find(|form| form.split('(').next() == Some(name));
    Fault::UnknownField(shortened(name)).meant(function.or(catalogue.nearest_field(name)))
}

/// An argument that may be a name of something in our tables.
fn named(name: &str) -> Result<String, Error> {
    match is_valid_id(name) {
        true => Ok(name.to_string()),
        false => {
            let message = format!("{:?} {NOT_AN_ID}", shortened(name));
            Err(Fault::BadArgument(message).into())
        }
    }
}

fn shortened(name: &str) -> String {
    name.chars().take(64).collect()
}
