//! The feature list as it was last agreed on: identities, and values on a fixed small population.

use std::collections::BTreeMap;
use std::path::Path;

use domain::time::{DAY, HOUR, Instant};
use profiles::features::FEATURES;
use serde_json::Value;

use super::properties::declared;
use super::world::{Act, at, frame_of, is_same, profiles_of};

const PATH: &str = "tests/data/features.txt";

/// A feature's identity and its values, user by user.
type Agreed = BTreeMap<String, (String, Vec<(String, Value)>)>;

/// Four users with a year of events; multiplication by odd numbers spreads them well enough.
fn population() -> (Instant, Vec<Act>) {
    const NAMES: [&str; 10] = [
        "view",
        "click",
        "purchase",
        "add_to_cart",
        "push_sent",
        "push_displayed",
        "push_opened",
        "push_clicked",
        "push_dismissed",
        "campaign_targeted",
    ];
    let as_of = at("2024-11-05T12:00:00Z");
    let act = |number: i64| {
        let age = (number * number * 977 % 400) * DAY / 2 + number * 7_919 % 24 * HOUR + 1;
        Act {
            message_id: format!("m{number:03}"),
            user_id: format!("user-{}", number % 4),
            name: NAMES[(number * 7 % 10) as usize].to_string(),
            timestamp: as_of.plus(-age),
            date_only: number % 17 == 0,
            zone: (number % 9 == 0).then(|| "Europe/Paris".to_string()),
            content_id: (number % 3 != 0).then(|| format!("content-{:02}", number * 11 % 30)),
            session_id: (number % 5 != 0).then(|| format!("session-{}", number % 13)),
            value: (number % 2 == 0).then_some(number as f64 / 4.0),
        }
    };
    (as_of, (0..400).map(act).collect())
}

fn present() -> Agreed {
    let (as_of, acts) = population();
    let profiles = profiles_of(&frame_of(&[acts], &declared().0, as_of));
    let values =
        |name: &str| profiles.iter().map(|(user, profile)| (user.clone(), profile[name].clone())).collect();
    FEATURES
        .iter()
        .map(|feature| (feature.name.to_string(), (feature.identity(), values(feature.name))))
        .collect()
}

fn to_text(agreed: &Agreed) -> String {
    let mut text = String::from(
        "# Every feature's identity, and its values on a fixed small population (tests/it/profiles/golden.rs).\n\
         # After a change that is meant: UPDATE_GOLDEN=1 cargo test --release golden\n",
    );
    for (name, (identity, values)) in agreed {
        text += &format!("\n{name} = {identity}\n");
        for (user, value) in values {
            text += &format!("  {user} {value}\n");
        }
    }
    text
}

fn parse(text: &str) -> Agreed {
    let mut agreed = Agreed::new();
    let mut name = String::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some((user, value)) = line.strip_prefix("  ").and_then(|line| line.split_once(' ')) {
            let value = serde_json::from_str(value).expect("the golden file holds JSON values");
            agreed.entry(name.clone()).or_default().1.push((user.to_string(), value));
        } else if let Some((feature, identity)) = line.split_once(" = ") {
            name = feature.to_string();
            agreed.entry(name.clone()).or_default().0 = identity.to_string();
        }
    }
    agreed
}

/// What stands between two states of the feature list, for people.
fn failures(agreed: &Agreed, present: &Agreed) -> Vec<String> {
    let mut failures = Vec::new();
    for (name, (identity, values)) in present {
        match agreed.get(name) {
            None => failures.push(format!("{name} is new: write it down with UPDATE_GOLDEN=1")),
            Some((before, _)) if before != identity => failures.push(format!(
                "{name} is now `{identity}`, was `{before}`: if that is meant, raise its revision and run with UPDATE_GOLDEN=1"
            )),
            Some((_, before)) => {
                let is_equal = before.len() == values.len()
                    && before.iter().zip(values).all(|(old, new)| old.0 == new.0 && is_same(&old.1, &new.1));
                if !is_equal {
                    failures.push(format!(
                        "{name} has other values under the same identity `{identity}`: its meaning changed, so raise \
                         its revision in src/profiles/features.rs and run with UPDATE_GOLDEN=1"
                    ));
                }
            }
        }
    }
    let gone = agreed.keys().filter(|name| !present.contains_key(*name));
    failures.extend(gone.map(|name| format!("{name} is gone: run with UPDATE_GOLDEN=1 if that is meant")));
    failures
}

#[test]
fn golden_features_mean_what_they_meant() {
    let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).join(PATH);
    let present = present();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, to_text(&present)).expect("the golden file can be written");
    }
    let agreed = parse(&std::fs::read_to_string(&path).expect("the golden file can be read"));
    let failures = failures(&agreed, &present);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn golden_values_under_an_old_revision_ask_for_a_new_one() {
    let present = present();
    let mut agreed = present.clone();
    agreed.get_mut("views_30d").expect("a feature").1[0].1 = Value::from(-1);
    let failures = failures(&agreed, &present);
    assert_eq!(failures.len(), 1, "{failures:?}");
    assert!(
        failures[0].starts_with("views_30d ") && failures[0].contains("raise its revision"),
        "{failures:?}"
    );
}

#[test]
fn golden_list_is_read_as_it_was_written() {
    let present = present();
    assert!(failures(&parse(&to_text(&present)), &present).is_empty());
}
