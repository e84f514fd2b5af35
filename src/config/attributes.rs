//! `[attributes]`: the types of users' attributes, where they are not to be learned from the cells.

use serde::{Deserialize, Serialize};

/// What the values of an attribute are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttributeType {
    /// Numbers.
    Number,
    /// Texts, such as codes that may begin with a zero.
    Text,
    /// true or false.
    Truth,
    /// Dates and stamps.
    Moment,
    /// Lists of texts.
    Set,
}
