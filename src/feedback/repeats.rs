//! Columns that look like the ids of units in a file that names none: their rows are not independent.

use std::collections::HashMap;

use super::arms::RepeatingColumn;
use domain::identity::hash_of;
use events::foreign::Line;
use events::formats::InputColumn;

/// Most values of a column that are held; one of more is no longer watched.
const MOST_VALUES: usize = 1 << 20;
/// A column of fewer repeated values is a group, such as a country, rather than units.
const FEWEST_VALUES: usize = 20;
/// Share of the repeated values that lie in one arm when chance assigned by them.
const IN_ONE_ARM: f64 = 0.95;
/// Parts of the names that people give to columns of ids.
const ID_WORDS: [&str; 10] = [
    "user",
    "visitor",
    "customer",
    "household",
    "account",
    "member",
    "device",
    "client",
    "person",
    "subscriber",
];

/// Rows of one value in each arm.
type ArmCounts = [u32; 2];

struct Watched {
    column: InputColumn,
    seen: HashMap<u64, ArmCounts>,
    rows: u64,
    is_too_large: bool,
}

/// Watches the columns that nothing else reads.
pub(super) struct Repeats {
    columns: Vec<Watched>,
}

impl Repeats {
    pub(super) fn watch(columns: Vec<InputColumn>) -> Repeats {
        let watched = |column| Watched { column, seen: HashMap::new(), rows: 0, is_too_large: false };
        Repeats { columns: columns.into_iter().map(watched).collect() }
    }

    pub(super) fn absorb(&mut self, line: &Line<'_>, treated: bool) {
        for watched in self.columns.iter_mut().filter(|watched| !watched.is_too_large) {
            let Some(text) = line.text(&watched.column) else { continue };
            watched.rows += 1;
            watched.seen.entry(hash_of(text.as_bytes())).or_default()[usize::from(treated)] += 1;
            if watched.seen.len() > MOST_VALUES {
                (watched.is_too_large, watched.seen) = (true, HashMap::new());
            }
        }
    }

    /// Columns of repeated ids, in the order of the file.
    pub(super) fn finish(self) -> Vec<RepeatingColumn> {
        let found = self.columns.into_iter().filter(Watched::looks_like_units);
        found
            .map(|watched| RepeatingColumn {
                values: watched.seen.len() as u64,
                rows: watched.rows,
                column: watched.column.name,
            })
            .collect()
    }
}

impl Watched {
    fn looks_like_units(&self) -> bool {
        let repeated = || self.seen.values().filter(|[control, treated]| control + treated > 1);
        let count = repeated().count();
        let pure = repeated().filter(|counts| counts.contains(&0)).count();
        let is_assigned = count >= FEWEST_VALUES && pure as f64 >= IN_ONE_ARM * count as f64;
        let name = self.column.name.to_lowercase();
        let is_named = ID_WORDS.iter().any(|word| name.contains(word)) && self.seen.len() >= FEWEST_VALUES;
        count > 0 && (is_assigned || is_named)
    }
}
