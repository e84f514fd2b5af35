//! A made-up workspace: a few users with known habits, contents with known popularity, campaigns.

use std::fmt::Write;
use std::fs;

use tempfile::TempDir;

pub use crate::support::take;

/// Noon in New York on a Sunday, after all events; where tests set the clock.
pub const NOW: &str = "2026-03-01T17:00:00Z";

/// Users `morning` (07:00) and `evening` (20:00) of New York, active every day of January and February; `plain` has
/// preferences of all kinds; `denied`, `muted`, `off` and `nowhere` are what they are called; `silent` is declared only.
const USERS: &str =
    "user_id,time_zone,consent,quiet_from,quiet_until,max_per_day,muted_categories,personalisation
morning,America/New_York,granted,,,,,
evening,America/New_York,granted,,,,,
plain,Europe/Paris,granted,22:00,08:00,3,,
denied,America/New_York,denied,,,,,
muted,America/New_York,granted,,,,sport;news,
off,America/New_York,granted,,,,,off
nowhere,,granted,,,,,
silent,Asia/Shanghai,granted,,,,,
";

const CONTENTS: &str = r#"{"content_id":"news-1","category":"news","variants":[{"variant_id":"en","locale":"en","title":"News","body":"{{name|you}}"}],"presentation":{"ttl_seconds":3600}}
{"content_id":"sport-1","category":"sport","title":"Goal"}
{"content_id":"old-1","category":"news","title":"Old","expires_at":"2026-02-01T00:00:00Z"}
{"content_id":"fresh-1","category":"music","title":"New"}
"#;

const CAMPAIGNS: &str = r#"{"campaign_id":"spring","status":"running","contents":["sport-1","news-1"],"channels":["push","email"],"priority":2}
{"campaign_id":"later","status":"draft"}
{"campaign_id":"over","status":"ended","window_start":"2026-01-01T00:00:00Z","window_end":"2026-02-01T00:00:00Z"}
"#;

/// A workspace with all of it.
pub fn workspace() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    take(directory.path(), "users", "users.csv", USERS);
    take(directory.path(), "contents", "contents.jsonl", CONTENTS);
    take(directory.path(), "campaigns", "campaigns.jsonl", CAMPAIGNS);
    take(directory.path(), "events", "events.csv", &events());
    directory
}

/// The same without campaigns.
pub fn workspace_without_campaigns() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    take(directory.path(), "users", "users.csv", USERS);
    take(directory.path(), "contents", "contents.jsonl", CONTENTS);
    take(directory.path(), "events", "events.csv", &events());
    directory
}

/// The same with these campaigns, which came before any content, so that they may name contents that nobody declared.
pub fn workspace_of_campaigns(campaigns: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    take(directory.path(), "users", "users.csv", USERS);
    take(directory.path(), "campaigns", "campaigns.jsonl", campaigns);
    take(directory.path(), "contents", "contents.jsonl", CONTENTS);
    take(directory.path(), "events", "events.csv", &events());
    directory
}

/// A workspace that holds nothing at all.
pub fn empty_workspace() -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("data")).unwrap();
    fs::write(directory.path().join("data/workspace.json"), "{\"format\":1}\n").unwrap();
    directory
}

fn events() -> String {
    let mut text = "message_id,user_id,event,content_id,timestamp\n".to_string();
    let mut event = |id: String, user: &str, content: &str, day: &str, time: &str| {
        writeln!(text, "{id},{user},view,{content},{day}T{time}-05:00").unwrap();
    };
    let days = (1..=31)
        .map(|day| format!("2026-01-{day:02}"))
        .chain((1..=28).map(|day| format!("2026-02-{day:02}")));
    for (index, day) in days.enumerate() {
        event(format!("m{index}"), "morning", "news-1", &day, "07:10:00");
        event(format!("e{index}"), "evening", "news-1", &day, "20:15:00");
        event(format!("o{index}"), "off", "old-1", &day, "13:00:00");
        if index % 3 == 0 {
            event(format!("s{index}"), "evening", "sport-1", &day, "20:20:00");
            event(format!("x{index}"), "evening", "events-only", &day, "20:25:00");
        }
    }
    text
}
