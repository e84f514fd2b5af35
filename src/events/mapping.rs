//! Which column of a file feeds which field of ours.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::formats::{
    InputColumn, InputError, InputRow, JsonRow, RawValue, advice, is_value, looks_like_data, tidied_json,
};
use super::missing_column::{columns_listed, nearest, shown};
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
    /// Is its name the field's but for case and separators? A column of the exact name counts before it.
    is_alike: bool,
}

/// What feeds one field.
#[derive(Clone, Debug)]
struct Source {
    constant: Option<String>,
    /// The first with a value counts.
    columns: Vec<Located>,
    /// The columns as `--map` names them.
    asked: Option<String>,
    /// Does the column of the field's own name feed it?
    is_own: bool,
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
    /// A column whose value is a list of objects: it may hold the records.
    list: Option<String>,
    /// What an error about a missing column adds.
    hints: Vec<(&'static str, String)>,
}

/// Names of unknown columns kept for the summary; a hostile file may bring a new one with every record.
const MOST_NAMES: usize = 100;

/// Spellings of one field's name that the records of a file may bring.
const MOST_SPELLINGS: usize = 32;

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
        for (index, name) in header.unwrap_or_default().iter().enumerate() {
            let located = Located::alike(name, index);
            if let Some(field) =
                alike(fields, &sources, name).filter(|field| sources[*field].columns.is_empty())
            {
                sources[field].columns.push(located);
            }
        }
        let hints = hints(renames, fields);
        let Some(header) = header else {
            let seen = sources.iter().map(|source| source.constant.is_some()).collect();
            return Ok(Mapping {
                fields,
                sources,
                seen,
                others: None,
                brought: BTreeSet::new(),
                list: None,
                hints,
            });
        };
        check_asked(&sources, header, path)?;
        let taken: Vec<usize> =
            sources.iter().filter_map(Source::whole_column).map(|column| column.index).collect();
        let others = header.iter().enumerate().filter(|(index, _)| !taken.contains(index));
        let others = others.map(|(index, name)| InputColumn { name: name.clone(), index }).collect();
        let seen =
            sources.iter().map(|source| source.constant.is_some() || !source.columns.is_empty()).collect();
        sources.iter_mut().for_each(|source| source.asked = None);
        let mapping = Mapping {
            fields,
            sources,
            seen,
            others: Some(others),
            brought: BTreeSet::new(),
            list: None,
            hints,
        };
        mapping.check_required_in(path, Some(header))?;
        Ok(mapping)
    }

    /// What the fields of a record of CSV may have as its key, which is the first field, when the header has `width` columns.
    /// A field that was cut in two, or is missing, may be before the key or behind it.
    pub(super) fn keys_of_cells<'c>(&self, cells: &'c [Cow<'_, str>], width: usize) -> Vec<RawValue<'c>> {
        let mut found = Vec::new();
        for located in &self.sources[0].columns {
            let from_start = located.column.index;
            let from_end = (cells.len() + from_start).saturating_sub(width);
            let range = from_start.min(from_end)..=from_start.max(from_end);
            let cells = cells.iter().enumerate().filter(|(index, _)| range.contains(index));
            found.extend(cells.map(|(_, cell)| located.inside_of(cell.trim().trim_matches('"'))));
        }
        found
    }

    /// Is any name that is the key's but for case and separators one of the key, which is the first field?
    pub(super) fn is_like_key(&self, name: &str) -> bool {
        self.sources[0].is_own && same_letters(self.fields[0].name, name)
    }

    /// Fields whose key a record has more than once; what the record gives is the last of their values.
    pub(super) fn repeated(&self, row: &InputRow<'_>) -> Vec<usize> {
        let InputRow::Json(json) = row else { return Vec::new() };
        let keys = json.repeated_keys();
        let is_repeated = |source: &Source| {
            let names = source.columns.iter().filter(|located| located.is_in(row));
            names.map(|located| &located.column.name).any(|name| keys.iter().any(|key| leads_to(key, name)))
        };
        (0..self.sources.len()).filter(|field| is_repeated(&self.sources[*field])).collect()
    }

    /// Does a record have a field in several spellings of its name, with values that differ?
    pub(super) fn contradicts(&self, row: &InputRow<'_>, field: usize) -> bool {
        let source = &self.sources[field];
        let present = source.columns.iter().filter(|located| located.is_in(row));
        let mut values = present.map(|located| located.value(row).tidied());
        let first = values.next();
        source.is_own && values.any(|value| Some(value) != first)
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
        let theirs = shown(nearest(name, &columns).unwrap_or("theirs"));
        let listed = columns_listed(name, &columns);
        let mut detail = format!(
            "no column {name:?}; {listed}; name yours with --map {theirs}={name}, or say it of all with --set {name}=…"
        );
        if let Some(hint) = self.hints.iter().find_map(|(field, hint)| (*field == name).then_some(hint)) {
            detail += &format!("; {hint}");
        }
        if let Some(list) = &self.list {
            let (file, list) = (path.display(), shown(list));
            let is_plain = list.chars().all(|letter| letter.is_ascii_alphabetic() || letter == '_');
            let way = if is_plain { format!(".{list}[]") } else { format!(".[\"{list}\"][]") };
            detail += &format!(
                "; if the records are those in {list:?}: `jq -c '{way}' {file} > records.jsonl` writes one a line"
            );
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
        let is_exact = source.columns.iter().any(|located| !located.is_alike && located.is_in(row));
        let columns = source.columns.iter().filter(|located| !(is_exact && located.is_alike));
        let mut values = columns.map(|located| located.value(row).tidied());
        values.find(|value| *value != RawValue::Missing).unwrap_or(RawValue::Missing)
    }

    /// Does this record say anything about the field, be it empty?
    pub fn has(&self, row: &InputRow<'_>, field: usize) -> bool {
        let source = &self.sources[field];
        source.constant.is_some() || source.columns.iter().any(|located| located.is_in(row))
    }

    /// Takes note of the columns that a self-describing record brings.
    pub fn observe(&mut self, row: &InputRow<'_>) {
        let (None, InputRow::Json(JsonRow { object, .. })) = (&self.others, row) else { return };
        let claimed = self.claimed(row);
        let unclaimed = object.keys().filter(|name| !claimed.contains(&name.as_str()));
        let new: Vec<&String> = unclaimed.filter(|name| !self.brought.contains(*name)).collect();
        for name in new {
            match alike(self.fields, &self.sources, name) {
                Some(field) => self.sources[field].columns.push(Located::alike(name, 0)),
                None if self.brought.len() < MOST_NAMES => {
                    self.brought.insert(name.clone());
                    let is_list = object[name]
                        .as_array()
                        .is_some_and(|items| !items.is_empty() && items.iter().all(Value::is_object));
                    if is_list {
                        self.list.get_or_insert_with(|| name.clone());
                    }
                }
                None => {}
            }
        }
        for (seen, source) in self.seen.iter_mut().zip(&self.sources) {
            *seen = *seen || source.columns.iter().any(|located| located.is_in(row));
        }
    }

    /// Columns whose names are a field's but for case and separators, and the field that each feeds.
    pub fn understood(&self) -> impl Iterator<Item = (String, &'static str)> {
        let fed = self.fields.iter().zip(&self.sources);
        fed.flat_map(|(field, source)| {
            let alike = source.columns.iter().filter(|located| located.is_alike);
            alike.map(|located| (located.column.name.clone(), field.name))
        })
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
            (None, InputRow::Json(JsonRow { object, .. })) => {
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
    fn alike(name: &str, index: usize) -> Located {
        let column = InputColumn { name: name.to_string(), index };
        Located { column, inside: String::new(), is_alike: true }
    }

    fn value<'a>(&self, row: &InputRow<'a>) -> RawValue<'a> {
        match row {
            InputRow::Json(row) => nested::value(row, &self.column.name),
            _ if self.inside.is_empty() => row.get(&self.column),
            _ => nested::within(row.get(&self.column), &self.inside),
        }
    }

    /// The value in a field of its column.
    fn inside_of<'c>(&self, cell: &'c str) -> RawValue<'c> {
        let cell = RawValue::Text(Cow::Borrowed(cell)).tidied();
        if self.inside.is_empty() { cell } else { nested::within(cell, &self.inside).tidied() }
    }

    fn is_in(&self, row: &InputRow<'_>) -> bool {
        match row {
            InputRow::Json(json) => {
                nested::find(json.object, &self.column.name).is_some() || self.value(row) != RawValue::Missing
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
            let constant = Some(value.to_string());
            return Source { constant, columns: Vec::new(), asked: None, is_own: false };
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
                is_alike: false,
            })
            .collect(),
        Some(header) => names.iter().filter_map(|name| located(name, header)).collect(),
    };
    Source { constant: None, columns, asked, is_own: matches!(origin, FieldOrigin::Own) }
}

/// The field whose name a column's is but for case, blanks, underscores and hyphens, when nothing else was asked for
/// either of them.
fn alike(fields: &[InputField], sources: &[Source], column: &str) -> Option<usize> {
    let is_taken = sources.iter().flat_map(|source| &source.columns).any(|fed| fed.column.name == column);
    let field = fields.iter().position(|field| same_letters(field.name, column))?;
    let has_room = sources[field].columns.len() < MOST_SPELLINGS;
    (!is_taken && sources[field].is_own && has_room).then_some(field)
}

/// Is a dotted name this key's, or that of something inside its value?
fn leads_to(key: &str, name: &str) -> bool {
    name.strip_prefix(key).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Are two names the same but for case, blanks, underscores and hyphens?
fn same_letters(one: &str, other: &str) -> bool {
    let letters = |name: &'_ str| -> Vec<char> {
        let written = name.chars().filter(|letter| !matches!(letter, '_' | '-') && !letter.is_whitespace());
        written.map(|letter| letter.to_ascii_lowercase()).collect()
    };
    other.len() < 4 * one.len() && letters(one) == letters(other)
}

/// The column of a name, or the one whose values have it inside.
fn located(name: &str, header: &[String]) -> Option<Located> {
    let column = |name: &str| {
        let index = header.iter().position(|column| column == name)?;
        Some(InputColumn { name: name.to_string(), index })
    };
    if let Some(column) = column(name) {
        return Some(Located { column, inside: String::new(), is_alike: false });
    }
    let mut dots = name.match_indices('.').map(|(dot, _)| dot);
    dots.find_map(|dot| {
        let (column, inside) = (column(&name[..dot])?, name[dot + 1..].to_string());
        Some(Located { column, inside, is_alike: false })
    })
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
