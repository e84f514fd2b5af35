//! The layers that settings come from, as tables that are laid over each other.

use crate::{ConfigError, ENVIRONMENT_PREFIX};

pub(super) fn parse_table(origin: &str, text: &str) -> Result<toml::Table, ConfigError> {
    text.parse().map_err(|error: toml::de::Error| ConfigError::Invalid {
        origin: origin.to_string(),
        detail: error.to_string().trim().to_string(),
    })
}

/// Replaces values of `below` by those of `above`: tables are merged, all other values, lists too, are replaced.
pub fn overlay(below: &mut toml::Table, above: toml::Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(toml::Value::Table(old)), toml::Value::Table(new)) => overlay(old, new),
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}

/// `SMARTPUSH__A__B=v` as the table `[a] b = v`; a value that is not TOML is text.
pub(super) fn environment_table(variable: &str, value: &str) -> Result<toml::Table, ConfigError> {
    let keys: Vec<String> = variable[ENVIRONMENT_PREFIX.len()..].split("__").map(str::to_lowercase).collect();
    if keys.iter().any(String::is_empty) {
        return Err(ConfigError::Invalid { origin: variable.to_string(), detail: "an empty key".into() });
    }
    let parsed = format!("v = {value}").parse::<toml::Table>().ok().and_then(|mut table| table.remove("v"));
    let leaf = parsed.unwrap_or_else(|| toml::Value::String(value.to_string()));
    let nested = keys
        .into_iter()
        .rev()
        .fold(leaf, |inner, key| toml::Value::Table([(key, inner)].into_iter().collect()));
    match nested {
        toml::Value::Table(table) => Ok(table),
        _ => unreachable!("at least one key wraps the value"),
    }
}
