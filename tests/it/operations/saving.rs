//! Several writers of one segment: nobody's version is lost, and an expected version guards against the others.

use std::collections::BTreeSet;
use std::thread;
use std::time::Duration;

use domain::error::{Coded, ErrorKind};
use operations::segments::delete::{DeleteRequest, delete};
use operations::segments::save::{ExpectedVersion, SaveError};
use operations::segments::show::show;

use crate::fixture::{SegmentFixture, history};

#[test]
fn a_writer_who_has_opened_a_segment_keeps_what_another_saves_meanwhile() {
    let fixture = SegmentFixture::new();
    let first = fixture.save("fans", "purchases_30d >= 1").unwrap();
    let opened = show(&fixture.context(), "fans", false).unwrap().segment.card.version;
    let other = fixture.save("fans", "purchases_30d >= 2").unwrap();
    let own = fixture.save("fans", "purchases_30d >= 3").unwrap();
    let versions = [&first, &other, &own].map(|report| report.segment.card.version.as_str());
    assert_eq!(opened, versions[0]);
    assert_eq!(history(&own), versions);
    assert!(first.is_new && !other.is_new && own.is_changed);
}

#[test]
fn a_version_that_is_no_longer_current_is_not_replaced_by_whoever_expects_it() {
    let fixture = SegmentFixture::new();
    let opened = fixture.save("fans", "purchases_30d >= 1").unwrap().segment.card.version;
    let other = fixture.save("fans", "purchases_30d >= 2").unwrap();
    let expected = ExpectedVersion::OneOf(vec![opened]);
    let refused = fixture.save_over("fans", "purchases_30d >= 3", expected.clone()).unwrap_err();
    let current = other.segment.card.version.clone();
    assert!(matches!(&refused, SaveError::Unexpected(Some(version)) if *version == current), "{refused}");
    assert_eq!((refused.code(), refused.kind()), ("precondition_failed", ErrorKind::Conflict));
    let request = DeleteRequest { id: "fans".into(), expected, patience: Duration::ZERO };
    assert!(matches!(delete(&fixture.context(), &request), Err(SaveError::Unexpected(_))));
    let shown = show(&fixture.context(), "fans", false).unwrap();
    assert_eq!(shown.segment, other.segment, "nothing was changed");
    assert!(fixture.save_over("fans", "everybody", ExpectedVersion::Nothing).is_err());
    assert!(fixture.save_over("others", "everybody", ExpectedVersion::Some).is_err());
    assert!(
        fixture.save_over("fans", "everybody", ExpectedVersion::OneOf(vec![current])).unwrap().is_changed
    );
}

#[test]
fn versions_of_writers_at_the_same_time_all_stay_in_the_history() {
    const WRITERS: usize = 4;
    const SAVES: usize = 8;
    let fixture = SegmentFixture::new();
    let save = |writer: usize, round: usize| {
        let text = format!("purchases_30d >= {}", 1 + writer * SAVES + round);
        fixture.save("fans", &text).unwrap().segment.card.version
    };
    let save = &save;
    let versions: BTreeSet<String> = thread::scope(|scope| {
        let writer = |writer| {
            scope.spawn(move || (0..SAVES).map(|round| save(writer, round)).collect::<Vec<String>>())
        };
        let writers: Vec<_> = (0..WRITERS).map(writer).collect();
        writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect()
    });
    assert_eq!(versions.len(), WRITERS * SAVES);
    let card = show(&fixture.context(), "fans", false).unwrap().segment.card;
    assert_eq!(card.history.len(), WRITERS * SAVES);
    assert_eq!(card.history.into_iter().map(|saving| saving.version).collect::<BTreeSet<_>>(), versions);
}

#[test]
fn segments_that_are_saved_at_the_same_time_close_no_circle() {
    let fixture = SegmentFixture::new();
    fixture.save("one", "everybody").unwrap();
    fixture.save("other", "in_segment(\"one\")").unwrap();
    let refused = fixture.save("one", "in_segment(\"other\")").unwrap_err();
    assert_eq!(refused.code(), "segment_cycle", "{refused}");
}
