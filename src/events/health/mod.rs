//! Data checks: is a day of events like the four weeks before it? A check that fails says its name, the day, and what it found.
//!
//! Days are UTC, as the lake's files are. A day is judged once two weeks with events lie behind it; what is unlike the past for
//! four weeks is the past.

mod judged;
mod measures;
pub mod people;
mod rules;
mod series;
pub mod summary;

use std::collections::BTreeSet;
use std::{fmt, fs};

use serde::Serialize;

use crate::lake::{Lake, Manifest};
use config::HealthConfig;
use domain::time::{DAY, Day, Instant};
use files::tables::{self, TableError};
use files::workspace::Workspace;
use people::People;
use rules::CHECKS;
pub use rules::{Check, checks};
use series::Series;
use summary::DaySummary;

/// How one check came out: once for the whole report when it passed, once for each failure when it failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckOutcome {
    /// The check.
    pub name: &'static str,
    /// Is nothing wrong?
    pub passed: bool,
    /// The day that is unlike those before it.
    pub day: Option<String>,
    /// What it holds.
    pub found: Option<String>,
    /// What the days before make likely.
    pub expected: Option<String>,
}

/// `volume_like_before: 2017-12-25: 0 events of purchase, 1,138 to 1,750 on the same weekday of the four weeks before`.
impl fmt::Display for CheckOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [&self.day, &self.found].into_iter().flatten();
        let text = [self.name].into_iter().chain(parts.map(String::as_str)).collect::<Vec<_>>().join(": ");
        match &self.expected {
            Some(expected) => write!(f, "{text}, {expected}"),
            None => write!(f, "{text}"),
        }
    }
}

/// A day's volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DayVolume {
    /// The UTC day.
    pub day: String,
    /// Events of any name.
    pub events: u64,
    /// Users with an event.
    pub users: u64,
    /// Is it one of the days that were judged?
    pub judged: bool,
}

/// What the checks found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// Whole days before this moment count.
    pub as_of: Instant,
    /// The days asked about and those they were compared with, oldest first.
    pub days: Vec<DayVolume>,
    /// In the order of the checks, then of days.
    pub checks: Vec<CheckOutcome>,
}

impl CheckReport {
    /// The failures.
    pub fn failed(&self) -> impl Iterator<Item = &CheckOutcome> {
        self.checks.iter().filter(|outcome| !outcome.passed)
    }

    /// Names of the checks that failed, each once.
    pub fn failed_names(&self) -> BTreeSet<&'static str> {
        self.failed().map(|outcome| outcome.name).collect()
    }

    /// Keeps the report as `data/health.json`, for whoever watches the server.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, workspace: &Workspace) -> Result<(), TableError> {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        tables::write_atomically(&workspace.health(), |file| writeln!(file, "{text}"))
    }
}

/// How many checks failed in the report that was kept last; `None` when there is none that can be read.
pub fn failed_last(workspace: &Workspace) -> Option<u64> {
    #[derive(serde::Deserialize)]
    struct KeptReport {
        checks: Vec<KeptCheck>,
    }
    #[derive(serde::Deserialize)]
    struct KeptCheck {
        name: String,
        passed: bool,
    }
    let kept: KeptReport = serde_json::from_str(&fs::read_to_string(workspace.health()).ok()?).ok()?;
    let failed = kept.checks.into_iter().filter(|verdict| !verdict.passed);
    Some(failed.map(|verdict| verdict.name).collect::<BTreeSet<String>>().len() as u64)
}

/// Judges the newest whole days before a moment (`health.days` of them). Of the lake it reads those days and the four weeks
/// before the first; `now` only tells whether the newest event has happened yet.
///
/// # Errors
/// When a file of the lake cannot be read.
pub fn check(
    lake: &Lake,
    people: &People,
    as_of: Instant,
    now: Instant,
    config: &HealthConfig,
) -> Result<CheckReport, TableError> {
    let last = Day(as_of.utc_day().0 - 1);
    let first = Day(last.0 + 1 - config.days as i32);
    let from = Day(first.0 - config.trailing_days as i32);
    let files = (from.0..=last.0).filter_map(|day| lake.file_of(Day(day))).collect::<Vec<_>>();
    let summaries = summary::read(lake, &files, people)?;
    let series = Series::new(summaries, lake.manifest(), from, last);
    let mut checks = Vec::new();
    for check in CHECKS {
        let failures = series.judge(check, (first.0..=last.0).map(Day), config);
        checks.extend(outcomes(check.name, failures));
    }
    checks.extend(outcomes("nothing_ahead", ahead(lake.newest(), now)));
    checks.extend(outcomes("data_goes_on", stopped(lake, from, as_of, config)));
    Ok(CheckReport { as_of, days: series.volumes(first), checks })
}

/// The checks that a manifest is enough for, on some of its days: what an ingest points out. The newest day may not be over.
pub fn odd_days(manifest: &Manifest, changed: &[Day], config: &HealthConfig) -> Vec<String> {
    let days = || manifest.files.iter().filter_map(|file| Day::parse(&file.date));
    let (Some(oldest), Some(newest)) = (days().min(), days().max()) else { return Vec::new() };
    let counts = manifest.files.iter().filter_map(DaySummary::of_counts).collect();
    let series = Series::new(counts, manifest, oldest, newest);
    let mut lines = Vec::new();
    for check in CHECKS.iter().filter(|check| check.needs_only_counts) {
        let judged: Vec<Day> = changed.iter().copied().filter(|day| *day < newest).collect();
        let failures = series.judge(check, judged.into_iter(), config);
        lines.extend(shorten(
            failures.into_iter().map(|failure| failure.of(check.name).to_string()).collect(),
        ));
    }
    lines
}

/// A newest event that has not happened yet: a clock is wrong, or a zone was left out.
pub fn future_stamps(newest: Option<Instant>, now: Instant) -> Option<String> {
    ahead(newest, now).pop().map(|failure| failure.of("nothing_ahead").to_string())
}

/// What is wrong with a day.
#[derive(Clone, Debug, PartialEq, Eq)]
struct CheckFailure {
    day: Day,
    found: String,
    expected: String,
}

impl CheckFailure {
    fn of(self, name: &'static str) -> CheckOutcome {
        CheckOutcome {
            name,
            passed: false,
            day: Some(self.day.to_string()),
            found: Some(self.found),
            expected: Some(self.expected),
        }
    }
}

fn outcomes(name: &'static str, failures: Vec<CheckFailure>) -> Vec<CheckOutcome> {
    match failures.is_empty() {
        true => vec![CheckOutcome { name, passed: true, day: None, found: None, expected: None }],
        false => failures.into_iter().map(|failure| failure.of(name)).collect(),
    }
}

fn ahead(newest: Option<Instant>, now: Instant) -> Vec<CheckFailure> {
    let failure = |newest: Instant| CheckFailure {
        day: newest.utc_day(),
        found: format!("the newest event is of {newest}"),
        expected: format!("and now is {now}; is --time-zone right?"),
    };
    newest.filter(|newest| *newest > now).map(failure).into_iter().collect()
}

/// Nothing at all for as long as anybody looks back: a date was misread, or the source has dried up.
fn stopped(lake: &Lake, from: Day, as_of: Instant, config: &HealthConfig) -> Vec<CheckFailure> {
    let before = lake.files_before(as_of);
    let newest = before.last().and_then(|file| Day::parse(&file.date));
    let failure = |day: Day| CheckFailure {
        day,
        found: "it is the newest day with events".into(),
        expected: format!("more than {} days before {as_of}", config.trailing_days),
    };
    newest.filter(|day| *day < from && as_of.micros() / DAY > 0).map(failure).into_iter().collect()
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
