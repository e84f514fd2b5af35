//! What looks odd after an ingest is said, and stops nothing.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

#[path = "../support/coded.rs"]
mod coded;
mod codes;
mod foreign_files;
mod foreign_values;
mod presets;
mod reading;
mod shapes;
mod stamps;
mod tables;
mod taking;
mod texts;
mod torn;

use std::collections::BTreeMap;

use config::Config;
use domain::time::{DAY, Day, Instant};
use events::health::{future_stamps, odd_days};
use events::lake::{LakeFile, Manifest};

/// A lake with these numbers of views on consecutive days; on the days in `clicks` there is a click too.
fn manifest(volumes: &[u64], clicks: std::ops::Range<usize>) -> (Manifest, Vec<Day>) {
    let days: Vec<Day> = (0..volumes.len()).map(|day| Day(17_000 + day as i32)).collect();
    let file = |(index, rows): (usize, &u64)| {
        let mut events = BTreeMap::from([("view".to_string(), *rows)]);
        if clicks.contains(&index) {
            events.insert("click".to_string(), 1);
        }
        LakeFile {
            path: String::new(),
            date: days[index].to_string(),
            rows: *rows,
            sha256: String::new(),
            first_micros: i64::from(days[index].0) * DAY,
            last_micros: i64::from(days[index].0) * DAY + 1,
            events,
        }
    };
    let files = volumes.iter().enumerate().map(file).collect();
    (Manifest { format: 1, rows: volumes.iter().sum(), files, ingests: Vec::new() }, days)
}

fn warnings(volumes: &[u64], clicks: std::ops::Range<usize>) -> Vec<String> {
    let (manifest, days) = manifest(volumes, clicks);
    odd_days(&manifest, &days, &Config::defaults().health)
}

#[test]
fn a_steady_lake_gives_no_warning() {
    assert_eq!(warnings(&[1_000; 60], 0..60), Vec::<String>::new());
}

#[test]
fn a_day_with_five_times_the_median_and_one_with_a_fifth_are_named() {
    let mut volumes = [1_000; 60];
    (volumes[40], volumes[50]) = (5_000, 200);
    let said = warnings(&volumes, 0..60);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[0].starts_with("volume_like_before: ") && said[0].contains(&Day(17_040).to_string()),
        "{said:?}"
    );
    assert!(said[1].contains(&Day(17_050).to_string()) && said[1].contains("200"), "{said:?}");
}

#[test]
fn a_sunday_that_is_as_quiet_as_sundays_are_is_no_news() {
    let mut volumes: Vec<u64> = (0..70).map(|day| if day % 7 == 6 { 100 } else { 1_000 }).collect();
    assert_eq!(warnings(&volumes, 0..70), Vec::<String>::new());
    volumes[62] = 10;
    assert_eq!(warnings(&volumes, 0..70).len(), 1);
}

#[test]
fn the_newest_day_may_be_small_because_it_may_not_be_over() {
    let mut volumes = [1_000; 60];
    volumes[59] = 3;
    assert_eq!(warnings(&volumes, 0..60), Vec::<String>::new());
}

#[test]
fn a_name_that_came_every_day_and_stopped_has_vanished() {
    let said = warnings(&[1_000; 60], 0..55);
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(said[0].starts_with("no_vanished_event: "), "{said:?}");
    assert_eq!(warnings(&[1_000; 60], 0..58), Vec::<String>::new(), "two days without are not three");
}

#[test]
fn many_odd_days_are_cut_to_five_and_a_count() {
    let volumes: Vec<u64> = (0..120).map(|day| if day % 10 == 9 { 9_000 } else { 1_000 }).collect();
    let said = warnings(&volumes, 0..120);
    assert_eq!(said.len(), 6, "{said:?}");
    assert!(said[5].contains("more"), "{said:?}");
}

#[test]
fn a_newest_event_after_now_is_a_clock_to_look_at() {
    let now = Instant::from_micros(1_000_000);
    assert_eq!(future_stamps(Some(now), now), None);
    assert!(future_stamps(Some(now.plus(1)), now).unwrap().starts_with("nothing_ahead: "));
}
