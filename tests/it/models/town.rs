//! A made-up town: people with more or less zeal who read what is new, buy, and redeem what campaigns offer.

use serde_json::{Value, json};
use smartpush::domain::time::{DAY, HOUR, Instant};
use smartpush::events::request::InputKind;

use super::world::{World, at};
use crate::support::draws::Draws;

/// The town's first day.
pub(super) const FIRST: &str = "2024-01-01T00:00:00Z";

/// The goals that tests of the town train; each unit has one.
pub(super) const SETTINGS: &str = "
[goals.buy_2d]
description = \"buys within two days\"
events = [\"purchase\"]
unit = \"user_day\"
window = \"2d\"
population = \"everybody\"

[training]
most_moments = 14

[evaluation]
bootstrap_draws = 100

[gates]
least_rows = 100
";

/// How large a town is.
#[derive(Clone, Copy)]
pub(super) struct Town {
    pub(super) users: usize,
    pub(super) contents: usize,
    pub(super) days: i64,
    pub(super) seed: u64,
}

/// A town that takes a fraction of a second to learn from.
pub(super) const SMALL: Town = Town { users: 120, contents: 30, days: 40, seed: 1 };

/// A moment of the town.
pub(super) fn day(number: i64) -> Instant {
    at(FIRST).plus(number * DAY)
}

impl Town {
    /// A workspace with everything that happened in the town.
    pub(super) fn world(&self, settings: &str) -> World {
        let world = self.world_without_events(settings);
        world.take(InputKind::Events, &self.events(), None);
        world
    }

    /// A workspace with everything that was declared in it.
    pub(super) fn world_without_events(&self, settings: &str) -> World {
        let world = World::new(settings);
        world.take(InputKind::Contents, &self.declared_contents(), None);
        world.take(InputKind::Campaigns, &self.declared_campaigns(), Some("UTC"));
        world
    }

    fn declared_contents(&self) -> Vec<Value> {
        // The newest few are known by their events alone.
        let known = 0..self.contents - self.contents / 10;
        known
            .map(
                |content| json!({"content_id": content_id(content), "title": "A title", "category": format!("k{}", content % 4)}),
            )
            .collect()
    }

    /// A campaign of three days every other day.
    fn declared_campaigns(&self) -> Vec<Value> {
        let campaign = |number: i64| {
            let contents: Vec<String> =
                (0..6).map(|step| content_id((number as usize * 5 + step * 3) % self.contents)).collect();
            json!({
                "campaign_id": campaign_id(number), "tags": [format!("t{}", number % 3)], "contents": contents,
                // What they sent has no text any more.
                "status": "ended",
                "window_start": date_of(3 + 2 * number), "window_end": date_of(5 + 2 * number),
            })
        };
        (0..self.campaigns()).map(campaign).collect()
    }

    fn campaigns(&self) -> i64 {
        (self.days - 6) / 2
    }

    /// All events, by user and day.
    pub(super) fn events(&self) -> Vec<Value> {
        let mut draws = Draws::new(self.seed);
        let qualities: Vec<f64> = (0..self.contents).map(|_| draws.gamma(1.5)).collect();
        let mut events = Vec::new();
        for user in 0..self.users {
            let (zeal, thrift) = ((0.9 * draws.normal()).exp(), draws.uniform());
            self.live(&mut draws, &mut events, user, zeal, &qualities);
            self.redeem(&mut draws, &mut events, user, thrift);
        }
        for (number, event) in events.iter_mut().enumerate() {
            event["message_id"] = format!("m{number}").into();
        }
        events
    }

    /// Reads and buys, day by day; every ninth user comes late to the town.
    fn live(&self, draws: &mut Draws, events: &mut Vec<Value>, user: usize, zeal: f64, qualities: &[f64]) {
        let first = if user.is_multiple_of(9) { self.days / 2 + (user as i64 % 20) } else { 0 };
        for day in first..self.days {
            if draws.uniform() > 1.0 - (-0.6 * zeal).exp() {
                continue;
            }
            let weights = self.weights(day, qualities);
            for _ in 0..1 + draws.poisson(1.0) {
                let content = content_id(draws.choice(&weights));
                events.push(event(draws, user, "view", day, json!({ "content_id": content })));
            }
            if draws.uniform() < (0.15 * zeal.powi(2)).min(0.8) {
                let bought = json!({ "content_id": content_id(draws.choice(&weights)), "value": draws.between(1.0, 30.0) });
                events.push(event(draws, user, "purchase", day, bought));
            }
        }
    }

    /// A content comes out every so often; it is read less with each day.
    fn weights(&self, day: i64, qualities: &[f64]) -> Vec<f64> {
        let born = |content: usize| content as i64 * (self.days - 2) / self.contents as i64;
        let weight = |(content, quality): (usize, &f64)| match day - born(content) {
            age @ 0.. => quality * (-0.25 * age as f64).exp() + 1e-3,
            _ => 0.0,
        };
        qualities.iter().enumerate().map(weight).collect()
    }

    /// Half the town is targeted by each campaign; the thrifty redeem.
    fn redeem(&self, draws: &mut Draws, events: &mut Vec<Value>, user: usize, thrift: f64) {
        for campaign in 0..self.campaigns() {
            let start = 3 + 2 * campaign;
            if draws.uniform() < 0.5 {
                let about = json!({ "campaign_id": campaign_id(campaign) });
                events.push(json!({
                    "user_id": user_id(user), "event": "campaign_targeted", "campaign_id": about["campaign_id"],
                    "timestamp": day(start).to_string(),
                }));
                if draws.uniform() < thrift.powi(2) {
                    let when = start + draws.between(0.0, 3.0) as i64;
                    events.push(event(draws, user, "redeem", when, about));
                }
            }
        }
    }
}

fn event(draws: &mut Draws, user: usize, name: &str, number: i64, about: Value) -> Value {
    let moment = day(number).plus((draws.between(6.0, 23.0) * HOUR as f64) as i64);
    let mut event = json!({ "user_id": user_id(user), "event": name, "timestamp": moment.to_string() });
    about.as_object().unwrap().iter().for_each(|(key, value)| event[key] = value.clone());
    event
}

/// Names are sorted as numbers are.
pub(super) fn user_id(user: usize) -> String {
    format!("u{user:04}")
}

pub(super) fn content_id(content: usize) -> String {
    format!("c{content:03}")
}

pub(super) fn campaign_id(campaign: i64) -> String {
    format!("spring-{campaign:02}")
}

fn date_of(number: i64) -> String {
    day(number).to_string()[..10].to_string()
}

/// When an event happened.
pub(super) fn moment_of(event: &Value) -> Instant {
    at(event["timestamp"].as_str().unwrap())
}
