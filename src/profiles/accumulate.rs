//! What is kept of a user's events while they are folded: integers, so that order, threads and splits do not matter.

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use super::activity::Activity;
use super::declared::Declared;
use super::features::{Aggregate, Feature, Filter, HalfLife, Window};
use super::fold::{Accumulator, EventRow};
use config::ProfilesConfig;
use domain::event::{PUSH_PREFIX, StandardEvent, is_own};
use domain::identity::hash_of;
use domain::numeric::decay_factor;
use domain::time::{DAY, Instant};

/// One unit of decayed weight: 2^32.
pub const UNIT_WEIGHT: i64 = 1 << 32;

/// Sessions older than the longest window are not kept.
const SESSION_DAYS: i64 = 90;

/// `round(2^32 · 2^(−age / half-life))`; ages below zero weigh as zero age.
pub fn decayed_weight(age_micros: i64, half_life_days: f64) -> i64 {
    let age = age_micros.max(0) as f64 / DAY as f64;
    libm::round(UNIT_WEIGHT as f64 * decay_factor(age, half_life_days)) as i64
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

/// How one event changes one cell.
#[derive(Clone, Copy, Debug, PartialEq)]
enum CellChange {
    /// A slot grows by one.
    Count,
    /// A slot keeps the later moment.
    Latest,
    /// A slot grows by the event's weight.
    Weight { half_life_days: f64 },
    /// An amount grows by the event's value.
    Value,
}

/// What an event does to one feature, when it is not older than `from`.
#[derive(Clone, Copy, Debug, PartialEq)]
struct FeatureStep {
    from: Instant,
    /// Stamps without a time of day do not count.
    is_timed: bool,
    /// Slot or amount.
    cell: usize,
    change: CellChange,
}

/// The cells of a feature list, and for each event name the steps that its events take.
pub struct Plan<'a> {
    features: &'a [Feature],
    as_of: Instant,
    declared: &'a Declared,
    interest_half_life: f64,
    longest_list: usize,
    /// Feature index → slot or amount, for features that are one integer over events.
    cells: Vec<Option<usize>>,
    /// Empty slots.
    slots: Vec<i64>,
    amounts: usize,
    /// Steps of the names that some filter spells out.
    named: Vec<(&'static str, Vec<FeatureStep>)>,
    /// Steps of all other own events, and of all other push-side events.
    others: [Vec<FeatureStep>; 2],
    /// Every step once, for merging.
    steps: Vec<FeatureStep>,
}

/// Empty slot of a latest moment.
const NEVER: i64 = i64::MIN;

impl<'a> Plan<'a> {
    /// Lays out the cells of `features` as of a moment.
    pub fn new(
        features: &'a [Feature],
        as_of: Instant,
        declared: &'a Declared,
        config: &ProfilesConfig,
    ) -> Plan<'a> {
        let mut plan = Plan {
            features,
            as_of,
            declared,
            interest_half_life: config.interest_half_life_days,
            longest_list: config.longest_list,
            cells: Vec::new(),
            slots: Vec::new(),
            amounts: 0,
            named: names_in(features).into_iter().map(|name| (name, Vec::new())).collect(),
            others: [Vec::new(), Vec::new()],
            steps: Vec::new(),
        };
        for feature in features {
            let change = change_of(feature, config);
            let cell = change.map(|change| plan.add(feature, change));
            plan.cells.push(cell);
        }
        plan.sort_steps();
        plan
    }

    fn add(&mut self, feature: &Feature, change: CellChange) -> usize {
        let cell = match change {
            CellChange::Value => self.amounts,
            CellChange::Count | CellChange::Latest | CellChange::Weight { .. } => self.slots.len(),
        };
        match change {
            CellChange::Value => self.amounts += 1,
            CellChange::Latest => self.slots.push(NEVER),
            CellChange::Count | CellChange::Weight { .. } => self.slots.push(0),
        }
        let step = FeatureStep {
            from: feature.window.start(self.as_of),
            is_timed: feature.filter == Filter::Activity,
            cell,
            change,
        };
        self.steps.push(step);
        for (name, steps) in &mut self.named {
            if feature.filter.takes(name) {
                steps.push(step);
            }
        }
        for (example, steps) in OTHER_NAMES.iter().zip(&mut self.others) {
            if feature.filter.takes(example) {
                steps.push(step);
            }
        }
        cell
    }

    /// Longest windows first: an event too old for one is too old for all after it.
    fn sort_steps(&mut self) {
        let lists = self.named.iter_mut().map(|(_, steps)| steps).chain(&mut self.others);
        lists.for_each(|steps| steps.sort_by_key(|step| step.from));
    }

    fn steps_of(&self, name: &str) -> &[FeatureStep] {
        match self.named.iter().find(|(known, _)| *known == name) {
            Some((_, steps)) => steps,
            None => &self.others[usize::from(!is_own(name))],
        }
    }

    /// The features that are laid out.
    pub fn features(&self) -> &'a [Feature] {
        self.features
    }

    /// Events before this moment count.
    pub fn as_of(&self) -> Instant {
        self.as_of
    }

    /// What users and contents were declared to be.
    pub fn declared(&self) -> &'a Declared {
        self.declared
    }

    /// The slot or the amount of a feature, by its index in the list.
    pub fn cell(&self, feature: usize) -> Option<usize> {
        self.cells[feature]
    }

    fn weight_of(&self, event: &EventRow<'_>, half_life_days: f64) -> i64 {
        decayed_weight(self.as_of.micros() - event.timestamp.micros(), half_life_days)
    }

    /// An empty accumulator.
    pub fn empty(&self) -> UserEvents<'_> {
        UserEvents {
            plan: self,
            slots: self.slots.clone(),
            amounts: vec![0; self.amounts],
            activity: Activity::default(),
            sessions: HashMap::new(),
            categories: Weights::default(),
            tags: Weights::default(),
            recent: Vec::new(),
            first: Instant::MAX,
        }
    }
}

/// Stand for every name that no filter spells out: one of an own event, one of a push-side event.
const OTHER_NAMES: [&str; 2] = ["", PUSH_PREFIX];

/// The names that filters spell out.
fn names_in(features: &[Feature]) -> Vec<&'static str> {
    let names = features.iter().flat_map(|feature| match feature.filter {
        Filter::Named(names) => names,
        Filter::All | Filter::Own | Filter::Activity => &[],
    });
    let names: BTreeSet<&'static str> = names.copied().collect();
    names.into_iter().collect()
}

/// How events change a feature that is one integer; `None` for the others.
fn change_of(feature: &Feature, config: &ProfilesConfig) -> Option<CellChange> {
    match (feature.aggregate, feature.window) {
        (Aggregate::Count, _) => Some(CellChange::Count),
        (Aggregate::Sum, _) => Some(CellChange::Value),
        (Aggregate::DaysSinceLast, _) => Some(CellChange::Latest),
        (Aggregate::Weight, Window::HalfLife(half_life)) => {
            Some(CellChange::Weight { half_life_days: half_life_days(half_life, config) })
        }
        _ => None,
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

/// A content with the latest own event on it.
struct TouchedContent {
    moment: Instant,
    /// Of the id: tells most contents apart without reading their text.
    hash: u64,
    content_id: String,
}

impl TouchedContent {
    fn order(&self) -> (Reverse<Instant>, &str) {
        (Reverse(self.moment), &self.content_id)
    }
}

/// Weight by code, in order of code: a user has few, and a sorted list is smaller and quicker than a map.
#[derive(Default)]
struct Weights(Vec<(u32, i64)>);

impl Weights {
    fn add(&mut self, code: u32, weight: i64) {
        match self.0.binary_search_by_key(&code, |(known, _)| *known) {
            Ok(index) => self.0[index].1 += weight,
            Err(index) => self.0.insert(index, (code, weight)),
        }
    }
}

/// The events of one user, summed.
pub struct UserEvents<'a> {
    plan: &'a Plan<'a>,
    slots: Vec<i64>,
    /// Millionths. Values reach 1e12 and may be negative: a sum in i64 would depend on the order.
    amounts: Vec<i128>,
    activity: Activity,
    sessions: HashMap<u64, Session>,
    categories: Weights,
    tags: Weights,
    /// The newest contents, newest first, ties by id.
    recent: Vec<TouchedContent>,
    first: Instant,
}

impl UserEvents<'_> {
    /// Counts, weights and moments, by [`Plan::cell`].
    pub fn slots(&self) -> &[i64] {
        &self.slots
    }

    /// Sums of values in millionths, by [`Plan::cell`].
    pub fn amounts(&self) -> &[i128] {
        &self.amounts
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
    pub fn categories(&self) -> &[(u32, i64)] {
        &self.categories.0
    }

    /// Decayed weight by tag code, in order of code.
    pub fn tags(&self) -> &[(u32, i64)] {
        &self.tags.0
    }

    /// Newest contents, newest first, ties by id.
    pub fn recent_contents(&self) -> impl Iterator<Item = &str> {
        self.recent.iter().map(|recent| recent.content_id.as_str())
    }

    /// The first event of any kind.
    pub fn first(&self) -> Option<Instant> {
        (self.first != Instant::MAX).then_some(self.first)
    }

    fn take_steps(&mut self, event: &EventRow<'_>) {
        for step in self.plan.steps_of(event.name) {
            if event.timestamp < step.from {
                break;
            }
            if step.is_timed && event.date_only {
                continue;
            }
            match step.change {
                CellChange::Count => self.slots[step.cell] += 1,
                CellChange::Latest => {
                    self.slots[step.cell] = self.slots[step.cell].max(event.timestamp.micros());
                }
                CellChange::Weight { half_life_days } => {
                    self.slots[step.cell] += self.plan.weight_of(event, half_life_days);
                }
                CellChange::Value => self.amounts[step.cell] += micros_of(event.value),
            }
        }
    }

    fn absorb_session(&mut self, event: &EventRow<'_>) {
        if self.plan.as_of.micros() - event.timestamp.micros() > SESSION_DAYS * DAY {
            return;
        }
        let is_purchase = StandardEvent::Purchase.is(event.name);
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
        let weight = self.plan.weight_of(event, self.plan.interest_half_life);
        if let Some(category) = content.category {
            self.categories.add(category, weight);
        }
        for tag in &content.tags {
            self.tags.add(*tag, weight);
        }
    }

    /// Keeps the newest contents. One that falls out can only come back with a newer event, so parts merge exactly.
    fn remember(&mut self, moment: Instant, content_id: &str) {
        let order = (Reverse(moment), content_id);
        let is_full = self.recent.len() >= self.plan.longest_list;
        if is_full && self.recent.last().is_none_or(|last| order > last.order()) {
            return;
        }
        let hash = hash_of(content_id.as_bytes());
        let known =
            self.recent.iter().position(|recent| recent.hash == hash && recent.content_id == content_id);
        let entry = match known {
            Some(known) if self.recent[known].moment >= moment => return,
            Some(known) => TouchedContent { moment, ..self.recent.remove(known) },
            None => TouchedContent { moment, hash, content_id: content_id.to_string() },
        };
        let index = self.recent.partition_point(|other| other.order() < order);
        self.recent.insert(index, entry);
        self.recent.truncate(self.plan.longest_list);
    }
}

impl Accumulator for UserEvents<'_> {
    fn absorb(&mut self, event: &EventRow<'_>) {
        self.first = self.first.min(event.timestamp);
        self.take_steps(event);
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
        for step in &self.plan.steps {
            let cell = step.cell;
            match step.change {
                CellChange::Count | CellChange::Weight { .. } => self.slots[cell] += other.slots[cell],
                CellChange::Latest => self.slots[cell] = self.slots[cell].max(other.slots[cell]),
                CellChange::Value => self.amounts[cell] += other.amounts[cell],
            }
        }
        self.activity.merge(other.activity);
        for (key, session) in other.sessions {
            merge_session(&mut self.sessions, key, session);
        }
        other.categories.0.into_iter().for_each(|(code, weight)| self.categories.add(code, weight));
        other.tags.0.into_iter().for_each(|(code, weight)| self.tags.add(code, weight));
        for recent in other.recent {
            self.remember(recent.moment, &recent.content_id);
        }
    }
}

fn merge_session(sessions: &mut HashMap<u64, Session>, key: u64, part: Session) {
    let session = sessions.entry(key).or_insert(part);
    session.last = session.last.max(part.last);
    session.last_purchase = session.last_purchase.max(part.last_purchase);
}

/// A value in millionths; absent counts as nothing. The whole part is never multiplied in floating point, which
/// holds millionths only up to 9e9.
pub fn micros_of(value: Option<f64>) -> i128 {
    let value = value.unwrap_or(0.0);
    let whole = libm::trunc(value);
    whole as i128 * 1_000_000 + libm::round((value - whole) * 1e6) as i128
}

/// A moment kept in a slot by [`Aggregate::DaysSinceLast`].
pub fn moment_of(slot: i64) -> Option<Instant> {
    (slot != NEVER).then_some(Instant::from_micros(slot))
}
