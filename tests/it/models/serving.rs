//! Training and serving are one: what a server says of a thousand users is what `score` writes.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::boosted::only_trees;
use super::town::{SETTINGS, Town};
use crate::support::server::Server;

const MANY: Town = Town { users: 1_250, contents: 30, days: 30, seed: 11 };

#[test]
fn the_propensities_of_a_thousand_users_are_the_same_in_a_file_and_over_http() {
    check_thousand(SETTINGS, "logistic_regression");
}

#[test]
fn trees_say_the_same_of_a_thousand_users_in_a_file_and_over_http() {
    check_thousand(&only_trees(), "gradient_boosting");
}

fn check_thousand(settings: &str, kind: &str) {
    let world = MANY.world(settings);
    let trained = world.ok(&["train", "--goal", "engage_24h"]);
    assert_eq!((&trained["promoted"], &trained["champion"]), (&json!(true), &json!(kind)), "{trained}");
    let mut first_row: BTreeMap<String, (String, f64)> = BTreeMap::new();
    for row in world.table(&["score", "--goal", "engage_24h"]) {
        let text = |name: &str| row[name].as_str().unwrap().to_string();
        let entry = (text("content_id"), row["propensity"].as_f64().unwrap());
        first_row.entry(text("user_id")).or_insert(entry);
    }
    assert!(first_row.len() >= 1_000, "only {} users are scored", first_row.len());
    let server = Server::start(&world.path(""), &["--now", trained["as_of"].as_str().unwrap()]);
    for (user, (content, scored)) in first_row.iter().take(1_000) {
        let reply = server.ask(&json!({ "user_id": user, "content_ids": [content] }));
        assert_eq!(reply.status, 200, "{reply:?}");
        let decision = reply.json();
        let version = format!("engage_24h/{}", trained["version"].as_str().unwrap());
        assert_eq!(decision["versions"]["model"], version.as_str());
        let id = decision["decision_id"].as_str().unwrap();
        let explained = server.get(&format!("/v1/decisions/{id}/explain")).json();
        check(&explained, user, *scored);
    }
}

/// The served propensity is the scored one, and the contributions are all of the logit.
fn check(explained: &Value, user: &str, scored: f64) {
    let served = explained["arm"]["propensity"].as_f64().unwrap();
    assert!((served - scored).abs() <= 1e-12, "{user}: served {served}, scored {scored}");
    let shares = explained["contributions"].as_array().unwrap().iter();
    let sum: f64 = shares.map(|share| share["contribution"].as_f64().unwrap()).sum();
    let logit = explained["arm"]["raw_logit"].as_f64().unwrap();
    assert!((sum - logit).abs() <= 1e-9, "{user}: contributions {sum}, logit {logit}");
}

#[test]
fn a_new_champion_is_noticed_and_a_broken_one_falls_back_by_name_until_it_is_mended() {
    let world = MANY.world(SETTINGS);
    let settings = [("SERVE__REFRESH_SECONDS", "1")];
    let now = "2024-01-31T00:00:00Z";
    let server = Server::start_with(&world.path(""), &["--now", now], &settings);
    let decision = server.decide("u0001");
    assert_eq!((&decision["versions"]["model"], &decision["fallback"]), (&json!("popularity"), &json!(true)));
    let trained = world.ok(&["train", "--goal", "engage_24h"]);
    let version = trained["version"].as_str().unwrap();
    let wanted = json!(format!("engage_24h/{version}"));
    server.wait_until(|server| server.decide("u0001")["versions"]["model"] == wanted);
    drop(server);
    let model = world.path("models/engage_24h").join(version).join("model.json");
    let sound = std::fs::read(&model).unwrap();
    std::fs::write(&model, "{\"format\":1}").unwrap();
    let server = Server::start_with(&world.path(""), &["--now", now], &settings);
    assert_eq!(server.decide("u0001")["versions"]["model"], "popularity");
    let faults = server.get("/readyz").json()["snapshot"]["model_faults"].clone();
    assert!(faults[0].as_str().unwrap().starts_with("bad_model: "), "{faults}");
    std::fs::write(&model, sound).unwrap();
    server.wait_until(|server| server.decide("u0001")["versions"]["model"] == wanted);
}
