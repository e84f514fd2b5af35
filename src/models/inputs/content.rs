//! Content and pair blocks of goals about contents: how popular a content is now, how old it is, and what people like this
//! user, the contents that he touched, and his own history say of it.
//!
//! Popularity decays on a clock that ticks when anybody does anything: a night or a weekend without readers makes nothing
//! old. The weights of four half-lives side by side are learned, so that the half-life is.

use std::collections::HashSet;

use super::Sources;
use super::decay::decay;
use crate::timeline::{Timeline, Touch};
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
        inputs
    }

    fn empty(sources: &Sources<'_>, at: Instant) -> ContentInputs {
        let (users, contents) = (sources.timeline.users().len(), sources.timeline.contents().len());
        let category = |id: &String| sources.declared.content(id).and_then(|content| content.category);
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
            category_share: vec![0.0; sources.declared.categories().len()],
            category_total: 0.0,
            fast: Vec::new(),
            slow: Vec::new(),
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
                .for_each(|(sum, half_life)| *sum += libm::exp2(-age / half_life));
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

    /// What is known of one user's relation to all contents.
    pub fn view(&self, sources: &Sources<'_>, user: usize) -> ContentView {
        let timeline = sources.timeline;
        let tried = timeline.tried_before(user, self.at);
        let contents = self.alive.len();
        let mut view = ContentView {
            near: vec![0.0; contents],
            co_engaged: vec![0.0; contents],
            touched: tried.iter().map(|(_, content)| *content).collect(),
            own: own_touches(sources, user, self.at),
            origins: self.origins(tried, user as u32),
            categories: vec![0.0; self.category_share.len()],
            acts: timeline
                .events_before(user, self.at)
                .iter()
                .filter(|event| event.is_own)
                .map(|event| event.at)
                .collect(),
        };
        for (_, content) in tried {
            if let Some(category) = self.category[*content as usize] {
                view.categories[category as usize] += 1.0;
            }
        }
        self.ask_neighbours(sources, user, tried, &mut view);
        view
    }

    /// Who touched what this user touched, and what else they touched: cosine of rarities for news, decayed history for
    /// co-engagement.
    fn ask_neighbours(
        &self,
        sources: &Sources<'_>,
        user: usize,
        tried: &[(Instant, u32)],
        view: &mut ContentView,
    ) {
        let timeline = sources.timeline;
        let mut shared = Shared::new(timeline.users().len());
        for (at, content) in tried.iter().rev().take(LATEST_CONTENTS) {
            let rarity = self.rarity[*content as usize];
            let history = decay(self.at, *at, HISTORY_HALF_LIFE) * rarity;
            let firsts = timeline.firsts_before(*content as usize, self.at);
            for touch in firsts.iter().rev().take(LATEST_USERS).filter(|touch| touch.user as usize != user) {
                shared.add(touch.user, rarity * rarity, history);
            }
        }
        let mut neighbours = shared.finish();
        for (neighbour, cosine, _) in &mut neighbours {
            *cosine /= self.norm[user] * self.norm[*neighbour as usize];
        }
        let order = |a: &(u32, f64, f64), b: &(u32, f64, f64)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
        if neighbours.len() > NEIGHBOURS {
            neighbours.select_nth_unstable_by(NEIGHBOURS, order);
            neighbours.truncate(NEIGHBOURS);
        }
        neighbours.sort_unstable_by(order);
        let total: f64 = neighbours.iter().map(|(_, cosine, _)| cosine).sum::<f64>() + 1e-6;
        for (neighbour, cosine, history) in neighbours {
            let theirs = timeline.tried_before(neighbour as usize, self.at);
            let history = history / libm::sqrt(theirs.len() as f64 + 3.0);
            for (at, content) in theirs {
                let content = *content as usize;
                view.co_engaged[content] += history * self.rarity[content];
                if *at >= self.at.plus(-NEWS) {
                    view.near[content] += cosine / total * decay(self.at, *at, NEWS_HALF_LIFE);
                }
            }
        }
    }

    /// (origin, contents of his that the user touched), sorted.
    fn origins(&self, tried: &[(Instant, u32)], user: u32) -> Vec<(u32, f64)> {
        let mut origins: Vec<u32> = tried
            .iter()
            .filter_map(|(_, content)| self.origin[*content as usize])
            .filter(|origin| *origin != user)
            .collect();
        origins.sort_unstable();
        origins.chunk_by(|a, b| a == b).map(|group| (group[0], group.len() as f64)).collect()
    }

    /// The pair's block, by `PAIR_INPUTS`.
    pub fn pair(&self, view: &ContentView, content: usize) -> Vec<f64> {
        let log_ratio =
            |ours: f64, everybody: f64, prior: f64| libm::log((ours + prior) / (everybody + prior));
        let seen = view.has_touched(content as u32);
        let block = &self.blocks[content];
        let own = view.own_touch(content as u32);
        let if_seen = |value: f64| if seen { value } else { 0.0 };
        vec![
            log_ratio(view.near[content], self.news[content], 0.002),
            libm::log(view.co_engaged[content] + 0.01),
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
        let place = view.origins.binary_search_by_key(&origin, |(known, _)| *known);
        let taken = place.map_or(0.0, |place| view.origins[place].1);
        let expected = view.touched.len() as f64 * self.given[origin as usize] / self.given_total.max(1.0);
        libm::log((taken + 1.0) / (expected + 1.0))
    }

    /// Does the user touch this category more than others do?
    fn category_affinity(&self, view: &ContentView, content: usize) -> f64 {
        let Some(category) = self.category[content] else { return 0.0 };
        let share = self.category_share[category as usize] / self.category_total.max(1e-9);
        let expected = view.touched.len() as f64 * share;
        libm::log((view.categories[category as usize] + 1.0) / (expected + 1.0))
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
        chosen.extend(self.of_liked_categories(view, is_open).into_iter().take(liked));
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
        let of = |content: &u32| view.co_engaged[*content as usize];
        let all = 0..self.alive.len() as u32;
        let mut close: Vec<u32> = all.filter(|content| of(content) > 0.0 && is_open(content)).collect();
        close.sort_by(|a, b| of(b).total_cmp(&of(a)).then(a.cmp(b)));
        close
    }

    /// Contents of categories that the user touches more than others do, the most preferred first, then the popular.
    fn of_liked_categories(&self, view: &ContentView, is_open: impl Fn(&u32) -> bool) -> Vec<u32> {
        let of = |content: &u32| self.category_affinity(view, *content as usize);
        let popular = self.slow.iter().copied().filter(is_open);
        let mut liked: Vec<(f64, u32)> = popular.map(|content| (of(&content), content)).collect();
        liked.retain(|(affinity, _)| *affinity > 0.0);
        // Stable: within a category the popular stay first.
        liked.sort_by(|a, b| b.0.total_cmp(&a.0));
        liked.into_iter().map(|(_, content)| content).collect()
    }
}

/// What users share with one of them, summed by user.
struct Shared {
    sums: Vec<(f64, f64)>,
    met: Vec<u32>,
}

impl Shared {
    fn new(users: usize) -> Shared {
        Shared { sums: vec![(0.0, 0.0); users], met: Vec::new() }
    }

    fn add(&mut self, user: u32, square: f64, history: f64) {
        let (squares, histories) = &mut self.sums[user as usize];
        if *squares == 0.0 {
            self.met.push(user);
        }
        *squares += square;
        *histories += history;
    }

    fn finish(self) -> Vec<(u32, f64, f64)> {
        let sums = self.sums;
        self.met.into_iter().map(|user| (user, sums[user as usize].0, sums[user as usize].1)).collect()
    }
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
    near: Vec<f64>,
    co_engaged: Vec<f64>,
    touched: HashSet<u32>,
    own: Vec<(u32, f64, Instant)>,
    origins: Vec<(u32, f64)>,
    categories: Vec<f64>,
    acts: Vec<Instant>,
}

impl ContentView {
    /// Has the user touched the content before the moment?
    pub fn has_touched(&self, content: u32) -> bool {
        self.touched.contains(&content)
    }

    fn own_touch(&self, content: u32) -> Option<(f64, Instant)> {
        let place = self.own.binary_search_by_key(&content, |(known, _, _)| *known).ok()?;
        Some((self.own[place].1, self.own[place].2))
    }

    fn acts_since(&self, moment: Instant) -> usize {
        self.acts.len() - self.acts.partition_point(|at| *at < moment)
    }
}
