//! Campaigns for segments: planned for their members alone, on record with the version, refused when nobody can tell who they are.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use smartpush::files::tables::read_parquet;
use tempfile::TempDir;

use crate::support::server::Server;
use crate::support::world::{NOW, take, workspace};
use crate::support::{smartpush, stdout_of};

const CAMPAIGNS: &str = r#"{"campaign_id":"spring","status":"running","contents":["sport-1","news-1"],"priority":2,"audience":"readers"}
{"campaign_id":"digest","status":"running","contents":["news-1","fresh-1"]}
{"campaign_id":"all-of-them","status":"running","contents":["fresh-1"],"audience":"all"}
"#;

/// The made-up workspace with profiles as of the tests' clock, and a segment of the two who read the news daily.
fn town() -> TempDir {
    let town = workspace();
    stdout_of(&smartpush(town.path(), &["profile", "--as-of", NOW]));
    save(town.path(), "readers", "interest(\"news\") > 0.5 and personalisation");
    take(town.path(), "campaigns", "more.jsonl", CAMPAIGNS);
    town
}

fn save(town: &Path, id: &str, text: &str) -> Value {
    let told = smartpush(town, &["segment", "save", id, "--where", text, "--json"]);
    serde_json::from_str(&stdout_of(&told)).unwrap()
}

fn plan(town: &Path, arguments: &[&str]) -> std::process::Output {
    smartpush(town, &[&["plan", "--as-of", NOW, "--json"], arguments].concat())
}

fn report(town: &Path, arguments: &[&str]) -> Value {
    serde_json::from_str(&stdout_of(&plan(town, arguments))).unwrap()
}

#[test]
fn a_plan_reaches_members_alone_and_freezes_them_with_the_segments_version() {
    let town = town();
    let version =
        save(town.path(), "readers", "interest(\"news\") > 0.5 and personalisation")["version"].clone();
    let file = town.path().join("handoff.jsonl").display().to_string();
    let told = report(town.path(), &["--campaigns", "spring,digest,all-of-them", "--out", &file]);
    let campaigns = told["campaigns"].as_array().unwrap();
    assert_eq!(campaigns[0]["members"], 2, "{told:#}");
    assert_eq!(
        campaigns[0]["segment"],
        json!({"segment_id": "readers", "version": version, "profiles_as_of": NOW})
    );
    assert_eq!((&campaigns[1]["members"], &campaigns[1]["segment"]), (&json!(8), &json!(null)));
    assert_eq!((&campaigns[2]["members"], &campaigns[2]["segment"]), (&json!(8), &json!(null)));
    assert_eq!(told["decisions"], 18);
    let kept = town.path().join("data/plans").join(told["plan_id"].as_str().unwrap());
    let frame = read_parquet(&kept.join("audience.parquet"), None).unwrap();
    let text = |name: &str| frame.column(name).unwrap().str().unwrap().clone();
    let (campaign, user, segment, versions) =
        (text("campaign_id"), text("user_id"), text("segment_id"), text("segment_version"));
    let rows = (0..frame.height()).filter(|row| campaign.get(*row) == Some("spring"));
    let members: Vec<_> = rows.map(|row| (user.get(row), segment.get(row), versions.get(row))).collect();
    let frozen = |user| (Some(user), Some("readers"), version.as_str());
    assert_eq!(members, ["evening", "morning"].map(frozen));
    assert_eq!(segment.null_count(), 16);
    for line in fs::read_to_string(&file).unwrap().lines() {
        let row: Value = serde_json::from_str(line).unwrap();
        assert!(
            row["campaign_id"] != "spring" || row["user_id"] == "morning" || row["user_id"] == "evening",
            "{row}"
        );
        let again =
            stdout_of(&smartpush(town.path(), &["replay", row["decision_id"].as_str().unwrap(), "--json"]));
        assert_eq!(serde_json::from_str::<Value>(&again).unwrap()["identical"], true);
    }
    let plan_json: Value =
        serde_json::from_str(&fs::read_to_string(kept.join("plan.json")).unwrap()).unwrap();
    assert_eq!(plan_json["campaigns"][0]["segment"]["version"], version);
    save(town.path(), "readers", "interest(\"news\") > 0.9");
    let other = report(town.path(), &["--campaigns", "spring,digest,all-of-them"]);
    assert_ne!(other["plan_id"], told["plan_id"], "another version is another plan");
}

#[test]
fn a_campaign_whose_segment_nobody_can_tell_is_not_planned() {
    let town = town();
    let refused = |text: &str| {
        let output = plan(town.path(), &["--campaigns", "spring,digest"]);
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "the other campaign is planned: {told}");
        assert!(
            told.contains("campaign \"spring\" is skipped: unknown_audience: campaign \"spring\" is for segment \"readers\": "),
            "{told}"
        );
        assert!(told.contains(text), "{told}");
    };
    save(town.path(), "readers", "propensity(\"purchase_7d\") > 0.5");
    refused("no_model: goal purchase_7d has no model");
    stdout_of(&smartpush(town.path(), &["segment", "delete", "readers"]));
    refused("deleted_segment: segment \"readers\" was deleted");
    fs::remove_dir_all(town.path().join("data/segments/readers")).unwrap();
    refused("unknown_segment: there is no segment \"readers\"");
    assert!(!town.path().join("data/plans").exists());
}

#[test]
fn without_profiles_of_its_past_a_plan_has_no_members() {
    let town = town();
    let output = smartpush(town.path(), &["plan", "--as-of", "2026-02-01", "--campaigns", "spring"]);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("no_profiles: "), "{told}");
}

#[test]
fn a_decision_asks_whether_its_user_is_in_the_audience() {
    let town = town();
    let server = Server::start_with(town.path(), &["--now", NOW], &[("SERVE__REFRESH_SECONDS", "1")]);
    let ask = |user: &str, campaign: Option<&str>| {
        let mut question = json!({ "user_id": user });
        campaign.into_iter().for_each(|id| question["campaign_id"] = json!(id));
        let reply = server.ask(&question);
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()
    };
    let rules = |decision: &Value| -> BTreeSet<String> {
        let reasons = decision["reasons"].as_array().unwrap().iter();
        reasons.map(|reason| reason["rule"].as_str().unwrap().to_string()).collect()
    };
    let mut ids = Vec::new();
    let member = ask("morning", Some("spring"));
    assert_eq!((&member["action"], &member["campaign_id"]), (&json!("send"), &json!("spring")), "{member:#}");
    let other = ask("plain", Some("spring"));
    assert_eq!(other["action"], "no_send");
    assert!(rules(&other).contains("in_audience"), "{other:#}");
    assert_eq!(
        other["reasons"][0]["message"],
        "plain is not in segment readers, which campaign spring is for."
    );
    assert_eq!(ask("morning", None)["campaign_id"], "spring", "the weightiest that is for him");
    assert_ne!(ask("plain", None)["campaign_id"], "spring", "campaigns for others do not compete");
    ids.extend([&member, &other].map(|decision| decision["decision_id"].as_str().unwrap().to_string()));

    stdout_of(&smartpush(town.path(), &["segment", "delete", "readers"]));
    server.wait_until(|_| rules(&ask("morning", Some("spring"))).contains("audience_is_known"));
    let gone = ask("morning", Some("spring"));
    assert_eq!(gone["action"], "no_send");
    assert!(gone["reasons"][0]["message"].as_str().unwrap().contains("deleted_segment"), "{gone:#}");
    ids.push(gone["decision_id"].as_str().unwrap().to_string());
    save(town.path(), "readers", "user_id = \"plain\"");
    server.wait_until(|_| ask("plain", Some("spring"))["action"] == "send");
    assert!(rules(&ask("morning", Some("spring"))).contains("in_audience"));
    assert!(server.stop().success());
    for id in ids {
        let again = stdout_of(&smartpush(town.path(), &["replay", &id, "--json"]));
        assert_eq!(serde_json::from_str::<Value>(&again).unwrap()["identical"], true, "{again}");
    }
}

#[test]
fn what_is_logged_of_an_audience_is_the_version_and_the_answer() {
    use smartpush::decisions::context::{Audience, DecisionContext, Membership};
    let mut context = crate::support::decision_world::context("2026-06-10T16:00:00Z");
    let before = serde_json::to_value(&context).unwrap();
    assert!(
        before.get("audience").is_none(),
        "a campaign for everybody is logged as before there were audiences"
    );
    assert_eq!(serde_json::from_value::<DecisionContext>(before).unwrap(), context);
    let (segment_id, version) = ("buyers".to_string(), Some("0123456789ab".to_string()));
    context.audience = Some(Audience { segment_id, version, membership: Membership::Other });
    let logged = serde_json::to_value(&context).unwrap();
    assert_eq!(
        logged["audience"],
        json!({"segment_id": "buyers", "version": "0123456789ab", "membership": "other"})
    );
}
