//! The features once more, slow and obvious: every one computed from a list of events, with jiff's own clock.

use std::collections::{BTreeMap, BTreeSet};

use profiles::features::FEATURES;
use serde_json::{Map, Value, json};

use super::world::{Act, Profiles};

const DAY: i64 = 86_400_000_000;

/// Settings that the shipped configuration has.
const INTEREST_DAYS: f64 = 90.0;
const RHYTHM_DAYS: f64 = 90.0;
const FATIGUE_DAYS: f64 = 3.0;
const LONGEST_LIST: usize = 20;
const PRIOR_PUSHES: f64 = 20.0;

/// Zone, sign-up in microseconds, platform.
pub(super) type KnownUser = (Option<String>, Option<i64>, Option<String>);

/// What was declared, by id.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    pub(super) users: BTreeMap<String, KnownUser>,
    /// Category and tags.
    pub(super) contents: BTreeMap<String, (Option<String>, Vec<String>)>,
}

/// One user's past.
struct Past<'a> {
    acts: Vec<&'a Act>,
    as_of: i64,
    zone: String,
    source: &'static str,
    user: KnownUser,
    known: &'a Known,
}

/// A local date and hour, Monday = 0.
type Hour = (jiff::civil::Date, i8);

pub(super) fn profiles(acts: &[Act], known: &Known, as_of: i64) -> Profiles {
    let past: Vec<&Act> = acts.iter().filter(|act| act.timestamp.micros() < as_of).collect();
    let signed_up = |id: &&String| known.users[*id].1.is_none_or(|moment| moment < as_of);
    let ids: BTreeSet<&String> =
        past.iter().map(|act| &act.user_id).chain(known.users.keys().filter(signed_up)).collect();
    let profile = |id: &String| {
        let acts: Vec<&Act> = past.iter().copied().filter(|act| act.user_id == *id).collect();
        let one = Past::of(acts, id, known, as_of);
        let values =
            FEATURES.iter().map(|feature| (feature.name.to_string(), one.value(feature.name, &past)));
        let user_id = ("user_id".to_string(), json!(id));
        (id.clone(), std::iter::once(user_id).chain(values).collect::<Map<String, Value>>())
    };
    ids.into_iter().map(profile).collect()
}

fn is_own(act: &Act) -> bool {
    !act.name.starts_with("push_") && act.name != "campaign_targeted"
}

/// `round(2^32 · 2^(−age / half-life))`, in units of 2^32.
fn weight(age: i64, half_life_days: f64) -> i64 {
    (4_294_967_296.0 * (-(age as f64 / DAY as f64) / half_life_days).exp2()).round() as i64
}

fn in_units(weight: i64) -> Value {
    json!(weight as f64 / 4_294_967_296.0)
}

/// The window in a name such as `views_30d`.
fn split_window(name: &str) -> (&str, Option<i64>) {
    let window = name.rsplit_once('_').and_then(|(stem, window)| {
        let days: i64 = window.strip_suffix('d')?.parse().ok()?;
        Some((stem, days))
    });
    window.map_or((name, None), |(stem, days)| (stem, Some(days)))
}

fn names_of(stem: &str) -> &'static [&'static str] {
    match stem {
        "views" => &["view"],
        "clicks" => &["click"],
        "add_to_cart" => &["add_to_cart"],
        "purchases" | "days_since_purchase" => &["purchase"],
        "campaigns" => &["campaign_targeted"],
        "pushes_sent" => &["push_sent"],
        "pushes_displayed" => &["push_displayed"],
        "pushes_opened" | "days_since_open" => &["push_opened", "push_clicked"],
        "pushes_clicked" => &["push_clicked"],
        "pushes_dismissed" => &["push_dismissed"],
        "days_since_push" => &["push_sent", "push_delivered", "push_displayed"],
        other => panic!("the oracle does not know {other}: teach it in tests/it/profiles/oracle.rs"),
    }
}

impl<'a> Past<'a> {
    fn of(acts: Vec<&'a Act>, id: &str, known: &'a Known, as_of: i64) -> Past<'a> {
        let user = known.users.get(id).cloned().unwrap_or_default();
        let device = acts
            .iter()
            .filter(|act| act.zone.is_some())
            .max_by_key(|act| (act.timestamp, &act.message_id))
            .and_then(|act| act.zone.clone());
        let (zone, source) = match (&user.0, device) {
            (Some(zone), _) => (zone.clone(), "declared"),
            (None, Some(zone)) => (zone, "device"),
            (None, None) => ("UTC".to_string(), "default"),
        };
        Past { acts, as_of, zone, source, user, known }
    }

    fn value(&self, name: &str, everybody: &[&Act]) -> Value {
        let (stem, days) = split_window(name);
        let from = days.map_or(i64::MIN, |days| self.as_of - days * DAY);
        match stem {
            "events" => json!(self.own().filter(|act| act.timestamp.micros() >= from).count()),
            "sessions" => json!(self.sessions(from)),
            "orders" => json!(self.orders(from)),
            "revenue" | "revenue_total" => self.revenue(from),
            "active_days" => json!(self.hours(from).keys().map(|hour| hour.0).collect::<BTreeSet<_>>().len()),
            "active_hours" => json!(self.hours(from).len()),
            "activity_half_life" => self.decayed_hours(days.expect("a half-life") as f64),
            "hours_of_week" => self.week(),
            "days_since_own_event" => self.days_since(self.own().map(|act| act.timestamp.micros()).max()),
            "days_since_push" | "days_since_open" | "days_since_purchase" => {
                self.days_since(self.named(names_of(stem)).map(|act| act.timestamp.micros()).max())
            }
            "fatigue" => {
                let age = |act: &Act| weight(self.as_of - act.timestamp.micros(), FATIGUE_DAYS);
                in_units(self.named(&["push_displayed"]).map(age).sum())
            }
            "open_rate" => self.rate("pushes_opened", "pushes_sent", from, everybody),
            "click_rate" => self.rate("pushes_clicked", "pushes_sent", from, everybody),
            "dismiss_rate" => self.rate("pushes_dismissed", "pushes_displayed", from, everybody),
            "interest_categories" => self.interests(false).into_iter().map(|(name, _)| name).collect(),
            "interest_category_shares" => self.interests(false).into_iter().map(|(_, share)| share).collect(),
            "interest_tags" => self.interests(true).into_iter().map(|(name, _)| name).collect(),
            "interest_tag_shares" => self.interests(true).into_iter().map(|(_, share)| share).collect(),
            "recent_contents" => self.recent_contents(),
            "time_zone" => json!(self.zone),
            "time_zone_source" => json!(self.source),
            "locale" | "country" => Value::Null,
            "platform" => json!(self.user.2),
            "tenure_days" => {
                let first = self.acts.iter().map(|act| act.timestamp.micros()).min();
                self.days_since(self.user.1.filter(|moment| *moment < self.as_of).or(first))
            }
            "lifecycle" => json!(self.lifecycle()),
            _ => json!(self.named(names_of(stem)).filter(|act| act.timestamp.micros() >= from).count()),
        }
    }

    fn own(&self) -> impl Iterator<Item = &'a Act> {
        self.acts.iter().copied().filter(|act| is_own(act))
    }

    fn named(&self, names: &'static [&'static str]) -> impl Iterator<Item = &'a Act> {
        self.acts.iter().copied().filter(|act| names.contains(&act.name.as_str()))
    }

    fn days_since(&self, moment: Option<i64>) -> Value {
        json!(moment.map(|moment| (self.as_of - moment) as f64 / DAY as f64))
    }

    fn sessions(&self, from: i64) -> usize {
        let recent = self.own().filter(|act| act.timestamp.micros() >= from);
        recent.filter_map(|act| act.session_id.as_deref()).collect::<BTreeSet<_>>().len()
    }

    fn orders(&self, from: i64) -> usize {
        let recent: Vec<&Act> =
            self.named(&["purchase"]).filter(|act| act.timestamp.micros() >= from).collect();
        let sessions: BTreeSet<&str> = recent.iter().filter_map(|act| act.session_id.as_deref()).collect();
        sessions.len() + recent.iter().filter(|act| act.session_id.is_none()).count()
    }

    fn revenue(&self, from: i64) -> Value {
        let recent = self.named(&["purchase"]).filter(|act| act.timestamp.micros() >= from);
        // Made-up amounts are whole quarters.
        let quarters = |act: &Act| (act.value.unwrap_or(0.0) * 4.0) as i128;
        json!(recent.map(quarters).sum::<i128>() as f64 / 4.0)
    }

    /// The last act in each local hour with activity since `from`.
    fn hours(&self, from: i64) -> BTreeMap<Hour, i64> {
        let mut hours = BTreeMap::new();
        for act in self.own().filter(|act| !act.date_only && act.timestamp.micros() >= from) {
            let zone = act.zone.as_deref().unwrap_or(&self.zone);
            let stamp = jiff::Timestamp::from_microsecond(act.timestamp.micros()).expect("a stamp");
            let local = stamp.in_tz(zone).expect("a zone of the database");
            let last = hours.entry((local.date(), local.hour())).or_insert(i64::MIN);
            *last = (*last).max(act.timestamp.micros());
        }
        hours
    }

    fn decayed_hours(&self, half_life_days: f64) -> Value {
        in_units(self.hours(i64::MIN).values().map(|last| weight(self.as_of - last, half_life_days)).sum())
    }

    fn week(&self) -> Value {
        let mut week = vec![0_i64; 168];
        for ((date, hour), last) in self.hours(i64::MIN) {
            let day = date.weekday().to_monday_zero_offset() as usize;
            week[day * 24 + hour as usize] += weight(self.as_of - last, RHYTHM_DAYS);
        }
        week.into_iter().map(in_units).collect()
    }

    fn rate(&self, responses: &str, pushes: &str, from: i64, everybody: &[&Act]) -> Value {
        let count = |acts: &[&Act], stem: &str| {
            let names = names_of(stem);
            let counted = |act: &&&Act| names.contains(&act.name.as_str()) && act.timestamp.micros() >= from;
            acts.iter().filter(counted).count() as f64
        };
        let all = count(everybody, pushes);
        let population = count(everybody, responses) / all;
        let rate = (count(&self.acts, responses) + PRIOR_PUSHES * population)
            / (count(&self.acts, pushes) + PRIOR_PUSHES);
        json!((all > 0.0).then_some(rate))
    }

    fn interests(&self, is_tags: bool) -> Vec<(String, f64)> {
        let mut weights: BTreeMap<String, i64> = BTreeMap::new();
        for act in self.own() {
            let content = act.content_id.as_ref().and_then(|id| self.known.contents.get(id));
            let Some((category, tags)) = content else { continue };
            let names: Vec<&String> = if is_tags { tags.iter().collect() } else { category.iter().collect() };
            for name in names {
                *weights.entry(name.clone()).or_default() +=
                    weight(self.as_of - act.timestamp.micros(), INTEREST_DAYS);
            }
        }
        let total: i64 = weights.values().sum();
        let mut ranked: Vec<(String, i64)> = weights.into_iter().filter(|(_, weight)| *weight > 0).collect();
        ranked.sort_by_key(|(name, weight)| (-weight, name.clone()));
        ranked.truncate(LONGEST_LIST);
        ranked.into_iter().map(|(name, weight)| (name, weight as f64 / total as f64)).collect()
    }

    fn recent_contents(&self) -> Value {
        let mut latest: BTreeMap<&str, i64> = BTreeMap::new();
        for act in self.own() {
            let Some(content_id) = act.content_id.as_deref() else { continue };
            let moment = latest.entry(content_id).or_insert(i64::MIN);
            *moment = (*moment).max(act.timestamp.micros());
        }
        let mut contents: Vec<(i64, &str)> = latest.into_iter().map(|(id, moment)| (-moment, id)).collect();
        contents.sort_unstable();
        contents.truncate(LONGEST_LIST);
        contents.into_iter().map(|(_, id)| id).collect()
    }

    fn lifecycle(&self) -> &'static str {
        let mut moments: Vec<i64> =
            self.own().filter(|act| !act.date_only).map(|act| act.timestamp.micros()).collect();
        moments.sort_unstable();
        let (Some(first), Some(last)) = (moments.first(), moments.last()) else { return "dormant" };
        let is_within = |moment: i64, days: i64| self.as_of - moment <= days * DAY;
        let came_back = moments.windows(2).any(|pair| pair[1] - pair[0] > 90 * DAY && is_within(pair[1], 30));
        match () {
            _ if is_within(*first, 30) => "new",
            _ if came_back => "returned",
            _ if is_within(*last, 30) => "active",
            _ if is_within(*last, 90) => "cooling",
            _ => "dormant",
        }
    }
}
