//! Segments as audiences: asked about one person they say what they say of everybody, and what is gone is nobody's audience.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use smartpush::config::Config;
use smartpush::decisions::context::Membership;
use smartpush::domain::time::Instant;
use smartpush::events::lake::Lake;
use smartpush::files::workspace::Workspace;
use smartpush::models::material::Material;
use smartpush::profiles::table::ProfileFile;
use smartpush::segments::answers::audiences::{Audiences, freeze};

use crate::support::sample::Sample;
use crate::support::{smartpush, stdout_of};

/// Segments of all sorts of questions, saved under these ids.
const SEGMENTS: [(&str, &str); 9] = [
    ("frequent", "purchases_30d >= 2 and last_seen < 14d and not opted_out"),
    ("deli", "interest(\"DELI\") > 0.02 and last_seen between 7d and 60d"),
    ("cooling", "lifecycle in (\"cooling\", \"dormant\") or consent is unknown or consent = \"unknown\""),
    ("tenth", "bucket(\"spring\") < 10"),
    ("rich", "rfm_money >= 4 and count(\"purchase\", 90d) > 20"),
    ("evening", "best_hour between 17 and 20"),
    ("strangers", "not locale = \"en-US\" or country is unknown"),
    ("both", "in_segment(\"deli\") and not in_segment(\"tenth\")"),
    ("everyone", "everybody"),
];

fn audiences(workspace: &Workspace, ids: &[&str], now: Instant) -> Audiences {
    let config = Config::defaults();
    let (lake, zone) = (Lake::open(workspace).unwrap(), &config.default_time_zone);
    let material = Material::read(workspace, &lake, zone, now, &|_, _| ()).unwrap();
    let ids: BTreeSet<&str> = ids.iter().copied().collect();
    Audiences::build(workspace, &config, &ids, now, &material)
}

fn newest(workspace: &Workspace) -> Instant {
    ProfileFile::find(workspace, None).unwrap().as_of
}

fn take(workspace: &Path, kind: &str, name: &str, text: &str) {
    let path = workspace.join(name);
    fs::write(&path, text).unwrap();
    stdout_of(&smartpush(workspace, &["ingest", "--kind", kind, path.to_str().unwrap()]));
}

#[test]
fn one_person_is_told_what_everybody_at_once_is_told() {
    let sample = Sample::new();
    for (id, text) in SEGMENTS {
        sample.save(id, text);
    }
    let list = sample.file("friends.csv", "user_id\n1003\n1008\n1012\n");
    sample.json(&["upload", "friends", "--file", &list]);
    let ids: Vec<&str> = SEGMENTS.iter().map(|(id, _)| *id).chain(["friends"]).collect();
    let workspace = Workspace::open(sample.root()).unwrap();
    let now = newest(&workspace);
    let audiences = audiences(&workspace, &ids, now);
    let users: Vec<String> = freeze(&workspace, &Config::defaults(), "everyone", now).unwrap().members;
    assert_eq!(users.len(), 865);
    for id in &ids {
        let frozen = freeze(&workspace, &Config::defaults(), id, now).unwrap();
        let is_member = |user: &&String| {
            let told = audiences.of(id, user);
            assert_eq!(told.version.as_ref(), Some(&frozen.version));
            told.membership == Membership::Member
        };
        let members: Vec<String> = users.iter().filter(is_member).cloned().collect();
        assert_eq!(members, frozen.members, "{id}");
        assert_eq!(frozen.members.len() < 865, *id != "everyone", "{id}: {}", frozen.members.len());
        assert!(!frozen.members.is_empty(), "{id}");
    }
    assert_eq!(audiences.of("everyone", "nobody-knows-him").membership, Membership::Other);
}

#[test]
fn a_segment_that_cannot_be_evaluated_is_nobodys_audience_and_says_why() {
    let sample = Sample::new();
    sample.save("likely", "propensity(\"purchase_7d\") > 0.5");
    sample.save("gone", "everybody");
    sample.save("fine", "everybody");
    sample.run(&["delete", "gone"]);
    let workspace = Workspace::open(sample.root()).unwrap();
    let audiences = audiences(&workspace, &["likely", "gone", "never", "fine"], newest(&workspace));
    for (id, code) in
        [("likely", "no_model: "), ("gone", "deleted_segment: "), ("never", "unknown_segment: ")]
    {
        let told = audiences.of(id, "1003");
        let Membership::Unknown { why } = &told.membership else { panic!("{id}: {told:?}") };
        assert!(why.starts_with(code), "{id}: {why}");
        assert_eq!(told.version.is_some(), id != "never");
    }
    assert_eq!(audiences.of("fine", "1003").membership, Membership::Member);
    assert!(matches!(audiences.of("not asked for", "1003").membership, Membership::Unknown { .. }));
    let before = audiences_before_profiles(&workspace);
    let Membership::Unknown { why } = before.of("fine", "1003").membership else { panic!("{before:?}") };
    assert!(why.starts_with("no_profiles: "), "{why}");
}

/// At a moment before all profiles.
fn audiences_before_profiles(workspace: &Workspace) -> Audiences {
    audiences(workspace, &["fine"], newest(workspace).plus(-1))
}

#[test]
fn who_came_after_the_profiles_is_judged_by_what_he_declared() {
    let sample = Sample::new();
    sample.save("french", "country = \"FR\"");
    sample.save("idle", "purchases_30d = 0");
    sample.save("half", "bucket(\"x\") < 50");
    sample.save("agreed", "consent = \"granted\"");
    let newcomers: Vec<String> = (0..20).map(|number| format!("new-{number}")).collect();
    let rows: Vec<String> = newcomers.iter().map(|id| format!("{id},FR,granted\n")).collect();
    let users = format!("user_id,country,consent\n{}", rows.concat());
    take(sample.root(), "users", "more.csv", &users);
    let workspace = Workspace::open(sample.root()).unwrap();
    let ids = ["french", "idle", "half", "agreed"];
    let members = |audiences: &Audiences, id: &str| -> Vec<&String> {
        let is_member = |user: &&String| audiences.of(id, user).membership == Membership::Member;
        newcomers.iter().filter(is_member).collect()
    };
    let before = audiences(&workspace, &ids, newest(&workspace));
    assert_eq!(members(&before, "agreed").len(), 20, "his word on being pushed needs no profile");
    assert_eq!(members(&before, "french").len() + members(&before, "idle").len(), 0, "only profiles know");
    let half = members(&before, "half");
    assert!((1..20).contains(&half.len()), "{half:?}");
    assert_eq!(before.of("half", "nobody-knows-him").membership, Membership::Other);
    stdout_of(&smartpush(sample.root(), &["profile"]));
    let after = audiences(&workspace, &ids, newest(&workspace));
    assert_eq!([members(&after, "french").len(), members(&after, "idle").len()], [20, 20]);
    assert_eq!(members(&after, "half"), half, "a draw stays");
}
