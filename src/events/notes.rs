//! Cells of accepted records that something is odd about, counted by what it is and by column; and lost consents.

use std::collections::BTreeMap;

use domain::consent::Consent;

/// What is odd about a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoteKind {
    /// It cannot be read, and was kept so that what depends on it is refused.
    Unreadable,
    /// It cannot be read, and its record was taken without it.
    Dropped,
    /// One item of a list may be several.
    Separator,
    /// Nothing that was declared has this name.
    Unmatched,
}

/// One such cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CellNote {
    /// Its column.
    pub column: &'static str,
    /// What is odd.
    pub kind: NoteKind,
    /// The same with its value, for people.
    pub detail: String,
}

/// Such cells of one kind and column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotedCells {
    /// How many.
    pub count: u64,
    /// The first one: file, line and what is odd.
    pub first: String,
}

/// All of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CellNotes {
    /// By what is odd and by column.
    pub cells: BTreeMap<(NoteKind, &'static str), NotedCells>,
}

impl CellNotes {
    /// Counts one more, at a file and line.
    pub fn add(&mut self, note: CellNote, position: &str) {
        let first = || NotedCells { count: 0, first: format!("{position}: {}", note.detail) };
        self.cells.entry((note.kind, note.column)).or_insert_with(first).count += 1;
    }

    /// Counts those of another file.
    pub fn merge(&mut self, other: CellNotes) {
        for (key, cells) in other.cells {
            match self.cells.get_mut(&key) {
                Some(known) => known.count += cells.count,
                None => {
                    self.cells.insert(key, cells);
                }
            }
        }
    }

    /// Those of one kind, by column.
    pub fn of(&self, kind: NoteKind) -> impl Iterator<Item = (&'static str, &NotedCells)> {
        let own = self.cells.iter().filter(move |((own, _), _)| *own == kind);
        own.map(|((_, column), cells)| (*column, cells))
    }
}

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
    /// Counts what a record has changed.
    pub(super) fn count(&mut self, before: Consent, said: Consent, after: Consent) {
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
