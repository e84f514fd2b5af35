//! Rhythm groups: people of like rhythm, as the components of a mixture of multinomials learned by EM.
//!
//! Seedless: the start is spread over the users with the longest histories.

use super::circular::Circular;
use super::history::{Week, normalise, normalised};
use domain::time::HOURS_OF_WEEK;

/// EM steps; forty give the same quality.
const STEPS: usize = 12;
/// Pseudo-units of the global curve in each group.
const GROUP_PRIOR: f64 = 20.0;
/// Pseudo-users of the whole mixture in each attribute's.
const ATTRIBUTE_PRIOR: f64 = 10.0;
/// A user this far from a group does not move its curve.
const LEAST_MEMBERSHIP: f64 = 1e-12;
/// Users of a partial sum.
const CHUNK: usize = 256;

/// A fitted mixture.
#[derive(Clone, Debug)]
pub struct RhythmGroups {
    /// Curve of each group.
    pub curves: Vec<Week>,
    /// ln of the curves, by hour of the week, then group: the order in which they are read.
    logarithms: Vec<Vec<f64>>,
    /// Share of users in each group.
    pub shares: Vec<f64>,
}

impl RhythmGroups {
    /// Learns at most `groups` groups from the weighted histories of users that have one.
    pub fn learn(
        histories: &[Week],
        groups: usize,
        global: &Week,
        smoothing: &Circular<HOURS_OF_WEEK>,
    ) -> RhythmGroups {
        let start = RhythmGroups::start(histories, groups, global);
        (0..STEPS).fold(start, |mixture, _| mixture.step(histories, global, smoothing))
    }

    /// Before any step: one group for each of at most `groups` users, spread over those with the longest histories.
    pub fn start(histories: &[Week], groups: usize, global: &Week) -> RhythmGroups {
        let totals: Vec<f64> = histories.iter().map(|week| week.iter().sum()).collect();
        let mut longest: Vec<usize> = (0..histories.len()).collect();
        longest.sort_by(|a, b| totals[*b].total_cmp(&totals[*a]));
        longest.truncate(8 * groups);
        let groups = groups.min(longest.len() / 4).max(1);
        let wide = Circular::new(2.0);
        let seed = |group: usize| {
            let Some(user) = longest.get(group * longest.len() / groups) else { return *global };
            let mut curve = wide.smooth(&histories[*user]);
            for (slot, weight) in curve.iter_mut().enumerate() {
                *weight += 3.0 * global[slot];
            }
            normalised(curve)
        };
        RhythmGroups::new((0..groups).map(seed).collect(), vec![1.0 / groups as f64; groups])
    }

    /// Groups with these curves and shares of users.
    pub(super) fn new(curves: Vec<Week>, shares: Vec<f64>) -> RhythmGroups {
        let at = |slot: usize| curves.iter().map(|curve| libm::log(curve[slot])).collect();
        let logarithms = (0..HOURS_OF_WEEK).map(at).collect();
        RhythmGroups { curves, logarithms, shares }
    }

    /// One EM step. Without smoothing it never lowers [`RhythmGroups::objective`].
    pub fn step(
        &self,
        histories: &[Week],
        global: &Week,
        smoothing: &Circular<HOURS_OF_WEEK>,
    ) -> RhythmGroups {
        self.step_toward(histories, smoothing, |_| (global, GROUP_PRIOR))
    }

    /// An EM step in which each group is drawn toward a curve of its own, as if so many units of it had been seen.
    pub(super) fn step_toward<'a>(
        &self,
        histories: &[Week],
        smoothing: &Circular<HOURS_OF_WEEK>,
        prior: impl Fn(usize) -> (&'a Week, f64),
    ) -> RhythmGroups {
        let groups = self.curves.len();
        let parts = parallel::in_chunks(histories.len(), CHUNK, |range| {
            let (mut sums, mut shares) = (vec![[0.0; HOURS_OF_WEEK]; groups], vec![0.0; groups]);
            for history in &histories[range] {
                for (group, membership) in self.memberships(history).into_iter().enumerate() {
                    shares[group] += membership;
                    if membership > LEAST_MEMBERSHIP {
                        add_scaled(&mut sums[group], history, membership);
                    }
                }
            }
            (sums, shares)
        });
        let (mut sums, mut shares) = (vec![[0.0; HOURS_OF_WEEK]; groups], vec![1.0; groups]);
        for (part, part_shares) in &parts {
            for group in 0..groups {
                add_scaled(&mut sums[group], &part[group], 1.0);
                shares[group] += part_shares[group];
            }
        }
        normalise(&mut shares);
        let curve = |(group, sum): (usize, &Week)| {
            let mut curve = smoothing.smooth(sum);
            let (toward, units) = prior(group);
            add_scaled(&mut curve, toward, units);
            normalised(curve)
        };
        RhythmGroups::new(sums.iter().enumerate().map(curve).collect(), shares)
    }

    /// What EM climbs: ln likelihood of the histories plus ln density of the priors, one user in each group and
    /// `GROUP_PRIOR` units of `global` in each curve.
    pub fn objective(&self, histories: &[Week], global: &Week) -> f64 {
        let of_user = |history: &Week| {
            let joint = self.joint(history);
            let largest = joint.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            largest + libm::log(joint.iter().map(|value| libm::exp(value - largest)).sum::<f64>())
        };
        let of_group = |(share, curve): (&f64, &Week)| {
            let density: f64 =
                global.iter().zip(curve).map(|(weight, share)| weight * libm::log(*share)).sum();
            libm::log(*share) + GROUP_PRIOR * density
        };
        histories.iter().map(of_user).sum::<f64>()
            + self.shares.iter().zip(&self.curves).map(of_group).sum::<f64>()
    }

    /// ln P(group and history), for each group.
    fn joint(&self, history: &Week) -> Vec<f64> {
        let mut likelihoods: Vec<f64> = self.shares.iter().map(|share| libm::log(*share)).collect();
        for (slot, weight) in history.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
            for (likelihood, logarithm) in likelihoods.iter_mut().zip(&self.logarithms[slot]) {
                *likelihood += weight * logarithm;
            }
        }
        likelihoods
    }

    /// Probability of each group, given a user's weighted history; without history, the groups' shares.
    pub fn memberships(&self, history: &Week) -> Vec<f64> {
        let mut likelihoods = self.joint(history);
        let largest = likelihoods.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        for likelihood in &mut likelihoods {
            *likelihood = libm::exp(*likelihood - largest);
        }
        normalise(&mut likelihoods);
        likelihoods
    }

    /// The curve of a mixture of groups.
    pub fn mixture(&self, memberships: &[f64]) -> Week {
        let mut curve = [0.0; HOURS_OF_WEEK];
        for (group, membership) in self.curves.iter().zip(memberships).filter(|(_, share)| **share > 0.0) {
            add_scaled(&mut curve, group, *membership);
        }
        curve
    }

    /// For each attribute value, the mean membership of its users, shrunk to the groups' shares: what a user of
    /// that value is taken for while he has no history.
    pub fn by_attribute(&self, histories: &[Week], attributes: &[u32], values: usize) -> Vec<Vec<f64>> {
        let memberships = parallel::map(histories.len(), |user| self.memberships(&histories[user]));
        let prior: Vec<f64> = self.shares.iter().map(|share| share * ATTRIBUTE_PRIOR).collect();
        let mut sums = vec![prior; values];
        for (membership, attribute) in memberships.iter().zip(attributes) {
            for (sum, value) in sums[*attribute as usize].iter_mut().zip(membership) {
                *sum += value;
            }
        }
        sums.iter_mut().for_each(|sum| normalise(sum));
        sums
    }
}

/// `sum += week · scale`
pub fn add_scaled(sum: &mut Week, week: &Week, scale: f64) {
    for (total, value) in sum.iter_mut().zip(week) {
        *total += value * scale;
    }
}
