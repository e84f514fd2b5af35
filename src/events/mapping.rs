//! Which column of a file feeds which field of ours.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::formats::{
    InputColumn, InputError, InputRow, RawValue, advice, is_value, looks_like_data, tidied_json,
};
use super::missing_column::{columns_listed, nearest};
use super::nested;
use super::renames::FieldOrigin;
pub use super::renames::Renames;

/// A field of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputField {
    /// Its name in files and in the contract.
    pub name: &'static str,
    /// Must a file have a column for it?
    pub required: bool,
}

/// A column that may feed a field, and the way inside its values.
#[derive(Clone, Debug)]
struct Located {
    column: InputColumn,
    /// Dotted name inside the column's values; empty for the values themselves.
    inside: String,
}

/// What feeds one field.
#[derive(Clone, Debug)]
struct Source {
    constant: Option<String>,
    /// The first with a value counts.
    columns: Vec<Located>,
    /// The columns as `--map` names them.
    asked: Option<String>,
}

/// The columns of one file, field by field.
#[derive(Clone, Debug)]
pub struct Mapping {
    fields: &'static [InputField],
    sources: Vec<Source>,
    /// Has any record shown this field's column? Fixed headers show theirs at once.
    seen: Vec<bool>,
    /// Columns that feed no field; `None` when each record brings its own.
    others: Option<Vec<InputColumn>>,
    /// Names of those that the records have brought, as far as anybody would read them.
    brought: BTreeSet<String>,
    /// What an error about a missing column adds.
    hints: Vec<(&'static str, String)>,
}

/// Names of unknown columns kept for the summary; a hostile file may bring a new one with every record.
const MOST_NAMES: usize = 100;

impl Mapping {
    /// Matches the fields of ours with a file's columns.
    ///
    /// # Errors
    /// When a required column, or one that `--map` names, is not in the header.
    pub fn new(
        fields: &'static [InputField],
        renames: &Renames,
        header: Option<&[String]>,
        path: &Path,
    ) -> Result<Mapping, InputError> {
        let mut sources: Vec<Source> =
            fields.iter().map(|field| source_of(field.name, renames.origin(field.name), header)).collect();
        let hints = hints(renames, fields);
        let Some(header) = header else {
            let seen = sources.iter().map(|source| source.constant.is_some()).collect();
            return Ok(Mapping { fields, sources, seen, others: None, brought: BTreeSet::new(), hints });
        };
        check_asked(&sources, header, path)?;
        let taken: Vec<usize> =
            sources.iter().filter_map(Source::whole_column).map(|column| column.index).collect();
        let others = header.iter().enumerate().filter(|(index, _)| !taken.contains(index));
        let others = others.map(|(index, name)| InputColumn { name: name.clone(), index }).collect();
        let seen =
            sources.iter().map(|source| source.constant.is_some() || !source.columns.is_empty()).collect();
        sources.iter_mut().for_each(|source| source.asked = None);
        let mapping =
            Mapping { fields, sources, seen, others: Some(others), brought: BTreeSet::new(), hints };
        mapping.check_required_in(path, Some(header))?;
        Ok(mapping)
    }

    /// Index of the column of the key, which is the first field; `None` without a header.
    pub(super) fn key_index(&self) -> Option<usize> {
        self.others.as_ref()?;
        self.sources[0].whole_column().map(|column| column.index)
    }

    /// Names under which self-describing records have the key, which is the first field.
    pub(super) fn key_names(&self) -> impl Iterator<Item = &str> {
        self.sources[0].columns.iter().map(|located| located.column.name.as_str())
    }

    /// Every required column, and every one that `--map` names, has been seen.
    ///
    /// # Errors
    /// Names the first that has not.
    pub fn check_required(&self, path: &Path) -> Result<(), InputError> {
        self.check_required_in(path, None)
    }

    fn check_required_in(&self, path: &Path, header: Option<&[String]>) -> Result<(), InputError> {
        let unseen = || self.fields.iter().zip(&self.sources).zip(&self.seen).filter(|(_, seen)| !**seen);
        if let Some(asked) = unseen().find_map(|((_, source), _)| source.asked.as_ref()) {
            let listed = columns_listed(asked, &self.names(header));
            let detail = format!("--map names column {asked:?}, which no record has; {listed}");
            return Err(InputError::new("missing_column", path, detail));
        }
        let Some(((field, _), _)) = unseen().find(|((field, _), _)| field.required) else { return Ok(()) };
        let name = field.name;
        let columns = self.names(header);
        if header.is_some_and(looks_like_data) {
            let detail = format!("no column {name:?}: {}", advice(&columns));
            return Err(InputError::new("missing_column", path, detail));
        }
        let theirs = nearest(name, &columns).unwrap_or("theirs");
        let listed = columns_listed(name, &columns);
        let mut detail = format!(
            "no column {name:?}; {listed}; name yours with --map {theirs}={name}, or say it of all with --set {name}=…"
        );
        if let Some(hint) = self.hints.iter().find_map(|(field, hint)| (*field == name).then_some(hint)) {
            detail += &format!("; {hint}");
        }
        Err(InputError::new("missing_column", path, detail))
    }

    /// Names of the columns that the file has or its records have brought, those that feed a field first.
    fn names(&self, header: Option<&[String]>) -> Vec<String> {
        if let Some(header) = header {
            return header.to_vec();
        }
        let seen =
            self.sources.iter().zip(&self.seen).filter(|(source, seen)| **seen && source.columns.len() == 1);
        let fed = seen.flat_map(|(source, _)| &source.columns).map(|located| located.column.name.clone());
        fed.chain(self.other_names()).collect()
    }

    /// The raw value of a field.
    pub fn get<'a>(&self, row: &InputRow<'a>, field: usize) -> RawValue<'a> {
        let source = &self.sources[field];
        if let Some(constant) = &source.constant {
            return RawValue::Text(Cow::Owned(constant.clone()));
        }
        let values = source.columns.iter().map(|located| located.value(row).tidied());
        values.into_iter().find(|value| *value != RawValue::Missing).unwrap_or(RawValue::Missing)
    }

    /// Does this record say anything about the field, be it empty?
    pub fn has(&self, row: &InputRow<'_>, field: usize) -> bool {
        let source = &self.sources[field];
        source.constant.is_some() || source.columns.iter().any(|located| located.is_in(row))
    }

    /// Takes note of the columns that a self-describing record brings.
    pub fn observe(&mut self, row: &InputRow<'_>) {
        let (None, InputRow::Json(object)) = (&self.others, row) else { return };
        for (seen, source) in self.seen.iter_mut().zip(&self.sources) {
            *seen = *seen || source.columns.iter().any(|located| located.is_in(row));
        }
        let claimed = self.claimed(row);
        let unclaimed = object.keys().filter(|name| !claimed.contains(&name.as_str()));
        let new: Vec<&String> = unclaimed.filter(|name| !self.brought.contains(*name)).collect();
        let room = MOST_NAMES.saturating_sub(self.brought.len());
        let new: Vec<String> = new.into_iter().take(room).cloned().collect();
        self.brought.extend(new);
    }

    /// Names of the columns that feed no field: those of the header, or those brought so far.
    pub fn other_names(&self) -> Vec<String> {
        let declared = self.others.iter().flatten().map(|column| column.name.clone());
        declared.chain(self.brought.iter().cloned()).collect()
    }

    /// Non-empty values of the columns that feed no field, by name.
    pub fn others(&self, row: &InputRow<'_>) -> BTreeMap<String, Value> {
        let mut values = self.unclaimed(row);
        values.retain(|_, value| !value.is_null());
        values
    }

    /// Values of the columns that feed no field, by name; null when empty.
    pub fn unclaimed(&self, row: &InputRow<'_>) -> BTreeMap<String, Value> {
        match (&self.others, row) {
            (Some(columns), _) => {
                columns.iter().map(|column| (column.name.clone(), row.get(column).to_json())).collect()
            }
            (None, InputRow::Json(object)) => {
                let claimed = self.claimed(row);
                let unclaimed = object.iter().filter(|(name, _)| !claimed.contains(&name.as_str()));
                unclaimed.map(|(name, value)| (name.clone(), tidied_json(value))).collect()
            }
            (None, _) => BTreeMap::new(),
        }
    }

    /// The keys of a record that are a field's own. Of alternatives, the first that the record has is; the others stay.
    fn claimed(&self, row: &InputRow<'_>) -> Vec<&str> {
        let present =
            self.sources.iter().filter_map(|source| source.columns.iter().find(|located| located.is_in(row)));
        present.map(|located| located.column.name.as_str()).collect()
    }
}

impl Located {
    fn value<'a>(&self, row: &InputRow<'a>) -> RawValue<'a> {
        match row {
            InputRow::Json(object) => nested::value(object, &self.column.name),
            _ if self.inside.is_empty() => row.get(&self.column),
            _ => nested::within(row.get(&self.column), &self.inside),
        }
    }

    fn is_in(&self, row: &InputRow<'_>) -> bool {
        match row {
            InputRow::Json(object) => {
                nested::find(object, &self.column.name).is_some() || self.value(row) != RawValue::Missing
            }
            _ => row.has(&self.column),
        }
    }
}

impl Source {
    /// The column that the field takes for itself; what is taken out of the inside of a column leaves it where it is.
    fn whole_column(&self) -> Option<&InputColumn> {
        let first = self.columns.first().filter(|_| self.constant.is_none())?;
        first.inside.is_empty().then_some(&first.column)
    }
}

/// What feeds a field of a file with this header; without one, each record shows.
fn source_of(field: &str, origin: FieldOrigin<'_>, header: Option<&[String]>) -> Source {
    let own = [field.to_string()];
    let (names, asked) = match origin {
        FieldOrigin::Constant(value) => {
            return Source { constant: Some(value.to_string()), columns: Vec::new(), asked: None };
        }
        FieldOrigin::Asked(names) => (names, Some(names.join("|"))),
        FieldOrigin::Known(names) => (names, None),
        FieldOrigin::Own => (&own[..], None),
    };
    let columns = match header {
        None => names
            .iter()
            .map(|name| Located {
                column: InputColumn { name: name.clone(), index: 0 },
                inside: String::new(),
            })
            .collect(),
        Some(header) => names.iter().filter_map(|name| located(name, header)).collect(),
    };
    Source { constant: None, columns, asked }
}

/// The column of a name, or the one whose values have it inside.
fn located(name: &str, header: &[String]) -> Option<Located> {
    let column = |name: &str| {
        let index = header.iter().position(|column| column == name)?;
        Some(InputColumn { name: name.to_string(), index })
    };
    if let Some(column) = column(name) {
        return Some(Located { column, inside: String::new() });
    }
    let mut dots = name.match_indices('.').map(|(dot, _)| dot);
    dots.find_map(|dot| Some(Located { column: column(&name[..dot])?, inside: name[dot + 1..].to_string() }))
}

/// Every column that `--map` names is in the header, and the header is one.
fn check_asked(sources: &[Source], header: &[String], path: &Path) -> Result<(), InputError> {
    let lost = sources.iter().find(|source| source.columns.is_empty() && source.asked.is_some());
    if let Some(asked) = lost.and_then(|source| source.asked.as_ref()) {
        let detail = format!("--map names column {asked:?}; {}", columns_listed(asked, header));
        return Err(InputError::new("missing_column", path, detail));
    }
    let asked = sources.iter().filter(|source| source.asked.is_some()).flat_map(|source| &source.columns);
    let names_values = asked.into_iter().any(|located| is_value(&located.column.name));
    match names_values && looks_like_data(header) {
        true => Err(InputError::new("missing_header", path, advice(header))),
        false => Ok(()),
    }
}

/// For each field, what a preset looked for.
fn hints(renames: &Renames, fields: &[InputField]) -> Vec<(&'static str, String)> {
    let Some(preset) = renames.preset_named() else { return Vec::new() };
    let hint = |field: &InputField| match renames.origin(field.name) {
        FieldOrigin::Known(names) => {
            Some((field.name, format!("--preset {} looks for {}", preset.name, names.join(", "))))
        }
        _ => None,
    };
    fields.iter().filter_map(hint).collect()
}
