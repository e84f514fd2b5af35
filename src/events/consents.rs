//! What a row of users changes about consent: anything but a clear grant takes a grant away.

use super::columns::users;
use super::columns::{TableColumn, Users};
use super::upsert::{Cell, FieldUpdate};
use domain::consent::{Consent, DeclaredConsent};
use domain::time::Instant;

/// Users whose declared consent changed in a way that somebody may not have meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConsentChanges {
    /// They had agreed and refuse now.
    pub refused: u64,
    /// They had agreed, and the word that says what they do now cannot be read.
    pub unreadable: u64,
    /// They had agreed, and the cell is empty now.
    pub emptied: u64,
    /// A grant that is not later than the refusal, which stays.
    pub stale: u64,
}

impl ConsentChanges {
    fn count(&mut self, before: Consent, said: Consent, after: Consent) {
        match (before, after) {
            (Consent::Granted, Consent::Denied) => self.refused += 1,
            (Consent::Granted, Consent::Unreadable) => self.unreadable += 1,
            (Consent::Granted, Consent::Withdrawn) => self.emptied += 1,
            (Consent::Denied, Consent::Denied) if said == Consent::Granted => self.stale += 1,
            _ => {}
        }
    }

    /// Adds those of another file.
    pub fn add(&mut self, other: ConsentChanges) {
        self.refused += other.refused;
        self.unreadable += other.unreadable;
        self.emptied += other.emptied;
        self.stale += other.stale;
    }
}

/// Where a table keeps consent; only users have it.
#[derive(Clone, Copy)]
pub(super) struct ConsentColumns {
    consent: usize,
    at: usize,
}

impl ConsentColumns {
    pub(super) fn of(columns: &[TableColumn]) -> Option<ConsentColumns> {
        let index = |column: super::columns::Column<Users>| column.index_in(columns);
        Some(ConsentColumns { consent: index(users::CONSENT)?, at: index(users::CONSENT_AT)? })
    }

    /// What a record says to take the grant of a row away; `None` when it has none.
    pub(super) fn unreadable_after_grant(self, row: &[Option<Cell>]) -> Option<Vec<FieldUpdate>> {
        (said_in(row[self.consent].as_ref()) == Consent::Granted).then(|| {
            let mut patch = vec![FieldUpdate::Nothing; row.len()];
            patch[self.consent] =
                FieldUpdate::Cell(Some(Cell::Text(Consent::Unreadable.as_str().to_string())));
            patch
        })
    }

    /// Replaces what a record says of consent by what is declared after it.
    pub(super) fn settle(
        self,
        row: &[Option<Cell>],
        patch: &mut [FieldUpdate],
        now: Instant,
        changes: &mut ConsentChanges,
    ) {
        let FieldUpdate::Cell(said) = &patch[self.consent] else {
            // A moment alone is no explicit grant.
            patch[self.at] = FieldUpdate::Nothing;
            return;
        };
        let said = said_in(said.as_ref());
        let said_at = match &patch[self.at] {
            FieldUpdate::Cell(Some(Cell::Whole(micros))) => Some(Instant::from_micros(*micros)),
            _ => None,
        };
        let before = declared_in(row[self.consent].as_ref(), row[self.at].as_ref());
        let after = before.then(said, said_at, now);
        changes.count(before.consent, said, after.consent);
        let is_known = after.consent != Consent::Unknown;
        patch[self.consent] =
            FieldUpdate::Cell(is_known.then(|| Cell::Text(after.consent.as_str().to_string())));
        patch[self.at] = FieldUpdate::Cell(after.at.map(|at| Cell::Whole(at.micros())));
    }
}

fn said_in(cell: Option<&Cell>) -> Consent {
    match cell {
        Some(Cell::Text(word)) => Consent::stored(Some(word)),
        Some(_) => Consent::Unreadable,
        None => Consent::Unknown,
    }
}

fn declared_in(consent: Option<&Cell>, at: Option<&Cell>) -> DeclaredConsent {
    let at = match at {
        Some(Cell::Whole(micros)) => Some(Instant::from_micros(*micros)),
        _ => None,
    };
    DeclaredConsent { consent: said_in(consent), at }
}
