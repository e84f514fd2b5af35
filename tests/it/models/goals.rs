//! Goals as people declare them: one of their own works; what cannot be learned or said is refused by name.

use serde_json::{Value, json};
use smartpush::events::request::InputKind;

use super::town::{self, SMALL};
use super::world::World;

#[test]
fn a_goal_of_ones_own_trains_explains_its_examples_and_scores() {
    let settings = "
        [goals.reads_a_lot]
        description = \"views something within three days\"
        events = [\"view\"]
        signals = [\"view\", \"purchase\"]
        unit = \"user_day\"
        window = \"72h\"
        population = \"active_10d\"
        value = 2.5
        [training]
        most_moments = 10
        [evaluation]
        bootstrap_draws = 100";
    let world = SMALL.world(settings);
    assert_eq!(world.config.goals.len(), 5, "four are shipped");
    let trained = world.ok(&["train", "--goal", "reads_a_lot"]);
    assert_eq!(
        (&trained["goal"], &trained["champion"]),
        (&json!("reads_a_lot"), &json!("logistic_regression"))
    );
    for key in ["log_loss", "auc", "ece", "base_rate_log_loss"] {
        assert!(trained["metrics"][key]["value"].is_f64(), "{key}: {trained}");
    }
    let examples = world.table(&["examples", "--goal", "reads_a_lot"]);
    assert_eq!(trained["fitted_on"]["rows"], examples.len());
    let positives = examples.iter().filter(|row| row["label"] == true).count();
    assert_eq!(trained["fitted_on"]["positives"], positives);
    assert!(positives > 50 && positives < examples.len());
    let shown = world.ok(&["models", "show", "--goal", "reads_a_lot"]);
    assert_eq!(shown["model"]["definition"]["value"], 2.5);
    assert_eq!(shown["model"]["definition"]["window"], "3d");
    let scores = world.table(&["score", "--goal", "reads_a_lot"]);
    assert!(scores.len() > 40 && scores.len() <= SMALL.users, "the active ones: {}", scores.len());
    let columns: Vec<&String> = scores[0].keys().collect();
    assert_eq!(columns, ["propensity", "user_id"]);
}

/// Settings of a goal `g`, and words that the refusal must hold.
const BAD_SETTINGS: &[(&str, &[&str])] = &[
    ("window = \"5x\"", &["goals.g.window", "5x", "1h to 366d"]),
    ("window = \"0h\"", &["goals.g.window", "0h"]),
    ("window = \"-1d\"", &["goals.g.window", "-1d"]),
    ("window = \"367d\"", &["goals.g.window", "367d"]),
    ("window = \"99999999999999999999d\"", &["goals.g.window", "99999999999999999999d"]),
    ("window = \"\"", &["goals.g.window"]),
    ("window = \"é\"", &["goals.g.window"]),
    ("window = 7", &["goals.g.window"]),
    ("window = \"campaign\"", &["goals.g.window", "user_campaign"]),
    ("unit = \"decade\"", &["goals.g.unit", "decade"]),
    ("unit = \"user_campaign\"", &["goals.g.population", "targeted"]),
    ("population = \"targeted\"", &["goals.g.population", "user_campaign"]),
    ("population = \"everyone\"", &["goals.g.population", "everyone", "active_30d"]),
    ("population = \"active_0d\"", &["goals.g.population", "active_0d"]),
    ("population = \"active_9999d\"", &["goals.g.population"]),
    ("events = []", &["goals.g.events"]),
    ("events = \"purchase\"", &["goals.g.events"]),
    ("value = nan", &["goals.g.value"]),
    ("value = inf", &["goals.g.value"]),
    ("absent = \"yes\"", &["goals.g.absent"]),
    ("unit = \"user_content\"\nabsent = true", &["goals.g.absent"]),
    ("horizon = 3", &["goals.g", "horizon"]),
];

#[test]
fn what_a_goal_cannot_be_is_refused_with_the_field_named() {
    let world = World::new("");
    for (line, words) in BAD_SETTINGS {
        let sound = [
            ("events", "events = [\"purchase\"]"),
            ("unit", "unit = \"user_day\""),
            ("window", "window = \"7d\""),
            ("population", "population = \"everybody\""),
        ];
        let rest = sound.iter().filter(|(key, _)| !line.starts_with(key)).map(|(_, line)| *line);
        let text = rest.chain([*line]).collect::<Vec<&str>>().join("\n");
        std::fs::write(world.path("smartpush.toml"), format!("[goals.g]\n{text}\n")).unwrap();
        for command in [vec!["config", "check"], vec!["train", "--goal", "g"]] {
            let error = world.refused(&command, "bad_config");
            words.iter().for_each(|word| assert!(error.contains(word), "{line:?}: {error:?} lacks {word:?}"));
        }
    }
}

#[test]
fn a_goals_name_is_fit_for_a_directory() {
    let world = World::new("");
    let long = "g".repeat(65);
    for name in ["../up", "a/b", "Upper", "with space", "", ".", "ä", &long] {
        let goal = "events = [\"own\"]\nunit = \"user_day\"\nwindow = \"7d\"\npopulation = \"everybody\"";
        std::fs::write(world.path("smartpush.toml"), format!("[goals.{name:?}]\n{goal}\n")).unwrap();
        let error = world.refused(&["config", "check"], "bad_config");
        assert!(error.contains("goal's name"), "{name:?}: {error}");
    }
}

#[test]
fn a_goal_that_is_not_declared_is_refused_with_those_that_are() {
    let world = SMALL.world(town::SETTINGS);
    let commands: [&[&str]; 5] = [
        &["train"],
        &["score", "--out", "x.csv"],
        &["examples", "--out", "x.csv"],
        &["recommend", "--out", "x.csv"],
        &["evaluate"],
    ];
    for command in commands {
        let error = world.refused(&[command, &["--goal", "buy_3d"]].concat(), "unknown_goal");
        for word in ["buy_3d", "buy_2d", "churn_30d", "engage_24h", "redeem", "[goals.buy_3d]"] {
            assert!(error.contains(word), "{error:?} lacks {word:?}");
        }
    }
    let error = world.refused(&["recommend", "--goal", "buy_2d", "--out", "x.csv"], "bad_goal");
    assert!(error.contains("user_day") && !world.path("x.csv").exists(), "{error}");
}

/// A settings text with one goal `g`.
fn settings(goal: &str) -> String {
    format!("[goals.g]\n{goal}\n[evaluation]\nbootstrap_draws = 20\n")
}

#[test]
fn a_goal_that_the_data_says_nothing_of_is_refused_with_what_is_missing() {
    let mut world = SMALL.world("");
    let day = |events: &str, window: &str| {
        format!("events = [{events:?}]\nunit = \"user_day\"\nwindow = {window:?}\npopulation = \"everybody\"")
    };
    let targeted =
        "events = [\"redeem\"]\nunit = \"user_campaign\"\nwindow = \"24h\"\npopulation = \"targeted\"";
    let cases: [(String, &[&str], &str, &[&str]); 4] = [
        // The most frequent first.
        (
            day("buys", "2d"),
            &[],
            "unknown_event",
            &["buys", "seen were view, purchase, campaign_targeted, redeem"],
        ),
        (day("purchase", "60d"), &[], "no_mature_rows", &["60d"]),
        (day("purchase", "15d"), &[], "too_few_moments", &["2 moments", "3"]),
        (targeted.into(), &["--as-of", "2024-01-04T00:00:00Z"], "unknown_event", &["redeem"]),
    ];
    for (goal, more, code, words) in cases {
        world.set(&settings(&goal));
        for command in [&["train"][..], &["examples", "--out", "x.csv"]] {
            if code == "too_few_moments" && command[0] == "examples" {
                continue;
            }
            let error = world.refused(&[command, &["--goal", "g"], more].concat(), code);
            assert!(error.contains("goal g"), "{error}");
            words.iter().for_each(|word| assert!(error.contains(word), "{error:?} lacks {word:?}"));
        }
    }
}

#[test]
fn an_audience_that_does_not_exist_is_an_empty_population() {
    let goal =
        "events = [\"redeem\"]\nunit = \"user_campaign\"\nwindow = \"campaign\"\npopulation = \"targeted\"";
    let world = World::new(&settings(goal));
    let redeem = |day: u32| {
        json!({"user_id": "u", "event": "redeem", "campaign_id": "spring",
               "timestamp": format!("2024-03-{day:02}T10:00:00Z")})
    };
    world.take(InputKind::Events, &(1..20).map(redeem).collect::<Vec<Value>>(), None);
    let error = world.refused(&["train", "--goal", "g"], "empty_population");
    assert!(error.contains("campaign_targeted"), "{error}");
    let targeted = json!({"user_id": "u", "event": "campaign_targeted", "campaign_id": "spring",
                          "timestamp": "2024-03-02T10:00:00Z"});
    world.take(InputKind::Events, &[targeted], None);
    let error = world.refused(&["train", "--goal", "g"], "empty_population");
    assert!(error.contains("window_start") && error.contains("ingest --kind campaigns"), "{error}");
    let all = "[training]\nexcluded_users = [\"u\"]\n";
    let own = "events = [\"redeem\"]\nunit = \"user_day\"\nwindow = \"1d\"\npopulation = \"everybody\"";
    std::fs::write(world.path("smartpush.toml"), settings(own) + all).unwrap();
    let error = world.refused(&["train", "--goal", "g"], "empty_population");
    assert!(error.contains("nobody"), "{error}");
}

#[test]
fn a_goal_that_all_or_none_reach_is_one_class() {
    let buys = "events = [\"purchase\"]\nunit = \"user_day\"\nwindow = \"1d\"\npopulation = \"everybody\"";
    let mut world = World::new(&settings(buys));
    let mut events = Vec::new();
    for (day, user) in (1..28).flat_map(|day| (0..6).map(move |user| (day, user))) {
        events.push(json!({"user_id": format!("u{user}"), "event": "purchase",
                           "timestamp": format!("2024-03-{day:02}T1{user}:00:00Z")}));
    }
    events.push(json!({"user_id": "u0", "event": "like", "timestamp": "2024-03-01T09:00:00Z"}));
    world.take(InputKind::Events, &events, None);
    let all = world.refused(&["train", "--goal", "g"], "one_class");
    let none = buys.replace("purchase", "like");
    world.set(&settings(&none));
    let none = world.refused(&["train", "--goal", "g"], "one_class");
    assert!(none.contains(" 0 of "), "{none}");
    for error in [all, none] {
        assert!(error.contains("goal g") && error.contains("examples of the train part"), "{error}");
    }
    assert!(world.registry().versions("g").is_empty(), "nothing was written");
    // Without a name, a goal that cannot be learned stops no other; when none can, that is said.
    let error = world.refused(&["train"], "nothing_to_learn");
    assert!(error.contains("no declared goal"), "{error}");
}
