//! The checks: a const table, each a named function from a day and the weeks before it to what is wrong.

use std::collections::{BTreeMap, BTreeSet};

use super::CheckFailure;
use super::judged::Judged;
use super::measures::{clock_shift, known_among, longest_run, median, mix_distance, range, surprise};
use super::summary::{DaySummary, NameSummary, OPTIONAL, Spread};
use domain::time::{DAY, HOUR, MINUTE};

/// A deviance that chance reaches less than once in a million days.
const SURPRISE: f64 = 25.0;
/// Values that a median, and a hundredth, can be told from.
const LEAST_VALUES: [u64; 2] = [20, 50];

/// One check.
#[derive(Debug)]
pub struct Check {
    /// Its name, which a failure is known by.
    pub name: &'static str,
    /// What passes, in one sentence.
    pub sentence: &'static str,
    /// Is a manifest enough, which counts events by name?
    pub(super) needs_only_counts: bool,
    /// Is only the newest day asked, because the answer is about all before it?
    pub(super) of_newest_day: bool,
    pub(super) failures: fn(&Judged<'_>) -> Vec<CheckFailure>,
}

const fn check(
    name: &'static str,
    sentence: &'static str,
    failures: fn(&Judged<'_>) -> Vec<CheckFailure>,
) -> Check {
    Check { name, sentence, needs_only_counts: false, of_newest_day: false, failures }
}

/// Every check that judges days.
pub(super) const CHECKS: &[Check] = &[
    Check {
        needs_only_counts: true,
        ..check(
            "volume_like_before",
            "As many events of each frequent name, own acts and contents as on this weekday before.",
            volume_like_before,
        )
    },
    Check {
        needs_only_counts: true,
        of_newest_day: true,
        ..check("no_vanished_event", "Every name that came day by day still comes.", no_vanished_event)
    },
    Check {
        needs_only_counts: true,
        ..check("no_new_event", "No name that never came before.", no_new_event)
    },
    check("nulls_like_before", "Each name's columns are filled as they were.", nulls_like_before),
    check(
        "values_like_before",
        "Each name's amounts are as large, and as small, as they were.",
        values_like_before,
    ),
    check(
        "users_come_back",
        "Users are those of before, but for as many newcomers as ever.",
        users_come_back,
    ),
    check("contents_come_back", "So are the contents.", contents_come_back),
    check("platforms_like_before", "Users are on the platforms that they were on.", platforms_like_before),
    check("zones_like_before", "Users are in the zones that they were in.", zones_like_before),
    check("hours_like_before", "The hours of the day are as busy as they were.", hours_like_before),
    check("clock_like_before", "No other clock would fit the hours better.", clock_like_before),
    check("complete_day", "The day goes on to its end.", complete_day),
    check("no_user_dominates", "No user has most of the events.", no_user_dominates),
    check("no_repeated_events", "Few events tell the same under different ids.", no_repeated_events),
];

/// Names and sentences of all checks, in the order of a report.
pub fn checks() -> impl Iterator<Item = (&'static str, &'static str)> {
    let of_lake = [
        ("nothing_ahead", "No event lies after now."),
        ("data_goes_on", "There are events within the weeks before T."),
    ];
    CHECKS.iter().map(|check| (check.name, check.sentence)).chain(of_lake)
}

fn volume_like_before(judged: &Judged<'_>) -> Vec<CheckFailure> {
    let names: BTreeSet<&String> = judged.before.iter().flat_map(|day| day.names.keys()).collect();
    let by_name = names
        .into_iter()
        .filter_map(|name| volume_of(judged, &format!("events of {name}"), |day| day.count(name)));
    let failures: Vec<CheckFailure> = by_name.collect();
    if !failures.is_empty() {
        return failures;
    }
    let of_all = [
        volume_of(judged, "own acts", DaySummary::own_events),
        volume_of(judged, "contents", |day| day.content_hashes.len() as u64),
    ];
    of_all.into_iter().flatten().collect()
}

/// Odd is what is so beside the same weekdays and beside the median day: a quiet Sunday is no news.
fn volume_of(judged: &Judged<'_>, what: &str, count: impl Fn(&DaySummary) -> u64) -> Option<CheckFailure> {
    let median = median(judged.usual().map(&count).collect());
    if median < judged.config.least_events {
        return None;
    }
    let weekday = |day: &&DaySummary| day.day.weekday() == judged.today.day.weekday();
    let same = range(judged.usual().filter(weekday).map(|day| count(day) as f64));
    let (low, high) = same.unwrap_or((median as f64, median as f64));
    let (ratio, now) = (judged.config.volume_ratio, count(judged.today));
    let is_small = now as f64 * ratio < low.min(median as f64);
    let is_large = now as f64 > ratio * high.max(median as f64);
    (is_small || is_large).then(|| {
        let expected =
            format!("{low} to {high} on the same weekday in the weeks before, {median} on the median day");
        judged.failure(format!("{now} {what}"), expected)
    })
}

/// Names may fall silent for a day or two; a silence three times as long as any before is none of those.
fn no_vanished_event(judged: &Judged<'_>) -> Vec<CheckFailure> {
    let names: BTreeSet<&String> = judged.before.iter().flat_map(|day| day.names.keys()).collect();
    let vanished =
        |name: &&String| {
            let mut came: Vec<bool> = judged.before.iter().map(|day| day.count(name) > 0).collect();
            came.push(judged.today.count(name) > 0);
            let silent = came.iter().rev().take_while(|came| !**came).count();
            came.truncate(came.len() - silent);
            let seen = came.iter().filter(|came| **came).count();
            let gap = longest_run(came.iter().map(|came| !came));
            (silent >= judged.config.vanished_days && silent > 3 * gap && seen * 8 >= came.len() * 7)
                .then_some((silent, seen, came.len()))
        };
    let failure = |name: &String| {
        let (silent, seen, days) = vanished(&name)?;
        let found = format!("no {name} for {silent} days");
        Some(judged.failure(found, format!("it came on {seen} of the {days} days before")))
    };
    names.into_iter().filter_map(failure).collect()
}

fn no_new_event(judged: &Judged<'_>) -> Vec<CheckFailure> {
    let config = judged.config;
    let is_new = |(name, own): &(&String, &NameSummary)| {
        own.events >= config.least_new_events
            && !judged.known_names.contains(name.as_str())
            && !config.known_events.contains(*name)
    };
    let failure = |(name, own): (&String, &NameSummary)| {
        let found = format!("{} events of {name}", own.events);
        judged.failure(found, "a name that never came before; health.known_events takes it in".into())
    };
    judged.today.names.iter().filter(is_new).map(failure).collect()
}

fn nulls_like_before(judged: &Judged<'_>) -> Vec<CheckFailure> {
    let mut failures = Vec::new();
    for (name, own) in &judged.today.names {
        let before = total(judged.usual().filter_map(|day| day.names.get(name)));
        for (index, column) in OPTIONAL.iter().enumerate() {
            let (known, known_before) = (own.known[index], before.known[index]);
            let share = known as f64 / own.events as f64;
            let share_before = known_before as f64 / before.events.max(1) as f64;
            let is_odd = before.events >= judged.config.least_new_events
                && (share - share_before).abs() > judged.config.null_share
                && surprise(known, own.events, known_before, before.events) > SURPRISE;
            if is_odd {
                let found = format!("{} of {} events of {name} have a {}", known, own.events, column.name());
                let expected = format!("{known_before} of {} in the weeks before", before.events);
                failures.push(judged.failure(found, expected));
            }
        }
    }
    failures
}

fn total<'a>(days: impl Iterator<Item = &'a NameSummary>) -> NameSummary {
    days.fold(NameSummary::default(), |mut sum, day| {
        sum.events += day.events;
        sum.known.iter_mut().zip(day.known).for_each(|(sum, known)| *sum += known);
        sum
    })
}

fn values_like_before(judged: &Judged<'_>) -> Vec<CheckFailure> {
    let mut failures = Vec::new();
    for (name, own) in &judged.today.names {
        let Some(now) = own.values else { continue };
        let before: Vec<Spread> = judged.usual().filter_map(|day| day.names.get(name)?.values).collect();
        failures.extend(value_failure(judged, name, &now, &before));
    }
    failures
}

type Quantile = fn(&Spread) -> f64;

/// A unit that changed moves the median and the hundredth largest by its factor; a constant moves only one of them.
fn value_failure(judged: &Judged<'_>, name: &str, now: &Spread, before: &[Spread]) -> Option<CheckFailure> {
    let quantiles: [(&str, u64, Quantile); 2] = [
        ("median", LEAST_VALUES[0], |spread| spread.median),
        ("99 %", LEAST_VALUES[1], |spread| spread.high),
    ];
    for (what, least, quantile) in quantiles {
        let usual: Vec<f64> = before.iter().filter(|spread| spread.n >= least).map(quantile).collect();
        if now.n < least || usual.len() * 4 < judged.config.trailing_days {
            continue;
        }
        let Some((low, high)) = range(usual.into_iter()) else { continue };
        let (value, ratio) = (quantile(now), judged.config.value_ratio);
        if (low > 0.0 && value * ratio < low) || (high > 0.0 && value > high * ratio) {
            let expected = format!("{low:.2} to {high:.2} in the weeks before");
            return Some(judged.failure(format!("values of {name} with {what} {value:.2}"), expected));
        }
    }
    let were_positive =
        before.iter().all(|spread| spread.low >= 0.0) && before.len() * 4 >= judged.config.trailing_days;
    (were_positive && now.n >= LEAST_VALUES[0] && now.low < 0.0).then(|| {
        judged.failure(format!("values of {name} below 0: {:.2}", now.low), "none in the weeks before".into())
    })
}

fn users_come_back(judged: &Judged<'_>) -> Vec<CheckFailure> {
    returning(judged, "users", |day| &day.user_hashes)
}

fn contents_come_back(judged: &Judged<'_>) -> Vec<CheckFailure> {
    returning(judged, "contents", |day| &day.content_hashes)
}

/// Ids written otherwise than before belong to nobody. The week before tells how many are usually new.
fn returning(judged: &Judged<'_>, what: &str, ids: fn(&DaySummary) -> &Vec<u64>) -> Vec<CheckFailure> {
    let share = |day: &DaySummary, before: &[DaySummary]| {
        let mut known: Vec<u64> = before.iter().flat_map(|day| ids(day).iter().copied()).collect();
        known.sort_unstable();
        let own = ids(day);
        let is_enough = own.len() as u64 >= judged.config.least_events && !known.is_empty();
        is_enough.then(|| known_among(own, &known) as f64 / own.len() as f64)
    };
    let Some(now) = share(judged.today, judged.before) else { return Vec::new() };
    let week = judged.before.len().saturating_sub(7)..judged.before.len();
    let usual = week.filter_map(|index| share(&judged.before[index], &judged.before[..index]));
    let Some((low, _)) = range(usual) else { return Vec::new() };
    if now >= low - judged.config.returning_drop {
        return Vec::new();
    }
    let found = format!("{:.0} % of the {what} came in the weeks before", 100.0 * now);
    vec![judged.failure(found, format!("at least {:.0} % on each day of the last week", 100.0 * low))]
}

fn platforms_like_before(judged: &Judged<'_>) -> Vec<CheckFailure> {
    mix(judged, |day| &day.platforms)
}

fn zones_like_before(judged: &Judged<'_>) -> Vec<CheckFailure> {
    mix(judged, |day| &day.zones)
}

fn mix(judged: &Judged<'_>, of: fn(&DaySummary) -> &BTreeMap<String, u64>) -> Vec<CheckFailure> {
    let mut counts: BTreeMap<&String, (u64, u64)> = BTreeMap::new();
    of(judged.today).iter().for_each(|(word, users)| counts.entry(word).or_default().0 += users);
    for (word, users) in judged.usual().flat_map(of) {
        counts.entry(word).or_default().1 += users;
    }
    let (now, before): (Vec<u64>, Vec<u64>) = counts.values().copied().unzip();
    if judged.today.users < judged.config.least_events
        || mix_distance(&now, &before) <= judged.config.mix_distance
    {
        return Vec::new();
    }
    let words: Vec<&str> = counts.keys().map(|word| word.as_str()).collect();
    vec![
        judged.failure(
            largest(&words, &now) + " of the users",
            largest(&words, &before) + " in the weeks before",
        ),
    ]
}

/// `ios 100 %, android 0 %`: the three largest shares of either.
fn largest(words: &[&str], counts: &[u64]) -> String {
    const SHOWN: usize = 3;
    let total = counts.iter().sum::<u64>().max(1) as f64;
    let mut shares: Vec<(u64, &str)> = counts.iter().copied().zip(words.iter().copied()).collect();
    shares.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
    let one = |(count, word): &(u64, &str)| format!("{word} {:.0} %", 100.0 * *count as f64 / total);
    shares.iter().take(SHOWN).map(one).collect::<Vec<_>>().join(", ")
}

fn hours_before(judged: &Judged<'_>) -> [u64; 24] {
    judged.usual().fold([0; 24], |mut sum, day| {
        sum.iter_mut().zip(day.hours).for_each(|(sum, users)| *sum += users);
        sum
    })
}

fn has_hours(judged: &Judged<'_>) -> bool {
    judged.today.hours.iter().sum::<u64>() >= judged.config.least_events
}

fn hours_like_before(judged: &Judged<'_>) -> Vec<CheckFailure> {
    let (now, before) = (judged.today.hours, hours_before(judged));
    if !has_hours(judged) || mix_distance(&now, &before) <= judged.config.hours_distance {
        return Vec::new();
    }
    let hours: Vec<String> = (0..24).map(|hour| format!("{hour:02}:00")).collect();
    let words: Vec<&str> = hours.iter().map(String::as_str).collect();
    vec![judged.failure(
        largest(&words, &now) + " of the active hours",
        largest(&words, &before) + " in the weeks before",
    )]
}

fn clock_like_before(judged: &Judged<'_>) -> Vec<CheckFailure> {
    let (shift, gain) = clock_shift(&judged.today.hours, &hours_before(judged));
    if !has_hours(judged) || gain <= judged.config.clock_gain {
        return Vec::new();
    }
    let hours = if shift > 12 { shift as i64 - 24 } else { shift as i64 };
    let expected = format!("a gain of {gain:.2} nats an active hour over the clock of the weeks before");
    vec![judged.failure(format!("a clock moved by {hours:+} hours fits"), expected)]
}

fn complete_day(judged: &Judged<'_>) -> Vec<CheckFailure> {
    let silence = |day: &DaySummary| {
        let end = (i64::from(day.day.0) + 1) * DAY;
        Some((end - day.last?.micros()).div_euclid(MINUTE))
    };
    let (Some(now), Some(longest)) = (silence(judged.today), judged.usual().filter_map(silence).max()) else {
        return Vec::new();
    };
    let usual = median(judged.usual().map(|day| day.events).collect());
    if usual < judged.config.least_events || now <= longest + judged.config.silent_hours * HOUR / MINUTE {
        return Vec::new();
    }
    let clock = |minutes: i64| format!("{:02}:{:02}", minutes / 60, minutes % 60);
    let found = format!("the last event is {} before midnight UTC", clock(now));
    vec![judged.failure(found, format!("at most {} in the weeks before", clock(longest)))]
}

fn no_user_dominates(judged: &Judged<'_>) -> Vec<CheckFailure> {
    let share = |day: &DaySummary| day.busiest_user as f64 / day.events.max(1) as f64;
    let limit =
        judged.usual().map(share).fold(judged.config.busiest_share, |limit, share| limit.max(1.5 * share));
    if judged.today.events < judged.config.least_events || share(judged.today) <= limit {
        return Vec::new();
    }
    let found = format!("{:.0} % of the events are one user's", 100.0 * share(judged.today));
    vec![judged.failure(found, format!("at most {:.0} %", 100.0 * limit))]
}

fn no_repeated_events(judged: &Judged<'_>) -> Vec<CheckFailure> {
    let config = judged.config;
    let share = |day: &DaySummary| day.repeated as f64 / day.events.max(1) as f64;
    let most = judged.usual().map(share).fold(0.0, f64::max);
    let limit = (most + config.repeated_rise).min(config.repeated_share);
    if judged.today.events < config.least_events || share(judged.today) <= limit {
        return Vec::new();
    }
    let found = format!("{:.0} % of the events repeat another but for its id", 100.0 * share(judged.today));
    vec![judged.failure(found, format!("at most {:.0} % in the weeks before", 100.0 * most))]
}
