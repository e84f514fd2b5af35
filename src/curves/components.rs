//! The thirteen curves that one user's curve is mixed from, at a cut: everybody's, his groups', his own in four shapes
//! and two memories, and his groups' with each hour of the day multiplied by what he makes of it.

use super::circular::Circular;
use super::history::{History, Week, normalise, normalised};
use super::rhythm_groups::{RhythmGroups, add_scaled};
use super::transfer::{Transfer, Transition};
use domain::curve::by_hour_of_day;
use domain::time::HOURS_OF_WEEK;

/// Half-lives of the two memories in days; the stack learns how much of each.
const MEMORIES: [Option<f64>; 2] = [Some(30.0), None];
/// Half-life for groups, transitions and evidence, in days.
pub const EVIDENCE_HALF_LIFE: f64 = 90.0;
/// Resolutions of the rhythm groups; the stack learns how much of each.
const GROUPS: [usize; 2] = [8, 32];
/// Units at which the group's word on an hour of the day weighs as much as the user's own, where the two are multiplied; the
/// stack learns how much of each.
const STRENGTHS: [f64; 2] = [3.0, 8.0];
/// Independent units that one unit counts like, where the group is the one that the user's hours multiply: people of a group
/// differ in more than chance, and he is not to be sure of his group for what is his own.
const GROUP_UNITS: f64 = 0.25;
/// Users that groups are learned from, evenly strided over those with history.
const GROUP_USERS: usize = 8_192;
/// Users a window that transitions are learned from, evenly strided.
const TRANSITION_USERS: usize = 3_000;
/// Windows of transitions.
const TRANSITION_WINDOWS: i32 = 3;

/// Components of a curve.
pub const COMPONENTS: usize = FIRST_MULTIPLIED + STRENGTHS.len();
/// Index of the global curve.
pub const GLOBAL: usize = 0;
/// Index of the finer rhythm groups' curve.
pub const FINE_GROUPS: usize = 2;
/// Index of the first component from the user's own history.
const FIRST_OWN: usize = 3;
/// Components of the user's own history without decay.
pub const OWN_UNDECAYED: [usize; 4] = [7, 8, 9, 10];
/// Index of the first component in which the user's hours multiply his group's.
const FIRST_MULTIPLIED: usize = 11;

/// How histories are read and smoothed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Smoothing {
    /// Standard deviation of the circular smoothing in hours.
    pub bandwidth: f64,
    /// Share of a unit that leans to the nearer neighbouring hour.
    pub lean: f64,
}

/// What all users share at a cut `back` days before the last one, learned from what came before it.
#[derive(Clone, Debug)]
pub struct SharedComponents {
    back: i32,
    smoothing: Smoothing,
    global: Week,
    /// P(weekday | hour of day) of everybody, by hour of the week.
    weekday_given_hour: Week,
    weekdays: [f64; 7],
    groups: [RhythmGroups; 2],
    by_attribute: [Vec<Vec<f64>>; 2],
    transfer: Transfer,
    over_week: Circular<HOURS_OF_WEEK>,
    over_day: Circular<24>,
}

impl SharedComponents {
    /// Learns everything shared from histories up to `back` days before the cut; `window` is the length in days of
    /// the past windows that transitions are learned from.
    pub fn learn(histories: &[History], back: i32, window: i32, smoothing: Smoothing) -> SharedComponents {
        let over_week = Circular::new(smoothing.bandwidth);
        let global = global_curve(histories, back, smoothing.lean, &over_week);
        let (weekdays, weekday_given_hour) = weekday_shares(&global);
        let known: Vec<&History> = histories.iter().filter(|history| history.count(back) > 0).collect();
        let step = known.len().div_ceil(GROUP_USERS).max(1);
        let known: Vec<&History> = known.into_iter().step_by(step).collect();
        let weeks = parallel::map(known.len(), |user| {
            known[user].weights(back, Some(EVIDENCE_HALF_LIFE), smoothing.lean)
        });
        let attributes: Vec<u32> = known.iter().map(|history| history.attribute).collect();
        let values = histories.iter().map(|history| history.attribute as usize + 1).max().unwrap_or(1);
        let groups = GROUPS.map(|count| RhythmGroups::learn(&weeks, count, &global, &over_week));
        let by_attribute = [0, 1].map(|level| groups[level].by_attribute(&weeks, &attributes, values));
        let transfer = Transfer::learn(&transitions(histories, back, window, smoothing.lean, &global));
        SharedComponents {
            back,
            smoothing,
            global,
            weekday_given_hour,
            weekdays,
            groups,
            by_attribute,
            transfer,
            over_week,
            over_day: Circular::new(smoothing.bandwidth),
        }
    }

    /// The same with another smoothing of single histories; what was learned across users stays.
    pub fn with_smoothing(mut self, smoothing: Smoothing) -> SharedComponents {
        self.smoothing = smoothing;
        self.over_week = Circular::new(smoothing.bandwidth);
        self.over_day = Circular::new(smoothing.bandwidth);
        self
    }

    /// Everybody's curve.
    pub fn global(&self) -> &Week {
        &self.global
    }

    /// Effective active hours of a user at this cut.
    pub fn evidence(&self, history: &History) -> f64 {
        history.evidence(self.back, EVIDENCE_HALF_LIFE)
    }

    /// A user's curve as his rhythm groups have it, a unit of his counting like so many independent ones.
    fn group_curve(&self, history: &History, level: usize, units: f64) -> Week {
        let groups = &self.groups[level];
        if history.count(self.back) == 0 {
            return groups.mixture(&self.by_attribute[level][history.attribute as usize]);
        }
        let week = history.weights(self.back, Some(EVIDENCE_HALF_LIFE), self.smoothing.lean);
        groups.mixture(&groups.memberships(&week.map(|weight| units * weight)))
    }

    /// The user's components, each summing to 1.
    pub fn components(&self, history: &History) -> [Week; COMPONENTS] {
        let mut components = [self.global; COMPONENTS];
        components[1] = self.group_curve(history, 0, 1.0);
        components[FINE_GROUPS] = self.group_curve(history, 1, 1.0);
        let group = components[FINE_GROUPS];
        for (memory, half_life) in MEMORIES.into_iter().enumerate() {
            let week = history.weights(self.back, half_life, self.smoothing.lean);
            let own = self.own_shapes(&week, &group);
            components[FIRST_OWN + 4 * memory..FIRST_OWN + 4 * memory + 4].copy_from_slice(&own);
        }
        let group = self.group_curve(history, 1, GROUP_UNITS);
        let week = history.weights(self.back, None, self.smoothing.lean);
        let multiplied = STRENGTHS.map(|strength| multiplied(&group, &week, strength));
        components[FIRST_MULTIPLIED..].copy_from_slice(&multiplied);
        components
    }

    /// Four readings of a history, each shrunk to the group by one pseudo-unit: hour by hour; his mean day with
    /// everybody's weekdays; his mean day with his own weekdays; moved by the learned transfer.
    fn own_shapes(&self, week: &Week, group: &Week) -> [Week; 4] {
        let mut by_slot = self.over_week.smooth(week);
        add_scaled(&mut by_slot, group, 1.0);
        let mean_day = self.mean_day(week, group);
        let mut own_weekdays = self.weekdays.map(|share| share * 7.0);
        for (slot, weight) in week.iter().enumerate() {
            own_weekdays[slot / 24] += weight;
        }
        normalise(&mut own_weekdays);
        let mut everybodys_week = self.weekday_given_hour;
        let mut own_week = [0.0; HOURS_OF_WEEK];
        for slot in 0..HOURS_OF_WEEK {
            everybodys_week[slot] *= mean_day[slot % 24];
            own_week[slot] = mean_day[slot % 24] * own_weekdays[slot / 24];
        }
        let mut moved = *week;
        add_scaled(&mut moved, group, 1.0);
        [normalised(by_slot), everybodys_week, own_week, self.transfer.apply(&normalised(moved))]
    }

    fn mean_day(&self, week: &Week, group: &Week) -> [f64; 24] {
        let mut day = self.over_day.smooth(&by_hour_of_day(week));
        for (hour, share) in by_hour_of_day(group).into_iter().enumerate() {
            day[hour] += share;
        }
        normalised(day)
    }

    /// Components that tell smoothings apart: group, transfer, hour by hour, and mean day, of one memory.
    pub fn smoothing_probe(&self, history: &History) -> [Week; 4] {
        let group = self.group_curve(history, 1, 1.0);
        let week = history.weights(self.back, Some(EVIDENCE_HALF_LIFE), self.smoothing.lean);
        let [by_slot, everybodys_week, _, moved] = self.own_shapes(&week, &group);
        [group, moved, by_slot, everybodys_week]
    }
}

/// The group's week with each hour of the day times the user's units in it over those the group lets expect, shrunk to 1:
/// the posterior mean of a gamma–Poisson rate. A user whose group peaks at eight and who comes at nine keeps its shape.
fn multiplied(group: &Week, week: &Week, strength: f64) -> Week {
    let (own, shared) = (by_hour_of_day(week), by_hour_of_day(group));
    let units: f64 = own.iter().sum();
    let ratio = |hour: usize| (own[hour] + strength) / (units * shared[hour] + strength);
    let ratios: [f64; 24] = std::array::from_fn(ratio);
    normalised(std::array::from_fn(|slot| group[slot] * ratios[slot % 24]))
}

/// Units of his group that a component counts beside the user's own; infinite where nothing in it is his.
pub fn prior_units(component: usize) -> f64 {
    match component {
        _ if component < FIRST_OWN => f64::INFINITY,
        _ if component < FIRST_MULTIPLIED => 1.0,
        _ => 24.0 * STRENGTHS[component - FIRST_MULTIPLIED],
    }
}

fn global_curve(histories: &[History], back: i32, lean: f64, smoothing: &Circular<HOURS_OF_WEEK>) -> Week {
    const CHUNK: usize = 256;
    let parts = parallel::in_chunks(histories.len(), CHUNK, |range| {
        let mut sum = [0.0; HOURS_OF_WEEK];
        for history in &histories[range] {
            add_scaled(&mut sum, &history.weights(back, None, lean), 1.0);
        }
        sum
    });
    let mut total = [0.0; HOURS_OF_WEEK];
    parts.iter().for_each(|part| add_scaled(&mut total, part, 1.0));
    normalised(smoothing.smooth(&total).map(|weight| weight + 0.5))
}

/// P(weekday), and P(weekday | hour of day) by hour of the week.
fn weekday_shares(global: &Week) -> ([f64; 7], Week) {
    let (hours, mut weekdays, mut conditional) = (by_hour_of_day(global), [0.0; 7], *global);
    for slot in 0..HOURS_OF_WEEK {
        weekdays[slot / 24] += global[slot];
        conditional[slot] /= hours[slot % 24];
    }
    (weekdays, conditional)
}

fn transitions(histories: &[History], back: i32, window: i32, lean: f64, global: &Week) -> Vec<Transition> {
    let mut all = Vec::new();
    for past in 1..=TRANSITION_WINDOWS {
        let cut = back + window * past;
        let moved = |history: &&History| {
            history.count(cut) > 0 && history.held_out(cut, window).iter().any(|count| *count > 0)
        };
        let users: Vec<&History> = histories.iter().filter(moved).collect();
        let taken = users.len().min(TRANSITION_USERS);
        all.extend((0..taken).map(|index| {
            let history = users[index * users.len() / taken];
            let mut week = history.weights(cut, Some(EVIDENCE_HALF_LIFE), lean);
            add_scaled(&mut week, global, 0.01);
            Transition { history: normalised(week), after: history.held_out(cut, window) }
        }));
    }
    all
}
