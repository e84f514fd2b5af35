//! People of the newest profiles kept between questions: a second one reads no table again.
//!
//! An answer comes from one state of the files: when they change while it is made, it is made again.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use super::desk::{Asked, Desk, DeskError, Evaluated, catalogue, needs_of};
use super::privacy::Reader;
use crate::language::fields::FieldCatalogue;
use crate::language::keys::{Key, Needs};
use crate::people::reach::{self, Reach};
use crate::people::{People, PeopleError};
use config::Config;
use domain::time::Instant;
use domain::zone::Zone;
use files::workspace::Workspace;
use profiles::table::ProfileFile;

/// Times that an answer is made before its asker is told to come again.
const MOST_ATTEMPTS: usize = 3;

/// Between two of them; a build needs about so long to put its files in place.
const PAUSE: Duration = Duration::from_millis(100);

/// Columns kept of all people; beyond, they are looked up again.
const MOST_COLUMNS: usize = 64;

/// What was looked up of the people last.
#[derive(Debug, Default)]
pub struct PeopleCache {
    kept: Mutex<Option<Kept>>,
    /// Held by who learns: whoever needs the same meanwhile waits, and then finds it.
    learning: Mutex<()>,
}

/// One state of the files with what was read from them.
#[derive(Clone, Debug)]
struct Kept {
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
        let tables = ["users", "contents"].map(|name| workspace.table(name));
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

/// One question's view of the people, out of one state of the files.
#[derive(Debug)]
pub struct View<'a> {
    /// The desk.
    pub desk: Desk<'a>,
    cache: &'a PeopleCache,
    kept: Kept,
}

impl View<'_> {
    /// The moment that people are seen at.
    pub fn as_of(&self) -> Instant {
        self.kept.people.as_of()
    }

    /// Evaluates segments, looking up `also` beside what they need.
    ///
    /// # Errors
    /// As [`Desk::evaluate`].
    pub fn evaluate(
        &mut self,
        asked: &[Asked],
        reader: Reader,
        also: &BTreeSet<Key>,
    ) -> Result<Evaluated, DeskError> {
        let keys = needs_of(asked, reader, also)?.keys;
        let is_slow = |key: &Key| key.is_learned() && self.kept.people.column(key).is_none();
        let turn = keys.iter().any(is_slow).then(|| {
            let turn = held(&self.cache.learning);
            if let Some(kept) = self.cache.kept_of(&self.kept.stamp) {
                self.kept = kept;
            }
            turn
        });
        let evaluated = self.desk.evaluate_on(self.kept.people.clone(), asked, reader, also)?;
        self.kept.people = evaluated.people.clone();
        if turn.is_some() {
            self.cache.keep(self.kept.clone());
        }
        Ok(evaluated)
    }

    /// What keeps a push from each person.
    ///
    /// # Errors
    /// When it cannot be looked up.
    pub fn reach(&mut self) -> Result<Arc<Vec<Reach>>, DeskError> {
        if let Some(reach) = &self.kept.reach {
            return Ok(Arc::clone(reach));
        }
        let desk = &self.desk;
        let people = desk.look_up(self.kept.people.clone(), &Needs { keys: reach::needed() })?;
        let reach = Arc::new(reach::reach(&people, desk.workspace, &desk.config.decisions, &desk.zone)?);
        (self.kept.people, self.kept.reach) = (people, Some(Arc::clone(&reach)));
        Ok(reach)
    }
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
            let mut view = View { desk, cache: self, kept };
            let answered = answer(&mut view);
            if !has_changed_since(workspace, now, Some(&view.kept.stamp)) {
                self.keep(view.kept);
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
    fn current(&self, workspace: &Workspace, config: &Config, now: Instant) -> Result<Kept, DeskError> {
        let stamp = Stamp::of(workspace, now)?;
        if let Some(kept) = self.kept_of(&stamp) {
            return Ok(kept);
        }
        let catalogue = Arc::new(catalogue(workspace, config)?);
        let zone = Zone::find(&config.default_time_zone)?;
        let people = People::read(workspace, Some(stamp.as_of), &Needs::default(), &zone)?;
        Ok(Kept { stamp, catalogue, people, reach: None })
    }

    fn keep(&self, mut kept: Kept) {
        kept.people = kept.people.without_lists();
        if kept.people.columns() > MOST_COLUMNS {
            kept.people = People::new(kept.people.as_of(), kept.people.ids().clone());
        }
        *held(&self.kept) = Some(kept);
    }

    fn kept_of(&self, stamp: &Stamp) -> Option<Kept> {
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
