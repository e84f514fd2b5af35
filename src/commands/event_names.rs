//! The event names of what was read, as `ingest` prints them.

use serde_json::{Value, json};

use super::output::thousands;
use events::event_names::{NameCounts, NameReading};

/// Names that the text lists; `--json` lists up to [`MOST_IN_JSON`].
const MOST_IN_TEXT: usize = 25;

/// Names that `--json` lists.
const MOST_IN_JSON: usize = 1_000;

/// One object a name, the most frequent first.
pub(super) fn to_json(names: &NameCounts) -> Vec<Value> {
    names.readings().into_iter().take(MOST_IN_JSON).map(object).collect()
}

fn object(reading: NameReading) -> Value {
    let NameReading { name, count, meaning, understood_as, note } = reading;
    let mut object = json!({ "name": name, "count": count, "meaning": meaning });
    if let Some(ours) = understood_as {
        object["understood_as"] = ours.into();
    }
    if let Some(note) = note {
        object["note"] = note.into();
    }
    object
}

/// One line a name, the most frequent first; those with a note are listed however rare they are.
pub(super) fn to_text(names: &NameCounts) -> String {
    let readings = names.readings();
    if readings.is_empty() {
        return String::new();
    }
    let width = readings.iter().map(|reading| reading.name.chars().count()).max().unwrap_or_default().min(48);
    let (shown, rest): (Vec<_>, Vec<_>) = readings.into_iter().enumerate().partition(|(index, reading)| {
        *index < MOST_IN_TEXT || (reading.note.is_some() && *index < 4 * MOST_IN_TEXT)
    });
    let mut text = "  event names and how each is understood:\n".to_string();
    for (_, reading) in &shown {
        text +=
            &format!("    {:<width$} {:>11}  {}\n", reading.name, thousands(reading.count), words(reading));
        if let Some(note) = &reading.note {
            text += &format!("    {:<width$} {:>11}    {note}\n", "", "");
        }
    }
    let events = rest.iter().map(|(_, reading)| reading.count).sum::<u64>() + names.uncounted();
    if events > 0 {
        text += &format!("    and {} more names with {} events\n", rest.len(), thousands(events));
    }
    text
}

fn words(reading: &NameReading) -> String {
    let meaning = match reading.meaning {
        "own_act" => "own act",
        "custom_own_act" => "own act, custom",
        "push_event" => "push event",
        "opt_out" => "opt-out from pushes",
        "targeting" => "choice of a campaign",
        _ => "other, not the user's own act",
    };
    match &reading.understood_as {
        Some(ours) => format!("{meaning}: {ours}"),
        None => meaning.to_string(),
    }
}
