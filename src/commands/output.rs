//! How commands speak: numbers with separators, progress bars on stderr, JSON on stdout.

use std::io::{self, Write};

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

/// The progress of an operation as a bar on stderr.
pub(super) struct Bar(ProgressBar);

impl Bar {
    pub(super) fn new() -> Bar {
        Bar(progress_bar())
    }

    /// Prints lines on stdout, above the bar where both are one terminal.
    pub(super) fn print_lines(&self, lines: &[String]) {
        self.0.suspend(|| print_lines(lines));
    }
}

impl Progress for Bar {
    fn step(&self, text: &str) {
        self.0.set_message(text.to_string());
    }

    fn count(&self, done: u64, total: Option<u64>) {
        match total {
            Some(total) => self.0.set_length(total),
            None => self.0.unset_length(),
        }
        self.0.set_position(done);
    }

    fn stage(&self, text: &str) {
        self.0.suspend(|| eprintln!("{text} …"));
    }

    fn warn(&self, text: &str) {
        self.0.suspend(|| eprintln!("warning: {text}"));
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
