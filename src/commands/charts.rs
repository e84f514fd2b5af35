//! Terminal pictures: heat strips of a week, bars over the hours of a day, bars over days.

use domain::time::{HOURS_OF_WEEK, WEEKDAYS};

/// From nothing to the largest value.
const SHADES: [char; 5] = ['·', '░', '▒', '▓', '█'];
/// Eighths of a cell.
const EIGHTHS: [char; 8] = ['▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];

/// A week as seven lines of 24 shaded cells, each hour as wide as `▓▓`, the largest value darkest.
pub(super) fn heat_strip(week: &[f64; HOURS_OF_WEEK]) -> Vec<String> {
    let most = week.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let shade = |value: &f64| {
        let level = (value / most * SHADES.len() as f64).ceil() as usize;
        SHADES[level.clamp(1, SHADES.len()) - 1].to_string().repeat(2)
    };
    let hours: Vec<String> = (0..24).step_by(3).map(|hour| format!("{hour:02}    ")).collect();
    let mut lines = vec![format!("     {}", hours.concat())];
    for (day, hours) in week.chunks(24).enumerate() {
        lines.push(format!("{:>3}  {}", WEEKDAYS[day], hours.iter().map(shade).collect::<String>()));
    }
    lines
}

/// One line for each hour of the day: a bar, the value, and a note.
pub(super) fn hour_bars(values: &[u64; 24], note: impl Fn(usize) -> String) -> Vec<String> {
    let most = values.iter().copied().max().unwrap_or(0).max(1);
    let line = |(hour, value): (usize, &u64)| {
        format!("{hour:02}:00  {:<41} {:>6}  {}", bar(*value as f64 / most as f64, 40), value, note(hour))
            .trim_end()
            .to_string()
    };
    values.iter().enumerate().map(line).collect()
}

/// One line for each day: its name, a bar, the value, and a note.
pub(super) fn day_bars(days: &[(String, u64, &str)]) -> Vec<String> {
    let most = days.iter().map(|(_, value, _)| *value).max().unwrap_or(0).max(1);
    let line = |(day, value, note): &(String, u64, &str)| {
        let bar = bar(*value as f64 / most as f64, 40);
        format!("  {day}  {bar:<41} {:>9}  {note}", super::output::thousands(*value)).trim_end().to_string()
    };
    days.iter().map(line).collect()
}

/// A bar of up to `width` cells.
pub(super) fn bar(share: f64, width: usize) -> String {
    let eighths = (share * width as f64 * 8.0).round() as usize;
    let mut text = "█".repeat(eighths / 8);
    if !eighths.is_multiple_of(8) {
        text.push(EIGHTHS[eighths % 8 - 1]);
    }
    text
}

/// Values as one line of small columns.
pub(super) fn sparkline(values: &[f64]) -> String {
    const COLUMNS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let most = values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    values.iter().map(|value| COLUMNS[((value / most * 8.0).ceil() as usize).clamp(1, 8) - 1]).collect()
}
