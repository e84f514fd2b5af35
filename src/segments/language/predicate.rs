//! The compiled segment: fields resolved to keys, times to numbers, segments it named put in; it cannot be asked wrongly.

use super::keys::LookupKey;
pub use super::number_question::NumberQuestion;

/// An expression that has passed all checks, as of a moment.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate {
    /// Every person.
    Everybody,
    /// All hold.
    All(Vec<Predicate>),
    /// At least one holds.
    Any(Vec<Predicate>),
    /// It does not hold.
    Not(Box<Predicate>),
    /// What is looked up is known and passes the question. Of who is unknown, nothing holds.
    Holds {
        /// What is looked up.
        key: LookupKey,
        /// What is asked of it.
        question: CompiledQuestion,
    },
}

/// What is asked of a known value; the kind of the question is the kind of the key's values.
#[derive(Clone, Debug, PartialEq)]
pub enum CompiledQuestion {
    /// Nothing more.
    IsKnown,
    /// A truth is this one.
    Is(bool),
    /// Of a number. Days for lengths of time; microseconds since the epoch for moments, which 2^53 holds until 2255.
    Number(NumberQuestion),
    /// Of a text.
    Text(TextQuestion),
    /// A set has this element.
    Has(String),
}

/// What is asked of a text.
#[derive(Clone, Debug, PartialEq)]
pub enum TextQuestion {
    /// It is one of these, ascending.
    OneOf(Vec<String>),
    /// It is another.
    NotEqual(String),
    /// It has this within it.
    Contains(String),
}

impl TextQuestion {
    /// The answer for a known text.
    pub fn holds(&self, text: &str) -> bool {
        match self {
            TextQuestion::OneOf(values) => match &values[..] {
                [value] => value == text,
                values => values.binary_search_by(|value| value.as_str().cmp(text)).is_ok(),
            },
            TextQuestion::NotEqual(value) => value != text,
            TextQuestion::Contains(part) => text.contains(part.as_str()),
        }
    }
}
