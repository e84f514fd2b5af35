//! Predictions as a table of a row each, read back by what each row is about.

use std::collections::HashMap;

use polars::prelude::*;

/// What a propensity is about: user, campaign and content, the latter where the goal tells them apart.
pub type About = (String, Option<String>, Option<String>);

/// A table of propensities by what each row is about.
pub fn by_about(frame: &DataFrame) -> HashMap<About, f64> {
    let texts = |name: &str| frame.column(name).ok().and_then(|column| column.str().ok().cloned());
    let [users, campaigns, contents] = ["user_id", "campaign_id", "content_id"].map(texts);
    let propensities = frame.column("propensity").ok().and_then(|column| column.f64().ok().cloned());
    let cell = |column: &Option<StringChunked>, row: usize| {
        column.as_ref().and_then(|column| column.get(row)).map(str::to_string)
    };
    let row = |row: usize| {
        let about = (cell(&users, row)?, cell(&campaigns, row), cell(&contents, row));
        Some((about, propensities.as_ref()?.get(row)?))
    };
    (0..frame.height()).filter_map(row).collect()
}
