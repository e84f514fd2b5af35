//! How commands speak: numbers with separators, progress bars on stderr, JSON on stdout.

use std::io::{self, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};
use registry::versions::Damaged;

/// `1469307` as `1,469,307`.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

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

/// Says on stderr which version of a model is damaged and was skipped.
pub(super) fn warn_of_damaged(damaged: &Damaged) {
    eprintln!("warning: {damaged}");
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
