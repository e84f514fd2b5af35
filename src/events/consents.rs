//! What a row of users changes about consent: anything but a clear grant takes a grant away.

use super::cell::{Cell, FieldUpdate};
use super::columns::users;
use super::columns::{TableColumn, Users};
use super::notes::ConsentChanges;
use domain::consent::{Consent, DeclaredConsent};
use domain::time::Instant;

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

    /// Does the row say that the user agreed?
    pub(super) fn is_granted(self, row: &[Option<Cell>]) -> bool {
        said_in(row[self.consent].as_ref()) == Consent::Granted
    }

    /// What a record says to take the grant of a row away; `None` when it has none.
    pub(super) fn unreadable_after_grant(self, row: &[Option<Cell>]) -> Option<Vec<FieldUpdate>> {
        self.is_granted(row).then(|| {
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
