//! What users were sent lately, and what contents got of their attention: the part of the past that decisions ask for.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::ProfileError;
use super::accumulate::{UNIT_WEIGHT, decayed_weight};
use decisions::context::PastSend;
use domain::content::MessageClass;
use domain::event::{CLICKED, SENT, is_own};
use domain::time::{DAY, Day, Instant};
use events::lake::{Lake, LakeFile};
use events::stored::{EventColumn, StoredEvents};

/// Past sends are kept for this long: the longest cap looks no further back.
const SENDS_DAYS: i64 = 30;

/// Popularity forgets half of itself in a day: news is old tomorrow.
pub const POPULARITY_HALF_LIFE_DAYS: f64 = 1.0;

/// From this age on a day weighs nothing: `2^32 · 2^−33` rounds to zero.
const FORGOTTEN_DAYS: i64 = 34;

/// Share of the active users that a content is taken for that nobody has touched yet, before anything is known of it.
const PRIOR_RATE: f64 = 0.001;
/// What is seen weighs beside that as if so many active user-days had been seen before.
const PRIOR_ACTIVE: f64 = 20.0;

/// Sends and attention, from events before a moment.
#[derive(Clone, Debug, Default)]
pub struct Recent {
    /// Pushes sent to each user, newest first.
    sends: HashMap<String, Vec<PastSend>>,
    /// Every content that an own event named.
    contents: BTreeMap<String, Attention>,
    /// Decayed user-days with an own event, in 2^−32.
    active: i64,
    /// Pushes that went out of each content, ever.
    sent_contents: HashMap<String, u64>,
    /// Pushes of each content that were tapped, ever.
    clicked_contents: HashMap<String, u64>,
    /// Pushes that went out for each campaign, ever.
    sent_campaigns: HashMap<String, u64>,
}

/// What a content got.
#[derive(Clone, Copy, Debug)]
struct Attention {
    /// Its first event.
    first: Instant,
    /// Decayed user-days with an own event on it, in 2^−32.
    engaged: i64,
    /// The same, each counting for ever.
    days: u64,
}

impl Recent {
    /// Reads the lake's events before `as_of`.
    pub fn read(lake: &Lake, as_of: Instant) -> Result<Recent, ProfileError> {
        let mut recent = Recent::default();
        for file in lake.files_before(as_of) {
            recent.absorb(lake, file, as_of)?;
        }
        for sends in recent.sends.values_mut() {
            // Files come oldest first, and within a user events may tie: the order is total, so bytes are equal.
            sends.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| sort_key(a).cmp(&sort_key(b))));
        }
        Ok(recent)
    }

    /// A user's pushes before `now`, newest first.
    pub fn sends_before(&self, user_id: &str, now: Instant) -> Vec<PastSend> {
        let from = now.plus(-SENDS_DAYS * DAY);
        let sends = self.sends.get(user_id).into_iter().flatten();
        sends.filter(|send| send.at < now && send.at >= from).cloned().collect()
    }

    /// Every content that an own event named, with the moment of its first.
    pub fn contents(&self) -> impl Iterator<Item = (&str, Instant)> {
        self.contents.iter().map(|(id, attention)| (id.as_str(), attention.first))
    }

    /// Pushes of a content that went out before the moment.
    pub fn sent_of_content(&self, content_id: &str) -> u64 {
        self.sent_contents.get(content_id).copied().unwrap_or_default()
    }

    /// Pushes that went out for a campaign before the moment.
    pub fn sent_of_campaign(&self, campaign_id: &str) -> u64 {
        self.sent_campaigns.get(campaign_id).copied().unwrap_or_default()
    }

    /// Decayed user-days with an own event on a content: what tells what it is worth.
    pub fn evidence(&self, content_id: &str) -> f64 {
        self.contents.get(content_id).map_or(0.0, |attention| attention.engaged as f64 / UNIT_WEIGHT as f64)
    }

    /// User-days with an own event on a content, however long ago.
    pub fn user_days(&self, content_id: &str) -> f64 {
        self.contents.get(content_id).map_or(0.0, |attention| attention.days as f64)
    }

    /// Pushes of a content that were tapped before the moment.
    pub fn clicked_of_content(&self, content_id: &str) -> u64 {
        self.clicked_contents.get(content_id).copied().unwrap_or_default()
    }

    /// Pushes of each content that went out before the moment, and those of them that were tapped; sorted.
    pub fn pushes_by_content(&self) -> Vec<(u64, u64)> {
        let pushes = self.sent_contents.iter().map(|(id, sent)| (*sent, self.clicked_of_content(id)));
        let mut pushes: Vec<(u64, u64)> = pushes.collect();
        pushes.sort_unstable();
        pushes
    }

    /// When a content was first seen in an event.
    pub fn first_event(&self, content_id: &str) -> Option<Instant> {
        self.contents.get(content_id).map(|attention| attention.first)
    }

    /// ln odds of the share of the lately active users who engage with a content on a day.
    ///
    /// User-days with an own event on the content over user-days with any own event, each weighing
    /// `2^(−age in days)` (age 0 until its UTC day is over), smoothed. A content that nobody has touched yet, which says
    /// nothing against it, is as good as one in a thousand.
    pub fn popularity(&self, content_id: &str) -> f64 {
        let units = |weight: i64| weight as f64 / UNIT_WEIGHT as f64;
        let rate = match self.contents.get(content_id) {
            Some(attention) => {
                (units(attention.engaged) + PRIOR_RATE * PRIOR_ACTIVE) / (units(self.active) + PRIOR_ACTIVE)
            }
            None => PRIOR_RATE,
        };
        libm::log(rate / (1.0 - rate))
    }

    fn absorb(&mut self, lake: &Lake, file: &LakeFile, as_of: Instant) -> Result<(), ProfileError> {
        let ended =
            Day::parse(&file.date).map_or(as_of, |day| Instant::from_micros(i64::from(day.0 + 1) * DAY));
        let age = (as_of.micros() - ended.micros()).max(0);
        let weight =
            if age > FORGOTTEN_DAYS * DAY { 0 } else { decayed_weight(age, POPULARITY_HALF_LIFE_DAYS) };
        let mut columns =
            vec![EventColumn::UserId, EventColumn::Name, EventColumn::Timestamp, EventColumn::ContentId];
        self.absorb_attention(&lake.events(file, &columns)?, as_of, weight);
        if file.holds(SENT) {
            let is_recent = age <= (SENDS_DAYS + 1) * DAY;
            columns.extend([EventColumn::CampaignId, EventColumn::Channel]);
            self.absorb_sends(&lake.events(file, &columns)?, as_of, is_recent);
        }
        if file.holds(CLICKED) {
            self.absorb_clicks(&lake.events(file, &columns)?, as_of);
        }
        Ok(())
    }

    fn absorb_attention(&mut self, events: &StoredEvents, as_of: Instant, weight: i64) {
        // A file holds one day and is sorted by user, so a user's contents of the day are gathered on the way.
        let (mut user, mut touched) = (None, HashSet::new());
        for event in events.iter().filter(|event| event.timestamp < as_of && is_own(event.name)) {
            if user != Some(event.user_id) {
                user = Some(event.user_id);
                touched.clear();
                self.active += weight;
            }
            let Some(content) = event.content_id else { continue };
            let is_first = touched.insert(content);
            let share = if is_first { weight } else { 0 };
            match self.contents.get_mut(content) {
                Some(known) => {
                    known.first = known.first.min(event.timestamp);
                    known.engaged += share;
                    known.days += u64::from(is_first);
                }
                None => {
                    let attention = Attention { first: event.timestamp, engaged: share, days: 1 };
                    self.contents.insert(content.to_string(), attention);
                }
            }
        }
    }

    fn absorb_clicks(&mut self, events: &StoredEvents, as_of: Instant) {
        for event in events.iter().filter(|event| event.timestamp < as_of && event.name == CLICKED) {
            if let Some(content) = event.content_id {
                *self.clicked_contents.entry(content.to_string()).or_default() += 1;
            }
        }
    }

    fn absorb_sends(&mut self, events: &StoredEvents, as_of: Instant, is_recent: bool) {
        let owned = |text: Option<&str>| text.map(str::to_string);
        for event in events.iter().filter(|event| event.timestamp < as_of && event.name == SENT) {
            let counted =
                [(&mut self.sent_contents, event.content_id), (&mut self.sent_campaigns, event.campaign_id)];
            for (counts, id) in counted {
                if let Some(id) = id {
                    *counts.entry(id.to_string()).or_default() += 1;
                }
            }
            if !is_recent {
                continue;
            }
            let send = PastSend {
                at: event.timestamp,
                campaign_id: owned(event.campaign_id),
                content_id: owned(event.content_id),
                channel: owned(event.channel),
                campaign_tags: Vec::new(),
                message_class: MessageClass::default(),
            };
            self.sends.entry(event.user_id.to_string()).or_default().push(send);
        }
    }
}

fn sort_key(send: &PastSend) -> (&Option<String>, &Option<String>, &Option<String>) {
    (&send.campaign_id, &send.content_id, &send.channel)
}
