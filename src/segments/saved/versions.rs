//! Saved segments: each a directory of versions that never change, and a card that names the current one.
//!
//! `data/segments/ID/segment.json` is the card: which version counts, since when, and all that counted before.
//! `versions/VERSION.json` is a definition, and its name the first 12 hex digits of its sha256; the members of an uploaded list lie
//! beside it. A card changes by one rename, so a segment is the old one or the new one and never half of each.
//!
//! Reading and writing are apart: [`SavedSegments`] is what was saved when it was read, and [`save`], [`save_list`] and
//! [`delete`] begin from the card as it is on disk, under the writer's lock, so that no version is lost between them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use polars::prelude::*;
use serde::{Deserialize, Serialize};

use crate::language::compile::Saved;
use crate::language::expression::{Condition, Expression, Subject, Test};
use crate::language::fields::AttributeTypes;
use crate::language::ready_made::{PREFIX, ReadyMade, ready_made};
use crate::language::words::nearest;
use domain::campaign::EVERYBODY;
use domain::error::{Coded, ErrorKind};
use domain::identity::sha256_hex;
use domain::time::Instant;
pub use events::catalogue::campaigns_for;
use files::tables::{self, TableError};
use files::workspace::{Workspace, WriteLock};

/// Version of the files of a saved segment; a newer one is refused.
const FORMAT: u32 = 1;

/// Longest id of a saved segment: it names a directory.
const LONGEST_ID: usize = 64;

/// A saved segment that cannot be used; the text names it.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// An id that is no name of a directory everywhere.
    #[error(
        "bad_segment_id: {0:?}: a segment's id is made of a_z, 0_9, -, _ and ., begins with a letter or digit, and has at most \
         {LONGEST_ID} of them; all and everybody are nobody's segment"
    )]
    BadId(String),
    /// It comes with smartpush.
    #[error("ready_made: {0:?} comes with smartpush: it is neither saved nor deleted")]
    ReadyMade(String),
    /// Nobody saved it.
    #[error("unknown_segment: there is no segment {id:?}{}; `smartpush segment list` shows all", meant(.nearest))]
    Unknown {
        /// The id.
        id: String,
        /// What was probably meant.
        nearest: Option<String>,
    },
    /// It was deleted.
    #[error("deleted_segment: segment {id:?} was deleted at {at}; saving it again brings it back")]
    Deleted {
        /// The id.
        id: String,
        /// When.
        at: String,
    },
    /// A file of ours that is not as we wrote it.
    #[error("bad_segment_file: {}: {detail}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// A file from a newer smartpush.
    #[error("newer_format: {}: format {found}, this smartpush reads up to {FORMAT}", .path.display())]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format number.
        found: u32,
    },
    /// The file system said no.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl Coded for SavedError {
    fn code(&self) -> &'static str {
        match self {
            SavedError::BadId(_) => "bad_segment_id",
            SavedError::ReadyMade(_) => "ready_made",
            SavedError::Unknown { .. } => "unknown_segment",
            SavedError::Deleted { .. } => "deleted_segment",
            SavedError::Damaged { .. } => "bad_segment_file",
            SavedError::NewerFormat { .. } => "newer_format",
            SavedError::Table(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            SavedError::BadId(_) | SavedError::ReadyMade(_) => ErrorKind::Caller,
            SavedError::Unknown { .. } | SavedError::Deleted { .. } => ErrorKind::NotFound,
            SavedError::Damaged { .. } | SavedError::NewerFormat { .. } => ErrorKind::Conflict,
            SavedError::Table(error) => error.kind(),
        }
    }
}

fn meant(nearest: &Option<String>) -> String {
    nearest.as_ref().map(|id| format!("; did you mean {id:?}?")).unwrap_or_default()
}

/// What a version says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Definition {
    /// Whoever the expression holds of.
    Expression(Expression),
    /// Whoever was on the uploaded list.
    List {
        /// How many.
        members: u64,
        /// sha256 of their ids, sorted, one a line.
        sha256: String,
    },
}

/// Which version of a segment counts, and which counted before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Card {
    format: u32,
    /// Its id.
    pub segment_id: String,
    /// The current version.
    pub version: String,
    /// For people.
    pub description: String,
    /// The types that the attributes of its expression had when it was saved; a card of an older build has none, and its
    /// attributes have the types of the present cells.
    #[serde(default, skip_serializing_if = "AttributeTypes::is_empty")]
    pub attribute_types: AttributeTypes,
    /// RFC 3339; `None` while it is in use.
    pub deleted_at: Option<String>,
    /// Every time that it was saved, oldest first.
    pub history: Vec<Saving>,
}

/// One time that a segment was saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Saving {
    /// The version that counted from then on.
    pub version: String,
    /// RFC 3339.
    pub saved_at: String,
}

/// A saved segment as it counts now.
#[derive(Clone, Debug, PartialEq)]
pub struct Segment {
    /// Its card.
    pub card: Card,
    /// Its current definition.
    pub definition: Definition,
}

impl Segment {
    /// As if it had been saved, but never was.
    fn of(ready: ReadyMade) -> Segment {
        let definition = Definition::Expression(ready.expression);
        let version = version_of(&canonical(&definition));
        let (segment_id, description) = (ready.id, ready.description);
        let (attribute_types, deleted_at, history) = (AttributeTypes::new(), None, Vec::new());
        let card =
            Card { format: FORMAT, segment_id, version, description, attribute_types, deleted_at, history };
        Segment { card, definition }
    }

    /// As an expression; of a list, "is on it".
    pub fn expression(&self) -> Expression {
        match &self.definition {
            Definition::Expression(expression) => expression.clone(),
            Definition::List { .. } => {
                let subject = Subject::InSegment(self.card.segment_id.clone());
                Expression::Condition(Condition { subject, test: Test::IsTrue })
            }
        }
    }
}

impl Segment {
    /// One JSON object: the card, and what the current version says as text, as tree, and as it is stored.
    pub fn to_json(&self) -> serde_json::Value {
        let expression = self.expression();
        let mut report = serde_json::json!(self.card);
        report["where"] = serde_json::json!(expression.to_string());
        report["expression"] = serde_json::json!(expression);
        report["definition"] = serde_json::json!(self.definition);
        report
    }
}

/// A saved segment with a file that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedSegment {
    /// Its id.
    pub segment_id: String,
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub detail: String,
    /// The format of the file, when a newer smartpush wrote it.
    newer_format: Option<u32>,
    /// File and reason, without the path of the workspace.
    why: String,
}

impl DamagedSegment {
    fn new(directory: &Path, id: &str, error: SavedError) -> DamagedSegment {
        let (path, detail, newer_format) = match error {
            SavedError::Damaged { path, detail } => (path, detail, None),
            SavedError::NewerFormat { path, found } => {
                (path, format!("format {found}, this smartpush reads up to {FORMAT}"), Some(found))
            }
            error => (directory.join(id), error.to_string(), None),
        };
        let name = path.strip_prefix(directory).unwrap_or(&path);
        let why = format!("segments/{}: {detail}", name.display());
        DamagedSegment { segment_id: id.to_string(), path, detail, newer_format, why }
    }

    fn error(&self) -> SavedError {
        let (path, detail) = (self.path.clone(), self.detail.clone());
        match self.newer_format {
            Some(found) => SavedError::NewerFormat { path, found },
            None => SavedError::Damaged { path, detail },
        }
    }

    /// One JSON object: which segment, and file and reason, without the path of the workspace.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!({ "segment_id": self.segment_id, "damaged": self.why })
    }
}

/// All saved segments of a workspace, and the ready-made ones.
#[derive(Clone, Debug)]
pub struct SavedSegments {
    directory: PathBuf,
    by_id: BTreeMap<String, Segment>,
    damaged: BTreeMap<String, DamagedSegment>,
    ready: BTreeMap<String, Segment>,
}

impl SavedSegments {
    /// Reads them all, lists without their members; a workspace may have none.
    ///
    /// One that cannot be read does not stop the others: it is among [`SavedSegments::damaged`], and an error when it is
    /// asked for.
    ///
    /// # Errors
    /// When the directory of all segments cannot be read.
    pub fn read(workspace: &Workspace) -> Result<SavedSegments, SavedError> {
        let directory = workspace.segments();
        let (mut by_id, mut damaged) = (BTreeMap::new(), BTreeMap::new());
        for id in names_in(&directory)? {
            // A directory without a card is what a crash has left of a first save.
            if !is_segment_id(&id) || !card_path(&directory, &id).exists() {
                continue;
            }
            match read_segment(&directory, &id) {
                Ok(segment) => {
                    by_id.insert(id, segment);
                }
                Err(error) => {
                    damaged.insert(id.clone(), DamagedSegment::new(&directory, &id, error));
                }
            }
        }
        Ok(SavedSegments { directory, by_id, damaged, ready: by_ready_id(&[]) })
    }

    /// The same with ready-made tenths of these goals about users.
    pub fn with_goals(self, goals: &[String]) -> SavedSegments {
        SavedSegments { ready: by_ready_id(goals), ..self }
    }

    /// All that were saved and can be read, deleted ones too, by id.
    pub fn all(&self) -> impl Iterator<Item = &Segment> {
        self.by_id.values()
    }

    /// Those that cannot be read, by id.
    pub fn damaged(&self) -> impl Iterator<Item = &DamagedSegment> {
        self.damaged.values()
    }

    /// What an expression that names a segment gets; nothing for a deleted one.
    pub fn find(&self, id: &str) -> Option<Saved<'_>> {
        if let Some(damaged) = self.damaged.get(id) {
            return Some(Saved::Damaged(&damaged.why));
        }
        let segment = self.known(id).filter(|segment| segment.card.deleted_at.is_none())?;
        Some(match &segment.definition {
            Definition::Expression(expression) => {
                Saved::Expression(expression, &segment.card.attribute_types)
            }
            Definition::List { .. } => Saved::List,
        })
    }

    fn known(&self, id: &str) -> Option<&Segment> {
        self.by_id.get(id).or_else(|| self.ready.get(id))
    }

    /// A segment, deleted or not.
    pub fn any(&self, id: &str) -> Result<&Segment, SavedError> {
        if let Some(damaged) = self.damaged.get(id) {
            return Err(damaged.error());
        }
        self.known(id).ok_or_else(|| {
            let names = self.by_id.keys().chain(self.ready.keys());
            let nearest = nearest(id, names.map(String::as_str)).map(str::to_string);
            SavedError::Unknown { id: id.chars().take(LONGEST_ID).collect(), nearest }
        })
    }

    /// A segment that is in use.
    pub fn in_use(&self, id: &str) -> Result<&Segment, SavedError> {
        let segment = self.any(id)?;
        match &segment.card.deleted_at {
            None => Ok(segment),
            Some(at) => Err(SavedError::Deleted { id: id.to_string(), at: at.clone() }),
        }
    }

    /// Ids of the members of an uploaded list, sorted; of any other segment none.
    pub fn members_of_list(&self, id: &str) -> Result<Vec<String>, SavedError> {
        let segment = self.in_use(id)?;
        match &segment.definition {
            Definition::Expression(_) => Ok(Vec::new()),
            Definition::List { .. } => read_ids(&list_path(&self.directory.join(id), &segment.card.version)),
        }
    }

    /// Other segments in use whose own expression names this one.
    pub fn naming(&self, id: &str) -> Vec<&str> {
        let names_it = |segment: &&Segment| match &segment.definition {
            Definition::Expression(expression) => names(expression, id),
            Definition::List { .. } => false,
        };
        let in_use = self.by_id.values().filter(|segment| segment.card.deleted_at.is_none());
        in_use.filter(names_it).map(|segment| segment.card.segment_id.as_str()).collect()
    }

    /// Where a segment's evaluations are kept.
    pub fn evaluations(&self, id: &str) -> PathBuf {
        // A colon is no part of a file's name everywhere, and no saved segment's id begins with `_`.
        let home = id.strip_prefix(PREFIX).map_or_else(|| id.to_string(), |name| format!("_ready-{name}"));
        self.directory.join(home).join("evaluations")
    }
}

/// Saves an expression as the current version, with the types of its attributes; returns the segment and whether that
/// changed anything.
///
/// # Errors
/// When the id is none, the present card cannot be read, or a file cannot be written.
pub fn save(
    workspace: &Workspace,
    id: &str,
    (expression, types): (&Expression, AttributeTypes),
    description: Option<&str>,
    now: Instant,
    lock: &WriteLock,
) -> Result<(Segment, bool), SavedError> {
    let definition = Definition::Expression(expression.clone());
    put(workspace, id, (definition, types), None, description, now, lock)
}

/// Saves a list of ids, sorted and without duplicates, as the current version; returns as [`save`].
///
/// # Errors
/// As [`save`].
pub fn save_list(
    workspace: &Workspace,
    id: &str,
    members: &[String],
    description: Option<&str>,
    now: Instant,
    lock: &WriteLock,
) -> Result<(Segment, bool), SavedError> {
    let sha256 = sha256_hex(members.join("\n").as_bytes());
    let definition = Definition::List { members: members.len() as u64, sha256 };
    put(workspace, id, (definition, AttributeTypes::new()), Some(members), description, now, lock)
}

fn put(
    workspace: &Workspace,
    id: &str,
    (definition, types): (Definition, AttributeTypes),
    members: Option<&[String]>,
    description: Option<&str>,
    now: Instant,
    lock: &WriteLock,
) -> Result<(Segment, bool), SavedError> {
    check_id(id)?;
    let before = present_card(workspace, id, lock)?;
    let directory = workspace.segments();
    let home = directory.join(id);
    let bytes = canonical(&definition);
    let version = version_of(&bytes);
    if let Some(members) = members {
        write_ids(&list_path(&home, &version), members)?;
    }
    tables::write_atomically(&definition_path(&home, &version), |file| file.write_all(bytes.as_bytes()))?;
    let card = next_card(before.as_ref(), id, (version, types), description, now);
    let is_changed = before.as_ref() != Some(&card);
    if is_changed {
        write_card(&directory, &card)?;
    }
    Ok((Segment { card, definition }, is_changed))
}

/// May a segment be saved under this id?
///
/// # Errors
/// When it comes with smartpush, or names no directory everywhere.
pub fn check_id(id: &str) -> Result<(), SavedError> {
    refuse_ready_made(id)?;
    match is_segment_id(id) {
        true => Ok(()),
        false => Err(SavedError::BadId(id.chars().take(LONGEST_ID).collect())),
    }
}

/// Takes a segment out of use; its versions and evaluations stay.
///
/// # Errors
/// When it is not in use, its card cannot be read, or it cannot be written.
pub fn delete(workspace: &Workspace, id: &str, now: Instant, lock: &WriteLock) -> Result<Card, SavedError> {
    refuse_ready_made(id)?;
    let mut card = match present_card(workspace, id, lock)? {
        Some(card) if card.deleted_at.is_none() => card,
        // Unknown, or deleted before: the answer says which.
        _ => SavedSegments::read(workspace)?.in_use(id)?.card.clone(),
    };
    card.deleted_at = Some(now.to_string());
    write_card(&workspace.segments(), &card)?;
    Ok(card)
}

/// The card of a segment as it is on disk, deleted or not; `None` before the first save.
///
/// # Errors
/// When it cannot be read: its history would be lost by writing over it.
pub fn present_card(workspace: &Workspace, id: &str, _lock: &WriteLock) -> Result<Option<Card>, SavedError> {
    let directory = workspace.segments();
    match is_segment_id(id) && card_path(&directory, id).exists() {
        true => read_card(&directory, id).map(Some),
        false => Ok(None),
    }
}

fn by_ready_id(goals: &[String]) -> BTreeMap<String, Segment> {
    ready_made(goals).into_iter().map(|ready| (ready.id.clone(), Segment::of(ready))).collect()
}

fn refuse_ready_made(id: &str) -> Result<(), SavedError> {
    match id.starts_with(PREFIX) {
        true => Err(SavedError::ReadyMade(id.chars().take(LONGEST_ID).collect())),
        false => Ok(()),
    }
}

/// Lower case only, since some file systems do not tell cases apart.
fn is_segment_id(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    id.len() <= LONGEST_ID
        && !EVERYBODY.contains(&id)
        && id.bytes().next().is_some_and(is_plain)
        && id.bytes().all(|byte| is_plain(byte) || matches!(byte, b'-' | b'_' | b'.'))
}

fn canonical(definition: &Definition) -> String {
    // The tree has no floats that are not finite and no keys but texts: there is nothing that JSON cannot say.
    serde_json::to_string(definition).unwrap_or_else(|error| unreachable!("a definition is JSON: {error}"))
}

/// What a definition's file is called.
fn version_of(bytes: &str) -> String {
    sha256_hex(bytes.as_bytes())[..12].to_string()
}

/// The card after a save; the same card when it says nothing new.
fn next_card(
    before: Option<&Card>,
    id: &str,
    (version, attribute_types): (String, AttributeTypes),
    description: Option<&str>,
    now: Instant,
) -> Card {
    let mut history = before.map(|card| card.history.clone()).unwrap_or_default();
    let is_same = before.is_some_and(|card| card.version == version && card.deleted_at.is_none());
    if !is_same {
        history.push(Saving { version: version.clone(), saved_at: now.to_string() });
    }
    let kept = || before.map(|card| card.description.clone()).unwrap_or_default();
    let description = description.map_or_else(kept, str::to_string);
    let segment_id = id.to_string();
    Card { format: FORMAT, segment_id, version, description, attribute_types, deleted_at: None, history }
}

fn names(expression: &Expression, id: &str) -> bool {
    match expression {
        Expression::Everybody => false,
        Expression::All(members) | Expression::Any(members) => members.iter().any(|member| names(member, id)),
        Expression::Not(negated) => names(negated, id),
        Expression::Condition(Condition { subject, .. }) => {
            matches!(subject, Subject::InSegment(named) if named == id)
        }
    }
}

fn card_path(directory: &Path, id: &str) -> PathBuf {
    directory.join(id).join("segment.json")
}

fn definition_path(home: &Path, version: &str) -> PathBuf {
    home.join("versions").join(format!("{version}.json"))
}

fn list_path(home: &Path, version: &str) -> PathBuf {
    home.join("versions").join(format!("{version}.parquet"))
}

fn write_card(directory: &Path, card: &Card) -> Result<(), SavedError> {
    let text = serde_json::json!(card);
    Ok(tables::write_atomically(&card_path(directory, &card.segment_id), |file| writeln!(file, "{text:#}"))?)
}

fn read_segment(directory: &Path, id: &str) -> Result<Segment, SavedError> {
    let card = read_card(directory, id)?;
    let path = definition_path(&directory.join(id), &card.version);
    let bytes = fs::read(&path).map_err(|error| damaged(&path, error))?;
    if !sha256_hex(&bytes).starts_with(&card.version) {
        return Err(damaged(&path, "it is not what its name says"));
    }
    let definition = serde_json::from_slice(&bytes).map_err(|error| damaged(&path, error))?;
    Ok(Segment { card, definition })
}

fn read_card(directory: &Path, id: &str) -> Result<Card, SavedError> {
    let path = card_path(directory, id);
    let text = fs::read_to_string(&path).map_err(|error| damaged(&path, error))?;
    let json: serde_json::Value = serde_json::from_str(&text).map_err(|error| damaged(&path, error))?;
    if let Some(found) = json["format"].as_u64().filter(|found| *found > u64::from(FORMAT)) {
        return Err(SavedError::NewerFormat { path, found: found as u32 });
    }
    serde_json::from_value(json).map_err(|error| damaged(&path, error))
}

pub(super) fn damaged(path: &Path, detail: impl std::fmt::Display) -> SavedError {
    SavedError::Damaged { path: path.to_path_buf(), detail: detail.to_string() }
}

/// Names of what lies in a directory, which need not exist.
pub(super) fn names_in(directory: &Path) -> Result<Vec<String>, TableError> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(TableError::io(directory))?,
    };
    let name = |entry: std::io::Result<fs::DirEntry>| Ok(entry?.file_name().to_string_lossy().into_owned());
    entries.map(name).collect::<std::io::Result<_>>().map_err(TableError::io(directory))
}

/// Writes ids as a table of one column.
pub(super) fn write_ids(path: &Path, ids: &[String]) -> Result<(), TableError> {
    let column = Column::new("user_id".into(), ids);
    let mut frame = DataFrame::new(ids.len(), vec![column]).map_err(TableError::parquet(path))?;
    tables::write_parquet(path, &mut frame).map(|_| ())
}

/// Reads what [`write_ids`] wrote.
///
/// # Errors
/// When the file cannot be read, or a row of it has no id: members are never fewer than were written.
pub(super) fn read_ids(path: &Path) -> Result<Vec<String>, SavedError> {
    let frame = tables::read_parquet(path, Some(&["user_id"]))?;
    let ids = frame.column("user_id").and_then(|column| column.str().cloned());
    let ids = ids.map_err(TableError::parquet(path))?;
    let id = |(row, id): (usize, Option<&str>)| match id {
        Some(id) => Ok(id.to_string()),
        None => Err(damaged(path, format!("row {}: there is no user_id", row + 1))),
    };
    ids.iter().enumerate().map(id).collect()
}
