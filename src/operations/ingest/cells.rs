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
        format!("list_separator: {count} cells of {column} may hold several items as one; the first: {first}")
    });
    let unmatched = notes.of(NoteKind::Unmatched).map(|(column, NotedCells { count, first })| {
        format!(
            "unmatched_name: {count} cells of {column} have a name that matches nothing; the first: {first}"
        )
    });
    unreadable.chain(separators).chain(unmatched).chain(consents(summary)).collect()
}

fn unreadable(summary: &IngestSummary, column: &str, cells: &NotedCells) -> String {
    let NotedCells { count, first } = cells;
    if column == contents::VARIANTS.name() {
        return format!(
            "bad_variants: {count} contents have variants that cannot be read and are never sent until they are corrected; the \
             first: {first}"
        );
    }
    if column == users::CONSENT.name() {
        let lost = summary.consents.unreadable;
        return format!(
            "unreadable_consent: {count} cells of consent are not {CONSENT_WORDS}; these users get no push, {lost} of them had \
             consented before; the first: {first}"
        );
    }
    if PREFERENCES.contains(&column) {
        return format!(
            "unreadable_preference: {count} cells of {column} cannot be read; these users get no push until they are corrected; \
             the first: {first}"
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
            "consent_emptied: {emptied} users had consented and have an empty consent now; they get no push until they are \
             granted again"
        )
    });
    let stale = (stale > 0).then(|| {
        format!(
            "consent_not_later: {stale} grants do not count, since their consent_at is not later than the refusal; these users \
             get no push"
        )
    });
    emptied.into_iter().chain(stale)
}
