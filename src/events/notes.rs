//! Cells of accepted records that something is odd about, counted by what it is and by column.

use std::collections::BTreeMap;

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
