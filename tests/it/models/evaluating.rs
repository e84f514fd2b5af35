//! `evaluate`: propensities and rankings beside their baselines, in the shapes that others read.

use std::collections::BTreeSet;

use serde_json::Value;
use smartpush::events::request::InputKind;

use super::town::{self, SMALL};
use super::world::{World, sample};

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// `{value, low, high, n}` with the value inside.
fn check_figure(figure: &Value, what: &str) {
    assert_eq!(keys(figure), BTreeSet::from(["value", "low", "high", "n"]), "{what}");
    let [low, value, high] = ["low", "value", "high"].map(|key| figure[key].as_f64().unwrap());
    assert!(low <= value + 1e-9 && value <= high + 1e-9 && low < high, "{what}: {figure}");
    assert!(figure["n"].as_u64() > Some(0), "{what}: {figure}");
}

fn check_propensity(report: &Value, what: &str) {
    for (side, names) in [
        ("model", &["log_loss", "auc", "ece"][..]),
        ("base_rate", &["log_loss"]),
        ("difference", &["log_loss"]),
    ] {
        let figures = &report[side];
        assert_eq!(keys(figures), names.iter().copied().collect(), "{what} {side}");
        names.iter().for_each(|name| check_figure(&figures[name], &format!("{what} {side} {name}")));
    }
    let of = |side: &str| report[side]["log_loss"]["value"].as_f64().unwrap();
    assert!((of("model") - of("base_rate") - of("difference")).abs() < 1e-9, "{what}: the difference is one");
}

#[test]
fn purchases_of_the_sample_are_foretold_better_than_by_the_base_rate() {
    let sample = sample();
    let report =
        sample.ok(&["evaluate", "--cut", "2017-11-01", "--only", "propensity", "--goal", "purchase_7d"]);
    assert_eq!(keys(&report), BTreeSet::from(["cut", "propensity"]), "only what was asked for");
    assert_eq!(keys(&report["propensity"]), BTreeSet::from(["purchase_7d"]));
    let purchase = &report["propensity"]["purchase_7d"];
    check_propensity(purchase, "purchase_7d");
    assert!(purchase["difference"]["log_loss"]["high"].as_f64() < Some(-0.05), "{purchase}");
    assert!(purchase["model"]["auc"]["low"].as_f64() > Some(0.7), "{purchase}");
    assert!(purchase["model"]["ece"]["value"].as_f64() < Some(0.05), "{purchase}");
    assert!(purchase.get("benchmark").is_none(), "that is for goals about campaigns");
    let [rate, mean] = ["test_rate", "mean_probability"].map(|key| purchase[key].as_f64().unwrap());
    assert!((rate - mean).abs() < 0.05, "{purchase}");
}

#[test]
fn every_section_has_the_shape_of_the_contract() {
    // Enough moments that the oldest campaigns are no matter.
    let world = SMALL.world(&town::SETTINGS.replace("most_moments = 14", "most_moments = 40"));
    let report = world.ok(&["evaluate", "--cut", "2024-01-31"]);
    for key in ["cut", "send_time", "content", "propensity"] {
        assert!(report.get(key).is_some(), "{key} is missing: {:?}", keys(&report));
    }
    assert_eq!(report["cut"], "2024-01-31");
    let ways = ["model", "popularity_6h", "popularity_1d", "popularity_3d", "popularity_ever"];
    assert_eq!(keys(&report["content"]), BTreeSet::from(ways));
    for way in ways {
        assert_eq!(keys(&report["content"][way]), BTreeSet::from(["recall_at_10", "ndcg_at_10"]));
        for metric in ["recall_at_10", "ndcg_at_10"] {
            check_figure(&report["content"][way][metric], way);
            assert_eq!(report["content"][way][metric]["n"], report["content_user_days"]);
        }
    }
    let baselines: BTreeSet<&str> = ways[1..].iter().copied().collect();
    assert_eq!(keys(&report["content_differences"]), baselines);
    let goals = keys(&report["propensity"]);
    assert!(goals.is_superset(&BTreeSet::from(["buy_2d", "redeem"])), "{goals:?}");
    for goal in ["buy_2d", "redeem"] {
        check_propensity(&report["propensity"][goal], goal);
    }
    check_propensity(&report["propensity"]["redeem"]["benchmark"], "benchmark");
    let rows = |report: &Value| report["train_rows"].as_u64().unwrap();
    let redeem = &report["propensity"]["redeem"];
    assert!(
        rows(&redeem["benchmark"]) > rows(redeem),
        "a benchmark also learns from answers that came in later"
    );
}

#[test]
fn only_the_named_sections_and_goal_are_measured() {
    let world = SMALL.world(&town::SETTINGS.replace("most_moments = 14", "most_moments = 5"));
    let sections = |more: &[&str]| {
        let report = world.ok(&[&["evaluate", "--cut", "2024-01-31"], more].concat());
        let found = ["send_time", "content", "propensity"].map(|name| report.get(name).is_some());
        (found, report)
    };
    assert_eq!(sections(&["--only", "send-time"]).0, [true, false, false]);
    assert_eq!(sections(&["--only", "content"]).0, [false, true, false]);
    assert_eq!(sections(&["--only", "content", "--only", "propensity"]).0, [false, true, true]);
    let (found, report) = sections(&["--goal", "buy_2d"]);
    assert_eq!(found, [false, false, true]);
    assert_eq!(keys(&report["propensity"]), BTreeSet::from(["buy_2d"]));
    let (found, _) = sections(&["--goal", "engage_24h"]);
    assert_eq!(found, [false, true, false]);
    for wrong in [&["--only", "weather"][..], &["--goal", "weather"], &["--cut", "someday"]] {
        assert_eq!(world.run(&[&["evaluate"], wrong].concat()).exit, Some(2), "{wrong:?}");
    }
    let error = world.refused(&["evaluate", "--goal", "buy_2d", "--only", "content"], "nothing_to_measure");
    assert!(error.contains("no section"), "{error}");
}

#[test]
fn a_section_that_the_data_says_nothing_of_is_left_out_with_the_reason() {
    // Purchases alone: no contents, no campaigns.
    let world = World::new(town::SETTINGS);
    let purchases: Vec<Value> = SMALL
        .events()
        .into_iter()
        .filter(|event| event["event"] == "view")
        .map(|mut event| {
            event.as_object_mut().unwrap().remove("content_id");
            event["event"] = "purchase".into();
            event
        })
        .collect();
    world.take(InputKind::Events, &purchases, None);
    let ran = world.run(&["evaluate", "--cut", "2024-01-31"]);
    assert_eq!(ran.exit, Some(0), "{}", ran.stderr);
    assert!(ran.json.get("content").is_none(), "{:?}", keys(&ran.json));
    assert!(ran.json["propensity"].get("redeem").is_none());
    check_propensity(&ran.json["propensity"]["buy_2d"], "buy_2d");
    for reason in ["left out: content: ", "left out: propensity: unknown_event: goal redeem"] {
        assert!(ran.stderr.contains(reason), "{reason:?} is not in {}", ran.stderr);
    }
    // With nothing left, the first reason is the error.
    world.refused(&["evaluate", "--cut", "2024-01-31", "--only", "content"], "empty_population");
}
