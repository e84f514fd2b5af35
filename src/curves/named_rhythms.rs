//! Rhythm groups for people: a mixture whose groups keep their names, however often it is learned anew.
//!
//! The groups that curves are mixed from ([`super::rhythm_groups`]) are free to be anything that foretells hours well, and turn out
//! differently for every draw of the users: people's rhythms have no gaps where groups could part. A segment has to mean the same
//! next month. So each group here begins as everybody's curve with more in one named part of the week and is held near it, while
//! everybody's curve, the shares and the rest of each curve are learned.

use super::circular::Circular;
use super::components::EVIDENCE_HALF_LIFE;
use super::history::{History, Week, normalised};
use super::rhythm_groups::{RhythmGroups, add_scaled};
use domain::rhythm::Rhythm;
use domain::time::HOURS_OF_WEEK;
use evaluation::agreement::adjusted_rand;
use evaluation::bootstrap::resample;

/// Effective active hours without which nobody is put into a group.
pub const LEAST_EVIDENCE: f64 = 8.0;
/// Share of a group's activity that lies in its part of the week and is no other's, to begin with: by shares, since a lift by so many
/// times changes nothing of a part in which nearly nobody comes, and all who are like everybody would be put there.
const OWN_SHARE: f64 = 0.3;
/// What a group's beginning weighs, in units of what users bring to a group on average.
const FIRMNESS: f64 = 10.0;
/// EM steps; so firmly held, groups stand still after a dozen.
const STEPS: usize = 30;
/// Standard deviation of the smoothing of curves, in hours.
const BANDWIDTH: f64 = 1.1;
/// Users that are learned from, evenly strided.
const MOST_USERS: usize = 8_192;

/// The named groups, learned.
#[derive(Clone, Debug)]
pub struct NamedRhythms {
    groups: RhythmGroups,
    everybody: Week,
}

/// Where a group stands out from everybody.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peak {
    /// Hour of the week.
    pub hour_of_week: usize,
    /// How many times as often as everybody the group comes then.
    pub times: f64,
}

/// How alike the groups are that were learned from several draws of the users.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stability {
    /// Draws.
    pub draws: u64,
    /// Mean adjusted Rand index of every two.
    pub mean: f64,
    /// The least of them.
    pub least: f64,
}

/// Active hours of each user by hour of the week, the older the lighter, as groups are learned from and asked about.
pub fn weeks(histories: &[History]) -> Vec<Week> {
    let ages = histories.iter().flat_map(|history| history.units.iter().map(|unit| unit.age_days));
    // Time is counted back from where the log ends, as curves do.
    let silent = ages.min().unwrap_or(1) - 1;
    parallel::map(histories.len(), |user| histories[user].weights(silent, Some(EVIDENCE_HALF_LIFE), 0.0))
}

impl NamedRhythms {
    /// Learns from users' weeks; the same weeks give the same groups on any number of threads.
    pub fn learn(weeks: &[Week]) -> NamedRhythms {
        let known = strided(weeks);
        let smoothing = Circular::new(BANDWIDTH);
        let mut total = [0.0; HOURS_OF_WEEK];
        known.iter().for_each(|week| add_scaled(&mut total, week, 1.0));
        let everybody = normalised(smoothing.smooth(&total).map(|weight| weight + 0.5));
        let starts = Rhythm::ALL.map(|rhythm| leaning(&everybody, rhythm));
        let units = FIRMNESS * total.iter().sum::<f64>() / starts.len() as f64 + 1.0;
        let share = 1.0 / starts.len() as f64;
        let start = RhythmGroups::new(starts.to_vec(), vec![share; starts.len()]);
        let groups = (0..STEPS)
            .fold(start, |groups, _| groups.step_toward(&known, &smoothing, |group| (&starts[group], units)));
        NamedRhythms { groups, everybody }
    }

    /// The group that most probably explains a week; `None` with too little evidence.
    pub fn rhythm_of(&self, week: &Week) -> Option<Rhythm> {
        if week.iter().sum::<f64>() < LEAST_EVIDENCE {
            return None;
        }
        let memberships = self.groups.memberships(week);
        let likelier = |best: usize, group: usize| match memberships[group] > memberships[best] {
            true => group,
            false => best,
        };
        Some(Rhythm::ALL[(1..memberships.len()).fold(0, likelier)])
    }

    /// Where a group stands out most.
    pub fn peak(&self, rhythm: Rhythm) -> Peak {
        let curve = &self.groups.curves[rhythm as usize];
        let times = |hour: usize| curve[hour] / self.everybody[hour];
        let higher = |best: usize, hour: usize| if times(hour) > times(best) { hour } else { best };
        let hour_of_week = (1..HOURS_OF_WEEK).fold(0, higher);
        Peak { hour_of_week, times: times(hour_of_week) }
    }
}

/// Learns from `draws` draws of the users with replacement, one a seed, and compares whom each puts where.
pub fn stability(weeks: &[Week], draws: u64) -> Stability {
    let known = strided(weeks);
    let parted = |seed: u64| -> Vec<usize> {
        let drawn: Vec<Week> = resample(known.len(), seed).into_iter().map(|user| known[user]).collect();
        let rhythms = NamedRhythms::learn(&drawn);
        known.iter().filter_map(|week| rhythms.rhythm_of(week)).map(|rhythm| rhythm as usize).collect()
    };
    let parts: Vec<Vec<usize>> = (0..draws).map(parted).collect();
    let pairs = parts
        .iter()
        .enumerate()
        .flat_map(|(index, one)| parts[..index].iter().map(move |other| adjusted_rand(one, other)));
    let pairs: Vec<f64> = pairs.collect();
    let least = pairs.iter().copied().fold(1.0, f64::min);
    Stability { draws, mean: pairs.iter().sum::<f64>() / pairs.len() as f64, least }
}

/// At most so many of the weeks in which something happened.
fn strided(weeks: &[Week]) -> Vec<Week> {
    let known: Vec<&Week> = weeks.iter().filter(|week| week.iter().any(|weight| *weight > 0.0)).collect();
    let step = known.len().div_ceil(MOST_USERS).max(1);
    known.into_iter().step_by(step).copied().collect()
}

/// Everybody's curve with more of a part of the week, whose ends are an hour wide.
fn leaning(everybody: &Week, rhythm: Rhythm) -> Week {
    let within = |hour: usize| f64::from(u8::from(Rhythm::of_hour(hour) == rhythm));
    let within: Week = Circular::new(1.0).smooth(&std::array::from_fn(within));
    let part: Week = normalised(std::array::from_fn(|hour| everybody[hour] * within[hour]));
    std::array::from_fn(|hour| (1.0 - OWN_SHARE) * everybody[hour] + OWN_SHARE * part[hour])
}
