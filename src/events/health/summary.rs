//! One day of events in numbers: integer counts that do not depend on order, files or threads.

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

use polars::prelude::*;

use super::people::{People, platform_of};
use crate::lake::{Lake, LakeFile};
use domain::event::is_own;
use domain::identity::hash_of;
use domain::time::{Day, HOUR, Instant};
use files::tables::TableError;

/// Columns that an event may lack.
pub const OPTIONAL: [&str; 8] =
    ["content_id", "value", "session_id", "campaign_id", "decision_id", "channel", "actor_id", "time_zone"];

/// Ids remembered of all days together at most: of more, a share is drawn by hash.
const MOST_IDS: u64 = 4_000_000;

/// One UTC day.
#[derive(Clone, Debug, PartialEq)]
pub struct DaySummary {
    /// The day.
    pub day: Day,
    /// Events of any name.
    pub events: u64,
    /// Users with an event.
    pub users: u64,
    /// Events of the user who has most.
    pub busiest_user: u64,
    /// Events that repeat another in user, name, content, moment and value.
    pub repeated: u64,
    /// The last event with a time of day.
    pub last: Option<Instant>,
    /// Active users by UTC hour: own acts with a time of day.
    pub hours: [u64; 24],
    /// Users by platform, each by his first event of the day: what the event says, else what was declared.
    pub platforms: BTreeMap<String, u64>,
    /// The same by time zone.
    pub zones: BTreeMap<String, u64>,
    /// By name.
    pub names: BTreeMap<String, NameSummary>,
    /// Hashes of (a share of) the users, sorted.
    pub user_hashes: Vec<u64>,
    /// Hashes of (a share of) the contents, sorted.
    pub content_hashes: Vec<u64>,
}

/// Events of one name on one day.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NameSummary {
    /// How many.
    pub events: u64,
    /// How many have a value in each column of [`OPTIONAL`].
    pub known: [u64; OPTIONAL.len()],
    /// How their `value`s lie, where there are any.
    pub values: Option<Spread>,
}

/// Quantiles by nearest rank.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Values.
    pub n: u64,
    /// 1 %.
    pub low: f64,
    /// 50 %.
    pub median: f64,
    /// 99 %.
    pub high: f64,
}

impl Spread {
    fn of(mut values: Vec<f64>) -> Option<Spread> {
        values.sort_unstable_by(f64::total_cmp);
        let last = values.len().checked_sub(1)?;
        let at = |percent: usize| values[last * percent / 100];
        Some(Spread { n: values.len() as u64, low: at(1), median: at(50), high: values[last - last / 100] })
    }
}

impl DaySummary {
    /// A day without events.
    pub fn empty(day: Day) -> DaySummary {
        DaySummary {
            day,
            events: 0,
            users: 0,
            busiest_user: 0,
            repeated: 0,
            last: None,
            hours: [0; 24],
            platforms: BTreeMap::new(),
            zones: BTreeMap::new(),
            names: BTreeMap::new(),
            user_hashes: Vec::new(),
            content_hashes: Vec::new(),
        }
    }

    /// What the manifest alone says of a day: events by name. `None` when its date is none.
    pub fn of_counts(file: &LakeFile) -> Option<DaySummary> {
        let counted = |(name, events): (&String, &u64)| {
            (name.clone(), NameSummary { events: *events, ..NameSummary::default() })
        };
        let names = file.events.iter().map(counted).collect();
        Some(DaySummary { events: file.rows, names, ..DaySummary::empty(Day::parse(&file.date)?) })
    }

    /// Events of one name.
    pub fn count(&self, name: &str) -> u64 {
        self.names.get(name).map_or(0, |own| own.events)
    }

    /// Events that are the users' own acts.
    pub fn own_events(&self) -> u64 {
        self.names.iter().filter(|(name, _)| is_own(name)).map(|(_, own)| own.events).sum()
    }
}

/// Summarises files of the lake, in order of date.
pub fn read(lake: &Lake, files: &[&LakeFile], people: &People) -> Result<Vec<DaySummary>, TableError> {
    let rows: u64 = files.iter().map(|file| file.rows).sum();
    let one_of = rows.div_ceil(MOST_IDS).max(1);
    let days = parallel::map_each(files.len(), |index| read_day(lake, files[index], people, one_of));
    days.into_iter().collect()
}

fn read_day(lake: &Lake, file: &LakeFile, people: &People, one_of: u64) -> Result<DaySummary, TableError> {
    let columns: Vec<&str> =
        ["user_id", "event", "timestamp", "date_only", "properties"].into_iter().chain(OPTIONAL).collect();
    let frame = lake.read(file, Some(&columns))?;
    let columns = Columns::of(&frame).map_err(TableError::parquet(Path::new(&file.path)))?;
    let mut counting = Counting {
        people,
        one_of,
        summary: DaySummary::empty(Day::parse(&file.date).unwrap_or(Day(0))),
        values: BTreeMap::new(),
        seen: HashSet::new(),
        user: None,
        of_user: 0,
        hour: None,
    };
    (0..frame.height()).for_each(|row| counting.absorb(&columns.row(row)));
    Ok(counting.finish())
}

/// The columns of a day's file.
struct Columns<'a> {
    users: &'a StringChunked,
    names: &'a StringChunked,
    stamps: &'a Int64Chunked,
    dates: &'a BooleanChunked,
    properties: &'a StringChunked,
    values: &'a Float64Chunked,
    texts: Vec<Option<&'a StringChunked>>,
}

/// One event.
struct Row<'a> {
    user: &'a str,
    name: &'a str,
    at: Instant,
    date_only: bool,
    properties: Option<&'a str>,
    value: Option<f64>,
    /// In the order of [`OPTIONAL`]; `None` at the value's place.
    texts: [Option<&'a str>; OPTIONAL.len()],
}

impl<'a> Columns<'a> {
    fn of(frame: &'a DataFrame) -> PolarsResult<Columns<'a>> {
        let text = |name: &str| frame.column(name)?.str();
        let optional = |name: &&str| match *name {
            "value" => Ok(None),
            name => text(name).map(Some),
        };
        Ok(Columns {
            users: text("user_id")?,
            names: text("event")?,
            stamps: frame.column("timestamp")?.datetime()?.physical(),
            dates: frame.column("date_only")?.bool()?,
            properties: text("properties")?,
            values: frame.column("value")?.f64()?,
            texts: OPTIONAL.iter().map(optional).collect::<PolarsResult<_>>()?,
        })
    }

    fn row(&self, row: usize) -> Row<'a> {
        let mut texts = [None; OPTIONAL.len()];
        for (text, column) in texts.iter_mut().zip(&self.texts) {
            *text = column.and_then(|column| column.get(row));
        }
        Row {
            user: self.users.get(row).unwrap_or_default(),
            name: self.names.get(row).unwrap_or_default(),
            at: Instant::from_micros(self.stamps.get(row).unwrap_or_default()),
            date_only: self.dates.get(row).unwrap_or_default(),
            properties: self.properties.get(row),
            value: self.values.get(row),
            texts,
        }
    }
}

impl Row<'_> {
    fn content(&self) -> Option<&str> {
        self.texts[0]
    }

    fn zone(&self) -> Option<&str> {
        self.texts[OPTIONAL.len() - 1]
    }

    /// The same for events that tell the same, whatever their ids.
    fn hash(&self) -> u64 {
        let mut bytes = Vec::with_capacity(96);
        for text in [self.user, self.name, self.content().unwrap_or_default()] {
            bytes.extend_from_slice(text.as_bytes());
            bytes.push(0);
        }
        bytes.extend_from_slice(&self.at.micros().to_le_bytes());
        bytes.extend_from_slice(&self.value.unwrap_or(f64::NAN).to_bits().to_le_bytes());
        hash_of(&bytes)
    }
}

/// A day on the way; its events come by user, then time.
struct Counting<'a> {
    people: &'a People,
    one_of: u64,
    summary: DaySummary,
    values: BTreeMap<String, Vec<f64>>,
    seen: HashSet<u64>,
    user: Option<String>,
    of_user: u64,
    hour: Option<i64>,
}

impl Counting<'_> {
    fn absorb(&mut self, row: &Row<'_>) {
        if self.user.as_deref() != Some(row.user) {
            self.begin_user(row);
        }
        self.of_user += 1;
        self.summary.events += 1;
        self.summary.busiest_user = self.summary.busiest_user.max(self.of_user);
        self.summary.repeated += u64::from(!self.seen.insert(row.hash()));
        if !row.date_only {
            self.summary.last = self.summary.last.max(Some(row.at));
            self.count_hour(row);
        }
        if let Some(content) = row.content() {
            remember(&mut self.summary.content_hashes, content, self.one_of);
        }
        self.count_name(row);
    }

    fn begin_user(&mut self, row: &Row<'_>) {
        (self.user, self.of_user, self.hour) = (Some(row.user.to_string()), 0, None);
        self.summary.users += 1;
        remember(&mut self.summary.user_hashes, row.user, self.one_of);
        let person = self.people.get(row.user);
        let declared = |of: fn(&super::people::Person) -> Option<&String>| person.and_then(of).cloned();
        let own = row.properties.and_then(platform_of);
        let platform = own.or_else(|| declared(|person| person.platform.as_ref()));
        let zone = row.zone().map(str::to_string).or_else(|| declared(|person| person.zone.as_ref()));
        for (mix, word) in [(&mut self.summary.platforms, platform), (&mut self.summary.zones, zone)] {
            *mix.entry(word.unwrap_or_else(|| "unknown".into())).or_default() += 1;
        }
    }

    fn count_hour(&mut self, row: &Row<'_>) {
        let hour = row.at.micros().div_euclid(HOUR);
        if is_own(row.name) && self.hour != Some(hour) {
            self.hour = Some(hour);
            self.summary.hours[hour.rem_euclid(24) as usize] += 1;
        }
    }

    fn count_name(&mut self, row: &Row<'_>) {
        if !self.summary.names.contains_key(row.name) {
            self.summary.names.insert(row.name.to_string(), NameSummary::default());
        }
        let Some(own) = self.summary.names.get_mut(row.name) else { return };
        own.events += 1;
        for (index, text) in row.texts.iter().enumerate() {
            let is_known = if OPTIONAL[index] == "value" { row.value.is_some() } else { text.is_some() };
            own.known[index] += u64::from(is_known);
        }
        let Some(value) = row.value else { return };
        match self.values.get_mut(row.name) {
            Some(values) => values.push(value),
            None => drop(self.values.insert(row.name.to_string(), vec![value])),
        }
    }

    fn finish(mut self) -> DaySummary {
        for (name, values) in self.values {
            if let Some(own) = self.summary.names.get_mut(&name) {
                own.values = Spread::of(values);
            }
        }
        for hashes in [&mut self.summary.user_hashes, &mut self.summary.content_hashes] {
            hashes.sort_unstable();
            hashes.dedup();
        }
        self.summary
    }
}

fn remember(hashes: &mut Vec<u64>, id: &str, one_of: u64) {
    let hash = hash_of(id.as_bytes());
    if hash.is_multiple_of(one_of) {
        hashes.push(hash);
    }
}
