//! What declared users said, as columns in the order of the people.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use polars::prelude::*;

use super::attributes;
use crate::language::keys::{DeclaredField, LookupKey};
use domain::device::Device;
use domain::zone::Zone;
use events::columns::{Column, Users, users};
use events::declared::DeclaredTable;
use files::tables::TableError;
use files::workspace::Workspace;

/// People whose rows are sought by one thread at a time.
const STRETCH: usize = 65_536;

/// The columns of those keys that declared users answer; nobody declared is a table of nobody.
pub(super) fn columns<'a>(
    workspace: &Workspace,
    ids: &StringChunked,
    keys: impl Iterator<Item = &'a LookupKey>,
    zone: &Zone,
) -> Result<BTreeMap<LookupKey, Series>, TableError> {
    let keys: Vec<&LookupKey> =
        keys.filter(|key| matches!(key, LookupKey::Declared(_) | LookupKey::Attribute(_))).collect();
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut columns: Vec<Column<Users>> = keys.iter().map(|key| stored_column(key)).collect();
    columns.push(users::ID);
    columns.sort_unstable_by_key(|column| column.name());
    columns.dedup_by_key(|column| column.name());
    let said = DeclaredRows::read(workspace, ids, &columns)?;
    Ok(keys.iter().map(|key| ((*key).clone(), said.column(key, zone))).collect())
}

/// Ids of all declared users, sorted.
pub(super) fn ids(workspace: &Workspace) -> Result<StringChunked, TableError> {
    let table = DeclaredTable::read(workspace, &[users::ID])?;
    Ok(table.texts(users::ID).sort(false))
}

fn stored_column(key: &LookupKey) -> Column<Users> {
    match key {
        LookupKey::Declared(DeclaredField::Consent | DeclaredField::OptedOut) => users::CONSENT,
        LookupKey::Declared(DeclaredField::Personalisation) => users::PERSONALISATION,
        LookupKey::Declared(DeclaredField::MaxPerDay) => users::MAX_PER_DAY,
        LookupKey::Declared(DeclaredField::MutedCategories) => users::MUTED_CATEGORIES,
        LookupKey::Declared(DeclaredField::Channels) => users::DEVICES,
        LookupKey::Declared(DeclaredField::CreatedAt) => users::CREATED_AT,
        _ => users::ATTRIBUTES,
    }
}

/// What declared users said, a row a person: of nulls for a person who was not declared.
struct DeclaredRows {
    /// Without rows when nobody was declared.
    table: DeclaredTable<Users>,
    people: usize,
}

impl DeclaredRows {
    fn read(
        workspace: &Workspace,
        ids: &StringChunked,
        columns: &[Column<Users>],
    ) -> Result<DeclaredRows, TableError> {
        let stored = DeclaredTable::read(workspace, columns)?;
        let rows = if stored.is_empty() { None } else { align(ids, stored.texts(users::ID)) };
        let table = match rows {
            Some(rows) => stored.take(&rows)?,
            None => stored,
        };
        Ok(DeclaredRows { table, people: ids.len() })
    }

    fn texts(&self, column: Column<Users>) -> StringChunked {
        if self.table.is_empty() {
            return StringChunked::full_null(column.name().into(), self.people);
        }
        self.table.texts(column).clone()
    }

    fn wholes(&self, column: Column<Users>) -> Int64Chunked {
        if self.table.is_empty() {
            return Int64Chunked::full_null(column.name().into(), self.people);
        }
        self.table.wholes(column).clone()
    }

    fn column(&self, key: &LookupKey, zone: &Zone) -> Series {
        let stored = stored_column(key);
        match key {
            LookupKey::Declared(DeclaredField::Consent) => {
                let words = self.texts(stored);
                let words = words.iter().map(|word| Some(consent(word)));
                StringChunked::from_iter_options(stored.name().into(), words).into_series()
            }
            LookupKey::Declared(DeclaredField::OptedOut) => {
                let words = self.texts(stored);
                // A word that cannot be read is no consent: safety fails closed.
                (words.not_equal_missing("granted") & words.is_not_null()).into_series()
            }
            LookupKey::Declared(DeclaredField::Personalisation) => {
                self.texts(stored).not_equal_missing("off").into_series()
            }
            LookupKey::Declared(DeclaredField::MutedCategories) => {
                let split = |text: Option<&str>| {
                    Some(text.map(|text| text.split(';').map(str::to_string).collect()).unwrap_or_default())
                };
                sets(self.texts(stored).iter().map(split))
            }
            LookupKey::Declared(DeclaredField::Channels) => sets(self.texts(stored).iter().map(channels)),
            LookupKey::Declared(DeclaredField::MaxPerDay) => self.wholes(stored).into_series(),
            LookupKey::Declared(DeclaredField::CreatedAt) => {
                let moments = self.wholes(stored);
                moments.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_series()
            }
            LookupKey::Attribute(attribute) => {
                let written = self.texts(stored);
                attributes::column(&written.iter().collect::<Vec<_>>(), attribute, zone)
            }
            // `columns` asks for no other key.
            _ => self.texts(stored).into_series(),
        }
    }
}

/// For each id its row among the stored ones; `None` when they are the same ids in the same order.
///
/// Both are sorted, so a walk over both is enough, each stretch of ids from where it begins; if the stored ones were not, each id
/// would be sought by itself.
fn align(ids: &StringChunked, stored: &StringChunked) -> Option<IdxCa> {
    let (ids, stored) = (ids.rechunk(), stored.rechunk());
    let is_whole = ids.null_count() == 0 && stored.null_count() == 0;
    if is_whole && are_equal(&ids, &stored) {
        return None;
    }
    if !(is_whole && ascends(&stored)) {
        let named = stored.iter().zip(0..).filter_map(|(id, row)| Some((id?, row)));
        let rows: HashMap<&str, IdxSize> = named.collect();
        return Some(IdxCa::from_iter_options("row".into(), ids.iter().map(|id| rows.get(id?).copied())));
    }
    let (ids, stored) = (ids.downcast_as_array(), stored.downcast_as_array());
    let rows = parallel::in_chunks(ids.len(), STRETCH, |stretch| {
        let mut next = first_from(stored.len(), |row| stored.value(row) >= ids.value(stretch.start));
        let row = |index: usize| {
            while next < stored.len() {
                match stored.value(next).cmp(ids.value(index)) {
                    Ordering::Less => next += 1,
                    Ordering::Equal => return IdxSize::try_from(next).ok(),
                    Ordering::Greater => return None,
                }
            }
            None
        };
        stretch.map(row).collect::<Vec<_>>()
    });
    Some(IdxCa::from_iter_options("row".into(), rows.into_iter().flatten()))
}

/// Are ids without gaps, in one piece each, the same ones?
fn are_equal(ids: &StringChunked, others: &StringChunked) -> bool {
    let (ids, others) = (ids.downcast_as_array(), others.downcast_as_array());
    let are_equal =
        |stretch: Range<usize>| stretch.into_iter().all(|index| ids.value(index) == others.value(index));
    ids.len() == others.len()
        && parallel::in_chunks(ids.len(), STRETCH, are_equal).into_iter().all(|are_equal| are_equal)
}

/// Are ids without gaps, in one piece, each larger than the one before?
fn ascends(ids: &StringChunked) -> bool {
    let ids = ids.downcast_as_array();
    let ascends = |stretch: Range<usize>| {
        let before = stretch.start.saturating_sub(1);
        let mut pairs = (before + 1..stretch.end).map(|index| (ids.value(index - 1), ids.value(index)));
        pairs.all(|(before, after)| before < after)
    };
    parallel::in_chunks(ids.len(), STRETCH, ascends).into_iter().all(|ascends| ascends)
}

/// The first row of so many for which something holds that holds for all behind it too.
fn first_from(rows: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, rows);
    while low < high {
        let middle = low + (high - low) / 2;
        match holds(middle) {
            true => high = middle,
            false => low = middle + 1,
        }
    }
    low
}

/// The word as decisions know it; one that cannot be read counts as a refusal.
fn consent(word: Option<&str>) -> &'static str {
    match word {
        None => "unknown",
        Some("granted") => "granted",
        Some(_) => "denied",
    }
}

/// Channels of the devices that can be reached; unknown when nobody said, or it cannot be read.
fn channels(devices: Option<&str>) -> Option<Vec<String>> {
    let devices: Vec<Device> = serde_json::from_str(devices?).ok()?;
    let mut channels: Vec<String> =
        devices.into_iter().filter(|device| device.active).map(|device| device.channel).collect();
    channels.sort_unstable();
    channels.dedup();
    Some(channels)
}

/// A column of sets.
pub(super) fn sets(sets: impl Iterator<Item = Option<Vec<String>>>) -> Series {
    let sets: Vec<Option<Vec<String>>> = sets.collect();
    let mut builder = ListStringChunkedBuilder::new("set".into(), sets.len(), sets.len());
    for set in &sets {
        match set {
            Some(elements) => builder.append_values_iter(elements.iter().map(String::as_str)),
            None => builder.append_null(),
        }
    }
    builder.finish().into_series()
}
