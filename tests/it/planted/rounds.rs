//! Rounds of pushes of the fresh contents: planned, tapped by planted quality, taken in, and planned again.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::content::Content;
use crate::support::draws::Draws;
use crate::town::Town;
use crate::world::World;

/// Pushes of each round, by content.
pub(crate) type Sends = Vec<BTreeMap<String, usize>>;

/// Plays some days, one plan each; readers tap as is true of them.
pub(crate) fn play(world: &World, town: &Town, rounds: usize, seed: u64) -> Sends {
    let mut draws = Draws::new(seed);
    (0..rounds).map(|round| play_one(world, town, round, &mut draws)).collect()
}

fn play_one(world: &World, town: &Town, round: usize, draws: &mut Draws) -> BTreeMap<String, usize> {
    let as_of = (world.end + SignedDuration::from_hours(24 * round as i64)).to_string();
    town.json(&["profile", "--as-of", &as_of]);
    let mut sends = BTreeMap::new();
    let mut events = String::new();
    for push in town.rows(&["plan", "--as-of", &as_of, "--campaigns", "all-fresh"]) {
        *sends.entry(push["content_id"].as_str().unwrap().to_string()).or_default() += 1;
        let is_tapped = draws.uniform() < probability(world, &push);
        for event in of_push(&push, is_tapped) {
            writeln!(events, "{event}").unwrap();
        }
    }
    let taken = town.take_events(&format!("round-{round}.jsonl"), &events);
    assert_eq!(taken["rejected"], 0, "{taken}");
    sends
}

/// The probability that the reader of a push taps it.
fn probability(world: &World, push: &Value) -> f64 {
    let reader = world.readers.iter().find(|reader| push["user_id"] == reader.user_id.as_str()).unwrap();
    let content = world.contents.iter().find(|one| push["content_id"] == one.content_id.as_str()).unwrap();
    let at = moment(push).to_zoned(TimeZone::get(reader.zone).unwrap());
    let weekend = matches!(at.weekday(), Weekday::Saturday | Weekday::Sunday);
    let hour = usize::try_from(at.hour()).unwrap();
    reader.tap_probability(content.quality, content.category, hour, weekend)
}

fn moment(push: &Value) -> Timestamp {
    push["send_at"].as_str().unwrap().parse().unwrap()
}

/// The push, and the tap and the view that may follow.
fn of_push(push: &Value, is_tapped: bool) -> Vec<Value> {
    let event = |(name, seconds): (&str, i64)| {
        let at = (moment(push) + SignedDuration::from_secs(seconds)).to_string();
        let mut event = json!({ "event": name, "timestamp": at });
        for key in ["user_id", "content_id", "campaign_id", "time_zone"] {
            event[key] = push[key].clone();
        }
        event
    };
    let all = [("push_sent", 0), ("push_clicked", 60), ("view", 65)];
    all.into_iter().take(if is_tapped { 3 } else { 1 }).map(event).collect()
}

/// What the fresh contents are worth and how often each was pushed in some rounds, the best first.
pub(crate) fn by_quality<'a>(world: &'a World, sends: &[BTreeMap<String, usize>]) -> Vec<(&'a Content, f64)> {
    let total = |content: &Content| {
        sends.iter().filter_map(|round| round.get(&content.content_id)).sum::<usize>() as f64
    };
    let fresh = world.contents.iter().filter(|content| content.fresh);
    let mut all: Vec<(&Content, f64)> = fresh.map(|content| (content, total(content))).collect();
    all.sort_by(|one, other| other.0.quality.total_cmp(&one.0.quality));
    all
}

/// Mean quality of the pushes.
pub(crate) fn mean_quality(pushes: &[(&Content, f64)]) -> f64 {
    let all: f64 = pushes.iter().map(|(_, sends)| sends).sum();
    pushes.iter().map(|(content, sends)| content.quality * sends).sum::<f64>() / all
}

/// Spearman's rank correlation of quality and pushes; equal numbers share their rank.
pub(crate) fn rank_correlation(pushes: &[(&Content, f64)]) -> f64 {
    let ranks = |values: Vec<f64>| -> Vec<f64> {
        let below = |value: f64| values.iter().filter(|other| **other < value).count() as f64;
        let equal = |value: f64| values.iter().filter(|other| **other == value).count() as f64;
        values.iter().map(|value| below(*value) + (equal(*value) - 1.0) / 2.0).collect()
    };
    let quality = ranks(pushes.iter().map(|(content, _)| content.quality).collect());
    let sends = ranks(pushes.iter().map(|(_, sends)| *sends).collect());
    let middle = (pushes.len() as f64 - 1.0) / 2.0;
    let product = |one: &[f64], other: &[f64]| -> f64 {
        one.iter().zip(other).map(|(one, other)| (one - middle) * (other - middle)).sum()
    };
    product(&quality, &sends) / (product(&quality, &quality) * product(&sends, &sends)).sqrt()
}
