//! What is kept of a user's events while they are folded: integers, so that order, threads and splits do not matter.

use std::collections::HashMap;

use super::activity::Activity;
use super::declared::Declared;
use super::features::{Aggregate, Feature, Filter, HalfLife, Window};
use super::fold::{Accumulator, EventRow};
use crate::config::ProfilesConfig;
use crate::domain::event::is_own;
use crate::domain::identity::hash_of;
use crate::domain::time::{DAY, Instant};

/// One unit of decayed weight: 2^32.
pub const UNIT_WEIGHT: i64 = 1 << 32;

/// Sessions older than the longest window are not kept.
const SESSION_DAYS: i64 = 90;

/// `round(2^32 · 2^(−age / half-life))`; ages below zero weigh as zero age.
pub fn decayed_weight(age_micros: i64, half_life_days: f64) -> i64 {
    let age = age_micros.max(0) as f64 / DAY as f64;
    libm::round(UNIT_WEIGHT as f64 * libm::exp2(-age / half_life_days)) as i64
}

/// Days of a half-life.
pub fn half_life_days(half_life: HalfLife, config: &ProfilesConfig) -> f64 {
    match half_life {
        HalfLife::Days(days) => days as f64,
        HalfLife::Interest => config.interest_half_life_days,
        HalfLife::Rhythm => config.rhythm_half_life_days,
        HalfLife::Fatigue => config.fatigue_half_life_days,
    }
}

/// How one event changes one slot.
#[derive(Clone, Copy, Debug)]
enum Step {
    Count,
    Value,
    Latest,
    Weight { half_life_days: f64 },
}

/// The slots of a feature list, and for each event name the steps it takes.
pub struct Plan<'a> {
    as_of: Instant,
    declared: &'a Declared,
    interest_half_life: f64,
    longest_list: usize,
    /// Feature index → slot, for features that are one integer over events.
    slots: Vec<Option<usize>>,
    start: Vec<i64>,
    steps: Vec<(Filter, Instant, usize, Step)>,
}

/// Empty slot of a latest moment.
const NEVER: i64 = i64::MIN;

impl<'a> Plan<'a> {
    /// Lays out the slots of `features` as of a moment.
    pub fn new(
        features: &[Feature],
        as_of: Instant,
        declared: &'a Declared,
        config: &ProfilesConfig,
    ) -> Plan<'a> {
        let mut plan = Plan {
            as_of,
            declared,
            interest_half_life: config.interest_half_life_days,
            longest_list: config.longest_list,
            slots: Vec::new(),
            start: Vec::new(),
            steps: Vec::new(),
        };
        for feature in features {
            let step = match (feature.aggregate, feature.window) {
                (Aggregate::Count, _) => Some(Step::Count),
                (Aggregate::Sum, _) => Some(Step::Value),
                (Aggregate::DaysSinceLast, _) => Some(Step::Latest),
                (Aggregate::Weight, Window::HalfLife(half_life)) => {
                    Some(Step::Weight { half_life_days: half_life_days(half_life, config) })
                }
                _ => None,
            };
            let slot = step.map(|step| plan.add(feature, step));
            plan.slots.push(slot);
        }
        plan
    }

    fn add(&mut self, feature: &Feature, step: Step) -> usize {
        let slot = self.start.len();
        self.start.push(if matches!(step, Step::Latest) { NEVER } else { 0 });
        let from = match feature.window {
            Window::Days(days) => self.as_of.plus(-days * DAY),
            Window::Ever | Window::HalfLife(_) => Instant::MIN,
        };
        self.steps.push((feature.filter, from, slot, step));
        slot
    }

    /// The slot of a feature, by its index in the list.
    pub fn slot(&self, feature: usize) -> Option<usize> {
        self.slots[feature]
    }

    /// An empty accumulator.
    pub fn empty(&self) -> UserEvents<'_> {
        UserEvents {
            plan: self,
            slots: self.start.clone(),
            activity: Activity::default(),
            sessions: HashMap::new(),
            categories: HashMap::new(),
            tags: HashMap::new(),
            recent: Vec::new(),
            first: Instant::MAX,
        }
    }
}

fn counts(filter: Filter, event: &EventRow<'_>) -> bool {
    match filter {
        Filter::All => true,
        Filter::Own => is_own(event.name),
        Filter::Activity => is_own(event.name) && !event.date_only,
        Filter::Named(names) => names.contains(&event.name),
    }
}

/// The last own event and the last purchase of a session.
#[derive(Clone, Copy, Debug)]
pub struct Session {
    /// Last own event.
    pub last: Instant,
    /// Last purchase, if any.
    pub last_purchase: Option<Instant>,
}

/// The events of one user, summed.
pub struct UserEvents<'a> {
    plan: &'a Plan<'a>,
    slots: Vec<i64>,
    activity: Activity,
    sessions: HashMap<u64, Session>,
    categories: HashMap<u32, i64>,
    tags: HashMap<u32, i64>,
    /// The latest own event of each of the newest contents, newest first.
    recent: Vec<(Instant, String)>,
    first: Instant,
}

impl UserEvents<'_> {
    /// Integer slots, by [`Plan::slot`].
    pub fn slots(&self) -> &[i64] {
        &self.slots
    }

    /// Active hours and device zone.
    pub fn activity(&self) -> &Activity {
        &self.activity
    }

    /// Sessions of the last 90 days.
    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values()
    }

    /// Decayed weight by category code, in order of code.
    pub fn categories(&self) -> Vec<(u32, i64)> {
        sorted(&self.categories)
    }

    /// Decayed weight by tag code, in order of code.
    pub fn tags(&self) -> Vec<(u32, i64)> {
        sorted(&self.tags)
    }

    /// Newest contents, newest first, ties by id.
    pub fn recent_contents(&self) -> impl Iterator<Item = &str> {
        self.recent.iter().map(|(_, content)| content.as_str())
    }

    /// The first event of any kind.
    pub fn first(&self) -> Option<Instant> {
        (self.first != Instant::MAX).then_some(self.first)
    }

    fn step_slots(&mut self, event: &EventRow<'_>) {
        for (filter, from, slot, step) in &self.plan.steps {
            if event.timestamp < *from || !counts(*filter, event) {
                continue;
            }
            let cell = &mut self.slots[*slot];
            match step {
                Step::Count => *cell += 1,
                // Saturating: amounts whose sum leaves i64 are no money.
                Step::Value => *cell = cell.saturating_add(micros_of(event.value)),
                Step::Latest => *cell = (*cell).max(event.timestamp.micros()),
                Step::Weight { half_life_days } => {
                    *cell +=
                        decayed_weight(self.plan.as_of.micros() - event.timestamp.micros(), *half_life_days);
                }
            }
        }
    }

    fn absorb_session(&mut self, event: &EventRow<'_>) {
        if self.plan.as_of.micros() - event.timestamp.micros() > SESSION_DAYS * DAY {
            return;
        }
        let is_purchase = event.name == "purchase";
        // An order without a session is its own; the two kinds of key must not meet.
        let key = match event.session_id {
            Some(session) => hash_of(session.as_bytes()),
            None if is_purchase => !hash_of(event.message_id.as_bytes()),
            None => return,
        };
        let session =
            Session { last: event.timestamp, last_purchase: is_purchase.then_some(event.timestamp) };
        let is_session = event.session_id.is_some();
        merge_session(
            &mut self.sessions,
            key,
            if is_session { session } else { Session { last: Instant::MIN, ..session } },
        );
    }

    fn absorb_content(&mut self, event: &EventRow<'_>) {
        let Some(content_id) = event.content_id else { return };
        self.remember(event.timestamp, content_id);
        let Some(content) = self.plan.declared.content(content_id) else { return };
        let weight =
            decayed_weight(self.plan.as_of.micros() - event.timestamp.micros(), self.plan.interest_half_life);
        if let Some(category) = content.category {
            *self.categories.entry(category).or_default() += weight;
        }
        for tag in &content.tags {
            *self.tags.entry(*tag).or_default() += weight;
        }
    }

    /// Keeps the newest contents. One that falls out can only come back with a newer event, so parts merge exactly.
    fn remember(&mut self, timestamp: Instant, content_id: &str) {
        let order = |(moment, content): &(Instant, String)| (std::cmp::Reverse(*moment), content.clone());
        if let Some(known) = self.recent.iter().position(|(_, content)| content == content_id) {
            if self.recent[known].0 >= timestamp {
                return;
            }
            self.recent.remove(known);
        } else if self.recent.len() >= self.plan.longest_list
            && self.recent.last().is_some_and(|(moment, content)| {
                (std::cmp::Reverse(timestamp), content_id) > (std::cmp::Reverse(*moment), content.as_str())
            })
        {
            return;
        }
        let entry = (timestamp, content_id.to_string());
        let place = self.recent.partition_point(|other| order(other) < order(&entry));
        self.recent.insert(place, entry);
        self.recent.truncate(self.plan.longest_list);
    }
}

impl Accumulator for UserEvents<'_> {
    fn absorb(&mut self, event: &EventRow<'_>) {
        self.first = self.first.min(event.timestamp);
        self.step_slots(event);
        if let Some(zone) = event.zone {
            self.activity.absorb_zone(event.timestamp, event.message_id, zone);
        }
        if !is_own(event.name) {
            return;
        }
        if !event.date_only {
            self.activity.absorb(event.timestamp, event.zone);
        }
        self.absorb_session(event);
        self.absorb_content(event);
    }

    fn merge(&mut self, other: Self) {
        self.first = self.first.min(other.first);
        for (_, _, slot, step) in &self.plan.steps {
            let (cell, part) = (&mut self.slots[*slot], other.slots[*slot]);
            *cell = if matches!(step, Step::Latest) { (*cell).max(part) } else { cell.saturating_add(part) };
        }
        self.activity.merge(other.activity);
        for (key, session) in other.sessions {
            merge_session(&mut self.sessions, key, session);
        }
        for (code, weight) in other.categories {
            *self.categories.entry(code).or_default() += weight;
        }
        for (code, weight) in other.tags {
            *self.tags.entry(code).or_default() += weight;
        }
        for (timestamp, content_id) in other.recent {
            self.remember(timestamp, &content_id);
        }
    }
}

fn merge_session(sessions: &mut HashMap<u64, Session>, key: u64, part: Session) {
    let session = sessions.entry(key).or_insert(part);
    session.last = session.last.max(part.last);
    session.last_purchase = session.last_purchase.max(part.last_purchase);
}

fn sorted(weights: &HashMap<u32, i64>) -> Vec<(u32, i64)> {
    let mut weights: Vec<(u32, i64)> = weights.iter().map(|(code, weight)| (*code, *weight)).collect();
    weights.sort_unstable();
    weights
}

/// A value in millionths; absent counts as nothing.
fn micros_of(value: Option<f64>) -> i64 {
    libm::round(value.unwrap_or(0.0) * 1e6) as i64
}

/// A moment kept in a slot by [`Aggregate::DaysSinceLast`].
pub fn moment_of(slot: i64) -> Option<Instant> {
    (slot != NEVER).then_some(Instant::from_micros(slot))
}
