//! Send slots of the horizon: which of their minutes are allowed, and what each is worth.

use super::prices::price;
use super::run::Run;
use super::scorer::Scorer;
use super::situation::Situation;
use super::walk::{Scope, allowed_runs};
use domain::slot::{SendSlot, send_slots};
use domain::time::HOURS_OF_WEEK;

/// An hour of the week never counts for less than this share of the user's best.
const LEAST_SHARE: f64 = 1e-6;

/// A send slot to choose.
pub(super) struct OpenSlot {
    /// The slot.
    pub(super) slot: SendSlot,
    /// ln(share of its hour of the week / the largest share), ≤ 0.
    pub(super) activity: f64,
    /// What the hour adds to the logit of each of its arms.
    pub(super) time: f64,
    /// What a marketing message costs here for the pushes that are still felt.
    pub(super) fatigue: f64,
}

/// Every slot of the horizon, in order.
pub(super) fn of(situation: &Situation, scorer: &dyn Scorer) -> Vec<OpenSlot> {
    let largest = largest_share(&situation.context.curve);
    let slots = send_slots(situation.zone, situation.from, situation.until);
    let open = |slot: SendSlot| {
        let activity = activity(&situation.context.curve, largest, slot.hour_of_week());
        let felt = situation.felt_pushes(slot.start);
        let fatigue = price(situation.context.settings.fatigue_price * felt);
        OpenSlot { slot, activity, time: scorer.time(activity), fatigue }
    };
    slots.into_iter().map(open).collect()
}

/// Minutes of each slot's local hour, bit by bit, in which channel and slot rules allow each lane: slot by slot, lanes in
/// their order; 0: the slot is refused.
pub(super) fn open_minutes(situation: &Situation, slots: &[OpenSlot]) -> Vec<u64> {
    let lanes = situation.lanes.len();
    let mut minutes = vec![0; slots.len() * lanes];
    for (lane, scope) in situation.lanes.iter().map(Scope::Lane).enumerate() {
        let runs: Vec<Run> = allowed_runs(situation, scope).collect();
        for (slot, open) in slots.iter().enumerate() {
            minutes[slot * lanes + lane] = minutes_of(&open.slot, &runs);
        }
    }
    minutes
}

fn minutes_of(slot: &SendSlot, runs: &[Run]) -> u64 {
    let within = |run: &Run| slot.minutes_within(run.from, run.until);
    runs.iter().map(within).fold(0, |minutes, more| minutes | more)
}

/// The largest share of a usable curve: 168 numbers from 0 up, one of them above it.
fn largest_share(curve: &[f64]) -> Option<f64> {
    let is_usable = curve.len() == HOURS_OF_WEEK && curve.iter().all(|p| p.is_finite() && *p >= 0.0);
    let largest = curve.iter().copied().fold(0.0, f64::max);
    (is_usable && largest > 0.0).then_some(largest)
}

/// ln(share of an hour of the week / the largest share) of a curve.
pub(super) fn activity_at(curve: &[f64], hour_of_week: usize) -> f64 {
    activity(curve, largest_share(curve), hour_of_week)
}

/// Without a usable curve every hour is as good as the next.
fn activity(curve: &[f64], largest: Option<f64>, hour_of_week: usize) -> f64 {
    let Some(largest) = largest else { return 0.0 };
    libm::log((curve[hour_of_week] / largest).max(LEAST_SHARE))
}
