//! Events that repeat others of the same user: at another hour, the mark of a wrong `--time-zone`, or at the same moment with
//! other fields, the mark of another mapping.

use std::collections::HashMap;

use super::lake::Lake;
use super::records::{Event, TextField};
use super::stored::{EventColumn, StoredEvent};
use domain::event::{is_push_side, standard_name};
use domain::identity::hash_of;
use domain::time::{Day, HOUR, MINUTE};
use files::tables::TableError;

/// All clocks of the world differ by whole quarters of an hour.
const STEP: i64 = 15 * MINUTE;

/// No two clocks of a day differ by more, but for those across the date line.
const MOST_STEPS: i64 = 56;

/// Possible moves, from −14 h to +14 h.
const MOVES: usize = 2 * MOST_STEPS as usize + 1;

/// Events of one user, name and content that are compared on one day.
const MOST_ALIKE: usize = 64;

/// Moves that may be as frequent as the best one: each earlier ingest with another zone brings one.
const MOST_EARLIER: usize = 4;

/// Below so many events, half of them must have moved; above, a tenth.
const FEW: u64 = 20;

/// How many events lie at each distance from one alike that was there before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoveCounts {
    /// Events that were compared.
    compared: u64,
    /// By move.
    counts: [u64; MOVES],
    /// Events without an id of their own whose moments were compared, and those that had others at theirs.
    moments: (u64, u64),
}

impl Default for MoveCounts {
    fn default() -> MoveCounts {
        MoveCounts { compared: 0, counts: [0; MOVES], moments: (0, 0) }
    }
}

/// Events that all repeat others at the same distance in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShiftedRepeats {
    /// How many.
    pub count: u64,
    /// Later than the others by so many minutes; earlier when negative. Several where summer time lies between, or where
    /// several ingests brought the others.
    pub minutes: Vec<i64>,
}

impl ShiftedRepeats {
    /// `8 h`, `5 h 30 min`, `1 h or 2 h`.
    pub fn distance(&self) -> String {
        let one = |minutes: &i64| {
            let minutes = minutes.abs();
            match (minutes / 60, minutes % 60) {
                (hours, 0) => format!("{hours} h"),
                (0, minutes) => format!("{minutes} min"),
                (hours, minutes) => format!("{hours} h {minutes} min"),
            }
        };
        self.minutes.iter().map(one).collect::<Vec<_>>().join(" or ")
    }
}

impl MoveCounts {
    /// Adds the counts of another day.
    pub fn merge(&mut self, other: &MoveCounts) {
        self.compared += other.compared;
        self.counts.iter_mut().zip(other.counts).for_each(|(sum, count)| *sum += count);
        self.moments = (self.moments.0 + other.moments.0, self.moments.1 + other.moments.1);
    }

    /// Events that have others of the same user, and of the same name or content, at the same moment; when most have.
    pub fn at_same_moment(&self) -> Option<u64> {
        let (compared, met) = self.moments;
        (met * 2 > compared).then_some(met)
    }

    fn add(&mut self, moves: u128) {
        self.compared += 1;
        let counts = self.counts.iter_mut().enumerate();
        counts.filter(|(index, _)| moves >> index & 1 == 1).for_each(|(_, count)| *count += 1);
    }

    /// The one move that many events share and that no other comes near; chance spreads over all of them. When it explains
    /// half of the events, a few others may: the same events were taken in before more than once.
    pub fn shifted(&self) -> Option<ShiftedRepeats> {
        let best = (0..MOVES).max_by_key(|index| self.counts[*index])?;
        let hour = (HOUR / STEP) as usize;
        let beside = [best.wrapping_sub(hour), best + hour];
        let is_summer = |index: &usize| self.counts.get(*index).is_some_and(|c| *c * 5 >= self.counts[best]);
        let second = beside.into_iter().filter(is_summer).max_by_key(|index| self.counts[*index]);
        let second = second.filter(|index| *index != NO_MOVE);
        let others = (0..MOVES).filter(|index| *index != best && Some(*index) != second);
        let rivals: Vec<usize> = others.filter(|index| self.counts[*index] * 3 > self.counts[best]).collect();
        let is_half = self.counts[best] * 2 >= self.compared && rivals.len() < MOST_EARLIER;
        let count = self.counts[best] + second.map_or(0, |index| self.counts[index]);
        let least = if self.compared < FEW { self.compared.div_ceil(2) } else { self.compared / 10 };
        let minutes = |index: usize| (index as i64 - MOST_STEPS) * STEP / MINUTE;
        (count > 0 && count >= least && (rivals.is_empty() || is_half)).then(|| ShiftedRepeats {
            count: count.min(self.compared),
            minutes: std::iter::once(best).chain(second).chain(rivals).map(minutes).collect(),
        })
    }
}

/// Index of the move by nothing.
const NO_MOVE: usize = MOST_STEPS as usize;

/// A new event of a user at a moment: what it was, and whether an old one was there that was the same in part.
struct Moment {
    name: u64,
    content: u64,
    is_met: bool,
}

/// New events by what they must have in common with old ones.
#[derive(Default)]
pub(super) struct Alike {
    by_hash: HashMap<u64, Vec<(i64, u128)>>,
    /// Those without an id of their own by user and stamp.
    by_moment: HashMap<u64, Vec<Moment>>,
    with_id: bool,
}

impl Alike {
    /// Events to compare; `with_id` also compares their message ids.
    pub(super) fn of<'a>(events: impl Iterator<Item = &'a Event<'a>>, with_id: bool) -> Alike {
        let mut alike = Alike { with_id, ..Alike::default() };
        for event in events.filter(|event| !event.date_only) {
            let content = event.texts[TextField::ContentId as usize].as_deref();
            let id = if with_id { &event.message_id } else { "" };
            let stamps = alike.by_hash.entry(hash(id, &event.user_id, &event.name, content)).or_default();
            if stamps.len() < MOST_ALIKE {
                stamps.push((event.timestamp.micros(), 0));
            }
            if !with_id && is_made_up(&event.message_id) {
                alike.add_moment(event, content);
            }
        }
        alike
    }

    fn add_moment(&mut self, event: &Event<'_>, content: Option<&str>) {
        let moments =
            self.by_moment.entry(moment_hash(&event.user_id, event.timestamp.micros())).or_default();
        if moments.len() < MOST_ALIKE {
            let (name, content) = (hash_of(standard_name(&event.name).as_bytes()), content_hash(content));
            moments.push(Moment { name, content, is_met: false });
        }
    }

    /// The stages of a push may share a moment: an old event of a push is the same only by its name.
    fn compare_moment(&mut self, old: &StoredEvent<'_>) {
        let Some(moments) = self.by_moment.get_mut(&moment_hash(old.user_id, old.timestamp.micros())) else {
            return;
        };
        let (name, content) = (hash_of(standard_name(old.name).as_bytes()), content_hash(old.content_id));
        let is_of_push = is_push_side(old.name);
        for moment in moments {
            moment.is_met |= moment.name == name || (!is_of_push && moment.content == content);
        }
    }

    fn compare(&mut self, old: &StoredEvent<'_>) {
        if !self.by_moment.is_empty() {
            self.compare_moment(old);
        }
        let id = if self.with_id { old.message_id } else { "" };
        let Some(stamps) = self.by_hash.get_mut(&hash(id, old.user_id, old.name, old.content_id)) else {
            return;
        };
        for (stamp, moves) in stamps {
            let distance = *stamp - old.timestamp.micros();
            let steps = distance / STEP;
            if distance % STEP == 0 && steps != 0 && steps.abs() <= MOST_STEPS {
                *moves |= 1 << (steps + MOST_STEPS);
            }
        }
    }

    fn counts(&self) -> MoveCounts {
        let mut counts = MoveCounts::default();
        self.by_hash.values().flatten().for_each(|(_, moves)| counts.add(*moves));
        let moments = || self.by_moment.values().flatten();
        let met = moments().filter(|moment| moment.is_met).count();
        counts.moments = (moments().count() as u64, met as u64);
        counts
    }
}

/// Is an id the one that an event without any gets?
fn is_made_up(message_id: &str) -> bool {
    message_id.len() == 64 && message_id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn moment_hash(user_id: &str, micros: i64) -> u64 {
    hash_of([user_id.as_bytes(), &micros.to_le_bytes()].concat().as_slice())
}

fn content_hash(content: Option<&str>) -> u64 {
    hash_of(content.unwrap_or_default().as_bytes())
}

fn hash(message_id: &str, user_id: &str, name: &str, content_id: Option<&str>) -> u64 {
    hash_of([message_id, user_id, name, content_id.unwrap_or_default()].join("\0").as_bytes())
}

/// Compares new events of a day, and those whose id was known, with what the lake has on that day and its neighbours.
pub(super) fn compare_day(
    lake: &Lake,
    day: Day,
    mut new: Alike,
    mut known: Alike,
) -> Result<(MoveCounts, MoveCounts), TableError> {
    const COLUMNS: [EventColumn; 5] = [
        EventColumn::UserId,
        EventColumn::Name,
        EventColumn::ContentId,
        EventColumn::Timestamp,
        EventColumn::MessageId,
    ];
    let columns = if known.by_hash.is_empty() { &COLUMNS[..4] } else { &COLUMNS[..] };
    for day in [day.0 - 1, day.0, day.0 + 1].map(Day) {
        let Some(file) = lake.file_of(day) else { continue };
        for old in lake.events(file, columns)?.iter() {
            new.compare(&old);
            known.compare(&old);
        }
    }
    Ok((new.counts(), known.counts()))
}
