//! A workspace that took the export of a planted world in, as its README says.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use crate::acts::WORDS;
use crate::support::{smartpush, stdout_of};
use crate::world::World;

const COLUMNS: &str =
    "uid=user_id,what=event,thing=content_id,when=timestamp,tz=time_zone,paid=value,visit=session_id";
const USER_COLUMNS: &str =
    "uid=user_id,zone=time_zone,lang=locale,land=country,joined=created_at,may_push=consent";

/// The export, and a workspace beside it.
pub(crate) struct Town {
    folder: TempDir,
    /// What the ingest of the events reported.
    pub(crate) events: Value,
}

impl Town {
    /// Writes the export of a world and takes it in; `gold` is the segment of the fresh contents' campaigns.
    pub(crate) fn of(world: &mut World, gold: &str) -> Town {
        let folder = tempfile::tempdir().unwrap();
        world.write(folder.path());
        let mut town = Town { folder, events: Value::Null };
        fs::create_dir_all(town.path("workspace")).unwrap();
        let words: Vec<String> = WORDS.iter().map(|(theirs, ours)| format!("{theirs}={ours}")).collect();
        town.events = town.take(
            "events",
            "events.csv",
            &["--map", COLUMNS, "--map-event", &words.join(","), "--most-rejected", "0.01"],
        );
        town.take("users", "users.csv", &["--map", USER_COLUMNS]);
        town.take("contents", "contents.jsonl", &[]);
        town.take("campaigns", "campaigns.jsonl", &[]);
        town.json(&["profile", "--as-of", &world.end.to_string()]);
        town.json(&["segment", "save", "gold", "--where", gold]);
        town
    }

    /// A file of the workspace's folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The JSON object that a command prints, which must succeed.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let output = smartpush(&self.path("workspace"), &[&["--json"], arguments].concat());
        serde_json::from_str(&stdout_of(&output)).unwrap()
    }

    /// The rows of a file that a command writes.
    pub(crate) fn rows(&self, arguments: &[&str]) -> Vec<Value> {
        let file = self.path("rows.jsonl");
        self.json(&[arguments, &["--out", file.to_str().unwrap()]].concat());
        fs::read_to_string(&file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Takes in events that have our own names.
    pub(crate) fn take_events(&self, name: &str, text: &str) -> Value {
        let file = self.path(name);
        fs::write(&file, text).unwrap();
        self.json(&["ingest", file.to_str().unwrap()])
    }

    fn take(&self, kind: &str, name: &str, more: &[&str]) -> Value {
        let file = self.path(name);
        let common = ["ingest", "--kind", kind, file.to_str().unwrap(), "--time-zone", "Asia/Shanghai"];
        self.json(&[&common, more].concat())
    }
}
