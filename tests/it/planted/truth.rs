//! What is true of a world, in files for people and programs to judge by.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::acts::{Act, WORDS};
use crate::content::CATEGORIES;
use crate::export::{REPEATS, broken};
use crate::reader::{Hours, OPEN_HOURS, Reader, largest};
use crate::world::World;

/// What is true of a reader as of the end, in the words of the tests.
pub(crate) struct Judged<'a> {
    pub(crate) reader: &'a Reader,
    pub(crate) lifecycle: &'static str,
    /// Own acts.
    pub(crate) acts: usize,
    /// The hour of the day with most reading in a week.
    pub(crate) best_hour: usize,
    /// The same among the hours that are not quiet.
    pub(crate) best_open_hour: usize,
    /// The same on weekdays alone.
    pub(crate) best_open_weekday_hour: usize,
}

impl World {
    /// What is true of every reader.
    pub(crate) fn judged(&self) -> Vec<Judged<'_>> {
        let mut moments: Vec<Vec<Timestamp>> = self.readers.iter().map(|_| Vec::new()).collect();
        for act in self.acts.iter().filter(|act| act.is_own()) {
            moments[act.reader].push(act.at);
        }
        self.readers
            .iter()
            .zip(&moments)
            .map(|(reader, own)| {
                let week = reader.week();
                Judged {
                    reader,
                    lifecycle: lifecycle(self.end, own),
                    acts: own.len(),
                    best_hour: largest(&week, 0..24),
                    best_open_hour: largest(&week, OPEN_HOURS),
                    best_open_weekday_hour: largest(&reader.weekday_hours, OPEN_HOURS),
                }
            })
            .collect()
    }

    /// Readers in each stage of life.
    pub(crate) fn lifecycles(&self) -> BTreeMap<&'static str, usize> {
        let mut counts = BTreeMap::new();
        for judged in self.judged() {
            *counts.entry(judged.lifecycle).or_default() += 1;
        }
        counts
    }

    /// Events by the word that means the same to smartpush.
    pub(crate) fn event_counts(&self) -> BTreeMap<&'static str, usize> {
        let meaning =
            |act: &Act| WORDS.iter().find(|(word, _)| *word == act.what).map(|(_, meaning)| *meaning);
        let mut counts = BTreeMap::new();
        for meaning in self.acts.iter().filter_map(meaning) {
            *counts.entry(meaning).or_default() += 1;
        }
        counts
    }
}

/// The first that matches: first seen within 30 days; back within 30 days after more than 90 of silence; seen within 30
/// days; within 90; longer ago or never.
fn lifecycle(end: Timestamp, moments: &[Timestamp]) -> &'static str {
    let days = |count: i64| SignedDuration::from_hours(24 * count);
    let ago = |moment: Timestamp| end.duration_since(moment);
    let (Some(first), Some(last)) = (moments.first(), moments.last()) else { return "dormant" };
    let came_back =
        moments.windows(2).any(|pair| pair[1].duration_since(pair[0]) > days(90) && ago(pair[1]) <= days(30));
    match () {
        _ if ago(*first) <= days(30) => "new",
        _ if came_back => "returned",
        _ if ago(*last) <= days(30) => "active",
        _ if ago(*last) <= days(90) => "cooling",
        _ => "dormant",
    }
}

/// Writes all files of the truth.
pub(crate) fn write(world: &World, folder: &Path) {
    let judged = world.judged();
    fs::write(folder.join("readers.csv"), readers(&judged)).unwrap();
    fs::write(folder.join("hours.csv"), hours(&world.readers)).unwrap();
    fs::write(folder.join("tastes.csv"), tastes(&world.readers)).unwrap();
    fs::write(folder.join("contents.csv"), contents(world)).unwrap();
    fs::write(folder.join("counts.json"), format!("{:#}\n", counts(world))).unwrap();
}

fn readers(judged: &[Judged<'_>]) -> String {
    let mut file =
        "user_id,zone,best_hour,best_open_hour,best_open_weekday_hour,favourite_category,lifecycle,\
                    own_events,visits_a_day,consent,tier,response\n"
            .to_string();
    for one in judged {
        let Reader { user_id, zone, visits, consent, tier, response, .. } = one.reader;
        let hours = format!("{},{},{}", one.best_hour, one.best_open_hour, one.best_open_weekday_hour);
        let favourite = one.reader.favourite().name;
        let (stage, acts) = (one.lifecycle, one.acts);
        writeln!(
            file,
            "{user_id},{zone},{hours},{favourite},{stage},{acts},{visits:.3},{consent},{tier},{response:.4}"
        )
        .unwrap();
    }
    file
}

/// Shares of the hours, on weekdays and at weekends.
fn hours(readers: &[Reader]) -> String {
    let names = |day: &str| (0..24).map(|hour| format!(",{day}_{hour:02}")).collect::<String>();
    let mut file = format!("user_id{}{}\n", names("weekday"), names("weekend"));
    let shares = |hours: &Hours| hours.iter().map(|share| format!(",{share:.6}")).collect::<String>();
    for reader in readers {
        let (week, end) = (shares(&reader.weekday_hours), shares(&reader.weekend_hours));
        writeln!(file, "{}{week}{end}", reader.user_id).unwrap();
    }
    file
}

fn tastes(readers: &[Reader]) -> String {
    let names: String = CATEGORIES.iter().map(|category| format!(",{}", category.name)).collect();
    let mut file = format!("user_id{names}\n");
    for reader in readers {
        let shares: String = reader.tastes.iter().map(|share| format!(",{share:.6}")).collect();
        writeln!(file, "{}{shares}", reader.user_id).unwrap();
    }
    file
}

fn contents(world: &World) -> String {
    let mut file = "content_id,category,fresh,quality,popularity\n".to_string();
    for content in &world.contents {
        let category = CATEGORIES[content.category].name;
        let (id, fresh) = (&content.content_id, content.fresh);
        writeln!(file, "{id},{category},{fresh},{:.6},{:.6}", content.quality, content.popularity).unwrap();
    }
    file
}

fn counts(world: &World) -> Value {
    let accepted = world.acts.len();
    json!({
        "read": accepted + REPEATS + broken(),
        "accepted": accepted,
        "duplicate": REPEATS,
        "rejected": broken(),
        "events": world.event_counts(),
        "lifecycle": world.lifecycles(),
        "end": world.end.to_string(),
    })
}
