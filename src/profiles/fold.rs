//! Folding the lake into one accumulator per user, file by file, on all cores.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};

use super::ProfileError;
use domain::identity::hash_of;
use domain::time::Instant;
use domain::zone::{ZoneCode, Zones};
use events::lake::{Lake, LakeFile};
use events::stored::{EventColumn, StoredEvents};

/// What accumulators see of an event.
#[derive(Clone, Copy, Debug)]
pub struct EventRow<'a> {
    /// The event's name.
    pub name: &'a str,
    /// When.
    pub timestamp: Instant,
    /// The stamp says nothing of the time of day.
    pub date_only: bool,
    /// It names the decision whose push led to it.
    pub is_led_to: bool,
    /// The zone the event brought.
    pub zone: Option<ZoneCode>,
    /// Its id; empty unless it brought a zone or the fold asked for ids.
    pub message_id: &'a str,
    /// Its content; `None` unless asked for.
    pub content_id: Option<&'a str>,
    /// Its session; `None` unless asked for.
    pub session_id: Option<&'a str>,
    /// Its value; `None` unless asked for.
    pub value: Option<f64>,
}

/// Integer sums over a user's events: absorbing in any order, in any split, comes to the same.
pub trait Accumulator: Send {
    /// Takes in one event.
    fn absorb(&mut self, event: &EventRow<'_>);
    /// Takes in another part of the same user.
    fn merge(&mut self, other: Self);
}

/// Which columns a fold reads beside user, name, time and zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Columns {
    /// No others.
    Activity,
    /// Content, session, value and id.
    All,
}

/// Folds all events before `until`, by user id in order. `make` gives an empty accumulator; `watch` is told
/// after each file how many of how many are done, from any thread.
pub fn fold_users<A: Accumulator>(
    lake: &Lake,
    until: Instant,
    columns: Columns,
    zones: &Mutex<Zones>,
    make: &(impl Fn() -> A + Sync),
    watch: &(impl Fn(usize, usize) + Sync),
) -> Result<BTreeMap<String, A>, ProfileError> {
    // Newest first: what is kept of the latest events then fills up at once, and older ones are passed over.
    let files: Vec<&LakeFile> = lake.files_before(until).into_iter().rev().collect();
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let users = Users::new();
    let worker = || -> Result<(), ProfileError> {
        let mut names = ZoneNames { shared: zones, known: HashMap::new() };
        while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            fold_file(lake, file, until, columns, &mut names, make, &users)?;
            watch(done.fetch_add(1, Ordering::Relaxed) + 1, files.len());
        }
        Ok(())
    };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let results = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        threads.into_iter().map(|thread| thread.join()).collect::<Vec<_>>()
    });
    for result in results {
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    }
    Ok(users.sorted())
}

/// Accumulators that all threads fill: one for each user, so memory does not grow with threads.
///
/// Whose turn it is does not show, because absorbing in any order comes to the same.
struct Users<A> {
    shards: Vec<Mutex<HashMap<String, A>>>,
}

/// Enough that threads seldom meet.
const SHARDS: u64 = 256;

impl<A> Users<A> {
    fn new() -> Users<A> {
        Users { shards: (0..SHARDS).map(|_| Mutex::new(HashMap::new())).collect() }
    }

    fn shard_of(&self, user_id: &str) -> MutexGuard<'_, HashMap<String, A>> {
        let shard = (hash_of(user_id.as_bytes()) % SHARDS) as usize;
        self.shards[shard].lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn sorted(self) -> BTreeMap<String, A> {
        let shards = self.shards.into_iter();
        shards.flat_map(|shard| shard.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner())).collect()
    }
}

/// Zone names of a thread, by the codes that all threads share.
struct ZoneNames<'a> {
    shared: &'a Mutex<Zones>,
    known: HashMap<String, Option<ZoneCode>>,
}

impl ZoneNames<'_> {
    fn code(&mut self, name: &str) -> Option<ZoneCode> {
        if let Some(code) = self.known.get(name) {
            return *code;
        }
        let mut shared = self.shared.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let code = shared.code(name).ok();
        self.known.insert(name.to_string(), code);
        code
    }
}

fn fold_file<A: Accumulator>(
    lake: &Lake,
    file: &LakeFile,
    until: Instant,
    columns: Columns,
    zones: &mut ZoneNames<'_>,
    make: &impl Fn() -> A,
    users: &Users<A>,
) -> Result<(), ProfileError> {
    let mut wanted = vec![
        EventColumn::UserId,
        EventColumn::Name,
        EventColumn::Timestamp,
        EventColumn::DateOnly,
        EventColumn::TimeZone,
        EventColumn::DecisionId,
    ];
    if columns == Columns::All {
        wanted.extend([
            EventColumn::MessageId,
            EventColumn::ContentId,
            EventColumn::SessionId,
            EventColumn::Value,
        ]);
    }
    let mut events = lake.events(file, &wanted)?;
    if columns == Columns::Activity && events.bring_zones() {
        // Ties between zones are broken by message_id.
        wanted.push(EventColumn::MessageId);
        events = lake.events(file, &wanted)?;
    }
    fold_events(&events, until, zones, make, users);
    Ok(())
}

fn fold_events<A: Accumulator>(
    events: &StoredEvents,
    until: Instant,
    zones: &mut ZoneNames<'_>,
    make: &impl Fn() -> A,
    users: &Users<A>,
) {
    let mut events = events.iter().peekable();
    // A file is sorted by user, so each user's accumulator is looked up once.
    while let Some(user_id) = events.peek().map(|event| event.user_id) {
        let mut shard = users.shard_of(user_id);
        let mut fresh = None;
        let (accumulator, is_known) = match shard.get_mut(user_id) {
            Some(known) => (known, true),
            None => (fresh.insert(make()), false),
        };
        let mut absorbed = 0;
        while let Some(event) = events.next_if(|event| event.user_id == user_id) {
            if event.timestamp < until {
                absorbed += 1;
                accumulator.absorb(&EventRow {
                    name: event.name,
                    timestamp: event.timestamp,
                    date_only: event.date_only,
                    is_led_to: event.decision_id.is_some(),
                    zone: event.time_zone.and_then(|name| zones.code(name)),
                    message_id: event.message_id,
                    content_id: event.content_id,
                    session_id: event.session_id,
                    value: event.value,
                });
            }
        }
        if let Some(fresh) = fresh.filter(|_| absorbed > 0 && !is_known) {
            shard.insert(user_id.to_string(), fresh);
        }
    }
}
