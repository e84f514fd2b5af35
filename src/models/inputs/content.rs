//! Content and pair blocks of goals about contents: how popular a content is now, how old it is, and what people like this
//! user, the contents that he touched, and his own history say of it.
//!
//! Popularity decays on a clock that ticks when anybody does anything: a night or a weekend without readers makes nothing
//! old. The weights of four half-lives side by side are learned, so that the half-life is.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use super::Sources;
use super::decay::decay;
use super::sparse_sums::SparseSums;
use crate::timeline::{Timeline, Touch};
use domain::numeric::decay_factor;
use domain::time::{DAY, HOUR, Instant};

/// Inputs of a content.
pub(super) const CONTENT_INPUTS: &[&str] =
    &["popularity_1h", "popularity_6h", "popularity_1d", "popularity_4d", "touches_7d", "age"];

/// Inputs of a user with a content.
pub(super) const PAIR_INPUTS: &[&str] = &[
    "neighbours",
    "co_engagement",
    "origin_affinity",
    "category_affinity",
    "exposure",
    "touched",
    "touched_weight",
    "touched_ago",
    "touched_popularity_6h",
    "touched_popularity_4d",
    "touched_touches_7d",
];

/// Half-lives of popularity in days of usual activity, for the first four content inputs.
const HALF_LIVES: [f64; 4] = [0.06, 0.25, 1.0, 4.0];
/// Which of them makes the fast, and which the slow list of candidates.
const FAST: usize = 1;
const SLOW: usize = 3;
/// What a popularity of nothing counts as.
const FLOOR: f64 = 0.05;
/// Days over which usual activity is measured.
const USUAL_DAYS: i64 = 28;
/// Latest contents of a user that his neighbours are found by.
const LATEST_CONTENTS: usize = 60;
/// Latest users of a content among whom neighbours are sought.
const LATEST_USERS: usize = 200;
/// Neighbours that are asked.
const NEIGHBOURS: usize = 200;
/// Their touches of so many days count, with half-life [`NEWS_HALF_LIFE`].
const NEWS: i64 = 30 * DAY;
const NEWS_HALF_LIFE: f64 = 3.0;
/// Half-life of a user's own history in days, and of his touches of one content.
const HISTORY_HALF_LIFE: f64 = 60.0;
const TOUCH_HALF_LIFE: f64 = 30.0;

/// Everything about contents at one moment.
#[derive(Debug)]
pub struct ContentInputs {
    at: Instant,
    alive: Vec<bool>,
    /// By content, [`CONTENT_INPUTS`].
    blocks: Vec<[f64; CONTENT_INPUTS.len()]>,
    born: Vec<Option<Instant>>,
    /// Who touched it first.
    origin: Vec<Option<u32>>,
    category: Vec<Option<u32>>,
    /// 1 / √(users + 3): what sharing a content says.
    rarity: Vec<f64>,
    /// Everybody's news of a content: what a neighbour's are compared with.
    news: Vec<f64>,
    /// By user: √(Σ rarity² + ½) over the contents he touched.
    norm: Vec<f64>,
    /// By user: contents that he was the first to touch and somebody else touched later.
    given: Vec<f64>,
    given_total: f64,
    /// By category: its decayed first touches; and of all categories.
    category_share: Vec<f64>,
    category_total: f64,
    /// Contents that are alive, most popular first.
    fast: Vec<u32>,
    slow: Vec<u32>,
    /// By category: (rank among the slow, content) of its contents that are alive, most popular first.
    slow_of: Vec<Vec<(u32, u32)>>,
    /// Memory for [`ContentInputs::view`] that no thread is using.
    spare: Mutex<Vec<Scratch>>,
}

/// What one thread sums in while it looks at a user: by user, by content.
#[derive(Debug)]
struct Scratch {
    users: SparseSums,
    contents: SparseSums,
}

impl ContentInputs {
    pub(super) fn new(sources: &Sources<'_>, at: Instant) -> ContentInputs {
        let timeline = sources.timeline;
        let contents = timeline.contents().len();
        let clock = Clock::new(timeline, at);
        let mut inputs = ContentInputs::empty(sources, at);
        let weight = activity_weights(sources, at);
        for content in 0..contents {
            let firsts = timeline.firsts_before(content, at);
            inputs.describe(sources, content, firsts, &clock);
            inputs.rarity[content] = 1.0 / libm::sqrt(firsts.len() as f64 + 3.0);
            inputs.news[content] = firsts
                .iter()
                .filter(|touch| touch.at >= at.plus(-NEWS))
                .map(|touch| weight[touch.user as usize] * decay(at, touch.at, NEWS_HALF_LIFE))
                .sum();
            if let Some(origin) = inputs.origin[content] {
                let others = firsts.iter().filter(|touch| touch.user != origin).count() as f64;
                inputs.given[origin as usize] += others;
                inputs.given_total += others;
            }
        }
        for user in 0..timeline.users().len() {
            let tried = timeline.tried_before(user, at);
            let squares: f64 =
                tried.iter().map(|(_, content)| inputs.rarity[*content as usize]).map(|r| r * r).sum();
            inputs.norm[user] = libm::sqrt(squares + 0.5);
        }
        inputs.category_total = inputs.category_share.iter().sum();
        inputs.fast = inputs.ranked(FAST);
        inputs.slow = inputs.ranked(SLOW);
        for (rank, content) in inputs.slow.iter().enumerate() {
            if let Some(category) = inputs.category[*content as usize] {
                inputs.slow_of[category as usize].push((rank as u32, *content));
            }
        }
        inputs
    }

    fn empty(sources: &Sources<'_>, at: Instant) -> ContentInputs {
        let (users, contents) = (sources.timeline.users().len(), sources.timeline.contents().len());
        let category = |id: &String| sources.declared.content(id).and_then(|content| content.category);
        let categories = sources.declared.categories().len();
        ContentInputs {
            at,
            alive: vec![false; contents],
            blocks: vec![[f64::NAN; CONTENT_INPUTS.len()]; contents],
            born: vec![None; contents],
            origin: vec![None; contents],
            category: sources.timeline.contents().iter().map(category).collect(),
            rarity: vec![0.0; contents],
            news: vec![0.0; contents],
            norm: vec![1.0; users],
            given: vec![0.0; users],
            given_total: 0.0,
            category_share: vec![0.0; categories],
            category_total: 0.0,
            fast: Vec::new(),
            slow: Vec::new(),
            slow_of: vec![Vec::new(); categories],
            spare: Mutex::default(),
        }
    }

    fn describe(&mut self, sources: &Sources<'_>, content: usize, firsts: &[Touch], clock: &Clock) {
        let timeline = sources.timeline;
        let declared = sources.catalogue.contents.get(&timeline.contents()[content]);
        let published = declared.and_then(|declared| declared.published_at);
        let born = published.or(firsts.first().map(|touch| touch.at)).filter(|born| *born < self.at);
        let expired = declared.and_then(|declared| declared.expires_at).is_some_and(|end| end <= self.at);
        self.born[content] = born;
        self.alive[content] = born.is_some() && !expired;
        self.origin[content] = firsts.first().map(|touch| touch.user);
        let mut popularity = [0.0; HALF_LIVES.len()];
        for touch in firsts {
            let age = clock.age(timeline.acts_before(touch.at));
            popularity
                .iter_mut()
                .zip(HALF_LIVES)
                .for_each(|(sum, half_life)| *sum += decay_factor(age, half_life));
        }
        if let Some(category) = self.category[content] {
            self.category_share[category as usize] += popularity[SLOW];
        }
        let touches: f64 = timeline
            .touches_before(content, self.at)
            .iter()
            .rev()
            .take_while(|touch| touch.at >= self.at.plus(-60 * DAY))
            .map(|touch| decay(self.at, touch.at, 7.0))
            .sum();
        let hours = born.map_or(f64::NAN, |born| (self.at.micros() - born.micros()) as f64 / HOUR as f64);
        let [a, b, c, d] = popularity.map(|sum| libm::log(sum + FLOOR));
        self.blocks[content] = [a, b, c, d, libm::log(touches + FLOOR), libm::log1p(hours)];
    }

    /// Contents that are alive, by one of the popularities, ties by id.
    fn ranked(&self, popularity: usize) -> Vec<u32> {
        let mut ranked: Vec<u32> =
            (0..self.alive.len() as u32).filter(|content| self.alive[*content as usize]).collect();
        let of = |content: &u32| self.blocks[*content as usize][popularity];
        ranked.sort_by(|a, b| of(b).total_cmp(&of(a)).then(a.cmp(b)));
        ranked
    }

    /// Is the content published and not expired?
    pub fn is_alive(&self, content: usize) -> bool {
        self.alive[content]
    }

    /// The content's block, by `CONTENT_INPUTS`.
    pub fn content(&self, content: usize) -> &[f64] {
        &self.blocks[content]
    }

    /// What is known of one user's relation to all contents. The work grows with what the user and their neighbours
    /// touched, not with how many users and contents there are.
    pub fn view(&self, sources: &Sources<'_>, user: usize) -> ContentView {
        let timeline = sources.timeline;
        let tried = timeline.tried_before(user, self.at);
        let mut scratch = self.lent(timeline);
        let neighbours = self.neighbours(timeline, user, tried, &mut scratch.users);
        let opinions = self.opinions_of(&neighbours, timeline, &mut scratch.contents);
        self.give_back(scratch);
        ContentView {
            opinions,
            touched: tried.iter().map(|(_, content)| *content).collect(),
            own: own_touches(sources, user, self.at),
            origins: self.origins(tried, user as u32),
            categories: counted(tried.iter().filter_map(|(_, content)| self.category[*content as usize])),
            acts: timeline
                .events_before(user, self.at)
                .iter()
                .filter(|event| event.is_own)
                .map(|event| event.at)
                .collect(),
        }
    }

    /// Memory that nobody uses, or new: there is never more of it than threads that look at users at once.
    fn lent(&self, timeline: &Timeline) -> Scratch {
        let spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        spare.unwrap_or_else(|| Scratch {
            users: SparseSums::new(timeline.users().len()),
            contents: SparseSums::new(timeline.contents().len()),
        })
    }

    fn give_back(&self, scratch: Scratch) {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).push(scratch);
    }

    /// Who touched what this user touched, the likest first: cosine of rarities for news, decayed history for
    /// co-engagement.
    fn neighbours(
        &self,
        timeline: &Timeline,
        user: usize,
        tried: &[(Instant, u32)],
        shared: &mut SparseSums,
    ) -> Vec<(u32, f64, f64)> {
        for (at, content) in tried.iter().rev().take(LATEST_CONTENTS) {
            let rarity = self.rarity[*content as usize];
            let history = decay(self.at, *at, HISTORY_HALF_LIFE) * rarity;
            let firsts = timeline.firsts_before(*content as usize, self.at);
            for touch in firsts.iter().rev().take(LATEST_USERS).filter(|touch| touch.user as usize != user) {
                shared.add(touch.user, rarity * rarity, history);
            }
        }
        let mut neighbours = shared.take();
        for (neighbour, cosine, _) in &mut neighbours {
            *cosine /= self.norm[user] * self.norm[*neighbour as usize];
        }
        let order = |a: &(u32, f64, f64), b: &(u32, f64, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if neighbours.len() > NEIGHBOURS {
            neighbours.select_nth_unstable_by(NEIGHBOURS, order);
            neighbours.truncate(NEIGHBOURS);
        }
        neighbours.sort_unstable_by(order);
        neighbours
    }

    /// (content, what neighbours' news say of it, what they share with the user in it) of what they touched, sorted by
    /// content.
    fn opinions_of(
        &self,
        neighbours: &[(u32, f64, f64)],
        timeline: &Timeline,
        sums: &mut SparseSums,
    ) -> Vec<(u32, f64, f64)> {
        let total: f64 = neighbours.iter().map(|(_, cosine, _)| cosine).sum::<f64>() + 1e-6;
        for (neighbour, cosine, history) in neighbours {
            let theirs = timeline.tried_before(*neighbour as usize, self.at);
            let history = history / libm::sqrt(theirs.len() as f64 + 3.0);
            for (at, content) in theirs {
                let is_news = *at >= self.at.plus(-NEWS);
                let news = if is_news { cosine / total * decay(self.at, *at, NEWS_HALF_LIFE) } else { 0.0 };
                sums.add(*content, news, history * self.rarity[*content as usize]);
            }
        }
        let mut opinions = sums.take();
        opinions.sort_unstable_by_key(|(content, _, _)| *content);
        opinions
    }

    /// (origin, contents of theirs that the user touched), sorted.
    fn origins(&self, tried: &[(Instant, u32)], user: u32) -> Vec<(u32, f64)> {
        let origins = tried.iter().filter_map(|(_, content)| self.origin[*content as usize]);
        counted(origins.filter(|origin| *origin != user))
    }

    /// The pair's block, by `PAIR_INPUTS`.
    pub fn pair(&self, view: &ContentView, content: usize) -> Vec<f64> {
        let log_ratio =
            |ours: f64, everybody: f64, prior: f64| libm::log((ours + prior) / (everybody + prior));
        let seen = view.has_touched(content as u32);
        let (near, co_engaged) = view.opinion(content as u32);
        let block = &self.blocks[content];
        let own = view.own_touch(content as u32);
        let if_seen = |value: f64| if seen { value } else { 0.0 };
        vec![
            log_ratio(near, self.news[content], 0.002),
            libm::log(co_engaged + 0.01),
            self.origin_affinity(view, content),
            self.category_affinity(view, content),
            libm::log1p(self.born[content].map_or(0.0, |born| view.acts_since(born) as f64)),
            if_seen(1.0),
            libm::log(own.map_or(0.0, |(weight, _)| weight) + FLOOR),
            own.map_or(f64::NAN, |(_, last)| {
                libm::log1p((self.at.micros() - last.micros()) as f64 / HOUR as f64)
            }),
            if_seen(block[FAST]),
            if_seen(block[SLOW]),
            if_seen(block[HALF_LIVES.len()]),
        ]
    }

    /// Does the user take up what this content's first user takes up, more than others do?
    fn origin_affinity(&self, view: &ContentView, content: usize) -> f64 {
        let Some(origin) = self.origin[content] else { return 0.0 };
        let taken = count_of(&view.origins, origin);
        let expected = view.touched.len() as f64 * self.given[origin as usize] / self.given_total.max(1.0);
        libm::log((taken + 1.0) / (expected + 1.0))
    }

    /// Does the user touch this content's category more than others do?
    fn category_affinity(&self, view: &ContentView, content: usize) -> f64 {
        self.category[content].map_or(0.0, |category| self.affinity_to(view, category))
    }

    fn affinity_to(&self, view: &ContentView, category: u32) -> f64 {
        let share = self.category_share[category as usize] / self.category_total.max(1e-9);
        let expected = view.touched.len() as f64 * share;
        libm::log((count_of(&view.categories, category) + 1.0) / (expected + 1.0))
    }

    /// Candidates of a user whose acts may not decide what he gets: popular now and lately. In order of content.
    pub fn popular(&self, most: usize) -> Vec<usize> {
        let mut chosen: Vec<usize> = self.fast.iter().take(most).map(|content| *content as usize).collect();
        chosen.extend(self.slow.iter().take(most / 2).map(|content| *content as usize));
        chosen.sort_unstable();
        chosen.dedup();
        chosen
    }

    /// The user's candidates, at most `most`: popular now, popular lately, co-engaged, of the categories he prefers; unless
    /// only the unseen are wanted, as many as half of that again that he comes back to. In order of content.
    pub fn candidates(&self, view: &ContentView, most: usize, unseen: bool) -> Vec<usize> {
        let (fast, slow, close) = (most / 2, most / 4, most / 6);
        let liked = most - fast - slow - close;
        let is_open = |content: &u32| self.alive[*content as usize] && !view.has_touched(*content);
        let mut chosen: HashSet<u32> = self.fast.iter().copied().filter(is_open).take(fast).collect();
        chosen.extend(self.slow.iter().copied().filter(is_open).take(slow));
        chosen.extend(self.co_engaged(view, is_open).into_iter().take(close));
        chosen.extend(self.of_liked_categories(view, liked, is_open));
        if !unseen {
            let mut own = view.own.clone();
            own.retain(|(content, _, _)| self.alive[*content as usize]);
            own.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            chosen.extend(own.into_iter().take(most / 2).map(|(content, _, _)| content));
        }
        let mut chosen: Vec<usize> = chosen.into_iter().map(|content| content as usize).collect();
        chosen.sort_unstable();
        chosen
    }

    /// What those who share contents with the user touched, most shared first, ties by id.
    fn co_engaged(&self, view: &ContentView, is_open: impl Fn(&u32) -> bool) -> Vec<u32> {
        let opinions = view.opinions.iter().filter(|(content, _, shared)| *shared > 0.0 && is_open(content));
        let mut close: Vec<(f64, u32)> = opinions.map(|(content, _, shared)| (*shared, *content)).collect();
        close.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        close.into_iter().map(|(_, content)| content).collect()
    }

    /// At most `most` contents of categories that the user touches more than others do, the most preferred first, then
    /// the popular. Only categories that the user has touched can be such.
    fn of_liked_categories(
        &self,
        view: &ContentView,
        most: usize,
        is_open: impl Fn(&u32) -> bool,
    ) -> Vec<u32> {
        let mut liked: Vec<(f64, u32, u32)> = Vec::new();
        for (category, _) in &view.categories {
            let affinity = self.affinity_to(view, *category);
            if affinity > 0.0 {
                let open = self.slow_of[*category as usize].iter().filter(|(_, content)| is_open(content));
                liked.extend(open.take(most).map(|(rank, content)| (affinity, *rank, *content)));
            }
        }
        liked.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        liked.into_iter().take(most).map(|(_, _, content)| content).collect()
    }
}

/// (value, how often), sorted by value.
fn counted(values: impl Iterator<Item = u32>) -> Vec<(u32, f64)> {
    let mut values: Vec<u32> = values.collect();
    values.sort_unstable();
    values.chunk_by(|a, b| a == b).map(|group| (group[0], group.len() as f64)).collect()
}

/// How often a value was counted.
fn count_of(counts: &[(u32, f64)], value: u32) -> f64 {
    counts.binary_search_by_key(&value, |(known, _)| *known).map_or(0.0, |index| counts[index].1)
}

/// The block of a content that no event has touched.
pub(super) fn untouched(at: Instant, published_at: Option<Instant>) -> Vec<f64> {
    let hours = published_at.map_or(0.0, |born| (at.micros() - born.micros()).max(0) as f64 / HOUR as f64);
    let mut block = vec![libm::log(FLOOR); HALF_LIVES.len() + 1];
    block.push(libm::log1p(hours));
    block
}

/// The popularity that stands in without a model, read from a content's block.
pub fn fallback_popularity(block: &[f64]) -> f64 {
    block.get(FAST).copied().unwrap_or(f64::NEG_INFINITY)
}

/// Age in days of usual activity.
struct Clock {
    now: usize,
    /// Acts of anybody in a usual day.
    usual: f64,
}

impl Clock {
    /// Usual is what the last four weeks were, or what there is of them when the first act is younger.
    fn new(timeline: &Timeline, at: Instant) -> Clock {
        let now = timeline.acts_before(at);
        let recent = now - timeline.acts_before(at.plus(-USUAL_DAYS * DAY));
        let lived = timeline.first_act().map_or(0, |first| at.micros().saturating_sub(first.micros()));
        let days = (lived as f64 / DAY as f64).clamp(1.0, USUAL_DAYS as f64);
        Clock { now, usual: (recent as f64 / days).max(1.0) }
    }

    fn age(&self, tick: usize) -> f64 {
        self.now.saturating_sub(tick + 1) as f64 / self.usual
    }
}

/// By user: share of all first touches, with a half-life of a week.
fn activity_weights(sources: &Sources<'_>, at: Instant) -> Vec<f64> {
    let timeline = sources.timeline;
    let own = |user: usize| {
        timeline.tried_before(user, at).iter().map(|(moment, _)| decay(at, *moment, 7.0)).sum::<f64>()
    };
    let weights: Vec<f64> = (0..timeline.users().len()).map(own).collect();
    let total = weights.iter().sum::<f64>().max(1e-9);
    weights.into_iter().map(|weight| weight / total).collect()
}

/// (content, decayed touches, last touch) of a user, sorted by content.
fn own_touches(sources: &Sources<'_>, user: usize, at: Instant) -> Vec<(u32, f64, Instant)> {
    let events = sources.timeline.events_before(user, at).iter().filter(|event| event.is_own);
    let mut touches: Vec<(u32, Instant)> =
        events.filter_map(|event| Some((event.content?, event.at))).collect();
    touches.sort_unstable();
    let one = |group: &[(u32, Instant)]| {
        let weight = group.iter().map(|(_, moment)| decay(at, *moment, TOUCH_HALF_LIFE)).sum();
        (group[0].0, weight, group[group.len() - 1].1)
    };
    touches.chunk_by(|a, b| a.0 == b.0).map(one).collect()
}

/// One user's relation to all contents at a moment.
#[derive(Clone, Debug)]
pub struct ContentView {
    /// (content, neighbours' news of it, what they share with the user in it), sorted by content.
    opinions: Vec<(u32, f64, f64)>,
    touched: HashSet<u32>,
    own: Vec<(u32, f64, Instant)>,
    origins: Vec<(u32, f64)>,
    /// (category, contents of it that the user touched), sorted by category.
    categories: Vec<(u32, f64)>,
    acts: Vec<Instant>,
}

impl ContentView {
    /// Has the user touched the content before the moment?
    pub fn has_touched(&self, content: u32) -> bool {
        self.touched.contains(&content)
    }

    /// What neighbours say of a content: by their news, and by what they share with the user; zeros if nothing.
    fn opinion(&self, content: u32) -> (f64, f64) {
        let known = self.opinions.binary_search_by_key(&content, |(known, _, _)| *known);
        known.map_or((0.0, 0.0), |index| (self.opinions[index].1, self.opinions[index].2))
    }

    fn own_touch(&self, content: u32) -> Option<(f64, Instant)> {
        let index = self.own.binary_search_by_key(&content, |(known, _, _)| *known).ok()?;
        Some((self.own[index].1, self.own[index].2))
    }

    fn acts_since(&self, moment: Instant) -> usize {
        self.acts.len() - self.acts.partition_point(|at| *at < moment)
    }
}
