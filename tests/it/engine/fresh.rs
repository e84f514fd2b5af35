//! A content that nobody has touched is sent as its category would be, to each user in their own hour.

use std::fmt::Write;

use smartpush::config::Config;
use smartpush::domain::decision::{Action, Decision};
use smartpush::domain::time::Instant;
use smartpush::engine::replay::replay;
use smartpush::engine::{DecisionQuestion, Engine};
use smartpush::files::workspace::Workspace;

use crate::support::world::take;

const USERS: usize = 60;
const NOW: &str = "2026-03-01T00:00:00Z";

/// The hour in which a user reads.
fn best_hour(user: usize) -> usize {
    8 + user % 14
}

/// Everybody reads news each day in their hour, and sport every tenth day; `news-new` and `sport-new` are out since today.
fn town() -> tempfile::TempDir {
    let mut events = "message_id,user_id,event,content_id,timestamp\n".to_string();
    let mut users = "user_id,time_zone,consent\n".to_string();
    for user in 0..USERS {
        writeln!(users, "user-{user},UTC,granted").unwrap();
        for day in 1..=28 {
            let hour = best_hour(user);
            let mut view = |kind: &str, content: usize, hour: usize, minute: usize| {
                let id = format!("{kind}-{user}-{day}-{hour}-{minute}");
                let at = format!("2026-02-{day:02}T{hour:02}:{minute:02}:00Z");
                writeln!(events, "{id},user-{user},view,{kind}-{content},{at}").unwrap();
            };
            view("news", (user + day) % 5, hour, 10);
            if (user + day) % 4 == 0 {
                view("news", day % 5, (user * 7 + day * 5) % 24, 20);
            }
            if (user + day) % 10 == 0 {
                view("sport", day % 5, hour, 30);
            }
        }
    }
    let mut contents = String::new();
    for kind in ["news", "sport"] {
        for name in ["0", "1", "2", "3", "4", "new"] {
            writeln!(contents, r#"{{"content_id":"{kind}-{name}","category":"{kind}","title":"{kind}"}}"#)
                .unwrap();
        }
    }
    let directory = tempfile::tempdir().unwrap();
    take(directory.path(), "users", "users.csv", &users);
    take(directory.path(), "contents", "contents.jsonl", &contents);
    take(directory.path(), "events", "events.csv", &events);
    directory
}

fn decide(engine: &Engine, user: usize, content_id: &str) -> Decision {
    let question = DecisionQuestion {
        user_id: format!("user-{user}"),
        content_ids: Some(vec![content_id.to_string()]),
        horizon_hours: Some(24),
        ..DecisionQuestion::default()
    };
    let answer = engine.decide(&question, None, Instant::parse_rfc3339(NOW).unwrap()).unwrap();
    serde_json::from_str(&answer.text).unwrap()
}

#[test]
fn fresh_contents_get_the_hour_and_the_rate_of_their_category() {
    let directory = town();
    let workspace = || Workspace::open(directory.path()).unwrap();
    let now = Instant::parse_rfc3339(NOW).unwrap();
    let engine = Engine::open(workspace(), Config::defaults(), now, true, [7; 32]).unwrap();
    let (mut near, mut sent) = (0, 0);
    let (mut news, mut sport) = (0.0, 0.0);
    let mut last = String::new();
    for user in 0..USERS {
        let decision = decide(&engine, user, "news-new");
        assert_eq!(decision.action, Action::Send, "{decision:?}");
        let hour: usize = decision.send_at_local.as_ref().unwrap()[11..13].parse().unwrap();
        (sent, near) = (sent + 1, near + usize::from(hour.abs_diff(best_hour(user)) <= 1));
        assert!(
            decision.reasons.iter().any(|reason| reason.rule == "is_tried_out"),
            "{:?}",
            decision.reasons
        );
        let prior = decision.candidates[0].prior.as_ref().unwrap();
        assert_eq!((prior.category.as_deref(), prior.contents), (Some("news"), 5));
        assert!(prior.low < prior.high, "{prior:?}");
        news += decision.candidates[0].response_probability;
        sport += decide(&engine, user, "sport-new").candidates[0].response_probability;
        last = decision.decision_id;
    }
    engine.close();
    assert!(f64::from(near as u32) >= 0.94 * f64::from(sent), "{near} of {sent} within an hour of the best");
    assert!(news > 1.5 * sport, "each is taken for its own category: {news} {sport}");
    let again = replay(&workspace(), &last).unwrap();
    assert!(again.identical, "{:?}", again.differences);
}
