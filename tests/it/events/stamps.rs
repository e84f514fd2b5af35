//! Stamps of every form that names one moment are read; the others are rejected with what is unclear.

use domain::rejection::{Rejection, RejectionCode};
use domain::time::Instant;
use domain::zone::Zone;
use events::formats::RawValue;
use events::stamps::StampReader;

const YEARS: i64 = 366 * 24;

fn reader(hours_ahead: i64) -> StampReader {
    let now = Instant::parse_rfc3339("2026-12-01T00:00:00Z").unwrap();
    StampReader::new(Some(Zone::find("Asia/Shanghai").unwrap()), now, hours_ahead)
}

fn read(value: RawValue<'_>) -> Result<String, Rejection> {
    reader(24).read("timestamp", &value).map(|stamp| stamp.instant.to_string())
}

fn text(text: &str) -> Result<String, Rejection> {
    read(RawValue::Text(text.into()))
}

fn until(value: RawValue<'_>) -> Result<Option<String>, Rejection> {
    let end = reader(200 * YEARS).read_until("expires_at", &value)?;
    Ok(end.map(|end| end.to_string()))
}

#[test]
fn offsets_are_read_with_and_without_a_blank() {
    for (written, moment) in [
        ("2024-01-02 03:04:05 Z", "2024-01-02T03:04:05Z"),
        ("2024-01-02 03:04:05 utc", "2024-01-02T03:04:05Z"),
        ("2024-01-02T03:04:05 GMT", "2024-01-02T03:04:05Z"),
        ("2024-01-02T03:04:05UTC", "2024-01-02T03:04:05Z"),
        ("2024-01-02 03:04:05.123 +08", "2024-01-01T19:04:05.123Z"),
        ("2024-01-02 03:04:05+0530", "2024-01-01T21:34:05Z"),
        ("2024-01-02 03:04:05 -03:30", "2024-01-02T06:34:05Z"),
        ("2024-01-02 03:04:05.123456789 +0800 CST", "2024-01-01T19:04:05.123456Z"),
        ("2024-01-02 03:04:05 GMT+0800", "2024-01-01T19:04:05Z"),
        ("2024-01-02T03:04:05.1234567890123Z", "2024-01-02T03:04:05.123456Z"),
        ("2024-01-02 03:04 +08:00", "2024-01-01T19:04:00Z"),
        ("2024-01-02 03:04:05,678", "2024-01-01T19:04:05.678Z"),
        ("2024/01/02 03:04", "2024-01-01T19:04:00Z"),
        ("2024/01/02", "2024-01-01T16:00:00Z"),
        ("Tue, 02 Jan 2024 03:04:05 GMT", "2024-01-02T03:04:05Z"),
    ] {
        assert_eq!(text(written).as_deref(), Ok(moment), "{written}");
    }
}

#[test]
fn numbers_are_seconds_to_nanoseconds_with_any_fraction() {
    for (written, moment) in [
        ("1704164645", "2024-01-02T03:04:05Z"),
        ("1704164645.0", "2024-01-02T03:04:05Z"),
        ("1704164645.6789", "2024-01-02T03:04:05.6789Z"),
        ("1704164645.6789999", "2024-01-02T03:04:05.679Z"),
        ("1704164645.9999999", "2024-01-02T03:04:06Z"),
        ("1704164645678", "2024-01-02T03:04:05.678Z"),
        ("1704164645678.9", "2024-01-02T03:04:05.6789Z"),
        ("1704164645678901", "2024-01-02T03:04:05.678901Z"),
        ("1704164645678901.0", "2024-01-02T03:04:05.678901Z"),
        ("1704164645678901234", "2024-01-02T03:04:05.678901Z"),
        ("1.704164645678E9", "2024-01-02T03:04:05.678Z"),
        ("1.704164645678e+12", "2024-01-02T03:04:05.678Z"),
    ] {
        assert_eq!(text(written).as_deref(), Ok(moment), "{written}");
    }
    // The floats nearest to these numbers are a little less.
    for (number, moment) in [
        (1_704_164_645.678, "2024-01-02T03:04:05.678Z"),
        (1_704_164_645.000_001, "2024-01-02T03:04:05.000001Z"),
        (1_704_164_645_678.0, "2024-01-02T03:04:05.678Z"),
        (1.704_164_645_678_9e18, "2024-01-02T03:04:05.6789Z"),
    ] {
        assert_eq!(read(RawValue::Number(number)).as_deref(), Ok(moment), "{number}");
    }
    assert_eq!(read(RawValue::Integer(1_704_164_645_678_901_234)).unwrap(), "2024-01-02T03:04:05.678901Z");
}

#[test]
fn what_is_unclear_is_rejected_with_the_value_and_the_reason() {
    use RejectionCode::{BadTimestamp, TimestampInFuture, TimestampOutOfRange};
    for (written, code, reason) in [
        ("01/02/2024", BadTimestamp, "day and month"),
        ("1.2.2024 03:04", BadTimestamp, "day and month"),
        ("13-12-24", BadTimestamp, "day and month"),
        ("1.70416E+09", BadTimestamp, "rounded"),
        ("20240102", TimestampOutOfRange, "2024-01-02"),
        ("12345", TimestampOutOfRange, "too few digits"),
        ("0", TimestampOutOfRange, "missing"),
        ("0.0", TimestampOutOfRange, "missing"),
        ("yesterday", BadTimestamp, "RFC 3339"),
        ("2024-02-30 03:04:05 UTC", BadTimestamp, "nanoseconds since 1970"),
        ("2024-01-02 03:04:05 +0800 UTC", BadTimestamp, "RFC 3339"),
        ("2024-01-02 03:04:05 +25:00", BadTimestamp, "RFC 3339"),
        ("2024-01-02 03:04:05 CST", BadTimestamp, "RFC 3339"),
        ("2024-01-02T03:04:05+08:00[Asia/Shanghai]", BadTimestamp, "RFC 3339"),
        ("1969-12-31 23:59:59 UTC", TimestampOutOfRange, "before 1970"),
        ("2026-12-02 00:00:01 UTC", TimestampInFuture, "later than"),
    ] {
        let rejection = text(written).unwrap_err();
        assert_eq!(rejection.code, code, "{written}: {}", rejection.detail);
        assert!(rejection.detail.contains(written) || written == "0.0", "{}", rejection.detail);
        assert!(rejection.detail.contains(reason), "{}", rejection.detail);
    }
    let single = read(RawValue::Single(1_704_164_645.0)).unwrap_err();
    assert!(single.detail.contains("32-bit float"), "{}", single.detail);
}

#[test]
fn a_beginning_may_be_the_epoch_itself() {
    let begins = |value| reader(24).read_from("published_at", &value).map(|stamp| stamp.instant.micros());
    assert_eq!(begins(RawValue::Integer(0)), Ok(0));
    assert_eq!(begins(RawValue::Text("1970-01-01T00:00:00Z".into())), Ok(0));
    assert_eq!(text("1970-01-01T00:00:00Z").unwrap(), "1970-01-01T00:00:00Z");
    assert_eq!(text("1999-12-31T23:59:59Z").unwrap(), "1999-12-31T23:59:59Z");
}

#[test]
fn an_end_beyond_the_calendar_is_none_in_every_form() {
    for written in [
        "9999-12-31",
        "9999-12-31T23:59:59Z",
        "9999-12-31 23:59:59.999999",
        "9999-12-31 23:59:59 UTC",
        "3000-01-01",
        "2262-04-11T23:47:16.854775807Z",
        "10000-01-01T00:00:00Z",
        "253402300799",
        "253402214400000",
        "253402300799999",
        "9223372036854775807",
        "99999999999999999999",
    ] {
        assert_eq!(until(RawValue::Text(written.into())), Ok(None), "{written}");
    }
    let days = i32::try_from(253_402_214_400_i64 / 86_400).unwrap();
    let (micros, nanos) = (253_402_214_400_000_000, i64::MAX / 1_000);
    for value in [
        RawValue::Date(days),
        RawValue::Instant(micros),
        RawValue::Naive(micros),
        RawValue::Instant(nanos),
        RawValue::Integer(253_402_300_799),
        RawValue::Integer(i64::MAX),
        RawValue::Number(253_402_300_799.0),
    ] {
        assert_eq!(until(value.clone()), Ok(None), "{value:?}");
    }
}

#[test]
fn an_end_within_the_calendar_is_read_and_a_bare_date_is_its_last_day() {
    let read = |written: &str| until(RawValue::Text(written.into())).unwrap();
    assert_eq!(read("2027-01-01").as_deref(), Some("2027-01-01T16:00:00Z"));
    assert_eq!(read("2027/01/01").as_deref(), Some("2027-01-01T16:00:00Z"));
    assert_eq!(read("2027-01-01T00:00:00Z").as_deref(), Some("2027-01-01T00:00:00Z"));
    assert_eq!(read("2099-12-31T00:00:00Z").as_deref(), Some("2099-12-31T00:00:00Z"));
    assert_eq!(read("253402300").as_deref(), Some("1978-01-11T21:31:40Z"));
    let rejection = until(RawValue::Text("31/12/9999".into())).unwrap_err();
    assert!(rejection.detail.contains("day and month"), "{}", rejection.detail);
}
