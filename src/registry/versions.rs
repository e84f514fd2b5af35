//! Where models live: `models/<goal>/<version>/`, a champion by name, and a journal of which version replaced which.
//!
//! A version is the first 12 hexadecimal digits of sha256(model.json): equal training, equal version.

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::card::Card;
use super::gate::{Gate, GateLine};
use super::journal;
use super::model::{Model, ModelError, ModelKind};
use super::online_state::OnlineState;
use super::predictions::{About, by_about};
use domain::error::{Coded, ErrorKind};
use domain::goal::is_goal_name;
use domain::identity::sha256_hex;
use domain::time::Instant;
use files::tables::{self, TableError};
use files::workspace::Workspace;

/// A registry that cannot answer.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// There is no such model.
    #[error("unknown_model: goal {goal} has no version {version}; `smartpush models list` names them")]
    UnknownVersion {
        /// The goal.
        goal: String,
        /// The version asked for.
        version: String,
    },
    /// Nothing was trained for this goal yet.
    #[error("no_model: goal {goal} has no model{}; train one with `smartpush train --goal {goal}{}`", .before.map(|moment| format!(" as of {moment} or before")).unwrap_or_default(), .before.map(|moment| format!(" --as-of {moment}")).unwrap_or_default())]
    NoModel {
        /// The goal.
        goal: String,
        /// The moment it must have been trained for at the latest.
        before: Option<Instant>,
    },
    /// Versions were trained for this goal, and none is in use.
    #[error(
        "no_model: goal {goal} has no champion: version {version} was trained {why}; see it with `smartpush models show --goal {goal} {version}`"
    )]
    NoChampion {
        /// The goal.
        goal: String,
        /// The version whose training data end last.
        version: String,
        /// What came of it.
        why: String,
    },
    /// The model's file cannot be used.
    #[error("{error} ({})", .path.display())]
    Unusable {
        /// model.json
        path: PathBuf,
        /// Why.
        error: ModelError,
    },
    /// The model can be used, but what its card said is gone.
    #[error("lost_card: {} is missing or cannot be read; training as of the same moment writes it again", .0.display())]
    LostCard(PathBuf),
    /// A line of the gate does not hold.
    #[error("not_promoted: version {version} of goal {goal}: {line}{}; `--force` promotes it all the same, on record", and_others(*.more))]
    RefusedByGate {
        /// The goal.
        goal: String,
        /// The version.
        version: String,
        /// The first line that does not hold.
        line: Box<GateLine>,
        /// How many more do not.
        more: usize,
    },
    /// A model that was refused: it does not beat the base rate.
    #[error("not_promoted: version {version} of goal {goal} does not beat the base rate on its test days")]
    Refused {
        /// The goal.
        goal: String,
        /// The version.
        version: String,
    },
    /// Another team's predictions, where a model is asked for.
    #[error(
        "not_promoted: version {version} of goal {goal} is another team's table of predictions: it is compared and shadowed, never served"
    )]
    Imported {
        /// The goal.
        goal: String,
        /// The version.
        version: String,
    },
    /// The file that names the champion names no version.
    #[error("bad_champion: {}: it names no version; `smartpush models promote` writes it anew", .0.display())]
    BadPointer(PathBuf),
    /// A line of the journal cannot be read, so that nobody knows which versions are withdrawn.
    #[error("bad_journal: {}:{line}: {detail}; put the file back from a copy, or correct the line", .path.display())]
    BadJournal {
        /// champions.jsonl
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Why it cannot be read.
        detail: String,
    },
    /// There is no former champion.
    #[error("no_former_champion: goal {0} has had no other champion to go back to")]
    NoFormerChampion(String),
    /// A file cannot be read or written.
    #[error(transparent)]
    Table(#[from] TableError),
}

impl Coded for RegistryError {
    fn code(&self) -> &'static str {
        match self {
            RegistryError::UnknownVersion { .. } => "unknown_model",
            RegistryError::NoModel { .. } | RegistryError::NoChampion { .. } => "no_model",
            RegistryError::Unusable { error, .. } => error.code(),
            RegistryError::LostCard(_) => "lost_card",
            RegistryError::RefusedByGate { .. }
            | RegistryError::Refused { .. }
            | RegistryError::Imported { .. } => "not_promoted",
            RegistryError::BadPointer(_) => "bad_champion",
            RegistryError::BadJournal { .. } => "bad_journal",
            RegistryError::NoFormerChampion(_) => "no_former_champion",
            RegistryError::Table(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            RegistryError::UnknownVersion { .. }
            | RegistryError::NoModel { .. }
            | RegistryError::NoChampion { .. } => ErrorKind::NotFound,
            RegistryError::LostCard(_)
            | RegistryError::BadPointer(_)
            | RegistryError::BadJournal { .. }
            | RegistryError::NoFormerChampion(_) => ErrorKind::Conflict,
            RegistryError::RefusedByGate { .. }
            | RegistryError::Refused { .. }
            | RegistryError::Imported { .. } => ErrorKind::Refused,
            RegistryError::Unusable { error, .. } => error.kind(),
            RegistryError::Table(error) => error.kind(),
        }
    }
}

/// One line of a goal's journal, `models/<goal>/champions.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChampionChange {
    /// promote or rollback.
    pub action: ChangeAction,
    /// The version that became champion.
    pub to: String,
    /// The version it replaced.
    pub from: Option<String>,
    /// When, by the clock of the machine.
    pub at: Instant,
    /// Names of the gate's lines that did not hold and that somebody went past.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forced: Vec<String>,
}

/// How a champion came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeAction {
    /// A model became champion.
    Promote,
    /// The former one came back, and the one it replaced is withdrawn.
    Rollback,
}

/// A model with its card and version.
#[derive(Clone, Debug)]
pub struct Registered {
    /// Its version.
    pub version: String,
    /// The model.
    pub model: Model,
    /// Its card; `None` when the file is lost, which no score needs.
    pub card: Option<Card>,
}

impl Registered {
    /// Lines of the gate that do not hold: those of its card, and those that need no data, asked anew of the file.
    pub fn refusals(&self) -> Vec<GateLine> {
        let gate = self.card.as_ref().and_then(|card| card.gate.as_ref().zip(card.gate_sha256.as_ref()));
        let Some((gate, written)) = gate else {
            return vec![GateLine {
                name: "gate_was_asked".to_string(),
                passed: false,
                found: "its card is lost or holds no gate".to_string(),
                wanted: "a model that was trained with one; train it again".to_string(),
            }];
        };
        if gate.sha256() != *written {
            return vec![GateLine {
                name: "gate_was_asked".to_string(),
                passed: false,
                found: "the gate on its card is not as it was written".to_string(),
                wanted: "the answers that training gave; train it again".to_string(),
            }];
        }
        let mut failed: Vec<GateLine> = gate.failed().into_iter().cloned().collect();
        let golden = &gate.facts.golden;
        let misses = golden.iter().filter(|row| !row.is_reproduced_by(&self.model)).count();
        if misses > 0 {
            failed.push(GateLine {
                name: "golden_rows_are_reproduced".to_string(),
                passed: false,
                found: format!("{misses} of {} rows differ on this machine", golden.len()),
                wanted: "the bits that training gave".to_string(),
            });
        }
        failed
    }

    /// Did the gate say no when it was trained?
    fn is_refused_by_gate(&self) -> bool {
        self.card.as_ref().and_then(|card| card.gate.as_ref()).is_some_and(|gate| !gate.is_passed())
    }
}

/// The newest model as of a moment, and the versions that were skipped on the way to it.
#[derive(Debug)]
pub struct Newest {
    /// The model.
    pub found: Registered,
    /// Versions that cannot be read, for whoever asked to hear of.
    pub damaged: Vec<Damaged>,
}

/// A version that lies in the registry and cannot be read: cut, edited, or written by a newer build.
#[derive(Debug)]
pub struct Damaged {
    /// Its goal.
    pub goal: String,
    /// Its version.
    pub version: String,
    /// What is wrong, with the file.
    pub error: RegistryError,
}

impl fmt::Display for Damaged {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "version {} of goal {} is skipped: {}", self.version, self.goal, self.error)
    }
}

/// The part of model.json that tells whether a version may be the newest.
#[derive(Deserialize)]
struct Heading {
    kind: ModelKind,
    as_of: Instant,
}

/// What a promotion changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// The champion before.
    pub from: Option<String>,
    /// Lines of the gate that did not hold.
    pub forced: Vec<String>,
}

fn and_others(lines: usize) -> String {
    match lines {
        0 => String::new(),
        1 => " (and one more line does not hold)".to_string(),
        lines => format!(" (and {lines} more lines do not hold)"),
    }
}

/// The models of a workspace.
#[derive(Clone, Debug)]
pub struct Registry {
    root: PathBuf,
}

impl Registry {
    /// The registry of a workspace.
    pub fn of(workspace: &Workspace) -> Registry {
        Registry { root: workspace.models() }
    }

    fn directory(&self, goal: &str) -> PathBuf {
        self.root.join(goal)
    }

    /// The folder of a version.
    pub fn version_directory(&self, goal: &str, version: &str) -> PathBuf {
        self.directory(goal).join(version)
    }

    /// Goals with a folder, sorted.
    pub fn goals(&self) -> Vec<String> {
        names_in(&self.root)
    }

    /// Versions of a goal, sorted by name.
    pub fn versions(&self, goal: &str) -> Vec<String> {
        let mut names = names_in(&self.directory(goal));
        names.retain(|name| is_version(name));
        names
    }

    /// Writes a model with its card and returns its version. The model goes last: without it there is no version.
    pub fn write(&self, model: &Model, card: &Card) -> Result<String, RegistryError> {
        self.write_with(model, card, None)
    }

    /// [`Registry::write`] with the state that an online model goes on from, in online.json.
    pub fn write_with(
        &self,
        model: &Model,
        card: &Card,
        online: Option<&OnlineState>,
    ) -> Result<String, RegistryError> {
        let text = model.to_text();
        let version = version_of(&text);
        let directory = self.version_directory(&model.goal, &version);
        let signed = Card { gate_sha256: card.gate.as_ref().map(Gate::sha256), ..card.clone() };
        let json = serde_json::to_string_pretty(&signed).unwrap_or_default();
        tables::write_atomically(&directory.join("card.json"), |file| writeln!(file, "{json}"))?;
        let page = card.to_markdown(model, &version);
        tables::write_atomically(&directory.join("CARD.md"), |file| file.write_all(page.as_bytes()))?;
        if let Some(state) = online {
            let json = serde_json::to_string_pretty(state).unwrap_or_default();
            tables::write_atomically(&directory.join("online.json"), |file| writeln!(file, "{json}"))?;
        }
        tables::write_atomically(&directory.join("model.json"), |file| file.write_all(text.as_bytes()))?;
        Ok(version)
    }

    /// Writes what stands for another team's model, its card and its table.
    pub fn write_imported(&self, model: &Model, card: &Card, table: &[u8]) -> Result<String, RegistryError> {
        let directory = self.version_directory(&model.goal, &version_of(&model.to_text()));
        tables::write_atomically(&directory.join("predictions.parquet"), |file| file.write_all(table))?;
        self.write(model, card)
    }

    /// The table of an imported model.
    ///
    /// # Errors
    /// When the file is gone or cannot be read.
    pub fn predictions(&self, goal: &str, version: &str) -> Result<HashMap<About, f64>, RegistryError> {
        let path = self.version_directory(goal, version).join("predictions.parquet");
        Ok(by_about(&tables::read_parquet(&path, None)?))
    }

    /// The model that is scored and logged beside the champion and not served, if there is one.
    pub fn shadow(&self, goal: &str) -> Option<String> {
        self.named(goal, "shadow")
    }

    /// Sets the shadow of a goal, or takes it away.
    ///
    /// # Errors
    /// When there is no such version, or it has nothing to say.
    pub fn set_shadow(&self, goal: &str, version: Option<&str>) -> Result<(), RegistryError> {
        let path = self.directory(goal).join("shadow");
        let Some(version) = version else {
            return match fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(TableError::io(&path)(error).into())
                }
                _ => Ok(()),
            };
        };
        let found = self.read(goal, version)?;
        if found.model.kind == ModelKind::BaseRate {
            return Err(RegistryError::Refused { goal: goal.to_string(), version: version.to_string() });
        }
        tables::write_atomically(&path, |file| writeln!(file, "{version}"))?;
        Ok(())
    }

    /// Where an online model goes on; `None` when it has no such file, or none that can be read.
    pub fn read_online(&self, goal: &str, version: &str) -> Option<OnlineState> {
        let text = fs::read_to_string(self.version_directory(goal, version).join("online.json")).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// Reads a version.
    ///
    /// # Errors
    /// When there is none, its text is not what its version says, or a number in it cannot be used.
    pub fn read(&self, goal: &str, version: &str) -> Result<Registered, RegistryError> {
        let text = String::from_utf8_lossy(&self.model_text(goal, version)?).into_owned();
        let path = self.version_directory(goal, version).join("model.json");
        let unusable = |error| RegistryError::Unusable { path: path.clone(), error };
        let model = Model::from_text(&text).map_err(unusable)?;
        if version_of(&text) != version {
            let detail = "its content is not what its version says; it was cut or edited".to_string();
            return Err(unusable(ModelError::Bad(detail)));
        }
        if model.goal != goal {
            return Err(unusable(ModelError::Bad(format!("it predicts {}", model.goal))));
        }
        let card = fs::read_to_string(path.with_file_name("card.json")).ok();
        let card = card.and_then(|text| serde_json::from_str(&text).ok());
        Ok(Registered { version: version.to_string(), model, card })
    }

    /// The champion's version, if there is one.
    pub fn champion(&self, goal: &str) -> Option<String> {
        self.named(goal, "champion")
    }

    /// The version that a file of a goal names.
    fn named(&self, goal: &str, file: &str) -> Option<String> {
        // A campaign may name any text as its goal; only names of goals are directories.
        if !is_goal_name(goal) {
            return None;
        }
        let text = fs::read_to_string(self.directory(goal).join(file)).ok()?;
        let version = text.trim();
        is_version(version).then(|| version.to_string())
    }

    /// The champion itself.
    ///
    /// # Errors
    /// When there is none, when the file that names it names none, or when it cannot be read.
    pub fn read_champion(&self, goal: &str) -> Result<Registered, RegistryError> {
        self.check_pointer(goal)?;
        match self.champion(goal) {
            Some(version) => self.read(goal, &version),
            None => Err(RegistryError::NoModel { goal: goal.to_string(), before: None }),
        }
    }

    /// Does the file `champion` of a goal, if there is one, name a version?
    ///
    /// # Errors
    /// Names the file.
    pub fn check_pointer(&self, goal: &str) -> Result<(), RegistryError> {
        let path = self.directory(goal).join("champion");
        match is_goal_name(goal) && path.exists() && self.champion(goal).is_none() {
            true => Err(RegistryError::BadPointer(path)),
            false => Ok(()),
        }
    }

    /// The newest model as of a moment: the largest `as_of ≤ moment`, the champion on ties, then the larger version.
    ///
    /// Models that do not beat the base rate, that the gate refuses and nobody promoted, and that were rolled back do not
    /// count. Damaged versions are skipped and come back beside the model. A version that is not taken is not hashed, so
    /// damage in older ones does not show here; `models list` reads all.
    ///
    /// # Errors
    /// When the journal cannot be read, or there is no model; the damage, if it is the reason that there is none.
    pub fn newest(&self, goal: &str, moment: Instant) -> Result<Newest, RegistryError> {
        let journal = self.journal(goal)?;
        let (withdrawn, champion) = (journal::withdrawn(&journal), self.champion(goal));
        let (mut candidates, mut damaged) = (Vec::new(), Vec::new());
        let skipped = |version, error| Damaged { goal: goal.to_string(), version, error };
        for version in self.versions(goal) {
            if withdrawn.contains(&version.as_str()) {
                continue;
            }
            match self.heading(goal, &version) {
                Ok(heading) if heading.as_of <= moment && heading.kind.can_be_served() => {
                    candidates.push((heading.as_of, champion.as_ref() == Some(&version), version));
                }
                // Without its model, which is written last, there is no version.
                Ok(_) | Err(RegistryError::UnknownVersion { .. }) => (),
                Err(error) => damaged.push(skipped(version, error)),
            }
        }
        candidates.sort_unstable();
        for (_, _, version) in candidates.into_iter().rev() {
            let is_promoted = journal.iter().any(|change| change.to == version);
            match self.read(goal, &version) {
                Ok(found) if found.is_refused_by_gate() && !is_promoted => (),
                Ok(found) => return Ok(Newest { found, damaged }),
                Err(error) => damaged.push(skipped(version, error)),
            }
        }
        match damaged.into_iter().next() {
            Some(first) => Err(first.error),
            None => Err(RegistryError::NoModel { goal: goal.to_string(), before: Some(moment) }),
        }
    }

    /// What a version says of itself, unchecked: its file is neither hashed nor understood whole.
    fn heading(&self, goal: &str, version: &str) -> Result<Heading, RegistryError> {
        if let Ok(heading) = serde_json::from_slice(&self.model_text(goal, version)?) {
            return Ok(heading);
        }
        // What is wrong with it, the whole reading knows.
        let found = self.read(goal, version)?;
        Ok(Heading { kind: found.model.kind, as_of: found.model.as_of })
    }

    /// The bytes of a version's model.json.
    fn model_text(&self, goal: &str, version: &str) -> Result<Vec<u8>, RegistryError> {
        let unknown =
            || RegistryError::UnknownVersion { goal: goal.to_string(), version: version.to_string() };
        if !is_version(version) || !is_goal_name(goal) {
            return Err(unknown());
        }
        let path = self.version_directory(goal, version).join("model.json");
        match fs::read(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(unknown()),
            read => Ok(read.map_err(TableError::io(&path))?),
        }
    }

    /// Makes a version the champion.
    ///
    /// # Errors
    /// When it cannot be read, when there is nothing in it to serve, or, unless it is forced, when a line of the gate does
    /// not hold.
    pub fn promote(
        &self,
        goal: &str,
        version: &str,
        is_forced: bool,
        now: Instant,
    ) -> Result<Promotion, RegistryError> {
        let found = self.read(goal, version)?;
        self.check_servable(&found)?;
        let failed = found.refusals();
        if let (Some(line), false) = (failed.first(), is_forced) {
            return Err(RegistryError::RefusedByGate {
                goal: goal.to_string(),
                version: version.to_string(),
                line: Box::new(line.clone()),
                more: failed.len() - 1,
            });
        }
        let is_champion = self.champion(goal).as_deref() == Some(version);
        let forced: Vec<String> = failed.into_iter().map(|line| line.name).filter(|_| !is_champion).collect();
        let from = self.crown(goal, version, ChangeAction::Promote, &forced, now)?;
        Ok(Promotion { from, forced })
    }

    /// Is there anything in a model that could be served?
    ///
    /// # Errors
    /// Says why not.
    pub fn check_servable(&self, found: &Registered) -> Result<(), RegistryError> {
        let (goal, version) = (found.model.goal.clone(), found.version.clone());
        match found.model.kind {
            ModelKind::LogisticRegression | ModelKind::Ftrl | ModelKind::GradientBoosting => Ok(()),
            ModelKind::BaseRate => Err(RegistryError::Refused { goal, version }),
            ModelKind::Imported => Err(RegistryError::Imported { goal, version }),
        }
    }

    /// Brings the former champion back; the one it replaces is withdrawn.
    pub fn rollback(&self, goal: &str, now: Instant) -> Result<(String, Option<String>), RegistryError> {
        let journal = self.mended_journal(goal)?;
        let former = journal::former(&journal);
        let former = former.ok_or_else(|| RegistryError::NoFormerChampion(goal.to_string()))?;
        self.read(goal, former)?;
        let from = self.crown(goal, former, ChangeAction::Rollback, &[], now)?;
        Ok((former.to_string(), from))
    }

    /// Makes a version the champion: the line of the journal first, then the file that decides.
    fn crown(
        &self,
        goal: &str,
        version: &str,
        action: ChangeAction,
        forced: &[String],
        now: Instant,
    ) -> Result<Option<String>, RegistryError> {
        let (mut journal, named) = (self.mended_journal(goal)?, self.champion(goal));
        if named.as_deref() == Some(version) {
            return Ok(named);
        }
        // Where the file names no version, the journal still knows the champion.
        let from = named.or_else(|| journal.last().map(|change| change.to.clone()));
        if from.as_deref() != Some(version) {
            let forced = forced.to_vec();
            journal.push(ChampionChange {
                action,
                to: version.to_string(),
                from: from.clone(),
                at: now,
                forced,
            });
            self.write_journal(goal, &journal)?;
        }
        let directory = self.directory(goal);
        tables::write_atomically(&directory.join("champion"), |file| writeln!(file, "{version}"))?;
        tables::sync_directory(&directory)?;
        Ok(from)
    }

    /// Which version replaced which, oldest first. A last line that never came true is left out.
    ///
    /// # Errors
    /// When a line cannot be read, with its number.
    pub fn journal(&self, goal: &str) -> Result<Vec<ChampionChange>, RegistryError> {
        // The champion first: whoever changes both at the same time writes it last.
        let (champion, is_named) = (self.champion(goal), self.check_pointer(goal).is_ok());
        let mut journal = self.written_journal(goal)?;
        journal.pop_if(|last| is_named && journal::is_cut_short(last, champion.as_deref()));
        Ok(journal)
    }

    /// The same for who holds the workspace's lock: a last line that never came true leaves the file too.
    fn mended_journal(&self, goal: &str) -> Result<Vec<ChampionChange>, RegistryError> {
        let journal = self.journal(goal)?;
        if journal.len() < self.written_journal(goal)?.len() {
            self.write_journal(goal, &journal)?;
        }
        Ok(journal)
    }

    /// Writes the journal durably: it must not be lost where the champion's file that follows is kept.
    fn write_journal(&self, goal: &str, journal: &[ChampionChange]) -> Result<(), RegistryError> {
        let directory = self.directory(goal);
        let line = |change: &ChampionChange| serde_json::to_string(change).unwrap_or_default() + "\n";
        let lines: String = journal.iter().map(line).collect();
        tables::write_atomically(&directory.join("champions.jsonl"), |file| {
            file.write_all(lines.as_bytes())
        })?;
        Ok(tables::sync_directory(&directory)?)
    }

    /// Every line of the journal's file.
    fn written_journal(&self, goal: &str) -> Result<Vec<ChampionChange>, RegistryError> {
        let path = self.directory(goal).join("champions.jsonl");
        match fs::read(&path) {
            Ok(text) => journal::parse(&text, &path),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(TableError::io(&path)(error).into()),
        }
    }
}

/// The version of a model's text.
pub fn version_of(text: &str) -> String {
    sha256_hex(text.as_bytes())[..12].to_string()
}

fn is_version(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Names of the directories in a directory, sorted.
fn names_in(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let directories = entries.filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> =
        directories.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    names
}
