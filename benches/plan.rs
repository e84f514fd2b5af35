//! A plan for a million users, 24 slots, 20 contents and three campaigns: time of each step, memory, gap, load.
//!
//! `cargo bench --bench plan -- [users] [threads]`

use std::time::Instant;

use smartpush::planning::solver::audience::{Audience, Offer, Offers, WHOLE_HOUR};
use smartpush::planning::solver::limits::{CampaignLimits, Chosen, JointRules, Limits};
use smartpush::planning::solver::outcome::Plan;
use smartpush::planning::solver::{Phase, Settings, Task, plan_watched};

const CAMPAIGNS: usize = 3;
const CONTENTS: usize = 20;
const SLOTS: usize = 24;
const FACTORS: usize = 8;

/// Ten zones, in quarters of an hour from UTC; two are half an hour off.
const OFFSETS: [i64; 10] = [-32, -20, -12, 0, 4, 12, 22, 32, 36, 38];

/// One or two sends a day with four hours between.
struct Rules;

impl JointRules for Rules {
    fn refused_by(&self, user: usize, chosen: &[Chosen]) -> Option<u16> {
        if chosen.len() > self.most_sends(user) {
            return Some(0);
        }
        for (at, one) in chosen.iter().enumerate() {
            for other in &chosen[..at] {
                let most = other.last.saturating_sub(one.first).max(one.last.saturating_sub(other.first));
                if most < 240 {
                    return Some(1);
                }
            }
        }
        None
    }

    fn most_sends(&self, user: usize) -> usize {
        if user.is_multiple_of(3) { 1 } else { 2 }
    }
}

/// Numbers between 0 and 1 that look random.
struct Draws(u64);

impl Draws {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((bits ^ (bits >> 31)) >> 40) as f32 / (1 << 24) as f32
    }
}

/// What contents are like: factors, and how fast each gets old.
struct Contents {
    factors: Vec<[f32; FACTORS]>,
    decay: Vec<f32>,
}

fn contents() -> Contents {
    let mut draws = Draws(1);
    let factors = (0..CAMPAIGNS * CONTENTS).map(|_| std::array::from_fn(|_| draws.next() - 0.5)).collect();
    let decay = (0..CAMPAIGNS * CONTENTS).map(|_| 0.1 * draws.next()).collect();
    Contents { factors, decay }
}

/// Scores every content in every slot and offers the best of each slot.
fn offers(contents: &Contents, user: usize, offers: &mut Offers) {
    let mut draws = Draws(user as u64 * 1_000_003);
    let tastes: [f32; FACTORS] = std::array::from_fn(|_| 2.0 * draws.next() - 1.0);
    let offset = OFFSETS[user % OFFSETS.len()];
    let peak = if draws.next() < 0.3 { 8.0 } else { 20.0 } + 3.0 * draws.next();
    let width = 1.5 + 4.0 * draws.next();
    let loyalty = 2.0 * draws.next() - 3.5;
    for campaign in 0..CAMPAIGNS {
        let own = &contents.factors[campaign * CONTENTS..][..CONTENTS];
        let fit =
            |content: &[f32; FACTORS]| content.iter().zip(&tastes).map(|(one, other)| one * other).sum();
        let fits: [f32; CONTENTS] = std::array::from_fn(|at| fit(&own[at]));
        for slot in 0..SLOTS {
            let aged = |at: usize| fits[at] - contents.decay[campaign * CONTENTS + at] * slot as f32;
            let best = (0..CONTENTS).fold(0, |best, at| if aged(at) > aged(best) { at } else { best });
            let local = (slot as i64 * 4 + offset).div_euclid(4).rem_euclid(24) as f32;
            let away = (local - peak).abs().min(24.0 - (local - peak).abs()) / width;
            let logit = loyalty + aged(best) - 0.5 * away * away;
            let value = 1.0 / (1.0 + (-logit).exp());
            let quarter = slot * 4 + (-offset).rem_euclid(4) as usize;
            offers.add(campaign, Offer { quarter, minutes: WHOLE_HOUR, value, payload: best as u32 });
        }
    }
}

fn limits(users: usize) -> Limits {
    let share = |of: f64| Some((users as f64 * of) as u32);
    let limit =
        |throttle, most| CampaignLimits { throttle_per_minute: share(throttle), max_sends: share(most) };
    Limits {
        campaigns: vec![limit(0.0004, 0.25), limit(0.0003, 0.8), limit(0.0005, 0.45)],
        throttle_per_minute: share(0.0009),
        most_per_hour: share(0.045),
    }
}

/// The most memory this process has used, in megabytes.
fn peak_memory() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap_or_default();
    let kilobytes = line.split_whitespace().nth(1).and_then(|number| number.parse::<f64>().ok());
    kilobytes.unwrap_or(f64::NAN) / 1_024.0
}

fn print(plan: &Plan, limits: &Limits) {
    println!("value {:.1}, bound {:.1}, gap {:.3} %", plan.value, plan.bound, 100.0 * plan.gap());
    for (campaign, outcome) in plan.campaigns.iter().enumerate() {
        let own = limits.of(campaign);
        println!(
            "campaign {campaign}: {} of {} users, most {:?}; busiest minute {} before, {} after, throttle {:?}",
            outcome.sends,
            outcome.users,
            own.max_sends,
            plan.before.peak_of(campaign),
            plan.after.peak_of(campaign),
            own.throttle_per_minute
        );
        println!("  unsent {:?}\n  displaced {:?}", outcome.unsent, outcome.displaced);
    }
    for pair in &plan.pairs {
        println!(
            "campaigns {} and {}: {} shared users, pushed out by rule {:?} and {:?}",
            pair.one, pair.other, pair.shared_users, pair.one_pushed_out, pair.other_pushed_out
        );
    }
    let (before, after) = (plan.before.peak(), plan.after.peak());
    println!("all: busiest minute {before} before, {after} after, throttle {:?}", limits.throttle_per_minute);
    let hours = [plan.before.per(60), plan.after.per(60)];
    println!(
        "sends by hour before {:?}\n              after {:?}, most {:?}",
        hours[0], hours[1], limits.most_per_hour
    );
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|argument| argument.parse::<usize>().ok());
    let users = arguments.next().unwrap_or(1_000_000);
    let threads =
        arguments.next().unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let (contents, limits) = (contents(), limits(users));
    let start = Instant::now();
    let audience =
        Audience::build(CAMPAIGNS, SLOTS + 1, users, threads, |user, into| offers(&contents, user, into));
    println!("{users} users, {} options, {threads} threads", audience.len());
    println!("{:8.2} s score and lay out, {:.0} MB", start.elapsed().as_secs_f64(), peak_memory());
    let task =
        Task { audience: &audience, limits: &limits, rules: &Rules, settings: Settings::new(1, threads) };
    let mut last: (Instant, Option<Phase>) = (Instant::now(), None);
    let mut tell = |next: Option<Phase>| {
        if let Some(phase) = last.1 {
            println!("{:8.2} s {phase:?}", last.0.elapsed().as_secs_f64());
        }
        last = (Instant::now(), next);
    };
    let plan = plan_watched(&task, |phase| tell(Some(phase)));
    tell(None);
    println!("{:8.2} s in all, {:.0} MB at most", start.elapsed().as_secs_f64(), peak_memory());
    print(&plan, &limits);
}
