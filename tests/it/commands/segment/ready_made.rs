//! Ready-made audiences: each can be read, asked for and named, and those of a family share nobody.

use std::collections::BTreeMap;

use domain::time::Instant;
use domain::zone::Zone;
use segments::language::compile::{Circumstances, compile};
use segments::language::fields::FieldCatalogue;
use segments::language::ready_made::{Family, ready_made};
use serde_json::Value;

use crate::support::sample::Sample;

#[test]
fn every_ready_made_audience_compiles_and_none_is_left_out() {
    let goals = ["purchase_7d".to_string()];
    let catalogue = FieldCatalogue::new(BTreeMap::new(), goals.to_vec());
    let zone = Zone::utc();
    let circumstances = Circumstances { catalogue: &catalogue, as_of: Instant::from_micros(0), zone: &zone };
    let all = ready_made(&goals);
    let of = |family: &Family| all.iter().filter(|one| one.family == *family).count();
    let families =
        [Family::Lifecycle, Family::Rfm, Family::Rhythm, Family::Goal("purchase_7d".into())].map(|f| of(&f));
    assert_eq!((families, all.len()), ([5, 10, 8, 10], 37));
    for one in &all {
        assert!(compile(&one.expression, circumstances, None, &|_| None).is_ok(), "{}", one.id);
        assert!(!one.description.is_empty() && one.id.starts_with("ready:"), "{}", one.id);
    }
}

fn members(report: &Value) -> BTreeMap<&str, u64> {
    let all = report["ready_made"].as_array().unwrap().iter();
    all.map(|one| (one["segment"].as_str().unwrap(), one["members"].as_u64().unwrap())).collect()
}

#[test]
fn those_of_a_family_divide_people_among_them() {
    let sample = Sample::new();
    let report = sample.json(&["ready-made"]);
    let members = members(&report);
    let sum = |ids: &[&str]| ids.iter().map(|id| members[format!("ready:{id}").as_str()]).sum::<u64>();
    assert_eq!(sum(&["new", "active", "returned", "cooling", "dormant"]), 865);
    assert_eq!(sum(&["can-be-pushed", "never-asked", "said-no"]), 865);
    let buyers = sample.json(&["count", "--where", "last_purchase is known"])["members"].as_u64().unwrap();
    let grid = ["champions", "loyal", "potential-loyalists", "recent-buyers", "promising", "need-attention"];
    let rest = ["about-to-sleep", "at-risk", "cannot-lose", "hibernating"];
    assert_eq!(sum(&grid) + sum(&rest), buyers);
    assert!(sum(&["champions"]) > 0 && sum(&["hibernating"]) > 0);
    assert_eq!(report["goals_without_model"], serde_json::json!(["churn_30d", "purchase_7d"]));
}

#[test]
fn one_is_counted_shown_compared_and_named_like_a_saved_segment() {
    let sample = Sample::new();
    let cooling = sample.json(&["count", "--segment", "ready:cooling"]);
    let by_text = sample.json(&["count", "--where", "lifecycle = \"cooling\""]);
    assert_eq!(cooling["members"], by_text["members"]);
    let named =
        sample.json(&["count", "--where", "in_segment(\"ready:cooling\") and not in_segment(\"ready:new\")"]);
    assert_eq!(named["members"], by_text["members"]);
    sample.save("quiet-champions", "in_segment(\"ready:champions\")");
    let overlap = sample.json(&["overlap", "quiet-champions", "ready:champions"]);
    assert_eq!(overlap["pairs"][0]["jaccard"], 1.0);
    assert_eq!(sample.json(&["show", "ready:cooling"])["where"], "lifecycle = \"cooling\"");
    let listed = sample.json(&["list"]);
    assert_eq!(listed["segments"].as_array().unwrap().len(), 1);
}

#[test]
fn who_came_and_went_is_told_of_them_too() {
    let sample = Sample::new();
    let count = |as_of: &[&str]| sample.json(&[&["count", "--segment", "ready:dormant"], as_of].concat());
    assert!(count(&[])["change"].is_null());
    assert!(sample.path("data/segments/_ready-dormant/evaluations").is_dir());
    assert_eq!(sample.json(&["list"])["segments"].as_array().unwrap().len(), 0);
}

#[test]
fn one_is_neither_saved_nor_deleted_and_a_near_name_is_offered() {
    let sample = Sample::new();
    assert!(sample.refused(&["save", "ready:mine", "--where", "everybody"]).contains("ready_made: "));
    assert!(sample.refused(&["delete", "ready:cooling"]).contains("ready_made: "));
    let text = sample.refused(&["count", "--segment", "ready:coolin"]);
    assert!(text.contains("unknown_segment") && text.contains("ready:cooling"), "{text}");
}

#[test]
fn a_marketer_cannot_take_a_small_stage_off_the_total() {
    let report = Sample::new().json(&["ready-made", "--for", "marketer"]);
    let hidden: Vec<&str> = report["ready_made"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["family"] == "stages of life" && one["members"].is_null())
        .map(|one| one["segment"].as_str().unwrap())
        .collect();
    assert!(hidden.len() >= 2 && hidden.contains(&"ready:new"), "{hidden:?}");
}
