//! Looking decisions up in a log of many files, and what a server that is started again remembers of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::fs;
use std::path::Path;

use domain::identity::sha256_hex;
use domain::time::{HOUR, Instant};
use store::ack::FramePosition;
use store::decision_log::{DecisionLog, LogError, LogOptions};
use store::log_files::files;
use store::log_index::LogIndex;

const NOON: &str = "2026-03-01T12:00:00Z";

fn hours_before_noon(hours: i64) -> Instant {
    Instant::parse_rfc3339(NOON).unwrap().plus(-hours * HOUR)
}

/// An id of a moment, as a UUIDv7 has it.
fn id_of(at: Instant) -> String {
    let millis = at.micros() / 1_000;
    format!("{:08x}-{:04x}-7000-8000-000000000000", millis >> 16, millis & 0xffff)
}

/// A record with the parts that a server remembers, and so much beside them that no two fit into one block.
fn line(at: Instant, key: Option<&str>) -> String {
    let id = id_of(at);
    let padding: String = (0..3_000).map(|index| sha256_hex(format!("{id}{index}").as_bytes())).collect();
    let key =
        key.map_or(String::new(), |key| format!(",\"idempotency_key\":\"{key}\",\"request_hash\":\"q\""));
    format!(
        "{{\"format\":1,\"decision\":{{\"decision_id\":\"{id}\",\"campaign_id\":null,\"explored\":false}},\
         \"context\":{{\"now\":\"{at}\",\"padding\":\"{padding}\"}}{key}}}"
    )
}

/// Appends lines, each in a frame of its own; a file takes so many bytes before the next one begins.
fn append(directory: &Path, rotate_bytes: u64, lines: &[String]) -> Vec<FramePosition> {
    let options = LogOptions { rotate_bytes, sync_before_answer: false };
    let log = DecisionLog::open(directory.to_path_buf(), options);
    let positions = lines.iter().map(|line| log.append(line.clone()).unwrap().wait().unwrap()).collect();
    log.close();
    positions
}

/// The keys that a server which is started at noon remembers, in the order of the log.
fn remembered(directory: &Path) -> Result<Vec<String>, LogError> {
    let mut keys = Vec::new();
    let index = LogIndex::new(directory.to_path_buf());
    index.read_since(hours_before_noon(24), |head| keys.extend(head.idempotency_key))?;
    Ok(keys)
}

#[test]
fn a_decision_is_found_where_it_was_written_and_only_its_block_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let moments: Vec<Instant> = (1..=6).rev().map(hours_before_noon).collect();
    let lines: Vec<String> = moments.iter().map(|at| line(*at, None)).collect();
    let positions = append(directory.path(), 300_000, &lines);
    assert_eq!(files(directory.path()).unwrap().len(), 2);
    let index = LogIndex::new(directory.path().to_path_buf());
    for ((at, line), position) in moments.iter().zip(&lines).zip(&positions) {
        assert_eq!(index.find(&id_of(*at)).unwrap(), Some((line.clone(), position.clone())));
    }
    // Nothing but the second frame of the first file is left as it was.
    let (wanted, next) = (&positions[1], &positions[2]);
    for path in files(directory.path()).unwrap() {
        let mut bytes = fs::read(&path).unwrap();
        let kept = if *path == *wanted.path { wanted.offset..next.offset } else { 0..0 };
        for (offset, byte) in bytes.iter_mut().enumerate() {
            *byte = if kept.contains(&(offset as u64)) { *byte } else { 0 };
        }
        fs::write(&path, bytes).unwrap();
    }
    assert_eq!(index.find(&id_of(moments[1])).unwrap(), Some((lines[1].clone(), wanted.clone())));
    assert_eq!(index.find(&id_of(moments[2])).unwrap(), None, "its frame is gone");
    let fresh = LogIndex::new(directory.path().to_path_buf());
    assert_eq!(fresh.find(&id_of(moments[1])).unwrap(), None, "it is behind what cannot be read");
}

#[test]
fn an_id_that_was_never_given_out_is_not_found() {
    let directory = tempfile::tempdir().unwrap();
    let index = LogIndex::new(directory.path().to_path_buf());
    assert_eq!(index.find(&id_of(hours_before_noon(1))).unwrap(), None, "there is no file");
    append(directory.path(), 1, &[line(hours_before_noon(2), None)]);
    for id in [id_of(hours_before_noon(1)), id_of(hours_before_noon(2)).replace("8000", "8001")] {
        assert_eq!(index.find(&id).unwrap(), None, "{id}");
    }
}

#[test]
fn what_is_written_after_the_first_look_is_found_too() {
    let directory = tempfile::tempdir().unwrap();
    let index = LogIndex::new(directory.path().to_path_buf());
    let log = DecisionLog::open(directory.path().to_path_buf(), LogOptions::default());
    for hours in [3, 2, 1] {
        let at = hours_before_noon(hours);
        assert_eq!(index.find(&id_of(at)).unwrap(), None);
        log.append(line(at, None)).unwrap().wait().unwrap();
        assert!(index.find(&id_of(at)).unwrap().is_some(), "{hours} hours before");
    }
    assert!(index.find(&id_of(hours_before_noon(3))).unwrap().is_some());
    assert_eq!(files(directory.path()).unwrap().len(), 1);
}

#[test]
fn all_keys_of_the_last_day_are_remembered_however_many_files_they_are_in() {
    let directory = tempfile::tempdir().unwrap();
    let keyed = |(hours, key): &(i64, &str)| line(hours_before_noon(*hours), Some(key));
    // Each record closes its file.
    let asked = [(50, "long ago"), (30, "yesterday"), (23, "one"), (9, "two"), (1, "three")];
    append(directory.path(), 1, &asked.iter().map(keyed).collect::<Vec<_>>());
    assert_eq!(files(directory.path()).unwrap().len(), 5);
    // The file that begins before the day may hold some of it, so it is read as well.
    assert_eq!(remembered(directory.path()).unwrap(), ["yesterday", "one", "two", "three"]);
    append(directory.path(), 1, &[r#"{"decision_id":"gone","erased":true}"#.to_string()]);
    assert_eq!(remembered(directory.path()).unwrap().len(), 4, "an erased record is passed over");
}

#[test]
fn a_newer_record_among_those_of_the_last_day_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let newer = line(hours_before_noon(2), Some("k")).replace("\"format\":1", "\"format\":99");
    append(directory.path(), 1, &[newer, line(hours_before_noon(1), Some("l"))]);
    let error = remembered(directory.path()).unwrap_err();
    assert!(matches!(error, LogError::NewerFormat { found: 99, .. }), "{error}");
}
