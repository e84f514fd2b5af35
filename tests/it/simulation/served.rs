//! The product in the world: it decides as the engine does, keeps the rules of the world, and is told apart from what is not
//! served yet.

use std::fs;
use std::path::Path;

use serde_json::Value;
use smartpush::domain::decision::{Action, Decision};
use smartpush::domain::time::{DAY, HOUR};
use smartpush::engine::{DecisionQuestion, Engine};
use smartpush::files::workspace::Workspace;
use smartpush::operations::context::NoProgress;
use smartpush::operations::simulate::served::ServedProduct;
use smartpush::operations::simulate::{SimulateReport, SimulateRequest, simulate};
use smartpush::simulation::Stage;
use smartpush::simulation::contents::rank_correlation;
use smartpush::simulation::game::{BrokenRules, Game};
use smartpush::simulation::parameters::{Parameters, Scenario};
use smartpush::simulation::policies::Policy;
use smartpush::simulation::truth::Push;

use crate::support::{smartpush, stdout_of};

fn copy_of(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let (path, name) = (entry.as_ref().unwrap().path(), entry.unwrap().file_name());
        match path.is_dir() {
            true => copy_of(&path, &to.join(name)),
            false => drop(fs::copy(&path, to.join(name)).unwrap()),
        }
    }
}

fn stage(users: usize) -> Stage {
    let parameters = Parameters { users, weeks: 1, history_weeks: 3, ..Parameters::defaults() };
    Stage::set(parameters.under(Scenario::Default), 1)
}

#[test]
fn the_simulated_product_decides_byte_for_byte_as_the_engine_does_over_the_same_workspace() {
    let (stage, folder) = (stage(80), tempfile::tempdir().unwrap());
    let mut product = ServedProduct::open(&folder.path().join("played"), &stage, 80).unwrap();
    let mut game = Game::begin(&stage, Policy::Product, 80);
    let mut sends = 0;
    for day in 0..3 {
        product.begin_day(day).unwrap();
        let copy = folder.path().join(format!("copy-{day}"));
        copy_of(product.workspace().root(), &copy);
        let now = product.moment(day);
        let (workspace, config) = (Workspace::open(&copy).unwrap(), product.config().clone());
        let engine = Engine::open(workspace, config, now, true, product.entropy()).unwrap();
        for (person, answer) in stage.world.people.iter().zip(product.answers(day).unwrap()) {
            let question = DecisionQuestion { user_id: person.id.clone(), ..DecisionQuestion::default() };
            assert_eq!(engine.decide(&question, None, now).unwrap().text, answer, "day {day}");
            let decision: Decision = serde_json::from_str(&answer).unwrap();
            sends += u32::from(decision.action == Action::Send);
        }
        engine.close();
        let decided = product.decide(day).unwrap();
        let pushes: Vec<Push> = decided.iter().map(|decided| decided.push).collect();
        for (decided, answer) in decided.iter().zip(game.send(day, &pushes)) {
            product.hear(decided, answer);
        }
    }
    assert!(sends > 150, "{sends}");
}

fn simulated(text: &str, policies: &[Policy]) -> SimulateReport {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("world.toml");
    fs::write(&file, text).unwrap();
    let request = SimulateRequest {
        parameters: Some(file),
        users: None,
        weeks: None,
        scenario: Scenario::Default,
        seed: 3,
        seeds: 1,
        policies: policies.to_vec(),
    };
    simulate(&NoProgress, &request).unwrap()
}

#[test]
fn the_simulated_product_pushes_nobody_in_quiet_hours_twice_a_day_or_after_an_opt_out() {
    let text = "users = 150\nweeks = 2\nhistory_weeks = 3\n[rules]\nquiet_from = \"20:00\"\nquiet_until = \"11:00\"\n\
                [opt_out]\nprobability = 0.05\n";
    let report = simulated(text, &[Policy::Product]);
    let (product, run) = (&report.policies[0], report.product.unwrap());
    assert_eq!(product.broken_rules, BrokenRules::default());
    assert!(product.tally.opt_outs > 20 && product.tally.pushes > 500, "{:?}", product.tally);
    // Everybody is asked about every day; who has opted out is refused by the engine, not by the simulation.
    assert_eq!(run.asked, 150 * 14);
    assert_eq!(run.actions["send"], product.tally.pushes);
    assert!(run.refused_by.values().sum::<u64>() > 100, "{:?}", run.refused_by);
}

/// Rules that a product breaks on the first day after weeks of pushes, of which it was told or not.
fn broken_after_the_past(is_told: bool) -> BrokenRules {
    let mut parameters = Parameters { users: 80, weeks: 1, history_weeks: 2, ..Parameters::defaults() };
    (parameters.contents.published_per_day, parameters.contents.life_days) = (1, 3);
    parameters.rules.repeat_sleep_hours = 72;
    let stage = Stage::set(parameters.under(Scenario::ExposureTrap), 1);
    let folder = tempfile::tempdir().unwrap();
    let mut product = ServedProduct::open(folder.path(), &stage, 80).unwrap();
    let mut game = Game::begin(&stage, Policy::Product, 80);
    game.live_the_past(|push, answer| {
        if is_told {
            product.hear_past(push, answer);
        }
    });
    product.begin_day(0).unwrap();
    let pushes: Vec<Push> = product.decide(0).unwrap().iter().map(|decided| decided.push).collect();
    assert!(pushes.len() > 40, "{}", pushes.len());
    game.send(0, &pushes);
    game.finish(None).broken
}

#[test]
fn the_simulated_product_is_told_of_the_pushes_before_play_and_keeps_its_caps_from_the_first_day() {
    assert_eq!(broken_after_the_past(true), BrokenRules::default());
    assert!(broken_after_the_past(false).repeat_sleep > 10);
}

#[test]
fn a_push_against_a_rule_of_the_world_is_counted_by_rule() {
    let stage = stage(3);
    let midnight = stage.world.midnight(stage.world.people[0].zone, 2);
    let push = |user: usize, content: usize, hour: usize| {
        let midnight = stage.world.midnight(stage.world.people[user].zone, 2);
        Push { user, content, day: 2, hour, at: midnight.plus(hour as i64 * HOUR) }
    };
    let (one, other) = (stage.alive(2)[0], stage.alive(2)[1]);
    let mut game = Game::begin(&stage, Policy::Product, 3);
    game.send(2, &[push(0, one, 3), push(1, one, 12)]);
    game.send(2, &[push(0, other, 13), push(1, one, 14)]);
    let tomorrow = Push { day: 3, at: midnight.plus(DAY + 20 * HOUR), ..push(0, one, 20) };
    game.send(3, &[tomorrow]);
    let broken = game.finish(None).broken;
    assert_eq!(broken, BrokenRules { quiet_hours: 1, daily_cap: 2, repeat_sleep: 1, opted_out: 0 });
}

#[test]
fn a_push_to_a_person_who_has_opted_out_is_counted_and_comes_to_nothing() {
    let mut parameters = Parameters { users: 2, weeks: 1, history_weeks: 1, ..Parameters::defaults() };
    parameters.opt_out.probability = 1.0;
    let stage = Stage::set(parameters, 1);
    let push = |day: i32| {
        let at = stage.world.midnight(stage.world.people[1].zone, day).plus(12 * HOUR);
        Push { user: 1, content: stage.alive(day)[0], day, hour: 12, at }
    };
    let mut game = Game::begin(&stage, Policy::Product, 2);
    assert!(game.send(2, &[push(2)])[0].opted_out);
    assert!(!game.send(4, &[push(4)])[0].opted_out);
    let play = game.finish(None);
    assert_eq!((play.people[1].pushes, play.broken.opted_out), (1, 1));
}

#[test]
fn a_rank_correlation_is_one_in_order_minus_one_against_it_and_shares_ranks_of_equals() {
    let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
    let of = |other: [f64; 6]| rank_correlation(&values, &other).unwrap();
    assert_eq!(of([10.0, 20.0, 30.0, 400.0, 500.0, 600.0]).value, 1.0);
    assert_eq!(of([6.0, 5.0, 4.0, 3.0, 2.0, 1.0]).value, -1.0);
    // scipy.stats.spearmanr([1, 2, 3, 4, 5, 6], [1, 1, 2, 5, 4, 5])
    let tied = of([1.0, 1.0, 2.0, 5.0, 4.0, 5.0]);
    assert!((tied.value - 0.882_734_829_504_749_5).abs() < 1e-12, "{tied:?}");
    assert!(tied.low < tied.value && tied.value < tied.high && tied.high < 1.0);
    assert_eq!(rank_correlation(&values, &[1.0; 6]), None);
}

#[test]
fn text_json_and_help_say_what_is_served_and_what_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let arguments =
        ["simulate", "--users", "40", "--weeks", "1", "--policies", "smartpush,response_model,random"];
    let told = stdout_of(&smartpush(folder.path(), &[&arguments[..], &["--json"]].concat()));
    let told: Value = serde_json::from_str(&told).unwrap();
    let standings: Vec<(&str, &str)> = told["policies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|policy| (policy["policy"].as_str().unwrap(), policy["standing"].as_str().unwrap()))
        .collect();
    let wanted = [("random", "reference"), ("product", "served"), ("response_model", "not_served_yet")];
    assert_eq!(standings, wanted);
    assert_eq!(told["product"]["asked"], 40 * 7);
    let text = stdout_of(&smartpush(folder.path(), &arguments));
    assert!(
        text.contains("product (as served)") && text.contains("response_model (not served yet)"),
        "{text}"
    );
    let help = stdout_of(&smartpush(folder.path(), &["simulate", "--help"]));
    assert!(help.contains("product is smartpush as it is served"), "{help}");
    assert!(!help.contains("smartpush is the product"), "{help}");
}
