//! A saved segment or a kept evaluation with a damaged file, through the binary: the others answer, the damaged one is named.

use std::fs;
use std::path::PathBuf;

use polars::prelude::*;
use smartpush::files::tables::write_parquet;

use crate::support::sample::Sample;
use crate::support::{smartpush, stdout_of};

#[test]
fn a_damaged_segment_beside_healthy_ones_is_marked_and_named() {
    let sample = Sample::new();
    sample.save("healthy", "purchases_30d >= 2");
    sample.save("torn", "purchases_30d >= 3");
    sample.save("outer", "in_segment(\"torn\")");
    let card = sample.path("data/segments/torn/segment.json");
    fs::write(&card, "{").unwrap();
    let members = sample.json(&["count", "--segment", "healthy"])["members"].clone();
    assert_eq!(sample.json(&["count", "--where", "in_segment(\"healthy\")"])["members"], members);
    let listed = stdout_of(&sample.run(&["list"]));
    let line = listed.lines().find(|line| line.contains("torn")).unwrap();
    assert!(line.contains("damaged: ") && line.contains(&card.display().to_string()), "{line}");
    for arguments in [&["show", "torn"][..], &["count", "--segment", "torn"], &["delete", "torn"]] {
        let text = sample.refused(arguments);
        assert!(text.contains("bad_segment_file: ") && text.contains(&card.display().to_string()), "{text}");
    }
    let text = sample.refused(&["count", "--segment", "outer"]);
    assert!(text.contains("bad_segment: ") && text.contains("segments/torn/segment.json"), "{text}");
}

/// The only kept evaluation of a segment that was counted once.
fn evaluation_of(sample: &Sample, id: &str) -> PathBuf {
    let directory = sample.path(&format!("data/segments/{id}/evaluations"));
    let mut files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let file = files.next().unwrap();
    assert!(files.next().is_none());
    file
}

/// The sample with a segment that was counted once, and events and profiles that came later.
fn counted_before() -> Sample {
    let sample = Sample::new();
    sample.save("lately", "last_purchase < 14d");
    sample.json(&["count", "--segment", "lately"]);
    let events = "user_id,event,timestamp,value\nnewcomer,purchase,2018-01-10T12:00:00Z,3\n";
    stdout_of(&smartpush(sample.root(), &["ingest", &sample.file("more.csv", events)]));
    stdout_of(&smartpush(sample.root(), &["profile"]));
    sample
}

#[test]
fn a_kept_evaluation_that_lacks_an_id_is_an_error_with_file_and_row() {
    let sample = counted_before();
    let file = evaluation_of(&sample, "lately");
    let ids = Column::new("user_id".into(), [Some("1003"), None, Some("1008")]);
    write_parquet(&file, &mut DataFrame::new(3, vec![ids]).unwrap()).unwrap();
    let text = sample.refused(&["count", "--segment", "lately"]);
    assert!(text.contains(&format!("bad_segment_file: {}: row 2: ", file.display())), "{text}");
}

#[test]
fn a_kept_evaluation_whose_name_says_no_moment_is_an_error_with_its_name() {
    let sample = counted_before();
    let file = evaluation_of(&sample, "lately");
    let name = file.file_name().unwrap().to_str().unwrap().replace("as_of=2", "as_of=x");
    let renamed = file.with_file_name(name);
    fs::rename(&file, &renamed).unwrap();
    let text = sample.refused(&["count", "--segment", "lately"]);
    assert!(text.contains(&renamed.display().to_string()), "{text}");
}
