//! What the ingest tests share: a temporary workspace, the real binary run in it, and what must hold after every run.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A directory for input files with a workspace beside them; both go with it.
pub(crate) struct InputDirectory {
    directory: tempfile::TempDir,
}

/// How one run of the binary ended.
#[derive(Debug)]
pub(crate) struct RunOutcome {
    pub(crate) exit: Option<i32>,
    pub(crate) json: Value,
    pub(crate) stderr: String,
}

impl InputDirectory {
    pub(crate) fn new() -> InputDirectory {
        InputDirectory { directory: temporary_directory() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn workspace(&self) -> PathBuf {
        self.path("workspace")
    }

    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// The binary, ready to be run in the workspace, with the input directory as its own.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_in("workspace", arguments)
    }

    pub(crate) fn command_in(&self, workspace: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_smartpush"));
        command.current_dir(self.directory.path()).args(["--workspace", workspace, "--json"]).args(arguments);
        command
    }

    /// Runs `ingest` with these arguments and checks what holds after every run.
    pub(crate) fn ingest(&self, arguments: &[&str]) -> RunOutcome {
        let letters_before = self.letter_files();
        let manifest_before = self.manifest();
        let output = self.command(&["ingest"]).args(arguments).output().unwrap();
        let outcome = RunOutcome::of(&output);
        outcome.check_adds_up();
        self.check_clean();
        let new: Vec<PathBuf> =
            self.letter_files().into_iter().filter(|path| !letters_before.contains(path)).collect();
        check_letters(&outcome, &new);
        // A table's ingest that only repeats rows is kept: they stay when the ingest that brought them first is undone.
        if outcome.count("accepted") == 0 && !arguments.contains(&"--kind") {
            assert_eq!(self.manifest(), manifest_before, "nothing accepted, so nothing changed");
        }
        outcome
    }

    /// Ingests one file under a name and returns the outcome.
    pub(crate) fn ingest_bytes(&self, name: &str, bytes: impl AsRef<[u8]>, arguments: &[&str]) -> RunOutcome {
        self.write(name, bytes);
        self.ingest(&[&[name], arguments].concat())
    }

    pub(crate) fn manifest(&self) -> Option<Vec<u8>> {
        fs::read(self.workspace().join("data/events/_manifest.json")).ok()
    }

    /// The manifest and every file that it names.
    pub(crate) fn lake(&self) -> BTreeMap<String, Vec<u8>> {
        let root = self.workspace().join("data/events");
        let bytes = self.manifest().unwrap_or_default();
        let manifest: Value = serde_json::from_slice(&bytes).unwrap_or_default();
        // What the ingests were is no part of what the lake holds.
        let mut content = manifest.clone();
        content.as_object_mut().into_iter().for_each(|fields| drop(fields.remove("ingests")));
        let mut files = BTreeMap::from([("_manifest.json".to_string(), content.to_string().into_bytes())]);
        for file in manifest["files"].as_array().into_iter().flatten() {
            let path = file["path"].as_str().unwrap();
            files.insert(path.to_string(), fs::read(root.join(path)).unwrap());
        }
        files
    }

    /// Rows of one of our tables, as JSON by column, in the order of the file.
    pub(crate) fn rows(&self, table: &str) -> Vec<BTreeMap<String, Value>> {
        let path = self.workspace().join("data").join(format!("{table}.parquet"));
        rows_of(&path)
    }

    /// All events of the lake, in the order of its files.
    pub(crate) fn events(&self) -> Vec<BTreeMap<String, Value>> {
        let names = self.lake().into_keys().filter(|name| name.ends_with(".parquet"));
        names.flat_map(|name| rows_of(&self.workspace().join("data/events").join(name))).collect()
    }

    pub(crate) fn letter_files(&self) -> Vec<PathBuf> {
        let mut paths: Vec<PathBuf> = fs::read_dir(self.workspace().join("data/rejected"))
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        paths
    }

    /// The dead letters of all runs so far.
    pub(crate) fn letters(&self) -> Vec<Value> {
        self.letter_files().iter().flat_map(|path| letters_in(path)).collect()
    }

    /// No staging area, no temporary file, no part file that the manifest does not name.
    pub(crate) fn check_clean(&self) {
        let data = self.workspace().join("data");
        if !data.is_dir() {
            return;
        }
        let strays: Vec<PathBuf> =
            files_below(&data).into_iter().filter(|path| is_hidden(path, &data)).collect();
        assert!(strays.is_empty(), "left behind: {strays:?}");
        assert!(!data.join(".staging").exists(), "the staging area is left");
    }
}

impl RunOutcome {
    pub(crate) fn of(output: &Output) -> RunOutcome {
        let stdout = String::from_utf8_lossy(&output.stdout);
        let json = if stdout.trim().is_empty() {
            Value::Null
        } else {
            serde_json::from_str(&stdout)
                .unwrap_or_else(|error| panic!("stdout is not one JSON object: {error}: {stdout}"))
        };
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!stderr.contains("panicked"), "{stderr}");
        RunOutcome { exit: output.status.code(), json, stderr }
    }

    pub(crate) fn count(&self, key: &str) -> u64 {
        self.json[key].as_u64().unwrap_or_default()
    }

    /// (read, accepted, duplicate, rejected)
    pub(crate) fn counts(&self) -> [u64; 4] {
        ["read", "accepted", "duplicate", "rejected"].map(|key| self.count(key))
    }

    /// Rejected records by reason.
    pub(crate) fn reasons(&self) -> BTreeMap<String, u64> {
        serde_json::from_value(self.json["reasons"].clone()).unwrap_or_default()
    }

    fn check_adds_up(&self) {
        let [read, accepted, duplicate, rejected] = self.counts();
        assert_eq!(read, accepted + duplicate + rejected, "{self:?}");
        assert_eq!(self.reasons().values().sum::<u64>(), rejected, "{self:?}");
    }
}

/// In memory where that can be: these tests sync thousands of files, and no power fails while they run.
pub(crate) fn temporary_directory() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap()
}

/// The new dead letters are exactly the rejected records, each with its file, line, reason and record.
fn check_letters(outcome: &RunOutcome, new: &[PathBuf]) {
    let letters: Vec<Value> = new.iter().flat_map(|path| letters_in(path)).collect();
    let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
    for letter in &letters {
        *reasons.entry(letter["reason"].as_str().unwrap().to_string()).or_default() += 1;
        assert!(letter["file"].is_string() && letter["line"].as_u64() > Some(0), "{letter}");
        assert!(letter["detail"].is_string() && !letter["record"].is_null(), "{letter}");
    }
    assert_eq!(reasons, outcome.reasons());
    assert_eq!(outcome.json["dead_letters"].is_string(), !letters.is_empty(), "{outcome:?}");
}

fn letters_in(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub(crate) fn rows_of(path: &Path) -> Vec<BTreeMap<String, Value>> {
    let frame = smartpush::files::tables::read_parquet(path, None).unwrap();
    let row = |index| {
        let cell = |column: &polars::prelude::Column| {
            let series = column.as_materialized_series();
            (column.name().to_string(), smartpush::files::tables::cell(series, index))
        };
        frame.columns().iter().map(cell).collect()
    };
    (0..frame.height()).map(row).collect()
}

fn files_below(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files
}

fn is_hidden(path: &Path, root: &Path) -> bool {
    path.strip_prefix(root)
        .unwrap()
        .components()
        .any(|part| part.as_os_str().to_string_lossy().starts_with('.'))
}

/// gzip of some bytes.
pub(crate) fn gzipped(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A committed Parquet fixture.
pub(crate) fn fixture(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/parquet");
    fs::read(folder.join(format!("{name}.parquet"))).unwrap()
}
