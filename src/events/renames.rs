//! How files of others are to be read: their columns, constants, header line and names of events.

use std::collections::BTreeMap;

use super::event_names::EventNames;
use super::formats::Headers;
use super::mapping::InputField;
use super::pairs::{fields_and_values, list, theirs_and_ours};
use super::presets::Preset;

/// `--map`, `--set`, `--header`, `--map-event` and `--preset`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Renames {
    /// Their columns, the first with a value counting, and our field.
    columns: Vec<(Vec<String>, String)>,
    constants: Vec<(String, String)>,
    header: Option<Vec<String>>,
    event_names: EventNames,
    preset: Option<&'static Preset>,
}

/// Where the values of a field come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FieldOrigin<'a> {
    /// Every record has this value.
    Constant(&'a str),
    /// `--map` names these columns: one of them must be there.
    Asked(&'a [String]),
    /// A preset names these columns.
    Known(&'a [String]),
    /// The column of the field's own name.
    Own,
}

impl Renames {
    /// Reads `theirs=ours,theirs=ours`; `a|b=ours` is b where a has no value.
    ///
    /// # Errors
    /// A text that says which pair cannot be used.
    pub fn parse(text: &str, fields: &[InputField]) -> Result<Renames, String> {
        let mut pairs: Vec<(Vec<String>, String)> = Vec::new();
        for (theirs, ours) in theirs_and_ours(text)? {
            check_field(&ours, fields)?;
            let shown = format!("{}={ours}", theirs.join("|"));
            if theirs.iter().any(String::is_empty) {
                return Err(format!("{shown:?} names no column"));
            }
            if pairs.iter().any(|(other, field)| *other == theirs || *field == ours) {
                return Err(format!("{shown:?}: a column or a field is named twice"));
            }
            pairs.push((theirs, ours));
        }
        Ok(Renames { columns: pairs, ..Renames::default() })
    }

    /// Adds `field=value,…`: what every record says.
    ///
    /// # Errors
    /// A text that says which pair cannot be used.
    pub fn set(mut self, text: &str, fields: &[InputField]) -> Result<Renames, String> {
        for (field, value) in fields_and_values(text)? {
            check_field(&field, fields)?;
            if value.is_empty() {
                return Err(format!("{field} is set to nothing"));
            }
            let is_twice = |name: &String| *name == field;
            if self.columns.iter().any(|(_, ours)| is_twice(ours))
                || self.constants.iter().any(|(ours, _)| is_twice(ours))
            {
                return Err(format!("{field} is named twice; it is either mapped or set, and once"));
            }
            self.constants.push((field, value));
        }
        Ok(self)
    }

    /// Adds the names of the columns of a file without a header line.
    ///
    /// # Errors
    /// A name that is empty or stands there twice.
    pub fn header(mut self, text: &str) -> Result<Renames, String> {
        let names = list(text)?;
        if let Some(index) = names.iter().position(String::is_empty) {
            return Err(format!("column {} has no name", index + 1));
        }
        let twice = names.iter().enumerate().find(|(index, name)| names[..*index].contains(name));
        if let Some((_, name)) = twice {
            return Err(format!("two columns have the name {name:?}"));
        }
        self.header = Some(names);
        Ok(self)
    }

    /// Adds names of events.
    ///
    /// # Errors
    /// A text that says which pair cannot be used.
    pub fn events(mut self, text: &str) -> Result<Renames, String> {
        self.event_names = EventNames::parse(text)?.over(&self.event_names);
        Ok(self)
    }

    /// Adds a ready-made mapping; what else was asked for counts before it.
    #[must_use]
    pub fn preset(mut self, preset: &'static Preset) -> Renames {
        self.preset = Some(preset);
        self
    }

    /// The preset, if one was named.
    pub fn preset_named(&self) -> Option<&'static Preset> {
        self.preset
    }

    /// What was asked for, by flag, for the record of an ingest.
    pub(super) fn options(&self) -> BTreeMap<String, String> {
        let columns = self.columns.iter().map(|(theirs, ours)| format!("{}={ours}", theirs.join("|")));
        let constants = self.constants.iter().map(|(field, value)| format!("{field}={value}"));
        let joined = |pairs: Vec<String>| (!pairs.is_empty()).then(|| pairs.join(","));
        let options = [
            ("map", joined(columns.collect())),
            ("set", joined(constants.collect())),
            ("header", self.header.as_ref().map(|names| names.join(","))),
            ("map_event", joined(self.event_names.pairs().collect())),
            ("preset", self.preset.map(|preset| preset.name.to_string())),
        ];
        options.into_iter().filter_map(|(flag, value)| Some((flag.to_string(), value?))).collect()
    }

    /// Names of events: those asked for, then those of the preset, then those below.
    pub(super) fn event_names(&self, below: &EventNames) -> EventNames {
        let preset = self.preset.map(Preset::event_names).unwrap_or_default();
        self.event_names.clone().over(below).over(&preset)
    }

    /// Names of events that were asked for.
    pub(super) fn asked_names(&self) -> impl Iterator<Item = &String> {
        self.event_names.theirs()
    }

    /// Names that events were asked to get, and that read like a standard one.
    pub(super) fn misspelt_names(&self) -> impl Iterator<Item = (String, &'static str)> {
        self.event_names.misspelt()
    }

    /// Where a field comes from.
    pub(super) fn origin<'a>(&'a self, field: &str) -> FieldOrigin<'a> {
        let constant = self.constants.iter().find(|(ours, _)| ours == field);
        if let Some((_, value)) = constant {
            return FieldOrigin::Constant(value);
        }
        if let Some((theirs, _)) = self.columns.iter().find(|(_, ours)| ours == field) {
            return FieldOrigin::Asked(theirs);
        }
        let Some(preset) = self.preset else { return FieldOrigin::Own };
        match (preset.columns.get(field), preset.constants.get(field)) {
            (_, Some(value)) => FieldOrigin::Constant(value),
            (Some(theirs), None) => FieldOrigin::Known(theirs),
            (None, None) => FieldOrigin::Own,
        }
    }

    /// Which column names to give a file that may have none.
    pub(super) fn headers(&self) -> Headers {
        let preset = self.preset.filter(|_| self.header.is_none());
        Headers {
            given: self.header.clone(),
            known: preset
                .map(|preset| preset.columns.values().flatten().cloned().collect())
                .unwrap_or_default(),
            fallback: preset.map(|preset| preset.headers.clone()).unwrap_or_default(),
        }
    }
}

fn check_field(ours: &str, fields: &[InputField]) -> Result<(), String> {
    if fields.iter().any(|field| field.name == ours) {
        return Ok(());
    }
    let known: Vec<&str> = fields.iter().map(|field| field.name).collect();
    Err(format!("{ours:?} is no field of ours; the fields are {}", known.join(", ")))
}
