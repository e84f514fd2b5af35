//! All events in memory, by user and time: what examples, scores and servings at any moment are made from.
//!
//! An event takes about 80 bytes. Users, contents and campaigns are codes in order of their ids, so nothing here depends
//! on the order of files or on threads.

use std::collections::{BTreeMap, HashMap};

use domain::event::is_own;
use domain::time::Instant;
use domain::zone::{ZoneCode, Zones};
use events::lake::{Lake, LakeFile};
use events::stored::{EventColumn, StoredEvents};
use files::tables::TableError;
use profiles::ProfileError;
use profiles::accumulate::{Plan, UserEvents};
use profiles::declared::Declared;
use profiles::fold::{Accumulator, EventRow};

/// One event; texts are codes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimedEvent {
    /// When.
    pub at: Instant,
    /// Index into [`Timeline::names`].
    pub name: u32,
    /// It is one of the user's own acts.
    pub is_own: bool,
    /// The stamp says nothing of the time of day.
    pub date_only: bool,
    /// The zone the event brought.
    zone: Option<ZoneCode>,
    /// Index into [`Timeline::contents`].
    pub content: Option<u32>,
    /// Index into [`Timeline::campaigns`].
    pub campaign: Option<u32>,
    session: Option<u32>,
    /// Money or any other amount.
    pub value: Option<f64>,
}

/// The events of all users before a moment.
#[derive(Clone, Debug)]
pub struct Timeline {
    users: Vec<String>,
    /// Where each user's events begin; one more than users.
    starts: Vec<usize>,
    /// By user, then time, then message_id.
    events: Vec<TimedEvent>,
    names: Vec<String>,
    contents: Vec<String>,
    campaigns: Vec<String>,
    sessions: Vec<String>,
    /// Events with a content, as (content, time, user), sorted.
    touches: Vec<Touch>,
    /// Where each content's touches begin; one more than contents.
    touch_starts: Vec<usize>,
    /// First touch of each content by each user, by content, then time.
    firsts: Vec<Touch>,
    first_starts: Vec<usize>,
    /// The same by user, then time: (moment, content).
    tried: Vec<(Instant, u32)>,
    tried_starts: Vec<usize>,
    /// Moments of all own acts, in order: the clock that ticks when anybody does anything.
    clock: Vec<Instant>,
    zones: Zones,
}

/// A user's own act on a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Touch {
    /// When.
    pub at: Instant,
    /// Who.
    pub user: u32,
    /// By which event.
    pub name: u32,
}

impl Timeline {
    /// Reads all events before `until`.
    pub fn read(
        lake: &Lake,
        declared: &Declared,
        until: Instant,
        watch: &impl Fn(usize, usize),
    ) -> Result<Timeline, ProfileError> {
        let mut reading = Reading::new(declared);
        let files = lake.files_before(until);
        for (index, file) in files.iter().enumerate() {
            reading.take_file(lake, file, until)?;
            watch(index + 1, files.len());
        }
        Ok(reading.finish())
    }

    /// User ids, sorted; a user's code is his index.
    pub fn users(&self) -> &[String] {
        &self.users
    }

    /// The code of a user.
    pub fn user(&self, user_id: &str) -> Option<usize> {
        self.users.binary_search_by(|known| known.as_str().cmp(user_id)).ok()
    }

    /// A user's events, oldest first.
    pub fn events(&self, user: usize) -> &[TimedEvent] {
        &self.events[self.starts[user]..self.starts[user + 1]]
    }

    /// A user's events before a moment, oldest first.
    pub fn events_before(&self, user: usize, until: Instant) -> &[TimedEvent] {
        let events = self.events(user);
        &events[..events.partition_point(|event| event.at < until)]
    }

    /// A user's events in `[from, until)`, oldest first.
    pub fn events_within(&self, user: usize, from: Instant, until: Instant) -> &[TimedEvent] {
        let before = self.events_before(user, until);
        &before[before.partition_point(|event| event.at < from)..]
    }

    /// Event names in order of code.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Content ids, declared or met in events, sorted; a content's code is its index.
    pub fn contents(&self) -> &[String] {
        &self.contents
    }

    /// The code of a content.
    pub fn content(&self, content_id: &str) -> Option<usize> {
        self.contents.binary_search_by(|known| known.as_str().cmp(content_id)).ok()
    }

    /// Campaign ids, sorted; a campaign's code is its index.
    pub fn campaigns(&self) -> &[String] {
        &self.campaigns
    }

    /// The code of a campaign.
    pub fn campaign(&self, campaign_id: &str) -> Option<usize> {
        self.campaigns.binary_search_by(|known| known.as_str().cmp(campaign_id)).ok()
    }

    /// Own acts on a content, oldest first.
    pub fn touches(&self, content: usize) -> &[Touch] {
        &self.touches[self.touch_starts[content]..self.touch_starts[content + 1]]
    }

    /// Own acts on a content before a moment, oldest first.
    pub fn touches_before(&self, content: usize, until: Instant) -> &[Touch] {
        let touches = self.touches(content);
        &touches[..touches.partition_point(|touch| touch.at < until)]
    }

    /// Each user's first touch of a content, before a moment, oldest first.
    pub fn firsts_before(&self, content: usize, until: Instant) -> &[Touch] {
        let firsts = &self.firsts[self.first_starts[content]..self.first_starts[content + 1]];
        &firsts[..firsts.partition_point(|touch| touch.at < until)]
    }

    /// The contents that a user had touched before a moment, by first touch, oldest first.
    pub fn tried_before(&self, user: usize, until: Instant) -> &[(Instant, u32)] {
        let tried = &self.tried[self.tried_starts[user]..self.tried_starts[user + 1]];
        &tried[..tried.partition_point(|(at, _)| *at < until)]
    }

    /// How many own acts of anybody lie before a moment.
    pub fn acts_before(&self, until: Instant) -> usize {
        self.clock.partition_point(|at| *at < until)
    }

    /// The first own act of anybody.
    pub fn first_act(&self) -> Option<Instant> {
        self.clock.first().copied()
    }

    /// Zones met so far.
    pub fn zones(&self) -> &Zones {
        &self.zones
    }

    /// Number of events.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Are there no events?
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The newest event.
    pub fn newest(&self) -> Option<Instant> {
        self.events.iter().map(|event| event.at).max()
    }

    /// The sums of a feature plan over every user's events before its moment: what the profiles of that moment are
    /// finished from.
    pub fn fold<'p>(&self, plan: &'p Plan<'_>) -> BTreeMap<String, UserEvents<'p>> {
        let until = plan.as_of();
        let folded = parallel::map(self.users.len(), |user| {
            let events = self.events_before(user, until);
            (!events.is_empty()).then(|| {
                let mut sums = plan.empty();
                events.iter().enumerate().for_each(|(row, event)| self.absorb(&mut sums, row, event));
                sums
            })
        });
        let known = self.users.iter().zip(folded).filter_map(|(id, sums)| Some((id.clone(), sums?)));
        known.collect()
    }

    fn absorb(&self, sums: &mut UserEvents<'_>, row: usize, event: &TimedEvent) {
        // Ids break ties between zones and tell orders without a session apart; the order of rows does both as well.
        let needs_id = event.zone.is_some() || event.session.is_none();
        let message_id = if needs_id { format!("{row:012}") } else { String::new() };
        sums.absorb(&EventRow {
            name: &self.names[event.name as usize],
            timestamp: event.at,
            date_only: event.date_only,
            // No feature asks.
            is_led_to: false,
            zone: event.zone,
            message_id: &message_id,
            content_id: event.content.map(|content| self.contents[content as usize].as_str()),
            session_id: event.session.map(|session| self.sessions[session as usize].as_str()),
            value: event.value,
        });
    }
}

/// Texts and their codes in order of first sight.
#[derive(Default)]
struct Codes {
    codes: HashMap<String, u32>,
    texts: Vec<String>,
}

impl Codes {
    fn code(&mut self, text: &str) -> u32 {
        if let Some(code) = self.codes.get(text) {
            return *code;
        }
        let code = self.texts.len() as u32;
        self.codes.insert(text.to_string(), code);
        self.texts.push(text.to_string());
        code
    }

    /// The texts sorted, and for each code of first sight its rank among them.
    fn sorted(self) -> (Vec<String>, Vec<u32>) {
        let mut order: Vec<u32> = (0..self.texts.len() as u32).collect();
        order.sort_unstable_by(|a, b| self.texts[*a as usize].cmp(&self.texts[*b as usize]));
        let mut ranks = vec![0; order.len()];
        order.iter().enumerate().for_each(|(rank, code)| ranks[*code as usize] = rank as u32);
        let mut texts = self.texts;
        texts.sort_unstable();
        (texts, ranks)
    }
}

/// Events on their way from files into a timeline.
struct Reading {
    users: Codes,
    names: Codes,
    contents: Codes,
    campaigns: Codes,
    sessions: Codes,
    zones: Zones,
    zone_names: HashMap<String, Option<ZoneCode>>,
    by_user: Vec<Vec<TimedEvent>>,
}

impl Reading {
    /// Declared contents have codes before anybody touches them.
    fn new(declared: &Declared) -> Reading {
        let mut contents = Codes::default();
        for id in declared.content_ids() {
            contents.code(id);
        }
        Reading {
            users: Codes::default(),
            names: Codes::default(),
            contents,
            campaigns: Codes::default(),
            sessions: Codes::default(),
            zones: declared.zones().clone(),
            zone_names: HashMap::new(),
            by_user: Vec::new(),
        }
    }

    fn take_file(&mut self, lake: &Lake, file: &LakeFile, until: Instant) -> Result<(), TableError> {
        const COLUMNS: [EventColumn; 9] = [
            EventColumn::UserId,
            EventColumn::Name,
            EventColumn::Timestamp,
            EventColumn::DateOnly,
            EventColumn::TimeZone,
            EventColumn::ContentId,
            EventColumn::SessionId,
            EventColumn::CampaignId,
            EventColumn::Value,
        ];
        self.take_events(&lake.events(file, &COLUMNS)?, until);
        Ok(())
    }

    fn take_events(&mut self, events: &StoredEvents, until: Instant) {
        for stored in events.iter().filter(|event| event.timestamp < until) {
            let user = self.users.code(stored.user_id) as usize;
            let event = TimedEvent {
                at: stored.timestamp,
                name: self.names.code(stored.name),
                is_own: is_own(stored.name),
                date_only: stored.date_only,
                zone: stored.time_zone.and_then(|zone| self.zone(zone)),
                content: stored.content_id.map(|id| self.contents.code(id)),
                campaign: stored.campaign_id.map(|id| self.campaigns.code(id)),
                session: stored.session_id.map(|id| self.sessions.code(id)),
                value: stored.value,
            };
            if user == self.by_user.len() {
                self.by_user.push(Vec::new());
            }
            self.by_user[user].push(event);
        }
    }

    fn zone(&mut self, name: &str) -> Option<ZoneCode> {
        if let Some(known) = self.zone_names.get(name) {
            return *known;
        }
        let code = self.zones.code(name).ok();
        self.zone_names.insert(name.to_string(), code);
        code
    }

    fn finish(mut self) -> Timeline {
        let (contents, content_ranks) = self.contents.sorted();
        let (campaigns, campaign_ranks) = self.campaigns.sorted();
        let (users, user_ranks) = self.users.sorted();
        let mut by_rank = vec![0; users.len()];
        user_ranks.iter().enumerate().for_each(|(code, rank)| by_rank[*rank as usize] = code);
        let (mut events, mut starts) = (Vec::new(), vec![0]);
        for code in by_rank {
            // Files come in order of day and hold each user's events in order, so these are in order.
            for mut event in std::mem::take(&mut self.by_user[code]) {
                event.content = event.content.map(|content| content_ranks[content as usize]);
                event.campaign = event.campaign.map(|campaign| campaign_ranks[campaign as usize]);
                events.push(event);
            }
            starts.push(events.len());
        }
        let (touches, touch_starts) = touches_of(&events, &starts, contents.len());
        let (firsts, first_starts) = firsts_of(&touches, &touch_starts);
        let (tried, tried_starts) = tried_of(&firsts, &first_starts, users.len());
        let mut clock: Vec<Instant> =
            events.iter().filter(|event| event.is_own).map(|event| event.at).collect();
        clock.sort_unstable();
        Timeline {
            users,
            starts,
            events,
            names: self.names.texts,
            contents,
            campaigns,
            sessions: self.sessions.texts,
            touches,
            touch_starts,
            firsts,
            first_starts,
            tried,
            tried_starts,
            clock,
            zones: self.zones,
        }
    }
}

/// Own acts by content, in order of time, and where each content's begin.
fn touches_of(events: &[TimedEvent], starts: &[usize], contents: usize) -> (Vec<Touch>, Vec<usize>) {
    let mut touches: Vec<(u32, Touch)> = Vec::new();
    for (user, range) in starts.windows(2).enumerate() {
        for event in events[range[0]..range[1]].iter().filter(|event| event.is_own) {
            if let Some(content) = event.content {
                touches.push((content, Touch { at: event.at, user: user as u32, name: event.name }));
            }
        }
    }
    touches.sort_unstable();
    let first = |content: usize| touches.partition_point(|(known, _)| (*known as usize) < content);
    let touch_starts = (0..=contents).map(first).collect();
    (touches.into_iter().map(|(_, touch)| touch).collect(), touch_starts)
}

/// The first touch of each user, by content, then time, and where each content's begin.
fn firsts_of(touches: &[Touch], starts: &[usize]) -> (Vec<Touch>, Vec<usize>) {
    let (mut firsts, mut first_starts) = (Vec::new(), vec![0]);
    let mut seen = std::collections::HashSet::new();
    for range in starts.windows(2) {
        seen.clear();
        firsts.extend(touches[range[0]..range[1]].iter().filter(|touch| seen.insert(touch.user)));
        first_starts.push(firsts.len());
    }
    (firsts, first_starts)
}

/// First touches by user, then time, then content, and where each user's begin.
fn tried_of(firsts: &[Touch], starts: &[usize], users: usize) -> (Vec<(Instant, u32)>, Vec<usize>) {
    let mut by_user: Vec<Vec<(Instant, u32)>> = vec![Vec::new(); users];
    for (content, range) in starts.windows(2).enumerate() {
        for touch in &firsts[range[0]..range[1]] {
            by_user[touch.user as usize].push((touch.at, content as u32));
        }
    }
    let (mut tried, mut tried_starts) = (Vec::with_capacity(firsts.len()), vec![0]);
    for mut list in by_user {
        list.sort_unstable();
        tried.extend(list);
        tried_starts.push(tried.len());
    }
    (tried, tried_starts)
}
