//! All people as of a moment, and what was looked up of them: the table that segments are evaluated on.
//!
//! [`People::read`] looks up what lies in the workspace: profiles, declared users, event counts, fifths of buyers, draws. What
//! models, curves and uploads say comes from the caller, by [`People::with`] and its like; [`People::missing`] names what is still to be brought.

pub mod attributes;
mod cells;
mod declared;
mod event_columns;
pub mod frame;
mod learned;
pub mod reach;
mod read;
pub mod row;

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::*;

pub use cells::{cells, deciles};

use crate::language::fields::FieldType;
use crate::language::keys::{Computed, DeclaredField, LookupKey, Needs};
use crate::people::row::{KnownValue, Person};
use domain::error::{Coded, ErrorKind};
use domain::time::Instant;
use events::lake::LakeError;
use files::tables::TableError;
use profiles::ProfileError;
use profiles::table::index_of;

/// People of whom something cannot be looked up.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// Profiles are missing or cannot be read.
    #[error(transparent)]
    Profiles(#[from] ProfileError),
    /// A table cannot be read.
    #[error(transparent)]
    Table(#[from] TableError),
    /// Events cannot be read.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The profile table and its manifest differ: a build is under way, or was cut short.
    #[error("profiles_changed: {}: {rows} rows where the manifest says {manifest}; profiles are being rebuilt, ask again", .path.display())]
    Changed {
        /// The table.
        path: std::path::PathBuf,
        /// Its rows.
        rows: u64,
        /// What the manifest says.
        manifest: u64,
    },
    /// Profiles were built again each time that an answer was made.
    #[error("profiles_changed: {}: profiles are being rebuilt, ask again", .0.display())]
    Rebuilt(std::path::PathBuf),
    /// Something is asked for that nobody looked up.
    #[error("not_looked_up: {0} was not looked up")]
    Missing(LookupKey),
    /// A column of another kind or length than its key has.
    #[error("wrong_column: {0} has values of another kind or number")]
    WrongKind(LookupKey),
    /// A predicate could not be evaluated.
    #[error("not_evaluated: {0}")]
    Evaluation(#[from] PolarsError),
}

impl Coded for PeopleError {
    fn code(&self) -> &'static str {
        match self {
            PeopleError::Profiles(error) => error.code(),
            PeopleError::Table(error) => error.code(),
            PeopleError::Lake(error) => error.code(),
            PeopleError::Changed { .. } | PeopleError::Rebuilt(_) => "profiles_changed",
            PeopleError::Missing(_) => "not_looked_up",
            PeopleError::WrongKind(_) => "wrong_column",
            PeopleError::Evaluation(_) => "not_evaluated",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            PeopleError::Missing(_) => ErrorKind::Caller,
            PeopleError::Changed { .. } | PeopleError::Rebuilt(_) => ErrorKind::Busy,
            PeopleError::WrongKind(_) | PeopleError::Evaluation(_) => ErrorKind::Ours,
            PeopleError::Profiles(error) => error.kind(),
            PeopleError::Table(error) => error.kind(),
            PeopleError::Lake(error) => error.kind(),
        }
    }
}

/// People sorted by id, each thing that was looked up as a column.
#[derive(Clone, Debug)]
pub struct People {
    as_of: Instant,
    ids: StringChunked,
    columns: BTreeMap<LookupKey, Series>,
    /// Of whose numbers some are none.
    with_nan: BTreeSet<LookupKey>,
}

impl People {
    /// People of whom nothing has been looked up but their ids, sorted.
    pub fn new(as_of: Instant, ids: StringChunked) -> People {
        let columns = BTreeMap::from([(LookupKey::UserId, ids.clone().into_series())]);
        People { as_of, ids, columns, with_nan: BTreeSet::new() }
    }

    /// The same with a column, one value a person: Float64, Int64 or Datetime for numbers, String, Boolean, or List of String.
    ///
    /// # Errors
    /// When it is of another kind than the key's values or not as long as the people.
    pub fn with(mut self, key: LookupKey, column: Series) -> Result<People, PeopleError> {
        match column.len() == self.len() && has_kind(&key, column.dtype()) {
            true => {
                match has_nan(&column) {
                    true => self.with_nan.insert(key.clone()),
                    false => self.with_nan.remove(&key),
                };
                self.columns.insert(key, column);
                Ok(self)
            }
            false => Err(PeopleError::WrongKind(key)),
        }
    }

    /// The moment that they are seen at.
    pub fn as_of(&self) -> Instant {
        self.as_of
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Is there nobody?
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Their ids.
    pub fn ids(&self) -> &StringChunked {
        &self.ids
    }

    /// What was looked up under a key.
    pub fn column(&self, key: &LookupKey) -> Option<&Series> {
        self.columns.get(key)
    }

    /// Are some of the numbers that were looked up under a key none?
    pub fn has_nan(&self, key: &LookupKey) -> bool {
        self.with_nan.contains(key)
    }

    /// How many things were looked up, ids among them.
    pub fn columns(&self) -> usize {
        self.columns.len()
    }

    /// The same people without what uploaded lists say, which may change while the people do not.
    pub fn without_lists(mut self) -> People {
        self.columns.retain(|key, _| !matches!(key, LookupKey::List(_)));
        self
    }

    /// What was looked up, in order.
    pub fn keys(&self) -> impl Iterator<Item = &LookupKey> {
        self.columns.keys()
    }

    /// What is needed and was not looked up.
    pub fn missing(&self, needs: &Needs) -> Vec<LookupKey> {
        needs.keys.iter().filter(|key| !self.columns.contains_key(key)).cloned().collect()
    }

    /// The row of a user.
    pub fn row_of(&self, user_id: &str) -> Option<usize> {
        index_of(&self.ids, user_id)
    }

    /// What was looked up of the person of a row, of all that is needed.
    pub fn person_for(&self, row: usize, needs: &Needs) -> Person {
        let columns = needs.keys.iter().filter_map(|key| Some((key, self.columns.get(key)?)));
        columns.map(|(key, column)| (key.clone(), column.get(row).ok().and_then(known))).collect()
    }

    /// What was looked up of the person of a row.
    pub fn person(&self, row: usize) -> Person {
        let known =
            |(key, column): (&LookupKey, &Series)| (key.clone(), column.get(row).ok().and_then(known));
        self.columns.iter().map(known).collect()
    }
}

fn has_nan(column: &Series) -> bool {
    column.f64().is_ok_and(|numbers| numbers.iter().flatten().any(f64::is_nan))
}

fn known(value: AnyValue<'_>) -> Option<KnownValue> {
    match value {
        AnyValue::Boolean(truth) => Some(KnownValue::Truth(truth)),
        AnyValue::String(text) => Some(KnownValue::Text(text.to_string())),
        AnyValue::Int64(number) | AnyValue::Datetime(number, TimeUnit::Microseconds, _) => {
            Some(KnownValue::Number(number as f64))
        }
        AnyValue::Float64(number) => Some(KnownValue::Number(number)),
        AnyValue::List(list) => {
            let texts = list.str().ok()?;
            Some(KnownValue::Set(texts.iter().flatten().map(str::to_string).collect()))
        }
        _ => None,
    }
}

/// Are values of this type what the key is asked for? Of features and attributes the catalogue knows, each of its own.
fn has_kind(key: &LookupKey, found: &DataType) -> bool {
    let is_number = matches!(found, DataType::Float64 | DataType::Int64);
    let is_text = *found == DataType::String;
    let is_set = matches!(found, DataType::List(inner) if **inner == DataType::String);
    let is_moment = matches!(found, DataType::Datetime(TimeUnit::Microseconds, _));
    match key {
        LookupKey::Feature(_) => is_number || is_text || is_set,
        LookupKey::Attribute(_, FieldType::Number) => is_number,
        LookupKey::Attribute(_, FieldType::Truth) => *found == DataType::Boolean,
        LookupKey::Attribute(_, FieldType::Moment) => is_moment,
        LookupKey::Attribute(_, FieldType::Set) => is_set,
        LookupKey::Attribute(..) => is_text,
        LookupKey::UserId
        | LookupKey::Declared(DeclaredField::Consent)
        | LookupKey::Computed(Computed::RhythmGroup) => is_text,
        LookupKey::Declared(
            DeclaredField::OptedOut | DeclaredField::CanBePushed | DeclaredField::Personalisation,
        )
        | LookupKey::List(_) => *found == DataType::Boolean,
        LookupKey::Declared(DeclaredField::MutedCategories | DeclaredField::Channels) => is_set,
        LookupKey::Declared(DeclaredField::CreatedAt) => is_moment,
        LookupKey::Declared(DeclaredField::MaxPerDay)
        | LookupKey::Computed(_)
        | LookupKey::Interest(_)
        | LookupKey::TagInterest(_)
        | LookupKey::Events(_)
        | LookupKey::Propensity(_)
        | LookupKey::PropensityDecile(_)
        | LookupKey::Bucket(_) => is_number,
    }
}
