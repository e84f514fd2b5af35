//! What has been given away, minute by minute, and where there is room.

use super::audience::{Audience, Shape};
use super::limits::Limits;
use super::prices::Resources;

/// What limits a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// The campaign's minute is full.
    Campaign,
    /// The minute of all campaigns is full.
    Shared,
    /// The hour is full.
    Hour,
}

/// Sends by campaign and minute, and the minutes that are full.
#[derive(Clone, Debug)]
pub(super) struct Loads {
    limits: Limits,
    minutes: usize,
    own: Vec<u32>,
    shared: Vec<u32>,
    hour: Vec<u32>,
    sends: Vec<u32>,
    /// For each campaign one bit a minute: no send fits in.
    full: Vec<Vec<u64>>,
    /// For each campaign what one send makes of its minute's fullness, own and shared.
    weights: Vec<(f64, f64)>,
    /// What a minute of a (campaign, quarter) costs.
    prices: Vec<f64>,
    /// The price that weighs as much as a full minute.
    scale: f64,
}

impl Loads {
    /// Nothing is given away. `scale` is the price difference that outweighs a full minute.
    pub(super) fn new(
        audience: &Audience,
        limits: &Limits,
        resources: &Resources,
        prices: &[f64],
        scale: f64,
    ) -> Loads {
        let (campaigns, minutes) = (audience.campaigns(), audience.hours() * 60);
        let usual = (audience.users() / minutes.max(1) + 1) as f64;
        let weight = |throttle: Option<u32>| 1.0 / throttle.map_or(usual, |most| f64::from(most.max(1)));
        let shared = weight(limits.throttle_per_minute);
        let own = |campaign: usize| (weight(limits.of(campaign).throttle_per_minute), shared);
        let price = |campaign: usize, quarter: usize| resources.price(prices, campaign, quarter);
        let pairs =
            (0..campaigns).flat_map(|campaign| (0..minutes / 15).map(move |quarter| (campaign, quarter)));
        let mut loads = Loads {
            limits: limits.clone(),
            minutes,
            own: vec![0; campaigns * minutes],
            shared: vec![0; minutes],
            hour: vec![0; minutes / 60],
            sends: vec![0; campaigns],
            full: vec![vec![0; minutes / 64 + 2]; campaigns],
            weights: (0..campaigns).map(own).collect(),
            scale,
            prices: pairs.map(|(campaign, quarter)| price(campaign, quarter)).collect(),
        };
        (0..minutes).for_each(|minute| loads.refresh(minute));
        loads
    }

    /// The allowed minutes of a shape, bit by bit, in which one more send of the campaign fits.
    #[inline]
    pub(super) fn room(&self, campaign: usize, shape: &Shape) -> u64 {
        if self.has_all(campaign) { 0 } else { self.room_to_move(campaign, shape) }
    }

    /// The same for a user who has a send of the campaign already, which he would give back.
    #[inline]
    pub(super) fn room_to_move(&self, campaign: usize, shape: &Shape) -> u64 {
        let (word, shift) = (shape.start() / 64, shape.start() % 64);
        let full = &self.full[campaign];
        let above = if shift == 0 { 0 } else { full[word + 1] << (64 - shift) };
        shape.minutes & !((full[word] >> shift) | above)
    }

    /// Has the campaign as many sends as it may have?
    pub(super) fn has_all(&self, campaign: usize) -> bool {
        self.limits.of(campaign).max_sends.is_some_and(|most| self.sends[campaign] >= most)
    }

    /// Counts a send.
    pub(super) fn add(&mut self, campaign: usize, minute: usize) {
        self.own[campaign * self.minutes + minute] += 1;
        self.shared[minute] += 1;
        self.hour[minute / 60] += 1;
        self.sends[campaign] += 1;
        self.refresh_around(minute, self.limits.most_per_hour == Some(self.hour[minute / 60]));
    }

    /// Takes a send back.
    pub(super) fn remove(&mut self, campaign: usize, minute: usize) {
        self.own[campaign * self.minutes + minute] -= 1;
        self.shared[minute] -= 1;
        self.hour[minute / 60] -= 1;
        self.sends[campaign] -= 1;
        self.refresh_around(minute, self.limits.most_per_hour == Some(self.hour[minute / 60] + 1));
    }

    fn refresh_around(&mut self, minute: usize, whole_hour: bool) {
        if whole_hour {
            let hour = minute / 60 * 60;
            (hour..hour + 60).for_each(|minute| self.refresh(minute));
        } else {
            self.refresh(minute);
        }
    }

    fn refresh(&mut self, minute: usize) {
        for campaign in 0..self.full.len() {
            let is_full = self.limit(campaign, minute).is_some();
            let word = &mut self.full[campaign][minute / 64];
            *word = *word & !(1 << (minute % 64)) | u64::from(is_full) << (minute % 64);
        }
    }

    /// Why a minute has no room for the campaign, its number of sends aside.
    pub(super) fn limit(&self, campaign: usize, minute: usize) -> Option<Limit> {
        let reaches = |most: Option<u32>, count: u32| most.is_some_and(|most| count >= most);
        if reaches(self.limits.of(campaign).throttle_per_minute, self.own[campaign * self.minutes + minute]) {
            Some(Limit::Campaign)
        } else if reaches(self.limits.throttle_per_minute, self.shared[minute]) {
            Some(Limit::Shared)
        } else if reaches(self.limits.most_per_hour, self.hour[minute / 60]) {
            Some(Limit::Hour)
        } else {
            None
        }
    }

    /// Among minutes with room the one that is least full, counted from the origin; `turn` decides between equals.
    pub(super) fn emptiest(&self, campaign: usize, shape: &Shape, room: u64, turn: u64) -> Option<usize> {
        let start = shape.start();
        let (own, shared) = self.weights[campaign];
        let (low, high) = (turn % 60, (1_u64 << (turn % 60)) - 1);
        let mut best: Option<(f64, usize)> = None;
        // From the turn's minute on, then around to it.
        for mut bits in [room >> low << low, room & high] {
            while bits != 0 {
                let minute = start + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let fullness = f64::from(self.own[campaign * self.minutes + minute]) * own
                    + f64::from(self.shared[minute]) * shared
                    + self.prices[(campaign * self.minutes + minute) / 15] / self.scale;
                if best.is_none_or(|(least, _)| fullness < least) {
                    best = Some((fullness, minute));
                }
            }
        }
        best.map(|(_, minute)| minute)
    }

    /// The price of the cheapest minute with room.
    pub(super) fn cheapest(&self, campaign: usize, shape: &Shape, room: u64) -> f64 {
        let quarters = Shape { minutes: room, ..*shape }.quarters();
        let price = |quarter: usize| self.prices[campaign * self.minutes / 15 + quarter];
        quarters.map(|(quarter, _)| price(quarter)).fold(f64::INFINITY, f64::min)
    }

    /// How full a minute is, for telling minutes apart: own sends, all sends.
    pub(super) fn at(&self, campaign: usize, minute: usize) -> (u32, u32) {
        (self.own[campaign * self.minutes + minute], self.shared[minute])
    }
}
