//! People of the newest profiles kept between questions: a second one reads no table again.
//!
//! An answer comes from one state of the files: when they change while it is made, it is made again.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use super::desk::{AskedSegment, Desk, DeskError, Evaluated, catalogue, needs_of};
use super::privacy::Reader;
use crate::language::fields::FieldCatalogue;
use crate::language::keys::{LookupKey, Needs};
use crate::people::reach::{self, Reach};
use crate::people::{People, PeopleError};
use config::Config;
use domain::time::Instant;
use domain::zone::Zone;
use files::workspace::Workspace;
use profiles::table::ProfileFile;

/// Times that an answer is made before its asker is told to come again.
const MOST_ATTEMPTS: usize = 3;

/// Between two of them; a build needs about so long to write its files.
const PAUSE: Duration = Duration::from_millis(100);

/// Columns kept of all people; beyond, they are looked up again.
const MOST_COLUMNS: usize = 64;

/// What was looked up of the people last.
#[derive(Debug, Default)]
pub struct PeopleCache {
    kept: Mutex<Option<CachedPeople>>,
    /// Held by who learns: whoever needs the same meanwhile waits, and then finds it.
    learning: Mutex<()>,
}

/// One state of the files with what was read from them.
#[derive(Clone, Debug)]
struct CachedPeople {
    stamp: Stamp,
    catalogue: Arc<FieldCatalogue>,
    people: People,
    reach: Option<Arc<Vec<Reach>>>,
}

/// Which state of the files: the profile build, and length and time of change of what is read beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Stamp {
    as_of: Instant,
    profiles_sha256: String,
    files: Vec<Option<(u64, Option<SystemTime>)>>,
}

impl Stamp {
    fn of(workspace: &Workspace, now: Instant) -> Result<Stamp, DeskError> {
        let file = ProfileFile::find_until(workspace, now)?;
        let tables = ["users", "contents", "campaigns"].map(|name| workspace.table(name));
        let lake = workspace.events().join("_manifest.json");
        let goals = fs::read_dir(workspace.models()).into_iter().flatten().flatten().map(|goal| goal.path());
        let mut goals: Vec<_> = goals.collect();
        goals.sort_unstable();
        let models = goals.into_iter().flat_map(|goal| {
            let journal = goal.join("champions.jsonl");
            [goal.join("champion"), journal, goal]
        });
        let files = tables.into_iter().chain([lake]).chain(models).map(|path| look_at(&path)).collect();
        Ok(Stamp { as_of: file.as_of, profiles_sha256: file.manifest.sha256, files })
    }
}

fn look_at(path: &Path) -> Option<(u64, Option<SystemTime>)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()))
}

/// One question's view of the people as of a moment.
pub struct View<'a> {
    /// The desk.
    pub desk: Desk<'a>,
    as_of: Instant,
    source: PeopleSource<'a>,
}

/// Where a view's people come from.
#[derive(Debug)]
enum PeopleSource<'a> {
    /// Out of one state of the files, kept between questions.
    Kept { cache: &'a PeopleCache, kept: Box<CachedPeople> },
    /// Read for this question, once it is known what is needed of them.
    Read(Option<People>),
}

impl<'a> View<'a> {
    /// A view of people who are read for one question alone.
    pub fn once(desk: Desk<'a>, as_of: Instant) -> View<'a> {
        View { desk, as_of, source: PeopleSource::Read(None) }
    }

    /// The moment that people are seen at.
    pub fn as_of(&self) -> Instant {
        self.as_of
    }

    /// Evaluates segments, looking up `also` beside what they need.
    ///
    /// # Errors
    /// As [`Desk::evaluate`].
    pub fn evaluate(
        &mut self,
        asked: &[AskedSegment],
        reader: Reader,
        also: &BTreeSet<LookupKey>,
    ) -> Result<Evaluated, DeskError> {
        match &mut self.source {
            PeopleSource::Kept { cache, kept } => kept.evaluate(cache, &self.desk, asked, reader, also),
            PeopleSource::Read(read) => {
                let evaluated = match read.take() {
                    Some(people) => self.desk.evaluate_on(people, asked, reader, also)?,
                    None => self.desk.evaluate(asked, self.as_of, reader, also)?,
                };
                *read = Some(evaluated.people.clone());
                Ok(evaluated)
            }
        }
    }

    /// What keeps a push from each person.
    ///
    /// # Errors
    /// When it cannot be looked up.
    pub fn reach(&mut self) -> Result<Arc<Vec<Reach>>, DeskError> {
        let needs = Needs { keys: reach::needed() };
        match &mut self.source {
            PeopleSource::Kept { kept, .. } => kept.reach(&self.desk, &needs),
            PeopleSource::Read(read) => {
                let people = match read.take() {
                    Some(people) => self.desk.look_up(people, &needs)?,
                    None => People::read(self.desk.workspace, Some(self.as_of), &needs, &self.desk.zone)?,
                };
                let reached = reach_of(&self.desk, &people)?;
                *read = Some(people);
                Ok(Arc::new(reached))
            }
        }
    }
}

impl CachedPeople {
    /// Evaluates on what is kept, and keeps what takes long to learn.
    fn evaluate(
        &mut self,
        cache: &PeopleCache,
        desk: &Desk<'_>,
        asked: &[AskedSegment],
        reader: Reader,
        also: &BTreeSet<LookupKey>,
    ) -> Result<Evaluated, DeskError> {
        let keys = needs_of(asked, reader, also)?.keys;
        let is_slow = |key: &LookupKey| key.is_learned() && self.people.column(key).is_none();
        let turn = keys.iter().any(is_slow).then(|| {
            let turn = held(&cache.learning);
            if let Some(kept) = cache.kept_of(&self.stamp) {
                *self = kept;
            }
            turn
        });
        let evaluated = desk.evaluate_on(self.people.clone(), asked, reader, also)?;
        self.people = evaluated.people.clone();
        if turn.is_some() {
            cache.keep(self.clone());
        }
        Ok(evaluated)
    }

    fn reach(&mut self, desk: &Desk<'_>, needs: &Needs) -> Result<Arc<Vec<Reach>>, DeskError> {
        if let Some(reach) = &self.reach {
            return Ok(Arc::clone(reach));
        }
        let people = desk.look_up(self.people.clone(), needs)?;
        let reach = Arc::new(reach_of(desk, &people)?);
        (self.people, self.reach) = (people, Some(Arc::clone(&reach)));
        Ok(reach)
    }
}

fn reach_of(desk: &Desk<'_>, people: &People) -> Result<Vec<Reach>, PeopleError> {
    reach::reach(people, desk.workspace, desk.config)
}

impl PeopleCache {
    /// Answers from one state of the files: the newest profiles that are not after `now`.
    ///
    /// # Errors
    /// The answer's own, or that the files keep changing ([`PeopleError::Rebuilt`]).
    pub fn ask<T, E: From<DeskError>>(
        &self,
        workspace: &Workspace,
        config: &Config,
        now: Instant,
        answer: impl Fn(&mut View<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        for attempt in 0..MOST_ATTEMPTS {
            if attempt > 0 {
                std::thread::sleep(PAUSE);
            }
            let kept = match self.current(workspace, config, now) {
                Ok(kept) => kept,
                Err(_) if has_changed_since(workspace, now, None) => continue,
                Err(error) => return Err(error.into()),
            };
            let desk = Desk::with_catalogue(workspace, config, Arc::clone(&kept.catalogue))?;
            let (as_of, kept) = (kept.people.as_of(), Box::new(kept));
            let mut view = View { desk, as_of, source: PeopleSource::Kept { cache: self, kept } };
            let answered = answer(&mut view);
            if let PeopleSource::Kept { kept, .. } = view.source
                && !has_changed_since(workspace, now, Some(&kept.stamp))
            {
                self.keep(*kept);
                return answered;
            }
        }
        Err(DeskError::from(PeopleError::Rebuilt(workspace.profiles())).into())
    }

    /// The fields; there need be no profiles.
    ///
    /// # Errors
    /// When the users cannot be read.
    pub fn catalogue(
        &self,
        workspace: &Workspace,
        config: &Config,
        now: Instant,
    ) -> Result<Arc<FieldCatalogue>, DeskError> {
        let stamp = Stamp::of(workspace, now).ok();
        match stamp.and_then(|stamp| self.kept_of(&stamp)) {
            Some(kept) => Ok(kept.catalogue),
            None => Ok(Arc::new(catalogue(workspace, config)?)),
        }
    }

    /// What is kept of the state in force, or that state read anew.
    fn current(
        &self,
        workspace: &Workspace,
        config: &Config,
        now: Instant,
    ) -> Result<CachedPeople, DeskError> {
        let stamp = Stamp::of(workspace, now)?;
        if let Some(kept) = self.kept_of(&stamp) {
            return Ok(kept);
        }
        let catalogue = Arc::new(catalogue(workspace, config)?);
        let zone = Zone::find(&config.default_time_zone)?;
        let people = People::read(workspace, Some(stamp.as_of), &Needs::default(), &zone)?;
        Ok(CachedPeople { stamp, catalogue, people, reach: None })
    }

    fn keep(&self, mut kept: CachedPeople) {
        kept.people = kept.people.without_lists();
        if kept.people.columns() > MOST_COLUMNS {
            kept.people = People::new(kept.people.as_of(), kept.people.ids().clone());
        }
        *held(&self.kept) = Some(kept);
    }

    fn kept_of(&self, stamp: &Stamp) -> Option<CachedPeople> {
        held(&self.kept).as_ref().filter(|kept| kept.stamp == *stamp).cloned()
    }
}

/// A lock; what a panic has left behind is whole.
fn held<T>(lock: &Mutex<T>) -> MutexGuard<'_, T> {
    lock.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Are the files in another state than this one? Without one: are profiles being built, that is, are there some without a manifest?
fn has_changed_since(workspace: &Workspace, now: Instant, stamp: Option<&Stamp>) -> bool {
    match (Stamp::of(workspace, now), stamp) {
        (Ok(now), Some(stamp)) => now != *stamp,
        (Ok(_), None) => false,
        (Err(_), _) => {
            let builds = fs::read_dir(workspace.profiles()).into_iter().flatten().flatten();
            builds.into_iter().any(|build| build.path().join("profiles.parquet").exists())
        }
    }
}
