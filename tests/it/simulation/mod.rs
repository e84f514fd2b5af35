//! A world with known truth: laws of the truth, one world for all policies, and where they end between random and perfect.

mod served;

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde_json::Value;
use smartpush::domain::time::HOUR;
use smartpush::evaluation::off_policy::{
    ActionChoice, Draws, Estimator, LoggedRow, OffPolicyProblem, evaluate,
};
use smartpush::simulation::Stage;
use smartpush::simulation::game::{Play, Tally};
use smartpush::simulation::parameters::{DEFAULTS, Parameters, Scenario};
use smartpush::simulation::policies::{Player, Policy, open_hours};
use smartpush::simulation::report::{PolicyReport, Reporter};
use smartpush::simulation::run;
use smartpush::simulation::truth::{Memory, Push};
use smartpush::simulation::world::World;

use crate::support::{on_cores, smartpush, stdout_of};

fn small(users: usize, weeks: i32, scenario: Scenario) -> Parameters {
    Parameters { users, weeks, ..Parameters::defaults() }.under(scenario)
}

/// A push of a content to a person at the middle of an open hour of a day.
fn push(stage: &Stage, user: usize, day: i32, hour: usize, content: usize) -> Push {
    let open = open_hours(stage, user, day)[hour];
    Push { user, content, day, hour: open.hour, at: open.at }
}

fn play(stage: &Stage, policy: Policy) -> Play {
    run::play(stage, Player::of(policy, stage).unwrap(), &|_, _| ()).unwrap()
}

/// Policies that need no workspace.
const WITHOUT_A_WORKSPACE: [Policy; 5] = [
    Policy::Random,
    Policy::PopularGlobalHour,
    Policy::RawHistogramHour,
    Policy::ResponseModel,
    Policy::Oracle,
];

fn reports(parameters: &Parameters, policies: &[Policy]) -> Vec<PolicyReport> {
    let stage = Stage::set(parameters.clone(), 1);
    let mut reporter = Reporter::new(1);
    for policy in policies {
        reporter.absorb(&stage, play(&stage, *policy));
    }
    reporter.report()
}

fn of(reports: &[PolicyReport], policy: Policy) -> &PolicyReport {
    reports.iter().find(|report| report.policy == policy).unwrap()
}

#[test]
fn pushes_that_are_felt_lower_clicks_and_raise_opt_outs_and_both_recover() {
    let stage = Stage::set(small(20, 2, Scenario::Default), 1);
    let content = stage.alive(3)[5];
    for user in 0..20 {
        let push = push(&stage, user, 3, 6, content);
        let (rested, mut tired) = (Memory::default(), Memory::default());
        tired.push(stage.alive(3)[0], push.at.plus(-24 * HOUR), 0);
        assert!(stage.world.click_probability(&push, &tired) < stage.world.click_probability(&push, &rested));
        assert!(
            stage.world.opt_out_probability(&push, &tired) > stage.world.opt_out_probability(&push, &rested)
        );
        assert!((tired.felt(push.at) - 2_f64.powf(-1.0 / 3.0)).abs() < 1e-12);
        assert!(tired.felt(push.at.plus(30 * 24 * HOUR)) < 0.001);
    }
}

#[test]
fn a_content_pushed_again_is_worth_half_after_its_half_life() {
    let stage = Stage::set(small(5, 2, Scenario::Default), 1);
    let content = stage.alive(3)[5];
    let push = push(&stage, 2, 3, 6, content);
    let pushed = |what: usize| {
        let mut memory = Memory::default();
        memory.push(what, push.at.plus(-72 * HOUR), 0);
        stage.world.click_probability(&push, &memory)
    };
    let (again, other) = (pushed(content), pushed(stage.alive(3)[0]));
    assert!((again - other / 2.0).abs() < 1e-12, "{again} {other}");
}

#[test]
fn the_best_hour_is_where_the_scenario_plants_it() {
    let of = |scenario| Stage::set(small(50, 1, scenario), 1);
    let (plain, trap) = (of(Scenario::Default), of(Scenario::ExposureTrap));
    for (one, other) in plain.world.people.iter().zip(&trap.world.people) {
        assert_eq!(one.activity, other.activity);
        for hour in 0..168 {
            assert_eq!(one.hours[hour].to_bits(), other.hours[(hour + 3) % 168].to_bits());
        }
    }
}

#[test]
fn a_person_is_who_he_is_whoever_else_lives_there() {
    let of = |users| Stage::set(small(users, 1, Scenario::Default), 7);
    let (few, many) = (of(30), of(90));
    for user in 0..30 {
        assert_eq!(few.world.people[user].tastes, many.world.people[user].tastes);
        assert_eq!(few.acts(user), many.acts(user));
    }
    assert_ne!(few.acts(0), Stage::set(small(30, 1, Scenario::Default), 8).acts(0));
}

#[test]
fn a_holiday_is_lived_as_a_sunday() {
    let stage = Stage::set(small(2, 2, Scenario::Default), 1);
    // 24 September 2026 is a Thursday, ten days after the first day.
    assert_eq!(stage.world.lived_hour(10, 9), 6 * 24 + 9);
    assert_eq!(stage.world.lived_hour(11, 9), 4 * 24 + 9);
}

#[test]
fn the_same_pushes_come_to_the_same_whichever_policy_sends_them() {
    let mut parameters = small(300, 2, Scenario::Default);
    // With one hour that is open both policies send the most popular content in it.
    (parameters.rules.quiet_from, parameters.rules.quiet_until) = ("10:00".into(), "09:00".into());
    let stage = Stage::set(parameters, 1);
    let of = |policy| play(&stage, policy);
    let (global, own) = (of(Policy::PopularGlobalHour), of(Policy::RawHistogramHour));
    assert_eq!(global.people, own.people);
    let sum = |count: fn(&Tally) -> u64| global.people.iter().map(count).sum::<u64>();
    assert!(sum(|tally| tally.pushes) > 3_000 && sum(|tally| tally.clicks) > 50, "{:?}", global.weeks);
}

#[test]
fn clicks_are_drawn_with_their_probabilities() {
    let stage = Stage::set(small(300, 1, Scenario::Default), 1);
    let memory = Memory::default();
    let mut clicks = 0.0;
    let mut expected = 0.0;
    for user in 0..300 {
        for hour in 0..10 {
            let push = push(&stage, user, 1, hour, stage.alive(1)[hour]);
            let answer = stage.world.answer(&push, &memory);
            clicks += f64::from(u8::from(answer.is_clicked));
            expected += stage.world.click_probability(&push, &memory);
        }
    }
    // Draws follow the probabilities: off by more than four standard deviations never happens.
    assert!((clicks - expected).abs() < 4.0 * expected.sqrt(), "{clicks} {expected}");
}

#[test]
fn the_small_world_ranks_the_response_model_above_every_baseline_and_below_the_oracle() {
    let reports = reports(&small(400, 4, Scenario::Default), &WITHOUT_A_WORKSPACE);
    let model = of(&reports, Policy::ResponseModel);
    for policy in [Policy::Random, Policy::PopularGlobalHour, Policy::RawHistogramHour] {
        let ahead = of(&reports, policy).response_model_ahead.unwrap();
        assert!(ahead.low > 0.0, "{policy:?}: {ahead:?}");
    }
    let share = model.share.unwrap();
    assert!(share.value > 0.6 && share.value < 1.0, "{share:?}");
    assert!(model.tally.opt_outs <= of(&reports, Policy::PopularGlobalHour).tally.opt_outs);
    // Contents that are worth more are pushed more, by whoever knows or learns what they are worth.
    let correlation = |policy| of(&reports, policy).contents.rank_correlation.unwrap();
    assert!(correlation(Policy::Oracle).low > 0.3, "{:?}", correlation(Policy::Oracle));
    assert!(correlation(Policy::ResponseModel).low > 0.0, "{:?}", correlation(Policy::ResponseModel));
    let regret = |policy| of(&reports, policy).contents.regret;
    assert!(regret(Policy::Random).low > regret(Policy::Oracle).high);
}

#[test]
fn where_all_past_pushes_went_out_at_nine_the_planted_hour_is_found_within_three_weeks() {
    let reports = reports(&small(1_000, 4, Scenario::ExposureTrap), &[Policy::ResponseModel]);
    let smartpush = of(&reports, Policy::ResponseModel);
    let near = |week: usize| {
        let week = &smartpush.weeks[week];
        week.near_best_hour as f64 / week.tally.pushes as f64
    };
    assert!(near(0) < 0.6 && near(3) > 0.7, "{} {}", near(0), near(3));
    // People answer three hours after they are active of themselves: that lag weighs most.
    let model = smartpush.model.as_ref().unwrap();
    let largest =
        model.iter().filter(|(name, _)| name.starts_with("time.")).max_by(|a, b| a.1.total_cmp(b.1));
    assert_eq!(largest.unwrap().0, "time.lag_+3", "{model:?}");
}

#[test]
fn a_simulation_is_the_same_bytes_again_and_on_one_processor() {
    let folder = tempfile::tempdir().unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, "history_weeks = 2\n").unwrap();
    let parameters = file.path().to_str().unwrap();
    let arguments = ["simulate", "--users", "60", "--weeks", "1", "--parameters", parameters, "--json"];
    let first = stdout_of(&smartpush(folder.path(), &arguments));
    assert_eq!(first, stdout_of(&smartpush(folder.path(), &arguments)), "again");
    if let Some(mut command) = on_cores("0") {
        assert_eq!(first, stdout_of(&command.args(arguments).output().unwrap()), "one processor");
    }
    let told: Value = serde_json::from_str(&first).unwrap();
    assert_eq!((&told["users"], &told["policies"].as_array().unwrap().len()), (&60.into(), &6));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "no workspace is made");
}

#[test]
fn what_makes_no_world_is_refused_by_name() {
    let read = |text: &str| Parameters::read(Some(("mine.toml", text))).unwrap_err().to_string();
    assert!(read("users = 1").starts_with("bad_parameters: users: "));
    assert!(read("people = 5").starts_with("bad_parameters: mine.toml"), "{}", read("people = 5"));
    assert!(read("[rules]\nquiet_from = \"25:00\"").starts_with("bad_parameters: rules.quiet_from"));
    assert!(Parameters::read(Some(("mine.toml", DEFAULTS))).is_ok());
    let folder = tempfile::tempdir().unwrap();
    for (arguments, code) in [
        (["simulate", "--policies", "best"], "unknown_policy: "),
        (["simulate", "--scenario", "paradise"], "unknown_scenario: "),
        (["simulate", "--parameters", "nowhere.toml"], "bad_parameters: "),
    ] {
        let output = smartpush(folder.path(), &arguments);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).contains(code), "{output:?}");
    }
}

/// One push to each person at 20:00, of a content drawn with known probabilities, as a log; and what another policy, which
/// prefers contents of appeal, would truly have earned with the same people.
fn log_of(seed: u64, people: usize) -> (OffPolicyProblem, f64) {
    let world = World::new(small(people, 1, Scenario::Default), seed);
    let (contents, memory) = (world.alive(0), Memory::default());
    let shares = |weight: &dyn Fn(usize) -> f64| {
        let weights: Vec<f64> = (0..contents.len()).map(weight).collect();
        let total: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / total).collect::<Vec<f64>>()
    };
    let logged = shares(&|index| 1.0 + (index % 4) as f64);
    let wanted = shares(&|index| world.contents[contents[index]].appeal.exp());
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut rows, mut truth) = (Vec::new(), 0.0);
    for user in 0..people {
        let at = world.midnight(world.people[user].zone, 0).plus(20 * HOUR);
        let push = |index: usize| Push { user, content: contents[index], day: 0, hour: 20, at };
        let mut rest = (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        let passes = |share: &f64| {
            rest -= share;
            rest < 0.0
        };
        let action = logged.iter().position(passes).unwrap_or(contents.len() - 1);
        rows.push(LoggedRow {
            action: action as u32,
            position: 0,
            unit: user as u32,
            action_probability: logged[action],
            reward: f64::from(u8::from(world.answer(&push(action), &memory).is_clicked)),
            choices: 0,
        });
        let earned = wanted.iter().enumerate();
        truth += earned.map(|(index, p)| p * world.click_probability(&push(index), &memory)).sum::<f64>();
    }
    let choice = |(action, probability): (usize, &f64)| ActionChoice {
        action: action as u32,
        probability: *probability,
        is_supported: true,
        expected_reward: f64::NAN,
    };
    let problem = OffPolicyProblem {
        actions: contents.iter().map(|content| content.to_string()).collect(),
        positions: vec![String::new()],
        units: people,
        rows,
        choices: vec![wanted.iter().enumerate().map(choice).collect()],
        is_whole: true,
    };
    (problem, truth / people as f64)
}

/// How many of so many logs' intervals hold the truth, for each estimator.
fn held(runs: u64, people: usize) -> [(Estimator, u64); 5] {
    let mut counts = Estimator::ALL.map(|estimator| (estimator, 0));
    for seed in 0..runs {
        let (problem, truth) = log_of(seed, people);
        let report = evaluate(&problem, Draws { bootstrap: 200, seed: 7 }).unwrap();
        for (estimator, count) in &mut counts {
            let estimate = report.of(*estimator).unwrap();
            *count += u64::from(estimate.low <= truth && truth <= estimate.high);
        }
    }
    counts
}

#[test]
fn off_policy_intervals_hold_the_truth_of_this_world() {
    let counts = held(20, 1_500);
    // Of 20 runs fewer than 16 hold it with probability 0.003 when 95 % do.
    assert!(counts.iter().all(|(_, count)| *count >= 16), "{counts:?}");
}

#[test]
#[ignore = "nightly: 1,000 worlds"]
fn off_policy_intervals_hold_the_truth_of_this_world_in_92_to_98_of_100_runs() {
    let counts = held(1_000, 3_000);
    println!("{counts:?} of 1000");
    assert!(counts.iter().all(|(_, count)| (920..=980).contains(count)), "{counts:?}");
}

#[test]
#[ignore = "nightly: 20,000 people, 8 weeks, 5 worlds; cargo test --release --test it simulation -- --ignored"]
fn the_whole_world_keeps_its_promises() {
    let folder = tempfile::tempdir().unwrap();
    let told =
        stdout_of(&smartpush(folder.path(), &["simulate", "--users", "20000", "--seeds", "5", "--json"]));
    let told: Value = serde_json::from_str(&told).unwrap();
    let policy = |name: &str| {
        told["policies"].as_array().unwrap().iter().find(|policy| policy["policy"] == name).unwrap().clone()
    };
    let model = policy("response_model");
    assert!(model["share"]["value"].as_f64().unwrap() >= 0.9, "{}", model["share"]);
    for name in ["random", "popular_global_hour", "raw_histogram_hour"] {
        assert!(policy(name)["response_model_ahead"]["low"].as_f64().unwrap() > 0.0, "{name}");
    }
    assert!(
        model["opt_outs"].as_u64().unwrap() < policy("popular_global_hour")["opt_outs"].as_u64().unwrap()
    );
}
