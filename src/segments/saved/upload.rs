//! A list of users out of anybody's file: known ones once each, the others counted and named.

use std::collections::BTreeSet;
use std::path::Path;

use domain::identity::{NOT_AN_ID, is_valid_id};
use events::formats::{InputColumn, InputError, InputRecord, Limits, Progress, RawValue, Reader};

/// The column that names users.
const USER_ID: &str = "user_id";

/// A list as it was read: read = members + duplicate + unknown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Upload {
    /// Records.
    pub read: u64,
    /// Users that are known, sorted.
    pub members: BTreeSet<String>,
    /// Records that name a user again.
    pub duplicate: u64,
    /// Ids of nobody, sorted.
    pub unknown: BTreeSet<String>,
    /// Records that name nobody.
    pub of_unknown: u64,
}

/// Reads a list; `is_known` says who is somebody. `scratch` is a directory for what formats must unpack.
///
/// # Errors
/// When the file has no column user_id, or a record without an id: nothing of it is taken then.
pub fn read(
    path: &Path,
    limits: Limits,
    scratch: &Path,
    is_known: impl Fn(&str) -> bool,
) -> Result<Upload, InputError> {
    let mut reader = Reader::open(path, None, limits, &Progress::default(), scratch)?;
    let index = match reader.header() {
        None => 0,
        Some(header) => header.iter().position(|name| name == USER_ID).ok_or_else(|| {
            let detail = format!("no column {USER_ID}; the file has {}", header.join(", "));
            InputError::new("missing_column", path, detail)
        })?,
    };
    let column = InputColumn { name: USER_ID.to_string(), index };
    let mut upload = Upload::default();
    while let Some(record) = reader.next_record()? {
        match record {
            InputRecord::Row(line, row) => {
                upload.absorb(id_in(path, line, &row.get(&column))?, &is_known);
            }
            InputRecord::Unreadable(line, rejection, _) => {
                let detail = format!("line {line}: {}", rejection.detail);
                return Err(InputError::new(rejection.code.as_str(), path, detail));
            }
        }
    }
    Ok(upload)
}

impl Upload {
    fn absorb(&mut self, id: String, is_known: &impl Fn(&str) -> bool) {
        self.read += 1;
        if !is_known(&id) {
            self.of_unknown += 1;
            self.unknown.insert(id);
        } else if !self.members.insert(id) {
            self.duplicate += 1;
        }
    }
}

/// An id as it is written; an exact whole number is one.
fn id_in(path: &Path, line: u64, value: &RawValue<'_>) -> Result<String, InputError> {
    let id = match value {
        RawValue::Text(text) => text.to_string(),
        RawValue::Missing => {
            return Err(InputError::new("missing_value", path, format!("line {line}: {USER_ID} is empty")));
        }
        other => other.whole_number().map(|number| number.to_string()).ok_or_else(|| {
            let detail = format!("line {line}: {USER_ID} is {}, not an id", other.to_json());
            InputError::new("bad_value", path, detail)
        })?,
    };
    match is_valid_id(&id) {
        true => Ok(id),
        false => {
            let detail = format!("line {line}: {USER_ID} {NOT_AN_ID}");
            Err(InputError::new("bad_value", path, detail))
        }
    }
}
