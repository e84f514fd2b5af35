//! Reading one file of any kind: open → map → take each record, or write its dead letter.

use std::borrow::Cow;
use std::path::Path;

use serde_json::Value;

use super::dead_letters::DeadLetters;
use super::erased::ErasedUsers;
use super::formats::{
    InputError, InputRecord, InputRow, Limits, Progress, RawValue, Reader, TornRecord, UnreadLine,
    ends_with_name, last_key, raw_value, values_of,
};
use super::identifiers::required_id;
use super::mapping::{InputField, Mapping};
use super::request::{FilesRequest, IngestStage, IngestSummary, InputKind};
use super::stamps::StampReader;
use config::IngestConfig;
use domain::rejection::{Rejection, RejectionCode};
use files::tables::TableError;

/// Records between two looks at the progress bar.
const REPORT_EVERY: u64 = 8_192;

/// What every file of an ingest is read with.
pub(super) struct IngestSource<'a> {
    pub(super) config: &'a IngestConfig,
    pub(super) request: &'a FilesRequest<'a>,
    /// Where a format may put a plain copy of a compressed file.
    pub(super) scratch: &'a Path,
    /// Users whose records are not taken any more.
    pub(super) erased: ErasedUsers,
}

/// Why one record was not taken.
pub(super) enum RecordError {
    /// It is invalid.
    Rejected(Rejection),
    /// The disk is.
    Table(TableError),
}

/// A file of which no record was taken.
pub(super) struct RefusedFile {
    /// Why.
    pub(super) error: InputError,
    /// Line and key of the users whom its records are about, when no record can be read.
    pub(super) torn: Vec<(u64, String)>,
}

impl From<Rejection> for RecordError {
    fn from(rejection: Rejection) -> Self {
        RecordError::Rejected(rejection)
    }
}

impl From<TableError> for RecordError {
    fn from(error: TableError) -> Self {
        RecordError::Table(error)
    }
}

impl IngestSource<'_> {
    /// How this ingest reads the stamps of things that have happened.
    pub(super) fn stamp_reader(&self) -> StampReader {
        StampReader::new(self.request.zone.clone(), self.request.now, self.config.future_tolerance_hours)
    }

    /// Offers each record of a file to `take` and counts; the inner error refuses the whole file.
    ///
    /// A refused file's dead letters are taken back; what `take` has kept of it, the caller takes back.
    pub(super) fn read(
        &self,
        path: &Path,
        fields: &'static [InputField],
        letters: &mut DeadLetters,
        watch: &impl Fn(IngestStage<'_>),
        take: impl FnMut(u64, &InputRow<'_>, &Mapping) -> Result<(), RecordError>,
    ) -> Result<Result<IngestSummary, RefusedFile>, TableError> {
        let mark = letters.mark();
        match self.read_records(path, fields, letters, watch, take) {
            Ok(summary) => Ok(Ok(summary)),
            Err(FileError::Table(error)) => Err(error),
            Err(FileError::Refused(refused)) => {
                letters.roll_back(mark)?;
                Ok(Err(refused))
            }
        }
    }

    /// The users of a record whose fields cannot be told apart or read: what it says of consent cannot be known.
    fn keys_of_torn(&self, mapping: &Mapping, rejection: &Rejection, reader: &Reader) -> Vec<String> {
        let is_torn = matches!(
            rejection.code,
            RejectionCode::WrongFieldCount
                | RejectionCode::BadUtf8
                | RejectionCode::BadJson
                | RejectionCode::RecordTooLarge
        );
        if self.request.kind != InputKind::Users || !is_torn {
            return Vec::new();
        }
        match reader.torn() {
            Some(TornRecord::Line(line)) => keys_in(&line, mapping),
            Some(TornRecord::Cells(cells)) => {
                let is_cut = rejection.code == RejectionCode::RecordTooLarge;
                let width = reader.header().filter(|_| !is_cut).map_or(cells.len(), <[String]>::len);
                mapping.keys_of_cells(&cells, width).into_iter().filter_map(key_of).collect()
            }
            None => Vec::new(),
        }
    }

    fn read_records(
        &self,
        path: &Path,
        fields: &'static [InputField],
        letters: &mut DeadLetters,
        watch: &impl Fn(IngestStage<'_>),
        mut take: impl FnMut(u64, &InputRow<'_>, &Mapping) -> Result<(), RecordError>,
    ) -> Result<IngestSummary, FileError> {
        let progress = Progress::default();
        let limits =
            Limits { chunk_rows: self.config.chunk_rows, record_bytes: self.config.max_record_bytes };
        let (renames, format) = (&self.request.renames, self.request.format);
        let mut reader =
            Reader::open_with(path, format, limits, &progress, self.scratch, &renames.headers())?;
        let header = reader.header().map(<[String]>::to_vec);
        let mut mapping = Mapping::new(fields, renames, header.as_deref(), path)?;
        let mut summary = IngestSummary::default();
        let (mut any_row, mut unread) = (false, None);
        let (file, total) =
            (path.display().to_string(), path.metadata().map(|data| data.len()).unwrap_or_default());
        while let Some(record) = reader.next_record()? {
            if summary.read.is_multiple_of(REPORT_EVERY) {
                watch(IngestStage::Reading { file: path, bytes: progress.bytes(), total });
            }
            summary.read += 1;
            let (line, rejection, text) = match record {
                InputRecord::Unreadable(line, rejection, text) => {
                    unread.get_or_insert_with(|| UnreadLine {
                        line,
                        detail: rejection.detail.clone(),
                        text: text.clone(),
                    });
                    (line, rejection, Value::String(text))
                }
                InputRecord::Row(line, row) => {
                    any_row = true;
                    mapping.observe(&row);
                    match take(line, &row, &mapping) {
                        Ok(()) => continue,
                        Err(RecordError::Table(error)) => return Err(error.into()),
                        // What a user was erased from must not keep them in another place.
                        Err(RecordError::Rejected(rejection))
                            if rejection.code == RejectionCode::ErasedUser =>
                        {
                            (line, rejection, serde_json::json!({ "erased": true }))
                        }
                        Err(RecordError::Rejected(rejection)) => {
                            (line, rejection, row.to_json(header.as_deref().unwrap_or_default()))
                        }
                    }
                }
            };
            let keys = self.keys_of_torn(&mapping, &rejection, &reader);
            summary.torn.extend(keys.into_iter().map(|key| (line, key)));
            letters.add(&file, line, &rejection, &text)?;
            summary.reject(&rejection, &file, line);
        }
        let unread = unread.filter(|_| !any_row);
        if let Some(error) = unread.and_then(|first| reader.explain(&first, summary.read)) {
            return Err(FileError::Refused(RefusedFile { error, torn: summary.torn }));
        }
        if summary.read > 0 {
            mapping.check_required(path)?;
        }
        summary.other_columns.extend(mapping.other_names());
        summary.understood_columns.extend(mapping.understood());
        if summary.read > 0 && summary.rejected == summary.read {
            summary.wholly_rejected.push(file);
        }
        Ok(summary)
    }
}

/// The users whom a broken JSON line names; of a dotted name, the last part is its key.
fn keys_in(line: &str, mapping: &Mapping) -> Vec<String> {
    let keys = |is_key: &dyn Fn(&str) -> bool| -> Vec<String> {
        values_of(line, is_key).iter().filter_map(|value| key_of(raw_value(value))).collect()
    };
    let mut found = keys(&|text| mapping.is_like_key(last_key(text)));
    for name in mapping.key_names() {
        let whole = keys(&|text| ends_with_name(text, name));
        let last = name.rsplit('.').next().filter(|_| whole.is_empty());
        found.extend(whole);
        found.extend(last.iter().flat_map(|last| keys(&|text| ends_with_name(text, last))));
    }
    found
}

/// A value as an id, if it is one.
fn key_of(value: RawValue<'_>) -> Option<String> {
    required_id("key", value.tidied()).ok().map(Cow::into_owned)
}

enum FileError {
    Refused(RefusedFile),
    Table(TableError),
}

impl From<InputError> for FileError {
    fn from(error: InputError) -> Self {
        FileError::Refused(RefusedFile { error, torn: Vec::new() })
    }
}

impl From<TableError> for FileError {
    fn from(error: TableError) -> Self {
        FileError::Table(error)
    }
}
