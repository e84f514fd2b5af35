//! How commands speak: numbers with separators, progress bars on stderr, JSON on stdout.

use std::io::{self, IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant as Stopwatch};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};

pub(super) use domain::text::thousands;
use operations::context::Progress;

/// Rows whose columns are as wide as their widest cell: the first on the left, the others on the right.
pub(super) fn table(rows: &[Vec<String>]) -> Vec<String> {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let line = |row: &Vec<String>| {
        let cell = |(column, cell): (usize, &String)| match column {
            0 => format!("  {cell:<width$}", width = width(0)),
            _ => format!("  {cell:>width$}", width = width(column)),
        };
        row.iter().enumerate().map(cell).collect::<String>().trim_end().to_string()
    };
    rows.iter().map(line).collect()
}

/// A progress bar on stderr; invisible when stderr is no terminal.
pub(super) fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{msg:28!} {wide_bar} {percent:>3}% {elapsed:>4} eta {eta:>4}");
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar.with_finish(ProgressFinish::AndClear)
}

/// Runs shorter than this print no lines of progress.
const QUIET: Duration = Duration::from_secs(3);

/// Between two lines of progress on the same step.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// The progress of an operation on stderr: a bar on a terminal, a short line now and then elsewhere.
pub(super) struct Bar {
    bar: ProgressBar,
    lines: Option<Mutex<ProgressLines>>,
}

/// What was said last where there is no terminal.
struct ProgressLines {
    started: Stopwatch,
    said: Option<Stopwatch>,
    step: String,
    said_step: String,
}

impl ProgressLines {
    /// The line that is due, if there is one.
    fn due(&mut self, count: Option<(u64, Option<u64>)>) -> Option<String> {
        let is_late = self.said.is_none_or(|said| said.elapsed() >= LINE_EVERY);
        let is_new = self.step != self.said_step;
        if self.step.is_empty() || self.started.elapsed() < QUIET || !(is_new || is_late) {
            return None;
        }
        let line = match count {
            Some((done, Some(total))) if total > 0 && done < total => {
                format!("{}: {} %", self.step, done * 100 / total)
            }
            _ if is_new => format!("{} …", self.step),
            _ => return None,
        };
        self.said = Some(Stopwatch::now());
        self.said_step.clone_from(&self.step);
        Some(line)
    }
}

impl Bar {
    pub(super) fn new() -> Bar {
        let lines = || ProgressLines {
            started: Stopwatch::now(),
            said: None,
            step: String::new(),
            said_step: String::new(),
        };
        let is_terminal = io::stderr().is_terminal();
        Bar { bar: progress_bar(), lines: (!is_terminal).then(|| Mutex::new(lines())) }
    }

    /// Prints lines on stdout, above the bar where both are one terminal.
    pub(super) fn print_lines(&self, lines: &[String]) {
        self.bar.suspend(|| print_lines(lines));
    }

    fn say(&self, step: Option<&str>, count: Option<(u64, Option<u64>)>) {
        let Some(lines) = &self.lines else { return };
        let mut lines = lines.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(step) = step {
            lines.step = step.to_string();
        }
        if let Some(line) = lines.due(count) {
            eprintln!("{line}");
        }
    }
}

impl Progress for Bar {
    fn step(&self, text: &str) {
        self.say(Some(text), None);
        self.bar.set_message(text.to_string());
    }

    fn count(&self, done: u64, total: Option<u64>) {
        match total {
            Some(total) => self.bar.set_length(total),
            None => self.bar.unset_length(),
        }
        self.bar.set_position(done);
        self.say(None, Some((done, total)));
    }

    fn stage(&self, text: &str) {
        self.bar.suspend(|| eprintln!("{text} …"));
    }

    fn warn(&self, text: &str) {
        self.bar.suspend(|| eprintln!("warning: {text}"));
    }
}

/// Says on stderr how many users are read on a clock that nobody named.
pub(super) fn warn_of_zones(without: u64, users: u64, default_zone: &str) {
    if without > 0 {
        eprintln!(
            "warning: {} of {} users have no time zone of their own and are read in {default_zone}; declare time_zone \
             with `ingest --kind users`, or set default_time_zone",
            thousands(without),
            thousands(users)
        );
    }
}

/// Prints one JSON object on stdout.
pub(super) fn print_json(value: &serde_json::Value) {
    print_text(&format!("{value}\n"));
}

/// Prints lines on stdout, each ended by a line feed.
pub(super) fn print_lines(lines: &[String]) {
    print_text(&lines.iter().map(|line| format!("{line}\n")).collect::<String>());
}

/// Prints text on stdout. A reader that has gone away is no failure of ours.
pub(super) fn print_text(text: &str) {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => eprintln!("error: stdout: {error}"),
        _ => {}
    }
}

/// A number as it is shown with so many digits behind the point: what is rounded to 0 has no minus.
pub(super) fn unsigned_zero(value: f64, digits: usize) -> f64 {
    let shown = format!("{value:.digits$}");
    let is_zero = value.is_finite() && !shown.bytes().any(|byte| matches!(byte, b'1'..=b'9'));
    if is_zero { 0.0 } else { value }
}
