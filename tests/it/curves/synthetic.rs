//! Made-up populations whose true curves are known, drawn from a seed.

use super::draws::Draws;
use curves::history::{History, Unit, Week, normalise, normalised};

/// Histories with the curves that they were drawn from.
pub(crate) struct World {
    pub(crate) histories: Vec<History>,
    pub(crate) truths: Vec<Week>,
}

/// Six group profiles; each user shifts his group's clock, has a taste for weekdays and habits of his own, and comes
/// by a Poisson process whose rate is log-normal with a median of forty active hours in `days` days.
pub(crate) fn smooth_world(users: usize, days: i32, seed: u64) -> World {
    const GROUPS: usize = 6;
    let mut draws = Draws::new(seed);
    let profiles: Vec<Week> = (0..GROUPS).map(|_| group_profile(&mut draws)).collect();
    let shares: Vec<f64> = (0..GROUPS).map(|_| draws.gamma(5.0)).collect();
    let mut world = World { histories: Vec::new(), truths: Vec::new() };
    for _ in 0..users {
        let group = draws.choice(&shares);
        let truth = own_curve(&mut draws, &profiles[group]);
        let units = (40_f64.ln() + draws.normal()).exp().clamp(1.0, 700.0);
        world.histories.push(history(&mut draws, &truth, units, days));
        world.truths.push(truth);
    }
    world
}

/// A user who follows `truth`: an hour of a day is active when a Poisson count of its rate is not zero.
pub(crate) fn history(draws: &mut Draws, truth: &Week, units: f64, days: i32) -> History {
    let mut history = History::default();
    for age_days in (1..=days).rev() {
        let day = (-age_days).rem_euclid(7) as usize;
        for (slot, share) in truth.iter().enumerate().skip(day * 24).take(24) {
            if draws.uniform() < 1.0 - (-share * units * 7.0 / f64::from(days)).exp() {
                history.units.push(Unit { age_days, slot: slot as u8, fraction: draws.uniform() as f32 });
            }
        }
    }
    history
}

/// A bump of the day around an hour, 1 at its top (von Mises).
pub(crate) fn bump(hour: usize, top: f64, sharpness: f64) -> f64 {
    let angle = (hour as f64 + 0.5 - top) * std::f64::consts::TAU / 24.0;
    (sharpness * (angle.cos() - 1.0)).exp()
}

fn group_profile(draws: &mut Draws) -> Week {
    let mut day = |earliest: f64, sharpest: f64| {
        let mut hours = [0.02; 24];
        for _ in 0..2 {
            let (weight, top) = (draws.gamma(2.0), draws.between(earliest, 23.0));
            let sharpness = draws.between(3.0, sharpest);
            hours.iter_mut().enumerate().for_each(|(hour, sum)| *sum += weight * bump(hour, top, sharpness));
        }
        normalised(hours)
    };
    let (workday, weekend) = (day(7.0, 20.0), day(9.0, 10.0));
    let weekdays: [f64; 7] = normalised(std::array::from_fn(|_| draws.gamma(12.0)));
    std::array::from_fn(|slot| {
        let hours = if slot / 24 < 5 { &workday } else { &weekend };
        hours[slot % 24] * weekdays[slot / 24]
    })
}

fn own_curve(draws: &mut Draws, group: &Week) -> Week {
    let shift = draws.normal();
    let tastes: [f64; 7] = std::array::from_fn(|_| draws.gamma(6.0) / 6.0);
    let base = normalised(std::array::from_fn(|slot| {
        let hour = ((slot % 24) as f64 - shift).rem_euclid(24.0);
        let (low, share) = (hour as usize % 24, hour.fract());
        let day = slot / 24 * 24;
        (group[day + low] * (1.0 - share) + group[day + (low + 1) % 24] * share) * tastes[slot / 24]
    }));
    let mut habits: Week = [0.0; 168];
    for _ in 0..draws.poisson(2.0) {
        let (weight, top, sharpness) = (draws.gamma(1.0), draws.between(8.0, 23.0), draws.between(8.0, 40.0));
        let days: [f64; 7] = std::array::from_fn(|_| draws.uniform().powi(2));
        for (slot, sum) in habits.iter_mut().enumerate() {
            *sum += weight * days[slot / 24] * bump(slot % 24, top, sharpness);
        }
    }
    if habits.iter().sum::<f64>() == 0.0 {
        habits = base;
    }
    normalise(&mut habits);
    let (ours, theirs) = (draws.gamma(1.5), draws.gamma(3.0));
    let share = ours / (ours + theirs);
    normalised(std::array::from_fn(|slot| (1.0 - share) * base[slot] + share * habits[slot] + 1e-5))
}
