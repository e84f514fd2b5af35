//! A whole audience at once: who gets which campaign when, under everything that campaigns share.
//!
//! Each user has options (send slots with a value) for each campaign. The plan picks one at most for each, so that
//! the sum of values is as large as it can be made while every limit holds. Limits get prices: what a send in a
//! quarter of an hour takes away from others. At the right prices everybody's own best choice nearly fits, so users
//! can be planned one by one; the prices also prove how far from the best plan this can be at most.

pub mod audience;
pub mod limits;
pub mod outcome;

mod assign;
mod assignment;
mod bundle;
mod demand;
mod exact;
mod exchange;
mod loads;
mod prices;
mod reasons;
mod search;

use assign::Assigner;
use audience::Audience;
use limits::{JointRules, Limits};
use outcome::Plan;
use prices::{Resources, Table};

/// How to plan, as opposed to what.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Decides the order in which users are served and the sample that prices are found on.
    pub seed: u64,
    /// How many threads may work; the plan does not depend on it.
    pub threads: usize,
    /// Audiences with fewer users than this are searched exactly.
    pub exact_below: usize,
}

impl Settings {
    /// The usual settings for a seed and a number of threads.
    pub fn new(seed: u64, threads: usize) -> Settings {
        Settings { seed, threads, exact_below: 10 }
    }
}

/// What is to be planned.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a, R> {
    /// Users with their options.
    pub audience: &'a Audience,
    /// What campaigns must keep to.
    pub limits: &'a Limits,
    /// What the sends of one user must keep to together.
    pub rules: &'a R,
    /// How to plan.
    pub settings: Settings,
}

/// A step of planning, for whoever watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Prices are sought on so many users.
    Prices(usize),
    /// Everybody's best choice at these prices is turned into sends.
    Assign,
    /// Sends that found no room, and room that found no send, are brought together.
    Improve,
    /// The most that any plan could be worth is computed.
    Bound,
    /// All plans of a small audience are searched.
    Search,
    /// Reasons and loads are counted.
    Report,
}

/// Plans the task.
pub fn plan<R: JointRules>(task: &Task<R>) -> Plan {
    plan_watched(task, |_| ())
}

/// Plans the task and tells which step begins.
pub fn plan_watched<R: JointRules>(task: &Task<R>, mut watch: impl FnMut(Phase)) -> Plan {
    let resources = Resources::of(task.audience, task.limits);
    let order = order(task);
    let prices = search::find(task, &resources, &order, &mut watch);
    let table = Table::exact(&resources, task.audience, &prices);
    watch(Phase::Assign);
    let mut assigner = Assigner::new(task, &resources, &prices, &table);
    assigner.stream(&order);
    watch(Phase::Improve);
    assigner.improve();
    if assigner.exchange() {
        assigner.improve();
    }
    watch(Phase::Bound);
    let mut bound = search::dual(task, &resources, &order, &prices);
    let mut assignment = assigner.finish();
    let mut is_exact = false;
    if task.audience.users() < task.settings.exact_below {
        watch(Phase::Search);
        let searched = exact::search(task, &table, bound, assignment);
        (assignment, is_exact) = (searched.assignment, searched.is_exact);
        if is_exact {
            bound = assignment.value(task.audience);
        }
    }
    watch(Phase::Report);
    reasons::report(task, &table, assignment, (bound, is_exact))
}

/// The order in which users are served: by a seeded hash, so that nobody is first in every plan.
fn order<R>(task: &Task<R>) -> Vec<u32> {
    let mut order: Vec<u32> = (0..task.audience.users() as u32).collect();
    order.sort_by_cached_key(|user| mix(task.settings.seed, u64::from(*user)));
    order
}

/// 64 bits that depend on both numbers and look random (the finaliser of SplitMix64).
fn mix(seed: u64, number: u64) -> u64 {
    let mut bits = seed ^ number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}
