//! Send-time curves: user → rhythm group → everybody, mixed by weights that were learned on past cuts.
//!
//! The model is a mixture of thirteen curves for each user ([`components`]). What is tuned in it is tuned on
//! what came before the cut: the smoothing, the groups, the transfer between hours, the weights of the mixture by
//! evidence and by user, how fast past cuts lose value, and the concentration of the intervals. Fixed, and the same
//! for all data, is the menu: two memories, two resolutions of groups, grids and weak priors.
//! Learning goes over past cuts a window apart: fit before one, read what each component gave to what came after.

pub mod circular;
pub mod components;
pub mod concentration;
pub mod evaluate;
pub mod export;
pub mod history;
pub mod named_rhythms;
pub mod population;
pub mod rhythm_groups;
pub mod stack;
pub mod transfer;

use components::{COMPONENTS, FINE_GROUPS, GLOBAL, OWN_UNDECAYED, SharedComponents, Smoothing, prior_units};
use concentration::{Concentration, IntervalTable, Pairs};
use history::{History, Week, normalised};
use rhythm_groups::add_scaled;
use stack::{Fold, Stack, StackRow, mixed, mixture_weights};

use domain::curve::{CurveLevel, SendTimeCurve, by_hour_of_day};
use domain::time::HOURS_OF_WEEK;

/// Smoothings that are tried.
const BANDWIDTHS: [f64; 7] = [0.35, 0.45, 0.6, 0.8, 1.1, 1.5, 2.2];
const LEANS: [f64; 3] = [0.0, 0.5, 1.0];
/// Worth of a fold beside the one after it.
const DECAYS: [f64; 3] = [0.7, 0.85, 1.0];
/// Mass of a bucket's weights in a user's own.
const TRUSTS: [f64; 7] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, f64::INFINITY];
/// Past cuts at most.
const MOST_FOLDS: i32 = 8;
/// Days that concentrations are learned from.
const PAIR_DAYS: i32 = 56;
/// With less history than this, in days, there is nothing to learn constants from.
const LEAST_SPAN: i32 = 28;

/// What was learned, for people and cards.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct LearnedConstants {
    /// Length of a past window in days.
    pub window_days: i32,
    /// Past cuts; 0 when there was too little to learn from.
    pub folds: usize,
    /// Standard deviation of the circular smoothing in hours.
    pub bandwidth_hours: f64,
    /// Share of a unit that leans to the nearer neighbouring hour.
    pub lean: f64,
    /// Worth of a fold beside the one after it.
    pub fold_decay: f64,
    /// Mass of a bucket's weights in a user's own; `None`: users have no weights of their own.
    pub trust: Option<f64>,
    /// ln κ at no evidence.
    pub concentration_level: f64,
    /// Growth of ln κ with ln(1 + evidence).
    pub concentration_slope: f64,
    /// ln loss of a held-out unit over 168 hours on the newest past window.
    pub inner_ll168: Option<f64>,
}

/// A fitted model: what users share, and each user's weights.
#[derive(Clone, Debug)]
pub struct SendTimeModel {
    shared: SharedComponents,
    weights: Vec<[f64; COMPONENTS]>,
    concentration: Concentration,
    intervals: IntervalTable,
    /// How far weekdays are told apart, in [0, 1].
    weekday_trust: f64,
    learned: LearnedConstants,
}

impl SendTimeModel {
    /// Fits the histories of all users, each seen from the cut; curves come back by index into `histories`.
    ///
    /// `coverage` is that of the intervals, in (0, 1). The same histories give the same model on any number of threads.
    pub fn fit(histories: &[History], coverage: f64) -> SendTimeModel {
        let ages = || histories.iter().flat_map(|history| history.units.iter().map(|unit| unit.age_days));
        // Days in which nobody came say nothing of anybody: time is counted back from where the log ends.
        let silent = ages().min().unwrap_or(1) - 1;
        let span = ages().max().unwrap_or(0) - silent;
        let known = histories.iter().filter(|history| !history.units.is_empty()).count();
        if span < LEAST_SPAN || known < 2 {
            return SendTimeModel::unlearned(histories, silent, span, coverage);
        }
        // Months, when there are enough of them to hold some out; weeks otherwise.
        let window = if span >= 28 * 4 { 28 } else { 7 };
        let count = (span / window - 2).clamp(2, MOST_FOLDS);
        let smoothing = choose_smoothing(histories, silent + window, window);
        let pasts: Vec<Past> = (1..=count)
            .map(|past| Past::learn(histories, silent + past * window, window, smoothing))
            .collect();
        let folds: Vec<&Fold<COMPONENTS>> = pasts.iter().map(|past| &past.fold).collect();
        let choice = choose_stacking(&folds);
        let pairs = collect_pairs(histories, &pasts, window, &choice);
        let concentration = Concentration::learn(&pairs);
        let shared = SharedComponents::learn(histories, silent, window, smoothing);
        let stack = Stack::learn(&folds, choice.decay);
        let weights = parallel::map(histories.len(), |user| {
            stack.for_user(&folds, choice.decay, user, shared.evidence(&histories[user]), choice.trust)
        });
        let learned = LearnedConstants {
            window_days: window,
            folds: folds.len(),
            bandwidth_hours: smoothing.bandwidth,
            lean: smoothing.lean,
            fold_decay: choice.decay,
            trust: choice.trust.is_finite().then_some(choice.trust),
            concentration_level: concentration.level,
            concentration_slope: concentration.slope,
            inner_ll168: Some(-choice.likelihood),
        };
        SendTimeModel::new(histories, shared, weights, concentration, coverage, learned)
    }

    /// Too little history to learn constants from: n / (n + 10) of his own, the rest his group's.
    fn unlearned(histories: &[History], silent: i32, span: i32, coverage: f64) -> SendTimeModel {
        let smoothing = Smoothing { bandwidth: 0.6, lean: 0.0 };
        let weights = histories.iter().map(|history| {
            let units = history.units.len() as f64;
            let own = units / (units + 10.0);
            let mut weights = [0.0; COMPONENTS];
            weights[FINE_GROUPS] = 1.0 - own;
            OWN_UNDECAYED.iter().for_each(|index| weights[*index] = own / OWN_UNDECAYED.len() as f64);
            weights
        });
        let weights = weights.collect();
        let concentration = Concentration { level: 3.0, slope: 0.5 };
        let learned = LearnedConstants {
            window_days: 0,
            folds: 0,
            bandwidth_hours: smoothing.bandwidth,
            lean: smoothing.lean,
            fold_decay: 1.0,
            trust: None,
            concentration_level: concentration.level,
            concentration_slope: concentration.slope,
            inner_ll168: None,
        };
        let shared = SharedComponents::learn(histories, silent, 7, smoothing);
        let model = SendTimeModel::new(histories, shared, weights, concentration, coverage, learned);
        // Until every weekday has come twice, none is told apart from another.
        let repeats = f64::from((span / 7 - 1).max(0));
        SendTimeModel { weekday_trust: repeats / (repeats + 4.0), ..model }
    }

    fn new(
        histories: &[History],
        shared: SharedComponents,
        weights: Vec<[f64; COMPONENTS]>,
        concentration: Concentration,
        coverage: f64,
        learned: LearnedConstants,
    ) -> SendTimeModel {
        let most = histories.iter().map(|history| shared.evidence(history)).fold(0.0, f64::max);
        let intervals = IntervalTable::new(concentration.at(0.0), concentration.at(most), coverage);
        SendTimeModel { shared, weights, concentration, intervals, weekday_trust: 1.0, learned }
    }

    /// What was learned.
    pub fn learned(&self) -> &LearnedConstants {
        &self.learned
    }

    /// A user's probabilities alone.
    pub fn probability(&self, user: usize, history: &History) -> Week {
        let curve = blend(&self.shared.components(history), &self.weights[user]);
        if self.weekday_trust == 1.0 {
            return curve;
        }
        let day = by_hour_of_day(&curve);
        let share = |slot: usize| {
            self.weekday_trust * curve[slot] + (1.0 - self.weekday_trust) * day[slot % 24] / 7.0
        };
        normalised(std::array::from_fn(share))
    }

    /// A user's effective concentration: his curve is as sure as if this many units had been seen.
    pub fn concentration(&self, history: &History) -> f64 {
        self.concentration.at(self.shared.evidence(history))
    }

    /// A user's curve with intervals, evidence and level.
    pub fn curve(&self, user: usize, history: &History) -> SendTimeCurve {
        let probability = self.probability(user, history);
        let evidence = self.shared.evidence(history);
        let (low, high) = self.interval(&probability, evidence);
        let (shrinkage, level) = shrinkage(&self.weights[user], evidence);
        SendTimeCurve { probability, low, high, evidence, shrinkage, level }
    }

    /// Everybody's curve: what somebody is taken for of whom nothing is known, or may be used.
    pub fn everybody(&self) -> SendTimeCurve {
        let probability = *self.shared.global();
        let (low, high) = self.interval(&probability, 0.0);
        SendTimeCurve { probability, low, high, evidence: 0.0, shrinkage: 1.0, level: CurveLevel::Global }
    }

    /// Both ends of each hour's interval at some evidence.
    fn interval(&self, probability: &Week, evidence: f64) -> (Week, Week) {
        let kappa = self.concentration.at(evidence);
        let (mut low, mut high) = ([0.0; HOURS_OF_WEEK], [0.0; HOURS_OF_WEEK]);
        for (slot, share) in probability.iter().enumerate() {
            (low[slot], high[slot]) = self.intervals.interval(kappa, *share);
        }
        (low, high)
    }
}

/// How much of a curve is shared with others, and which level speaks most.
///
/// The user's own components hold pseudo-units of his group, so without evidence they are the group's.
fn shrinkage(weights: &[f64; COMPONENTS], evidence: f64) -> (f64, CurveLevel) {
    let own_share = |component: usize| evidence / (evidence + prior_units(component));
    let own: f64 = weights.iter().enumerate().map(|(component, weight)| weight * own_share(component)).sum();
    let global = weights[GLOBAL];
    let group = 1.0 - own - global;
    let level = match () {
        _ if own >= group && own >= global => CurveLevel::User,
        _ if group >= global => CurveLevel::RhythmGroup,
        _ => CurveLevel::Global,
    };
    ((1.0 - own).clamp(0.0, 1.0), level)
}

fn blend(components: &[Week; COMPONENTS], weights: &[f64; COMPONENTS]) -> Week {
    let mut curve = [0.0; HOURS_OF_WEEK];
    for (component, weight) in components.iter().zip(weights) {
        add_scaled(&mut curve, component, *weight);
    }
    normalised(curve)
}

/// What was learned before a past cut, and what came after it.
struct Past {
    back: i32,
    shared: SharedComponents,
    fold: Fold<COMPONENTS>,
}

impl Past {
    fn learn(histories: &[History], back: i32, window: i32, smoothing: Smoothing) -> Past {
        let shared = SharedComponents::learn(histories, back, window, smoothing);
        let rows = parallel::map(histories.len(), |user| {
            rows_after(&histories[user], back, window, |history| shared.components(history))
        });
        let evidence = histories.iter().map(|history| shared.evidence(history)).collect();
        Past { back, shared, fold: Fold { rows, evidence } }
    }
}

/// What each component gave to the hours of one user in the window after a cut; nothing for a user without history.
fn rows_after<const N: usize>(
    history: &History,
    back: i32,
    window: i32,
    components: impl Fn(&History) -> [Week; N],
) -> Vec<StackRow<N>> {
    let held_out = history.held_out(back, window);
    if history.count(back) == 0 || held_out.iter().all(|count| *count == 0) {
        return Vec::new();
    }
    let components = components(history);
    let row = |(slot, count): (usize, &u16)| StackRow {
        slot: slot as u8,
        count: f32::from(*count),
        given: std::array::from_fn(|index| components[index][slot] as f32),
    };
    held_out.iter().enumerate().filter(|(_, count)| **count > 0).map(row).collect()
}

/// Bandwidth and lean with the largest likelihood in the window after a cut, under mixture weights of their own.
fn choose_smoothing(histories: &[History], back: i32, window: i32) -> Smoothing {
    let probe = Smoothing { bandwidth: 0.6, lean: 0.0 };
    let shared = SharedComponents::learn(histories, back, window, probe);
    let mut best = (f64::NEG_INFINITY, probe);
    for lean in LEANS {
        for bandwidth in BANDWIDTHS {
            let candidate = Smoothing { bandwidth, lean };
            let shared = shared.clone().with_smoothing(candidate);
            let rows = parallel::map(histories.len(), |user| {
                rows_after(&histories[user], back, window, |history| shared.smoothing_probe(history))
            });
            let rows: Vec<(f64, [f32; 4])> =
                rows.iter().flatten().map(|row| (f64::from(row.count), row.given)).collect();
            let weights = mixture_weights(&rows, [0.25; 4], None, 100);
            let likelihood: f64 =
                rows.iter().map(|(count, given)| count * libm::log(mixed(given, &weights))).sum();
            if likelihood > best.0 {
                best = (likelihood, candidate);
            }
        }
    }
    best.1
}

/// How past cuts are weighed, and users' own rows beside their bucket's.
struct Stacking {
    decay: f64,
    trust: f64,
    likelihood: f64,
}

/// Learned on all folds but the newest, judged on the newest.
fn choose_stacking(folds: &[&Fold<COMPONENTS>]) -> Stacking {
    let Some((newest, older)) = folds.split_first() else {
        return Stacking { decay: 1.0, trust: f64::INFINITY, likelihood: 0.0 };
    };
    let units: f64 = newest.rows.iter().flatten().map(|row| f64::from(row.count)).sum();
    let mut best = Stacking { decay: 1.0, trust: f64::INFINITY, likelihood: f64::NEG_INFINITY };
    for decay in DECAYS {
        let stack = Stack::learn(older, decay);
        for trust in TRUSTS {
            let parts = parallel::map(newest.rows.len(), |user| {
                let rows = &newest.rows[user];
                if rows.is_empty() {
                    return 0.0;
                }
                let weights = stack.for_user(older, decay, user, newest.evidence[user], trust);
                rows.iter()
                    .map(|row| f64::from(row.count) * libm::log(mixed(&row.given, &weights)))
                    .sum::<f64>()
            });
            let likelihood = parts.iter().sum::<f64>() / units.max(1.0);
            if likelihood > best.likelihood + 1e-12 {
                best = Stacking { decay, trust, likelihood };
            }
        }
    }
    best
}

/// Pairs of units after the newest past cuts, beside curves that knew nothing of them.
fn collect_pairs(histories: &[History], pasts: &[Past], window: i32, choice: &Stacking) -> Vec<Pairs> {
    let cuts = ((PAIR_DAYS / window) as usize).min(pasts.len() - 1);
    let mut all = Vec::new();
    for (index, past) in pasts.iter().enumerate().take(cuts) {
        let older: Vec<&Fold<COMPONENTS>> = pasts[index + 1..].iter().map(|past| &past.fold).collect();
        let stack = Stack::learn(&older, choice.decay);
        let weeks = window / 7 * (index as i32 + 1);
        all.extend(parallel::map(histories.len(), |user| {
            let history = &histories[user];
            if history.count(past.back) == 0 {
                return None;
            }
            let evidence = past.fold.evidence[user];
            let weights = stack.for_user(&older, choice.decay, user, evidence, choice.trust);
            let curve = blend(&past.shared.components(history), &weights);
            Pairs::count(history, past.back, weeks, &curve, evidence)
        }));
    }
    all.into_iter().flatten().collect()
}
