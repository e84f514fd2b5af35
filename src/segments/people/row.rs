//! One person against a predicate: what a decision asks online.

use std::collections::BTreeMap;

use crate::language::keys::LookupKey;
use crate::language::predicate::{CompiledQuestion, Predicate};
use crate::people::PeopleError;

/// Something known of a person.
#[derive(Clone, Debug, PartialEq)]
pub enum KnownValue {
    /// A number; of a length of time its days, of a moment its microseconds since the epoch.
    Number(f64),
    /// A text.
    Text(String),
    /// A truth.
    Truth(bool),
    /// Several texts.
    Set(Vec<String>),
}

/// A person: what is known of him under each key that was looked up. `None` is unknown; an absent key was not looked up.
pub type Person = BTreeMap<LookupKey, Option<KnownValue>>;

/// Does the predicate hold of the person?
///
/// # Errors
/// When something that it asks for was not looked up, or is of another kind: nobody is taken in by mistake.
pub fn is_member(predicate: &Predicate, person: &Person) -> Result<bool, PeopleError> {
    match predicate {
        Predicate::Everybody => Ok(true),
        // Every part is evaluated, so that whether there is an error does not depend on the person.
        Predicate::All(members) => all_answers(members, person).map(|answers| !answers.contains(&false)),
        Predicate::Any(members) => all_answers(members, person).map(|answers| answers.contains(&true)),
        Predicate::Not(negated) => is_member(negated, person).map(|answer| !answer),
        Predicate::Holds { key, question } => {
            let known = person.get(key).ok_or_else(|| PeopleError::Missing(key.clone()))?;
            let Some(known) = known else { return Ok(false) };
            answer(question, known).ok_or_else(|| PeopleError::WrongKind(key.clone()))
        }
    }
}

fn all_answers(members: &[Predicate], person: &Person) -> Result<Vec<bool>, PeopleError> {
    members.iter().map(|member| is_member(member, person)).collect()
}

/// `None` when the question is about another kind.
fn answer(question: &CompiledQuestion, known: &KnownValue) -> Option<bool> {
    match (question, known) {
        (CompiledQuestion::IsKnown, _) => Some(true),
        (CompiledQuestion::Is(truth), KnownValue::Truth(known)) => Some(truth == known),
        (CompiledQuestion::Number(question), KnownValue::Number(number)) => Some(question.holds(*number)),
        (CompiledQuestion::Text(question), KnownValue::Text(text)) => Some(question.holds(text)),
        (CompiledQuestion::Has(element), KnownValue::Set(elements)) => Some(elements.contains(element)),
        _ => None,
    }
}
