//! Exchanges: a user whose minutes are full takes a minute of a user who loses less by moving, or by getting nothing.
//!
//! Prices make nearly everybody's choice right, but a minute holds whole sends: some users with few minutes to choose from
//! come too late. One exchange moves one other user; each is made only if the plan is worth more after it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::Range;

use super::assign::{Assigner, LEAST_GAIN};
use super::assignment::{self, PickedOption};
use super::audience::{Cell, PART, QUARTER};
use super::bundle::NONE;
use super::limits::JointRules;
use parallel::in_chunks_on;

/// Passes at most; each only adds value, so any number is safe.
const MOST_PASSES: usize = 6;

/// Users that one pass looks at, those who miss most first, and entries of a quarter that one look passes over.
const MOST_WANTING: usize = 50_000;
const MOST_LOOKS: usize = 8;

/// Who is sent to in a quarter of an hour, the one who would lose least first. Losses are those at the time of entry: they are looked at
/// again before they count.
type Queue = BinaryHeap<Reverse<(Loss, u32)>>;

/// What a user loses by giving a minute away.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Loss(f64);

impl Eq for Loss {}

impl PartialOrd for Loss {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Loss {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// An exchange that looks worth making.
#[derive(Clone, Copy)]
struct Deal {
    gain: f64,
    pick: u32,
    minute: usize,
    /// Who gives way.
    other: u32,
}

/// The quarters of an hour with those who are sent to in them, campaign by campaign.
struct Market {
    quarters: usize,
    queues: Vec<Queue>,
}

impl Market {
    fn enter(&mut self, campaign: usize, minute: usize, loss: Loss, user: usize) {
        self.queues[campaign * self.quarters + minute / QUARTER].push(Reverse((loss, user as u32)));
    }
}

impl<R: JointRules> Assigner<'_, R> {
    /// Makes exchanges until none is worth it. Returns whether any was made.
    pub(super) fn exchange(&mut self) -> bool {
        let mut any = false;
        for _ in 0..MOST_PASSES {
            let wanting = self.wanting();
            if wanting.is_empty() {
                break;
            }
            let mut market = self.market();
            let made = wanting.into_iter().filter(|(_, user, campaign)| {
                self.deal_for(&mut market, *user as usize, usize::from(*campaign))
            });
            if made.count() == 0 {
                break;
            }
            any = true;
        }
        any
    }

    /// Users and campaigns that should have more than they have, by the prices: those who miss most first.
    fn wanting(&self) -> Vec<(f64, u32, u16)> {
        let audience = self.task.audience;
        let work = |users: Range<usize>| {
            let pairs =
                users.flat_map(|user| (0..audience.campaigns()).map(move |campaign| (user, campaign)));
            let wants = |(user, campaign): (usize, usize)| {
                let missed = self.missed(user, campaign)?;
                (missed > -self.slack).then_some((missed, user as u32, campaign as u16))
            };
            pairs.filter_map(wants).collect::<Vec<_>>()
        };
        let found = in_chunks_on(self.task.settings.threads, audience.users(), PART, work);
        let mut wanting = found.concat();
        wanting.sort_by(|one, other| other.0.total_cmp(&one.0).then((one.1, one.2).cmp(&(other.1, other.2))));
        wanting.truncate(MOST_WANTING);
        wanting
    }

    /// What the user's best option of a campaign gains at the prices beyond what he has; `None` when he has the best.
    fn missed(&self, user: usize, campaign: usize) -> Option<f64> {
        let cells = self.task.audience.cells(user, campaign);
        let net = |cell: &Cell| f64::from(cell.value) - self.table.price(campaign, cell.shape);
        let (pick, _) = self.assignment.get(user, campaign);
        let (has, value) = match pick {
            NONE => (0.0, 0.0),
            pick => (net(&cells[pick as usize]), cells[pick as usize].value),
        };
        let better = cells.iter().filter(|cell| cell.value > value);
        better.map(|cell| net(cell) - has).max_by(f64::total_cmp)
    }

    fn market(&self) -> Market {
        let audience = self.task.audience;
        let work = |users: Range<usize>| {
            let sends = users.flat_map(|user| self.assignment.sends(user).map(move |send| (user, send)));
            let entry = |(user, (campaign, _, minute)): (usize, (usize, u32, usize))| {
                (campaign, minute, Loss(self.loss(user, campaign).0), user)
            };
            sends.map(entry).collect::<Vec<_>>()
        };
        let entries = in_chunks_on(self.task.settings.threads, audience.users(), PART, work);
        let quarters = audience.hours() * 60 / QUARTER;
        let mut market = Market { quarters, queues: vec![Queue::new(); audience.campaigns() * quarters] };
        for (campaign, minute, loss, user) in entries.into_iter().flatten() {
            market.enter(campaign, minute, loss, user);
        }
        market
    }

    /// What a user loses by giving up his send of a campaign, and the option that he would move to.
    fn loss(&self, user: usize, campaign: usize) -> (f64, Option<u32>) {
        let cells = self.task.audience.cells(user, campaign);
        let (pick, _) = self.assignment.get(user, campaign);
        let mut best = (0.0, None);
        for (index, cell) in cells.iter().enumerate().filter(|(index, _)| *index as u32 != pick) {
            let shape = self.task.audience.shape(cell);
            if f64::from(cell.value) > best.0 && self.loads.room_to_move(campaign, &shape) != 0 {
                best = (f64::from(cell.value), Some(index as u32));
            }
        }
        let has = if pick == NONE { 0.0 } else { f64::from(cells[pick as usize].value) };
        (has - best.0, best.1)
    }

    /// Finds the best exchange for a user and makes it.
    fn deal_for(&mut self, market: &mut Market, user: usize, campaign: usize) -> bool {
        let (pick, _) = self.assignment.get(user, campaign);
        let cells = self.task.audience.cells(user, campaign);
        let has = if pick == NONE { 0.0 } else { f64::from(cells[pick as usize].value) };
        let mut order: Vec<u32> = (0..cells.len() as u32).collect();
        order.sort_by(|one, other| cells[*other as usize].value.total_cmp(&cells[*one as usize].value));
        let mut best: Option<Deal> = None;
        for pick in order {
            let most = f64::from(cells[pick as usize].value) - has;
            if most <= best.map_or(LEAST_GAIN, |deal| deal.gain) {
                break;
            }
            let deal = self.deal_at(market, (user, campaign, pick), most);
            best = [best, deal].into_iter().flatten().max_by(|one, other| one.gain.total_cmp(&other.gain));
        }
        best.filter(|deal| deal.gain > LEAST_GAIN).is_some_and(|deal| self.make(market, user, campaign, deal))
    }

    /// The best exchange for one option, which gains `most` if nobody loses anything.
    fn deal_at(
        &self,
        market: &mut Market,
        (user, campaign, pick): (usize, usize, u32),
        most: f64,
    ) -> Option<Deal> {
        let shape = self.task.audience.shape(&self.task.audience.cells(user, campaign)[pick as usize]);
        let mut best: Option<Deal> = None;
        for (quarter, _) in shape.quarters() {
            let fits = |minute: usize| shape.minutes >> (minute - shape.start()) & 1 == 1;
            let least = self.least_loss(market, (campaign, quarter), user, fits);
            let Some((loss, minute, other)) = least else { continue };
            let deal = Deal { gain: most - loss, pick, minute, other };
            if best.is_none_or(|best| deal.gain > best.gain) {
                best = Some(deal);
            }
        }
        best
    }

    /// Who in a quarter loses least by giving way in a minute that fits, among the first few. Entries that are no longer
    /// true are mended on the way.
    fn least_loss(
        &self,
        market: &mut Market,
        (campaign, quarter): (usize, usize),
        but: usize,
        fits: impl Fn(usize) -> bool,
    ) -> Option<(f64, usize, u32)> {
        let queue = &mut market.queues[campaign * market.quarters + quarter];
        let mut passed = Vec::new();
        let mut found = None;
        for _ in 0..MOST_LOOKS {
            let Some(Reverse((Loss(known), user))) = queue.pop() else { break };
            let (pick, minute) = self.assignment.get(user as usize, campaign);
            if pick == NONE || minute / QUARTER != quarter {
                continue;
            }
            let (loss, _) = self.loss(user as usize, campaign);
            passed.push(Reverse((Loss(loss), user)));
            if user as usize != but && loss <= known + LEAST_GAIN && fits(minute) {
                found = Some((loss, minute, user));
                break;
            }
        }
        queue.extend(passed);
        found
    }

    /// Makes an exchange; false, and everything as before, when rules stand against it or it is not worth it after all.
    fn make(&mut self, market: &mut Market, user: usize, campaign: usize, deal: Deal) -> bool {
        let other = deal.other as usize;
        let audience = self.task.audience;
        let before = self.assignment.value_of(audience, user) + self.assignment.value_of(audience, other);
        let sends = [(user, self.give_up(user, campaign)), (other, self.give_up(other, campaign))];
        let alternative = self.loss(other, campaign).1;
        let is_placed = self.put_at(user, campaign, deal.pick, deal.minute);
        // Whoever gave way may find more than he was thought to.
        let moved =
            is_placed.then(|| alternative.and_then(|pick| self.move_to(other, campaign, pick))).flatten();
        let after = self.assignment.value_of(audience, user) + self.assignment.value_of(audience, other);
        if is_placed && after > before + LEAST_GAIN {
            let loss = Loss(self.loss(user, campaign).0);
            market.enter(campaign, deal.minute, loss, user);
            if let Some(minute) = moved {
                let loss = Loss(self.loss(other, campaign).0);
                market.enter(campaign, minute, loss, other);
            }
            return true;
        }
        self.give_up(user, campaign);
        self.give_up(other, campaign);
        for (user, send) in sends {
            send.into_iter().for_each(|(pick, minute)| self.put(user, campaign, pick, minute));
        }
        false
    }

    /// Takes back the user's send of a campaign.
    fn give_up(&mut self, user: usize, campaign: usize) -> Option<(u32, usize)> {
        let (pick, minute) = self.assignment.get(user, campaign);
        if pick == NONE {
            return None;
        }
        self.loads.remove(campaign, minute);
        self.assignment.set(user, campaign, NONE, 0);
        Some((pick, minute))
    }

    /// Gives the user an option in this very minute, if there is room and his rules allow it.
    fn put_at(&mut self, user: usize, campaign: usize, pick: u32, minute: usize) -> bool {
        let audience = self.task.audience;
        let mut option = PickedOption::of(audience, campaign, &audience.cells(user, campaign)[pick as usize]);
        option.shape.minutes = 1 << (minute - option.shape.start());
        self.put_in(user, &option, pick).is_some()
    }

    /// Gives the user an option in whichever minute has most room.
    fn move_to(&mut self, user: usize, campaign: usize, pick: u32) -> Option<usize> {
        let audience = self.task.audience;
        let option = PickedOption::of(audience, campaign, &audience.cells(user, campaign)[pick as usize]);
        self.put_in(user, &option, pick)
    }

    fn put_in(&mut self, user: usize, option: &PickedOption, pick: u32) -> Option<usize> {
        let audience = self.task.audience;
        let others = self.assignment.sends(user).map(|(campaign, pick, minute)| {
            PickedOption::of(audience, campaign, &audience.cells(user, campaign)[pick as usize]).at(minute)
        });
        let mut chosen: Vec<_> = others.collect();
        let minute = assignment::minute(self.task.rules, &self.loads, user, &mut chosen, option, 0)?;
        self.put(user, option.campaign, pick, minute);
        Some(minute)
    }
}
