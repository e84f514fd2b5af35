//! One day of events in numbers: integer counts that do not depend on order, files or threads.

use std::collections::{BTreeMap, HashSet};

use super::people::People;
use crate::declared::platform_of;
use crate::lake::{Lake, LakeFile};
use crate::stored::{EventColumn, StoredEvent};
use domain::event::is_own;
use domain::identity::hash_of;
use domain::time::{Day, HOUR, Instant};
use files::tables::TableError;

/// Columns that an event may lack.
pub const OPTIONAL: [EventColumn; 8] = [
    EventColumn::ContentId,
    EventColumn::Value,
    EventColumn::SessionId,
    EventColumn::CampaignId,
    EventColumn::DecisionId,
    EventColumn::Channel,
    EventColumn::ActorId,
    EventColumn::TimeZone,
];

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
    let always = [
        EventColumn::UserId,
        EventColumn::Name,
        EventColumn::Timestamp,
        EventColumn::DateOnly,
        EventColumn::Properties,
    ];
    let columns: Vec<EventColumn> = always.into_iter().chain(OPTIONAL).collect();
    let events = lake.events(file, &columns)?;
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
    events.iter().for_each(|event| counting.absorb(&event));
    Ok(counting.finish())
}

/// The same for events that tell the same, whatever their ids.
fn content_hash(event: &StoredEvent<'_>) -> u64 {
    let mut bytes = Vec::with_capacity(96);
    for text in [event.user_id, event.name, event.content_id.unwrap_or_default()] {
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(0);
    }
    bytes.extend_from_slice(&event.timestamp.micros().to_le_bytes());
    bytes.extend_from_slice(&event.value.unwrap_or(f64::NAN).to_bits().to_le_bytes());
    hash_of(&bytes)
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
    fn absorb(&mut self, event: &StoredEvent<'_>) {
        if self.user.as_deref() != Some(event.user_id) {
            self.begin_user(event);
        }
        self.of_user += 1;
        self.summary.events += 1;
        self.summary.busiest_user = self.summary.busiest_user.max(self.of_user);
        self.summary.repeated += u64::from(!self.seen.insert(content_hash(event)));
        if !event.date_only {
            self.summary.last = self.summary.last.max(Some(event.timestamp));
            self.count_hour(event);
        }
        if let Some(content) = event.content_id {
            remember(&mut self.summary.content_hashes, content, self.one_of);
        }
        self.count_name(event);
    }

    fn begin_user(&mut self, event: &StoredEvent<'_>) {
        (self.user, self.of_user, self.hour) = (Some(event.user_id.to_string()), 0, None);
        self.summary.users += 1;
        remember(&mut self.summary.user_hashes, event.user_id, self.one_of);
        let person = self.people.get(event.user_id);
        let declared = |of: fn(&super::people::Person) -> Option<&String>| person.and_then(of).cloned();
        let own = event.properties.and_then(platform_of);
        let platform = own.or_else(|| declared(|person| person.platform.as_ref()));
        let zone = event.time_zone.map(str::to_string).or_else(|| declared(|person| person.zone.as_ref()));
        for (mix, word) in [(&mut self.summary.platforms, platform), (&mut self.summary.zones, zone)] {
            *mix.entry(word.unwrap_or_else(|| "unknown".into())).or_default() += 1;
        }
    }

    fn count_hour(&mut self, event: &StoredEvent<'_>) {
        let hour = event.timestamp.micros().div_euclid(HOUR);
        if is_own(event.name) && self.hour != Some(hour) {
            self.hour = Some(hour);
            self.summary.hours[hour.rem_euclid(24) as usize] += 1;
        }
    }

    fn count_name(&mut self, event: &StoredEvent<'_>) {
        if !self.summary.names.contains_key(event.name) {
            self.summary.names.insert(event.name.to_string(), NameSummary::default());
        }
        let Some(own) = self.summary.names.get_mut(event.name) else { return };
        own.events += 1;
        for (known, column) in own.known.iter_mut().zip(OPTIONAL) {
            *known += u64::from(event.has(column));
        }
        let Some(value) = event.value else { return };
        match self.values.get_mut(event.name) {
            Some(values) => values.push(value),
            None => drop(self.values.insert(event.name.to_string(), vec![value])),
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
