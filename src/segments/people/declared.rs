//! What declared users said, as columns in the order of the people.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use polars::prelude::*;

use super::{People, PeopleError, attributes};
use crate::language::keys::{DeclaredField, LookupKey, Needs};
use domain::consent::{Consent, DeclaredConsent};
use domain::device::Device;
use domain::time::Instant;
use domain::zone::Zone;
use events::columns::{Column, Users, users};
use events::declared::{DeclaredTable, items_of};
use events::lake::Lake;
use events::withdrawals::Withdrawals;
use files::tables::TableError;
use files::workspace::Workspace;

/// People whose rows are sought by one thread at a time.
const STRETCH: usize = 65_536;

/// The columns of those keys that declared users answer; nobody declared is a table of nobody.
pub(super) fn columns(
    workspace: &Workspace,
    people: &People,
    needs: &Needs,
    zone: &Zone,
) -> Result<BTreeMap<LookupKey, Series>, PeopleError> {
    let keys = needs.keys.iter();
    let keys: Vec<&LookupKey> = keys.filter(|key| !stored_columns(key).is_empty()).collect();
    if keys.is_empty() {
        return Ok(BTreeMap::new());
    }
    let mut columns: Vec<Column<Users>> = keys.iter().flat_map(|key| stored_columns(key)).copied().collect();
    columns.push(users::ID);
    columns.sort_unstable_by_key(|column| column.name());
    columns.dedup_by_key(|column| column.name());
    let said = DeclaredRows::read(workspace, people.ids(), &columns)?;
    let consents = match keys.iter().any(|key| is_consent(key)) {
        true => {
            let withdrawals = Withdrawals::read(&Lake::open(workspace)?)?;
            said.consents(people.ids(), &withdrawals)
        }
        false => Vec::new(),
    };
    Ok(keys.iter().map(|key| ((*key).clone(), said.column(key, &consents, zone))).collect())
}

/// Ids of all declared users, sorted.
pub(super) fn ids(workspace: &Workspace) -> Result<StringChunked, TableError> {
    let table = DeclaredTable::read(workspace, &[users::ID])?;
    Ok(table.texts(users::ID).sort(false))
}

/// Is it answered by the consent in force?
fn is_consent(key: &LookupKey) -> bool {
    matches!(key, LookupKey::Declared(DeclaredField::Consent | DeclaredField::OptedOut))
}

/// What is read of the table of users to answer a key; nothing when it is answered elsewhere.
fn stored_columns(key: &LookupKey) -> &'static [Column<Users>] {
    match key {
        LookupKey::Declared(DeclaredField::Consent | DeclaredField::OptedOut) => {
            &[users::CONSENT, users::CONSENT_AT]
        }
        LookupKey::Declared(DeclaredField::Personalisation) => &[users::PERSONALISATION],
        LookupKey::Declared(DeclaredField::MaxPerDay) => &[users::MAX_PER_DAY],
        LookupKey::Declared(DeclaredField::MutedCategories) => &[users::MUTED_CATEGORIES],
        LookupKey::Declared(DeclaredField::Channels) => &[users::DEVICES],
        LookupKey::Declared(DeclaredField::CreatedAt) => &[users::CREATED_AT],
        LookupKey::Attribute(..) => &[users::ATTRIBUTES],
        _ => &[],
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

    /// The consent in force of each person: as declared, unless an event withdrew it since.
    fn consents(&self, ids: &StringChunked, withdrawals: &Withdrawals) -> Vec<Consent> {
        let (words, moments) = (self.texts(users::CONSENT), self.wholes(users::CONSENT_AT));
        let declared = words.iter().zip(moments.iter()).map(|(word, at)| DeclaredConsent {
            consent: Consent::stored(word),
            at: at.map(Instant::from_micros),
        });
        let in_force = |(id, declared): (Option<&str>, DeclaredConsent)| {
            declared.in_force(id.and_then(|id| withdrawals.of(id)))
        };
        ids.iter().zip(declared).map(in_force).collect()
    }

    fn column(&self, key: &LookupKey, consents: &[Consent], zone: &Zone) -> Series {
        match key {
            LookupKey::Declared(DeclaredField::Consent) => {
                let words = consents.iter().map(|consent| Some(word_of(*consent)));
                StringChunked::from_iter_options("consent".into(), words).into_series()
            }
            LookupKey::Declared(DeclaredField::OptedOut) => {
                let refused = consents.iter().map(|consent| Some(consent.has_refused()));
                BooleanChunked::from_iter_options("opted_out".into(), refused).into_series()
            }
            LookupKey::Declared(DeclaredField::Personalisation) => {
                // A word that cannot be read is no leave.
                let words = self.texts(users::PERSONALISATION);
                let is_on = words.iter().map(|word| Some(word.is_none_or(|word| word == "on")));
                BooleanChunked::from_iter_options("personalisation".into(), is_on).into_series()
            }
            LookupKey::Declared(DeclaredField::MutedCategories) => {
                let items = |text: Option<&str>| {
                    let items = text.and_then(items_of).into_iter().flatten();
                    Some(items.map(str::to_string).collect())
                };
                sets(self.texts(users::MUTED_CATEGORIES).iter().map(items))
            }
            LookupKey::Declared(DeclaredField::Channels) => {
                sets(self.texts(users::DEVICES).iter().map(channels))
            }
            LookupKey::Declared(DeclaredField::MaxPerDay) => {
                let most = self.wholes(users::MAX_PER_DAY);
                let most = most.iter().map(|most| most.filter(|most| *most >= 0));
                Int64Chunked::from_iter_options("max_per_day".into(), most).into_series()
            }
            LookupKey::Declared(DeclaredField::CreatedAt) => {
                let moments = self.wholes(users::CREATED_AT);
                moments.into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)).into_series()
            }
            LookupKey::Attribute(attribute, kind) => {
                let written = self.texts(users::ATTRIBUTES);
                attributes::column(&written.iter().collect::<Vec<_>>(), attribute, *kind, zone)
            }
            // `columns` asks for no other key.
            _ => StringChunked::full_null("other".into(), self.people).into_series(),
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

/// What segments call it: whoever withdrew a consent refuses.
fn word_of(consent: Consent) -> &'static str {
    match consent {
        Consent::Withdrawn => Consent::Denied.as_str(),
        consent => consent.as_str(),
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
