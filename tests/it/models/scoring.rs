//! Scores: one path for training, scoring and serving, and numbers that anybody can compute again from the files.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use smartpush::decisions::scorer::Scorer;
use smartpush::domain::time::Instant;
use smartpush::events::request::InputKind;
use smartpush::learners::calibration::Calibration;
use smartpush::registry::model::{InputBlock, Model};

use super::handmade;
use super::town::{self, SMALL, day};
use super::world::World;
use crate::support::draws::Draws;

/// Values of one block, some of them unknown or far out.
fn values(draws: &mut Draws, model: &Model, block: InputBlock) -> Vec<f64> {
    let width = model.inputs.iter().filter(|input| input.block == block).count();
    (0..width)
        .map(|_| match draws.uniform() {
            share if share < 0.05 => f64::NAN,
            share if share < 0.10 => 1e6 * draws.normal(),
            _ => 2.0 * draws.normal(),
        })
        .collect()
}

fn calibrations() -> [Calibration; 3] {
    let logits: Vec<f64> = (0..40).map(|knot| f64::from(knot) / 5.0 - 4.0).collect();
    let probabilities = (0..40).map(|knot| f64::from(knot) / 45.0 + 0.01).collect();
    [
        Calibration::None,
        Calibration::Platt { slope: 0.7, intercept: -0.4 },
        Calibration::Isotonic { logits, probabilities },
    ]
}

#[test]
fn a_score_is_the_sum_of_its_blocks_and_its_contributions_are_the_raw_logit() {
    let world = World::new(town::SETTINGS);
    let mut draws = Draws::new(4);
    let mut rows = 0;
    for (seed, calibration) in calibrations().into_iter().enumerate() {
        let mut model = handmade::model(&world.config, "engage_24h", day(30), seed as u64);
        model.calibration = calibration;
        for _ in 0..400 {
            let [user, content, pair] = InputBlock::ALL.map(|block| values(&mut draws, &model, block));
            let activity = -draws.gamma(1.0);
            let logit = model.user(&user) + model.content(&content) + model.pair(&pair);
            let score = model.score(&user, &content, &pair);
            assert_eq!(score.to_bits(), model.probability(logit).to_bits());
            let row = [user.as_slice(), &content, &pair].concat();
            assert_eq!(score.to_bits(), model.score_row(&row).to_bits(), "a row of training");
            let with_time = logit + model.time(activity);
            let contributions = model.contributions(&user, &content, &pair, activity);
            assert_eq!(contributions.len(), model.inputs.len() + 2);
            let sum: f64 = contributions.iter().map(|one| one.contribution).sum();
            assert!((sum - with_time).abs() <= 1e-9, "{sum} {with_time}");
            assert_eq!(contributions[0].input, "intercept");
            for (one, input) in contributions[1..].iter().zip(&model.inputs) {
                assert_eq!(one.input, format!("{}.{}", input.block.as_str(), input.name));
            }
            assert!((naive_score(&serde_json::to_value(&model).unwrap(), &row) - score).abs() <= 1e-12);
            rows += 1;
        }
    }
    assert!(rows >= 1_000);
}

/// What model.json says of a row, with nothing of ours: clip the standardised values, weigh, add, calibrate.
fn naive_score(model: &Value, row: &[f64]) -> f64 {
    let number = |value: &Value| value.as_f64().unwrap();
    let clip = number(&model["clip"]);
    let mut logit = number(&model["intercept"]);
    for (input, value) in model["inputs"].as_array().unwrap().iter().zip(row) {
        let standardised = (value - number(&input["mean"])) / number(&input["scale"]);
        if !value.is_nan() {
            logit += standardised.max(-clip).min(clip) * number(&input["weight"]);
        }
    }
    let sigmoid = |logit: f64| 1.0 / (1.0 + (-logit).exp());
    let calibration = &model["calibration"];
    match calibration["kind"].as_str().unwrap() {
        "none" => sigmoid(logit),
        "platt" => sigmoid(number(&calibration["slope"]) * logit + number(&calibration["intercept"])),
        _ => {
            let list = |name: &str| -> Vec<f64> {
                calibration[name].as_array().unwrap().iter().map(number).collect()
            };
            interpolated(&list("logits"), &list("probabilities"), logit)
        }
    }
}

fn interpolated(logits: &[f64], probabilities: &[f64], logit: f64) -> f64 {
    let last = logits.len() - 1;
    if logit <= logits[0] {
        return probabilities[0];
    }
    if logit >= logits[last] {
        return probabilities[last];
    }
    let right = logits.iter().position(|knot| *knot > logit).unwrap();
    let share = (logit - logits[right - 1]) / (logits[right] - logits[right - 1]);
    probabilities[right - 1] + share * (probabilities[right] - probabilities[right - 1])
}

/// What a row of scores or examples is about.
fn about(row: &BTreeMap<String, Value>) -> [Option<String>; 3] {
    ["user_id", "campaign_id", "content_id"]
        .map(|name| row.get(name).and_then(Value::as_str).map(str::to_string))
}

#[test]
fn a_score_is_what_the_examples_and_the_models_own_file_say() {
    let world = SMALL.world(town::SETTINGS);
    let mut compared = BTreeMap::new();
    for goal in ["buy_2d", "redeem", "engage_24h"] {
        let trained = world.ok(&["train", "--goal", goal]);
        let version = trained["version"].as_str().unwrap();
        let path = world.registry().version_directory(goal, version).join("model.json");
        let model: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let names: Vec<String> = model["inputs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|input| format!("{}.{}", input["block"].as_str().unwrap(), input["name"].as_str().unwrap()))
            .collect();
        let examples = world.table(&["examples", "--goal", goal]);
        let stamps = examples.iter().map(|row| row["as_of"].as_str().unwrap().to_string());
        let moment = stamps.max().unwrap();
        let scores = world.table(&["score", "--goal", goal, "--as-of", &moment, "--model", version]);
        let scores: BTreeMap<_, f64> =
            scores.iter().map(|row| (about(row), row["propensity"].as_f64().unwrap())).collect();
        for row in examples.iter().filter(|row| row["as_of"] == moment.as_str()) {
            let values: Vec<f64> = names.iter().map(|name| row[name].as_f64().unwrap_or(f64::NAN)).collect();
            // A campaign's audience of its first moment has not been told yet, so nobody is scored for it then.
            let Some(score) = scores.get(&about(row)) else { continue };
            let naive = naive_score(&model, &values);
            assert!((naive - score).abs() <= 1e-12, "{goal} {:?}: {naive} {score}", about(row));
            *compared.entry(goal).or_insert(0) += 1;
        }
    }
    assert_eq!(compared["buy_2d"], SMALL.users, "everybody is there by now");
    assert!(compared["engage_24h"] > 500, "{compared:?}");
}

#[test]
fn a_score_file_has_the_columns_of_the_goals_unit_in_order_of_its_keys() {
    let world = SMALL.world(town::SETTINGS);
    for goal in ["buy_2d", "redeem", "engage_24h"] {
        let model = handmade::model(&world.config, goal, day(1), 1);
        world.registry().write(&model, &handmade::card(goal, day(1))).unwrap();
    }
    let header = |goal: &str| {
        let text = world.written(&["score", "--goal", goal, "--as-of", "2024-02-02T12:00:00Z"], "x.csv");
        let text = String::from_utf8(text).unwrap();
        let lines: Vec<Vec<String>> =
            text.lines().map(|line| line.split(',').map(str::to_string).collect()).collect();
        let keys: Vec<&[String]> = lines[1..].iter().map(|line| &line[..line.len() - 1]).collect();
        assert!(keys.windows(2).all(|pair| pair[0] < pair[1]), "{goal}: sorted, each once");
        for line in &lines[1..] {
            let propensity: f64 = line.last().unwrap().parse().unwrap();
            assert!(propensity > 0.0 && propensity < 1.0, "{line:?}");
        }
        (lines[0].join(","), lines.len() - 1, lines)
    };
    let (columns, rows, _) = header("buy_2d");
    assert_eq!(columns, "user_id,propensity");
    assert!(rows >= SMALL.users - 9, "{rows} users had an event by then");
    let (columns, _, lines) = header("redeem");
    assert_eq!(columns, "user_id,campaign_id,propensity");
    // Day 32 at noon: campaigns of three days that began on days 31 (14) and, at 00:00 of the day, none other but 29's last hours.
    let campaigns: std::collections::BTreeSet<&str> =
        lines[1..].iter().map(|line| line[1].as_str()).collect();
    assert_eq!(campaigns, std::collections::BTreeSet::from(["spring-14"]));
    let (columns, rows, _) = header("engage_24h");
    assert_eq!(columns, "user_id,content_id,propensity");
    assert!(rows > 1_000, "{rows} pairs");
}

#[test]
fn a_score_uses_the_settings_that_the_model_was_trained_with() {
    let mut world = SMALL.world(town::SETTINGS);
    world.ok(&["train", "--goal", "buy_2d"]);
    let before = world.written(&["score", "--goal", "buy_2d"], "x.csv");
    world.set(&format!(
        "{}\n[profiles]\nfatigue_half_life_days = 50.0\nrate_prior_pushes = 1.0\n",
        town::SETTINGS
    ));
    assert!(world.written(&["score", "--goal", "buy_2d"], "x.csv") == before);
}

#[test]
fn nobody_to_score_is_an_empty_population() {
    let world = World::new(town::SETTINGS);
    let event = json!({"user_id": "u", "event": "view", "timestamp": "2024-01-05T10:00:00Z"});
    world.take(InputKind::Events, &[event], None);
    for goal in ["redeem", "engage_24h"] {
        let model = handmade::model(&world.config, goal, day(1), 1);
        world.registry().write(&model, &handmade::card(goal, day(1))).unwrap();
    }
    for (goal, moment) in [("redeem", "2024-01-06"), ("engage_24h", "2024-03-06")] {
        let command = ["score", "--goal", goal, "--as-of", moment, "--out", "x.csv"];
        let error = world.refused(&command, "empty_population");
        assert!(error.contains(goal) && error.contains(moment), "{error}");
    }
    let early = world
        .refused(&["score", "--goal", "engage_24h", "--as-of", "2024-01-03", "--out", "x.csv"], "no_events");
    assert!(early.contains("2024-01-03"), "{early}");
    let moment = Instant::MIN;
    assert!(world.registry().newest("redeem", moment).is_err());
    for out in ["x.xlsx", "x", "data/users.parquet", "data/events/x.csv"] {
        let ran = world.run(&["score", "--goal", "redeem", "--out", out]);
        assert_eq!(ran.exit, Some(2), "{out}: {}", ran.stderr);
    }
}
