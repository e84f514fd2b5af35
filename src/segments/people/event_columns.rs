//! Counts, sums and times of each person's events, out of the lake: one pass for all that is asked.

use std::collections::{BTreeMap, HashMap, HashSet};

use polars::prelude::*;

use super::PeopleError;
use crate::language::event_lookup::{EventAggregate, EventCondition, EventLookup};
use domain::event::standard_name;
use domain::time::{DAY, Instant};
use events::lake::{Lake, LakeFile};
use events::stored::{EventColumn, StoredEvent, StoredEvents};
use files::workspace::Workspace;
use profiles::accumulate::micros_of;
use profiles::declared::content_rows;

/// No such event yet.
const NEVER: i64 = i64::MIN;

/// Each lookup's values by person, in the order of `ids`, of events in `[as_of − within, as_of)`.
pub(super) fn columns(
    workspace: &Workspace,
    ids: &StringChunked,
    lookups: &[&EventLookup],
    as_of: Instant,
) -> Result<Vec<Series>, PeopleError> {
    let lake = Lake::open(workspace)?;
    let mut asked = prepare(workspace, lookups, ids.len())?;
    let rows: HashMap<&str, usize> =
        ids.iter().enumerate().filter_map(|(row, id)| Some((id?, row))).collect();
    let mut by_event: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (index, lookup) in lookups.iter().enumerate() {
        by_event.entry(standard_name(&lookup.event)).or_default().push(index);
    }
    let needed = needed(lookups);
    for file in files(&lake, lookups, as_of) {
        add(&lake.events(file, &needed)?, &rows, &by_event, &mut asked, as_of);
    }
    Ok(asked.into_iter().map(|asked| asked.totals.finish(as_of)).collect())
}

/// Files that may hold an event that is asked for.
fn files<'a>(lake: &'a Lake, lookups: &[&EventLookup], as_of: Instant) -> Vec<&'a LakeFile> {
    let longest = lookups.iter().map(|lookup| lookup.within.map_or(i64::MAX, |within| within.micros())).max();
    let from = Instant::from_micros(as_of.micros().saturating_sub(longest.unwrap_or_default()));
    let mut files = lake.files_within(from, as_of);
    files.retain(|file| lookups.iter().any(|lookup| file.holds(&lookup.event)));
    files
}

/// The columns of events that somebody asks for.
fn needed(lookups: &[&EventLookup]) -> Vec<EventColumn> {
    let mut columns = vec![EventColumn::UserId, EventColumn::Name, EventColumn::Timestamp];
    let conditions = || lookups.iter().flat_map(|lookup| &lookup.conditions);
    let sums = lookups.iter().any(|lookup| lookup.aggregate == EventAggregate::Sum);
    columns.extend(sums.then_some(EventColumn::Value));
    columns.extend(conditions().map(|condition| match condition {
        EventCondition::Category(_) | EventCondition::Tag(_) | EventCondition::ContentId(_) => {
            EventColumn::ContentId
        }
        EventCondition::CampaignId(_) => EventColumn::CampaignId,
        EventCondition::Channel(_) => EventColumn::Channel,
        EventCondition::Value(_) => EventColumn::Value,
    }));
    columns.sort_unstable();
    columns.dedup();
    columns
}

/// A lookup with what has been found so far.
struct AskedEvents<'a> {
    lookup: &'a EventLookup,
    /// Contents of the categories and tags that it asks for; `None` when it asks for none.
    contents: Option<HashSet<String>>,
    totals: Totals,
}

/// One value a person.
enum Totals {
    Counts(Vec<i64>),
    /// In millionths.
    Sums(Vec<i128>),
    /// Microseconds since the epoch; the newest, or the oldest.
    Moments {
        newest: bool,
        of: Vec<i64>,
    },
}

fn prepare<'a>(
    workspace: &Workspace,
    lookups: &[&'a EventLookup],
    people: usize,
) -> Result<Vec<AskedEvents<'a>>, PeopleError> {
    let asks_for_contents = |lookup: &&&EventLookup| lookup.conditions.iter().any(is_about_content);
    let declared = match lookups.iter().any(|lookup| asks_for_contents(&lookup)) {
        true => content_rows(workspace)?,
        false => Vec::new(),
    };
    let prepared = |lookup: &&'a EventLookup| AskedEvents {
        lookup,
        contents: asks_for_contents(&lookup).then(|| {
            let fitting =
                declared.iter().filter(|(_, category, tags)| fits(lookup, category.as_deref(), tags));
            fitting.map(|(content_id, ..)| content_id.clone()).collect()
        }),
        totals: match lookup.aggregate {
            EventAggregate::Count => Totals::Counts(vec![0; people]),
            EventAggregate::Sum => Totals::Sums(vec![0; people]),
            EventAggregate::Last => Totals::Moments { newest: true, of: vec![NEVER; people] },
            EventAggregate::First => Totals::Moments { newest: false, of: vec![NEVER; people] },
        },
    };
    Ok(lookups.iter().map(prepared).collect())
}

fn is_about_content(condition: &EventCondition) -> bool {
    matches!(condition, EventCondition::Category(_) | EventCondition::Tag(_))
}

/// Is a content of the categories and tags that are asked for? One without category or tags is of none, also not of another.
fn fits(lookup: &EventLookup, category: Option<&str>, tags: &[String]) -> bool {
    lookup.conditions.iter().all(|condition| match condition {
        EventCondition::Category(test) => category.is_some_and(|category| test.holds(category)),
        EventCondition::Tag(test) => !tags.is_empty() && test.holds_of_any(tags.iter().map(String::as_str)),
        _ => true,
    })
}

fn add(
    events: &StoredEvents,
    rows: &HashMap<&str, usize>,
    by_event: &BTreeMap<&str, Vec<usize>>,
    asked: &mut [AskedEvents<'_>],
    as_of: Instant,
) {
    for event in events.iter().filter(|event| event.timestamp < as_of) {
        let Some(indices) = by_event.get(event.name) else { continue };
        let Some(row) = rows.get(event.user_id) else { continue };
        for index in indices {
            let asked = &mut asked[*index];
            if asked.takes(&event, as_of) {
                asked.totals.add(*row, &event);
            }
        }
    }
}

impl AskedEvents<'_> {
    fn takes(&self, event: &StoredEvent<'_>, as_of: Instant) -> bool {
        let age = as_of.micros() - event.timestamp.micros();
        let said = |name: Option<&str>, holds: &dyn Fn(&str) -> bool| name.is_some_and(holds);
        self.lookup.within.is_none_or(|within| age <= within.micros())
            && self.contents.as_ref().is_none_or(|of| said(event.content_id, &|id| of.contains(id)))
            && self.lookup.conditions.iter().all(|condition| match condition {
                EventCondition::Category(_) | EventCondition::Tag(_) => true,
                EventCondition::ContentId(test) => said(event.content_id, &|id| test.holds(id)),
                EventCondition::CampaignId(test) => said(event.campaign_id, &|id| test.holds(id)),
                EventCondition::Channel(test) => {
                    said(event.channel, &|name| test.holds(&name.to_lowercase()))
                }
                EventCondition::Value(test) => event.value.is_some_and(|value| test.0.holds(value)),
            })
    }
}

impl Totals {
    fn add(&mut self, row: usize, event: &StoredEvent<'_>) {
        let at = event.timestamp.micros();
        match self {
            Totals::Counts(of) => of[row] += 1,
            Totals::Sums(of) => of[row] += micros_of(event.value),
            Totals::Moments { newest: true, of } => of[row] = of[row].max(at),
            Totals::Moments { newest: false, of } => {
                of[row] = if of[row] == NEVER { at } else { of[row].min(at) };
            }
        }
    }

    /// Counts, sums, and days of 24 hours since moments.
    fn finish(self, as_of: Instant) -> Series {
        let title = || "events".into();
        let since = |at: i64| (at != NEVER).then(|| (as_of.micros() - at) as f64 / DAY as f64);
        match self {
            Totals::Counts(of) => Int64Chunked::from_vec(title(), of).into_series(),
            Totals::Sums(of) => {
                let sums = of.into_iter().map(|micros| micros as f64 / 1e6).collect();
                Float64Chunked::from_vec(title(), sums).into_series()
            }
            Totals::Moments { of, .. } => {
                Float64Chunked::from_iter_options(title(), of.into_iter().map(since)).into_series()
            }
        }
    }
}
