//! The best plan of a small audience, by branch and bound under the dual bound.

use super::Task;
use super::assignment::{self, Assignment, PickedOption};
use super::bundle::Finder;
use super::demand;
use super::limits::{Chosen, JointRules};
use super::loads::Loads;
use super::prices::Table;
use super::reasons::count;

/// Bundles of one user, plans, and ways to give minutes that are looked at before the search gives up.
const MOST_BUNDLES: usize = 200_000;
const MOST_PLANS: usize = 2_000_000;
const MOST_PACKINGS: usize = 20_000;

/// What counts as better, so that rounding never does.
const LEAST_GAIN: f64 = 1e-9;

/// The result of a search.
pub(super) struct Searched {
    /// The best plan found; the given one if none is better.
    pub(super) assignment: Assignment,
    /// Was everything looked at that could be better?
    pub(super) is_exact: bool,
}

/// Sends that one user may get together, and how much less they gain than his best ones at the prices.
#[derive(Clone, Debug)]
struct Bundle {
    loss: f64,
    value: f64,
    picks: Vec<(usize, u32)>,
}

/// A send with a minute while plans are built.
#[derive(Clone, Debug)]
struct Sent {
    user: usize,
    pick: u32,
    option: PickedOption,
    minute: usize,
}

/// Looks for a plan that is worth more than the given one.
///
/// No plan is worth more than `bound` minus what its users lose against their best choice at the prices; so users are
/// planned one after another, and a branch ends where that falls to what has been reached.
pub(super) fn search<R: JointRules>(
    task: &Task<R>,
    table: &Table,
    bound: f64,
    start: Assignment,
) -> Searched {
    let best = start.value(task.audience);
    let slack = bound - best;
    let mut is_exact = true;
    let mut bundles = Vec::new();
    for user in 0..task.audience.users() {
        let (of_user, is_whole) = bundles_of(task, table, user, slack);
        is_exact &= is_whole;
        bundles.push(of_user);
    }
    let loads = count(task, &Assignment::empty(task.audience));
    let mut search =
        Search { task, bundles, loads, sent: Vec::new(), bound, best, found: start, plans: 0, is_exact };
    search.descend(0, 0.0, 0.0);
    Searched { assignment: search.found, is_exact: search.is_exact }
}

/// The user's bundles that lose less than `slack`, the least loss first; whether these are all.
fn bundles_of<R: JointRules>(task: &Task<R>, table: &Table, user: usize, slack: f64) -> (Vec<Bundle>, bool) {
    let mut finder = Finder::new(task.audience, task.rules);
    let most = demand::choose(&mut finder, table, user);
    let campaigns = task.audience.campaigns();
    let mut tops = vec![0.0; campaigns + 1];
    for campaign in (0..campaigns).rev() {
        let cells = task.audience.cells(user, campaign).iter();
        let nets = cells.map(|cell| f64::from(cell.value) - table.price(campaign, cell.shape));
        tops[campaign] = tops[campaign + 1] + nets.fold(0.0, f64::max);
    }
    let mut collect = Collect {
        task,
        table,
        user,
        least: most - slack - LEAST_GAIN,
        most,
        tops,
        chosen: Vec::new(),
        picks: Vec::new(),
        bundles: Vec::new(),
        is_whole: true,
    };
    collect.descend(0, 0.0, 0.0);
    collect.bundles.sort_by(|one, other| one.loss.total_cmp(&other.loss));
    (collect.bundles, collect.is_whole)
}

/// Collects the bundles of one user.
struct Collect<'a, R> {
    task: &'a Task<'a, R>,
    table: &'a Table,
    user: usize,
    /// Bundles that gain less are not wanted.
    least: f64,
    most: f64,
    /// The most that campaigns from one on can gain.
    tops: Vec<f64>,
    chosen: Vec<Chosen>,
    picks: Vec<(usize, u32)>,
    bundles: Vec<Bundle>,
    is_whole: bool,
}

impl<R: JointRules> Collect<'_, R> {
    fn descend(&mut self, campaign: usize, net: f64, value: f64) {
        if net + self.tops[campaign] < self.least {
            return;
        }
        if campaign + 1 == self.tops.len() {
            if self.bundles.len() == MOST_BUNDLES {
                self.is_whole = false;
                return;
            }
            self.bundles.push(Bundle { loss: self.most - net, value, picks: self.picks.clone() });
            return;
        }
        let cells = self.task.audience.cells(self.user, campaign);
        for (index, cell) in cells.iter().enumerate() {
            let price = self.table.price(campaign, cell.shape);
            if price.is_infinite() || !self.is_whole {
                continue;
            }
            self.chosen.push(PickedOption::of(self.task.audience, campaign, cell).open());
            if self.task.rules.refused_by(self.user, &self.chosen).is_none() {
                self.picks.push((campaign, index as u32));
                let worth = f64::from(cell.value);
                self.descend(campaign + 1, net + worth - price, value + worth);
                self.picks.pop();
            }
            self.chosen.pop();
        }
        self.descend(campaign + 1, net, value);
    }
}

/// Plans one user after another.
struct Search<'a, R> {
    task: &'a Task<'a, R>,
    bundles: Vec<Vec<Bundle>>,
    loads: Loads,
    sent: Vec<Sent>,
    bound: f64,
    best: f64,
    found: Assignment,
    plans: usize,
    is_exact: bool,
}

impl<R: JointRules> Search<'_, R> {
    fn descend(&mut self, user: usize, loss: f64, value: f64) {
        if user == self.bundles.len() {
            if value > self.best + LEAST_GAIN {
                self.keep(value);
            }
            return;
        }
        for at in 0..self.bundles[user].len() {
            let bundle = self.bundles[user][at].clone();
            if self.bound - loss - bundle.loss <= self.best + LEAST_GAIN {
                return;
            }
            if self.plans >= MOST_PLANS {
                self.is_exact = false;
                return;
            }
            self.plans += 1;
            if self.put(user, &bundle) {
                self.descend(user + 1, loss + bundle.loss, value + bundle.value);
                self.take_back(user);
            }
        }
    }

    fn keep(&mut self, value: f64) {
        self.best = value;
        self.found = Assignment::empty(self.task.audience);
        for sent in &self.sent {
            self.found.set(sent.user, sent.option.campaign, sent.pick, sent.minute);
        }
    }

    /// Gives the bundle minutes, moving the minutes of all sends where needed; false when there are none.
    fn put(&mut self, user: usize, bundle: &Bundle) -> bool {
        let before = self.sent.len();
        let mut chosen = Vec::new();
        for (campaign, pick) in &bundle.picks {
            let audience = self.task.audience;
            let option =
                PickedOption::of(audience, *campaign, &audience.cells(user, *campaign)[*pick as usize]);
            let found = assignment::minute(self.task.rules, &self.loads, user, &mut chosen, &option, 0);
            let Some(minute) = found else {
                self.sent[before..]
                    .iter()
                    .for_each(|sent| self.loads.remove(sent.option.campaign, sent.minute));
                self.sent.truncate(before);
                return self.pack(user, bundle);
            };
            self.loads.add(*campaign, minute);
            chosen.push(option.at(minute));
            self.sent.push(Sent { user, pick: *pick, option, minute });
        }
        true
    }

    fn take_back(&mut self, user: usize) {
        while let Some(sent) = self.sent.pop_if(|sent| sent.user == user) {
            self.loads.remove(sent.option.campaign, sent.minute);
        }
    }

    /// Gives all sends and a bundle new minutes; leaves everything as it was when there are none.
    fn pack(&mut self, user: usize, bundle: &Bundle) -> bool {
        let mut sends = self.sent.clone();
        for (campaign, pick) in &bundle.picks {
            let cell = &self.task.audience.cells(user, *campaign)[*pick as usize];
            let option = PickedOption::of(self.task.audience, *campaign, cell);
            sends.push(Sent { user, pick: *pick, option, minute: 0 });
        }
        self.sent.iter().for_each(|sent| self.loads.remove(sent.option.campaign, sent.minute));
        let mut packing = Packing::new(self.task, &mut self.loads, sends);
        let is_packed = packing.descend(0);
        let has_given_up = packing.ways >= MOST_PACKINGS;
        if is_packed {
            // The sends of a user stand together, in the order of users, as they were put.
            let mut sends = packing.sends;
            sends.sort_by_key(|sent| (sent.user, sent.option.campaign));
            self.sent = sends;
        } else {
            self.is_exact &= !has_given_up;
            self.sent.iter().for_each(|sent| self.loads.add(sent.option.campaign, sent.minute));
        }
        is_packed
    }
}

/// Looks for minutes for given sends.
struct Packing<'a, R> {
    task: &'a Task<'a, R>,
    loads: &'a mut Loads,
    sends: Vec<Sent>,
    ways: usize,
}

impl<'a, R: JointRules> Packing<'a, R> {
    fn new(task: &'a Task<'a, R>, loads: &'a mut Loads, mut sends: Vec<Sent>) -> Packing<'a, R> {
        for sent in &mut sends {
            let (minutes, none) = (sent.option.shape.minutes, &mut Vec::new());
            sent.option.shape.minutes =
                assignment::allowed(task.rules, sent.user, none, &sent.option, minutes);
        }
        let mut counts = vec![0; task.audience.users()];
        sends.iter().for_each(|sent| counts[sent.user] += 1);
        // Users with several sends first, as rules tie these together; then those with the fewest minutes.
        sends.sort_by_key(|sent| {
            (counts[sent.user] == 1, sent.option.shape.minutes.count_ones(), sent.user, sent.option.campaign)
        });
        Packing { task, loads, sends, ways: 0 }
    }

    fn descend(&mut self, at: usize) -> bool {
        if at == self.sends.len() {
            return true;
        }
        let (user, option) = (self.sends[at].user, self.sends[at].option);
        let (campaign, shape) = (option.campaign, option.shape);
        let earlier = self.sends[..at].iter().filter(|sent| sent.user == user);
        let mut chosen: Vec<Chosen> = earlier.map(|sent| sent.option.at(sent.minute)).collect();
        let room = self.loads.room(campaign, &shape);
        let allowed = assignment::allowed(self.task.rules, user, &mut chosen, &option, room);
        let is_alone = self.sends.iter().filter(|sent| sent.user == user).count() == 1;
        let mut seen: Vec<Vec<u32>> = Vec::new();
        for minute in (0..60).filter(|bit| allowed >> bit & 1 == 1).map(|bit| shape.start() + bit) {
            // Minutes that no later send can tell apart are tried once. Rules about several sends could, but after a
            // user with one send come only others of that kind, and their own rules have narrowed their minutes.
            let key = self.look_of(minute, at);
            if self.ways >= MOST_PACKINGS || is_alone && seen.contains(&key) {
                continue;
            }
            seen.push(key);
            self.ways += 1;
            self.sends[at].minute = minute;
            self.loads.add(campaign, minute);
            if self.descend(at + 1) {
                return true;
            }
            self.loads.remove(campaign, minute);
        }
        false
    }

    /// All that later sends can see of a minute.
    fn look_of(&self, minute: usize, at: usize) -> Vec<u32> {
        let loads = (0..self.task.audience.campaigns()).map(|campaign| self.loads.at(campaign, minute));
        let later = self.sends[at + 1..].iter().map(|sent| {
            let bit = minute.wrapping_sub(sent.option.shape.start());
            u32::from(bit < 60 && sent.option.shape.minutes >> bit & 1 == 1)
        });
        let hour = (minute / 60) as u32;
        std::iter::once(hour).chain(loads.flat_map(|(own, shared)| [own, shared])).chain(later).collect()
    }
}
