//! A saved segment with a file that cannot be read: the others are as they were, and it is named with file and reason.

use std::fs;
use std::path::PathBuf;

use domain::error::Coded;
use files::workspace::Workspace;
use operations::segments::list::list;
use operations::segments::show::show;

use crate::fixture::{SegmentFixture, history};

fn card_of(workspace: &Workspace, id: &str) -> PathBuf {
    workspace.segments().join(id).join("segment.json")
}

/// Two segments, of which `torn` has a card that ends in its middle.
fn with_a_torn_card() -> (SegmentFixture, PathBuf) {
    let fixture = SegmentFixture::new();
    fixture.save("healthy", "purchases_30d >= 1").unwrap();
    fixture.save("torn", "purchases_30d >= 2").unwrap();
    let card = card_of(&fixture.workspace, "torn");
    let text = fs::read_to_string(&card).unwrap();
    fs::write(&card, &text[..text.len() / 2]).unwrap();
    (fixture, card)
}

#[test]
fn a_damaged_segment_is_listed_as_damaged_and_does_not_stop_the_others() {
    let (fixture, card) = with_a_torn_card();
    let report = list(&fixture.context()).unwrap();
    let healthy: Vec<&str> = report.segments.iter().map(|segment| segment.card.segment_id.as_str()).collect();
    assert_eq!(healthy, ["healthy"]);
    let damaged = &report.damaged[0];
    assert_eq!((damaged.segment_id.as_str(), &damaged.path), ("torn", &card));
    assert!(damaged.detail.contains("EOF"), "{damaged:?}");
    let json = report.to_json();
    assert_eq!(json["segments"].as_array().unwrap().len(), 1);
    assert_eq!(json["damaged"][0]["segment_id"], "torn");
    assert!(json["damaged"][0]["damaged"].as_str().unwrap().starts_with("segments/torn/segment.json: "));
    assert!(show(&fixture.context(), "healthy", false).is_ok());
    assert!(fixture.save("healthy", "purchases_30d >= 3").unwrap().is_changed);
}

#[test]
fn a_damaged_segment_is_named_with_file_and_reason_when_it_is_asked_for() {
    let (fixture, card) = with_a_torn_card();
    let error = show(&fixture.context(), "torn", true).unwrap_err();
    let text = error.to_string();
    assert_eq!(error.code(), "bad_segment_file");
    assert!(text.contains(&card.display().to_string()) && text.contains("EOF"), "{text}");
    let within = fixture.save("outer", "in_segment(\"torn\") or purchases_30d >= 9").unwrap_err();
    let text = within.to_string();
    assert_eq!(within.code(), "bad_segment_file");
    assert!(text.contains("segment \"torn\"") && text.contains("segments/torn/segment.json"), "{text}");
}

#[test]
fn a_card_that_cannot_be_read_is_not_written_over() {
    let (fixture, card) = with_a_torn_card();
    let before = fs::read(&card).unwrap();
    let error = fixture.save("torn", "everybody").unwrap_err();
    assert_eq!(error.code(), "bad_segment_file", "{error}");
    assert_eq!(fs::read(&card).unwrap(), before, "its history may still be brought back");
}

#[test]
fn a_damaged_version_is_mended_by_saving_again_and_the_history_stays() {
    let fixture = SegmentFixture::new();
    let first = fixture.save("fans", "purchases_30d >= 1").unwrap();
    let second = fixture.save("fans", "purchases_30d >= 2").unwrap();
    let version = &second.segment.card.version;
    let file = fixture.workspace.segments().join("fans/versions").join(format!("{version}.json"));
    fs::write(&file, "{\"expression\":\"everybody\"}").unwrap();
    let error = show(&fixture.context(), "fans", false).unwrap_err().to_string();
    assert!(error.contains(&file.display().to_string()), "{error}");
    let again = fixture.save("fans", "purchases_30d >= 2").unwrap();
    assert_eq!(again.segment, second.segment);
    assert_eq!(history(&again), [first.segment.card.version.as_str(), version]);
    assert_eq!(show(&fixture.context(), "fans", false).unwrap().segment, second.segment);
}

#[test]
fn a_card_of_a_newer_smartpush_is_refused_alone() {
    let fixture = SegmentFixture::new();
    fixture.save("healthy", "everybody").unwrap();
    fixture.save("newer", "everybody").unwrap();
    let card = card_of(&fixture.workspace, "newer");
    let text = fs::read_to_string(&card).unwrap().replace("\"format\": 1", "\"format\": 9");
    fs::write(&card, text).unwrap();
    assert_eq!(show(&fixture.context(), "newer", false).unwrap_err().code(), "newer_format");
    assert_eq!(list(&fixture.context()).unwrap().segments.len(), 1);
    assert_eq!(fixture.save("newer", "purchases_30d >= 1").unwrap_err().code(), "newer_format");
}
