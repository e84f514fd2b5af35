//! Which column of a file feeds which field of ours; `--map theirs=ours`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::formats::{InputColumn, InputError, InputRow, RawValue};

/// A field of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputField {
    /// Its name in files and in the contract.
    pub name: &'static str,
    /// Must a file have a column for it?
    pub required: bool,
}

/// `--map`: their column name → our field name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renames(Vec<(String, String)>);

impl Renames {
    /// Reads `theirs=ours,theirs=ours`.
    ///
    /// # Errors
    /// A text that says which pair cannot be used.
    pub fn parse(text: &str, fields: &[InputField]) -> Result<Renames, String> {
        let mut pairs: Vec<(String, String)> = Vec::new();
        for pair in text.split(',').filter(|pair| !pair.trim().is_empty()) {
            let Some((theirs, ours)) = pair.split_once('=') else {
                return Err(format!("{pair:?} is not theirs=ours"));
            };
            let (theirs, ours) = (theirs.trim().to_string(), ours.trim().to_string());
            if !fields.iter().any(|field| field.name == ours) {
                let known: Vec<&str> = fields.iter().map(|field| field.name).collect();
                return Err(format!("{ours:?} is no field of ours; the fields are {}", known.join(", ")));
            }
            if pairs.iter().any(|(other, field)| *other == theirs || *field == ours) {
                return Err(format!("{pair:?}: a column or a field is named twice"));
            }
            pairs.push((theirs, ours));
        }
        Ok(Renames(pairs))
    }

    /// The pairs as they are given on the command line.
    pub fn to_text(&self) -> String {
        let pairs: Vec<String> = self.0.iter().map(|(theirs, ours)| format!("{theirs}={ours}")).collect();
        pairs.join(",")
    }

    /// The column that feeds a field.
    fn source<'a>(&'a self, field: &'a str) -> &'a str {
        self.0.iter().find(|(_, ours)| ours == field).map_or(field, |(theirs, _)| theirs)
    }
}

/// The columns of one file, field by field.
#[derive(Clone, Debug)]
pub struct Mapping {
    fields: &'static [InputField],
    sources: Vec<Option<InputColumn>>,
    /// Has any record shown this column? Fixed headers show theirs at once.
    seen: Vec<bool>,
    /// Columns that feed no field; `None` when each record brings its own.
    others: Option<Vec<InputColumn>>,
    /// Names of those that the records have brought, as far as anybody would read them.
    brought: BTreeSet<String>,
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
        let Some(header) = header else {
            let column = |field: &InputField| {
                Some(InputColumn { name: renames.source(field.name).to_string(), index: 0 })
            };
            let sources = fields.iter().map(column).collect();
            let (seen, brought) = (vec![false; fields.len()], BTreeSet::new());
            return Ok(Mapping { fields, sources, seen, others: None, brought });
        };
        if let Some((theirs, _)) = renames.0.iter().find(|(theirs, _)| !header.contains(theirs)) {
            let detail = format!("--map names column {theirs:?}; the file has {}", header.join(", "));
            return Err(InputError::new("missing_column", path, detail));
        }
        let column = |name: &str| {
            let index = header.iter().position(|column| column == name)?;
            Some(InputColumn { name: name.to_string(), index })
        };
        let sources: Vec<_> = fields.iter().map(|field| column(renames.source(field.name))).collect();
        let taken: Vec<usize> = sources.iter().flatten().map(|column| column.index).collect();
        let others = header.iter().enumerate().filter(|(index, _)| !taken.contains(index));
        let others = others.map(|(index, name)| InputColumn { name: name.clone(), index }).collect();
        let seen = sources.iter().map(Option::is_some).collect();
        let mapping = Mapping { fields, sources, seen, others: Some(others), brought: BTreeSet::new() };
        mapping.check_required(path)?;
        Ok(mapping)
    }

    /// Every required column, and every one that `--map` names, has been seen.
    ///
    /// # Errors
    /// Names the first that has not.
    pub fn check_required(&self, path: &Path) -> Result<(), InputError> {
        let unseen = self.fields.iter().zip(&self.sources).zip(&self.seen).filter(|(_, seen)| !**seen);
        let mut sources = unseen.filter_map(|((field, source), _)| Some((field, source.as_ref()?)));
        if let Some((_, source)) = sources.find(|(field, source)| source.name != field.name) {
            let detail = format!("--map names column {:?}, which no record has", source.name);
            return Err(InputError::new("missing_column", path, detail));
        }
        let missing = self.fields.iter().zip(&self.seen).position(|(field, seen)| field.required && !seen);
        let Some(index) = missing else { return Ok(()) };
        let field = self.fields[index].name;
        let detail = format!("no column {field:?}; name yours with --map theirs={field}");
        Err(InputError::new("missing_column", path, detail))
    }

    /// The raw value of a field.
    pub fn get<'a>(&self, row: &InputRow<'a>, field: usize) -> RawValue<'a> {
        self.sources[field].as_ref().map_or(RawValue::Missing, |column| row.get(column))
    }

    /// Does this record say anything about the field, be it empty?
    pub fn has(&self, row: &InputRow<'_>, field: usize) -> bool {
        self.sources[field].as_ref().is_some_and(|column| row.has(column))
    }

    /// Takes note of the columns that a self-describing record brings.
    pub fn observe(&mut self, row: &InputRow<'_>) {
        let (None, InputRow::Json(object)) = (&self.others, row) else { return };
        for (seen, source) in self.seen.iter_mut().zip(&self.sources) {
            *seen = *seen || source.as_ref().is_some_and(|column| row.has(column));
        }
        for name in object.keys() {
            let is_new = self.brought.len() < MOST_NAMES && !self.brought.contains(name);
            if is_new && !self.claims(name) {
                self.brought.insert(name.clone());
            }
        }
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
                let unclaimed = object.iter().filter(|(name, _)| !self.claims(name));
                unclaimed.map(|(name, value)| (name.clone(), value.clone())).collect()
            }
            (None, _) => BTreeMap::new(),
        }
    }

    fn claims(&self, name: &str) -> bool {
        self.sources.iter().flatten().any(|column| column.name == name)
    }
}
