//! Going on from an online model: new outcomes are scored before they are learned, and nothing is learned twice.

use serde_json::Value;

use super::town::{self, Town, day};
use super::world::World;

const TOWN: Town = Town { users: 300, contents: 30, days: 60, seed: 1 };

fn settings(methods: &str) -> String {
    town::SETTINGS.replace("most_moments = 14", &format!("most_moments = 40\nmethods = [{methods}]"))
}

fn train(world: &World, until: i64, online: bool) -> Value {
    let moment = day(until).to_string();
    let mut arguments = vec!["train", "--goal", "buy_2d", "--as-of", &moment];
    arguments.extend(online.then_some("--online"));
    world.ok(&arguments)
}

#[test]
fn an_online_model_goes_on_with_what_became_known_since() {
    let world = TOWN.world(&settings("\"ftrl\""));
    let first = train(&world, 40, false);
    assert_eq!(
        (first["champion"].as_str(), first["promoted"].as_bool()),
        (Some("ftrl"), Some(true)),
        "{first}"
    );
    let second = train(&world, 55, true);
    assert_eq!(second["champion"], "ftrl", "{second}");
    assert_ne!(first["version"], second["version"]);
    // Two days' window: moments from the 39th day on became known between the 40th and the 55th.
    let test = &second["split"]["test"];
    let (from, to) = (test["from"].as_str().unwrap(), test["to"].as_str().unwrap());
    assert!(from >= day(38).to_string().as_str() && to <= day(53).to_string().as_str(), "{from} {to}");
    assert_eq!(test["rows"], second["fitted_on"]["rows"]);
    assert_eq!(second["split"]["train"]["rows"], 0);

    let registry = world.registry();
    let state = |json: &Value| registry.read_online("buy_2d", json["version"].as_str().unwrap()).unwrap();
    let (before, after) = (state(&first).learner, state(&second).learner);
    assert_eq!(after.rows() - before.rows(), test["rows"].as_u64().unwrap());
    let model = registry.read("buy_2d", second["version"].as_str().unwrap()).unwrap().model;
    let weights: Vec<f64> = model.inputs.iter().map(|input| input.weight).collect();
    assert_eq!((weights, model.intercept), after.weights());

    let again = day(55).to_string();
    world.refused(&["train", "--goal", "buy_2d", "--as-of", &again, "--online"], "nothing_new");
    let twin = TOWN.world(&settings("\"ftrl\""));
    train(&twin, 40, false);
    assert_eq!(train(&twin, 55, true)["version"], second["version"], "same rows, same version");
}

#[test]
fn a_model_that_was_not_learned_online_does_not_go_on() {
    let world = TOWN.world(&settings("\"logistic_regression\""));
    let first = train(&world, 40, false);
    assert_eq!(first["champion"], "logistic_regression", "{first}");
    let later = day(55).to_string();
    world.refused(&["train", "--goal", "buy_2d", "--as-of", &later, "--online"], "not_online");
}
