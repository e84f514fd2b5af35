//! Which files a snapshot was read from, so that a change is noticed without reading them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::workspace::Workspace;

/// Length and time of change of every file that decisions depend on. Our files are replaced, never edited in place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fingerprint {
    /// Contents and campaigns: read as they are.
    declared: Files,
    /// The lake, users (whose zones hours are read on) and champions: learned from.
    learned: Files,
}

type Files = BTreeMap<PathBuf, (u64, Option<SystemTime>)>;

/// What has changed between two looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// Nothing.
    Nothing,
    /// Only what is read as it is.
    Declared,
    /// Something that is learned from.
    Learned,
}

impl Fingerprint {
    /// Looks at the lake's manifest, the tables and the champions.
    pub(super) fn of(workspace: &Workspace) -> Fingerprint {
        let manifest = workspace.events().join("_manifest.json");
        let champions = fs::read_dir(workspace.models()).into_iter().flatten().flatten();
        let champions = champions.map(|goal| goal.path().join("champion"));
        let seen = |files: &mut dyn Iterator<Item = PathBuf>| -> Files {
            files.filter_map(|path| Some((path.clone(), look_at(&path)?))).collect()
        };
        let declared = ["contents", "campaigns"].map(|name| workspace.table(name));
        let learned = [manifest, workspace.table("users")];
        Fingerprint {
            declared: seen(&mut declared.into_iter()),
            learned: seen(&mut learned.into_iter().chain(champions)),
        }
    }

    /// What has changed since this look.
    pub(super) fn change_to(&self, newer: &Fingerprint) -> Change {
        match () {
            _ if self.learned != newer.learned => Change::Learned,
            _ if self.declared != newer.declared => Change::Declared,
            _ => Change::Nothing,
        }
    }

    /// This look, but with what is declared as it is now.
    pub(super) fn with_declared_of(&self, newer: Fingerprint) -> Fingerprint {
        Fingerprint { declared: newer.declared, learned: self.learned.clone() }
    }
}

fn look_at(path: &Path) -> Option<(u64, Option<SystemTime>)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()))
}
