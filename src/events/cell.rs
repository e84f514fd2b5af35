//! A clean value of one of the tables, and what a record says about it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A clean value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Cell {
    Text(String),
    Whole(i64),
    Number(f64),
}

/// What a record says about a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum FieldUpdate {
    /// Nothing: the former value stays.
    Nothing,
    /// That it is empty, or this.
    Cell(Option<Cell>),
    /// Something about these attributes; null clears one, the others stay.
    Attributes(BTreeMap<String, Value>),
}
