//! What is odd about cells of accepted records, in a sentence each.

use domain::consent::CONSENT_WORDS;
use events::columns::{contents, users};
use events::notes::{NoteKind, NotedCells};
use events::request::IngestSummary;

/// Columns of users whose unreadable cell stops pushes.
const PREFERENCES: [&str; 7] = [
    users::TIME_ZONE.name(),
    users::QUIET_FROM.name(),
    users::QUIET_UNTIL.name(),
    users::MAX_PER_DAY.name(),
    users::MUTED_CATEGORIES.name(),
    users::DEVICES.name(),
    users::PERSONALISATION.name(),
];

/// A warning for each kind of oddness and column, then those about consent.
pub(super) fn warnings(summary: &IngestSummary) -> Vec<String> {
    let notes = &summary.notes;
    let unreadable = notes.of(NoteKind::Unreadable).map(|(column, cells)| unreadable(summary, column, cells));
    let separators = notes.of(NoteKind::Separator).map(|(column, NotedCells { count, first })| {
        format!(
            "list_separator: {} of {column} may hold several items as one; the first: {first}",
            cells(*count)
        )
    });
    let unmatched = notes.of(NoteKind::Unmatched).map(|(column, NotedCells { count, first })| {
        format!(
            "unmatched_name: {} of {column} with a name that matches nothing; the first: {first}",
            cells(*count)
        )
    });
    let dropped = notes.of(NoteKind::Dropped).map(|(column, NotedCells { count, first })| {
        format!(
            "unreadable_{column}: {} of {column} cannot be read; the records were taken without it; the first: {first}",
            cells(*count)
        )
    });
    unreadable.chain(dropped).chain(separators).chain(unmatched).chain(consents(summary)).collect()
}

fn unreadable(summary: &IngestSummary, column: &str, noted: &NotedCells) -> String {
    let NotedCells { count, first } = noted;
    if column == contents::VARIANTS.name() {
        return format!(
            "bad_variants: {count} contents have variants that cannot be read and are never sent until they are corrected; the \
             first: {first}"
        );
    }
    if column == users::CONSENT.name() {
        let lost = summary.consents.unreadable;
        return format!(
            "unreadable_consent: {} of consent cannot be read as {CONSENT_WORDS}: no push, and {lost} of these users had consented \
             before; the first: {first}",
            cells(*count)
        );
    }
    if PREFERENCES.contains(&column) {
        return format!(
            "unreadable_preference: {} of {column} cannot be read: no push to these users until it is corrected; the first: {first}",
            cells(*count)
        );
    }
    format!(
        "unreadable_value: {count} cells of {column} cannot be read and count as missing; the first: {first}"
    )
}

fn consents(summary: &IngestSummary) -> impl Iterator<Item = String> {
    let (emptied, stale) = (summary.consents.emptied, summary.consents.stale);
    let emptied = (emptied > 0).then(|| {
        format!(
            "consent_emptied: users who had consented and have an empty consent now: {emptied}; no push until a row says granted"
        )
    });
    let stale = (stale > 0).then(|| {
        format!(
            "consent_not_later: grants whose consent_at is not later than the refusal: {stale}; they do not count"
        )
    });
    emptied.into_iter().chain(stale)
}

fn cells(count: u64) -> String {
    match count {
        1 => "1 cell".to_string(),
        many => format!("{many} cells"),
    }
}
