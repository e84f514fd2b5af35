//! What is said of a file without a column that it must have: the columns that it has, the nearest one first.

/// Most columns that a message lists.
const MOST: usize = 20;

/// "the file has a, b and c", with the nearest name when one is close.
pub(crate) fn columns_listed<S: AsRef<str>>(wanted: &str, columns: &[S]) -> String {
    let names: Vec<String> = columns.iter().map(|name| shown(name.as_ref())).take(MOST).collect();
    let more = columns.len().saturating_sub(MOST);
    let and_more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let nearest =
        nearest(wanted, columns).map(|name| format!(" (did you mean {name:?}?)")).unwrap_or_default();
    match names.is_empty() {
        true => "the file has no columns".to_string(),
        false => format!("the file has {}{and_more}{nearest}", names.join(", ")),
    }
}

/// A name for people: not longer than a line, and without characters that act on a terminal.
pub(crate) fn shown(name: &str) -> String {
    const LONGEST: usize = 64;
    let mut letters = name.chars();
    let mut shown = String::new();
    for letter in letters.by_ref().take(LONGEST) {
        match letter.is_control() {
            true => shown.extend(letter.escape_default()),
            false => shown.push(letter),
        }
    }
    if letters.next().is_some() { shown + "…" } else { shown }
}

/// The column whose letters are the most like the wanted name's, if it is close enough to be meant.
pub(crate) fn nearest<'a, S: AsRef<str>>(wanted: &str, columns: &'a [S]) -> Option<&'a str> {
    let letters = |name: &str| -> Vec<char> {
        name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let wanted = letters(wanted);
    let distance = |name: &&str| {
        let name = letters(name);
        // `uid` and `anonymous_user_id` hold the wanted name or are held by it: closer than their lengths say.
        let holds = |long: &[char], short: &[char]| {
            short.len() > 3 && long.windows(short.len()).any(|part| part == short)
        };
        if holds(&name, &wanted) { 1 } else { edits(&wanted, &name) }
    };
    let candidates = columns.iter().map(AsRef::as_ref).take(1_000).map(|name: &str| (distance(&name), name));
    let (distance, name) = candidates.min_by_key(|(distance, _)| *distance)?;
    (distance * 3 <= wanted.len()).then_some(name)
}

/// The number of letters to change, add or leave out.
fn edits(from: &[char], to: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (index, letter) in from.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, other) in to.iter().enumerate() {
            let changed = diagonal + usize::from(letter != other);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}
