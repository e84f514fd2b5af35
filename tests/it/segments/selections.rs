//! Counts, sums and times of selected events beside a naive reading of the raw events.

use std::collections::BTreeMap;
use std::fs;

use config::Config;
use domain::time::{DAY, Instant};
use domain::zone::Zone;
use events::ingest::ingest;
use events::lake::Lake;
use events::mapping::Renames;
use events::request::{FilesRequest, InputKind};
use files::workspace::Workspace;
use profiles::build::build;
use profiles::declared::Declared;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use segments::language::compile::Circumstances;
use segments::language::compile_text;
use segments::language::fields::FieldCatalogue;
use segments::language::keys::{LookupKey, needs};
use segments::names::Names;
use segments::people::People;
use segments::people::row::KnownValue;
use serde_json::{Value, json};
use tempfile::TempDir;

const AS_OF: &str = "2024-06-30T00:00:00Z";
const USERS: [&str; 4] = ["ann", "bob", "cem", "dora"];
const NAMES: [&str; 3] = ["purchase", "view", "rated"];
/// Contents with their category and tags; of the last nothing is declared.
const CONTENTS: [(&str, Option<&str>, &[&str]); 5] = [
    ("milk", Some("DAIRY"), &["fresh", "white"]),
    ("cheese", Some("Dairy"), &["white"]),
    ("beer", Some("drinks"), &[]),
    ("flyer", None, &["fresh"]),
    ("ghost", None, &[]),
];
const CAMPAIGNS: [Option<&str>; 3] = [Some("spring"), Some("fall"), None];
const CHANNELS: [Option<&str>; 3] = [Some("push"), Some("E-mail"), None];
const VALUES: [Option<f64>; 6] = [Some(0.1), Some(0.2), Some(20.0), Some(-3.5), Some(50.25), None];

/// An event as it was written down.
#[derive(Clone, Copy, Debug)]
struct Raw {
    user: &'static str,
    name: &'static str,
    content: usize,
    campaign: Option<&'static str>,
    channel: Option<&'static str>,
    value: Option<f64>,
    /// Microseconds before the moment; at the moment and after it nothing counts.
    age: i64,
}

/// A test of an event: its text, and whether an event passes.
type Filter = (&'static str, fn(&Raw) -> bool);

fn category(raw: &Raw) -> Option<String> {
    CONTENTS[raw.content].1.map(str::to_lowercase)
}

fn tagged(raw: &Raw, tag: &str) -> bool {
    CONTENTS[raw.content].2.contains(&tag)
}

const FILTERS: [Filter; 16] = [
    ("category = \"dairy\"", |raw| category(raw).as_deref() == Some("dairy")),
    ("category = \"DRINKS\"", |raw| category(raw).as_deref() == Some("drinks")),
    ("category != \"Dairy\"", |raw| category(raw).is_some_and(|category| category != "dairy")),
    ("category in (\"dairy\", \"drinks\")", |raw| category(raw).is_some()),
    ("tag = \"FRESH\"", |raw| tagged(raw, "fresh")),
    ("tag != \"fresh\"", |raw| tagged(raw, "white") && !tagged(raw, "fresh")),
    ("content_id = \"Milk\"", |raw| raw.content == 0),
    ("content_id in (\"milk\", \"ghost\")", |raw| [0, 4].contains(&raw.content)),
    ("campaign_id = \"spring\"", |raw| raw.campaign == Some("spring")),
    ("campaign_id != \"spring\"", |raw| raw.campaign == Some("fall")),
    ("channel = \"PUSH\"", |raw| raw.channel == Some("push")),
    ("channel != \"push\"", |raw| raw.channel == Some("E-mail")),
    ("value >= 20", |raw| raw.value.is_some_and(|value| value >= 20.0)),
    ("value < 0", |raw| raw.value.is_some_and(|value| value < 0.0)),
    ("value between 0.1 and 0.2", |raw| raw.value.is_some_and(|value| (0.1..=0.2).contains(&value))),
    ("value in (20, 50.25)", |raw| raw.value == Some(20.0) || raw.value == Some(50.25)),
];

struct Draw(ChaCha8Rng);

impl Draw {
    fn below(&mut self, count: usize) -> usize {
        (self.0.next_u32() as usize) % count
    }

    fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }
}

fn raw_events(draw: &mut Draw) -> Vec<Raw> {
    let edges = [-DAY, -1, 0, 1, DAY - 1, DAY, DAY + 1, 7 * DAY, 7 * DAY + 1, 30 * DAY, 400 * DAY];
    let mut event = || Raw {
        user: draw.of(&USERS),
        name: draw.of(&NAMES),
        content: draw.below(CONTENTS.len()),
        campaign: draw.of(&CAMPAIGNS),
        channel: draw.of(&CHANNELS),
        value: draw.of(&VALUES),
        age: draw.of(&edges),
    };
    (0..500).map(|_| event()).collect()
}

fn take(workspace: &Workspace, kind: InputKind, records: &[Value]) {
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    let path = workspace.root().join("records.jsonl");
    fs::write(&path, lines.join("\n") + "\n").unwrap();
    let now = Instant::parse_rfc3339("2024-07-03T00:00:00Z").unwrap();
    let (files, renames) = (&[path][..], Renames::default());
    let request = FilesRequest { files, kind, format: None, renames, zone: None, now };
    let summary = ingest(workspace, &Config::defaults().ingest, &request, &|_| ()).unwrap();
    assert_eq!((summary.rejected, summary.refused.len()), (0, 0), "{summary:?}");
}

/// A workspace with these events, all users profiled.
fn workspace(directory: &TempDir, raws: &[Raw], as_of: Instant) -> Workspace {
    let workspace = Workspace::create(directory.path()).unwrap();
    let event = |(index, raw): (usize, &Raw)| {
        let mut record = json!({"message_id": format!("m{index}"), "user_id": raw.user, "event": raw.name,
            "content_id": CONTENTS[raw.content].0, "timestamp": as_of.plus(-raw.age).to_string()});
        let optional = [("campaign_id", raw.campaign), ("channel", raw.channel)];
        for (name, value) in optional.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            record[name] = json!(value);
        }
        raw.value.into_iter().for_each(|value| record["value"] = json!(value));
        record
    };
    take(&workspace, InputKind::Events, &raws.iter().enumerate().map(event).collect::<Vec<_>>());
    let declared = CONTENTS.iter().filter(|(id, ..)| *id != "ghost");
    let content = |(id, category, tags): &(&str, Option<&str>, &[&str])| {
        let mut record = json!({"content_id": id, "tags": tags});
        category.iter().for_each(|category| record["category"] = json!(category));
        record
    };
    take(&workspace, InputKind::Contents, &declared.map(content).collect::<Vec<_>>());
    let (config, lake) = (Config::defaults(), Lake::open(&workspace).unwrap());
    let declared = Declared::read(&workspace, &config.default_time_zone).unwrap();
    build(&workspace, &lake, &declared, as_of, &config.profiles, &|_, _| ()).unwrap();
    workspace
}

/// A selection: its text, and for each user the value as it is read off the raw events.
fn selection(draw: &mut Draw, raws: &[Raw]) -> (String, BTreeMap<&'static str, Option<f64>>) {
    let (function, name) = (draw.of(&["count", "sum", "last", "first"]), draw.of(&NAMES));
    let within = draw.of(&[None, Some(1), Some(7), Some(30), Some(500)]);
    let filters: Vec<Filter> = (0..draw.below(4)).map(|_| draw.of(&FILTERS)).collect();
    let mut text = format!("{function}(\"{name}\"");
    within.into_iter().for_each(|days| text += &format!(", {days}d"));
    filters.iter().for_each(|(filter, _)| text += &format!(", {filter}"));
    let value = |user: &'static str| {
        let taken = raws.iter().filter(|raw| {
            raw.user == user
                && raw.name == name
                && raw.age > 0
                && within.is_none_or(|days| raw.age <= days * DAY)
                && filters.iter().all(|(_, passes)| passes(raw))
        });
        let taken: Vec<&Raw> = taken.collect();
        let days = |age: Option<i64>| age.map(|age| age as f64 / DAY as f64);
        let number = match function {
            "count" => Some(taken.len() as f64),
            "sum" => {
                let micros = |raw: &&Raw| (raw.value.unwrap_or(0.0) * 1e6).round() as i64;
                Some(taken.iter().map(micros).sum::<i64>() as f64 / 1e6)
            }
            "last" => days(taken.iter().map(|raw| raw.age).min()),
            _ => days(taken.iter().map(|raw| raw.age).max()),
        };
        (user, number)
    };
    (text + ")", USERS.into_iter().map(value).collect())
}

#[test]
fn selected_events_are_counted_summed_and_dated_as_the_raw_events_say() {
    let as_of = Instant::parse_rfc3339(AS_OF).unwrap();
    let (mut met, mut known) = (0, 0);
    for seed in 0..3 {
        let mut draw = Draw(ChaCha8Rng::seed_from_u64(seed));
        let (raws, directory) = (raw_events(&mut draw), TempDir::new().unwrap());
        let workspace = workspace(&directory, &raws, as_of);
        let catalogue =
            FieldCatalogue::new(BTreeMap::new(), Vec::new()).with_names(Names::read(&workspace).unwrap());
        let zone = Zone::utc();
        let circumstances = Circumstances { catalogue: &catalogue, as_of, zone: &zone };
        let selections: Vec<_> = (0..150).map(|_| selection(&mut draw, &raws)).collect();
        let all =
            selections.iter().map(|(text, _)| format!("{text} is known")).collect::<Vec<_>>().join(" or ");
        let (_, predicate) = compile_text(&all, circumstances, None, &|_| None)
            .unwrap_or_else(|error| panic!("{}", error.render(&all)));
        let people = People::read(&workspace, Some(as_of), &needs(&predicate), &zone).unwrap();
        for (text, expected) in &selections {
            let (_, predicate) =
                compile_text(&format!("{text} is known"), circumstances, None, &|_| None).unwrap();
            let keys: Vec<LookupKey> = needs(&predicate).keys.into_iter().collect();
            for (user, number) in expected {
                let person = people.person(people.row_of(user).unwrap());
                let found = person[&keys[0]].clone();
                assert_eq!(found, number.map(KnownValue::Number), "{user}: {text}");
                met += usize::from(number.is_some_and(|number| number != 0.0));
                known += usize::from(number.is_some());
            }
        }
    }
    assert!(met > 600 && known > met, "{met} of {known} values say something");
}
