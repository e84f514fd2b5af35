//! Marketing is quiet from 22:00 to 08:00 under the shipped settings, unless the user, the campaign or the settings say
//! otherwise.

use smartpush::config::Config;
use smartpush::domain::decision::{Action, Decision};
use smartpush::domain::time::{HOUR, Instant};
use smartpush::engine::{DecisionQuestion, Engine};
use smartpush::files::workspace::Workspace;
use tempfile::TempDir;

use crate::support::world::{NOW, take, workspace_without_campaigns};

const PARCEL: &str = r#"{"content_id":"parcel","title":"Your parcel","message_class":"service"}"#;

/// One without quiet hours, one with hours of its own, and one that states that it has none.
const CAMPAIGNS: &str = r#"{"campaign_id":"plain","status":"running"}
{"campaign_id":"own","status":"running","quiet_from":"02:00","quiet_until":"05:00"}
{"campaign_id":"without","status":"running","quiet_from":"00:00","quiet_until":"00:00"}
"#;

/// Decisions under the shipped settings, with what may be sent worth sending.
struct Night {
    engine: Engine,
    _directory: TempDir,
}

impl Night {
    fn under(quiet_from: &str) -> Night {
        let directory = workspace_without_campaigns();
        take(directory.path(), "contents", "parcel.jsonl", PARCEL);
        take(directory.path(), "campaigns", "campaigns.jsonl", CAMPAIGNS);
        let mut config = Config::defaults();
        config.decisions.goal_value = 1_000.0;
        config.decisions.quiet_from = quiet_from.into();
        let workspace = Workspace::open(directory.path()).unwrap();
        let now = Instant::parse_rfc3339(NOW).unwrap();
        Night { engine: Engine::open(workspace, config, now, true, [7; 32]).unwrap(), _directory: directory }
    }

    /// Asks so many hours after noon in New York.
    fn ask(&self, hours: i64, question: &DecisionQuestion) -> Decision {
        let now = Instant::parse_rfc3339(NOW).unwrap().plus(hours * HOUR);
        serde_json::from_str(&self.engine.decide(question, None, now).unwrap().text).unwrap()
    }

    /// What is decided for one user at eleven in the evening, when only the hour that begins may be chosen.
    fn at_eleven(&self, user_id: &str, campaign_id: &str, content_id: &str) -> Decision {
        let question = DecisionQuestion {
            user_id: user_id.into(),
            campaign_id: Some(campaign_id.into()),
            content_ids: Some(vec![content_id.into()]),
            horizon_hours: Some(1),
            ..DecisionQuestion::default()
        };
        self.ask(11, &question)
    }
}

#[test]
fn no_marketing_is_sent_from_ten_in_the_evening_until_eight_in_the_morning() {
    let night = Night::under("22:00");
    let mut sends = 0;
    for hours in 0..24 {
        for user_id in ["morning", "evening", "silent"] {
            let (user_id, campaign_id) = (user_id.to_string(), Some("plain".to_string()));
            let content_ids = Some(vec!["news-1".to_string(), "sport-1".to_string()]);
            let question =
                DecisionQuestion { user_id, campaign_id, content_ids, ..DecisionQuestion::default() };
            let Some(local) = night.ask(hours, &question).send_at_local else { continue };
            sends += 1;
            let hour: u32 = local[11..13].parse().unwrap();
            assert!((8..22).contains(&hour), "{local}");
        }
    }
    assert_eq!(sends, 72, "a day ahead always has an hour by day");
}

#[test]
fn the_reason_names_the_rule_and_that_the_hours_are_the_default() {
    let decision = Night::under("22:00").at_eleven("evening", "plain", "news-1");
    assert_eq!(decision.action, Action::Hold);
    let reason = &decision.reasons[0];
    assert_eq!(reason.rule, "outside_quiet_hours");
    assert!(reason.message.contains("default quiet hours (22:00–08:00"), "{}", reason.message);
    assert_eq!(decision.retry_at, Instant::parse_rfc3339("2026-03-02T13:00:00Z"), "08:00 in New York");
}

#[test]
fn a_campaign_with_hours_of_its_own_or_none_and_service_messages_may_be_sent_at_night() {
    let night = Night::under("22:00");
    for (campaign_id, content_id) in [("own", "news-1"), ("without", "news-1"), ("plain", "parcel")] {
        let decision = night.at_eleven("evening", campaign_id, content_id);
        assert_eq!(decision.action, Action::Send, "{campaign_id} {content_id}: {:?}", decision.reasons);
    }
}

#[test]
fn the_word_none_switches_the_default_off() {
    assert_eq!(Night::under("none").at_eleven("evening", "plain", "news-1").action, Action::Send);
}
