//! Trees as a model of the workspace: trained, judged, kept, scored and ranked like any other.

use serde_json::{Value, json};
use smartpush::decisions::scorer::Scorer;
use smartpush::registry::model::{InputBlock, Model, ModelError, ModelKind};

use super::town::{self, Town};
use super::world::{Ran, World};
use crate::support::draws::Draws;

const TOWN: Town = Town { users: 300, contents: 30, days: 45, seed: 5 };

/// The town's settings with trees as the only method.
pub(super) fn only_trees() -> String {
    with_methods("\"gradient_boosting\"")
}

fn with_methods(methods: &str) -> String {
    town::SETTINGS.replace("[training]", &format!("[training]\nmethods = [{methods}]"))
}

fn trained(world: &World, goal: &str) -> (Value, Model) {
    let trained = world.ok(&["train", "--goal", goal]);
    let model = world.registry().read(goal, trained["version"].as_str().unwrap()).unwrap().model;
    (trained, model)
}

/// Blocks of a row, some values of which are unknown or far out.
fn blocks(draws: &mut Draws, model: &Model) -> [Vec<f64>; 3] {
    InputBlock::ALL.map(|block| {
        let inputs = model.inputs.iter().filter(|input| input.block == block);
        let value = |input: &smartpush::registry::model::WeightedInput| match draws.uniform() {
            share if share < 0.1 => f64::NAN,
            share if share < 0.2 => 1e9 * draws.normal(),
            _ => input.mean + input.scale * draws.normal(),
        };
        inputs.map(value).collect()
    })
}

#[test]
fn trees_are_trained_promoted_scored_and_ranked_like_any_model() {
    let world = TOWN.world(&only_trees());
    for goal in ["buy_2d", "engage_24h"] {
        let (trained, model) = trained(&world, goal);
        assert_eq!(
            (&trained["champion"], &trained["promoted"]),
            (&json!("gradient_boosting"), &json!(true)),
            "{trained}"
        );
        assert_eq!((model.kind, model.format), (ModelKind::GradientBoosting, 2));
        let directory = world.registry().version_directory(goal, trained["version"].as_str().unwrap());
        let page = std::fs::read_to_string(directory.join("CARD.md")).unwrap();
        assert!(page.contains("splits of ") && page.contains("gradient_boosting as of"), "{page}");
        let rows = world.table(&["score", "--goal", goal]);
        let scores = rows.iter().map(|row| row["propensity"].as_f64().unwrap());
        assert!(rows.len() >= 250 && scores.clone().all(|score| score > 0.0 && score < 1.0));
        assert!(scores.clone().fold(0.0, f64::max) > 1.5 * scores.fold(1.0, f64::min));
    }
    assert!(world.table(&["recommend", "--top", "3"]).len() > 500);
}

#[test]
fn a_row_through_the_blocks_is_the_row_through_the_trees_and_its_contributions_are_the_raw_logit() {
    let world = TOWN.world(&only_trees());
    let (_, model) = trained(&world, "engage_24h");
    let trees = model.trees.as_ref().unwrap();
    let mut draws = Draws::new(3);
    for _ in 0..500 {
        let [user, content, pair] = blocks(&mut draws, &model);
        let row = [user.as_slice(), &content, &pair].concat();
        let by_trees = model.intercept + trees.logit(&row).unwrap();
        let logit = model.logit(&user, &content, &pair);
        assert!((logit - by_trees).abs() <= 1e-12, "{logit} {by_trees}");
        let probability = model.probability(logit).to_bits();
        assert_eq!(model.score_row(&row).to_bits(), probability);
        let contributions = model.contributions(&user, &content, &pair, -0.5);
        let sum: f64 = contributions.iter().map(|one| one.contribution).sum();
        assert!((sum - logit - model.time(-0.5)).abs() <= 1e-9, "{sum} {logit}");
        assert_eq!(contributions.len(), model.inputs.len() + 2);
    }
}

#[test]
fn a_block_that_is_not_known_counts_as_its_means() {
    let world = TOWN.world(&only_trees());
    let (_, model) = trained(&world, "engage_24h");
    let means = |block: InputBlock| -> Vec<f64> {
        model.inputs.iter().filter(|input| input.block == block).map(|input| input.mean).collect()
    };
    let [_, content, _] = blocks(&mut Draws::new(4), &model);
    let filled = model.score(&means(InputBlock::User), &content, &means(InputBlock::Pair));
    assert_eq!(model.score(&[], &content, &[]).to_bits(), filled.to_bits());
}

#[test]
fn trees_are_the_same_in_five_runs_from_one_thread_and_from_many() {
    let world = TOWN.world(&only_trees());
    let train = ["train", "--goal", "buy_2d"];
    let version = world.ok(&train)["version"].clone();
    for run in 2..=5 {
        assert_eq!(world.ok(&train)["version"], version, "run {run}");
    }
    let Some(mut alone) = world.command_on_one_processor(&train) else { return };
    assert_eq!(Ran::of(&alone.output().unwrap()).json["version"], version);
}

#[test]
fn methods_are_tried_by_name_and_the_first_stays_unless_another_is_clearly_better() {
    let world = TOWN.world(&with_methods("\"logistic_regression\", \"gradient_boosting\""));
    let (trained, _) = trained(&world, "buy_2d");
    let card = world.registry().read("buy_2d", trained["version"].as_str().unwrap()).unwrap().card.unwrap();
    let of = |kind: ModelKind| card.tried.iter().filter(move |tried| tried.kind == kind);
    assert_eq!((of(ModelKind::LogisticRegression).count(), of(ModelKind::GradientBoosting).count()), (7, 6));
    assert!(of(ModelKind::GradientBoosting).all(|tried| tried.trees.is_some() && tried.leaves.is_some()));
}

#[test]
fn a_file_whose_trees_do_not_belong_to_it_is_refused() {
    let world = TOWN.world(&only_trees());
    let (_, model) = trained(&world, "buy_2d");
    let sound: Value = serde_json::from_str(&model.to_text()).unwrap();
    assert_eq!(Model::from_text(&model.to_text()).unwrap(), model);
    type ModelEdit = (&'static str, fn(&mut Value));
    let changes: [ModelEdit; 5] = [
        ("a linear model has no trees", |file| file["kind"] = "logistic_regression".into()),
        ("there are no trees", |file| drop(file.as_object_mut().unwrap().remove("trees"))),
        ("do not read its inputs", |file| drop(file["inputs"].as_array_mut().unwrap().pop())),
        ("bad_model", |file| file["trees"]["trees"][0]["nodes"][0]["split"]["right"] = 0.into()),
        ("bad_model", |file| file["trees"]["format"] = 9.into()),
    ];
    for (wanted, change) in changes {
        let mut file = sound.clone();
        change(&mut file);
        match Model::from_text(&file.to_string()) {
            Err(error @ ModelError::Bad(_)) => assert!(error.to_string().contains(wanted), "{error}"),
            other => panic!("{wanted}: {other:?}"),
        }
    }
}
