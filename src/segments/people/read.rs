//! People out of a workspace: the newest profiles, and beside them what a segment needs; no column more.

use std::collections::BTreeSet;
use std::path::Path;

use polars::prelude::*;

use super::cells::cells;
use super::{People, PeopleError, declared, event_columns};
use crate::language::keys::{Computed, LookupKey, Needs};
use domain::identity::hash_of;
use domain::time::Instant;
use domain::zone::Zone;
use files::tables::{self, TableError};
use files::workspace::Workspace;
use profiles::table::ProfileFile;

impl People {
    /// Reads what a workspace knows of what is needed: everything but best hours, rhythm groups, propensities and lists.
    ///
    /// People are those of the profiles as of a moment, or of the newest ones. Dates among attributes are midnights of `zone`.
    ///
    /// # Errors
    /// When there are no profiles, or a table cannot be read.
    pub fn read(
        workspace: &Workspace,
        as_of: Option<Instant>,
        needs: &Needs,
        zone: &Zone,
    ) -> Result<People, PeopleError> {
        let file = ProfileFile::find(workspace, as_of)?;
        let frame = read_profiles(&file, needs)?;
        let ids = frame.column("user_id").and_then(|column| column.str().cloned());
        let people = People::new(file.as_of, ids.map_err(TableError::parquet(&file.path))?);
        people
            .answered_by(&frame, &file.path, needs)?
            .beside_users(workspace, needs, zone)?
            .beside_events(workspace, needs)
    }

    /// The same people with what else is needed: only what was not looked up before is read.
    ///
    /// # Errors
    /// As [`People::read`], and when the profiles as of their moment are no longer those that they were read from.
    pub fn look_up(self, workspace: &Workspace, needs: &Needs, zone: &Zone) -> Result<People, PeopleError> {
        let needs = Needs { keys: self.missing(needs).into_iter().collect() };
        let mut people = self;
        if needs
            .keys
            .iter()
            .any(|key| !profile_columns(key).is_empty() || matches!(key, LookupKey::Bucket(_)))
        {
            let file = ProfileFile::find(workspace, Some(people.as_of))?;
            let frame = read_profiles(&file, &needs)?;
            let ids = frame.column("user_id").and_then(|column| column.str().cloned());
            let ids = ids.map_err(TableError::parquet(&file.path))?;
            if !ids.iter().eq(people.ids.iter()) {
                let (rows, manifest) = (ids.len() as u64, people.len() as u64);
                return Err(PeopleError::Changed { path: file.path, rows, manifest });
            }
            people = people.answered_by(&frame, &file.path, &needs)?;
        }
        people.beside_users(workspace, &needs, zone)?.beside_events(workspace, &needs)
    }

    /// Declared users who are not among these people, with what is known of them without a profile: declarations and draws.
    ///
    /// # Errors
    /// When the users cannot be read.
    pub fn newcomers(
        &self,
        workspace: &Workspace,
        needs: &Needs,
        zone: &Zone,
    ) -> Result<People, PeopleError> {
        let ids = declared::ids(workspace)?;
        let is_new = |id: &Option<&str>| id.is_some_and(|id| self.row_of(id).is_none());
        let ids = StringChunked::from_iter_options("user_id".into(), ids.iter().filter(is_new));
        let mut people = People::new(self.as_of, ids);
        for key in &needs.keys {
            if let LookupKey::Bucket(salt) = key {
                let column = buckets(&people.ids, salt);
                people = people.with(key.clone(), column)?;
            }
        }
        people.beside_users(workspace, needs, zone)
    }

    /// With what the profile table answers.
    fn answered_by(mut self, frame: &DataFrame, path: &Path, needs: &Needs) -> Result<People, PeopleError> {
        for key in &needs.keys {
            if let Some(column) = of_profiles(key, frame, &self).map_err(TableError::parquet(path))? {
                self = self.with(key.clone(), column)?;
            }
        }
        Ok(self)
    }

    /// With what declared users answer.
    fn beside_users(
        mut self,
        workspace: &Workspace,
        needs: &Needs,
        zone: &Zone,
    ) -> Result<People, PeopleError> {
        for (key, column) in declared::columns(workspace, &self, needs, zone)? {
            self = self.with(key, column)?;
        }
        Ok(self)
    }

    /// With what the lake's events answer.
    fn beside_events(mut self, workspace: &Workspace, needs: &Needs) -> Result<People, PeopleError> {
        let asked = needs.keys.iter().filter_map(|key| match key {
            LookupKey::Events(lookup) => Some(lookup),
            _ => None,
        });
        let asked: Vec<_> = asked.collect();
        if asked.is_empty() {
            return Ok(self);
        }
        let columns = event_columns::columns(workspace, &self.ids, &asked, self.as_of)?;
        for (lookup, column) in asked.into_iter().zip(columns) {
            self = self.with(LookupKey::Events(lookup.clone()), column)?;
        }
        Ok(self)
    }
}

/// The ids and the needed columns of a profile table, and shares of interests under the names of their keys.
///
/// Lists are most of what is read. They are looked through a row group at a time, and only what was found in them is kept.
fn read_profiles(file: &ProfileFile, needs: &Needs) -> Result<DataFrame, PeopleError> {
    let names: BTreeSet<&str> =
        needs.keys.iter().flat_map(profile_columns).copied().chain(["user_id"]).collect();
    let is_share = |key: &&LookupKey| matches!(key, LookupKey::Interest(_) | LookupKey::TagInterest(_));
    let kept: BTreeSet<&str> = needs
        .keys
        .iter()
        .filter(|key| !is_share(key))
        .flat_map(profile_columns)
        .copied()
        .chain(["user_id"])
        .collect();
    let reduced = |group: DataFrame| {
        let mut columns: Vec<Column> =
            kept.iter().map(|name| group.column(name).cloned()).collect::<PolarsResult<_>>()?;
        for key in needs.keys.iter().filter(is_share) {
            columns.push(shares(key, &group)?.with_name(key.to_string().into()).into_column());
        }
        DataFrame::new(group.height(), columns)
    };
    let groups = tables::map_row_groups(&file.path, &names.into_iter().collect::<Vec<_>>(), reduced)?;
    let frame = joined(groups).map_err(TableError::parquet(&file.path))?;
    match (frame.height() as u64, file.manifest.rows) {
        (rows, manifest) if rows == manifest => Ok(frame),
        (rows, manifest) => Err(PeopleError::Changed { path: file.path.clone(), rows, manifest }),
    }
}

/// Row groups as one table.
fn joined(groups: Vec<DataFrame>) -> PolarsResult<DataFrame> {
    let mut groups = groups.into_iter();
    let mut frame = groups.next().unwrap_or_default();
    for group in groups {
        frame.vstack_mut_owned(group)?;
    }
    frame.rechunk_mut_par();
    Ok(frame)
}

/// Columns of the profile table that a key is made of.
fn profile_columns(key: &LookupKey) -> &'static [&'static str] {
    match key {
        LookupKey::Feature(name) => std::slice::from_ref(name_of(name)),
        LookupKey::Interest(_) => &["interest_categories", "interest_category_shares"],
        LookupKey::TagInterest(_) => &["interest_tags", "interest_tag_shares"],
        LookupKey::Computed(Computed::RfmRecency) => &["days_since_purchase"],
        LookupKey::Computed(Computed::RfmFrequency) => &["days_since_purchase", "orders_90d"],
        LookupKey::Computed(Computed::RfmMoney) => &["days_since_purchase", "revenue_total"],
        _ => &[],
    }
}

/// The entry of the feature list, whose name is static.
fn name_of(name: &str) -> &'static &'static str {
    use profiles::features::FEATURES;
    FEATURES.iter().find(|feature| feature.name == name).map_or(&"user_id", |feature| &feature.name)
}

/// What the profile table answers; `None` of other keys.
fn of_profiles(key: &LookupKey, frame: &DataFrame, people: &People) -> PolarsResult<Option<Series>> {
    let series = |name: &str| frame.column(name).map(|column| column.as_materialized_series().clone());
    Ok(Some(match key {
        LookupKey::Feature(name) => series(name)?,
        LookupKey::Interest(_) | LookupKey::TagInterest(_) => series(&key.to_string())?,
        LookupKey::Computed(Computed::RfmRecency) => {
            let days = numbers(&series("days_since_purchase")?)?;
            fifths(&days.into_iter().map(|days| days.map(|days| -days)).collect::<Vec<_>>())
        }
        LookupKey::Computed(Computed::RfmFrequency) => {
            buyers(&series("days_since_purchase")?, &series("orders_90d")?)?
        }
        LookupKey::Computed(Computed::RfmMoney) => {
            buyers(&series("days_since_purchase")?, &series("revenue_total")?)?
        }
        LookupKey::Bucket(salt) => buckets(&people.ids, salt),
        _ => return Ok(None),
    }))
}

/// Each person's share of an interest, out of a part of the profile table.
fn shares(key: &LookupKey, frame: &DataFrame) -> PolarsResult<Series> {
    let series = |name: &str| frame.column(name).map(|column| column.as_materialized_series().clone());
    match key {
        LookupKey::Interest(name) => {
            beside(&series("interest_categories")?, &series("interest_category_shares")?, name)
        }
        LookupKey::TagInterest(name) => {
            beside(&series("interest_tags")?, &series("interest_tag_shares")?, name)
        }
        _ => Err(PolarsError::ColumnNotFound(key.to_string().into())),
    }
}

/// For each person the sum of the numbers beside a name in his two lists, however its letters are cased; 0 without the name.
fn beside(names: &Series, shares: &Series, wanted: &str) -> PolarsResult<Series> {
    let (names, shares) = (names.list()?.rechunk(), shares.list()?.rechunk());
    let (texts, values) = (names.get_inner(), shares.get_inner());
    // Of all lists in one pass.
    let is_wanted = |text: Option<&str>| text.is_some_and(|text| text.eq_ignore_ascii_case(wanted));
    let is_wanted: Vec<bool> = texts.str()?.iter().map(is_wanted).collect();
    let values = values.f64()?.rechunk();
    let values = values.downcast_as_array();
    let starts = shares.downcast_as_array().offsets().iter();
    let ends = names.downcast_as_array().offsets().windows(2);
    let share = |(ends, start): (&[i64], &i64)| {
        let (first, end) = (ends[0] as usize, ends[1] as usize);
        let wanted = (first..end).filter(|index| is_wanted[*index]);
        wanted.filter_map(|index| values.get(*start as usize + index - first)).fold(0.0, |sum, one| sum + one)
    };
    Ok(Float64Chunked::from_vec("share".into(), ends.zip(starts).map(share).collect()).into_series())
}

fn numbers(column: &Series) -> PolarsResult<Vec<Option<f64>>> {
    Ok(match column.dtype() {
        DataType::Int64 => column.i64()?.iter().map(|number| number.map(|number| number as f64)).collect(),
        _ => column.f64()?.iter().collect(),
    })
}

/// Fifths by a number of those who have ever bought.
fn buyers(last_purchase: &Series, number: &Series) -> PolarsResult<Series> {
    let numbers = numbers(number)?.into_iter().zip(numbers(last_purchase)?);
    Ok(fifths(&numbers.map(|(number, last)| number.filter(|_| last.is_some())).collect::<Vec<_>>()))
}

fn fifths(values: &[Option<f64>]) -> Series {
    Int64Chunked::from_iter_options("fifth".into(), cells(values, 5).into_iter()).into_series()
}

/// A draw from 0 … 99 for each person; each name draws on its own.
fn buckets(ids: &StringChunked, salt: &str) -> Series {
    let mut bytes = Vec::new();
    let draw = |id: &str| {
        bytes.clear();
        // The length goes before the name, so that no name and id read as another pair.
        bytes.extend((salt.len() as u64).to_le_bytes());
        bytes.extend(salt.as_bytes());
        bytes.extend(id.as_bytes());
        ((u128::from(hash_of(&bytes)) * 100) >> 64) as i64
    };
    Int64Chunked::from_vec("bucket".into(), ids.iter().map(Option::unwrap_or_default).map(draw).collect())
        .into_series()
}
