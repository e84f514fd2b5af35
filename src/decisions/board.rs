//! Contents × channels × send slots laid out, and the best arms among them found without valuing each.

use std::cmp::Ordering;
use std::ops::Range;

use super::context::HOURS_SCALE_ODDS;
use super::lanes::Lane;
use super::offers::{self, Offer};
use super::prior::LEVELS;
use super::run::Run;
use super::scorer::{Scorer, arm_probability};
use super::situation::Situation;
use super::slots::{self, OpenSlot};
use super::walk::{Scope, allowed_runs};
use domain::slot::SendSlot;
use domain::time::{Instant, MINUTE};

/// One arm that has a value: a content over a channel in a send slot. Its variant follows from content and user.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Arm {
    /// Index of its offer.
    pub(super) offer: usize,
    /// Index of its channel.
    pub(super) channel: usize,
    /// Index of its slot.
    pub(super) slot: usize,
    /// Raw logit.
    pub(super) logit: f64,
    /// The same with what was drawn for a content of little history: what arms are chosen by.
    pub(super) drawn_logit: f64,
    /// The level at which that content was drawn.
    pub(super) level: usize,
    /// Calibrated P(goal | user, arm).
    pub(super) probability: f64,
    /// `P(goal) · worth − prices`, P(goal) as it was drawn for a content of little history.
    pub(super) value: f64,
}

/// All arms of a decision.
pub(super) struct Board<'a> {
    pub(super) situation: &'a Situation<'a>,
    pub(super) scorer: &'a dyn Scorer,
    pub(super) slots: Vec<OpenSlot>,
    /// By kind, within each the larger shift first, then by id; those whose value comes back stand last.
    pub(super) offers: Vec<Offer<'a>>,
    /// Runs of offers of which a later one is never worth more than an earlier one in the same slot over the same channel.
    runs: Vec<Range<usize>>,
    /// Allowed minutes of each slot in each lane.
    minutes: Vec<u64>,
    /// What reaching the goal is worth, by the campaign's priority.
    worth: f64,
}

impl<'a> Board<'a> {
    pub(super) fn lay(situation: &'a Situation<'a>, scorer: &'a dyn Scorer) -> Board<'a> {
        let slots = slots::of(situation, scorer);
        let minutes = slots::open_minutes(situation, &slots);
        let mut offers = offers::of(situation, scorer);
        for offer in &mut offers {
            (offer.life, offer.later) = lives(situation, offer);
        }
        offers.sort_unstable_by(|one, other| {
            let by_run = (one.is_recovering(), one.kind).cmp(&(other.is_recovering(), other.kind));
            let by_shift = || other.drawn_shift().total_cmp(&one.drawn_shift());
            // As in `order`, or the best of a run would not come first.
            let by_shift = || by_shift().then(other.level.cmp(&one.level));
            by_run.then_with(by_shift).then_with(|| one.content.content_id.cmp(&other.content.content_id))
        });
        let runs = runs(&offers);
        let priority = situation.context.campaign.as_ref().map_or(1.0, |campaign| campaign.priority);
        // NaN is worth nothing.
        let worth = (situation.context.settings.goal_value * priority).max(0.0);
        Board { situation, scorer, slots, offers, runs, minutes, worth }
    }

    /// Channels to choose among.
    pub(super) fn channels(&self) -> Range<usize> {
        0..self.situation.context.channels.len()
    }

    /// The lane of an offer over a channel.
    fn lane(&self, offer: &Offer, channel: usize) -> usize {
        self.situation.lane(offer.kind, channel)
    }

    /// An offer's lanes, one for each channel.
    pub(super) fn lanes_of(&self, offer: &Offer) -> impl Iterator<Item = &Lane<'a>> {
        let kind = offer.kind;
        self.channels().map(move |channel| &self.situation.lanes[self.situation.lane(kind, channel)])
    }

    /// Lanes with the slots in which they are refused.
    pub(super) fn closed(&self) -> impl Iterator<Item = (&Lane<'a>, SendSlot)> {
        let lanes = &self.situation.lanes;
        let pairs = self.slots.iter().enumerate().flat_map(move |(slot, open)| {
            lanes.iter().enumerate().map(move |(lane, of)| (slot * lanes.len() + lane, of, open.slot))
        });
        pairs.filter(|(index, ..)| self.minutes[*index] == 0).map(|(_, lane, slot)| (lane, slot))
    }

    /// Minutes of the slot's local hour, bit by bit, in which every rule allows the content over the channel.
    pub(super) fn allowed_minutes(&self, offer: &Offer, channel: usize, slot: usize) -> u64 {
        let minutes = self.minutes[slot * self.situation.lanes.len() + self.lane(offer, channel)];
        let open = &self.slots[slot].slot;
        let first = match offer.life {
            None => 0,
            Some(life) if life.from <= open.start && open.end <= life.until => return minutes,
            Some(life) => open.minutes_within(life.from, life.until),
        };
        let later = offer.later.iter().map(|run| open.minutes_within(run.from, run.until));
        minutes & later.fold(first, |all, more| all | more)
    }

    /// The start of the slot that holds an instant of the horizon.
    pub(super) fn slot_start(&self, at: Instant) -> Instant {
        let starts = self.slots.iter().map(|slot| slot.slot.start);
        starts.take_while(|start| *start <= at).last().unwrap_or(at)
    }

    /// May the content be sent in some slot over some channel?
    pub(super) fn has_arm(&self, offer: &Offer) -> bool {
        let mut pairs =
            self.channels().flat_map(|channel| (0..self.slots.len()).map(move |slot| (channel, slot)));
        pairs.any(|(channel, slot)| self.allowed_minutes(offer, channel, slot) != 0)
    }

    /// The best arms among those that rules allow.
    pub(super) fn best_allowed(&self, count: usize) -> Vec<Arm> {
        self.best(count, |offer, channel, slot| self.allowed_minutes(&self.offers[offer], channel, slot) != 0)
    }

    /// The best arms among those that are asked for, by offer, channel and slot; best first.
    ///
    /// Within a run a larger shift is never worth less in the same slot, as probabilities never decrease: once one does not
    /// make the list, the rest of its slot cannot either.
    pub(super) fn best(&self, count: usize, is_asked: impl Fn(usize, usize, usize) -> bool) -> Vec<Arm> {
        let mut best = Vec::with_capacity(count + 1);
        for slot in 0..self.slots.len() {
            for channel in self.channels() {
                for run in &self.runs {
                    let asked = run.clone().filter(|offer| is_asked(*offer, channel, slot));
                    for arm in asked.filter_map(|offer| self.arm(offer, channel, slot)) {
                        if !self.enters(&mut best, count, arm) {
                            break;
                        }
                    }
                }
            }
        }
        best
    }

    /// Every arm that rules allow and that is worth sending: by offer, channel and slot.
    ///
    /// A content of little history counts as worth it if the most that may be drawn for it is.
    pub(super) fn worth_sending(&self) -> Vec<Arm> {
        let triples = (0..self.offers.len()).flat_map(|offer| {
            self.channels()
                .flat_map(move |channel| (0..self.slots.len()).map(move |slot| (offer, channel, slot)))
        });
        let allowed = triples.filter(|(offer, channel, slot)| {
            self.allowed_minutes(&self.offers[*offer], *channel, *slot) != 0
        });
        let arms = allowed.filter_map(|(offer, channel, slot)| self.arm(offer, channel, slot));
        arms.filter(|arm| self.may_be_worth_sending(arm)).collect()
    }

    fn may_be_worth_sending(&self, arm: &Arm) -> bool {
        let most = || self.arm_at(arm.offer, arm.channel, arm.slot, LEVELS.len() - 1);
        arm.value > 0.0 || (self.offers[arm.offer].is_tried() && most().is_some_and(|arm| arm.value > 0.0))
    }

    /// The arm that a plan gave the user, if it is allowed in that minute and has a value.
    pub(super) fn planned_arm(&self, content_id: &str, channel: &str, at: Instant) -> Option<Arm> {
        let offer = self.offers.iter().position(|offer| offer.content.content_id == content_id)?;
        let channel =
            self.channels().find(|index| self.situation.context.channels[*index].name == channel)?;
        let slot = self.slots.iter().position(|open| open.slot.start <= at && at < open.slot.end)?;
        self.allows(offer, channel, slot, at).then(|| self.arm(offer, channel, slot)).flatten()
    }

    /// May this arm be sent at `at` instead of a planned one: same channel, slot and kind, so that every limit stays kept?
    pub(super) fn may_replace(&self, arm: &Arm, planned: &Arm, at: Instant) -> bool {
        let kind = |arm: &Arm| self.offers[arm.offer].kind;
        let same = (arm.channel, arm.slot, kind(arm)) == (planned.channel, planned.slot, kind(planned));
        same && self.allows(arm.offer, arm.channel, arm.slot, at)
    }

    /// Is the minute that holds `at` an allowed one of the arm?
    fn allows(&self, offer: usize, channel: usize, slot: usize, at: Instant) -> bool {
        let minutes = self.allowed_minutes(&self.offers[offer], channel, slot);
        let minute = (at.micros() - self.slots[slot].slot.hour_start().micros()).div_euclid(MINUTE);
        (0..60).contains(&minute) && minutes >> minute & 1 == 1
    }

    /// The best arms of each slot over each channel for each kind, of those that are allowed and worth sending: `contents`
    /// at most, each of another content.
    pub(super) fn best_of_each_lane(&self, contents: usize) -> Vec<Arm> {
        let mut all = Vec::with_capacity(self.slots.len());
        for slot in 0..self.slots.len() {
            for (kind, channel) in (0..self.situation.kinds.len())
                .flat_map(|kind| self.channels().map(move |channel| (kind, channel)))
            {
                all.extend(self.best_of_lane(slot, kind, channel, contents));
            }
        }
        all
    }

    fn best_of_lane(&self, slot: usize, kind: usize, channel: usize, contents: usize) -> Vec<Arm> {
        let runs = self.runs.iter().filter(|run| self.offers[run.start].kind == kind);
        let first = |run: &Range<usize>| {
            let allowed =
                run.clone().filter(|offer| self.allowed_minutes(&self.offers[*offer], channel, slot) != 0);
            // Those behind them in the run are never worth more.
            allowed.filter_map(|offer| self.arm(offer, channel, slot)).take(contents).collect::<Vec<Arm>>()
        };
        let mut arms: Vec<Arm> = runs.flat_map(first).filter(|arm| arm.value > 0.0).collect();
        arms.sort_by(|one, other| self.order(one, other));
        arms.truncate(contents);
        arms
    }

    /// The arm's value; `None` when the scorer gives no number that could be one.
    pub(super) fn arm(&self, offer: usize, channel: usize, slot: usize) -> Option<Arm> {
        self.arm_at(offer, channel, slot, self.offers[offer].level)
    }

    /// The same where a content of little history is drawn at one of [`LEVELS`](super::prior::LEVELS).
    pub(super) fn arm_at(&self, offer: usize, channel: usize, slot: usize, level: usize) -> Option<Arm> {
        let (content, hour) = (&self.offers[offer], &self.slots[slot]);
        let (logit, lift) = (content.shift + hour.time, content.lift(level));
        if !logit.is_finite() {
            return None;
        }
        let probability_of =
            |lift: f64| arm_probability(self.situation.context, self.scorer, content.shift + lift, hour.time);
        let probability = probability_of(0.0);
        let drawn = if lift > 0.0 { probability_of(lift) } else { probability };
        let fatigue = if content.is_marketing { hour.fatigue } else { 0.0 };
        let price = self.situation.lanes[self.lane(content, channel)].price;
        let recovery = content.recovery(&self.situation.context.settings, hour.slot.start);
        let value = drawn * self.worth * recovery - price - fatigue;
        let is_sound = [probability, drawn].iter().all(|p| (0.0..=1.0).contains(p)) && value.is_finite();
        is_sound.then_some(Arm {
            offer,
            channel,
            slot,
            logit,
            drawn_logit: logit + lift,
            level,
            probability,
            value,
        })
    }

    /// P(goal) of an arm whose log-odds are off by so much.
    pub(super) fn probability(&self, arm: Arm, off: f64) -> f64 {
        let (shift, time) = (self.offers[arm.offer].shift, self.slots[arm.slot].time);
        arm_probability(self.situation.context, self.scorer, shift + off, time)
    }

    /// Inserts the arm among the best in order; false when it is none of them.
    fn enters(&self, best: &mut Vec<Arm>, count: usize, arm: Arm) -> bool {
        let rank = best.partition_point(|known| self.order(known, &arm) == Ordering::Less);
        if rank >= count {
            return false;
        }
        best.insert(rank, arm);
        best.truncate(count);
        true
    }

    /// The better arm first: by value, then the larger logit, then the luckier draw, then the hour in which the user is more
    /// active, then the earlier slot, then the channel that was named first, then the content's id. Calibration may come in
    /// steps, and on one step the logit still knows the better hour and content.
    pub(super) fn order(&self, one: &Arm, other: &Arm) -> Ordering {
        let id = |arm: &Arm| &self.offers[arm.offer].content.content_id;
        let knows_hours = self.situation.context.format >= HOURS_SCALE_ODDS;
        let activity = |arm: &Arm| if knows_hours { self.slots[arm.slot].activity } else { 0.0 };
        other
            .value
            .total_cmp(&one.value)
            .then(other.drawn_logit.total_cmp(&one.drawn_logit))
            .then(other.level.cmp(&one.level))
            .then_with(|| activity(other).total_cmp(&activity(one)))
            .then(one.slot.cmp(&other.slot))
            .then(one.channel.cmp(&other.channel))
            .then_with(|| id(one).cmp(id(other)))
    }
}

/// The first run of instants that a content's own rules allow, and those behind it.
fn lives(situation: &Situation, offer: &Offer) -> (Option<Run>, Vec<Run>) {
    let mut runs = allowed_runs(situation, Scope::Content(offer));
    let first = runs.next();
    (first, if situation.context.planned.is_empty() { Vec::new() } else { runs.collect() })
}

/// The runs of sorted offers: one for each kind, and one for each offer whose value differs from hour to hour.
fn runs(offers: &[Offer]) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    for (index, offer) in offers.iter().enumerate() {
        match runs.last_mut() {
            Some(run) if !offer.is_recovering() && offers[run.start].kind == offer.kind => {
                run.end = index + 1
            }
            _ => runs.push(index..index + 1),
        }
    }
    runs
}
