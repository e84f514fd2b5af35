//! Whom of the people a push would reach now, by the first rule of decisions that keeps it from him.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use polars::prelude::*;

use super::frame::members;
use crate::language::keys::{Declared, Key};
use crate::language::predicate::{Predicate, Question, TextQuestion};
use crate::people::{People, PeopleError};
use decisions::rules::is_held_out;
use domain::settings::{ConsentWhenUnknown, DecisionSettings};
use domain::time::{DAY, Instant, SECOND};
use domain::zone::Zone;
use events::lake::Lake;
use files::tables::{self, TableError};
use files::workspace::Workspace;

/// What keeps a push from a person; the first that does, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Nothing: he can be reached.
    Reachable,
    /// He said no, or his word cannot be read.
    OptedOut,
    /// Nobody knows whether he agreed, and that counts as no.
    UnknownConsent,
    /// He is held out, so that the effect of pushing can be measured.
    Holdout,
    /// None of his devices has the channel.
    NoDevice,
    /// He has had as many pushes today as he may get.
    Capped,
}

impl Reach {
    /// All of them.
    pub const ALL: [Reach; 6] = [
        Reach::Reachable,
        Reach::OptedOut,
        Reach::UnknownConsent,
        Reach::Holdout,
        Reach::NoDevice,
        Reach::Capped,
    ];

    /// Its name in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Reach::Reachable => "reachable",
            Reach::OptedOut => "opted_out",
            Reach::UnknownConsent => "unknown_consent",
            Reach::Holdout => "holdout",
            Reach::NoDevice => "no_device",
            Reach::Capped => "capped",
        }
    }
}

/// What has to be looked up of the people.
pub fn needed() -> BTreeSet<Key> {
    BTreeSet::from([
        Key::Declared(Declared::Consent),
        Key::Declared(Declared::Channels),
        Key::Declared(Declared::MaxPerDay),
        Key::Feature("time_zone"),
    ])
}

/// What keeps a push over the default channel from each person at the moment that they are seen at.
///
/// # Errors
/// When something of [`needed`] was not looked up, or the lake cannot be read.
pub fn reach(
    people: &People,
    workspace: &Workspace,
    settings: &DecisionSettings,
    default_zone: &Zone,
) -> Result<Vec<Reach>, PeopleError> {
    let is_consent = |word: &str| {
        let question = Question::Text(TextQuestion::OneOf(vec![word.to_string()]));
        holding(people, Key::Declared(Declared::Consent), question)
    };
    let (denied, unknown) = (is_consent("denied")?, is_consent("unknown")?);
    let channels = || Key::Declared(Declared::Channels);
    let has_channel = holding(people, channels(), Question::Has(settings.channel.clone()))?;
    let has_said = holding(people, channels(), Question::IsKnown)?;
    let capped = capped(people, workspace, settings, default_zone)?;
    let deny = settings.consent_when_unknown == ConsentWhenUnknown::Deny;
    let of_person = |(row, id): (usize, Option<&str>)| match () {
        _ if denied[row] => Reach::OptedOut,
        _ if unknown[row] && deny => Reach::UnknownConsent,
        _ if is_held_out(settings, id.unwrap_or_default()) => Reach::Holdout,
        _ if has_said[row] && !has_channel[row] => Reach::NoDevice,
        _ if capped[row] => Reach::Capped,
        _ => Reach::Reachable,
    };
    Ok(people.ids().iter().enumerate().map(of_person).collect())
}

fn holding(people: &People, key: Key, question: Question) -> Result<Vec<bool>, PeopleError> {
    let mask = members(&Predicate::Holds { key, question }, people)?;
    Ok(mask.no_null_iter().collect())
}

/// Who has had the most pushes that he may get on the day that his own clock shows.
fn capped(
    people: &People,
    workspace: &Workspace,
    settings: &DecisionSettings,
    default_zone: &Zone,
) -> Result<Vec<bool>, PeopleError> {
    let missing = |key: Key| PeopleError::Missing(key);
    let zones = Key::Feature("time_zone");
    let zones = people.column(&zones).ok_or_else(|| missing(zones.clone()))?;
    let zones = zones.str().map_err(|_| PeopleError::WrongKind(Key::Feature("time_zone")))?;
    let caps = Key::Declared(Declared::MaxPerDay);
    let caps = people.column(&caps).ok_or_else(|| missing(caps.clone()))?;
    let caps = caps.i64().map_err(|_| PeopleError::WrongKind(Key::Declared(Declared::MaxPerDay)))?;
    let sends = sends_of_last_day(people, workspace, settings)?;
    let now = people.as_of();
    let is_capped = |row: usize| {
        let most = caps.get(row).unwrap_or(i64::from(settings.max_per_day));
        let zone = zones.get(row).and_then(Zone::shared).unwrap_or(default_zone);
        let today = |at: &&i64| local_day(zone, Instant::from_micros(**at)) == local_day(zone, now);
        let sent = sends.get(&row).map_or(0, |sends| sends.iter().filter(today).count() as i64);
        sent >= most
    };
    Ok((0..people.len()).map(is_capped).collect())
}

fn local_day(zone: &Zone, at: Instant) -> i64 {
    zone.local_second(at).div_euclid(DAY / SECOND)
}

/// Moments of the pushes that count toward the cap, by the person's row; none is older than a local day can be long.
fn sends_of_last_day(
    people: &People,
    workspace: &Workspace,
    settings: &DecisionSettings,
) -> Result<BTreeMap<usize, Vec<i64>>, PeopleError> {
    let (from, until) = (people.as_of().plus(-2 * DAY).micros(), people.as_of().micros());
    let service = match settings.service_counts_toward_caps {
        true => BTreeSet::new(),
        false => service_contents(workspace)?,
    };
    let lake = Lake::open(workspace)?;
    let mut sends: BTreeMap<usize, Vec<i64>> = BTreeMap::new();
    let files = lake.files_before(people.as_of()).into_iter();
    for file in files.filter(|file| file.last_micros >= from && file.events.contains_key(SENT)) {
        let frame = lake.read(file, Some(&["user_id", "event", "timestamp", "content_id"]))?;
        let mut take = || -> PolarsResult<()> {
            let (users, names) = (frame.column("user_id")?.str()?, frame.column("event")?.str()?);
            let (contents, stamps) =
                (frame.column("content_id")?.str()?, frame.column("timestamp")?.datetime()?.physical());
            for row in (0..frame.height()).filter(|row| names.get(*row) == Some(SENT)) {
                let counts = !contents.get(row).is_some_and(|content| service.contains(content));
                let at = stamps.get(row).filter(|at| counts && (from..until).contains(at));
                if let (Some(at), Some(person)) = (at, users.get(row).and_then(|user| people.row_of(user))) {
                    sends.entry(person).or_default().push(at);
                }
            }
            Ok(())
        };
        take().map_err(TableError::parquet(Path::new(&file.path)))?;
    }
    Ok(sends)
}

/// The event that says a push went out.
const SENT: &str = "push_sent";

/// Contents whose pushes are service messages.
fn service_contents(workspace: &Workspace) -> Result<BTreeSet<String>, TableError> {
    let path = workspace.table("contents");
    if !path.exists() {
        return Ok(BTreeSet::new());
    }
    let frame = tables::read_parquet(&path, Some(&["content_id", "message_class"]))?;
    let texts = |name: &str| frame.column(name).and_then(|column| column.str().cloned());
    let columns = texts("content_id").and_then(|ids| Ok((ids, texts("message_class")?)));
    let (ids, classes) = columns.map_err(TableError::parquet(&path))?;
    let service = ids.iter().zip(classes.iter()).filter(|(_, class)| *class == Some("service"));
    Ok(service.filter_map(|(id, _)| id.map(str::to_string)).collect())
}
