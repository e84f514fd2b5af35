//! Files that are not CSV, JSON lines or Parquet, known by their first bytes: what they are, and the command that helps.
//!
//! To add one: one line in [`KINDS`].

use std::path::Path;

use super::{Format, InputError, encoding};

/// A kind of file that is not read: its first bytes, its name, and what to do with `{}`, the file.
struct ForeignKind {
    start: &'static [u8],
    name: &'static str,
    advice: &'static str,
}

const fn kind(start: &'static [u8], name: &'static str, advice: &'static str) -> ForeignKind {
    ForeignKind { start, name, advice }
}

const KINDS: [ForeignKind; 17] = [
    kind(b"PK\x03\x04", "a zip archive", "unpack it: `unzip {}`"),
    kind(b"\xd0\xcf\x11\xe0", "an Excel workbook (.xls)", "save the sheet as CSV UTF-8 in Excel"),
    kind(b"\x28\xb5\x2f\xfd", "a Zstandard file", "unpack it: `zstd -d {}`"),
    kind(b"BZh", "a bzip2 file", "unpack it: `bunzip2 {}`"),
    kind(b"\xfd7zXZ\0", "an xz file", "unpack it: `unxz {}`"),
    kind(b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it: `7z x {}`"),
    kind(b"Rar!\x1a\x07", "a RAR archive", "unpack it: `unrar x {}`"),
    kind(b"\x04\x22\x4d\x18", "an LZ4 file", "unpack it: `lz4 -d {}`"),
    kind(b"ORC", "an ORC file", "convert it to Parquet: `duckdb`, Spark or pyarrow do"),
    kind(
        b"Obj\x01",
        "an Avro file",
        "convert it to Parquet or JSON lines: `avro-tools tojson {} > events.jsonl`",
    ),
    kind(b"ARROW1", "an Arrow (Feather) file", "convert it to Parquet: pyarrow, pandas and polars do"),
    kind(
        b"SQLite format 3\0",
        "an SQLite database",
        "export a table as CSV: `sqlite3 -header -csv {} 'SELECT * FROM …'`",
    ),
    kind(b"%PDF", "a PDF document", "export the data as CSV"),
    kind(b"<?xml", "an XML document", "export the data as CSV or JSON lines"),
    kind(b"<!DOCTYPE", "an HTML page", "a download may have returned an error page; export the data as CSV"),
    kind(b"<html", "an HTML page", "a download may have returned an error page; export the data as CSV"),
    kind(b"\x80\x04\x95", "a Python pickle", "write it as Parquet: `DataFrame.to_parquet`"),
];

/// Refuses a file that is none of the formats, or not in UTF-8.
pub(super) fn check(start: &[u8], format: Format, path: &Path) -> Result<(), InputError> {
    let file = path.display().to_string();
    if let Some(kind) = KINDS.iter().find(|kind| start.starts_with(kind.start)) {
        let (name, advice) = if is_workbook(start) {
            ("an Excel or OpenDocument workbook", "save the sheet as CSV UTF-8")
        } else {
            (kind.name, kind.advice)
        };
        let detail = format!("{name}, not CSV, JSON lines or Parquet; {}", advice.replace("{}", &file));
        return Err(InputError::new("unsupported_format", path, detail));
    }
    if start.get(257..262) == Some(b"ustar") {
        let detail = format!("a tar archive, not CSV, JSON lines or Parquet; unpack it: `tar -xf {file}`");
        return Err(InputError::new("unsupported_format", path, detail));
    }
    if format == Format::Parquet {
        return Ok(());
    }
    if start.starts_with(b"PAR1") {
        let detail = "a Parquet file; leave --format out, or say --format parquet";
        return Err(InputError::new("unsupported_format", path, detail));
    }
    let Some(encoding) = unicode_without_mark(start).or_else(|| encoding::other_than_utf8(start)) else {
        return Ok(());
    };
    let name = name_of(path);
    let command = match file.strip_suffix(".gz") {
        Some(_) => format!("gzip -dc {file} | iconv -f {encoding} -t UTF-8 > utf8-{name}"),
        None => format!("iconv -f {encoding} -t UTF-8 {file} > utf8-{name}"),
    };
    let header = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let (code, what) = match std::str::from_utf8(header) {
        Err(_) if format == Format::Csv && !encoding.starts_with("UTF") => {
            ("bad_header", "line 1 is not UTF-8")
        }
        _ => ("not_utf8", "not UTF-8"),
    };
    let detail = format!("{what}, it looks like {encoding}; convert it: `{command}`");
    Err(InputError::new(code, path, detail))
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().trim_end_matches(".gz").to_string()
}

/// Does a zip archive hold what office programs put in one?
fn is_workbook(start: &[u8]) -> bool {
    let head = &start[..start.len().min(4_096)];
    let holds = |name: &[u8]| head.windows(name.len()).any(|window| window == name);
    head.starts_with(b"PK")
        && [&b"[Content_Types].xml"[..], b"_rels/.rels", b"xl/", b"opendocument"].into_iter().any(holds)
}

/// UTF-32, and UTF-16 without its mark: every second byte of plain text is zero.
fn unicode_without_mark(start: &[u8]) -> Option<&'static str> {
    if start.starts_with(&[0xff, 0xfe, 0, 0]) || start.starts_with(&[0, 0, 0xfe, 0xff]) {
        return Some("UTF-32");
    }
    let head = &start[..start.len().min(512) / 2 * 2];
    let zeros = |offset: usize| head.iter().skip(offset).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    match head.len() >= 8 {
        true if even * 8 < odd && odd * 5 > head.len() => Some("UTF-16LE"),
        true if odd * 8 < even && even * 5 > head.len() => Some("UTF-16BE"),
        _ => None,
    }
}
