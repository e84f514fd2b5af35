//! Outcomes by campaign, variant, language, channel, day and hour, with revenue: every section adds up to the whole.

use std::collections::BTreeMap;

use serde_json::Value;
use smartpush::config::Config;
use smartpush::domain::decision::{Action, Decision};
use smartpush::domain::time::MINUTE;

use super::world::{decide, outcomes};
use crate::support::world::{NOW, take, workspace};
use crate::support::{smartpush, stdout_of};

const PRICE: f64 = 12.5;

/// Guests in two zones who were pushed; every third bought something ten minutes later.
fn pushed(workspace: &std::path::Path) -> Vec<Decision> {
    let names: Vec<String> = (0..12).map(|number| format!("guest-{number:02}")).collect();
    let mut users = "user_id,time_zone,locale,consent\n".to_string();
    for (number, name) in names.iter().enumerate() {
        let zone = if number % 2 == 0 { "Europe/Paris" } else { "Asia/Tokyo" };
        users += &format!("{name},{zone},en,granted\n");
    }
    take(workspace, "users", "guests.csv", &users);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let decisions = decide(workspace, &Config::defaults(), NOW, 1, &names);
    let mut events = "message_id,user_id,event,decision_id,timestamp,value\n".to_string();
    for (number, decision) in decisions.iter().enumerate().filter(|(_, one)| one.action == Action::Send) {
        let (id, at) = (&decision.decision_id, decision.send_at.unwrap());
        let user = &decision.user_id;
        events += &format!("guest-s{number},{user},push_sent,{id},{at},\n");
        if number % 3 == 0 {
            events += &format!("guest-b{number},{user},purchase,,{},{PRICE}\n", at.plus(10 * MINUTE));
        }
    }
    take(workspace, "events", "pushes.csv", &events);
    decisions
}

fn section<'a>(told: &'a Value, dimension: &str) -> &'a Vec<Value> {
    told["outcomes"]["by"][dimension].as_array().unwrap()
}

/// Sends by a section's values.
fn sends(told: &Value, dimension: &str) -> BTreeMap<String, u64> {
    let group =
        |one: &Value| (one["value"].as_str().unwrap_or("none").to_string(), one["sends"].as_u64().unwrap());
    section(told, dimension).iter().map(group).collect()
}

#[test]
fn every_section_adds_up_to_the_whole_with_revenue_beside_the_counts() {
    let workspace = workspace();
    let decisions = pushed(workspace.path());
    let told = outcomes(workspace.path(), &[]);
    let sent: Vec<&Decision> = decisions.iter().filter(|one| one.action == Action::Send).collect();
    assert!(sent.len() > 6, "{told}");
    let bought = decisions.iter().enumerate();
    let bought = bought.filter(|(number, one)| one.action == Action::Send && number % 3 == 0).count();
    assert_eq!(told["outcomes"]["revenue"], PRICE * bought as f64, "{told}");
    assert_eq!(told["outcomes"]["purchases"], bought);
    let by = |value: &dyn Fn(&Decision) -> String| {
        let mut counts = BTreeMap::new();
        sent.iter().for_each(|one| *counts.entry(value(one)).or_insert(0_u64) += 1);
        counts
    };
    let local = |one: &Decision| one.send_at_local.clone().unwrap();
    assert_eq!(sends(&told, "day"), by(&|one| local(one)[..10].to_string()));
    assert_eq!(sends(&told, "hour"), by(&|one| local(one)[11..13].to_string()));
    assert_eq!(sends(&told, "channel"), by(&|one| one.channel.clone().unwrap()));
    let variant = |one: &Decision| match (one.content_id.clone().unwrap(), &one.variant_id) {
        (content, Some(variant)) => format!("{content}/{variant}"),
        (content, None) => content,
    };
    assert_eq!(sends(&told, "variant"), by(&variant));
    for dimension in ["campaign", "variant", "language", "channel", "day", "hour"] {
        let sum = |name: &str| -> f64 {
            section(&told, dimension).iter().map(|one| one[name].as_f64().unwrap()).sum()
        };
        assert_eq!(sum("sends") as u64, sent.len() as u64, "{dimension}: {told}");
        assert_eq!(sum("revenue"), PRICE * bought as f64, "{dimension}: {told}");
    }
}

#[test]
fn sections_are_chosen_by_name() {
    let workspace = workspace();
    pushed(workspace.path());
    let told = outcomes(workspace.path(), &["--by", "hour,channel"]);
    let names: Vec<&String> = told["outcomes"]["by"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["channel", "hour"], "{told}");
    let text = stdout_of(&smartpush(workspace.path(), &["outcomes", "--by", "all"]));
    for heading in ["campaign ", "variant ", "language ", "channel ", "day ", "hour ", "revenue", "held out"]
    {
        assert!(text.contains(heading), "{heading:?} is missing:\n{text}");
    }
    let wrong = smartpush(workspace.path(), &["outcomes", "--by", "weather"]);
    assert_eq!(wrong.status.code(), Some(2), "{wrong:?}");
}
