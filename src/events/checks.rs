//! What looks odd after an ingest: days of strange volume, event names that have vanished.

use std::collections::{BTreeMap, BTreeSet};

use super::lake::{LakeFile, Manifest};
use crate::config::WarningsConfig;
use crate::domain::time::{Day, Instant};

/// Warnings about the days that an ingest has changed, and about names that no longer come.
pub fn odd_days(manifest: &Manifest, changed: &[Day], config: &WarningsConfig) -> Vec<String> {
    let files: BTreeMap<Day, &LakeFile> =
        manifest.files.iter().filter_map(|file| Some((Day::parse(&file.date)?, file))).collect();
    let mut warnings = odd_volume(&files, changed, config);
    warnings.extend(vanished_names(&files, config));
    warnings
}

/// A newest event that has not happened yet: a clock is wrong, or a zone was left out.
pub fn future_stamps(newest: Option<Instant>, now: Instant) -> Option<String> {
    let newest = newest.filter(|newest| *newest > now)?;
    Some(format!("future_stamps: the newest event, {newest}, lies after now, {now}; is --time-zone right?"))
}

/// Days with far fewer or far more events than the median day before them.
///
/// A day is odd only when it is so beside the same weekdays too: a quiet Sunday is no news. The newest day is never
/// called too small: it may not be over.
fn odd_volume(files: &BTreeMap<Day, &LakeFile>, changed: &[Day], config: &WarningsConfig) -> Vec<String> {
    let newest = files.keys().next_back().copied();
    let mut odd = Vec::new();
    for day in changed {
        let Some(median) = median_before(files, *day, config.trailing_days) else { continue };
        let rows = files.get(day).map_or(0, |file| file.rows);
        let usual = [median, same_weekdays_before(files, *day, config.trailing_days)];
        let beside =
            |is_odd: &dyn Fn(f64) -> bool| usual.iter().all(|usual| is_odd(rows as f64 / *usual as f64));
        let too_small = beside(&|ratio| ratio < config.low_volume) && Some(*day) != newest;
        let too_large = beside(&|ratio| ratio > config.high_volume);
        if median >= config.least_median && (too_small || too_large) {
            odd.push(format!(
                "odd_volume: {day} has {rows} events; the median of the {} days before is {median}",
                config.trailing_days
            ));
        }
    }
    shorten(odd)
}

/// The median volume of the days before `day`, once three quarters of them are there; missing days count as zero.
fn median_before(files: &BTreeMap<Day, &LakeFile>, day: Day, days: usize) -> Option<u64> {
    let first = Day(day.0.saturating_sub_unsigned(days as u32));
    let mut volumes: Vec<u64> = files.range(first..day).map(|(_, file)| file.rows).collect();
    if volumes.len() * 4 < days * 3 {
        return None;
    }
    volumes.resize(days, 0);
    volumes.sort_unstable();
    Some(volumes[days / 2])
}

/// The median volume of the same weekday in the weeks before `day`.
fn same_weekdays_before(files: &BTreeMap<Day, &LakeFile>, day: Day, days: usize) -> u64 {
    let weeks = (days / 7).max(1) as i32;
    let volume = |week: i32| files.get(&Day(day.0 - 7 * week)).map_or(0, |file| file.rows);
    let mut volumes: Vec<u64> = (1..=weeks).map(volume).collect();
    volumes.sort_unstable();
    volumes[volumes.len() / 2]
}

/// Names seen on most of the trailing days, and on none of the newest.
fn vanished_names(files: &BTreeMap<Day, &LakeFile>, config: &WarningsConfig) -> Vec<String> {
    let Some(newest) = files.keys().next_back().copied() else { return Vec::new() };
    let quiet_from = Day(newest.0 + 1 - config.vanished_days as i32);
    let seen_from = Day(quiet_from.0 - config.trailing_days as i32);
    let recent: BTreeSet<&str> =
        files.range(quiet_from..).flat_map(|(_, file)| file.events.keys().map(String::as_str)).collect();
    let mut days_seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, file) in files.range(seen_from..quiet_from) {
        for name in file.events.keys() {
            *days_seen.entry(name).or_default() += 1;
        }
    }
    let usual = |(name, days): &(&str, usize)| *days * 2 > config.trailing_days && !recent.contains(name);
    let line = |(name, days): (&str, usize)| {
        format!(
            "vanished_event: {name:?} came on {days} of {} days and on none since {quiet_from}",
            config.trailing_days
        )
    };
    shorten(days_seen.into_iter().filter(usual).map(line).collect())
}

/// The first few of a long list, and how many more there are.
fn shorten(mut lines: Vec<String>) -> Vec<String> {
    const SHOWN: usize = 5;
    if lines.len() > SHOWN {
        let more = lines.len() - SHOWN;
        lines.truncate(SHOWN);
        lines.push(format!("… and {more} more of that kind"));
    }
    lines
}
