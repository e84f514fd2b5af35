//! What people like a user say of contents, against the dense way: vectors over all users and all contents for each user.

use std::collections::BTreeSet;

use smartpush::domain::time::{DAY, Instant};
use smartpush::models::inputs::{AsOf, InputList, Item, Sources, UserAsOf};
use smartpush::models::timeline::Timeline;

use super::town::{self, Town, day};

/// 2^(−age / half-life in days).
fn decay(at: Instant, event: Instant, half_life: f64) -> f64 {
    libm::exp2(-((at.micros() - event.micros()) as f64 / DAY as f64) / half_life)
}

/// Everybody and everything at a moment, each thing in a vector as long as there are users or contents.
struct Dense<'a> {
    timeline: &'a Timeline,
    at: Instant,
    rarity: Vec<f64>,
    norm: Vec<f64>,
    news: Vec<f64>,
}

impl Dense<'_> {
    fn new(timeline: &Timeline, at: Instant) -> Dense<'_> {
        let (users, contents) = (timeline.users().len(), timeline.contents().len());
        let rarity: Vec<f64> = (0..contents)
            .map(|content| 1.0 / libm::sqrt(timeline.firsts_before(content, at).len() as f64 + 3.0))
            .collect();
        let square = |content: u32| rarity[content as usize] * rarity[content as usize];
        let norm = |user: usize| {
            let squares: f64 =
                timeline.tried_before(user, at).iter().map(|(_, content)| square(*content)).sum();
            libm::sqrt(squares + 0.5)
        };
        let activity = |user: usize| -> f64 {
            timeline.tried_before(user, at).iter().map(|(moment, _)| decay(at, *moment, 7.0)).sum()
        };
        let weights: Vec<f64> = (0..users).map(activity).collect();
        let total = weights.iter().sum::<f64>().max(1e-9);
        let news = |content: usize| -> f64 {
            let firsts = timeline.firsts_before(content, at).iter();
            let lately = firsts.filter(|touch| touch.at >= at.plus(-30 * DAY));
            lately.map(|touch| weights[touch.user as usize] / total * decay(at, touch.at, 3.0)).sum()
        };
        let (norm, news) = ((0..users).map(norm).collect(), (0..contents).map(news).collect());
        Dense { timeline, at, rarity, norm, news }
    }

    /// (cosine, shared history) of everybody with a user.
    fn shared(&self, user: usize) -> Vec<(f64, f64)> {
        let mut sums = vec![(0.0, 0.0); self.timeline.users().len()];
        for (moment, content) in self.timeline.tried_before(user, self.at).iter().rev().take(60) {
            let rarity = self.rarity[*content as usize];
            let firsts = self.timeline.firsts_before(*content as usize, self.at);
            for touch in firsts.iter().rev().take(200).filter(|touch| touch.user as usize != user) {
                let (squares, history) = &mut sums[touch.user as usize];
                *squares += rarity * rarity;
                *history += decay(self.at, *moment, 60.0) * rarity;
            }
        }
        let cosine = |(other, (squares, history)): (usize, (f64, f64))| {
            (squares / (self.norm[user] * self.norm[other]), history)
        };
        sums.into_iter().enumerate().map(cosine).collect()
    }

    /// Of every content, what the user's 200 nearest say of it by their news, and what they share with the user in it.
    fn opinions(&self, user: usize) -> (Vec<f64>, Vec<f64>) {
        let shared = self.shared(user);
        let mut near: Vec<usize> = (0..shared.len()).filter(|other| shared[*other].0 > 0.0).collect();
        near.sort_by(|a, b| shared[*b].0.total_cmp(&shared[*a].0).then(a.cmp(b)));
        near.truncate(200);
        let total = near.iter().map(|other| shared[*other].0).sum::<f64>() + 1e-6;
        let contents = self.rarity.len();
        let (mut news, mut co_engaged) = (vec![0.0; contents], vec![0.0; contents]);
        for other in near {
            let theirs = self.timeline.tried_before(other, self.at);
            let history = shared[other].1 / libm::sqrt(theirs.len() as f64 + 3.0);
            for (moment, content) in theirs {
                co_engaged[*content as usize] += history * self.rarity[*content as usize];
                if *moment >= self.at.plus(-30 * DAY) {
                    news[*content as usize] += shared[other].0 / total * decay(self.at, *moment, 3.0);
                }
            }
        }
        (news, co_engaged)
    }
}

/// A user's blocks of one content, by name of the input.
fn input(known: &UserAsOf<'_>, goal: &InputList, name: &str, content: usize) -> f64 {
    let (index, (block, _)) = goal.iter().enumerate().find(|(_, (_, known))| *known == name).unwrap();
    let first = goal.iter().position(|(other, _)| other == block).unwrap();
    known.block(block, Item::Content(content))[index - first]
}

/// The candidates of a user by looking at every content: popular now, popular lately, co-engaged, of liked categories,
/// and unless only the unseen are wanted, those that the user comes back to.
fn candidates(
    known: &UserAsOf<'_>,
    goal: &InputList,
    alive: &[usize],
    co_engaged: &[f64],
    most: usize,
    unseen: bool,
) -> Vec<usize> {
    let of = |name: &str, content: usize| input(known, goal, name, content);
    let sorted = |contents: &[usize], value: &dyn Fn(usize) -> f64| -> Vec<usize> {
        let mut sorted: Vec<(f64, usize)> =
            contents.iter().map(|content| (value(*content), *content)).collect();
        sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
        sorted.into_iter().map(|(_, content)| content).collect()
    };
    let is_seen = |content: &usize| known.has_touched(*content);
    let open: Vec<usize> = alive.iter().copied().filter(|content| !is_seen(content)).collect();
    let slow = sorted(&open, &|content| of("popularity_4d", content));
    let liked: Vec<usize> =
        slow.iter().copied().filter(|content| of("category_affinity", *content) > 0.0).collect();
    let close: Vec<usize> = open.iter().copied().filter(|content| co_engaged[*content] > 0.0).collect();
    let (fast_share, slow_share, close_share) = (most / 2, most / 4, most / 6);
    let mut lists = vec![
        (sorted(&open, &|content| of("popularity_6h", content)), fast_share),
        (slow, slow_share),
        (sorted(&close, &|content| co_engaged[content]), close_share),
        (
            sorted(&liked, &|content| of("category_affinity", content)),
            most - fast_share - slow_share - close_share,
        ),
    ];
    if !unseen {
        let own: Vec<usize> = alive.iter().copied().filter(is_seen).collect();
        lists.push((sorted(&own, &|content| of("touched_weight", content)), most / 2));
    }
    let chosen: BTreeSet<usize> =
        lists.into_iter().flat_map(|(list, share)| list.into_iter().take(share)).collect();
    chosen.into_iter().collect()
}

/// Compares everything that depends on neighbours, of every user at a moment; returns how many opinions there were.
fn compare(sources: &Sources<'_>, as_of: &AsOf, dense: &Dense<'_>, goal: &InputList) -> usize {
    let contents = 0..dense.rarity.len();
    let alive: Vec<usize> = contents.clone().filter(|content| as_of.is_alive(*content)).collect();
    let mut told = 0;
    for user in 0..dense.timeline.users().len() {
        let known = as_of.user(sources, user);
        let (news, co_engaged) = dense.opinions(user);
        for content in contents.clone() {
            let ratio = libm::log((news[content] + 0.002) / (dense.news[content] + 0.002));
            let wanted = [ratio, libm::log(co_engaged[content] + 0.01)];
            let found = ["neighbours", "co_engagement"].map(|name| input(&known, goal, name, content));
            assert_eq!(found.map(f64::to_bits), wanted.map(f64::to_bits), "user {user}, content {content}");
            told += usize::from(co_engaged[content] > 0.0);
        }
        for (most, unseen) in [(6, true), (12, false), (60, true)] {
            let wanted = candidates(&known, goal, &alive, &co_engaged, most, unseen);
            assert_eq!(known.candidates(most, unseen), wanted, "user {user}, {most} at most");
        }
    }
    told
}

#[test]
fn what_neighbours_say_is_the_same_bits_as_by_vectors_over_everybody() {
    let towns = [
        Town { users: 40, contents: 12, days: 12, seed: 11 },
        Town { users: 90, contents: 70, days: 30, seed: 12 },
        // So many that a content has more users than are looked at, and a user more neighbours than are asked.
        Town { users: 330, contents: 9, days: 25, seed: 13 },
    ];
    let mut busiest = 0;
    for town in towns {
        let mut told = 0;
        let material = town.world(town::SETTINGS).material(Instant::MAX);
        let (sources, goal) = (material.sources(), &material.config.goals["engage_24h"]);
        for number in [2, town.days / 2, town.days] {
            let as_of = AsOf::new(&sources, goal, day(number)).unwrap();
            let dense = Dense::new(&material.timeline, day(number));
            told += compare(&sources, &as_of, &dense, &InputList::of(goal.unit));
        }
        assert!(told > 10 * town.users, "{told} opinions");
        let contents = 0..material.timeline.contents().len();
        let users = contents.map(|content| material.timeline.firsts_before(content, Instant::MAX).len());
        busiest = users.max().unwrap_or_default().max(busiest);
    }
    assert!(busiest > 200, "a content has {busiest} users, all of whom are looked at");
}
