//! Segments as campaigns' audiences: frozen for a plan, and asked about single people for a decision.

use std::collections::{BTreeMap, BTreeSet};

use super::desk::{Desk, DeskError, needs_of};
use super::privacy::Reader;
use crate::language::keys::{LookupKey, Needs};
use crate::language::predicate::Predicate;
use crate::people::reach::{CAN_BE_PUSHED, with_can_be_pushed};
use crate::people::row::{Person, is_member};
use crate::people::{People, PeopleError};
use config::Config;
use decisions::context::{Audience, Membership};
use domain::time::Instant;
use files::workspace::Workspace;
use models::material::Material;
use profiles::table::ProfileFile;

/// Segments that are kept ready; who asks for more of them gets no answer.
const MOST_SEGMENTS: usize = 500;

/// Columns of everybody that are kept for all of them together.
const MOST_COLUMNS: usize = 500;

/// Longest reason that is logged with a decision, in characters.
const LONGEST_REASON: usize = 200;

/// Who is in a segment, by one version of it at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frozen {
    /// The segment.
    pub segment_id: String,
    /// The version that was evaluated.
    pub version: String,
    /// The moment of the profiles that it was evaluated on.
    pub as_of: Instant,
    /// Ids, sorted.
    pub members: Vec<String>,
}

/// Evaluates a saved segment on the newest profiles that are not after `now`.
///
/// # Errors
/// When it is not in use, or cannot be evaluated.
pub fn freeze(
    workspace: &Workspace,
    config: &Config,
    segment_id: &str,
    now: Instant,
) -> Result<Frozen, DeskError> {
    let desk = Desk::open(workspace, config)?;
    let as_of = ProfileFile::find_until(workspace, now)?.as_of;
    let asked = desk.saved_one(segment_id, as_of)?;
    let version = asked.card.as_ref().map(|card| card.version.clone()).unwrap_or_default();
    let evaluated = desk.evaluate(&[asked], as_of, Reader::DataTeam, &BTreeSet::new())?;
    Ok(Frozen { segment_id: segment_id.to_string(), version, as_of, members: evaluated.members() })
}

/// Segments ready to be asked about single people; plain memory, whatever the files become.
#[derive(Debug, Default)]
pub struct Audiences {
    segments: BTreeMap<String, Standing>,
    /// People of the profiles; `None` when there are none.
    people: Option<People>,
    /// Declared users whom these profiles do not know.
    newcomers: Option<People>,
}

/// What is known of a segment.
#[derive(Debug)]
enum Standing {
    /// It can be asked.
    Ready { version: String, predicate: Predicate, needs: Needs },
    /// Nobody can tell who is in it.
    Broken { version: Option<String>, why: String },
}

impl Audiences {
    /// Makes segments ready, on the newest profiles that are not after `now`. What is wrong with one is its own answer.
    ///
    /// `material`, when it is of the profiles' moment, saves reading the events again.
    pub fn build(
        workspace: &Workspace,
        config: &Config,
        segment_ids: &BTreeSet<&str>,
        now: Instant,
        material: &Material,
    ) -> Audiences {
        if segment_ids.is_empty() {
            return Audiences::default();
        }
        let desk = Desk::open(workspace, config).map(|desk| desk.beside(material));
        let started = desk.and_then(|desk| {
            let as_of = ProfileFile::find_until(workspace, now)?.as_of;
            let people = People::read(workspace, Some(as_of), &Needs::default(), &desk.zone)?;
            Ok((desk, people))
        });
        match started {
            Ok((desk, people)) => Audiences::on(&desk, people, segment_ids),
            Err(error) => {
                let broken = |id: &&str| (id.to_string(), Standing::broken(None, &error));
                Audiences { segments: segment_ids.iter().map(broken).collect(), ..Audiences::default() }
            }
        }
    }

    fn on(desk: &Desk<'_>, mut people: People, segment_ids: &BTreeSet<&str>) -> Audiences {
        let mut segments = BTreeMap::new();
        for id in segment_ids.iter().take(MOST_SEGMENTS) {
            let standing = match Standing::ready(desk, &people, id) {
                Ok((standing, more)) => {
                    people = more;
                    standing
                }
                Err(error) => {
                    let card = desk.saved.any(id).ok().map(|segment| segment.card.version.clone());
                    Standing::broken(card, &error)
                }
            };
            segments.insert(id.to_string(), standing);
        }
        let newcomers = newcomers(desk, &people, &segments);
        if let Err(error) = &newcomers {
            tracing::warn!(%error, "users who came after the profiles are in no audience");
        }
        Audiences { segments, people: Some(people), newcomers: newcomers.ok() }
    }

    /// Is the user in the segment? Whom nobody knows is not.
    pub fn of(&self, segment_id: &str, user_id: &str) -> Audience {
        let (version, membership) = match self.segments.get(segment_id) {
            None => (None, unknown("the segment is not kept ready")),
            Some(Standing::Broken { version, why }) => (version.clone(), unknown(why)),
            Some(Standing::Ready { version, predicate, needs }) => {
                (Some(version.clone()), self.membership(predicate, needs, user_id))
            }
        };
        Audience { segment_id: segment_id.to_string(), version, membership }
    }

    fn membership(&self, predicate: &Predicate, needs: &Needs, user_id: &str) -> Membership {
        let Some(person) = self.person(needs, user_id) else { return Membership::Other };
        match is_member(predicate, &person) {
            Ok(true) => Membership::Member,
            Ok(false) => Membership::Other,
            Err(error) => unknown(&error.to_string()),
        }
    }

    /// What is known of a user under each key that is needed.
    fn person(&self, needs: &Needs, user_id: &str) -> Option<Person> {
        let of = |people: &Option<People>| {
            let people = people.as_ref()?;
            Some(people.person_for(people.row_of(user_id)?, needs))
        };
        of(&self.people).or_else(|| {
            // Of a newcomer nothing is known that only a profile tells.
            let known = of(&self.newcomers)?;
            Some(needs.keys.iter().map(|key| (key.clone(), known.get(key).cloned().flatten())).collect())
        })
    }
}

impl Standing {
    /// A segment with the people of whom everything that it needs is looked up.
    fn ready(desk: &Desk<'_>, people: &People, id: &str) -> Result<(Standing, People), DeskError> {
        let asked = desk.saved_one(id, people.as_of())?;
        let needs = needs_of(std::slice::from_ref(&asked), Reader::DataTeam, &BTreeSet::new())?;
        let version = asked.card.map(|card| card.version).unwrap_or_default();
        let more = people.missing(&needs).len();
        if people.columns() + more > MOST_COLUMNS {
            return Err(DeskError::TooLarge(people.columns() + more));
        }
        let people = desk.look_up(people.clone(), &needs)?;
        match people.missing(&needs).into_iter().next() {
            Some(key) => Err(PeopleError::Missing(key).into()),
            None => Ok((Standing::Ready { version, predicate: asked.predicate, needs }, people)),
        }
    }

    fn broken(version: Option<String>, error: &DeskError) -> Standing {
        let text = error.to_string();
        let why = text.lines().next().unwrap_or_default().chars().take(LONGEST_REASON).collect();
        Standing::Broken { version, why }
    }
}

fn unknown(why: &str) -> Membership {
    Membership::Unknown { why: why.chars().take(LONGEST_REASON).collect() }
}

fn newcomers(
    desk: &Desk<'_>,
    people: &People,
    segments: &BTreeMap<String, Standing>,
) -> Result<People, DeskError> {
    let keys = |standing: &Standing| match standing {
        Standing::Ready { needs, .. } => needs.keys.clone(),
        Standing::Broken { .. } => BTreeSet::new(),
    };
    let needs = Needs { keys: segments.values().flat_map(keys).collect() };
    let mut newcomers = people.newcomers(desk.workspace, &needs, &desk.zone)?;
    for key in &needs.keys {
        if let LookupKey::List(id) = key {
            let ids = desk.saved.members_of_list(id)?;
            newcomers = newcomers.with_list(id, &ids.iter().map(String::as_str).collect())?;
        }
    }
    if needs.keys.contains(&CAN_BE_PUSHED) {
        newcomers = with_can_be_pushed(newcomers, desk.workspace, desk.config)?;
    }
    Ok(newcomers)
}
