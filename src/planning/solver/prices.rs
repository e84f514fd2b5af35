//! What is scarce, how much of it there is, and what an option pays for it.

use super::audience::{Audience, QUARTER};
use super::limits::Limits;

/// Everything that can run out, each with an index in one list: (campaign, quarter), quarter, hour, campaign.
#[derive(Debug)]
pub(super) struct Resources {
    campaigns: usize,
    quarters: usize,
    /// How many sends each can bear; infinite without a limit.
    pub(super) capacity: Vec<f64>,
}

impl Resources {
    pub(super) fn of(audience: &Audience, limits: &Limits) -> Resources {
        let (campaigns, hours) = (audience.campaigns(), audience.hours());
        let quarters = hours * 4;
        let usable = usable_minutes(audience);
        let throttled = |throttle: Option<u32>| {
            let of = move |minutes: &u32| {
                throttle.map_or(f64::INFINITY, |most| f64::from(most) * f64::from(*minutes))
            };
            usable.iter().map(of).collect::<Vec<f64>>()
        };
        let mut capacity: Vec<f64> = Vec::with_capacity((campaigns + 1) * quarters + hours + campaigns);
        for campaign in 0..campaigns {
            capacity.extend(throttled(limits.of(campaign).throttle_per_minute));
        }
        capacity.extend(throttled(limits.throttle_per_minute));
        let count = |most: Option<u32>| most.map_or(f64::INFINITY, f64::from);
        capacity.extend((0..hours).map(|_| count(limits.most_per_hour)));
        capacity.extend((0..campaigns).map(|campaign| count(limits.of(campaign).max_sends)));
        Resources { campaigns, quarters, capacity }
    }

    pub(super) fn own(&self, campaign: usize, quarter: usize) -> usize {
        campaign * self.quarters + quarter
    }

    fn shared(&self, quarter: usize) -> usize {
        self.own(self.campaigns, quarter)
    }

    fn hour(&self, quarter: usize) -> usize {
        self.own(self.campaigns + 1, 0) + quarter / 4
    }

    fn campaign(&self, campaign: usize) -> usize {
        self.own(self.campaigns + 1, 0) + self.quarters / 4 + campaign
    }

    /// Everything that a send takes a part of.
    fn taken(&self, campaign: usize, quarter: usize) -> [usize; 4] {
        [self.own(campaign, quarter), self.shared(quarter), self.hour(quarter), self.campaign(campaign)]
    }

    /// What a send pays; infinite where there is no capacity at all.
    pub(super) fn price(&self, prices: &[f64], campaign: usize, quarter: usize) -> f64 {
        let pay = |at: &usize| if self.capacity[*at] > 0.0 { prices[*at] } else { f64::INFINITY };
        self.taken(campaign, quarter).iter().map(pay).sum()
    }

    /// What all capacity is worth.
    pub(super) fn worth(&self, prices: &[f64]) -> f64 {
        let limited = prices.iter().zip(&self.capacity).filter(|(price, _)| **price > 0.0);
        limited.map(|(price, capacity)| price * capacity).sum()
    }
}

/// For each quarter the minutes that some option can use.
fn usable_minutes(audience: &Audience) -> Vec<u32> {
    let mut minutes = vec![false; audience.hours() * 60];
    for shape in audience.shapes() {
        for bit in (0..60).filter(|bit| shape.minutes >> bit & 1 == 1) {
            minutes[shape.start() + bit] = true;
        }
    }
    let count = |quarter: &[bool]| quarter.iter().filter(|usable| **usable).count() as u32;
    minutes.chunks(QUARTER).map(count).collect()
}

/// What an option of a campaign pays, by shape: the price of the cheapest quarter it reaches into.
#[derive(Debug)]
pub(super) struct Table {
    shapes: usize,
    prices: Vec<f64>,
    /// Shares of the quarters of each (campaign, shape) when its sends are spread; empty when they are not asked for.
    shares: Vec<[f32; 4]>,
}

impl Table {
    /// Every option pays its cheapest quarter.
    pub(super) fn exact(resources: &Resources, audience: &Audience, prices: &[f64]) -> Table {
        Table::new(resources, audience, prices, None)
    }

    /// Sends are spread over nearly equal quarters, so that demand changes smoothly with prices.
    pub(super) fn smooth(resources: &Resources, audience: &Audience, prices: &[f64], softness: f64) -> Table {
        Table::new(resources, audience, prices, Some(softness))
    }

    fn new(resources: &Resources, audience: &Audience, prices: &[f64], softness: Option<f64>) -> Table {
        let shapes = audience.shapes();
        let mut table = Table { shapes: shapes.len(), prices: Vec::new(), shares: Vec::new() };
        for campaign in 0..audience.campaigns() {
            for shape in shapes {
                let start = usize::from(shape.quarter);
                let mut quarters = [(f64::INFINITY, 0.0); 4];
                for (quarter, minutes) in shape.quarters() {
                    let price = resources.price(prices, campaign, quarter);
                    quarters[quarter - start] = (price, f64::from(minutes));
                }
                let least = quarters.iter().fold(f64::INFINITY, |least, (price, _)| least.min(*price));
                let Some(softness) = softness.filter(|_| least.is_finite()) else {
                    table.prices.push(least);
                    table.shares.push([0.0; 4]);
                    continue;
                };
                let (price, shares) = spread(&quarters, least, softness);
                table.prices.push(price);
                table.shares.push(shares);
            }
        }
        table
    }

    /// What a shape costs a campaign.
    #[inline]
    pub(super) fn price(&self, campaign: usize, shape: u32) -> f64 {
        self.prices[campaign * self.shapes + shape as usize]
    }

    /// Where a (campaign, shape) stands in tallies.
    #[inline]
    pub(super) fn index(&self, campaign: usize, shape: u32) -> usize {
        campaign * self.shapes + shape as usize
    }

    /// The length of tallies.
    pub(super) fn len(&self) -> usize {
        self.prices.len()
    }

    /// What sends, counted by (campaign, shape), take of each resource.
    pub(super) fn loads(&self, resources: &Resources, audience: &Audience, tally: &[u32]) -> Vec<f64> {
        let mut loads = vec![0.0; resources.capacity.len()];
        for (row, count) in tally.iter().enumerate().filter(|(_, count)| **count > 0) {
            let (campaign, shape) = (row / self.shapes, audience.shapes()[row % self.shapes]);
            for (index, share) in self.shares[row].iter().enumerate().filter(|(_, share)| **share > 0.0) {
                let quarter = usize::from(shape.quarter) + index;
                let load = f64::from(*share) * f64::from(*count);
                resources.taken(campaign, quarter).iter().for_each(|at| loads[*at] += load);
            }
        }
        loads
    }
}

/// The smooth minimum of prices with weights, and the share of each.
fn spread(quarters: &[(f64, f64); 4], least: f64, softness: f64) -> (f64, [f32; 4]) {
    let weight = |(price, minutes): (f64, f64)| {
        if minutes > 0.0 { minutes * libm::exp((least - price) / softness) } else { 0.0 }
    };
    let weights = quarters.map(weight);
    let sum: f64 = weights.iter().sum();
    let minutes: f64 = quarters.iter().map(|(_, minutes)| minutes).sum();
    let price = least - softness * libm::log(sum / minutes);
    (price, weights.map(|weight| (weight / sum) as f32))
}
