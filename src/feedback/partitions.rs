//! An export by UTC date: `date=YYYY-MM-DD/NAME.parquet`, and a manifest, written last, that says what it holds.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use polars::prelude::DataFrame;
use serde::Deserialize;
use serde_json::{Value, json};

use super::FeedbackError;
use domain::time::Day;
use events::formats::InputError;
use files::tables::{self, TableError};

/// Version of the manifest and of the columns.
const FORMAT: u32 = 1;

const MANIFEST: &str = "_manifest.json";

/// An export that is being written. Without a manifest it is not finished.
pub(super) struct Partitions<'a> {
    directory: PathBuf,
    names: &'a [&'a str],
    days: BTreeSet<Day>,
    files: Vec<Value>,
}

impl<'a> Partitions<'a> {
    /// Begins an export of files with these names into a directory.
    pub(super) fn begin(directory: PathBuf, names: &'a [&'a str]) -> Result<Partitions<'a>, TableError> {
        let manifest = directory.join(MANIFEST);
        match fs::remove_file(&manifest) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(TableError::io(&manifest)(error))
            }
            _ => Ok(Partitions { directory, names, days: BTreeSet::new(), files: Vec::new() }),
        }
    }

    /// Writes one file of a day, frame by frame, replacing its former self.
    pub(super) fn write(
        &mut self,
        day: Day,
        name: &str,
        next: impl FnMut() -> Result<Option<DataFrame>, FeedbackError>,
    ) -> Result<u64, FeedbackError> {
        let path = format!("date={day}/{name}.parquet");
        let rows = tables::write_table(&self.directory.join(&path), next)?;
        self.days.insert(day);
        self.files.push(json!({ "path": path, "rows": rows }));
        Ok(rows)
    }

    /// Removes the files of days that this export does not have, and writes the manifest.
    pub(super) fn finish(self, about: &Value) -> Result<PathBuf, TableError> {
        self.sweep();
        let mut manifest = json!({ "format": FORMAT, "files": self.files });
        for (key, value) in about.as_object().into_iter().flatten() {
            manifest[key] = value.clone();
        }
        let path = self.directory.join(MANIFEST);
        tables::write_atomically(&path, |file| writeln!(file, "{manifest:#}"))?;
        Ok(self.directory)
    }

    /// As well as it can: a file that cannot be removed is not in the manifest.
    fn sweep(&self) {
        for entry in fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some(day) = name.strip_prefix("date=").and_then(Day::parse) else { continue };
            tables::sweep_temporaries(&entry.path());
            if !self.days.contains(&day) {
                self.remove(&entry.path());
            }
        }
    }

    fn remove(&self, day: &Path) {
        for name in self.names {
            let _ = fs::remove_file(day.join(format!("{name}.parquet")));
        }
        // Something of somebody else's in it keeps it.
        let _ = fs::remove_dir(day);
    }
}

/// The part of an export's manifest that is read.
#[derive(Deserialize)]
struct Manifest {
    files: Vec<ManifestFile>,
}

#[derive(Deserialize)]
struct ManifestFile {
    path: String,
}

/// The files with a name that the manifest of an export lists.
pub(super) fn files_of(directory: &Path, name: &str) -> Result<Vec<PathBuf>, InputError> {
    let path = directory.join(MANIFEST);
    let unfinished = |detail: String| InputError::new("no_export", &path, detail);
    let text = fs::read_to_string(&path)
        .map_err(|error| unfinished(format!("{error}; `smartpush outcomes` writes the export")))?;
    let manifest: Manifest = serde_json::from_str(&text).map_err(|error| unfinished(error.to_string()))?;
    let files = manifest.files.into_iter().map(|file| file.path);
    let is_ours = |path: &String| path.rsplit('/').next() == Some(name);
    Ok(files.filter(is_ours).map(|path| directory.join(path)).collect())
}
