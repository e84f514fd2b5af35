//! Training: the same version from the same events, a split in order of time, and no crown for what is noise.

use serde_json::{Value, json};
use smartpush::domain::identity::sha256_hex;
use smartpush::domain::time::{DAY, HOUR, Instant};
use smartpush::events::request::InputKind;
use smartpush::models::examples::{Examples, GoalQuestion, Labels};
use smartpush::models::train::{TrainError, TrainingRequest, train, train_on};
use smartpush::registry::figures::SplitPart;
use smartpush::registry::model::ModelKind;

use super::town::{self, SMALL, Town, day};
use super::world::{Material, Ran, World, goal};
use crate::support::draws::Draws;

/// Versions by goal of a run of `train`.
fn versions(json: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_string();
    let models = json["models"].as_array().unwrap();
    models.iter().map(|model| (text(&model["goal"]), text(&model["version"]))).collect()
}

/// The same lines in another order.
fn shuffled(mut events: Vec<Value>) -> Vec<Value> {
    let mut draws = Draws::new(5);
    for index in (1..events.len()).rev() {
        events.swap(index, draws.between(0.0, index as f64 + 1.0) as usize);
    }
    events
}

#[test]
fn a_version_depends_on_nothing_but_the_events_and_the_settings() {
    let settings = town::SETTINGS.replace("most_moments = 14", "most_moments = 5");
    let world = SMALL.world(&settings);
    let train = ["train"];
    let first = versions(&world.ok(&train));
    let goals: Vec<&str> = first.iter().map(|(goal, _)| goal.as_str()).collect();
    assert_eq!(goals, ["buy_2d", "engage_24h", "purchase_7d", "redeem"], "each unit has one");
    for run in 2..=5 {
        assert_eq!(versions(&world.ok(&train)), first, "run {run}");
    }
    if let Some(mut command) = world.command_on_one_processor(&train) {
        let ran = Ran::of(&command.output().unwrap());
        assert_eq!(versions(&ran.json), first, "one thread");
    }
    let mixed = SMALL.world_without_events(&settings);
    let events = shuffled(SMALL.events());
    for part in events.chunks(events.len().div_ceil(3)) {
        mixed.take(InputKind::Events, part, None);
    }
    assert_eq!(versions(&mixed.ok(&train)), first, "shuffled, in three files");
    // And it does depend on them.
    let seeded = versions(&world.ok(&["train", "--seed", "2"]));
    for ((goal, old), (_, new)) in first.iter().zip(&seeded) {
        assert_ne!(old, new, "{goal}: the seed is part of the model");
    }
}

#[test]
fn scores_and_rankings_are_the_same_bytes_from_one_thread_and_from_many() {
    let world = SMALL.world(town::SETTINGS);
    world.ok(&["train"]);
    let commands: [&[&str]; 4] = [
        &["score", "--goal", "buy_2d"],
        &["score", "--goal", "engage_24h"],
        &["recommend", "--top", "7"],
        &["examples", "--goal", "redeem"],
    ];
    for command in commands {
        for name in ["out.csv", "out.parquet", "out.jsonl"] {
            let many = world.written(command, name);
            assert!(many.len() > 100);
            assert!(world.written(command, name) == many, "{command:?} again");
            let Some(mut one) = world.command_on_one_processor(&[command, &["--out", name]].concat()) else {
                return;
            };
            assert_eq!(Ran::of(&one.output().unwrap()).exit, Some(0));
            assert!(std::fs::read(world.path(name)).unwrap() == many, "{command:?} on one thread");
        }
    }
}

#[test]
fn the_hash_of_the_data_is_that_of_every_input_and_label_side_by_side() {
    let mut material = SMALL.world(town::SETTINGS).material(Instant::MAX);
    material.config.training.methods.truncate(1);
    material.config.training.most_negatives = 10_000_000;
    material.config.training.most_days = 14;
    let sources = material.sources();
    let question = material.question("engage_24h", &sources);
    let examples = question.examples(Labels::MatureBefore(day(40)), &|_, _| ()).unwrap();
    assert!(examples.len() > 3 * 8_192, "more rows than are hashed at a time: {}", examples.len());
    let trained =
        train_on(&question, &TrainingRequest::new(day(40), &material.config, day(40)), &examples).unwrap();
    let mut bytes: Vec<u8> =
        examples.columns.iter().flatten().flat_map(|value| value.to_bits().to_le_bytes()).collect();
    bytes.extend(examples.labels.iter().map(|label| u8::from(*label)));
    assert_eq!(trained.card.data_sha256, sha256_hex(&bytes));
}

/// A question's examples and the parts that training makes of them.
struct Splitting<'a> {
    examples: &'a Examples,
    lateness: i64,
}

impl Splitting<'_> {
    /// Rows from the part's first moment to its last.
    fn rows(&self, part: &SplitPart) -> Vec<usize> {
        let within = |at: Instant| part.from <= Some(at) && Some(at) <= part.to;
        (0..self.examples.len()).filter(|row| within(self.examples.moment(*row).at)).collect()
    }

    /// Rows of a part whose label is known when the next one begins: what the part may hold at most.
    fn known(&self, part: &SplitPart, next: Option<Instant>) -> usize {
        let ends = next.unwrap_or(Instant::MAX);
        let is_known = |row: &usize| self.examples.moment(*row).until.plus(self.lateness) <= ends;
        self.rows(part).into_iter().filter(is_known).count()
    }
}

/// Trains and holds the card's split against the examples; `None` when there are too few moments.
fn check_split(material: &Material, text: &str, as_of: Instant) -> Option<usize> {
    let (goal, sources) = (goal(text), material.sources());
    let question =
        GoalQuestion { name: "g", goal: &goal, sources: &sources, training: &material.config.training };
    let request = TrainingRequest::new(as_of, &material.config, as_of);
    let trained = match train(&question, &request, &|_, _| ()) {
        Ok(trained) => trained,
        Err(TrainError::TooFewMoments { .. } | TrainError::Examples(_) | TrainError::OneClass { .. }) => {
            return None;
        }
        Err(error) => panic!("{text} as of {as_of}: {error}"),
    };
    let examples = question.examples(Labels::MatureBefore(as_of), &|_, _| ()).unwrap();
    let lateness = material.config.training.allowed_lateness_hours * HOUR;
    let splitting = Splitting { examples: &examples, lateness };
    let card = trained.card;
    let [first, second, third] = [&card.split.train, &card.split.calibrate, &card.split.test];
    let after_train = second.from.or(third.from);
    assert!(first.to < after_train && (second.to.is_none() || second.to < third.from), "{:?}", card.split);
    assert!(first.rows > 0 && third.rows > 0, "{:?}", card.split);
    assert!(first.rows <= splitting.known(first, after_train), "{text} as of {as_of}: {:?}", card.split);
    assert!(second.rows <= splitting.known(second, third.from), "{text} as of {as_of}: {:?}", card.split);
    // Nothing comes after the test part, so all of it counts, and it is the newest.
    assert_eq!(third.rows, splitting.known(third, None));
    assert_eq!(third.to, Some(examples.moment(examples.len() - 1).at));
    let used = first.rows + second.rows + third.rows;
    assert_eq!(used + card.split.left_out, examples.len(), "every row is in a part or counted as left out");
    assert_eq!(card.fitted_on.rows, examples.len(), "the weights that ship have seen all");
    for (part, share) in [(third, 0.2), (second, 0.2)] {
        let largest = examples.moments.iter().map(|moment| moment.at).collect::<Vec<_>>();
        let at_once = |at: Instant| (0..examples.len()).filter(|row| examples.moment(*row).at == at).count();
        let slack = largest.into_iter().map(at_once).max().unwrap();
        assert!(part.rows as f64 <= share * examples.len() as f64 + slack as f64 + 1.0, "{:?}", card.split);
    }
    Some(card.split.left_out)
}

/// Campaigns whose windows overlap in every way, users targeted by some of them.
fn overlapping_campaigns(seed: u64) -> World {
    let world = World::new("[evaluation]\nbootstrap_draws = 10\n");
    let mut draws = Draws::new(seed);
    let (mut campaigns, mut events) = (Vec::new(), Vec::new());
    for number in 0..25 {
        let start = draws.between(0.0, 60.0) as i64;
        let length = 1 + draws.between(0.0, 12.0) as i64;
        let id = format!("p{number}");
        campaigns.push(json!({"campaign_id": id, "window_start": day(start).to_string(),
                              "window_end": day(start + length).to_string()}));
        for user in 0..30 {
            let mut tell = |name: &str, at: Instant| {
                events.push(json!({"user_id": format!("u{user}"), "event": name, "campaign_id": id,
                                   "timestamp": at.to_string()}));
            };
            if draws.uniform() < 0.4 {
                tell("campaign_targeted", day(start));
                if draws.uniform() < 0.3 {
                    tell("redeem", day(start).plus((draws.uniform() * (length * DAY) as f64) as i64));
                }
            }
        }
    }
    world.take(InputKind::Campaigns, &campaigns, None);
    world.take(InputKind::Events, &events, None);
    world
}

#[test]
fn no_label_window_reaches_into_the_next_part_and_what_is_left_out_is_counted() {
    let mut draws = Draws::new(8);
    let (mut split, mut left_out) = (0, 0);
    for seed in 0..4 {
        let world = overlapping_campaigns(seed);
        let mut material = world.material(Instant::MAX);
        for _ in 0..5 {
            material.config.training.allowed_lateness_hours = draws.between(0.0, 72.0) as i64;
            material.config.training.most_moments = 4 + draws.between(0.0, 40.0) as usize;
            let as_of = day(45 + draws.between(0.0, 30.0) as i64);
            let own = 1 + draws.between(0.0, 9.0) as i64;
            for window in ["campaign".to_string(), format!("{own}d")] {
                let text = format!(
                    "events = [\"redeem\"]\nunit = \"user_campaign\"\nwindow = {window:?}\npopulation = \"targeted\""
                );
                let found = check_split(&material, &text, as_of);
                split += usize::from(found.is_some());
                left_out += found.unwrap_or_default();
            }
            let text = format!(
                "events = [\"redeem\"]\nunit = \"user_day\"\nwindow = \"{own}d\"\npopulation = \"everybody\""
            );
            split += usize::from(check_split(&material, &text, as_of).is_some());
        }
    }
    assert!(split > 30, "{split} splits were looked at");
    assert!(left_out > 100, "{left_out} rows were left out");
}

/// Everybody views and buys by the same dice: nothing that is known of anyone says anything.
fn noise(seed: u64) -> World {
    let world = World::new(town::SETTINGS);
    let mut draws = Draws::new(seed);
    let mut events = Vec::new();
    for (user, number) in (0..60).flat_map(|user| (0..30).map(move |number| (user, number))) {
        for (name, chance) in [("view", 0.5), ("purchase", 0.15)] {
            if draws.uniform() < chance {
                let moment = day(number).plus((draws.uniform() * DAY as f64) as i64);
                events.push(
                    json!({"user_id": town::user_id(user), "event": name, "timestamp": moment.to_string()}),
                );
            }
        }
    }
    world.take(InputKind::Events, &events, None);
    world
}

#[test]
fn what_is_no_better_than_the_base_rate_is_kept_but_neither_promoted_nor_served() {
    for seed in 0..6 {
        let world = noise(seed);
        let trained = world.ok(&["train", "--goal", "buy_2d"]);
        assert_eq!(
            (&trained["champion"], &trained["promoted"]),
            (&json!("base_rate"), &json!(false)),
            "{trained}"
        );
        let version = trained["version"].as_str().unwrap();
        let found = world.registry().read("buy_2d", version).unwrap();
        assert_eq!(found.model.kind, ModelKind::BaseRate);
        assert!(found.model.inputs.is_empty() && world.registry().champion("buy_2d").is_none());
        let rate = trained["fitted_on"]["positives"].as_f64().unwrap()
            / trained["fitted_on"]["rows"].as_f64().unwrap();
        assert!(
            (found.model.score(&[], &[], &[]) - rate).abs() < 1e-9,
            "what it would say is the share of positives"
        );
        let error = world.refused(&["score", "--goal", "buy_2d", "--out", "x.csv"], "no_model");
        assert!(error.contains("smartpush train --goal buy_2d"), "{error}");
        assert!(!world.path("x.csv").exists());
        let promoted = world.run(&["models", "promote", "--goal", "buy_2d", version]);
        assert_eq!(promoted.exit, Some(3), "the gate: {}", promoted.stderr);
        assert!(promoted.json["error"].as_str().unwrap().starts_with("not_promoted: "), "{}", promoted.json);
        let listed = world.ok(&["models", "list"]);
        assert_eq!(
            (&listed["models"][0]["kind"], &listed["models"][0]["champion"]),
            (&json!("base_rate"), &json!(false))
        );
    }
}

#[test]
fn the_card_says_where_the_model_comes_from() {
    let world = Town { users: 60, ..SMALL }.world(town::SETTINGS);
    let trained = world.ok(&["train", "--goal", "buy_2d", "--seed", "7", "--as-of", "2024-02-08"]);
    let version = trained["version"].as_str().unwrap();
    let card: Value = serde_json::from_slice(
        &std::fs::read(world.registry().version_directory("buy_2d", version).join("card.json")).unwrap(),
    )
    .unwrap();
    for key in ["lake_sha256", "data_sha256", "tz_database", "build", "trained_at"] {
        assert!(card[key].as_str().is_some_and(|text| !text.is_empty()), "{key}: {card}");
    }
    let model = world.registry().read("buy_2d", version).unwrap().model;
    assert_eq!((model.seed, model.as_of), (7, day(38)));
    let text = model.to_text();
    let clock = card["trained_at"].as_str().unwrap();
    let path = world.path("").display().to_string();
    assert!(
        !text.contains(clock) && !text.contains(&path),
        "no clock and no path in what the version is made of"
    );
    let page = std::fs::read_to_string(world.registry().version_directory("buy_2d", version).join("CARD.md"))
        .unwrap();
    for word in ["buys within two days", version, "AUC", "shipped weights", "seed 7"] {
        assert!(page.contains(word), "CARD.md lacks {word:?}");
    }
}

#[test]
fn a_seed_decides_which_examples_are_drawn() {
    let mut settings = town::SETTINGS.to_string();
    settings = settings.replace("[training]\n", "[training]\nmost_negatives = 1000\n");
    let world = SMALL.world(&settings);
    let data = |seed: &str| {
        let trained = world.ok(&["train", "--goal", "engage_24h", "--seed", seed]);
        trained["data_sha256"].as_str().unwrap().to_string()
    };
    assert_eq!(data("1"), data("1"));
    assert_ne!(data("1"), data("2"));
}
