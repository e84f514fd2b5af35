//! What declared users said, as columns in the order of the people.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::Path;

use polars::prelude::*;

use super::attributes;
use crate::language::keys::{Declared, Key};
use domain::device::Device;
use domain::zone::Zone;
use files::tables::{self, TableError};
use files::workspace::Workspace;

/// People whose rows are sought by one thread at a time.
const STRETCH: usize = 65_536;

/// The columns of those keys that declared users answer; nobody declared is a table of nobody.
pub(super) fn columns<'a>(
    workspace: &Workspace,
    ids: &StringChunked,
    keys: impl Iterator<Item = &'a Key>,
    zone: &Zone,
) -> Result<BTreeMap<Key, Series>, TableError> {
    let keys: Vec<&Key> = keys.filter(|key| matches!(key, Key::Declared(_) | Key::Attribute(_))).collect();
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let path = workspace.table("users");
    let names = keys.iter().map(|key| stored_name(key)).chain(["user_id"]);
    let users = Users::read(&path, ids, names.collect())?;
    let column =
        |key: &&Key| Ok(((*key).clone(), users.column(key, zone).map_err(TableError::parquet(&path))?));
    keys.iter().map(column).collect()
}

/// Ids of all declared users, sorted.
pub(super) fn ids(workspace: &Workspace) -> Result<StringChunked, TableError> {
    let path = workspace.table("users");
    if !path.exists() {
        return Ok(StringChunked::full_null("user_id".into(), 0));
    }
    let frame = tables::read_parquet(&path, Some(&["user_id"]))?;
    let ids = frame
        .column("user_id")
        .and_then(|column| column.str().cloned())
        .map_err(TableError::parquet(&path))?;
    Ok(ids.sort(false))
}

fn stored_name(key: &Key) -> &'static str {
    match key {
        Key::Declared(Declared::Consent | Declared::OptedOut) => "consent",
        Key::Declared(Declared::Personalisation) => "personalisation",
        Key::Declared(Declared::MaxPerDay) => "max_per_day",
        Key::Declared(Declared::MutedCategories) => "muted_categories",
        Key::Declared(Declared::Channels) => "devices",
        Key::Declared(Declared::CreatedAt) => "created_at",
        _ => "attributes",
    }
}

/// What declared users said, a row a person: of nulls where he was not declared.
struct Users {
    /// Without columns when nobody was declared.
    frame: DataFrame,
    people: usize,
}

impl Users {
    fn read(path: &Path, ids: &StringChunked, mut names: Vec<&str>) -> Result<Users, TableError> {
        if !path.exists() {
            return Ok(Users { frame: DataFrame::empty(), people: ids.len() });
        }
        names.sort_unstable();
        names.dedup();
        let frame = tables::read_parquet(path, Some(&names))?;
        let aligned = || match align(ids, frame.column("user_id")?.str()?) {
            Some(rows) => frame.take(&rows),
            None => Ok(frame.clone()),
        };
        Ok(Users { frame: aligned().map_err(TableError::parquet(path))?, people: ids.len() })
    }

    fn texts(&self, name: &str) -> PolarsResult<StringChunked> {
        match self.frame.width() {
            0 => Ok(StringChunked::full_null(name.into(), self.people)),
            _ => self.frame.column(name)?.str().cloned(),
        }
    }

    fn wholes(&self, name: &str) -> PolarsResult<Int64Chunked> {
        match self.frame.width() {
            0 => Ok(Int64Chunked::full_null(name.into(), self.people)),
            _ => self.frame.column(name)?.to_physical_repr().i64().cloned(),
        }
    }

    fn column(&self, key: &Key, zone: &Zone) -> PolarsResult<Series> {
        let name = stored_name(key);
        Ok(match key {
            Key::Declared(Declared::Consent) => {
                let words = self.texts(name)?;
                let words = words.iter().map(|word| Some(consent(word)));
                StringChunked::from_iter_options(name.into(), words).into_series()
            }
            Key::Declared(Declared::OptedOut) => {
                let words = self.texts(name)?;
                // A word that cannot be read is no consent: safety fails closed.
                (words.not_equal_missing("granted") & words.is_not_null()).into_series()
            }
            Key::Declared(Declared::Personalisation) => {
                self.texts(name)?.not_equal_missing("off").into_series()
            }
            Key::Declared(Declared::MutedCategories) => {
                let split = |text: Option<&str>| {
                    Some(text.map(|text| text.split(';').map(str::to_string).collect()).unwrap_or_default())
                };
                sets(self.texts(name)?.iter().map(split))
            }
            Key::Declared(Declared::Channels) => sets(self.texts(name)?.iter().map(channels)),
            Key::Declared(Declared::MaxPerDay) => self.wholes(name)?.into_series(),
            Key::Declared(Declared::CreatedAt) => {
                self.wholes(name)?.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_series()
            }
            Key::Attribute(attribute) => {
                let written = self.texts(name)?;
                attributes::column(&written.iter().collect::<Vec<_>>(), attribute, zone)
            }
            _ => self.wholes(name)?.into_series(),
        })
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
        let places: HashMap<&str, IdxSize> = named.collect();
        return Some(IdxCa::from_iter_options("row".into(), ids.iter().map(|id| places.get(id?).copied())));
    }
    let (ids, stored) = (ids.downcast_as_array(), stored.downcast_as_array());
    let rows = parallel::in_chunks(ids.len(), STRETCH, |stretch| {
        let mut next = first_from(stored.len(), |row| stored.value(row) >= ids.value(stretch.start));
        let row = |place: usize| {
            while next < stored.len() {
                match stored.value(next).cmp(ids.value(place)) {
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
        |stretch: Range<usize>| stretch.into_iter().all(|place| ids.value(place) == others.value(place));
    ids.len() == others.len()
        && parallel::in_chunks(ids.len(), STRETCH, are_equal).into_iter().all(|are_equal| are_equal)
}

/// Are ids without gaps, in one piece, each larger than the one before?
fn ascends(ids: &StringChunked) -> bool {
    let ids = ids.downcast_as_array();
    let ascends = |stretch: Range<usize>| {
        let before = stretch.start.saturating_sub(1);
        let mut pairs = (before + 1..stretch.end).map(|place| (ids.value(place - 1), ids.value(place)));
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
