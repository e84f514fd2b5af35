//! Reads our own Parquet and writes every file atomically: temporary name, sync, rename.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use polars::io::mmap::MmapBytesReader;
use polars::io::parquet;
use polars::prelude::*;
use sha2::{Digest, Sha256};

use domain::error::{Coded, ErrorKind};
use domain::identity::{hex, sha256_hex};

/// Rows in a row group. Fixed, so that equal tables give equal bytes.
const ROW_GROUP_ROWS: usize = 131_072;

/// Footer key that carries [`FORMAT`].
const FORMAT_KEY: &str = "smartpush.format";

/// Version of our Parquet layout; a file with a newer one is refused.
pub const FORMAT: u32 = 1;

/// A table that cannot be read or written; the text names the file.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The file system said no.
    #[error("{}: {}: {source}", io_code(.source), .path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// Not a table of ours.
    #[error("bad_table: {}: {source}", .path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What polars said.
        source: PolarsError,
    },
    /// A file from a newer smartpush.
    #[error("newer_format: {}: format {found}, this smartpush reads up to {FORMAT}", .path.display())]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format number.
        found: u32,
    },
    /// An extension that names no output format.
    #[error("unknown_format: {}: --out must end in .parquet, .csv or .jsonl", .path.display())]
    UnknownExtension {
        /// The file.
        path: PathBuf,
    },
}

impl Coded for TableError {
    fn code(&self) -> &'static str {
        match self {
            TableError::Io { source, .. } => io_code(source),
            TableError::Parquet { .. } => "bad_table",
            TableError::NewerFormat { .. } => "newer_format",
            TableError::UnknownExtension { .. } => "unknown_format",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            TableError::Io { source, .. } if is_callers(source) => ErrorKind::Caller,
            TableError::UnknownExtension { .. } => ErrorKind::Caller,
            TableError::NewerFormat { .. } => ErrorKind::Conflict,
            TableError::Io { .. } | TableError::Parquet { .. } => ErrorKind::Ours,
        }
    }
}

/// The stable code of what a file system said.
fn io_code(error: &io::Error) -> &'static str {
    use io::ErrorKind::*;
    match error.kind() {
        NotFound => "not_found",
        PermissionDenied | ReadOnlyFilesystem => "not_permitted",
        NotADirectory => "not_a_directory",
        IsADirectory => "is_a_directory",
        AlreadyExists => "already_exists",
        StorageFull | QuotaExceeded | FileTooLarge => "disk_full",
        _ => "io_error",
    }
}

/// Did the caller name the path that may not be read or written? A full disk was not named, nor a file of ours that is gone:
/// a path that the caller names and that does not exist is an error of the room that reads it, or is created.
fn is_callers(error: &io::Error) -> bool {
    use io::ErrorKind::*;
    matches!(
        error.kind(),
        PermissionDenied | ReadOnlyFilesystem | NotADirectory | IsADirectory | AlreadyExists
    )
}

impl TableError {
    /// Wraps an I/O error with the path it happened at.
    pub fn io(path: &Path) -> impl FnOnce(io::Error) -> TableError + '_ {
        move |source| TableError::Io { path: path.to_path_buf(), source }
    }

    /// Wraps a polars error with the path it happened at.
    pub fn parquet(path: &Path) -> impl FnOnce(PolarsError) -> TableError + '_ {
        move |source| TableError::Parquet { path: path.to_path_buf(), source }
    }
}

/// Writes a file so that it is either wholly there or not at all.
///
/// The content goes to a hidden temporary name beside `path`, is synced, and takes its name by one rename.
pub fn write_atomically<T>(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<T>,
) -> Result<T, TableError> {
    write_and_rename(path, |file| {
        let mut writer = BufWriter::with_capacity(1 << 18, file);
        let value = write(&mut writer)?;
        writer.into_inner().map_err(|error| error.into_error())?.sync_all()?;
        Ok(value)
    })
}

/// Writes a file whole, but not durably: it must not count before [`sync_all`] has returned.
pub fn write_unsynced(path: &Path, bytes: &[u8]) -> Result<(), TableError> {
    write_and_rename(path, |mut file| file.write_all(bytes))
}

fn write_and_rename<T>(path: &Path, write: impl FnOnce(File) -> io::Result<T>) -> Result<T, TableError> {
    let directory = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(directory).map_err(TableError::io(directory))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = directory.join(format!(".{name}.{}.tmp", std::process::id()));
    let result = File::create(&temporary).and_then(write).and_then(|value| {
        fs::rename(&temporary, path)?;
        Ok(value)
    });
    if result.is_err() {
        let _ = fs::remove_file(&temporary);
    }
    result.map_err(TableError::io(path))
}

/// Makes files or directories durable, many at a time: a file system syncs those that wait together as one.
pub fn sync_all(paths: &[PathBuf]) -> Result<(), TableError> {
    const AT_ONCE: usize = 32;
    std::thread::scope(|scope| {
        let share = paths.len().div_ceil(AT_ONCE).max(1);
        let sync = |share: &[PathBuf]| share.iter().try_for_each(|path| sync_directory(path));
        let workers: Vec<_> = paths.chunks(share).map(|share| scope.spawn(move || sync(share))).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// Removes temporary files that a killed process has left in a directory, as well as it can.
///
/// The caller holds the workspace's lock. Only `workspace.json` is written without it, so its temporary file stays.
pub fn sweep_temporaries(directory: &Path) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_ours = name.starts_with('.') && name.ends_with(".tmp");
        if is_ours && !name.starts_with(".workspace.json") {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// sha256 of a file, a piece of it in memory at a time.
pub fn sha256_of_file(path: &Path) -> Result<String, TableError> {
    let mut hasher = Sha256::new();
    let mut piece = vec![0; 1 << 18];
    let mut file = File::open(path).map_err(TableError::io(path))?;
    loop {
        match file.read(&mut piece).map_err(TableError::io(path))? {
            0 => return Ok(hex(&hasher.finalize())),
            length => hasher.update(&piece[..length]),
        }
    }
}

/// Makes the names in a directory durable.
pub fn sync_directory(directory: &Path) -> Result<(), TableError> {
    File::open(directory).and_then(|file| file.sync_all()).map_err(TableError::io(directory))
}

/// Serialises a frame as Parquet. Equal frames give equal bytes.
///
/// # Errors
/// When polars cannot encode a column.
pub fn parquet_bytes(frame: &mut DataFrame) -> PolarsResult<Vec<u8>> {
    frame.rechunk_mut();
    let mut bytes = Vec::new();
    parquet_writer(&mut bytes).finish(frame)?;
    Ok(bytes)
}

/// Our way of writing Parquet: the same bytes on any number of threads.
fn parquet_writer<W: Write>(writer: W) -> ParquetWriter<W> {
    let metadata = KeyValueMetadata::from_static(vec![(FORMAT_KEY.to_string(), FORMAT.to_string())]);
    ParquetWriter::new(writer)
        .with_compression(ParquetCompression::Zstd(None))
        .with_row_group_size(Some(ROW_GROUP_ROWS))
        .with_key_value_metadata(Some(metadata))
        .set_parallel(false)
}

/// Writes a frame as Parquet under `path` and returns the file's sha256.
pub fn write_parquet(path: &Path, frame: &mut DataFrame) -> Result<String, TableError> {
    let bytes = parquet_bytes(frame).map_err(TableError::parquet(path))?;
    write_atomically(path, |file| file.write_all(&bytes))?;
    Ok(sha256_hex(&bytes))
}

/// Reads columns of a Parquet file of ours; without names, all of them.
pub fn read_parquet(path: &Path, columns: Option<&[&str]>) -> Result<DataFrame, TableError> {
    let file = File::open(path).map_err(TableError::io(path))?;
    open_parquet(path, file)?
        .with_columns(columns.map(owned))
        .set_rechunk(true)
        .finish()
        .map_err(TableError::parquet(path))
}

/// Reads those of some columns that a Parquet file of ours has: a file that was written before a column was added lacks it.
pub fn read_known_columns(path: &Path, columns: &[&str]) -> Result<DataFrame, TableError> {
    let file = File::open(path).map_err(TableError::io(path))?;
    let mut reader = open_parquet(path, file)?;
    let schema = reader.schema().map_err(TableError::parquet(path))?;
    let known: Vec<&str> = columns.iter().copied().filter(|name| schema.contains(name)).collect();
    reader.with_columns(Some(owned(&known))).set_rechunk(true).finish().map_err(TableError::parquet(path))
}

/// Reads columns of a Parquet file of ours a row group at a time, on all cores; what `work` made of each, in order, one at least.
///
/// What `work` leaves out is gone before the next row group is read, where [`read_parquet`] would hold it of all rows.
pub fn map_row_groups<T: Send>(
    path: &Path,
    columns: &[&str],
    work: impl Fn(DataFrame) -> PolarsResult<T> + Sync,
) -> Result<Vec<T>, TableError> {
    // All groups are of one open file: another one may take its name meanwhile. They are read from its memory map, not at its
    // cursor, which threads would share.
    let file = File::open(path).map_err(TableError::io(path))?;
    let metadata =
        open_parquet(path, BufReader::new(&file))?.get_metadata().map_err(TableError::parquet(path))?.clone();
    let mut start = 0;
    let mut slices: Vec<(usize, usize)> = Vec::new();
    for group in &metadata.row_groups {
        slices.push((start, group.num_rows()));
        start += group.num_rows();
    }
    if slices.is_empty() {
        slices.push((0, 0));
    }
    let read = |index: usize| {
        let mut reader = ParquetReader::new(BufReader::new(&file));
        reader.set_metadata(metadata.clone());
        let reader = reader.with_columns(Some(owned(columns))).with_slice(Some(slices[index]));
        let frame = reader.read_parallel(ParallelStrategy::RowGroups).finish();
        frame.and_then(&work).map_err(TableError::parquet(path))
    };
    parallel::map_each(slices.len(), read).into_iter().collect()
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| name.to_string()).collect()
}

/// A reader of a Parquet file whose format this build knows.
fn open_parquet<R: MmapBytesReader>(path: &Path, file: R) -> Result<ParquetReader<R>, TableError> {
    let mut reader = ParquetReader::new(file);
    let metadata = reader.get_metadata().map_err(TableError::parquet(path))?;
    let format = metadata.key_value_metadata.iter().flatten().find(|pair| pair.key == FORMAT_KEY);
    let found = format.and_then(|pair| pair.value.as_deref()).and_then(|text| text.parse().ok()).unwrap_or(0);
    if found > FORMAT {
        return Err(TableError::NewerFormat { path: path.to_path_buf(), found });
    }
    Ok(reader)
}

/// Writes frames one after the other in the format that the extension of `path` names: parquet, csv or jsonl.
///
/// `next` gives the frames, all of the columns of the first, until `None`. Memory holds one of them at a time.
pub fn write_table<E: From<TableError>>(
    path: &Path,
    mut next: impl FnMut() -> Result<Option<DataFrame>, E>,
) -> Result<u64, E> {
    check_extension(path)?;
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let mut failure = None;
    let mut next = || {
        next().map_err(|error| {
            failure = Some(error);
            io::Error::other("the table was not finished")
        })
    };
    let written = write_atomically(path, |file| stream_table(file, extension, &mut next));
    match failure {
        Some(error) => Err(error),
        None => Ok(written?),
    }
}

/// Writes frames as [`write_table`] does, to wherever bytes go: parquet, csv or jsonl; returns the rows.
///
/// # Errors
/// Those of the writer and of `next`.
pub fn stream_table(
    writer: &mut dyn Write,
    format: &str,
    mut next: impl FnMut() -> io::Result<Option<DataFrame>>,
) -> io::Result<u64> {
    let (mut rows, mut writer, mut sink) = (0, Some(writer), None);
    while let Some(mut frame) = next()? {
        rows += frame.height() as u64;
        if let Some(writer) = writer.take() {
            sink = Some(Sink::start(format, writer, &frame)?);
        }
        if let Some(sink) = &mut sink {
            sink.write(&mut frame)?;
        }
    }
    sink.map_or(Ok(rows), |sink| sink.finish().map(|()| rows))
}

/// Writes one frame as [`write_table`] does; returns its rows.
pub fn write_frame(path: &Path, frame: DataFrame) -> Result<u64, TableError> {
    let mut frame = Some(frame);
    write_table(path, || Ok(frame.take()))
}

/// Can [`write_table`] write to this name? Asked before the work, not after it.
pub fn check_extension(path: &Path) -> Result<(), TableError> {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("parquet" | "csv" | "jsonl") => Ok(()),
        _ => Err(TableError::UnknownExtension { path: path.to_path_buf() }),
    }
}

/// An open output file of one of the three formats.
enum Sink<'a> {
    Parquet(Box<parquet::write::BatchedWriter<&'a mut dyn Write>>),
    Csv(Box<csv::Writer<&'a mut dyn Write>>),
    Jsonl(&'a mut dyn Write),
}

impl<'a> Sink<'a> {
    fn start(extension: &str, file: &'a mut dyn Write, frame: &DataFrame) -> io::Result<Sink<'a>> {
        Ok(match extension {
            "csv" => {
                let mut writer = csv::Writer::from_writer(file);
                writer.write_record(frame.get_column_names().iter().map(|name| name.as_str()))?;
                Sink::Csv(Box::new(writer))
            }
            "jsonl" => Sink::Jsonl(file),
            _ => Sink::Parquet(Box::new(
                parquet_writer(file).batched(frame.schema()).map_err(io::Error::other)?,
            )),
        })
    }

    fn write(&mut self, frame: &mut DataFrame) -> io::Result<()> {
        match self {
            Sink::Parquet(writer) => {
                frame.rechunk_mut();
                writer.write_batch(frame).map_err(io::Error::other)
            }
            Sink::Csv(writer) => write_csv_rows(writer, frame),
            Sink::Jsonl(file) => write_jsonl_rows(file, frame),
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Sink::Parquet(writer) => writer.finish().map(|_| ()).map_err(io::Error::other),
            Sink::Csv(mut writer) => writer.flush(),
            Sink::Jsonl(_) => Ok(()),
        }
    }
}

fn write_csv_rows(writer: &mut csv::Writer<&mut dyn Write>, frame: &DataFrame) -> io::Result<()> {
    let columns = series_of(frame);
    for row in 0..frame.height() {
        for column in &columns {
            match cell(column, row) {
                serde_json::Value::Null => writer.write_field("")?,
                serde_json::Value::String(text) => writer.write_field(text)?,
                other => writer.write_field(other.to_string())?,
            }
        }
        writer.write_record(None::<&[u8]>)?;
    }
    Ok(())
}

fn write_jsonl_rows(file: &mut dyn Write, frame: &DataFrame) -> io::Result<()> {
    let columns = series_of(frame);
    for row in 0..frame.height() {
        let record: serde_json::Map<String, serde_json::Value> =
            columns.iter().map(|column| (column.name().to_string(), cell(column, row))).collect();
        serde_json::to_writer(&mut *file, &record)?;
        file.write_all(b"\n")?;
    }
    Ok(())
}

fn series_of(frame: &DataFrame) -> Vec<Series> {
    frame.columns().iter().map(|column| column.as_materialized_series().clone()).collect()
}

/// One cell as JSON. Stamps are RFC 3339; floats keep every digit that reading them back needs.
pub fn cell(column: &Series, row: usize) -> serde_json::Value {
    column.get(row).map(json).unwrap_or(serde_json::Value::Null)
}

fn json(value: AnyValue<'_>) -> serde_json::Value {
    use domain::time::Instant;
    match value {
        AnyValue::Boolean(value) => value.into(),
        AnyValue::String(text) => text.into(),
        AnyValue::StringOwned(text) => text.as_str().into(),
        AnyValue::Int32(value) => value.into(),
        AnyValue::Int64(value) => value.into(),
        AnyValue::UInt64(value) => value.into(),
        AnyValue::UInt32(value) => value.into(),
        AnyValue::Float64(value) => value.into(),
        AnyValue::Datetime(value, TimeUnit::Microseconds, _) => {
            Instant::from_micros(value).to_string().into()
        }
        AnyValue::List(series) => series.iter().map(json).collect::<Vec<_>>().into(),
        _ => serde_json::Value::Null,
    }
}
