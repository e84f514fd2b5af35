//! One pass that turns choices into sends, and passes that bring displaced users and left room together.

use std::ops::Range;

use super::assignment::{self, Assignment, PickedOption};
use super::audience::{Audience, Cell, PART};
use super::bundle::{Finder, NONE};
use super::limits::{Chosen, JointRules};
use super::loads::Loads;
use super::prices::{Resources, Table};
use super::{Task, demand, mix};
use parallel::in_chunks_with;

/// Passes of improvement at most; each only adds value, so any number is safe.
const MOST_PASSES: usize = 12;

/// What counts as better, so that rounding never does.
pub(super) const LEAST_GAIN: f64 = 1e-9;

/// Prices may be wrong by so many biases: whoever gains less by that much may still be worth an exchange.
const SLACK: f64 = 20.0;

/// Gives sends to users one after another while there is room.
pub(super) struct Assigner<'a, R> {
    pub(super) task: &'a Task<'a, R>,
    pub(super) table: &'a Table,
    pub(super) loads: Loads,
    pub(super) assignment: Assignment,
    finder: Finder<'a, R>,
    chosen: Vec<Chosen>,
    /// By how much prices may be wrong.
    pub(super) slack: f64,
}

impl<'a, R: JointRules> Assigner<'a, R> {
    pub(super) fn new(
        task: &'a Task<'a, R>,
        resources: &Resources,
        prices: &[f64],
        table: &'a Table,
    ) -> Assigner<'a, R> {
        let bias = bias_scale(task.audience);
        let loads = Loads::new(task.audience, task.limits, resources, prices, bias);
        let finder = Finder::new(task.audience, task.rules);
        Assigner {
            task,
            table,
            loads,
            assignment: Assignment::empty(task.audience),
            finder,
            chosen: Vec::new(),
            slack: SLACK * bias,
        }
    }

    /// Everybody in order gets his best sends at the prices, or the best that have room.
    pub(super) fn stream(&mut self, order: &[u32]) {
        let picks = demand::picks(self.task, self.table);
        let campaigns = self.task.audience.campaigns();
        for user in order {
            let user = *user as usize;
            if self.take(user, &picks[user * campaigns..(user + 1) * campaigns]) {
                continue;
            }
            let found = self.find_with_room(user, true);
            if !self.take(user, &found) {
                self.take_what_fits(user, &found);
            }
        }
    }

    /// Users move to better options that have room, those first who need the least scarce room for it.
    pub(super) fn improve(&mut self) {
        for _ in 0..MOST_PASSES {
            let mut movers = self.movers();
            movers.sort_by(|one, other| other.0.total_cmp(&one.0).then(one.1.cmp(&other.1)));
            let moved = movers.iter().filter(|(_, user)| self.improve_user(*user as usize)).count();
            if moved == 0 {
                return;
            }
        }
    }

    pub(super) fn finish(self) -> Assignment {
        self.assignment
    }

    /// The best sends among options with room, at prices or at full value.
    fn find_with_room(&mut self, user: usize, at_prices: bool) -> Vec<u32> {
        let Assigner { task, table, loads, finder, .. } = self;
        finder.find(user, |campaign, _, cell| gain(task.audience, table, loads, at_prices, campaign, cell));
        finder.picks.clone()
    }

    /// Gives the user all these picks, or none when one finds no minute.
    fn take(&mut self, user: usize, picks: &[u32]) -> bool {
        self.chosen.clear();
        for (campaign, pick) in picks.iter().enumerate().filter(|(_, pick)| **pick != NONE) {
            if !self.take_one(user, campaign, *pick) {
                self.release(user);
                return false;
            }
        }
        true
    }

    /// Gives the user whichever of these picks find a minute, the most valuable first.
    fn take_what_fits(&mut self, user: usize, picks: &[u32]) {
        let audience = self.task.audience;
        let mut wanted: Vec<(usize, u32)> =
            picks.iter().copied().enumerate().filter(|(_, pick)| *pick != NONE).collect();
        let value = |&(campaign, pick): &(usize, u32)| assignment::value(audience, user, campaign, pick);
        wanted.sort_by(|one, other| value(other).total_cmp(&value(one)));
        self.chosen.clear();
        for (campaign, pick) in wanted {
            self.take_one(user, campaign, pick);
        }
    }

    /// Gives the user one more send; `chosen` holds those he has.
    fn take_one(&mut self, user: usize, campaign: usize, pick: u32) -> bool {
        let audience = self.task.audience;
        let option = PickedOption::of(audience, campaign, &audience.cells(user, campaign)[pick as usize]);
        let turn = mix(self.task.settings.seed, (user * audience.campaigns() + campaign) as u64);
        let rules = self.task.rules;
        let found = assignment::minute(rules, &self.loads, user, &mut self.chosen, &option, turn);
        let Some(minute) = found else { return false };
        self.put(user, campaign, pick, minute);
        self.chosen.push(option.at(minute));
        true
    }

    pub(super) fn put(&mut self, user: usize, campaign: usize, pick: u32, minute: usize) {
        self.assignment.set(user, campaign, pick, minute);
        self.loads.add(campaign, minute);
    }

    /// Takes the user's sends back and returns them.
    fn release(&mut self, user: usize) -> Vec<(usize, u32, usize)> {
        let sends: Vec<_> = self.assignment.sends(user).collect();
        for (campaign, _, minute) in &sends {
            self.loads.remove(*campaign, *minute);
            self.assignment.set(user, *campaign, NONE, 0);
        }
        sends
    }

    /// Users who would gain by moving to where there is room now, with what they gain at the prices.
    fn movers(&self) -> Vec<(f64, u32)> {
        let audience = self.task.audience;
        let start = || Finder::new(audience, self.task.rules);
        let work = |finder: &mut Finder<R>, range: Range<usize>| {
            let users = range.filter(|user| self.may_gain(*user));
            users.filter_map(|user| self.mover(finder, user)).collect::<Vec<_>>()
        };
        in_chunks_with(self.task.settings.threads, audience.users(), PART, start, work).0.concat()
    }

    /// Is there room for some option that is worth more than what the user gets?
    fn may_gain(&self, user: usize) -> bool {
        let audience = self.task.audience;
        (0..audience.campaigns()).any(|campaign| {
            let (pick, _) = self.assignment.get(user, campaign);
            let has = if pick == NONE { 0.0 } else { audience.cells(user, campaign)[pick as usize].value };
            let mut better = audience.cells(user, campaign).iter().filter(|cell| cell.value > has);
            better.any(|cell| self.room_for(pick, campaign, cell) != 0)
        })
    }

    /// The minutes with room for an option of a user who has this pick of the campaign.
    fn room_for(&self, pick: u32, campaign: usize, cell: &Cell) -> u64 {
        let shape = self.task.audience.shape(cell);
        if pick == NONE {
            self.loads.room(campaign, &shape)
        } else {
            self.loads.room_to_move(campaign, &shape)
        }
    }

    fn mover(&self, finder: &mut Finder<R>, user: usize) -> Option<(f64, u32)> {
        let audience = self.task.audience;
        let found = finder.find(user, |campaign, index, cell| {
            let (pick, _) = self.assignment.get(user, campaign);
            let fits = pick == index as u32 || self.room_for(pick, campaign, cell) != 0;
            if fits { f64::from(cell.value) } else { f64::NEG_INFINITY }
        });
        if found.net <= self.assignment.value_of(audience, user) + LEAST_GAIN {
            return None;
        }
        let has = self.assignment.sends(user).map(|(campaign, pick, _)| self.net(user, campaign, pick));
        let picks = finder.picks.iter().enumerate().filter(|(_, pick)| **pick != NONE);
        let gets = picks.map(|(campaign, pick)| self.net(user, campaign, *pick));
        Some((gets.sum::<f64>() - has.sum::<f64>(), user as u32))
    }

    /// What an option gains at the prices.
    fn net(&self, user: usize, campaign: usize, pick: u32) -> f64 {
        let cell = &self.task.audience.cells(user, campaign)[pick as usize];
        f64::from(cell.value) - self.table.price(campaign, cell.shape)
    }

    /// Plans one user anew in the room there is; what he has stays unless something worth more is found.
    fn improve_user(&mut self, user: usize) -> bool {
        let before = self.assignment.value_of(self.task.audience, user);
        let sends = self.release(user);
        let found = self.find_with_room(user, false);
        if !self.take(user, &found) {
            self.take_what_fits(user, &found);
        }
        if self.assignment.value_of(self.task.audience, user) > before + LEAST_GAIN {
            return true;
        }
        self.release(user);
        sends.into_iter().for_each(|(campaign, pick, minute)| self.put(user, campaign, pick, minute));
        false
    }
}

/// What an option with room gains; less than nothing without room.
#[inline]
fn gain(
    audience: &Audience,
    table: &Table,
    loads: &Loads,
    at_prices: bool,
    campaign: usize,
    cell: &Cell,
) -> f64 {
    let value = f64::from(cell.value);
    // Most options are dear: these need no look at the minutes.
    let net = if at_prices { value - table.price(campaign, cell.shape) } else { value };
    if net <= 0.0 {
        return net;
    }
    let shape = audience.shape(cell);
    let room = loads.room(campaign, &shape);
    if room == 0 {
        f64::NEG_INFINITY
    } else if at_prices {
        value - loads.cheapest(campaign, &shape, room)
    } else {
        net
    }
}

/// The price difference that outweighs a full minute: a fiftieth of what the first users' options are worth on average.
fn bias_scale(audience: &Audience) -> f64 {
    let mean = audience.mean_best(0..audience.users().min(1_000));
    if mean > 0.0 { 0.02 * mean } else { 1.0 }
}
