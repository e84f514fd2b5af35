//! The name that was probably meant.

/// Longest name that is compared, in bytes.
const LONGEST_NAME: usize = 64;

/// The name that takes the fewest edits to come to, ties by order; `None` when even that one is far off.
pub fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > LONGEST_NAME {
        return None;
    }
    let most = (name.chars().count() / 3).max(1);
    let lower = name.to_lowercase();
    let near = names
        .into_iter()
        .filter(|other| other.len() <= LONGEST_NAME && other.len().abs_diff(name.len()) <= most * 4)
        .map(|other| (edits(&lower, &other.to_lowercase()), other))
        .filter(|(edits, _)| *edits <= most);
    near.min_by_key(|(edits, _)| *edits).map(|(_, other)| other)
}

/// Letters to insert, delete, replace or swap with their neighbour (optimal string alignment).
fn edits(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut before_last = vec![0; to.len() + 1];
    let mut last: Vec<usize> = (0..=to.len()).collect();
    for (row, letter) in from.iter().enumerate() {
        let mut this = vec![row + 1];
        for (column, other) in to.iter().enumerate() {
            let replaced = last[column] + usize::from(letter != other);
            let mut fewest = replaced.min(last[column + 1] + 1).min(this[column] + 1);
            if row > 0 && column > 0 && *letter == to[column - 1] && from[row - 1] == *other {
                fewest = fewest.min(before_last[column - 1] + 1);
            }
            this.push(fewest);
        }
        before_last = std::mem::replace(&mut last, this);
    }
    last[to.len()]
}
