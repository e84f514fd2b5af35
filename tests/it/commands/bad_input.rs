//! Files that are wrong in every way we could think of: what is counted, what is refused, and what stays as it was.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use crate::support::ingesting::{InputDirectory, RunOutcome, fixture, gzipped};

/// What an ingest of one file must come to.
enum ExpectedEnd {
    /// Exit 0 with (read, accepted, duplicate) and each rejected line with its reason.
    Taken([u64; 3], &'static [(u64, &'static str)]),
    /// Exit 2 with this code, and a text that names this.
    Refused(&'static str, &'static str),
}

use ExpectedEnd::{Refused, Taken};

/// One file, the options it is ingested with, and what must come of it.
struct Case {
    name: &'static str,
    file: &'static str,
    bytes: Vec<u8>,
    options: &'static [&'static str],
    expected: ExpectedEnd,
}

fn case(
    name: &'static str,
    file: &'static str,
    bytes: impl AsRef<[u8]>,
    options: &'static [&'static str],
    expected: ExpectedEnd,
) -> Case {
    Case { name, file, bytes: bytes.as_ref().to_vec(), options, expected }
}

/// A CSV of events whose every column but the last is good.
fn csv(lines: &str) -> String {
    format!("user_id,event,timestamp\n{lines}")
}

/// One event in JSON lines with a field of its own.
fn json(field: &str) -> String {
    format!("{{\"user_id\":\"u\",\"event\":\"view\",\"timestamp\":1488369600,{field}}}\n")
}

fn check(cases: Vec<Case>) {
    let failures: Vec<String> = cases.iter().filter_map(failure).collect();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// Runs a case in a workspace that holds one event already; what went otherwise than expected.
fn failure(case: &Case) -> Option<String> {
    let directory = InputDirectory::new();
    directory.ingest_bytes("first.csv", csv("first,view,2017-01-01T00:00:00Z\n"), &[]);
    let before = directory.lake();
    let outcome = directory.ingest_bytes(case.file, &case.bytes, case.options);
    let found = match &case.expected {
        Taken(counts, rejected) => taken_otherwise(&directory, &outcome, *counts, rejected),
        Refused(code, named) => refused_otherwise(&outcome, code, named)
            .or_else(|| (directory.lake() != before).then(|| "the lake has changed".to_string())),
    };
    found.map(|found| format!("{}: {found}\n    {}", case.name, outcome.json))
}

fn taken_otherwise(
    directory: &InputDirectory,
    outcome: &RunOutcome,
    [read, accepted, duplicate]: [u64; 3],
    rejected: &[(u64, &str)],
) -> Option<String> {
    let exit = match rejected.len() as u64 {
        all if all == read && read > 0 => 2,
        many if many * 10 > read => 3,
        _ => 0,
    };
    if outcome.exit != Some(exit) {
        return Some(format!("exit {:?}: {}", outcome.exit, outcome.stderr));
    }
    let expected = [read, accepted, duplicate, rejected.len() as u64];
    if outcome.counts() != expected {
        return Some(format!("{:?} instead of {expected:?}", outcome.counts()));
    }
    let letters = directory.letters();
    let found: Vec<(u64, &str)> = letters
        .iter()
        .map(|letter| (letter["line"].as_u64().unwrap(), letter["reason"].as_str().unwrap()))
        .collect();
    (found != rejected).then(|| format!("dead letters {found:?}"))
}

fn refused_otherwise(outcome: &RunOutcome, code: &str, named: &str) -> Option<String> {
    if outcome.exit != Some(2) {
        return Some(format!("exit {:?}: {}", outcome.exit, outcome.stderr));
    }
    let is_coded = outcome.json["error"].as_str().is_some_and(|text| text.starts_with(&format!("{code}:")));
    if !is_coded || !outcome.stderr.contains(named) || outcome.count("read") != 0 {
        return Some(format!("{} / {}", outcome.json["error"], outcome.stderr));
    }
    None
}

#[test]
fn a_csv_file_that_cannot_be_read_is_refused_by_name() {
    let good = csv("u,view,2017-03-01T00:00:00Z\n");
    let mut cut = gzipped(good.repeat(2_000).as_bytes());
    cut.truncate(cut.len() / 2);
    let mut damaged = gzipped(good.as_bytes());
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0xff;
    let wide = (0..100_000).map(|index| format!("c{index},")).collect::<String>() + "last\n";
    check(vec![
        case("no bytes", "a.csv", "", &[], Refused("empty_file", "a.csv")),
        case("no bytes, gzipped", "a.csv.gz", gzipped(b""), &[], Refused("empty_file", "a.csv.gz")),
        case("blank lines only", "a.csv", "\n\r\n\n", &[], Refused("empty_file", "header")),
        case(
            "no user_id",
            "a.csv",
            "event,timestamp\nview,1488369600\n",
            &[],
            Refused("missing_column", "user_id"),
        ),
        case("wrong case", "a.csv", "User_Id,event,timestamp\n", &[], Taken([0, 0, 0], &[])),
        case(
            "no such column to map",
            "a.csv",
            &good,
            &["--map", "at=timestamp"],
            Refused("missing_column", "\"at\""),
        ),
        case(
            "a name twice",
            "a.csv",
            "user_id,event,event,timestamp\n",
            &[],
            Refused("duplicate_column", "event"),
        ),
        case(
            "header not UTF-8",
            "a.csv",
            b"user_id,event\xff,timestamp\n",
            &[],
            Refused("bad_header", "line 1"),
        ),
        case(
            "UTF-16",
            "a.csv",
            b"\xff\xfeu\0s\0e\0r\0\n\0",
            &[],
            Refused("missing_column", "the file has user"),
        ),
        case(
            "UTF-16 cut within a character",
            "a.csv",
            b"\xff\xfeu\0s\0e",
            &[],
            Refused("truncated_file", "UTF-16"),
        ),
        case("a header of 2 MiB", "a.csv", "x".repeat(2 << 20), &[], Refused("bad_header", "1048576")),
        case("100,000 columns", "a.csv", wide, &[], Refused("missing_column", "user_id")),
        case("gzip cut in half", "a.csv.gz", &cut, &[], Refused("truncated_file", "a.csv.gz")),
        case("gzip header alone", "a.csv.gz", &cut[..5], &[], Refused("truncated_file", "a.csv.gz")),
        case("gzip with a flipped byte", "a.csv.gz", damaged, &[], Refused("damaged_file", "a.csv.gz")),
        case(
            "a quote that is never closed",
            "a.csv",
            csv("u,view,2017-03-01T00:00:00Z\n\nu,\"view,1\nu,view,2\n"),
            &[],
            Refused("unclosed_quote", "line 4"),
        ),
        case(
            "an open quote in the header",
            "a.csv",
            "user_id,\"event\n",
            &[],
            Refused("unclosed_quote", "line 1"),
        ),
    ]);
}

#[test]
fn a_bad_csv_record_costs_only_itself() {
    let stamp = "2017-03-01T00:00:00Z";
    let long = "x".repeat(10 << 20);
    let exact = "y".repeat((1 << 20) - 128);
    check(vec![
        case("header only", "a.csv", csv(""), &[], Taken([0, 0, 0], &[])),
        case("no line feed at the end", "a.csv", csv(&format!("u,view,{stamp}")), &[], Taken([1, 1, 0], &[])),
        case(
            "a quote closed by the end",
            "a.csv",
            csv(&format!("u,view,\"{stamp}\"")),
            &[],
            Taken([1, 1, 0], &[]),
        ),
        case(
            "byte order mark and CRLF, a bad line in the middle",
            "a.csv",
            format!(
                "\u{feff}user_id,event,timestamp\r\nu,view,{stamp}\r\n,view,{stamp}\r\nv,view,{stamp}\r\n"
            ),
            &[],
            Taken([3, 2, 0], &[(3, "missing_value")]),
        ),
        case(
            "blank lines count as lines and not as records",
            "a.csv",
            csv(&format!("\n\nu,view,{stamp}\n\r\n,view,{stamp}\n\n")),
            &[],
            Taken([2, 1, 0], &[(6, "missing_value")]),
        ),
        case(
            "quoted line feeds count as lines",
            "a.csv",
            format!("user_id,event,timestamp,note\nu,view,{stamp},\"a\nb\r\nc\"\n,view,{stamp},d\n"),
            &[],
            Taken([2, 1, 0], &[(5, "missing_value")]),
        ),
        case(
            "too few and too many fields",
            "a.csv",
            csv(&format!("u,view\nu,view,{stamp},more\nu,view,{stamp}\n")),
            &[],
            Taken([3, 1, 0], &[(2, "wrong_field_count"), (3, "wrong_field_count")]),
        ),
        case(
            "not UTF-8, and a character cut in two by a separator",
            "a.csv",
            [csv("").as_bytes(), b"\xff,view,1488369600\n\xc3,\xa9,1488369600\nu,view,1488369600\n"].concat(),
            &[],
            Taken([3, 1, 0], &[(2, "bad_utf8"), (3, "bad_utf8")]),
        ),
        case(
            "a line of 10 MiB between good ones",
            "a.csv",
            csv(&format!("u,view,{stamp}\n{long},view,{stamp}\nv,view,{stamp}\n")),
            &[],
            Taken([3, 2, 0], &[(3, "record_too_large")]),
        ),
        case(
            "almost 1 MiB in an unknown column is kept",
            "a.csv",
            format!("user_id,event,timestamp,note\nu,view,{stamp},{exact}\n"),
            &[],
            Taken([1, 1, 0], &[]),
        ),
    ]);
}

#[test]
fn separators_and_compression_are_recognised() {
    let stamp = "2017-03-01T00:00:00Z";
    check(vec![
        case(
            "semicolons",
            "a.csv",
            format!("user_id;event;timestamp\nu;view;{stamp}\n"),
            &[],
            Taken([1, 1, 0], &[]),
        ),
        case(
            "tabs",
            "a.tsv",
            format!("user_id\tevent\ttimestamp\nu\tview\t{stamp}\n"),
            &[],
            Taken([1, 1, 0], &[]),
        ),
        case(
            "gzip without its name",
            "a",
            gzipped(csv("u,view,1488369600\n").as_bytes()),
            &[],
            Taken([1, 1, 0], &[]),
        ),
        case(
            "two gzip members",
            "a.csv.gz",
            [gzipped(csv("").as_bytes()), gzipped(b"u,view,1488369600\n")].concat(),
            &[],
            Taken([1, 1, 0], &[]),
        ),
    ]);
}

#[test]
fn values_of_the_wrong_kind_are_rejected_with_their_reason() {
    let id = "i".repeat(129);
    let head = "user_id,event,timestamp,value,time_zone,content_id\n";
    let lines = [
        "u,view,1488369600,abc,,",
        "u,view,1488369600,NaN,,",
        "u,view,1488369600,inf,,",
        "u,view,1488369600,-Infinity,,",
        "u,view,1488369600,1e13,,",
        "u,view,1488369600,\"1,5\",,",
        "u,view,1488369600,,Mars/Olympus,",
        "u,view,1488369600,,Etc/Unknown,",
        "u,view,1488369600,,america/new_york,",
        "u,view,1488369600,,EST5EDT4,",
        "u,view,1488369600,,+02:00,",
        "u,view,1488369600,,,a\u{0}b",
        "u,view,1488369600,,,a\u{85}b",
        "u,,1488369600,,,",
        "u,view,,,,",
        "u,view,1488369600,-0.0,America/New_York,c",
    ];
    // NaN is missing, and a zone that cannot be read costs the zone alone; three records are then the same.
    let rejected = &[
        (2, "bad_number"),
        (4, "non_finite_value"),
        (5, "non_finite_value"),
        (6, "non_finite_value"),
        (7, "bad_number"),
        (13, "bad_id"),
        (14, "bad_id"),
        (15, "missing_value"),
        (16, "missing_value"),
    ];
    check(vec![
        case(
            "one of each",
            "a.csv",
            format!("{head}{}\n", lines.join("\n")),
            &[],
            Taken([16, 4, 3], rejected),
        ),
        case(
            "129 bytes of identifier, and 128",
            "a.csv",
            csv(&format!("{id},view,1488369600\n{},view,1488369600\n", &id[..128])),
            &[],
            Taken([2, 1, 0], &[(2, "bad_id")]),
        ),
    ]);
}

#[test]
fn stamps_are_read_or_rejected_never_guessed() {
    let taken = [
        "2017-03-01T00:00:00Z",
        "2017-03-01T00:00:00.123456+23:59",
        "2017-03-01t00:00:00z",
        "2016-12-31T23:59:60Z",
        "1488369600",
        "1488369600000",
        "1488369600000000",
        "1488369600000000000",
        "1488369600.5",
        "1999-12-31T23:59:59Z",
    ];
    let rejected: &[(&str, &str)] = &[
        ("99999999999999999999", "bad_timestamp"),
        ("1969-12-31T23:59:59Z", "timestamp_out_of_range"),
        ("0", "timestamp_out_of_range"),
        ("20170301", "timestamp_out_of_range"),
        ("9999-06-01T00:00:00Z", "timestamp_in_future"),
        ("10000-01-01T00:00:00Z", "bad_timestamp"),
        ("9999-12-31T23:59:59Z", "timestamp_in_future"),
        ("2017-02-29T00:00:00Z", "bad_timestamp"),
        ("2017-03-01T24:00:00Z", "bad_timestamp"),
        ("2017-03-01T00:60:00Z", "bad_timestamp"),
        ("2017-03-01T00:00:00+25:00", "bad_timestamp"),
        ("2017-03-01T00:00:00+24:00", "bad_timestamp"),
        ("2017-03-01T00:00:00-05:00[America/New_York]", "bad_timestamp"),
        ("2017-03-01T00:00:00", "naive_timestamp"),
        ("2017-03-01 00:00:00", "naive_timestamp"),
        ("2017-03-01", "naive_timestamp"),
        ("2017-3-1", "bad_timestamp"),
        ("03/01/2017", "bad_timestamp"),
        ("yesterday", "bad_timestamp"),
        ("  ", "missing_value"),
        ("-5", "bad_timestamp"),
    ];
    let directory = InputDirectory::new();
    let stamps = taken.iter().copied().chain(rejected.iter().map(|(stamp, _)| *stamp));
    let lines: String = stamps.map(|stamp| format!("u,view,{stamp}\n")).collect();
    let outcome = directory.ingest_bytes("a.csv", csv(&lines), &[]);
    let (good, all) = (taken.len() as u64, (taken.len() + rejected.len()) as u64);
    // Three ways to write one instant are one record, and so is noon in seconds and all finer units.
    assert_eq!(outcome.count("accepted") + outcome.count("duplicate"), good, "{outcome:?}");
    assert_eq!(outcome.count("read"), all);
    let letters = directory.letters();
    for ((stamp, reason), (letter, line)) in rejected.iter().zip(letters.iter().zip(good + 2..)) {
        assert_eq!(
            (letter["reason"].as_str(), letter["line"].as_u64()),
            (Some(*reason), Some(line)),
            "{stamp}"
        );
    }
}

#[test]
fn naive_stamps_follow_the_named_zone_through_gaps_and_folds() {
    let directory = InputDirectory::new();
    let stamps = ["2017-03-12T02:30:00", "2017-11-05 01:30:00", "2017-07-01", "2017-07-01T12:00"];
    let lines: String = stamps.iter().map(|stamp| format!("u,view,{stamp}\n")).collect();
    let outcome = directory.ingest_bytes("a.csv", csv(&lines), &["--time-zone", "America/New_York"]);
    assert_eq!(outcome.counts(), [4, 4, 0, 0]);
    let events = directory.events();
    let found: Vec<(&str, bool)> = events
        .iter()
        .map(|event| (event["timestamp"].as_str().unwrap(), event["date_only"].as_bool().unwrap()))
        .collect();
    let expected = [
        // 02:30 does not exist that night: the clock shows 03:30.
        ("2017-03-12T07:30:00Z", false),
        ("2017-07-01T04:00:00Z", true),
        ("2017-07-01T16:00:00Z", false),
        // 01:30 comes twice: the first is meant.
        ("2017-11-05T05:30:00Z", false),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_bad_json_line_costs_only_itself() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    let nested = format!("\"x\":{}", "[".repeat(60) + &"]".repeat(60));
    let long = format!("\"x\":\"{}\"", "x".repeat(10 << 20));
    check(vec![
        case("an array", "a.jsonl", "[{\"user_id\":1}]", &[], Refused("not_json_lines", "jq -c '.[]'")),
        case(
            "no user_id anywhere",
            "a.jsonl",
            "{\"event\":\"view\"}\n",
            &[],
            Refused("missing_column", "user_id"),
        ),
        case(
            "lines that are no objects",
            "a.jsonl",
            format!("{}42\n\n{{\"a\":\nnull\nNaN\n{{}}\n{}", json("\"x\":1"), json("\"x\":2")),
            &[],
            Taken(
                [7, 2, 0],
                &[(2, "bad_json"), (4, "bad_json"), (5, "bad_json"), (6, "bad_json"), (7, "missing_value")],
            ),
        ),
        case(
            "nesting: 100,000 deep and 60 deep",
            "a.jsonl",
            format!("{{\"x\":{deep}}}\n{}", json(&nested)),
            &[],
            Taken([2, 1, 0], &[(1, "bad_json")]),
        ),
        case(
            "10 MiB",
            "a.jsonl",
            json(&long) + &json("\"x\":1"),
            &[],
            Taken([2, 1, 0], &[(1, "record_too_large")]),
        ),
    ]);
}

#[test]
fn json_values_of_the_wrong_kind_are_rejected() {
    check(vec![
        case(
            "numbers out of bounds",
            "a.jsonl",
            [
                json("\"value\":1e400"),
                json("\"value\":1e300"),
                json("\"value\":\"NaN\""),
                json("\"value\":-0.0"),
            ]
            .concat(),
            &[],
            Taken([4, 2, 0], &[(1, "non_finite_value"), (2, "non_finite_value")]),
        ),
        case(
            "identifiers of the wrong kind",
            "a.jsonl",
            [
                json("\"content_id\":[1]"),
                json("\"content_id\":true"),
                json("\"content_id\":1.5"),
                json("\"content_id\":7"),
            ]
            .concat(),
            &[],
            Taken([4, 1, 0], &[(1, "bad_id"), (2, "bad_id"), (3, "bad_id")]),
        ),
        case(
            "an escaped zero in an identifier, half a surrogate pair, a whole one",
            "a.jsonl",
            [
                json("\"content_id\":\"a\\u0000b\""),
                json("\"content_id\":\"\\ud83d\""),
                json("\"content_id\":\"\\ud83d\\ude00\""),
            ]
            .concat(),
            &[],
            Taken([3, 1, 0], &[(1, "bad_id"), (2, "bad_json")]),
        ),
        case(
            "properties that are no object",
            "a.jsonl",
            [json("\"properties\":[1]"), json("\"properties\":\"{\""), json("\"properties\":\"{}\"")]
                .concat(),
            &[],
            Taken([3, 1, 0], &[(1, "bad_value"), (2, "bad_value")]),
        ),
        case(
            "byte order mark and CRLF",
            "a.jsonl",
            format!("\u{feff}{}\r\n", json("\"x\":1").trim()),
            &[],
            Taken([1, 1, 0], &[]),
        ),
    ]);
}

#[test]
fn parquet_from_elsewhere_is_taken_whatever_its_columns_are() {
    let new_york: &[&str] = &["--time-zone", "America/New_York"];
    let naive = &[(1, "naive_timestamp"), (2, "naive_timestamp"), (3, "naive_timestamp")];
    let mut cut = gzipped(&fixture("pandas_zoned"));
    cut.truncate(cut.len() - 9);
    let file = |name, options, expected| case(name, "a.parquet", fixture(name), options, expected);
    check(vec![
        file("pandas_zoned", &[], Taken([3, 3, 0], &[])),
        file("zoned_milliseconds", &[], Taken([3, 3, 0], &[])),
        file("naive_nanoseconds", &[], Taken([3, 0, 0], naive)),
        file("naive_nanoseconds", new_york, Taken([3, 3, 0], &[])),
        file("date32", &[], Taken([3, 0, 0], naive)),
        file("date32", new_york, Taken([3, 3, 0], &[])),
        file("uint64_ids", &[], Taken([3, 3, 0], &[])),
        file("integer_ids", &[], Taken([3, 3, 0], &[])),
        file("float_ids", &[], Taken([3, 1, 0], &[(2, "bad_id"), (3, "missing_value")])),
        file("boolean_ids", &[], Taken([3, 0, 0], &[(1, "bad_id"), (2, "bad_id"), (3, "missing_value")])),
        file("decimal_values", &[], Taken([3, 3, 0], &[])),
        file("odd_values", &[], Taken([3, 1, 0], &[(2, "non_finite_value"), (3, "non_finite_value")])),
        file("all_null_column", &[], Taken([3, 3, 0], &[])),
        file("many_row_groups", &[], Taken([3, 3, 0], &[])),
        file("no_rows", &[], Taken([0, 0, 0], &[])),
        file("no_stamp_column", &[], Refused("missing_column", "timestamp")),
        file("nested_list", &[], Taken([3, 3, 0], &[])),
        file("nested_struct", &[], Taken([3, 3, 0], &[])),
        file("binary", &[], Taken([3, 3, 0], &[])),
        file("time_of_day", &[], Taken([3, 3, 0], &[])),
        file("duration", &[], Taken([3, 3, 0], &[])),
        file("foreign_types", &[], Taken([3, 3, 0], &[])),
        file("spark_stamps", new_york, Taken([3, 1, 0], &[(2, "bad_timestamp"), (3, "missing_value")])),
        file("truncated", &[], Refused("damaged_file", "a.parquet")),
        file("damaged", &[], Refused("damaged_file", "a.parquet")),
        case("no Parquet at all", "a.parquet", csv(""), &[], Refused("damaged_file", "a.parquet")),
        case(
            "gzipped Parquet",
            "a.parquet.gz",
            gzipped(&fixture("pandas_zoned")),
            &[],
            Taken([3, 3, 0], &[]),
        ),
        case(
            "gzipped Parquet cut short",
            "a.parquet.gz",
            cut,
            &[],
            Refused("truncated_file", "a.parquet.gz"),
        ),
    ]);
}

#[test]
fn no_flipped_byte_in_a_parquet_file_ends_in_a_panic() {
    let whole = fixture("pandas_zoned");
    let directory = InputDirectory::new();
    // Every 23rd byte, inverted: metadata, page headers and data all get their share.
    let files: Vec<String> = (0..whole.len())
        .step_by(23)
        .map(|index| {
            let mut bytes = whole.clone();
            bytes[index] = !bytes[index];
            let name = format!("{index}.parquet");
            directory.write(&name, bytes);
            name
        })
        .collect();
    let outcome = directory.ingest(&files.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(outcome.exit, Some(2), "{outcome:?}");
}

#[test]
fn the_values_of_foreign_parquet_arrive_as_they_were() {
    let directory = InputDirectory::new();
    directory.ingest_bytes("u.parquet", fixture("uint64_ids"), &[]);
    directory.ingest_bytes("d.parquet", fixture("decimal_values"), &[]);
    let users: Vec<String> =
        directory.events().iter().map(|event| event["user_id"].as_str().unwrap().into()).collect();
    assert!(users.contains(&u64::MAX.to_string()), "{users:?}");
    let values: Vec<f64> = directory.events().iter().filter_map(|event| event["value"].as_f64()).collect();
    assert_eq!(values, [1.25, -0.01]);
}

#[test]
fn a_path_that_is_no_file_is_named() {
    let directory = InputDirectory::new();
    std::fs::create_dir(directory.path("folder.csv")).unwrap();
    for (name, code) in [("folder.csv", "not_a_file"), ("nowhere.csv", "no_such_file")] {
        let outcome = directory.ingest(&[name]);
        assert_eq!(refused_otherwise(&outcome, code, name), None);
    }
}

#[test]
fn options_that_cannot_be_meant_are_refused_before_anything_is_made() {
    let directory = InputDirectory::new();
    directory.write("a.csv", csv("u,view,1488369600\n"));
    let cases: [(&[&str], &str); 6] = [
        (&["--time-zone", "Mars/Olympus"], "unknown_time_zone"),
        (&["--time-zone", "UTC+25"], "unknown_time_zone"),
        (&["--time-zone", "Etc/Unknown"], "unknown_time_zone"),
        (&["--map", "a"], "bad_map"),
        (&["--map", "a=nothing"], "bad_map"),
        (&["--map", "a=user_id,b=user_id"], "bad_map"),
    ];
    for (options, code) in cases {
        let outcome = directory.ingest(&[&["a.csv"], options].concat());
        assert_eq!(refused_otherwise(&outcome, code, options[0]), None);
        assert!(!directory.workspace().exists(), "{options:?}");
    }
}

#[test]
fn a_refused_file_among_good_ones_is_named_and_the_others_are_kept() {
    let directory = InputDirectory::new();
    let good: String = (0..500).map(|index| format!("u{index},view,1488369600\n")).collect();
    directory.write("good.csv", csv(&good));
    let mut cut = gzipped(csv(&good.replace('u', "w")).as_bytes());
    cut.truncate(cut.len() - 4);
    directory.write("cut.csv.gz", cut);
    directory.write("more.csv", csv("late,view,1488369600\n,view,1\n"));
    let outcome = directory.ingest(&["good.csv", "cut.csv.gz", "nowhere.csv", "more.csv"]);
    assert_eq!(outcome.exit, Some(2));
    assert_eq!(outcome.counts(), [502, 501, 0, 1]);
    let refused = &outcome.json["refused"];
    assert_eq!(
        (refused[0]["file"].as_str(), refused[0]["code"].as_str()),
        (Some("cut.csv.gz"), Some("truncated_file"))
    );
    assert_eq!(refused[1]["code"].as_str(), Some("no_such_file"));
    assert!(directory.events().iter().all(|event| !event["user_id"].as_str().unwrap().starts_with('w')));

    let alone = InputDirectory::new();
    alone.write("good.csv", csv(&good));
    alone.write("more.csv", csv("late,view,1488369600\n"));
    alone.ingest(&["good.csv", "more.csv"]);
    assert_eq!(directory.lake(), alone.lake(), "the refused file leaves no trace");
}

#[test]
fn a_refused_file_takes_its_dead_letters_and_its_ids_with_it() {
    let directory = InputDirectory::new();
    let head = "message_id,user_id,event,timestamp\n";
    directory.write("open.csv", format!("{head}m1,u,view,1488369600\nm2,,view,1\nm3,\"u,view,1488369600\n"));
    directory.write("b.csv", format!("{head}m1,other,view,1488369600\nm4,,view,1\n"));
    let outcome = directory.ingest(&["open.csv", "b.csv"]);
    assert_eq!((outcome.exit, outcome.counts()), (Some(2), [2, 1, 0, 1]));
    assert_eq!(directory.letters()[0]["file"].as_str(), Some("b.csv"));
    assert_eq!(directory.events()[0]["user_id"].as_str(), Some("other"), "m1 of the refused file took no id");
}

#[test]
fn the_first_in_reading_order_wins_a_conflict() {
    let head = "message_id,user_id,event,timestamp\n";
    let directory = InputDirectory::new();
    directory.write(
        "1.csv",
        format!("{head}m,a,view,1488369600\nm,b,view,1488369600\nm,a,view,1488369600\nn,a,view,1500000000\n"),
    );
    // A conflict on another day, the same again, and one whose first sight was in the file before.
    directory.write(
        "2.csv",
        format!("{head}m,a,view,1488369600\nm,a,view,1600000000\nn,c,view,1500000000\no,a,view,1\n"),
    );
    let outcome = directory.ingest(&["1.csv", "2.csv"]);
    assert_eq!(outcome.counts(), [8, 2, 2, 4]);
    let positions: Vec<(String, u64)> = directory
        .letters()
        .iter()
        .map(|letter| (letter["file"].as_str().unwrap().to_string(), letter["line"].as_u64().unwrap()))
        .collect();
    let expected = [("2.csv", 5), ("1.csv", 3), ("2.csv", 4), ("2.csv", 3)];
    assert_eq!(positions, expected.map(|(file, line)| (file.to_string(), line)));
    assert_eq!(directory.letters()[1]["record"]["user_id"].as_str(), Some("b"));

    // Against the lake: the former record stays, each other one is a dead letter again.
    let before = directory.lake();
    let outcome = directory.ingest(&["2.csv", "1.csv"]);
    assert_eq!(outcome.counts(), [8, 0, 4, 4]);
    assert_eq!(directory.lake(), before);
}

#[test]
fn records_without_ids_are_the_same_when_they_say_the_same() {
    let directory = InputDirectory::new();
    let line = "u,view,2017-03-01T00:00:00Z,1.50,\n";
    let same = "u,view,1488326400,1.5,\n";
    let other = "u,view,2017-03-01T00:00:00Z,1.51,\n";
    let text = format!("user_id,event,timestamp,value,content_id\n{line}{same}{other}");
    assert_eq!(directory.ingest_bytes("a.csv", text, &[]).counts(), [3, 2, 1, 0]);
}

#[test]
fn unknown_columns_become_properties_and_are_named_once() {
    let directory = InputDirectory::new();
    let outcome =
        directory.ingest_bytes("a.csv", "user_id,event,timestamp,shelf,,plan\nu,view,1488369600,7,x,\n", &[]);
    assert_eq!(outcome.json["other_columns"], serde_json::json!(["column_5", "plan", "shelf"]));
    assert_eq!(directory.events()[0]["properties"], "{\"column_5\":\"x\",\"shelf\":\"7\"}");
    let lines = [
        json("\"shelf\":7,\"properties\":{\"b\":1,\"a\":null}"),
        json("\"plan\":null,\"deep\":{\"z\":1,\"y\":2}"),
    ];
    let outcome = directory.ingest_bytes("b.jsonl", lines.concat(), &[]);
    assert_eq!(outcome.json["other_columns"], serde_json::json!(["deep", "plan", "shelf"]));
    let all: Vec<String> =
        directory.events().iter().map(|event| event["properties"].as_str().unwrap().into()).collect();
    assert!(all.contains(&"{\"b\":1,\"shelf\":7}".to_string()), "{all:?}");
    assert!(all.contains(&"{\"deep\":{\"y\":2,\"z\":1}}".to_string()), "{all:?}");
}

#[test]
fn identifiers_of_64_bits_keep_every_digit() {
    let directory = InputDirectory::new();
    let outcome = directory.ingest_bytes("a.jsonl", json(&format!("\"content_id\":{}", u64::MAX)), &[]);
    assert_eq!(outcome.counts(), [1, 1, 0, 0]);
    assert_eq!(directory.events()[0]["content_id"], u64::MAX.to_string());
}

#[test]
fn a_column_that_map_names_must_be_in_some_json_record_too() {
    let directory = InputDirectory::new();
    let text = "{\"user_id\":\"u\",\"event\":\"view\",\"timestamp\":1767225600,\"item\":\"c\"}\n";
    directory.write("e.jsonl", text);
    let output = directory.command(&["ingest", "e.jsonl", "--map", "itme=content_id"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("missing_column") && said.contains("itme"), "{said}");
}

#[test]
fn a_zone_that_cannot_be_read_costs_the_zone_and_is_counted_with_its_first_line() {
    let directory = InputDirectory::new();
    let text = "user_id,event,timestamp,time_zone\na,view,1488369600,europe/paris\nb,view,1488369601,Mars/Olympus\n\
                c,view,1488369602,China Standard Time\nd,view,1488369603,CST\n";
    let outcome = directory.ingest_bytes("a.csv", text, &[]);
    assert_eq!(outcome.counts(), [4, 4, 0, 0]);
    assert_eq!(outcome.json["dropped"], serde_json::json!({ "time_zone": 2 }));
    let warnings = outcome.json["warnings"].to_string();
    assert!(warnings.contains("unreadable_time_zone: 2") && warnings.contains("a.csv:3: "), "{warnings}");
    let zones: Vec<serde_json::Value> =
        directory.events().iter().map(|event| event["time_zone"].clone()).collect();
    assert_eq!(serde_json::json!(zones), serde_json::json!(["Europe/Paris", null, "Asia/Shanghai", null]));
}

#[test]
fn a_users_unreadable_zone_is_kept_so_that_nothing_is_sent_to_them() {
    let directory = InputDirectory::new();
    let text = "user_id,time_zone,country\na,GMT+08:00,CN\nb,Mars/Olympus,DE\n";
    let outcome = directory.ingest_bytes("users.csv", text, &["--kind", "users"]);
    assert_eq!(outcome.counts(), [2, 2, 0, 0]);
    assert_eq!(outcome.json["unreadable"], serde_json::json!({ "time_zone": 1 }));
    let zones: Vec<serde_json::Value> =
        directory.rows("users").iter().map(|user| user["time_zone"].clone()).collect();
    assert_eq!(serde_json::json!(zones), serde_json::json!(["Etc/GMT-8", "Mars/Olympus"]));
}

#[test]
fn a_missing_column_is_reported_with_those_that_the_file_has() {
    let directory = InputDirectory::new();
    for (name, text) in [
        ("a.csv", "User,event,at\nu,view,1488369600\n"),
        ("a.jsonl", "{\"User\":\"u\",\"event\":\"view\",\"at\":1488369600}\n"),
    ] {
        let outcome = directory.ingest_bytes(name, text, &[]);
        assert_eq!(outcome.exit, Some(2));
        let said = outcome.stderr;
        assert!(
            ["User", "event", "at", "did you mean", "--map"].iter().all(|word| said.contains(word)),
            "{said}"
        );
    }
}
