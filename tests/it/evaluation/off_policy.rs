//! Off-policy estimators beside the plain formulas, and in worlds whose truth is known.

use std::collections::BTreeMap;

use evaluation::off_policy::{
    ActionChoice, Draws, Estimator, LoggedRow, OffPolicyError, OffPolicyProblem, OffPolicyReport, cross_fit,
    evaluate,
};
use proptest::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const DRAWS: Draws = Draws { bootstrap: 200, seed: 7 };

fn uniform(random: &mut ChaCha8Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

fn draw_from(random: &mut ChaCha8Rng, probabilities: &[f64]) -> usize {
    let mut left = uniform(random);
    let found = probabilities.iter().position(|probability| {
        left -= probability;
        left < 0.0
    });
    found.unwrap_or(probabilities.len() - 1)
}

fn choice(action: usize, probability: f64) -> ActionChoice {
    ActionChoice { action: action as u32, probability, is_supported: true, expected_reward: f64::NAN }
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| number.to_string()).collect()
}

/// A bandit: in each context, how probable each action is in the log, in the policy, and its reward.
struct World {
    logged: Vec<Vec<f64>>,
    policy: Vec<Vec<f64>>,
    reward: Vec<Vec<f64>>,
    /// Can the reward model see the context?
    is_visible: bool,
    rows_per_user: usize,
    /// Does the log carry expectations (here: right up to a factor of 2)?
    is_given: bool,
}

const PLAIN: World = World {
    logged: vec![],
    policy: vec![],
    reward: vec![],
    is_visible: true,
    rows_per_user: 1,
    is_given: false,
};

impl World {
    fn new(plain: World) -> World {
        World {
            logged: vec![vec![0.4, 0.3, 0.2, 0.1], vec![0.25; 4], vec![0.1, 0.1, 0.2, 0.6]],
            policy: vec![vec![0.1, 0.2, 0.3, 0.4], vec![0.0, 0.7, 0.2, 0.1], vec![0.3, 0.3, 0.3, 0.1]],
            reward: vec![vec![0.1, 0.2, 0.3, 0.4], vec![0.3, 0.1, 0.2, 0.05], vec![0.2, 0.3, 0.1, 0.15]],
            ..plain
        }
    }

    fn truth(&self) -> f64 {
        let value = |context: usize| -> f64 {
            self.policy[context].iter().zip(&self.reward[context]).map(|(p, reward)| p * reward).sum()
        };
        (0..self.policy.len()).map(value).sum::<f64>() / self.policy.len() as f64
    }

    fn log(&self, rows: usize, seed: u64) -> OffPolicyProblem {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let (contexts, actions) = (self.policy.len(), self.policy[0].len());
        let mut taste = 0.0;
        let rows: Vec<LoggedRow> = (0..rows)
            .map(|index| {
                if index % self.rows_per_user == 0 {
                    // Users like all or nothing: their rows go together.
                    taste = if self.rows_per_user > 1 {
                        2.0 * f64::from(u8::from(uniform(&mut random) < 0.5))
                    } else {
                        1.0
                    };
                }
                let context = (uniform(&mut random) * contexts as f64) as usize;
                let action = draw_from(&mut random, &self.logged[context]);
                let reward = uniform(&mut random) < taste * self.reward[context][action];
                LoggedRow {
                    action: action as u32,
                    position: if self.is_visible { context as u32 } else { 0 },
                    unit: (index / self.rows_per_user) as u32,
                    action_probability: self.logged[context][action],
                    reward: f64::from(u8::from(reward)),
                    choices: context as u32,
                }
            })
            .collect();
        let expected = |context: usize, action: usize| {
            if self.is_given { 2.0 * self.reward[context][action] } else { f64::NAN }
        };
        let choices = |context: usize| {
            let one = |action| ActionChoice {
                expected_reward: expected(context, action),
                ..choice(action, self.policy[context][action])
            };
            (0..actions).map(one).collect()
        };
        OffPolicyProblem {
            actions: names(actions),
            positions: names(if self.is_visible { contexts } else { 1 }),
            units: rows.len().div_ceil(self.rows_per_user),
            rows,
            choices: (0..contexts).map(choices).collect(),
            is_whole: true,
        }
    }
}

/// How often each estimator's two intervals, and that of the log's own policy, held the truth.
fn coverage(world: &World, rows: usize, runs: u64, draws: Draws) -> BTreeMap<&'static str, [u64; 2]> {
    let truth = world.truth();
    let mut held: BTreeMap<&'static str, [u64; 2]> = BTreeMap::new();
    for run in 0..runs {
        let report = evaluate(&world.log(rows, 1_000 + run), draws).unwrap();
        for (estimator, estimate) in &report.estimators {
            let counts = held.entry(estimator.as_str()).or_default();
            counts[0] += u64::from(estimate.low <= truth && truth <= estimate.high);
            counts[1] += u64::from(estimate.bootstrap_low <= truth && truth <= estimate.bootstrap_high);
        }
    }
    held
}

fn value(report: &OffPolicyReport, estimator: Estimator) -> f64 {
    report.of(estimator).unwrap().value
}

fn assert_near(what: &str, ours: f64, theirs: f64) {
    assert!((ours - theirs).abs() <= 1e-9 * theirs.abs().max(1.0), "{what}: {ours} is not {theirs}");
}

/// Any log and any policy over the same three actions at two positions.
fn any_problem() -> impl Strategy<Value = OffPolicyProblem> {
    let row = (0..3_u32, 0..2_u32, 0.05..1.0_f64, -1.0..2.0_f64, 0..6_u32);
    let tables = prop::collection::vec(prop::collection::vec(0.01..1.0_f64, 3), 2);
    (prop::collection::vec(row, 2..60), tables).prop_map(|(rows, tables)| OffPolicyProblem {
        actions: names(3),
        positions: names(2),
        units: 6,
        rows: rows
            .into_iter()
            .map(|(action, position, action_probability, reward, unit)| LoggedRow {
                action,
                position,
                unit,
                action_probability,
                reward,
                choices: position,
            })
            .collect(),
        choices: tables
            .into_iter()
            .map(|table| {
                let sum: f64 = table.iter().sum();
                table.iter().enumerate().map(|(action, part)| choice(action, part / sum)).collect()
            })
            .collect(),
        is_whole: true,
    })
}

proptest! {
    #[test]
    fn every_figure_is_its_plain_formula(problem in any_problem()) {
        let report = evaluate(&problem, DRAWS).unwrap();
        let expected = cross_fit(&problem, DRAWS.seed);
        let (n, threshold) = (problem.rows.len() as f64, report.switch_threshold.unwrap());
        let (mut w, mut ww, mut wr, mut r, mut dm, mut dr, mut switch, mut top) = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0_f64);
        for (index, row) in problem.rows.iter().enumerate() {
            let table = &problem.choices[row.position as usize];
            let weight = table[row.action as usize].probability / row.action_probability;
            let residual = weight * (row.reward - expected.logged[index]);
            (w, ww, wr, r) = (w + weight, ww + weight * weight, wr + weight * row.reward, r + row.reward);
            dm += expected.direct[index];
            dr += expected.policy[index] + residual;
            switch += expected.policy[index] + if weight <= threshold { residual } else { 0.0 };
            top = top.max(weight);
        }
        assert_near("on policy", report.on_policy.value, r / n);
        assert_near("ips", value(&report, Estimator::Ips), wr / n);
        assert_near("snips", value(&report, Estimator::Snips), wr / w);
        // What the model learned sums to nothing, so it widens the interval and moves no value.
        assert_near("dm", value(&report, Estimator::Dm), dm / n);
        assert_near("dr", value(&report, Estimator::Dr), dr / n);
        assert_near("switch_dr", value(&report, Estimator::SwitchDr), switch / n);
        assert_near("effective sample size", report.overlap.effective_sample_size, w * w / ww);
        assert_near("largest weight", report.overlap.largest_weight, top);
        assert_near("share", report.overlap.largest_weight_share, top / w);
        // Of fewer than a hundred rows the heaviest hundredth is one.
        assert_near("top", report.overlap.top_percent_weight_share, top / w);
        assert_near("mean", report.overlap.mean_weight, w / n);
    }

    #[test]
    fn a_reward_never_reaches_the_model_that_is_used_on_its_unit(problem in any_problem(), row in 0..60_usize, by in 1.0..9.0_f64) {
        let row = row % problem.rows.len();
        let mut other = problem.clone();
        other.rows[row].reward += by;
        let (before, after) = (cross_fit(&problem, 3), cross_fit(&other, 3));
        for (index, same) in problem.rows.iter().enumerate().filter(|(_, same)| same.unit == problem.rows[row].unit) {
            prop_assert_eq!(before.logged[index].to_bits(), after.logged[index].to_bits(), "{:?}", same);
            prop_assert_eq!(before.direct[index].to_bits(), after.direct[index].to_bits(), "{:?}", same);
            prop_assert_eq!(before.policy[index].to_bits(), after.policy[index].to_bits(), "{:?}", same);
        }
    }

    #[test]
    fn the_logs_own_policy_is_worth_what_it_earned(rewards in prop::collection::vec(-1.0..1.0_f64, 2..80)) {
        let rows = rewards.iter().enumerate().map(|(index, reward)| LoggedRow {
            action: (index % 4) as u32, position: 0, unit: index as u32, action_probability: 0.25, reward: *reward, choices: 0,
        });
        let problem = OffPolicyProblem {
            actions: names(4), positions: names(1), units: rewards.len(), rows: rows.collect(),
            choices: vec![(0..4).map(|action| choice(action, 0.25)).collect()], is_whole: true,
        };
        let report = evaluate(&problem, DRAWS).unwrap();
        let mean = rewards.iter().sum::<f64>() / rewards.len() as f64;
        for estimator in [Estimator::Ips, Estimator::Snips] {
            assert_near(estimator.as_str(), value(&report, estimator), mean);
            let difference = report.of(estimator).unwrap().difference;
            prop_assert!(difference.low.abs() < 1e-9 && difference.high.abs() < 1e-9);
        }
        assert_near("size", report.overlap.effective_sample_size, rewards.len() as f64);
    }
}

#[test]
fn standard_errors_are_those_of_a_mean_over_users() {
    let world = World::new(World { rows_per_user: 5, ..PLAIN });
    let problem = world.log(2_000, 3);
    let report = evaluate(&problem, DRAWS).unwrap();
    let mut sums = vec![0.0; problem.units];
    for row in &problem.rows {
        let weight = world.policy[row.position as usize][row.action as usize] / row.action_probability;
        sums[row.unit as usize] += weight * row.reward;
    }
    let users = sums.len() as f64;
    let mean = sums.iter().sum::<f64>() / users;
    let variance = sums.iter().map(|sum| (sum - mean).powi(2)).sum::<f64>() / (users - 1.0);
    let ips = report.of(Estimator::Ips).unwrap();
    assert_near("standard error", ips.standard_error, (variance / users).sqrt() / 5.0);
    assert_eq!((report.rows, report.units), (2_000, 400));
    // The bootstrap draws the same users, so it agrees but for its noise.
    let ratio = (ips.bootstrap_high - ips.bootstrap_low) / (ips.high - ips.low);
    assert!((0.8..1.2).contains(&ratio), "{ratio}");
}

#[test]
fn the_same_log_and_seed_give_the_same_bits_and_another_seed_other_folds() {
    let problem = World::new(PLAIN).log(500, 1);
    let bits = |seed| format!("{:?}", evaluate(&problem, Draws { seed, ..DRAWS }).unwrap());
    assert_eq!(bits(1), bits(1));
    assert_ne!(bits(1), bits(2));
}

#[test]
fn intervals_of_all_five_hold_the_truth_where_the_model_can_see_the_context() {
    for (counts, what) in worlds().map(|(world, what)| (coverage(&world, 1_500, 20, DRAWS), what)) {
        // Of 20 runs fewer than 16 hold it with probability 0.003 when 95 % do.
        assert!(counts.values().flatten().all(|held| *held >= 16), "{what}: {counts:?}");
        assert_eq!(counts.len(), 5);
    }
}

fn worlds() -> [(World, &'static str); 3] {
    [
        (World::new(PLAIN), "plain"),
        (World::new(World { rows_per_user: 5, ..PLAIN }), "users with tastes of their own"),
        (World::new(World { is_given: true, ..PLAIN }), "an earlier model"),
    ]
}

#[test]
#[ignore = "nightly: 1,000 runs in each of three worlds"]
fn intervals_hold_the_truth_in_92_to_98_of_100_runs() {
    // More runs than 200, of which a right interval misses that range now and then.
    let runs = 1_000;
    for (world, what) in worlds() {
        let counts = coverage(&world, 5_000, runs, Draws { bootstrap: 1_000, ..DRAWS });
        println!("{what}: {counts:?} of {runs}");
        for (estimator, held) in &counts {
            let is_right = held.iter().all(|held| (920..=980).contains(held));
            assert!(is_right, "{what}, {estimator}: {held:?} of {runs}");
        }
    }
}

#[test]
fn a_model_that_cannot_see_the_context_misleads_dm_and_not_dr() {
    let world = World::new(World { is_visible: false, ..PLAIN });
    let report = evaluate(&world.log(60_000, 1), DRAWS).unwrap();
    let off = |estimator| (value(&report, estimator) - world.truth()).abs();
    let (dm, dr) = (off(Estimator::Dm), off(Estimator::Dr));
    assert!(dm > 0.02 && dr < 0.005, "{dm} {dr}");
    let dr = report.of(Estimator::Dr).unwrap();
    assert!(dr.low <= world.truth() && world.truth() <= dr.high);
}

#[test]
fn a_good_model_makes_dr_more_certain_than_ips() {
    let report = evaluate(&World::new(PLAIN).log(20_000, 1), DRAWS).unwrap();
    let error = |estimator| report.of(estimator).unwrap().standard_error;
    assert!(error(Estimator::Dr) < 0.95 * error(Estimator::Ips), "{report:?}");
    assert!(error(Estimator::Dm) < 0.95 * error(Estimator::Ips), "{report:?}");
    assert!(error(Estimator::SwitchDr) <= error(Estimator::Dr) * 1.000_001);
    assert!(report.warnings.is_empty(), "{:?}", report.warnings);
}

#[test]
fn what_cannot_be_valued_is_refused_by_name_and_row() {
    let good = World::new(PLAIN).log(50, 1);
    let text = |change: &dyn Fn(&mut OffPolicyProblem)| {
        let mut problem = good.clone();
        change(&mut problem);
        evaluate(&problem, DRAWS).map(|_| ()).unwrap_err().to_string()
    };
    for probability in [0.0, -0.1, 1.1, f64::NAN, f64::INFINITY] {
        let text = text(&|problem| problem.rows[6].action_probability = probability);
        assert!(text.starts_with("bad_action_probability: row 7: "), "{text}");
    }
    for reward in [f64::NAN, f64::NEG_INFINITY] {
        assert!(text(&|problem| problem.rows[3].reward = reward).starts_with("bad_reward: row 4: "));
    }
    for probability in [-0.1, 1.5, f64::NAN] {
        let text = text(&|problem| problem.choices[1][2].probability = probability);
        assert!(text.starts_with("bad_policy_probability: row "), "{text}");
    }
    assert!(text(&|problem| problem.choices[1][2].probability = 0.5).starts_with("not_a_distribution: row "));
    assert!(text(&|problem| problem.rows.clear()).starts_with("no_rows: "));
    let lost = text(&|problem| problem.choices[2][1].is_supported = false);
    assert!(lost.starts_with("missing_support: row ") && lost.contains("\"1\" probability 0.3"), "{lost}");
    // What the policy does not want need not be supported.
    let mut unwanted = good.clone();
    unwanted.choices[1][0].is_supported = false;
    assert!(evaluate(&unwanted, DRAWS).is_ok());
    let elsewhere =
        text(&|problem| problem.choices.iter_mut().for_each(|set| set.retain(|one| one.action == 9)));
    assert!(elsewhere.starts_with("not_a_distribution: "), "{elsewhere}");
    let mut nowhere = good;
    nowhere.is_whole = false;
    nowhere.choices.iter_mut().for_each(Vec::clear);
    assert_eq!(evaluate(&nowhere, DRAWS).unwrap_err(), OffPolicyError::NoOverlap);
}

#[test]
fn little_overlap_is_told() {
    let mut world = World::new(PLAIN);
    world.logged = vec![vec![0.9985, 0.0005, 0.0005, 0.0005]; 3];
    let report = evaluate(&world.log(4_000, 2), DRAWS).unwrap();
    let codes: Vec<&str> = report.warnings.iter().map(|warning| warning.code).collect();
    assert!(codes.contains(&"little_overlap") && codes.contains(&"heavy_tail"), "{codes:?}");
    // Logged probabilities that are not those that chose: twice too small here.
    let mut wrong = World::new(PLAIN).log(4_000, 2);
    wrong.rows.iter_mut().for_each(|row| row.action_probability /= 2.0);
    let report = evaluate(&wrong, DRAWS).unwrap();
    assert!(report.warnings.iter().any(|warning| warning.code == "weights_off"), "{report:?}");
}

/// Rows of weight 1, every tenth rewarded, and one row of weight 21,739 without a reward.
fn one_enormous_weight() -> OffPolicyProblem {
    const ROWS: u32 = 2_000;
    let row = |index: u32| LoggedRow {
        action: index % 2,
        position: 0,
        unit: index,
        action_probability: if index == 777 { 0.5 / 21_739.0 } else { 0.5 },
        reward: f64::from(u8::from(index % 10 == 3)),
        choices: 0,
    };
    OffPolicyProblem {
        actions: names(2),
        positions: names(1),
        units: ROWS as usize,
        rows: (0..ROWS).map(row).collect(),
        choices: vec![vec![choice(0, 0.5), choice(1, 0.5)]],
        is_whole: true,
    }
}

/// mean(Σ π q̂ + w (r − q̂) 1(w ≤ τ)), and the bound of its mean squared error, written out (each row is a unit).
fn plain_switch(problem: &OffPolicyProblem, threshold: f64) -> (f64, f64) {
    let expected = cross_fit(problem, DRAWS.seed);
    let n = problem.rows.len() as f64;
    let (mut values, mut miss, mut above, mut all) = (Vec::new(), 0.0, 0.0, 0.0);
    for (index, row) in problem.rows.iter().enumerate() {
        let weight = problem.choices[0][row.action as usize].probability / row.action_probability;
        let residual = row.reward - expected.logged[index];
        let kept = if weight <= threshold { weight } else { 0.0 };
        values.push(expected.policy[index] + kept * residual);
        miss += residual.abs() / n;
        all += weight;
        above += weight - kept;
    }
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0) / n;
    (mean, variance + (miss * above / all).powi(2))
}

#[test]
fn switch_dr_leaves_a_row_of_enormous_weight_to_the_model() {
    let problem = one_enormous_weight();
    let report = evaluate(&problem, DRAWS).unwrap();
    let threshold = report.switch_threshold.unwrap();
    assert!((1.0..21_739.0).contains(&threshold), "{threshold}");
    let (switched, bound) = plain_switch(&problem, threshold);
    let (whole, whole_bound) = plain_switch(&problem, 21_739.0);
    assert!(bound < whole_bound, "{bound} {whole_bound}");
    assert_near("switch_dr", value(&report, Estimator::SwitchDr), switched);
    assert_near("dr", value(&report, Estimator::Dr), whole);
    // One row in ten earns something whatever is done; DR makes a negative rate of it.
    assert!((switched - 0.1).abs() < 0.01 && whole < -0.9, "{switched} {whole}");
    // 21,739 of 21,739 + 1,999.
    assert_near("share", report.switch_share.unwrap(), 21_739.0 / 23_738.0);
    let bias = report.switch_bias_bound.unwrap();
    assert!(bias > (switched - 0.1).abs() && bias < 0.2, "{bias}");
    let error = |estimator| report.of(estimator).unwrap().standard_error;
    assert!(error(Estimator::SwitchDr) < error(Estimator::Dr) / 50.0, "{report:?}");
}

#[test]
fn switch_dr_is_dr_where_no_weight_is_worth_leaving_out() {
    let report = evaluate(&World::new(PLAIN).log(3_000, 5), DRAWS).unwrap();
    assert_eq!(report.switch_threshold, Some(report.overlap.largest_weight));
    assert_eq!((report.switch_share, report.switch_bias_bound), (Some(0.0), Some(0.0)));
    assert_eq!(value(&report, Estimator::SwitchDr), value(&report, Estimator::Dr));
}

#[test]
fn a_value_that_no_policy_can_have_is_marked() {
    let outside = |problem: &OffPolicyProblem| -> Vec<&'static str> {
        let report = evaluate(problem, DRAWS).unwrap();
        let outside = report.estimators.iter().filter(|(_, estimate)| estimate.outside_range);
        let names: Vec<&str> = outside.map(|(estimator, _)| estimator.as_str()).collect();
        let is_told = report.warnings.iter().any(|warning| warning.code == "outside_range");
        assert_eq!(is_told, !names.is_empty());
        names
    };
    let rate = one_enormous_weight();
    assert_eq!(outside(&rate), ["dr"]);
    let mut rewarded = rate.clone();
    rewarded.rows[777].reward = 1.0;
    assert_eq!(outside(&rewarded), ["ips", "dr"]);
    // An amount may be above 1, and one that may be a loss has no range.
    let mut amounts = rewarded.clone();
    amounts.rows.iter_mut().for_each(|row| row.reward *= 3.0);
    assert_eq!(outside(&amounts), [""; 0]);
    let mut losses = rate;
    losses.rows[0].reward = -1.0;
    assert_eq!(outside(&losses), [""; 0]);
    assert_eq!(outside(&World::new(PLAIN).log(500, 1)), [""; 0]);
}

#[test]
fn without_a_whole_policy_there_is_no_model() {
    let mut problem = World::new(PLAIN).log(300, 4);
    let whole = evaluate(&problem, DRAWS).unwrap();
    problem.is_whole = false;
    let report = evaluate(&problem, DRAWS).unwrap();
    let names: Vec<&str> = report.estimators.iter().map(|(estimator, _)| estimator.as_str()).collect();
    assert_eq!((names, report.switch_threshold), (vec!["ips", "snips"], None));
    assert_eq!(report.of(Estimator::Ips), whole.of(Estimator::Ips));
}

#[test]
fn degenerate_logs_end_in_figures_or_in_a_name() {
    let world = World::new(PLAIN);
    for rows in [1, 2, 3] {
        for seed in 0..20 {
            let report = evaluate(&world.log(rows, seed), DRAWS);
            assert!(matches!(report, Ok(_) | Err(OffPolicyError::NoOverlap)), "{report:?}");
        }
    }
    let mut constant = world.log(40, 1);
    constant.rows.iter_mut().for_each(|row| row.reward = 3.0);
    let report = evaluate(&constant, DRAWS).unwrap();
    for estimator in [Estimator::Snips, Estimator::Dm, Estimator::Dr, Estimator::SwitchDr] {
        assert_near(estimator.as_str(), value(&report, estimator), 3.0);
    }
}
