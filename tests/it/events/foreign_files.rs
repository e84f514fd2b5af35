//! Files in other encodings and of other kinds: read where that is certain, named with the command that helps where not.

use std::io::Write;
use std::path::PathBuf;

use events::formats::{Format, InputColumn, InputError, InputRecord, Limits, Progress, RawValue, Reader};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A file with these bytes.
fn file(name: &str, bytes: &[u8]) -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    (directory, path)
}

fn open(name: &str, bytes: &[u8], format: Option<Format>) -> (TempDir, Result<Reader, InputError>) {
    let (directory, path) = file(name, bytes);
    let limits = Limits { chunk_rows: 2, record_bytes: 1 << 20 };
    let reader = Reader::open(&path, format, limits, &Progress::default(), directory.path());
    (directory, reader)
}

/// The values of some columns, record by record; a code where a record cannot be read.
fn cells(name: &str, bytes: &[u8], columns: &[&str]) -> Vec<Vec<Value>> {
    let (_directory, reader) = open(name, bytes, None);
    let mut reader = reader.unwrap_or_else(|error| panic!("{error}"));
    let header = reader.header().map(<[String]>::to_vec);
    let column = |name: &&str| {
        let index = header.iter().flatten().position(|column| column == name).unwrap_or_default();
        InputColumn { name: (*name).to_string(), index }
    };
    let columns: Vec<InputColumn> = columns.iter().map(column).collect();
    let mut rows = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        rows.push(match record {
            InputRecord::Row(_, row) => columns.iter().map(|column| row.get(column).to_json()).collect(),
            InputRecord::Unreadable(_, rejection, _) => vec![rejection.code.as_str().into()],
        });
    }
    rows
}

fn texts(name: &str, bytes: &[u8]) -> Vec<Vec<Value>> {
    cells(name, bytes, &["user_id", "event"])
}

fn refused(name: &str, bytes: &[u8]) -> String {
    let (_directory, reader) = open(name, bytes, None);
    reader.map(|_| ()).unwrap_err().to_string()
}

fn utf16(text: &str, big_endian: bool) -> Vec<u8> {
    let bytes = |unit: u16| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() };
    format!("\u{feff}{text}").encode_utf16().flat_map(bytes).collect()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const CSV: &str = "user_id,event\n小明,view\n😀,click\n";

#[test]
fn utf_16_with_its_mark_is_read_in_both_orders_gzipped_or_not() {
    let expected = vec![vec![Value::from("小明"), "view".into()], vec!["😀".into(), "click".into()]];
    for big_endian in [false, true] {
        let csv = utf16(CSV, big_endian);
        assert_eq!(texts("a.csv", &csv), expected);
        assert_eq!(texts("a.csv.gz", &gzipped(&csv)), expected);
        let json = utf16(
            "{\"user_id\":\"小明\",\"event\":\"view\"}\n{\"user_id\":\"😀\",\"event\":\"click\"}\n",
            big_endian,
        );
        assert_eq!(texts("a", &json), expected);
    }
    // Longer than one block, with a character of two units across its end.
    let long = format!("user_id,event\n{}😀,view\n", "x,view\n".repeat(20_000));
    for shift in ["", "y"] {
        let rows = texts("a.csv", &utf16(&long.replace("\nx", &format!("\nx{shift}")), false));
        assert_eq!((rows.len(), &rows[20_000][0]), (20_001, &Value::from("😀")));
    }
}

#[test]
fn the_mark_of_utf_8_is_no_part_of_a_name_or_a_value() {
    let twice = format!("\u{feff}{CSV}\u{feff}{CSV}\u{feff}\"u9\",view\n");
    let rows = texts("a.csv", twice.as_bytes());
    assert_eq!(rows.len(), 5, "the header of the second file is no record: {rows:?}");
    assert_eq!(rows[4][0], "u9");
    let json = "\u{feff}{\"user_id\":\"u\",\"event\":\"view\"}\n";
    assert_eq!(texts("a", json.as_bytes()), [[Value::from("u"), "view".into()]]);
}

#[test]
fn a_first_line_that_names_the_separator_is_no_header() {
    for (first, separator) in
        [("sep=;\r\n", ';'), ("\u{feff}SEP=|\n", '|'), ("\"sep=;\"\n", ';'), ("sep=\t\n", '\t'), ("", '\t')]
    {
        let text = format!("{first}user_id,event\nu,view\n").replace("id,", &format!("id{separator}"));
        let text = text.replace("u,view", &format!("u{separator}view"));
        assert_eq!(texts("a.csv", text.as_bytes()), [[Value::from("u"), "view".into()]], "{first:?}");
    }
    let (_directory, reader) = open("a.csv", b"sep=;\nuser_id;event\nu\n", None);
    let mut reader = reader.unwrap();
    let Some(InputRecord::Unreadable(line, _, _)) = reader.next_record().unwrap() else {
        panic!("a bad record")
    };
    assert_eq!(line, 3, "lines are those of the file");
}

#[test]
fn blanks_and_words_that_stand_for_nothing_are_taken_off() {
    let text = "user_id,event\n undefined ,\u{a0}view\u{200b}\nNULL,None\n\\N,[object Object]\nN/A,-\nnan,(not set)\n NA , nana \n";
    let rows = texts("a.csv", text.as_bytes());
    assert_eq!(rows[0], [Value::Null, "view".into()]);
    assert!(rows[1..5].iter().flatten().all(Value::is_null), "{rows:?}");
    assert_eq!(rows[5], [Value::from("NA"), "nana".into()], "NA is also Namibia");
    let json = "{\"user_id\":\"undefined\",\"event\":NaN}\n{\"user_id\":\"say \\\"NaN\\\"\",\"event\":NaN}\n";
    let rows = texts("a.jsonl", json.as_bytes());
    assert_eq!(rows, [[Value::Null, Value::Null], [Value::from("say \"NaN\""), Value::Null]]);
}

#[test]
fn files_of_other_kinds_are_named_with_the_command_that_helps() {
    let workbook = b"PK\x03\x04\x14\0\x06\0\x08\0\0\0!\0[Content_Types].xml";
    for (name, bytes, words) in [
        ("events.csv", &b"PK\x03\x04\x14\0\0\0events.csv"[..], ["a zip archive", "unzip"]),
        ("events.xlsx", &workbook[..], ["workbook", "CSV UTF-8"]),
        ("events.csv", &workbook[..], ["workbook", "CSV UTF-8"]),
        ("events.xls", &b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"[..], ["workbook", "CSV UTF-8"]),
        ("events.csv.zst", &b"\x28\xb5\x2f\xfdxx"[..], ["Zstandard", "zstd -d"]),
        ("events.csv.bz2", &b"BZh91AY"[..], ["bzip2", "bunzip2"]),
        ("events.avro", &b"Obj\x01xx"[..], ["Avro", "tojson"]),
        ("events.csv", &b"<!DOCTYPE html><html>"[..], ["an HTML page", "error page"]),
    ] {
        let said = refused(name, bytes);
        assert!(said.starts_with("unsupported_format: "), "{said}");
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
    }
}

#[test]
fn text_in_another_encoding_is_named_with_the_command_that_converts_it() {
    let gbk = [&b"user_id,event\n"[..], b"u1,\xc9\xcc\xc6\xb7\nu2,\xb4\xd9\xcf\xfa\n"].concat();
    let latin = [&b"user_id,event\n"[..], b"Ren\xe9,caf\xe9\nZo\xeb,view\n"].concat();
    let plain: Vec<u8> = CSV.encode_utf16().flat_map(u16::to_le_bytes).collect();
    for (bytes, encoding) in [
        (gbk.clone(), "GBK"),
        ([&b"\xd3\xc3\xbb\xa7,event\n"[..], b"u1,view\n"].concat(), "GBK"),
        (latin, "WINDOWS-1252"),
        (plain, "UTF-16LE"),
        ([&b"\xff\xfe\0\0"[..], b"u\0\0\0"].concat(), "UTF-32"),
    ] {
        let said = refused("a.csv", &bytes);
        let command = format!("iconv -f {encoding} -t UTF-8 ");
        // A name of a column is worse than a value of one.
        let code = if bytes.starts_with(b"\xd3") { "bad_header: " } else { "not_utf8: " };
        assert!(said.starts_with(code) && said.contains(&command), "{said}");
    }
    let json = [&b"{\"user_id\":\"u\",\"event\":\""[..], b"\xc9\xcc\xc6\xb7\"}\n"].concat();
    assert!(refused("a.jsonl", &json).contains("GBK"));
    // One bad line among many costs itself.
    let mixed =
        [b"user_id,event\n".to_vec(), b"u,view\n".repeat(20), b"u,\xc9\xcc\xc6\xb7\n".to_vec()].concat();
    let rows = texts("a.csv", &mixed);
    assert_eq!((rows.len(), &rows[20][0]), (21, &Value::from("bad_utf8")));
}

#[test]
fn a_parquet_file_is_one_whatever_its_name() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/parquet/pandas_zoned.parquet");
    let bytes = std::fs::read(path).unwrap();
    assert_eq!(texts("events.csv", &bytes).len(), 3);
    let (_directory, reader) = open("events.csv", &bytes, Some(Format::Csv));
    let said = reader.map(|_| ()).unwrap_err().to_string();
    assert!(said.contains("a Parquet file"), "{said}");
}

#[test]
fn columns_of_parquet_that_no_table_holds_become_values() {
    let read = |name: &str, column: &str| -> Vec<Value> {
        let path = format!("{}/../../tests/data/parquet/{name}.parquet", env!("CARGO_MANIFEST_DIR"));
        let rows = cells(&format!("{name}.parquet"), &std::fs::read(path).unwrap(), &[column]);
        rows.into_iter().flatten().collect()
    };
    assert_eq!(read("nested_list", "tags"), [json!(["a"]), json!(["b", "c"]), json!([])]);
    assert_eq!(read("nested_struct", "context")[1], json!({ "a": 2 }));
    assert_eq!(read("binary", "token"), [Value::from("0001"), "ff".into(), Value::Null]);
    assert_eq!(read("time_of_day", "at"), ["09:00:00", "10:00:00", "11:00:00"]);
    assert_eq!(read("duration", "dwell"), [1, 2, 3]);
    let far = RawValue::Naive(253_402_214_400_000_000).to_json();
    let near = Value::from("2024-01-02T03:04:05.678901");
    assert_eq!(read("spark_stamps", "timestamp"), [near, far, Value::Null], "the year 9999, not 1816");
}

#[test]
fn no_column_of_parquet_is_refused_for_its_type() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/data/parquet/foreign_types.parquet");
    let bytes = std::fs::read(path).unwrap();
    let read = |column: &str| -> Vec<Value> {
        cells("foreign_types.parquet", &bytes, &[column]).into_iter().flatten().collect()
    };
    let [first, last] = ["00010203-0405-0607-0809-0a0b0c0d0e0f", "ffffffff-ffff-ffff-ffff-ffffffffffff"];
    assert_eq!(read("uuid"), [Value::from(first), last.into(), Value::Null]);
    let wide = "10000000000000000000000000000000000000";
    assert_eq!(read("digits"), [Value::from(9_007_199_254_740_993_i64), wide.into(), Value::Null]);
    assert_eq!(read("amount"), [Value::from(12.5), 7.into(), Value::Null]);
    assert_eq!(read("text"), [Value::from("u1"), "小明".into(), Value::Null]);
    assert_eq!(read("json"), [Value::from("{\"a\":1}"), "[]".into(), Value::Null]);
    assert_eq!(read("single"), [Value::from(1.5), Value::from(16_777_216.0_f64), Value::Null]);
    assert_eq!(read("map"), [json!({ "a": 1 }), json!({}), Value::Null]);
    assert_eq!(read("items"), [json!([{ "sku": "s", "price": 1.5 }]), json!([]), Value::Null]);
    assert_eq!(read("seconds"), [Value::from(0), 1.into(), Value::Null]);
    assert_eq!(read("codes"), [7, 8, 7]);
    assert_eq!(read("user_id"), ["u1", "u2", "u3"], "columns of both kinds keep their order");
}
