//! How long the local hour of an instant takes: one transition table a zone, beside jiff's own conversion.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use smartpush::domain::time::{HOUR, Instant};
use smartpush::domain::zone::Zone;

/// Purchase lines of the whole completejourney set, rounded up.
const ROWS: i64 = 1_500_000;

fn instants() -> Vec<Instant> {
    let start = 1_483_228_800_000_000;
    (0..ROWS).map(|row| Instant::from_micros(start + row * 7_919_000_000 % (365 * 24 * HOUR))).collect()
}

fn local_hours(criterion: &mut Criterion) {
    let instants = instants();
    let mut group = criterion.benchmark_group("local hour of 1.5 M instants");
    group.throughput(Throughput::Elements(ROWS as u64)).sample_size(10);
    let zone = Zone::find("America/New_York").unwrap_or_else(|error| panic!("{error}"));
    group.bench_function("transition table", |bencher| {
        bencher.iter(|| {
            instants.iter().map(|instant| i64::from(black_box(zone.local_hour(*instant).0))).sum::<i64>()
        });
    });
    let time_zone = jiff::tz::TimeZone::get(zone.name()).unwrap_or_else(|error| panic!("{error}"));
    group.bench_function("jiff to_datetime", |bencher| {
        bencher.iter(|| {
            let hour = |instant: &Instant| {
                let stamp = jiff::Timestamp::from_microsecond(instant.micros()).unwrap_or_default();
                i64::from(black_box(time_zone.to_datetime(stamp).hour()))
            };
            instants.iter().map(hour).sum::<i64>()
        });
    });
    group.finish();
}

criterion_group!(benches, local_hours);
criterion_main!(benches);
