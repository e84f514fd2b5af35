//! Whom a marketer is told that a push reaches, and whom the engine refuses: the same people, user by user.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use smartpush::config::Config;
use smartpush::decisions::reach::rule_names;
use smartpush::domain::decision::Decision;
use smartpush::domain::time::{DAY, HOUR, Instant, MINUTE};
use smartpush::domain::user::{Consent, User};
use smartpush::domain::zone::Zone;
use smartpush::engine::{DecisionQuestion, Engine};
use smartpush::files::workspace::Workspace;
use smartpush::segments::language::keys::Needs;
use smartpush::segments::people::People;
use smartpush::segments::people::reach::{self, Reach};
use tempfile::TempDir;

use crate::support::decision_world::Random;
use crate::support::world::take;
use crate::support::{root, smartpush, stdout_of};

/// The last event of all; reach is as of the microsecond behind it.
const NEWEST: &str = "2018-01-01T03:50:00Z";

/// Moments of pushes before the newest event, none of which stops counting within an hour of it.
const AGES: [i64; 7] = [10 * MINUTE, 3 * HOUR, 20 * HOUR, 30 * HOUR, 5 * DAY, 9 * DAY, 29 * DAY];

/// Caps of every kind, and a holdout; quiet hours pass within the day and are not asked about.
const SETTINGS: &str = r#"[decisions]
quiet_from = "none"
holdout_percent = 10.0
minimum_gap_minutes = 120
frequency_rules = [
  { most = 3, hours = 168 },
  { most = 2, calendar_days = 2, channel = "push" },
  { most = 1, hours = 24, campaign_tag = "promo" },
]
"#;

/// A made-up user as a line of JSON; many of them cannot be reached.
fn user(random: &mut Random, number: u64) -> String {
    let mut fields = vec![format!("\"user_id\":\"crowd-{number:03}\"")];
    let mut field = |name: &str, value: Option<&str>| {
        fields.extend(value.map(|value| format!("\"{name}\":{value}")));
    };
    field("consent", random.of(&[None, Some("\"denied\""), Some("\"granted\""), Some("\"granted\"")]));
    let zones = ["\"America/New_York\"", "\"Asia/Kathmandu\"", "\"Pacific/Kiritimati\""].map(Some);
    field("time_zone", random.of(&[zones[0], zones[1], zones[2], None]));
    field("max_per_day", random.of(&[None, None, Some("0"), Some("1"), Some("3")]));
    let devices = [
        None,
        None,
        Some(r#"[{"device_id":"d","channel":"push"}]"#),
        Some(r#"[{"device_id":"d","channel":"push","vendor":"huawei"}]"#),
        Some(r#"[{"device_id":"d","channel":"push","active":false}]"#),
        Some(r#"[{"device_id":"d","channel":"email"}]"#),
    ];
    field("devices", random.of(&devices));
    // One end alone says that there are quiet hours, but not which.
    field("quiet_from", random.maybe(6, |_| "\"22:00\""));
    format!("{{{}}}\n", fields.join(","))
}

/// Pushes to the made-up users, to some of the sample's and to strangers whom nobody declared.
fn pushes(random: &mut Random) -> String {
    let newest = Instant::parse_rfc3339(NEWEST).unwrap();
    let mut text = "user_id,event,timestamp,time_zone,content_id,channel\n".to_string();
    let made_up = (0..400).map(|number| format!("crowd-{number:03}"));
    let strangers = (0..20).map(|number| format!("stranger-{number}"));
    let sampled = ["1003", "1008", "1012", "1014", "1020"].map(String::from);
    for user_id in made_up.chain(strangers).chain(sampled) {
        for _ in 0..random.below(4) {
            let at = newest.plus(-random.of(&AGES));
            let zone = random.of(&["", "", "Europe/Paris"]);
            let (content, channel) = (random.of(&["plain", "notice"]), random.of(&["", "push", "sms"]));
            writeln!(text, "{user_id},push_sent,{at},{zone},{content},{channel}").unwrap();
        }
    }
    writeln!(text, "stranger-0,view,{NEWEST},,plain,").unwrap();
    text
}

/// The sample, and a made-up crowd beside it, with profiles.
fn town(settings: &str) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("smartpush.toml"), settings).unwrap();
    for (kind, name) in
        [("users", "users.csv"), ("contents", "contents.jsonl"), ("events", "purchases.parquet")]
    {
        let file = root().join("data/sample").join(name).display().to_string();
        stdout_of(&smartpush(directory.path(), &["ingest", "--kind", kind, &file]));
    }
    let random = &mut Random(15);
    let users: String = (0..400).map(|number| user(random, number)).collect();
    take(directory.path(), "users", "crowd.jsonl", &users);
    let contents = "{\"content_id\":\"plain\",\"title\":\"Hello\"}\n\
                    {\"content_id\":\"notice\",\"title\":\"Hello\",\"message_class\":\"service\"}\n";
    take(directory.path(), "contents", "contents.jsonl", contents);
    take(directory.path(), "events", "pushes.csv", &pushes(random));
    stdout_of(&smartpush(directory.path(), &["profile"]));
    directory
}

/// What each person is counted as.
fn counted(directory: &Path, config: &Config) -> (Instant, BTreeMap<String, Reach>) {
    let workspace = Workspace::open(directory).unwrap();
    let zone = Zone::find(&config.default_time_zone).unwrap();
    let people = People::read(&workspace, None, &Needs { keys: reach::needed() }, &zone).unwrap();
    let reach = reach::reach(&people, &workspace, config).unwrap();
    let ids = people.ids().iter().map(|id| id.unwrap().to_string());
    (people.as_of(), ids.zip(reach).collect())
}

/// The first rule about the user by which the engine refuses them the plain content within the next hour.
fn refused_by(engine: &Engine, user_id: &str, now: Instant) -> Option<String> {
    let question = DecisionQuestion {
        user_id: user_id.into(),
        content_ids: Some(vec!["plain".into()]),
        horizon_hours: Some(1),
        ..DecisionQuestion::default()
    };
    let answer = engine.decide(&question, None, now).unwrap();
    let decision: Decision = serde_json::from_str(&answer.text).unwrap();
    let rules = decision.reasons.into_iter().map(|reason| reason.rule);
    rules.into_iter().find(|rule| rule_names().any(|name| name == rule))
}

/// A label's rule, but that one rule has two labels and many rules one.
fn is_of(rule: Option<&str>, reach: Reach) -> bool {
    let users = [Consent::Denied, Consent::Unknown].map(|consent| User { consent, ..User::default() });
    users.iter().any(|user| Reach::of_rule(rule, user) == reach)
}

fn assert_the_same_people(settings: &str) -> BTreeMap<Reach, usize> {
    let town = town(settings);
    let config = Config::load(town.path(), None, &[]).unwrap();
    let (now, reach) = counted(town.path(), &config);
    assert_eq!(now.micros(), Instant::parse_rfc3339(NEWEST).unwrap().micros() + 1);
    let engine = Engine::open(Workspace::open(town.path()).unwrap(), config, now, true, [7; 32]).unwrap();
    let (mut wrong, mut labels) = (Vec::new(), BTreeMap::new());
    for (user_id, reach) in &reach {
        let rule = refused_by(&engine, user_id, now);
        if !is_of(rule.as_deref(), *reach) {
            wrong.push(format!("{user_id} is counted as {}, decide says {rule:?}", reach.as_str()));
        }
        *labels.entry(*reach).or_insert(0) += 1;
    }
    engine.close();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), reach.len(), wrong.join("\n"));
    assert!(reach.len() > 1_200, "the sample and the crowd: {}", reach.len());
    labels
}

#[test]
fn people_are_counted_as_reachable_exactly_when_no_rule_about_them_refuses_a_decision() {
    let labels = assert_the_same_people(SETTINGS);
    for label in [
        Reach::Reachable,
        Reach::OptedOut,
        Reach::UnknownConsent,
        Reach::UnreadablePreferences,
        Reach::UnknownZone,
        Reach::Holdout,
        Reach::NoDevice,
        Reach::Capped,
    ] {
        assert!(labels.get(&label).is_some_and(|count| *count >= 5), "{label:?}: {labels:?}");
    }
}

#[test]
fn a_default_zone_counts_only_when_somebody_has_set_it() {
    let allowed = format!("{SETTINGS}consent_when_unknown = \"allow\"\n");
    let unset = assert_the_same_people(&allowed);
    let set = assert_the_same_people(&format!("default_time_zone = \"Asia/Tokyo\"\n{allowed}"));
    assert!(unset[&Reach::UnknownZone] > 5, "{unset:?}");
    assert_eq!((set.get(&Reach::UnknownZone), set.get(&Reach::UnknownConsent)), (None, None), "{set:?}");
}

#[test]
fn a_channel_that_is_not_set_up_reaches_nobody() {
    let labels = assert_the_same_people("[decisions]\nchannel = \"fax\"\nquiet_from = \"none\"\n");
    assert_eq!((labels.get(&Reach::Reachable), labels.get(&Reach::Capped)), (None, None), "{labels:?}");
    assert!(labels[&Reach::NoChannel] > 100, "{labels:?}");
}
