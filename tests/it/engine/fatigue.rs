//! The setting for how long pushes are felt reaches decisions.

use smartpush::config::Config;
use smartpush::domain::decision::Decision;
use smartpush::domain::time::Instant;
use smartpush::engine::{DecisionQuestion, Engine};
use smartpush::files::workspace::Workspace;

use crate::support::world::{NOW, take, workspace_without_campaigns};

#[test]
fn the_half_life_of_fatigue_in_the_profiles_section_decides_what_a_push_still_costs() {
    let directory = workspace_without_campaigns();
    let push = "user_id,event,timestamp\nmorning,push_sent,2026-02-23T17:00:00Z\n";
    take(directory.path(), "events", "pushes.csv", push);
    let now = Instant::parse_rfc3339(NOW).unwrap();
    let value = |half_life_days: f64| {
        let mut config = Config::defaults();
        config.profiles.fatigue_half_life_days = half_life_days;
        let workspace = Workspace::open(directory.path()).unwrap();
        let engine = Engine::open(workspace, config, now, true, [7; 32]).unwrap();
        let question = DecisionQuestion {
            user_id: "morning".into(),
            horizon_hours: Some(1),
            ..DecisionQuestion::default()
        };
        let answer = engine.decide(&question, None, now).unwrap();
        let decision: Decision = serde_json::from_str(&answer.text).unwrap();
        engine.close();
        decision.candidates[0].value
    };
    // Six days ago: two half-lives of three days, a fifth of thirty; a push that is wholly felt costs 0.001.
    let more = 0.001 * (0.5_f64.powf(6.0 / 30.0) - 0.5_f64.powf(6.0 / 3.0));
    assert!((value(3.0) - value(30.0) - more).abs() < 1e-12);
}
