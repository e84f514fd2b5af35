//! Anybody's CSV and Parquet: columns under the names that others give them, values with the line where they fail.

use std::borrow::Cow;
use std::path::Path;

use super::missing_column::columns_listed;
use super::pairs::theirs_and_ours;
use super::stamps::StampReader;
use crate::formats::{InputColumn, InputError, InputRecord, InputRow, Limits, Progress, RawValue, Reader};
use domain::time::Instant;

/// Bytes of the longest record of a text format.
const RECORD_BYTES: usize = 1 << 20;
/// Rows of Parquet decoded at a time.
const CHUNK_ROWS: usize = 65_536;

/// A field of ours with the names that it may go by, the first that a file has counting.
pub struct ForeignField {
    /// Names that it goes by, the usual one first.
    pub names: &'static [&'static str],
}

/// `--map`: their column names for ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(Vec<(String, &'static str)>);

impl Names {
    /// Reads `theirs=ours,theirs=ours`.
    ///
    /// # Errors
    /// A text that says which pair cannot be used.
    pub fn parse(text: &str, fields: &[&ForeignField]) -> Result<Names, String> {
        let mut pairs = Vec::new();
        for (theirs, ours) in theirs_and_ours(text)? {
            let Some(field) = fields.iter().find(|field| field.names.contains(&ours.as_str())) else {
                let known: Vec<&str> = fields.iter().map(|field| field.names[0]).collect();
                return Err(format!("{ours:?} is no field of ours; the fields are {}", known.join(", ")));
            };
            pairs.push((theirs.join("|"), field.names[0]));
        }
        Ok(Names(pairs))
    }

    /// Has one of the files each column that is named here?
    ///
    /// # Errors
    /// Names the first that none has.
    pub fn check(&self, files: &[&Path], scratch: &Path) -> Result<(), InputError> {
        let mut known = Vec::new();
        for file in files.iter().filter(|file| !file.is_dir() && !self.0.is_empty()) {
            known.extend(ForeignRows::open(file, self, scratch)?.header);
        }
        let lost = self.0.iter().find(|(theirs, _)| !known.contains(theirs));
        let error = |(theirs, _): &(String, _)| {
            let detail = format!("--map names column {theirs:?}; the files have {}", known.join(", "));
            InputError::new("missing_column", files[0], detail)
        };
        lost.map_or(Ok(()), |lost| Err(error(lost)))
    }

    /// Their names for a field, in the order in which they count.
    fn of<'a>(&'a self, field: &'a ForeignField) -> impl Iterator<Item = &'a str> {
        let mapped =
            self.0.iter().filter(|(_, ours)| *ours == field.names[0]).map(|(theirs, _)| theirs.as_str());
        mapped.chain(field.names.iter().copied())
    }
}

/// A file that is read row by row.
pub struct ForeignRows<'a> {
    path: &'a Path,
    names: &'a Names,
    header: Vec<String>,
    reader: Reader,
}

/// Where a field's value stands.
#[derive(Clone, Debug)]
pub struct ForeignColumn {
    name: &'static str,
    column: InputColumn,
}

impl ForeignColumn {
    /// Its name in the file.
    pub fn source_name(&self) -> &str {
        &self.column.name
    }
}

/// One row, with the line that names it in errors.
pub struct Line<'a> {
    path: &'a Path,
    number: u64,
    row: InputRow<'a>,
}

impl<'a> ForeignRows<'a> {
    /// Opens a file of records; what a format needs on disk goes below `scratch`.
    pub fn open(path: &'a Path, names: &'a Names, scratch: &Path) -> Result<ForeignRows<'a>, InputError> {
        let limits = Limits { chunk_rows: CHUNK_ROWS, record_bytes: RECORD_BYTES };
        let reader = Reader::open(path, None, limits, &Progress::default(), scratch)?;
        let Some(header) = reader.header().map(<[String]>::to_vec) else {
            return Err(InputError::new("unsupported_format", path, "neither CSV nor Parquet"));
        };
        Ok(ForeignRows { path, names, header, reader })
    }

    /// The column of a field; `None` when the header has none.
    pub fn find(&self, field: &ForeignField) -> Option<ForeignColumn> {
        let column = |name: &str| {
            let index = self.header.iter().position(|column| column == name)?;
            Some(InputColumn { name: name.to_string(), index })
        };
        let column = self.names.of(field).find_map(column)?;
        Some(ForeignColumn { name: field.names[0], column })
    }

    /// The column of a field that must be there.
    pub fn need(&self, field: &ForeignField) -> Result<ForeignColumn, InputError> {
        self.find(field).ok_or_else(|| {
            let known = field.names.join(" or ");
            let listed = columns_listed(field.names[0], &self.header);
            let detail =
                format!("no column {known}; {listed}; name yours with --map theirs={}", field.names[0]);
            InputError::new("missing_column", self.path, detail)
        })
    }

    /// The columns of the file beside these.
    pub fn others(&self, used: &[&ForeignColumn]) -> Vec<InputColumn> {
        let is_used = |name: &String| used.iter().any(|column| column.column.name == *name);
        let columns = self.header.iter().enumerate().filter(|(_, name)| !is_used(name));
        columns.map(|(index, name)| InputColumn { name: name.clone(), index }).collect()
    }

    /// Hands on every row; the first that cannot be read ends it.
    pub fn each(mut self, mut take: impl FnMut(&Line) -> Result<(), InputError>) -> Result<(), InputError> {
        while let Some(record) = self.reader.next_record()? {
            match record {
                InputRecord::Row(number, row) => take(&Line { path: self.path, number, row })?,
                InputRecord::Unreadable(number, rejection, _) => {
                    let detail = format!("line {number}: {}", rejection.detail);
                    return Err(InputError::new(rejection.code.as_str(), self.path, detail));
                }
            }
        }
        Ok(())
    }
}

impl Line<'_> {
    /// An error about this line.
    pub fn error(&self, code: &'static str, detail: &str) -> InputError {
        InputError::new(code, self.path, format!("line {}: {detail}", self.number))
    }

    fn value(&self, source: &ForeignColumn) -> RawValue<'_> {
        self.row.get(&source.column)
    }

    /// What stands in a column, as text; `None` when nothing does.
    pub fn text(&self, column: &InputColumn) -> Option<Cow<'_, str>> {
        match self.row.get(column) {
            RawValue::Missing => None,
            RawValue::Text(text) => Some(text),
            other => Some(other.to_json().to_string().into()),
        }
    }

    /// A name: text, or an exact whole number in its digits.
    pub fn name(&self, source: &ForeignColumn) -> Result<Cow<'_, str>, InputError> {
        match self.value(source) {
            RawValue::Text(text) => Ok(text),
            RawValue::Boolean(flag) => Ok(flag.to_string().into()),
            RawValue::Missing => Err(self.error("missing_value", &format!("{} is empty", source.name))),
            other => other.whole_number().map(|number| number.to_string().into()).ok_or_else(|| {
                let detail = format!("{} is {}, not a name", source.name, other.to_json());
                self.error("bad_value", &detail)
            }),
        }
    }

    /// A moment, as stamps of events are read.
    pub fn instant(&self, source: &ForeignColumn, stamps: &StampReader) -> Result<Instant, InputError> {
        let read = stamps.read(source.name, &self.value(source));
        read.map(|stamp| stamp.instant)
            .map_err(|rejection| self.error(rejection.code.as_str(), &rejection.detail))
    }

    /// A finite number; true is 1.
    pub fn number(&self, source: &ForeignColumn) -> Result<f64, InputError> {
        let value = self.value(source);
        let number = match &value {
            RawValue::Integer(number) => Some(*number as f64),
            RawValue::Number(number) | RawValue::Scientific(number, _) => Some(*number),
            RawValue::Single(number) => number.to_string().parse().ok(),
            RawValue::Boolean(flag) => Some(f64::from(u8::from(*flag))),
            RawValue::Text(text) => match text.trim() {
                "true" | "True" | "TRUE" => Some(1.0),
                "false" | "False" | "FALSE" => Some(0.0),
                text => text.parse().ok(),
            },
            _ => None,
        };
        match (number.filter(|number: &f64| number.is_finite()), value) {
            (Some(number), _) => Ok(number),
            (None, RawValue::Missing) => {
                Err(self.error("missing_value", &format!("{} is empty", source.name)))
            }
            (None, value) => {
                let detail = format!("{} is {}, not a finite number", source.name, value.to_json());
                Err(self.error("bad_number", &detail))
            }
        }
    }

    /// Yes or no: a flag, 1 or 0, or the word for one of the two.
    pub fn flag(&self, source: &ForeignColumn, yes: &[&str], no: &[&str]) -> Result<bool, InputError> {
        let name = self.name(source)?.trim().to_lowercase();
        match name.as_str() {
            "1" | "true" => Ok(true),
            "0" | "false" => Ok(false),
            name if yes.contains(&name) => Ok(true),
            name if no.contains(&name) => Ok(false),
            _ => Err(self.error("bad_flag", &format!("{} is {name:?}, neither 1 nor 0", source.name))),
        }
    }

    /// A probability; of what was logged it is above 0.
    pub fn probability(&self, source: &ForeignColumn, is_logged: bool) -> Result<f64, InputError> {
        let value = self.number(source)?;
        let is_one = (0.0..=1.0).contains(&value) && (value > 0.0 || !is_logged);
        let range = if is_logged { "above 0 and at most 1" } else { "from 0 to 1" };
        match is_one {
            true => Ok(value),
            false => {
                let detail = format!("{} is {value}, which is not {range}", source.name);
                Err(self.error("bad_probability", &detail))
            }
        }
    }
}
