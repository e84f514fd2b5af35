//! Quiet hours against hand-checked vectors and against a scan of every minute, around every change of every clock.

use domain::time::{HOUR, Instant, MINUTE, SECOND};
use domain::user::QuietHours;
use domain::zone::Zone;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use proptest::prelude::*;

use super::clock::{instant, quiet};

const VECTORS: &str = include_str!("../../data/quiet_hours_vectors.csv");

#[test]
fn the_vectors_checked_by_hand_come_out_so() {
    let lines: Vec<Vec<&str>> = VECTORS.lines().skip(1).map(|line| line.split(',').collect()).collect();
    assert_eq!(lines.len(), 17);
    for line in lines {
        let [id, zone, from, until, asked_at, verdict, earliest, why] = line[..] else { panic!("{line:?}") };
        let (zone, hours) = (Zone::find(zone).unwrap(), quiet(&format!("{from}-{until}")));
        assert_eq!(hours.is_quiet(&zone, instant(asked_at)), verdict == "quiet", "{id}: {why}");
        assert_eq!(hours.allowed_from(&zone, instant(asked_at)), instant(earliest), "{id}: {why}");
    }
}

#[test]
fn equal_ends_are_never_quiet() {
    let (zone, hours) = (Zone::find("Europe/Paris").unwrap(), quiet("08:00-08:00"));
    let at = instant("2026-06-10T06:00:00Z");
    assert!(!hours.is_quiet(&zone, at));
    assert_eq!(hours.allowed_from(&zone, at), at);
    assert_eq!(hours.quiet_from(&zone, at), None);
}

#[test]
fn an_instant_within_a_minute_is_as_quiet_as_the_minute() {
    let (zone, hours) = (Zone::find("Europe/Paris").unwrap(), quiet("08:00-08:01"));
    let at = instant("2026-06-10T06:00:59.999999Z");
    assert!(hours.is_quiet(&zone, at));
    assert_eq!(hours.allowed_from(&zone, at), instant("2026-06-10T06:01:00Z"));
    assert_eq!(
        hours.quiet_from(&zone, instant("2026-06-10T06:01:00.5Z")),
        Some(instant("2026-06-11T06:00:00Z"))
    );
}

// ---- the oracle: look at every minute ----

/// The minute of the day that a clock shows, by the database itself.
fn shown(zone: &TimeZone, at: Instant) -> i64 {
    let stamp = jiff::Timestamp::from_microsecond(at.micros()).unwrap();
    let local = stamp.as_second() + i64::from(zone.to_offset(stamp).seconds());
    local.div_euclid(60).rem_euclid(1_440)
}

fn is_within(hours: QuietHours, minute: i64) -> bool {
    let (from, until) = (i64::from(hours.from.minutes()), i64::from(hours.until.minutes()));
    if from <= until { from <= minute && minute < until } else { minute >= from || minute < until }
}

fn names() -> Vec<String> {
    let database = TimeZoneDatabase::bundled();
    let names = database.available().map(|name| name.to_string());
    names.filter(|name| name != "Etc/Unknown").collect()
}

/// The changes of a clock in 2026 and 2027.
fn changes(zone: &TimeZone) -> Vec<Instant> {
    let from = jiff::Timestamp::from_second(1_767_225_600).unwrap();
    let stamps = zone.following(from).map(|transition| transition.timestamp().as_second());
    let stamps = stamps.take_while(|second| *second < 1_830_297_600);
    stamps.map(|second| Instant::from_micros(second * SECOND)).collect()
}

/// Every minute within three hours of a moment, against one scan backwards; returns how many were checked.
fn check_around(name: &str, moment: Instant, windows: &[QuietHours]) -> u64 {
    let (ours, theirs) = (Zone::shared(name).unwrap(), TimeZoneDatabase::bundled().get(name).unwrap());
    let first = moment.plus(-3 * HOUR);
    // What comes after three hours may take a quiet day, and a change of the clock, to be allowed.
    let minutes: Vec<Instant> = (0..33 * 60).map(|minute| first.plus(minute * MINUTE)).collect();
    let faces: Vec<i64> = minutes.iter().map(|at| shown(&theirs, *at)).collect();
    for hours in windows {
        let (mut allowed, mut next_quiet) = (None, None);
        for (at, face) in minutes.iter().zip(&faces).rev() {
            let is_quiet = is_within(*hours, *face);
            *(if is_quiet { &mut next_quiet } else { &mut allowed }) = Some(*at);
            if *at > moment.plus(3 * HOUR) {
                continue;
            }
            assert_eq!(hours.is_quiet(ours, *at), is_quiet, "{name} {hours:?} {at}");
            assert_eq!(Some(hours.allowed_from(ours, *at)), allowed, "{name} {hours:?} {at}");
            assert_eq!(hours.quiet_from(ours, *at), next_quiet, "{name} {hours:?} {at}");
        }
    }
    361 * windows.len() as u64
}

fn check_every_change(names: &[String], windows: &[QuietHours]) -> u64 {
    let database = TimeZoneDatabase::bundled();
    let moments = |name: &str| {
        let mut moments = changes(&database.get(name).unwrap());
        moments.push(instant("2026-06-10T12:00:00Z"));
        moments
    };
    let around = |name: &String| -> u64 {
        moments(name).into_iter().map(|moment| check_around(name, moment, windows)).sum()
    };
    names.iter().map(around).sum()
}

#[test]
fn no_minute_around_any_change_of_any_clock_is_misjudged() {
    let odd = |hour: i64| {
        quiet(&format!("{hour:02}:{:02}-{:02}:{:02}", hour * 7 % 60, (hour * 5 + 1) % 24, hour * 11 % 60))
    };
    let plain = ["22:00-08:00", "02:00-03:00", "00:30-02:30", "23:59-00:01", "12:00-11:59"].map(quiet);
    let windows: Vec<QuietHours> = plain.into_iter().chain((0..24).map(odd)).collect();
    let checked = check_every_change(&names(), &windows);
    println!("{checked} cases");
    assert!(checked >= 1_000_000, "only {checked} cases were checked");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_zone_instant_and_window_agree_with_a_scan_of_minutes(
        zone in 0..names().len(),
        second in 946_684_800_i64..2_208_988_800,
        from in 0_u16..1_440,
        until in 0_u16..1_440,
    ) {
        let text = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        let (name, hours) = (&names()[zone], quiet(&format!("{}-{}", text(from), text(until))));
        let (ours, theirs) = (Zone::shared(name).unwrap(), TimeZoneDatabase::bundled().get(name).unwrap());
        let at = Instant::from_micros(second * SECOND);
        let minute = Instant::from_micros(second.div_euclid(60) * MINUTE);
        let later = |minutes: i64| if minutes == 0 { at } else { minute.plus(minutes * MINUTE) };
        let first = |is_quiet: bool| {
            (0..3 * 1_440).map(later).find(|at| is_within(hours, shown(&theirs, *at)) == is_quiet)
        };
        prop_assert_eq!(Some(hours.allowed_from(ours, at)), first(false));
        prop_assert_eq!(hours.quiet_from(ours, at), first(true));
    }
}
