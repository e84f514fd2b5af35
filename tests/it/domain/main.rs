//! Time on people's own clocks: hours of the week, zones, days, stages of life.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
#![allow(unreachable_pub, reason = "the modules of a test binary are all its own")]

#[path = "../support/clock.rs"]
#[allow(dead_code, reason = "shared with other test binaries")]
mod clock;
#[path = "../support/coded.rs"]
mod coded;
mod codes;
mod consent;
mod event_names;
mod numeric;
mod placeholders;
mod quiet_hours;
mod variants;

use domain::identity::whole_number;
use domain::lifecycle::Lifecycle;
use domain::pointer::{child, of_path};
use domain::time::{DAY, Day, HOUR, Instant, LocalHour, SECOND, hour_of_week_name};
use domain::zone::{Zone, Zones};
use jiff::tz::TimeZoneDatabase;
use proptest::prelude::*;

fn instant(text: &str) -> Instant {
    Instant::parse_rfc3339(text).unwrap_or_else(|| panic!("{text} is RFC 3339"))
}

fn zone(name: &str) -> Zone {
    Zone::find(name).unwrap()
}

#[test]
fn a_number_is_a_whole_one_only_where_an_f64_tells_it_from_its_neighbours() {
    let largest = (1_i64 << 53) - 1;
    for number in [0, 1, -1, 1_000_000_000_000_000, 9_000_000_000_000_000, largest, -largest] {
        assert_eq!(whole_number(number as f64), Some(number));
    }
    for number in
        [0.5, -1.5, 9_007_199_254_740_992.0, -9_007_199_254_740_992.0, 1e19, f64::NAN, f64::INFINITY]
    {
        assert_eq!(whole_number(number), None, "{number}");
    }
}

#[test]
fn a_json_pointer_escapes_what_would_end_a_step() {
    let pointer =
        ["a/b", "m~n", "~1", "", "é"].into_iter().fold(String::new(), |parent, key| child(&parent, key));
    assert_eq!(pointer, "/a~1b/m~0n/~01//é");
    let document = serde_json::json!({"a/b": {"m~n": {"~1": {"": {"é": 7}}}}});
    assert_eq!(document.pointer(&pointer), Some(&serde_json::json!(7)));
}

#[test]
fn the_pointer_of_a_value_that_cannot_be_read_leads_to_it() {
    type Tree = std::collections::BTreeMap<String, Vec<std::collections::BTreeMap<String, u32>>>;
    let text = r#"{"a/b": [{"x": 1}, {"m~n": "seven"}]}"#;
    let mut reader = serde_json::Deserializer::from_str(text);
    let error = serde_path_to_error::deserialize::<_, Tree>(&mut reader).unwrap_err();
    let pointer = of_path(error.path());
    assert_eq!(pointer, "/a~1b/1/m~0n");
    let document: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(document.pointer(&pointer), Some(&serde_json::json!("seven")));
}

#[test]
fn a_stamp_with_something_in_brackets_is_not_rfc_3339() {
    for text in ["2017-12-01T05:00:00-01:00[Etc/GMT+1]", "2017-12-01T05:00:00Z[u-ca=aa-1]"] {
        assert_eq!(Instant::parse_rfc3339(text), None, "{text}");
    }
}

#[test]
fn monday_midnight_is_hour_0_and_sunday_23_is_hour_167() {
    let hour_of_week = |text: &str| Zone::utc().local_hour(instant(text)).hour_of_week();
    assert_eq!(hour_of_week("2024-01-01T00:00:00Z"), 0);
    assert_eq!(hour_of_week("2024-01-01T00:59:59.999999Z"), 0);
    assert_eq!(hour_of_week("2024-01-07T23:00:00Z"), 167);
    assert_eq!(hour_of_week("1969-12-31T23:59:59Z"), 2 * 24 + 23);
    assert_eq!(hour_of_week_name(42), "Tue 18:00");
}

#[test]
fn a_visit_at_22_utc_is_a_visit_at_17_in_new_york_winter_and_18_in_summer() {
    let new_york = zone("America/New_York");
    assert_eq!(new_york.local_hour(instant("2017-01-10T22:30:00Z")).hour_of_day(), 17);
    assert_eq!(new_york.local_hour(instant("2017-07-10T22:30:00Z")).hour_of_day(), 18);
}

#[test]
fn an_hour_shown_twice_is_one_local_hour_and_a_skipped_hour_is_none() {
    let new_york = zone("America/New_York");
    let first = new_york.local_hour(instant("2017-11-05T05:30:00Z"));
    let second = new_york.local_hour(instant("2017-11-05T06:30:00Z"));
    assert_eq!(first, second);
    let before = new_york.local_hour(instant("2017-03-12T06:59:59Z"));
    let after = new_york.local_hour(instant("2017-03-12T07:00:00Z"));
    assert_eq!((before.hour_of_day(), after.hour_of_day()), (1, 3));
}

#[test]
fn a_local_day_is_the_day_of_the_local_hour_and_far_instants_have_one_too() {
    for name in ["America/New_York", "Pacific/Apia", "Asia/Kathmandu", "UTC"] {
        let zone = zone(name);
        for text in
            ["2011-12-30T09:59:59Z", "2011-12-30T10:00:00Z", "2017-03-12T04:59:59Z", "1969-12-31T23:59:59Z"]
        {
            let at = instant(text);
            assert_eq!(zone.local_day(at), zone.local_hour(at).day(), "{name} at {text}");
        }
    }
    assert_eq!(zone("America/New_York").local_day(instant("2017-03-12T04:59:59Z")).to_string(), "2017-03-11");
    let days = [Instant::MIN, Instant::MAX].map(|at| Zone::utc().local_day(at).0);
    assert_eq!(days, [-106_751_992, 106_751_991]);
}

#[test]
fn a_naive_stamp_in_a_gap_moves_forward_and_one_in_a_fold_is_the_first() {
    let new_york = zone("America/New_York");
    let read = |text: &str| new_york.instant_of(text.parse().unwrap()).unwrap().to_string();
    assert_eq!(read("2017-03-12T02:30:00"), "2017-03-12T07:30:00Z");
    assert_eq!(read("2017-11-05T01:30:00"), "2017-11-05T05:30:00Z");
}

#[test]
fn zones_are_found_by_their_exact_name_alone() {
    assert!(Zone::find("Asia/Shanghai").is_ok());
    assert_eq!(Zone::find("america/new_york").unwrap_err().hint.as_deref(), Some("America/New_York"));
    for name in ["Etc/Unknown", "", "EST5EDT4", "Mars/Olympus", "+05:00", "America/New_York\n"] {
        assert!(Zone::find(name).is_err(), "{name:?} is no zone");
    }
}

#[test]
fn a_zone_has_one_code_however_often_it_is_met() {
    let mut zones = Zones::default();
    let first = zones.code("Europe/Paris").unwrap();
    assert!(zones.code("Europe/Pariss").is_err());
    assert_ne!(zones.code("Asia/Tokyo").unwrap(), first);
    assert_eq!(zones.code("Europe/Paris").unwrap(), first);
    assert_eq!(zones.zone(first).name(), "Europe/Paris");
}

#[test]
fn the_transition_table_agrees_with_the_database_around_every_transition_from_2000_to_2040() {
    let database = TimeZoneDatabase::bundled();
    let (start, end) = (instant("2000-01-01T00:00:00Z"), instant("2040-01-01T00:00:00Z"));
    let mut checked = 0_u32;
    for name in database.available().map(|name| name.to_string()).filter(|name| name != "Etc/Unknown") {
        let (ours, theirs) = (zone(&name), database.get(&name).unwrap());
        let from = jiff::Timestamp::from_microsecond(start.micros()).unwrap();
        let stamps = theirs.following(from).map(|transition| transition.timestamp().as_second());
        let mut seconds: Vec<i64> = stamps.take_while(|second| *second * SECOND < end.micros()).collect();
        seconds.extend((0..40).map(|year| start.micros() / SECOND + year * 31_556_952));
        for second in seconds
            .into_iter()
            .flat_map(|second| [second - 3_600, second - 1, second, second + 1, second + 3_600])
        {
            let expected = theirs.to_offset(jiff::Timestamp::from_second(second).unwrap()).seconds();
            assert_eq!(
                ours.offset_seconds(Instant::from_micros(second * SECOND)),
                expected,
                "{name} at {second}"
            );
            checked += 1;
        }
    }
    assert!(checked > 100_000, "only {checked} instants were checked");
}

/// What activity counts on: a quarter of an hour, cut after its first minute, lies within one hour of every clock.
#[test]
fn clocks_have_stood_at_whole_quarters_since_2000_and_change_at_one_or_a_minute_past() {
    let database = TimeZoneDatabase::bundled();
    let from = jiff::Timestamp::from_second(946_684_800).unwrap();
    let mut checked = 0_u32;
    for name in database.available().map(|name| name.to_string()).filter(|name| name != "Etc/Unknown") {
        let theirs = database.get(&name).unwrap();
        assert_eq!(theirs.to_offset(from).seconds() % 900, 0, "{name}");
        for transition in
            theirs.following(from).take_while(|next| next.timestamp().as_second() < 2_208_988_800)
        {
            let second = transition.timestamp().as_second();
            assert!(matches!(second.rem_euclid(900), 0 | 60), "{name} at {}", transition.timestamp());
            assert_eq!(transition.offset().seconds() % 900, 0, "{name} from {}", transition.timestamp());
            checked += 1;
        }
    }
    assert!(checked > 5_000, "only {checked} transitions were checked");
}

#[test]
fn an_instant_names_a_directory_and_is_read_back_from_it() {
    let moment = instant("2017-12-01T05:00:00.000001Z");
    assert_eq!(moment.file_name(), "20171201T050000.000001Z");
    assert_eq!(Instant::parse_file_name(&moment.file_name()), Some(moment));
    assert_eq!(Instant::parse_file_name("yesterday"), None);
}

#[test]
fn dates_that_do_not_exist_are_no_days() {
    assert_eq!(Day::parse("2016-02-29").map(|day| day.to_string()).as_deref(), Some("2016-02-29"));
    for text in ["2017-02-29", "2017-13-01", "2017-1-1", "20170101", "2017-01-01T00", ""] {
        assert_eq!(Day::parse(text), None, "{text:?}");
    }
}

#[test]
fn stages_of_life_are_the_first_that_matches() {
    let as_of = instant("2020-01-01T00:00:00Z");
    let stage = |days_ago: &[i64]| Lifecycle::at(as_of, days_ago.iter().map(|days| as_of.plus(-days * DAY)));
    assert_eq!(stage(&[]), Lifecycle::Dormant);
    assert_eq!(stage(&[30, 1]), Lifecycle::New);
    assert_eq!(stage(&[31, 30]), Lifecycle::Active);
    assert_eq!(stage(&[31]), Lifecycle::Cooling);
    assert_eq!(stage(&[120, 30]), Lifecycle::Active, "a gap of exactly 90 days is no return");
    assert_eq!(stage(&[121, 30, 2]), Lifecycle::Returned);
    assert_eq!(stage(&[400, 200, 35, 2]), Lifecycle::Active, "he returned more than 30 days ago");
    assert_eq!(stage(&[200, 90]), Lifecycle::Cooling);
    assert_eq!(stage(&[200, 91]), Lifecycle::Dormant);
}

proptest! {
    #[test]
    fn hours_of_the_week_go_round_every_168_hours(hours in -2_000_000_i32..2_000_000) {
        let (one, next) = (LocalHour(hours), LocalHour(hours + 1));
        prop_assert_eq!((one.hour_of_week() + 1) % 168, next.hour_of_week());
        prop_assert_eq!(one.hour_of_week() % 24, one.hour_of_day());
        prop_assert_eq!(one.day().first_hour().0 + one.hour_of_day() as i32, hours);
    }

    #[test]
    fn local_hours_in_utc_are_whole_hours(micros in -5_000_000_000_000_000_i64..5_000_000_000_000_000) {
        let moment = Instant::from_micros(micros);
        prop_assert_eq!(i64::from(Zone::utc().local_hour(moment).0), micros.div_euclid(HOUR));
        prop_assert_eq!(i64::from(moment.utc_day().0), micros.div_euclid(DAY));
    }

    #[test]
    fn days_print_as_they_are_read(day in 0_i32..60_000) {
        prop_assert_eq!(Day::parse(&Day(day).to_string()), Some(Day(day)));
    }
}
