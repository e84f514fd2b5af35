//! Send slots on clocks that skip, repeat and jump.

use domain::slot::{SendSlot, send_slots};
use domain::time::{HOUR, Instant, MINUTE};
use domain::zone::Zone;
use proptest::prelude::*;

use super::world::{instant, random_context};

/// `day hour:offset minutes` of each slot of some hours from a moment.
fn slots(zone: &str, from: &str, hours: i64) -> Vec<String> {
    let from = instant(from);
    let text = |slot: &SendSlot| {
        let minutes = (slot.end.micros() - slot.start.micros()) / MINUTE;
        let hour = slot.local_hour;
        format!("{} {:02}h {:+} {minutes}m", hour.day(), hour.hour_of_day(), slot.offset_seconds / 60)
    };
    send_slots(Zone::shared(zone).unwrap(), from, from.plus(hours * HOUR)).iter().map(text).collect()
}

#[test]
fn slots_are_clipped_at_both_ends() {
    let expected = ["2026-06-10 12h -240 40m", "2026-06-10 13h -240 60m", "2026-06-10 14h -240 20m"];
    assert_eq!(slots("America/New_York", "2026-06-10T16:20:00Z", 2), expected);
}

#[test]
fn a_half_hour_zone_has_slots_that_begin_at_half_past() {
    assert_eq!(
        slots("Asia/Kolkata", "2026-06-10T12:00:00Z", 1),
        ["2026-06-10 17h +330 30m", "2026-06-10 18h +330 30m"]
    );
    assert_eq!(slots("Asia/Kathmandu", "2026-06-10T12:15:00Z", 1), ["2026-06-10 18h +345 60m"]);
}

#[test]
fn a_skipped_hour_is_no_slot_and_a_repeated_one_is_two() {
    assert_eq!(
        slots("America/New_York", "2026-03-08T06:00:00Z", 2),
        ["2026-03-08 01h -300 60m", "2026-03-08 03h -240 60m"]
    );
    let expected = ["2026-11-01 01h -240 60m", "2026-11-01 01h -300 60m", "2026-11-01 02h -300 60m"];
    assert_eq!(slots("America/New_York", "2026-11-01T05:00:00Z", 3), expected);
}

#[test]
fn lord_howe_moves_its_clock_by_half_an_hour() {
    let forward = ["2026-10-04 01h +630 60m", "2026-10-04 02h +660 30m", "2026-10-04 03h +660 60m"];
    assert_eq!(slots("Australia/Lord_Howe", "2026-10-03T14:30:00Z", 3)[..3], forward);
    let back = ["2026-04-05 01h +660 60m", "2026-04-05 01h +630 30m", "2026-04-05 02h +630 60m"];
    assert_eq!(slots("Australia/Lord_Howe", "2026-04-04T14:00:00Z", 3)[..3], back);
}

#[test]
fn samoa_and_kwajalein_skip_a_whole_day() {
    let samoa = ["2011-12-29 23h -600 60m", "2011-12-31 00h +840 60m"];
    assert_eq!(slots("Pacific/Apia", "2011-12-30T09:00:00Z", 2), samoa);
    let kwajalein = slots("Pacific/Kwajalein", "1993-08-21T11:00:00Z", 2);
    assert_eq!(kwajalein, ["1993-08-20 23h -720 60m", "1993-08-22 00h +720 60m"]);
}

#[test]
fn a_span_that_ends_before_it_starts_has_no_slots() {
    let at = instant("2026-06-10T12:00:00Z");
    assert_eq!(send_slots(Zone::shared("UTC").unwrap(), at, at.plus(-HOUR)), []);
}

#[test]
fn a_clipped_first_minute_can_be_sent_in_at_once() {
    let from = instant("2026-06-10T12:20:30Z");
    let slot = send_slots(Zone::shared("UTC").unwrap(), from, from.plus(HOUR))[0];
    assert_eq!(slot.minutes_within(Instant::MIN, Instant::MAX).count_ones(), 40);
    assert_eq!(slot.instant_of(20), from);
    assert_eq!(slot.instant_of(21), instant("2026-06-10T12:21:00Z"));
    let window = (instant("2026-06-10T12:40:01Z"), instant("2026-06-10T12:43:00Z"));
    assert_eq!(slot.minutes_within(window.0, window.1), 0b11 << 41);
}

proptest! {
    #[test]
    fn slots_cover_the_span_and_a_minute_belongs_to_the_slot_that_its_clock_shows(seed: u64) {
        let context = random_context(seed);
        let Some(zone) = context.user.time_zone.as_deref().and_then(Zone::shared) else { return Ok(()) };
        let until = context.now.plus(i64::from(context.horizon_hours) * HOUR);
        let slots = send_slots(zone, context.now, until);
        prop_assert_eq!((slots[0].start, slots[slots.len() - 1].end), (context.now, until));
        let shown = |at: Instant| (zone.local_second(at).div_euclid(3_600), zone.offset_seconds(at));
        for pair in slots.windows(2) {
            prop_assert_eq!(pair[0].end, pair[1].start);
            prop_assert_ne!(shown(pair[0].start), shown(pair[1].start), "two slots where one would do");
        }
        for slot in slots {
            prop_assert!(slot.start < slot.end);
            prop_assert_eq!(shown(slot.start), shown(slot.end.plus(-1)));
            let minutes = slot.minutes_within(Instant::MIN, Instant::MAX);
            for minute in (0..60).filter(|minute| minutes >> minute & 1 == 1) {
                let at = slot.instant_of(minute);
                prop_assert!(slot.start <= at && at < slot.end);
            }
        }
    }
}
