//! Plans for whole audiences: against every possible plan on small ones, against their own bound on larger ones.

use std::collections::BTreeMap;

use domain::time::{HOUR, Instant, MINUTE};
use planning::solver::audience::{Audience, Offer, Offers, WHOLE_HOUR, instant_of, origin_of, quarter_of};
use planning::solver::limits::{CampaignLimits, Chosen, JointRules, Limits, NoRules};
use planning::solver::outcome::{LimitReason, Plan};
use planning::solver::{Phase, Settings, Task, plan, plan_watched};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// Rounding in sums of a few thousand values.
const ROUNDING: f64 = 1e-7;

/// At most so many sends, and so many minutes between any two.
#[derive(Clone, Copy, Debug)]
struct CapAndGap {
    most: usize,
    gap: usize,
}

const CAP: u16 = 1;
const GAP: u16 = 2;

impl JointRules for CapAndGap {
    fn refused_by(&self, user: usize, chosen: &[Chosen]) -> Option<u16> {
        if chosen.len() > self.most_sends(user) {
            return Some(CAP);
        }
        let apart = |one: &Chosen, other: &Chosen| {
            other.last.saturating_sub(one.first).max(one.last.saturating_sub(other.first)) >= self.gap
        };
        let conflict = |at: usize| chosen[..at].iter().any(|other| !apart(&chosen[at], other));
        (0..chosen.len()).any(conflict).then_some(GAP)
    }

    fn most_sends(&self, _user: usize) -> usize {
        self.most
    }
}

/// A planning problem with its offers as plain data: `offers[user]` = (campaign, offer).
#[derive(Clone, Debug)]
struct Problem {
    campaigns: usize,
    hours: usize,
    offers: Vec<Vec<(usize, Offer)>>,
    limits: Limits,
    rules: CapAndGap,
}

impl Problem {
    fn audience(&self, threads: usize) -> Audience {
        let fill = |user: usize, offers: &mut Offers| {
            self.offers[user].iter().for_each(|(campaign, offer)| offers.add(*campaign, *offer));
        };
        Audience::build(self.campaigns, self.hours, self.offers.len(), threads, fill)
    }

    fn plan(&self, settings: Settings) -> Plan {
        let audience = self.audience(settings.threads);
        let task = Task { audience: &audience, limits: &self.limits, rules: &self.rules, settings };
        let plan = plan(&task);
        self.assert_kept(&audience, &plan);
        plan
    }

    /// Counts everything anew from the sends themselves.
    fn assert_kept(&self, audience: &Audience, plan: &Plan) {
        let mut own = BTreeMap::new();
        let (mut shared, mut hours) = (BTreeMap::new(), BTreeMap::new());
        let mut sends = vec![0_u32; self.campaigns];
        let mut value = 0.0;
        for user in 0..self.offers.len() {
            let mut chosen = Vec::new();
            for (campaign, sends) in sends.iter_mut().enumerate() {
                let Some(send) = plan.send(audience, user, campaign) else { continue };
                let (quarter, minutes) = audience.time_of(&audience.cells(user, campaign)[send.option]);
                assert_eq!(minutes >> (send.minute - quarter * 15) & 1, 1, "a minute that is not allowed");
                *own.entry((campaign, send.minute)).or_insert(0_u32) += 1;
                *shared.entry(send.minute).or_insert(0_u32) += 1;
                *hours.entry(send.minute / 60).or_insert(0_u32) += 1;
                *sends += 1;
                value += f64::from(send.value);
                chosen.push(Chosen {
                    campaign,
                    first: send.minute,
                    last: send.minute,
                    payload: send.payload,
                });
            }
            assert_eq!(self.rules.refused_by(user, &chosen), None);
        }
        let keeps = |most: Option<u32>, count: u32| most.is_none_or(|most| count <= most);
        assert!(own.iter().all(|(at, count)| keeps(self.limits.of(at.0).throttle_per_minute, *count)));
        assert!(shared.values().all(|count| keeps(self.limits.throttle_per_minute, *count)));
        assert!(hours.values().all(|count| keeps(self.limits.most_per_hour, *count)));
        for (campaign, count) in sends.iter().enumerate() {
            assert!(keeps(self.limits.of(campaign).max_sends, *count));
            assert_eq!(plan.campaigns[campaign].sends, *count);
            assert_eq!(plan.after.sends(campaign), u64::from(*count));
        }
        assert!((value - plan.value).abs() < ROUNDING && plan.value <= plan.bound);
        self.assert_explained(audience, plan);
    }

    /// Who has an option and gets nothing is told why.
    fn assert_explained(&self, audience: &Audience, plan: &Plan) {
        for (user, campaign) in
            (0..self.offers.len()).flat_map(|user| (0..self.campaigns).map(move |k| (user, k)))
        {
            let cells = audience.cells(user, campaign);
            let best = cells.iter().map(|cell| cell.value).fold(0.0, f32::max);
            let gets = plan.send(audience, user, campaign).map_or(0.0, |send| send.value);
            assert_eq!(plan.reason(user, campaign).is_some(), gets < best);
        }
    }
}

fn draw(random: &mut ChaCha8Rng, below: usize) -> usize {
    (random.next_u64() % below as u64) as usize
}

fn share(random: &mut ChaCha8Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

fn perhaps(random: &mut ChaCha8Rng, most: usize) -> Option<u32> {
    (draw(random, 3) > 0).then(|| draw(random, most + 1) as u32)
}

// ---- small problems, and every plan for them ----

/// Up to 6 users, 3 campaigns, 3 slots with two minutes each, and 2 contents.
fn small(seed: u64) -> Problem {
    let random = &mut ChaCha8Rng::seed_from_u64(seed);
    let (users, campaigns, slots) = (1 + draw(random, 6), 1 + draw(random, 3), 1 + draw(random, 3));
    let starts: Vec<usize> = (0..slots).map(|slot| slot * 4 + draw(random, 3)).collect();
    let windows: Vec<u64> = (0..slots).map(|_| 1 << draw(random, 60) | 1 << draw(random, 60)).collect();
    let mut offers = vec![Vec::new(); users];
    for offers in &mut offers {
        for (campaign, slot) in (0..campaigns).flat_map(|k| (0..slots).map(move |slot| (k, slot))) {
            for content in 0..1 + draw(random, 2) {
                // Few distinct values make ties; half of the offers may use only some minutes.
                let value = (1 + draw(random, 12)) as f32 / 4.0 - 0.5;
                let minutes =
                    if draw(random, 2) == 0 { windows[slot] } else { windows[slot] & random.next_u64() };
                offers.push((
                    campaign,
                    Offer { quarter: starts[slot], minutes, value, payload: content as u32 },
                ));
            }
        }
    }
    let of_campaign = |random: &mut ChaCha8Rng| CampaignLimits {
        throttle_per_minute: perhaps(random, 2),
        max_sends: perhaps(random, 4),
    };
    let limits = Limits {
        campaigns: (0..campaigns).map(|_| of_campaign(random)).collect(),
        throttle_per_minute: perhaps(random, 3),
        most_per_hour: perhaps(random, 4),
    };
    let rules = CapAndGap { most: 1 + draw(random, 3), gap: draw(random, 100) };
    Problem { campaigns, hours: 4, offers, limits, rules }
}

/// Sends of one user with minutes: (campaign, minute) and their value.
type Bundle = (Vec<(usize, usize)>, f64);

/// The value of the best of all plans that are worth more than `least`; `least` when there are none.
fn best_of_all(problem: &Problem, least: f64) -> f64 {
    let bundles: Vec<Vec<Bundle>> = (0..problem.offers.len()).map(|user| bundles(problem, user)).collect();
    let most = |bundles: &Vec<Bundle>| bundles.iter().map(|bundle| bundle.1).fold(0.0, f64::max);
    let mut rest = vec![0.0; bundles.len() + 1];
    for user in (0..bundles.len()).rev() {
        rest[user] = rest[user + 1] + most(&bundles[user]);
    }
    let mut best = least;
    // What is given away so far → the most it can be worth.
    let mut states: BTreeMap<Vec<(usize, usize)>, f64> = BTreeMap::from([(Vec::new(), 0.0)]);
    for (user, bundles) in bundles.iter().enumerate() {
        let mut next = BTreeMap::new();
        for (given, value) in &states {
            for (sends, more) in bundles {
                let total = value + more;
                if total + rest[user + 1] <= best + 1e-9 {
                    continue;
                }
                let mut given = given.clone();
                given.extend(sends);
                given.sort_unstable();
                if fits(&problem.limits, &given) {
                    let known = next.entry(given).or_insert(total);
                    *known = total.max(*known);
                }
            }
        }
        states = next;
        best = states.values().copied().fold(best, f64::max);
    }
    best
}

fn bundles(problem: &Problem, user: usize) -> Vec<Bundle> {
    let mut bundles: Vec<Bundle> = vec![(Vec::new(), 0.0)];
    for campaign in 0..problem.campaigns {
        let mut values: BTreeMap<usize, f64> = BTreeMap::new();
        for (_, offer) in
            problem.offers[user].iter().filter(|(of, offer)| *of == campaign && offer.value > 0.0)
        {
            for minute in (0..60).filter(|bit| offer.minutes >> bit & 1 == 1) {
                let known = values.entry(offer.quarter * 15 + minute).or_insert(0.0);
                *known = known.max(f64::from(offer.value));
            }
        }
        let longer: Vec<Bundle> = bundles
            .iter()
            .flat_map(|(sends, value)| {
                values.iter().map(move |(minute, more)| (sends, *minute, value + more))
            })
            .map(|(sends, minute, value)| ([&sends[..], &[(campaign, minute)]].concat(), value))
            .filter(|(sends, _)| problem.rules.refused_by(user, &decided(sends)).is_none())
            .collect();
        bundles.extend(longer);
    }
    bundles
}

fn decided(sends: &[(usize, usize)]) -> Vec<Chosen> {
    sends
        .iter()
        .map(|&(campaign, minute)| Chosen { campaign, first: minute, last: minute, payload: 0 })
        .collect()
}

fn fits(limits: &Limits, given: &[(usize, usize)]) -> bool {
    let count =
        |is_same: &dyn Fn(&(usize, usize)) -> bool| given.iter().filter(|send| is_same(send)).count() as u32;
    let keeps = |most: Option<u32>, count: u32| most.is_none_or(|most| count <= most);
    given.iter().all(|&(campaign, minute)| {
        let own = limits.of(campaign);
        keeps(own.throttle_per_minute, count(&|send| *send == (campaign, minute)))
            && keeps(own.max_sends, count(&|send| send.0 == campaign))
            && keeps(limits.throttle_per_minute, count(&|send| send.1 == minute))
            && keeps(limits.most_per_hour, count(&|send| send.1 / 60 == minute / 60))
    })
}

#[test]
fn five_hundred_small_plans_are_as_good_as_the_best_of_all_plans() {
    let (mut gaps, mut exact) = (0.0, 0);
    for seed in 0..500 {
        let problem = small(seed);
        let plan = problem.plan(Settings::new(seed, 1));
        let best = best_of_all(&problem, plan.value);
        assert!(plan.bound >= best - ROUNDING, "seed {seed}: bound {} below {best}", plan.bound);
        if plan.is_exact {
            assert!(plan.value >= best - ROUNDING, "seed {seed}: {} is not {best}", plan.value);
            exact += 1;
        }
        gaps += if best > 0.0 { (best - plan.value) / best } else { 0.0 };
    }
    println!("mean gap {:.5} %, {exact} of 500 proven", gaps / 5.0);
    assert!(gaps / 500.0 <= 0.005);
    assert!(exact >= 495, "{exact}");
}

#[test]
fn prices_alone_keep_every_limit_and_bound_every_plan_of_small_audiences() {
    let mut gaps = 0.0;
    for seed in 0..500 {
        let problem = small(seed);
        let plan = problem.plan(Settings { exact_below: 0, ..Settings::new(seed, 1) });
        let best = best_of_all(&problem, plan.value);
        assert!(!plan.is_exact && plan.bound >= best - ROUNDING, "seed {seed}: {} < {best}", plan.bound);
        gaps += if best > 0.0 { (best - plan.value) / best } else { 0.0 };
    }
    println!("mean gap of prices alone {:.3} %", gaps / 5.0);
    assert!(gaps / 500.0 <= 0.05);
}

// ---- larger ones ----

/// Users in ten zones with evening and morning habits, three campaigns that all want the same hours.
fn large(users: usize, seed: u64) -> Problem {
    const OFFSETS: [i64; 10] = [-32, -20, -12, 0, 4, 12, 22, 32, 36, 38];
    let random = &mut ChaCha8Rng::seed_from_u64(seed);
    let mut offers = vec![Vec::new(); users];
    for offers in &mut offers {
        let offset = OFFSETS[draw(random, 10)];
        let (peak, width) = (if draw(random, 3) == 0 { 8.0 } else { 20.0 }, 1.5 + 3.0 * share(random));
        let quiet = draw(random, 4) == 0;
        for campaign in 0..3 {
            let taste = 2.0 * share(random) - 4.0;
            for slot in 0..24_i64 {
                let quarter = (slot * 4 - offset).rem_euclid(4) + slot * 4;
                let local = (slot * 4 + offset).div_euclid(4).rem_euclid(24) as f64;
                let away = (local - peak).abs().min(24.0 - (local - peak).abs()) / width;
                let value = 1.0 / (1.0 + (-(taste - 0.5 * away * away + 0.3 * share(random))).exp());
                let minutes = if quiet && local == 21.0 { (1 << 30) - 1 } else { WHOLE_HOUR };
                let offer =
                    Offer { quarter: quarter as usize, minutes, value: value as f32, payload: slot as u32 };
                if !quiet || (8.0..=21.0).contains(&local) {
                    offers.push((campaign, offer));
                }
            }
        }
    }
    let limit = |throttle: usize, most: usize| CampaignLimits {
        throttle_per_minute: Some(throttle as u32),
        max_sends: Some(most as u32),
    };
    let unit = users / 2_000;
    let limits = Limits {
        campaigns: vec![limit(unit, 500 * unit), limit(unit, 2_000 * unit), limit(2 * unit, 900 * unit)],
        throttle_per_minute: Some(2 * unit as u32),
        most_per_hour: Some(100 * unit as u32),
    };
    Problem { campaigns: 3, hours: 25, offers, limits, rules: CapAndGap { most: 2, gap: 240 } }
}

#[test]
fn a_medium_plan_comes_within_one_percent_of_its_bound() {
    let mut gaps = Vec::new();
    for seed in 0..4 {
        let plan = large(2_000, seed).plan(Settings::new(seed, 2));
        println!("value {:.3} bound {:.3} gap {:.3} %", plan.value, plan.bound, 100.0 * plan.gap());
        gaps.push(plan.gap());
    }
    assert!(gaps.iter().all(|gap| *gap <= 0.01), "{gaps:?}");
}

#[test]
fn a_larger_plan_comes_within_half_a_percent_and_fills_no_minute_above_its_throttle() {
    let problem = large(20_000, 7);
    let plan = problem.plan(Settings::new(7, 2));
    println!("value {:.3} bound {:.3} gap {:.3} %", plan.value, plan.bound, 100.0 * plan.gap());
    assert!(plan.gap() <= 0.005, "{}", plan.gap());
    assert!(plan.after.peak() <= 20 && plan.before.peak() > 200);
    assert!(plan.after.peak_of(0) <= 10 && plan.after.peak_of(1) <= 10 && plan.after.peak_of(2) <= 20);
}

#[test]
fn twenty_campaigns_share_one_cap() {
    let random = &mut ChaCha8Rng::seed_from_u64(20);
    let mut offers = vec![Vec::new(); 600];
    for (campaign, slot) in (0..20).flat_map(|campaign| (0..24).map(move |slot| (campaign, slot))) {
        for offers in &mut offers {
            let value = (share(random) * share(random)) as f32;
            offers.push((campaign, Offer { quarter: slot * 4, minutes: WHOLE_HOUR, value, payload: 0 }));
        }
    }
    let most = CampaignLimits { max_sends: Some(60), ..CampaignLimits::default() };
    let limits = Limits { campaigns: vec![most; 20], most_per_hour: Some(45), ..Limits::default() };
    let problem =
        Problem { campaigns: 20, hours: 24, offers, limits, rules: CapAndGap { most: 2, gap: 240 } };
    let plan = problem.plan(Settings::new(1, 2));
    println!("value {:.3} bound {:.3} gap {:.3} %", plan.value, plan.bound, 100.0 * plan.gap());
    assert!(plan.gap() <= 0.01, "{}", plan.gap());
}

#[test]
fn one_and_two_threads_make_the_same_plan() {
    let problem = large(6_000, 3);
    let plans = [1, 2].map(|threads| problem.plan(Settings::new(3, threads)));
    assert_eq!(format!("{:?}", plans[0]), format!("{:?}", plans[1]));
}

#[test]
fn another_seed_makes_another_plan_of_the_same_worth() {
    let problem = large(2_000, 3);
    let plans = [1, 2].map(|seed| problem.plan(Settings::new(seed, 2)));
    assert_ne!(format!("{:?}", plans[0].after), format!("{:?}", plans[1].after));
    assert!((plans[0].value / plans[1].value - 1.0).abs() < 0.01);
}

#[test]
fn without_limits_everybody_gets_his_best_and_minutes_are_even() {
    let mut problem = large(6_000, 5);
    problem.limits = Limits::default();
    problem.rules = CapAndGap { most: 3, gap: 0 };
    let plan = problem.plan(Settings::new(5, 2));
    assert!(plan.gap() < 1e-12);
    assert!(
        plan.campaigns.iter().all(|campaign| campaign.unsent.is_empty() && campaign.displaced.is_empty())
    );
    let (minutes, hours) = (plan.after.per(1), plan.after.per(60));
    let busiest = hours.iter().max().unwrap();
    let hour = hours.iter().position(|count| count == busiest).unwrap();
    let peak = minutes[hour * 60..hour * 60 + 60].iter().max().unwrap();
    assert!(f64::from(*peak) <= 1.25 * f64::from(*busiest) / 60.0, "{peak} of {busiest}");
}

// ---- what goes wrong, and why ----

/// One offer each, in the same hour, for users of one campaign, or two.
fn crowd(users: usize, campaigns: usize, limits: Limits, rules: CapAndGap) -> Problem {
    let offer = |campaign| (campaign, Offer { quarter: 0, minutes: WHOLE_HOUR, value: 1.0, payload: 0 });
    let offers = vec![(0..campaigns).map(offer).collect(); users];
    Problem { campaigns, hours: 1, offers, limits, rules }
}

const FREE: CapAndGap = CapAndGap { most: usize::MAX, gap: 0 };

#[test]
fn no_capacity_sends_nothing_and_says_why() {
    let own = |throttle_per_minute, max_sends| Limits {
        campaigns: vec![CampaignLimits { throttle_per_minute, max_sends }],
        ..Limits::default()
    };
    let cases = [
        (own(Some(0), None), LimitReason::CampaignThrottle),
        (own(None, Some(0)), LimitReason::MaxSends),
        (Limits { throttle_per_minute: Some(0), ..Limits::default() }, LimitReason::SharedThrottle),
        (Limits { most_per_hour: Some(0), ..Limits::default() }, LimitReason::HourCapacity),
    ];
    for (limits, reason) in cases {
        for users in [3, 50] {
            let plan = crowd(users, 1, limits.clone(), FREE).plan(Settings::new(1, 2));
            assert_eq!((plan.value, plan.bound), (0.0, 0.0));
            assert_eq!(plan.campaigns[0].unsent, BTreeMap::from([(reason, users as u32)]));
        }
    }
    let plan = crowd(5, 1, Limits::default(), CapAndGap { most: 0, gap: 0 }).plan(Settings::new(1, 1));
    let refused = LimitReason::JointRule { rule: CAP, other: None };
    assert_eq!(plan.campaigns[0].unsent, BTreeMap::from([(refused, 5)]));
}

#[test]
fn a_pair_of_campaigns_is_told_who_pushed_whom_out() {
    let mut problem = crowd(30, 2, Limits::default(), CapAndGap { most: 2, gap: 240 });
    problem.offers[0].truncate(1);
    problem.offers[1][1].1.value = 2.0;
    let plan = problem.plan(Settings::new(1, 2));
    let pair = &plan.pairs[0];
    assert_eq!((pair.one, pair.other, pair.shared_users), (0, 1, 29));
    assert_eq!(pair.one_pushed_out.get(&GAP).copied().unwrap_or(0) + pair.other_pushed_out[&GAP], 29);
    assert_eq!(plan.reason(1, 0), Some(LimitReason::JointRule { rule: GAP, other: Some(1) }));
    assert_eq!(plan.campaigns.iter().map(|campaign| campaign.sends).sum::<u32>(), 30);
}

#[test]
fn the_most_valuable_users_get_what_is_scarce() {
    let limits = Limits {
        campaigns: vec![CampaignLimits { max_sends: Some(10), ..CampaignLimits::default() }],
        ..Limits::default()
    };
    let mut problem = crowd(100, 1, limits, FREE);
    problem.offers.iter_mut().enumerate().for_each(|(user, offers)| offers[0].1.value = 1.0 + user as f32);
    let audience = problem.audience(1);
    let plan = problem.plan(Settings::new(1, 1));
    assert!((0..100).all(|user| plan.send(&audience, user, 0).is_some() == (user >= 90)));
    assert!(plan.gap() < 0.01, "{}", plan.gap());
}

#[test]
fn exact_plans_pack_minutes_that_a_first_come_order_would_waste() {
    // Two users may use both minutes, one only the first, one only the second; one send a minute.
    let offer = |minutes| vec![(0, Offer { quarter: 0, minutes, value: 1.0, payload: 0 })];
    let limits = Limits { throttle_per_minute: Some(1), ..Limits::default() };
    let offers = vec![offer(0b11), offer(0b110), offer(0b100), offer(0b1001)];
    let problem = Problem { campaigns: 1, hours: 1, offers, limits, rules: FREE };
    let plan = problem.plan(Settings::new(0, 1));
    assert_eq!((plan.value, plan.is_exact), (4.0, true));
}

#[test]
fn offers_that_are_worth_nothing_or_lie_outside_are_dropped() {
    let fill = |_: usize, offers: &mut Offers| {
        let offer = Offer { quarter: 3, minutes: WHOLE_HOUR, value: 1.0, payload: 9 };
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -1.0] {
            offers.add(0, Offer { value, ..offer });
        }
        offers.add(0, Offer { minutes: 0, ..offer });
        offers.add(0, Offer { minutes: 1 << 62, ..offer });
        offers.add(0, Offer { quarter: 4, ..offer });
        offers.add(0, Offer { quarter: usize::MAX, ..offer });
        offers.add(7, offer);
        offers.add(0, offer);
    };
    let audience = Audience::build(1, 1, 2, 1, fill);
    assert_eq!((audience.len(), audience.campaigns(), audience.users(), audience.hours()), (2, 1, 2, 1));
    // The hour that begins with the last quarter keeps its first fifteen minutes.
    assert_eq!(audience.time_of(&audience.cells(0, 0)[0]), (3, (1 << 15) - 1));
}

#[test]
fn empty_audiences_and_missing_campaigns_make_empty_plans() {
    for (campaigns, hours, users) in [(0, 24, 5), (2, 0, 5), (2, 24, 0), (0, 0, 0), (1, 5_000, 1)] {
        let audience = Audience::build(campaigns, hours, users, 2, |_, _| ());
        let limits = Limits { throttle_per_minute: Some(1), ..Limits::default() };
        let task =
            Task { audience: &audience, limits: &limits, rules: &NoRules, settings: Settings::new(0, 2) };
        let plan = plan(&task);
        assert_eq!((plan.value, plan.bound, plan.gap(), audience.is_empty()), (0.0, 0.0, 0.0, true));
    }
}

#[test]
fn whoever_watches_hears_every_step() {
    let problem = crowd(3, 1, Limits { most_per_hour: Some(1), ..Limits::default() }, FREE);
    let audience = problem.audience(1);
    let settings = Settings::new(0, 1);
    let task = Task { audience: &audience, limits: &problem.limits, rules: &problem.rules, settings };
    let mut phases = Vec::new();
    plan_watched(&task, |phase| phases.push(phase));
    assert_eq!(phases[0], Phase::Prices(3));
    phases.retain(|phase| *phase != Phase::Prices(3));
    assert_eq!(phases, [Phase::Assign, Phase::Improve, Phase::Bound, Phase::Search, Phase::Report]);
}

#[test]
fn open_slots_begin_at_or_after_the_origin() {
    let start = Instant::from_micros(1_700_000_000_000_000 / HOUR * HOUR);
    for micros in [0, 1, 15 * MINUTE, HOUR - 1, HOUR] {
        let now = start.plus(micros);
        let origin = origin_of(now);
        assert_eq!(origin.micros() % HOUR, 0);
        assert!(origin <= now && now.micros() - origin.micros() < 2 * HOUR);
        // A slot that is open at `now` may have begun any number of quarters ago, less than an hour.
        let opened = now.plus(1 - HOUR);
        assert!(origin <= opened);
        assert_eq!(quarter_of(origin, origin.plus(3 * 15 * MINUTE)), Some(3));
        assert_eq!(quarter_of(origin, origin.plus(-15 * MINUTE)), None);
        assert_eq!(quarter_of(origin, origin.plus(MINUTE)), None);
        assert_eq!(instant_of(origin, 61), origin.plus(HOUR + MINUTE));
    }
}
