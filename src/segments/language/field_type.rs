//! The types of what segments ask for.

use serde::{Deserialize, Serialize};

/// What a field's values are, and so what it may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    /// A number.
    Number,
    /// A number of the currency of purchases.
    Money,
    /// A text.
    Text,
    /// True or false.
    Truth,
    /// A moment.
    Moment,
    /// A length of time up to the moment of the evaluation.
    Duration,
    /// Several texts.
    Set,
}

impl FieldType {
    /// With its article, for messages.
    pub const fn as_noun(self) -> &'static str {
        match self {
            FieldType::Number => "a number",
            FieldType::Money => "an amount of money",
            FieldType::Text => "a text",
            FieldType::Truth => "true or false",
            FieldType::Moment => "a moment",
            FieldType::Duration => "a length of time",
            FieldType::Set => "a set of texts",
        }
    }

    /// How it is asked, for messages.
    pub const fn example(self) -> &'static str {
        match self {
            FieldType::Number | FieldType::Money => "< 5, >= 5, = 5, in (1, 2), between 2 and 5",
            FieldType::Text => "= \"x\", in (\"x\", \"y\"), contains \"x\"",
            FieldType::Truth => "nothing, or = false",
            FieldType::Moment => "< 2017-12-01, >= 14d ago, between 2017-12-01 and 2017-12-31",
            FieldType::Duration => "< 14d, >= 36h, between 7d and 14d",
            FieldType::Set => "contains \"x\"",
        }
    }
}
