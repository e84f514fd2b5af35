//! The search for prices: on a sample first, then on more and more users, each price with a step of its own.

use super::demand::at_prices;
use super::limits::JointRules;
use super::prices::{Resources, Table};
use super::{Phase, Task};

/// How many users prices are sought on before all are looked at, and how often at most.
const SAMPLES: [(usize, usize); 2] = [(10_000, 200), (100_000, 60)];

/// How many choices of users are looked at in the end, and the fewest and most looks at everybody that makes.
const LAST_LOOKS: (usize, usize, usize) = (6_000_000, 12, 300);

/// A bound that falls by less than this share in so many looks has arrived.
const ARRIVED: (f64, usize) = (0.000_001, 60);

/// How far a price moves at first, and at the least when more users are looked at, in mean values.
const FIRST_STEP: f64 = 0.1;
const LEAST_STEP: f64 = 0.001;

/// Steps grow while a price goes on in one direction and shrink when it turns. Gently: prices pull at each other, and
/// harsh cuts freeze them before all users have settled.
const GROWTH: f64 = 1.03;
const CUT: f64 = 0.9;

/// The part of its last move that a price makes again; without it, prices that must rise together crawl.
const MOMENTUM: f64 = 0.9;

/// How much prices may differ (in mean values) for quarters to count as nearly equal.
const SOFTNESS: f64 = 0.002;

/// What is too much and too little, at its price and as a share of everything, when prices are good enough.
const BALANCED: f64 = 0.000_03;

/// Finds prices at which demand and capacity meet. `order` is random: its beginning is a sample.
pub(super) fn find<R: JointRules>(
    task: &Task<R>,
    resources: &Resources,
    order: &[u32],
    watch: &mut impl FnMut(Phase),
) -> Vec<f64> {
    let sample = order.iter().take(SAMPLES[0].0).map(|user| *user as usize);
    let scale = task.audience.mean_best(sample);
    let mut prices = vec![0.0; resources.capacity.len()];
    if scale <= 0.0 || resources.capacity.iter().all(|capacity| capacity.is_infinite()) {
        return prices;
    }
    let mut descent = Descent::new(task, resources, scale);
    let (choices, fewest, most) = LAST_LOOKS;
    let last = (order.len(), (choices / order.len()).clamp(fewest, most));
    let samples = SAMPLES.into_iter().filter(|(users, _)| *users < order.len());
    for (users, rounds) in samples.chain([last]) {
        watch(Phase::Prices(users));
        descent.look_at(&order[..users]);
        prices = descent.run(prices, rounds);
    }
    prices
}

/// No plan is worth more than this: what capacity costs, and what everybody gains at most at these prices.
pub(super) fn dual<R: JointRules>(
    task: &Task<R>,
    resources: &Resources,
    order: &[u32],
    prices: &[f64],
) -> f64 {
    let table = Table::exact(resources, task.audience, prices);
    at_prices(task, &table, order).upper + resources.worth(prices)
}

/// Lowers the dual bound of some users step by step.
struct Descent<'a, R> {
    task: &'a Task<'a, R>,
    resources: &'a Resources,
    users: &'a [u32],
    /// The part of all users that these are, and of each capacity that falls to them.
    share: f64,
    /// What the best options are worth on average.
    scale: f64,
    steps: Vec<f64>,
    /// How much was too much at the last prices, as a share of capacity.
    excess: Vec<f64>,
    moves: Vec<f64>,
}

/// What was seen at some prices.
struct Seen {
    bound: f64,
    loads: Vec<f64>,
    /// What is too much and too little, at its price and as a share of the bound.
    imbalance: f64,
}

impl<'a, R: JointRules> Descent<'a, R> {
    fn new(task: &'a Task<'a, R>, resources: &'a Resources, scale: f64) -> Descent<'a, R> {
        let count = resources.capacity.len();
        let (steps, zeros) = (vec![FIRST_STEP * scale; count], vec![0.0; count]);
        Descent { task, resources, users: &[], share: 0.0, scale, steps, excess: zeros.clone(), moves: zeros }
    }

    /// Goes on with other users; what was learnt about steps is kept.
    fn look_at(&mut self, users: &'a [u32]) {
        self.users = users;
        self.share = users.len() as f64 / self.task.audience.users().max(1) as f64;
        self.steps.iter_mut().for_each(|step| *step = (2.0 * *step).max(LEAST_STEP * self.scale));
        self.excess.fill(0.0);
        self.moves.fill(0.0);
    }

    /// The best prices met, or the mean of the later ones where that is better.
    fn run(&mut self, mut prices: Vec<f64>, rounds: usize) -> Vec<f64> {
        let mut best = (f64::INFINITY, prices.clone());
        let (mut sum, mut count) = (vec![0.0; prices.len()], 0.0);
        let mut mark = (f64::INFINITY, 0);
        for round in 0..rounds {
            let seen = self.see(&prices);
            if seen.bound < best.0 {
                best = (seen.bound, prices.clone());
            }
            if best.0 < mark.0 * (1.0 - ARRIVED.0) {
                mark = (best.0, round);
            }
            if seen.imbalance < BALANCED || round - mark.1 >= ARRIVED.1 {
                break;
            }
            self.step(&mut prices, &seen.loads);
            if round >= rounds / 2 {
                sum.iter_mut().zip(&prices).for_each(|(sum, price)| *sum += price);
                count += 1.0;
            }
        }
        if count == 0.0 {
            return best.1;
        }
        let mean: Vec<f64> = sum.iter().map(|sum| sum / count).collect();
        if self.see(&mean).bound < best.0 { mean } else { best.1 }
    }

    fn see(&self, prices: &[f64]) -> Seen {
        let audience = self.task.audience;
        let table = Table::smooth(self.resources, audience, prices, SOFTNESS * self.scale);
        let demand = at_prices(self.task, &table, self.users);
        let bound = demand.upper + self.resources.worth(prices) * self.share;
        let loads = table.loads(self.resources, audience, &demand.tally);
        let amiss = |(at, load): (usize, &f64)| {
            let capacity = self.resources.capacity[at] * self.share;
            // What is too much and still free has a price all the same: it is only not known yet.
            let price = if *load > capacity { prices[at].max(FIRST_STEP * self.scale) } else { prices[at] };
            if price > 0.0 { (load - capacity).abs() * price } else { 0.0 }
        };
        let imbalance = loads.iter().enumerate().map(amiss).sum::<f64>() / bound;
        Seen { bound, loads, imbalance }
    }

    fn step(&mut self, prices: &mut [f64], loads: &[f64]) {
        for (at, price) in prices.iter_mut().enumerate() {
            let (capacity, load) = (self.resources.capacity[at] * self.share, loads[at]);
            if capacity.is_infinite() || capacity == 0.0 || (load <= capacity && *price == 0.0) {
                self.moves[at] = 0.0;
                continue;
            }
            let excess = (load / capacity - 1.0).clamp(-1.0, 1.0);
            let factor = if excess * self.excess[at] < 0.0 { CUT } else { GROWTH };
            self.steps[at] = (self.steps[at] * factor).min(self.scale);
            self.excess[at] = excess;
            let next = (*price + self.steps[at] * excess + MOMENTUM * self.moves[at]).max(0.0);
            self.moves[at] = next - *price;
            *price = next;
        }
    }
}
