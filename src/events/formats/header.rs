//! The names of a CSV file's columns: its first line, or names from elsewhere when the first line is data.

/// Column names for files that may have none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    /// Names that were asked for: the file has no header line.
    pub given: Option<Vec<String>>,
    /// Names that a header line of this kind of file has.
    pub known: Vec<String>,
    /// Names for a first line that has none of them, by how many there are.
    pub fallback: Vec<Vec<String>>,
}

impl Headers {
    /// The names to use in place of the first line's; `None` when the first line is the header.
    ///
    /// # Errors
    /// When the first line has another number of fields than the names that were asked for.
    pub(super) fn instead_of(&self, first: &[String]) -> Result<Option<Vec<String>>, String> {
        match &self.given {
            Some(given) if given.as_slice() == first => Ok(None),
            Some(given) if given.len() == first.len() => Ok(Some(given.clone())),
            Some(given) => {
                Err(format!("--header names {} columns, the first line has {}", given.len(), first.len()))
            }
            None => {
                // One cell may have the name of a column as its value.
                let has_names = first.iter().filter(|cell| self.known.contains(cell)).count() > 1;
                let fits = self.fallback.iter().find(|names| names.len() == first.len());
                Ok(fits.filter(|_| !has_names).cloned())
            }
        }
    }
}

/// Does a first line look like a record? A cell is a number or a moment; whole numbers counted up from 0 or 1 are
/// names that a writer without names has made up.
pub(crate) fn looks_like_data(first: &[String]) -> bool {
    let is_counted =
        |from: usize| first.iter().enumerate().all(|(index, cell)| *cell == (index + from).to_string());
    !is_counted(0) && !is_counted(1) && first.iter().any(|cell| is_value(cell))
}

/// Is this a value, which no column is named after?
pub(crate) fn is_value(cell: &str) -> bool {
    let is_number = cell.parse::<f64>().is_ok_and(f64::is_finite);
    let is_moment = cell.len() >= 10 && cell.starts_with(|letter: char| letter.is_ascii_digit()) && {
        cell.get(..10).is_some_and(|date| domain::time::Day::parse(date).is_some())
    };
    is_number || is_moment
}

/// What to do about a file without a header line.
pub(crate) fn advice(first: &[String]) -> String {
    let joined: String = first.join(",").chars().take(80).collect();
    let shown = joined.replace(char::is_control, "?");
    let names: Vec<String> = (1..=first.len()).map(|index| format!("column_{index}")).collect();
    let names: String = names.join(",").chars().take(120).collect();
    format!(
        "the first line ({shown}) looks like data, so the file seems to have no header: name its columns with --header, for \
         example --header {names}; the first line is then read as a record"
    )
}
