//! Which files a snapshot was read from, so that a change is noticed without reading them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use files::workspace::Workspace;

/// Length and time of change of every file that decisions depend on. Our files are replaced, never edited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fingerprint {
    files: BTreeMap<PathBuf, (u64, Option<SystemTime>)>,
}

impl Fingerprint {
    /// Looks at the lake's manifest, the tables, and the champions with their models: one that was mended is noticed.
    pub(super) fn of(workspace: &Workspace) -> Fingerprint {
        let tables = ["users", "contents", "campaigns"].map(|name| workspace.table(name));
        let manifest = workspace.events().join("_manifest.json");
        let champions = fs::read_dir(workspace.models()).into_iter().flatten().flatten();
        let champions = champions.flat_map(|goal| {
            ["champion", "shadow"].into_iter().flat_map(move |name| {
                let named = goal.path().join(name);
                let version = fs::read_to_string(&named).unwrap_or_default();
                [goal.path().join(version.trim()).join("model.json"), named]
            })
        });
        Fingerprint::of_files(tables.into_iter().chain([manifest]).chain(champions))
    }

    /// Looks at what audiences depend on beside that: which version of each segment counts, and which profiles are built.
    pub(super) fn of_audiences(workspace: &Workspace) -> Fingerprint {
        let in_each = |directory: PathBuf, name: &'static str| {
            let entries = fs::read_dir(directory).into_iter().flatten().flatten();
            entries.map(move |entry| entry.path().join(name))
        };
        let cards = in_each(workspace.segments(), "segment.json");
        Fingerprint::of_files(cards.chain(in_each(workspace.profiles(), "_manifest.json")))
    }

    fn of_files(files: impl Iterator<Item = PathBuf>) -> Fingerprint {
        Fingerprint { files: files.filter_map(|path| Some((path.clone(), look_at(&path)?))).collect() }
    }
}

fn look_at(path: &Path) -> Option<(u64, Option<SystemTime>)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()))
}
