//! The best hour for a user: refused by the rules of decisions, under their names and in their order.

use smartpush::config::Config;
use smartpush::domain::time::Instant;
use smartpush::engine::{Engine, SendTime};
use smartpush::files::workspace::Workspace;

use crate::support::world::{NOW, take, workspace_without_campaigns};

/// Quiet hours of which one end is missing cannot be read.
const USERS: &str = r#"{"user_id":"torn","time_zone":"America/New_York","quiet_from":"22:00"}
{"user_id":"torn-nowhere","quiet_from":"22:00"}
"#;

fn send_time(config: &Config, user_id: &str) -> SendTime {
    let directory = workspace_without_campaigns();
    take(directory.path(), "users", "torn.jsonl", USERS);
    let now = Instant::parse_rfc3339(NOW).unwrap();
    let workspace = Workspace::open(directory.path()).unwrap();
    let engine = Engine::open(workspace, config.clone(), now, true, [7; 32]).unwrap();
    let found = engine.send_time(user_id, now, Some(24));
    engine.close();
    found
}

#[test]
fn a_best_hour_is_refused_by_the_rules_that_would_refuse_every_decision() {
    let plain = Config::defaults();
    let mut half_set = Config::defaults();
    half_set.decisions.quiet_until = String::new();
    let mut zoned = Config::defaults();
    (zoned.default_time_zone, zoned.default_time_zone_is_set) = ("Europe/Paris".into(), true);
    let cases: [(&Config, &str, &[&str]); 6] = [
        (&plain, "morning", &[]),
        (&plain, "nowhere", &["zone_is_known"]),
        (&zoned, "nowhere", &[]),
        (&plain, "torn", &["preferences_are_readable"]),
        (&plain, "torn-nowhere", &["preferences_are_readable", "zone_is_known"]),
        (&half_set, "morning", &["preferences_are_readable"]),
    ];
    for (config, user_id, refused_by) in cases {
        let found = send_time(config, user_id);
        assert_eq!(found.refused_by, refused_by, "{user_id}");
        assert_eq!(found.best.is_some(), refused_by.is_empty(), "{user_id}");
    }
}
