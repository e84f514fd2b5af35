//! Contents × send slots laid out, and the best arms among them found without valuing each.

use std::cmp::Ordering;

use super::offers::Offer;
use super::scorer::Scorer;
use super::situation::Situation;
use super::slots::OpenSlot;
use crate::domain::time::Instant;

/// One arm that has a value: a content in a send slot. Variant and channel follow from content and user.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Arm {
    /// Index of its offer.
    pub(super) offer: usize,
    /// Index of its slot.
    pub(super) slot: usize,
    /// Raw logit.
    pub(super) logit: f64,
    /// Calibrated P(goal | user, arm).
    pub(super) probability: f64,
    /// `P(goal) · worth − prices`.
    pub(super) value: f64,
}

/// All arms of a decision.
pub(super) struct Board<'a, S> {
    pub(super) situation: &'a Situation<'a>,
    pub(super) scorer: &'a S,
    pub(super) slots: Vec<OpenSlot>,
    /// Marketing first, then service; within each the larger shift first, then by id.
    pub(super) offers: Vec<Offer<'a>>,
    /// What reaching the goal is worth, by the campaign's priority.
    worth: f64,
}

impl<'a, S: Scorer> Board<'a, S> {
    pub(super) fn lay(
        situation: &'a Situation<'a>,
        scorer: &'a S,
        slots: Vec<OpenSlot>,
        mut offers: Vec<Offer<'a>>,
    ) -> Board<'a, S> {
        offers.sort_unstable_by(|one, other| {
            let by_class = other.is_marketing.cmp(&one.is_marketing);
            let by_shift = || other.shift.total_cmp(&one.shift);
            by_class.then_with(by_shift).then_with(|| one.content.content_id.cmp(&other.content.content_id))
        });
        let priority = situation.context.campaign.as_ref().map_or(1.0, |campaign| campaign.priority);
        // What nobody can name is worth nothing.
        let worth = (situation.context.settings.goal_value * priority).max(0.0);
        Board { situation, scorer, slots, offers, worth }
    }

    /// Minutes of the slot's local hour, bit by bit, in which every rule allows the content.
    pub(super) fn allowed_minutes(&self, offer: &Offer, slot: &OpenSlot) -> u64 {
        match offer.life {
            None => 0,
            Some(life) if life.from <= slot.slot.start && slot.slot.end <= life.until => slot.minutes,
            Some(life) => slot.minutes & slot.slot.minutes_within(life.from, life.until),
        }
    }

    /// The start of the slot that holds an instant of the horizon.
    pub(super) fn slot_start(&self, at: Instant) -> Instant {
        let starts = self.slots.iter().map(|slot| slot.slot.start);
        starts.take_while(|start| *start <= at).last().unwrap_or(at)
    }

    /// May the content be sent in some slot?
    pub(super) fn has_arm(&self, offer: &Offer) -> bool {
        self.slots.iter().any(|slot| self.allowed_minutes(offer, slot) != 0)
    }

    /// The best arms among those that rules allow.
    pub(super) fn best_allowed(&self, count: usize) -> Vec<Arm> {
        self.best(count, |offer, slot| self.allowed_minutes(offer, slot) != 0)
    }

    /// The best arms among those that are asked for, best first.
    ///
    /// Among contents of one class a larger shift is never worth less in the same slot, as probabilities never
    /// decrease: once one does not make the list, the rest of its slot cannot either.
    pub(super) fn best(&self, count: usize, is_asked: impl Fn(&Offer, &OpenSlot) -> bool) -> Vec<Arm> {
        let mut best = Vec::with_capacity(count + 1);
        let services = self.offers.partition_point(|offer| offer.is_marketing);
        for slot in 0..self.slots.len() {
            for class in [0..services, services..self.offers.len()] {
                let asked = class.filter(|offer| is_asked(&self.offers[*offer], &self.slots[slot]));
                for arm in asked.filter_map(|offer| self.arm(offer, slot)) {
                    if !self.enters(&mut best, count, arm) {
                        break;
                    }
                }
            }
        }
        best
    }

    /// The arm's value; `None` when the scorer gives no number that could be one.
    pub(super) fn arm(&self, offer: usize, slot: usize) -> Option<Arm> {
        let (content, hour) = (&self.offers[offer], &self.slots[slot]);
        let logit = content.shift + hour.time;
        if !logit.is_finite() {
            return None;
        }
        let probability = self.scorer.probability(logit);
        let fatigue = if content.is_marketing { hour.fatigue } else { 0.0 };
        let value = probability * self.worth - content.price - fatigue;
        let is_sound = (0.0..=1.0).contains(&probability) && value.is_finite();
        is_sound.then_some(Arm { offer, slot, logit, probability, value })
    }

    /// Puts the arm in its place among the best, if it has one.
    fn enters(&self, best: &mut Vec<Arm>, count: usize, arm: Arm) -> bool {
        let place = best.partition_point(|known| self.order(known, &arm) == Ordering::Less);
        if place >= count {
            return false;
        }
        best.insert(place, arm);
        best.truncate(count);
        true
    }

    /// The better arm first: by value, then the larger logit, then the earlier slot, then the content's id. Calibration may
    /// come in steps, and on one step the logit still knows the better hour and content.
    pub(super) fn order(&self, one: &Arm, other: &Arm) -> Ordering {
        let id = |arm: &Arm| &self.offers[arm.offer].content.content_id;
        other
            .value
            .total_cmp(&one.value)
            .then(other.logit.total_cmp(&one.logit))
            .then(one.slot.cmp(&other.slot))
            .then_with(|| id(one).cmp(id(other)))
    }
}
