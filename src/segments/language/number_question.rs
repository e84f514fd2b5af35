//! What is asked of a number.

use std::cmp::Ordering;

/// What is asked of a number.
#[derive(Clone, Debug, PartialEq)]
pub enum NumberQuestion {
    /// =
    Equal(f64),
    /// !=
    NotEqual(f64),
    /// <
    Less(f64),
    /// <=
    AtMost(f64),
    /// >
    Greater(f64),
    /// >=
    AtLeast(f64),
    /// Ends included.
    Between(f64, f64),
    /// One of these, ascending.
    OneOf(Vec<f64>),
}

impl NumberQuestion {
    /// The numbers that it names.
    pub fn values(&self) -> Vec<f64> {
        match self {
            NumberQuestion::Equal(value)
            | NumberQuestion::NotEqual(value)
            | NumberQuestion::Less(value)
            | NumberQuestion::AtMost(value)
            | NumberQuestion::Greater(value)
            | NumberQuestion::AtLeast(value) => vec![*value],
            NumberQuestion::Between(low, high) => vec![*low, *high],
            NumberQuestion::OneOf(values) => values.clone(),
        }
    }

    /// The answer for a known number.
    pub fn holds(&self, number: f64) -> bool {
        match self {
            NumberQuestion::Equal(value) => number == *value,
            NumberQuestion::NotEqual(value) => number != *value,
            NumberQuestion::Less(value) => number < *value,
            NumberQuestion::AtMost(value) => number <= *value,
            NumberQuestion::Greater(value) => number > *value,
            NumberQuestion::AtLeast(value) => number >= *value,
            NumberQuestion::Between(low, high) => (*low..=*high).contains(&number),
            NumberQuestion::OneOf(values) => {
                // As = has it: the zeros are equal, NaN is no number of these.
                let beside = |value: &f64| value.partial_cmp(&number).unwrap_or(Ordering::Less);
                values.binary_search_by(beside).is_ok()
            }
        }
    }
}
