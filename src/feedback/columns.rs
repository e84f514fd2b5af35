//! Columns of a kind, each from one value a row.

use polars::prelude::*;

use domain::decision::Action;
use domain::time::Instant;

pub(super) fn texts<'a>(name: &str, values: impl Iterator<Item = Option<&'a str>>) -> Column {
    StringChunked::from_iter_options(name.into(), values).into_column()
}

pub(super) fn instants(name: &str, values: impl Iterator<Item = Option<Instant>>) -> Column {
    let micros = values.map(|instant| instant.map(Instant::micros));
    Int64Chunked::from_iter_options(name.into(), micros)
        .into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC))
        .into_column()
}

pub(super) fn numbers(name: &str, values: impl Iterator<Item = Option<f64>>) -> Column {
    Float64Chunked::from_iter_options(name.into(), values).into_column()
}

pub(super) fn flags(name: &str, values: impl Iterator<Item = bool>) -> Column {
    BooleanChunked::from_iter_options(name.into(), values.map(Some)).into_column()
}

/// The word of an action, as JSON has it.
pub(super) const fn word_of(action: Action) -> &'static str {
    match action {
        Action::Send => "send",
        Action::Hold => "hold",
        Action::NoSend => "no_send",
    }
}
