//! Who reads an answer: the data team sees every number, a marketer none so small that it could tell of single people.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::language::keys::Needs;
use domain::error::{Coded, ErrorKind};

/// What a marketer's counts are rounded down to: never up, so that no one counts on people who are not there.
pub const ROUNDED_TO: u64 = 10;

/// Who reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reader {
    /// Sees everything as it is.
    DataTeam,
    /// Sees no count below the threshold, and others rounded down.
    Marketer {
        /// Fewer people than this are not told.
        threshold: u64,
    },
}

/// Something that a reader may not be told; the text says what he may ask instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PrivacyError {
    /// The question is about who somebody is.
    #[error(
        "names_people: user_id says who somebody is; a marketer's segment asks for what people have in common"
    )]
    NamesPeople,
    /// Ids go to those who have a role for it, and there are no roles over HTTP yet.
    #[error(
        "ids_not_shown: user ids are not given over HTTP; `smartpush segment export --segment ID --out FILE` writes them where \
         the files are, and the setting segments.ids_over_http = true gives them to every client of the server"
    )]
    IdsNotShown,
    /// So few people that a list of them is about each.
    #[error("too_few_members: fewer than {0} people are not shown one by one to a marketer")]
    TooFew(u64),
}

impl Coded for PrivacyError {
    fn code(&self) -> &'static str {
        match self {
            PrivacyError::NamesPeople => "names_people",
            PrivacyError::IdsNotShown => "ids_not_shown",
            PrivacyError::TooFew(_) => "too_few_members",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            PrivacyError::NamesPeople | PrivacyError::IdsNotShown | PrivacyError::TooFew(_) => {
                ErrorKind::Caller
            }
        }
    }
}

impl Reader {
    /// May he ask this?
    ///
    /// # Errors
    /// When a marketer asks for ids.
    pub fn check_question(self, needs: &Needs) -> Result<(), PrivacyError> {
        match self {
            Reader::Marketer { .. } if needs.names_people() => Err(PrivacyError::NamesPeople),
            _ => Ok(()),
        }
    }

    /// May he see who they are?
    ///
    /// # Errors
    /// When they are fewer than the threshold.
    pub fn check_members(self, members: u64) -> Result<(), PrivacyError> {
        match self {
            Reader::Marketer { threshold } if members < threshold => Err(PrivacyError::TooFew(threshold)),
            _ => Ok(()),
        }
    }

    /// A count as he may see it.
    pub fn show(self, count: u64) -> Shown {
        match self {
            Reader::DataTeam => Shown::Exact(count),
            Reader::Marketer { threshold } if count < threshold => Shown::FewerThan(threshold),
            Reader::Marketer { .. } => Shown::Rounded(count / ROUNDED_TO * ROUNDED_TO),
        }
    }

    /// Counts of the parts of a whole as he may see them.
    ///
    /// When just one part is hidden, the whole less the others would give it away: then the smallest of the others is hidden too.
    pub fn show_parts(self, counts: &[u64]) -> Vec<Shown> {
        let mut shown: Vec<Shown> = counts.iter().map(|count| self.show(*count)).collect();
        let hidden = shown.iter().filter(|part| part.number().is_none()).count();
        let told = (0..counts.len()).filter(|part| shown[*part].number().is_some());
        if let (1, Some(smallest), Reader::Marketer { threshold }) =
            (hidden, told.min_by_key(|part| counts[*part]), self)
        {
            shown[smallest] = Shown::Withheld(threshold);
        }
        shown
    }
}

/// Parts of a whole as a reader may see them: of a marketer, the small ones are put together under [`OTHERS`], since the value of
/// a field that few have can say who they are.
pub fn show_groups(reader: Reader, groups: &[(String, u64)]) -> Vec<(String, Shown)> {
    let counts: Vec<u64> = groups.iter().map(|(_, count)| *count).collect();
    let named = groups.iter().zip(reader.show_parts(&counts));
    let (told, hidden): (Vec<_>, Vec<_>) = named.partition(|(_, shown)| shown.number().is_some());
    let others = hidden.iter().map(|((_, count), _)| count).sum();
    let told = told.into_iter().map(|((value, _), shown)| (value.clone(), shown));
    told.chain((!hidden.is_empty()).then(|| (OTHERS.to_string(), reader.show(others)))).collect()
}

/// What stands for the values that few have.
pub const OTHERS: &str = "others";

/// A count as a reader sees it. In JSON a number, or null when it is hidden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// As it is.
    Exact(u64),
    /// Down to tens.
    Rounded(u64),
    /// Below the threshold.
    FewerThan(u64),
    /// Not told, since it would tell another that is below the threshold.
    Withheld(u64),
}

impl Shown {
    /// The number, unless it is hidden.
    pub fn number(self) -> Option<u64> {
        match self {
            Shown::Exact(count) | Shown::Rounded(count) => Some(count),
            Shown::FewerThan(_) | Shown::Withheld(_) => None,
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Shown::Exact(count) => write!(f, "{count}"),
            Shown::Rounded(count) => write!(f, "about {count}"),
            Shown::FewerThan(threshold) => write!(f, "fewer than {threshold}"),
            Shown::Withheld(_) => f.write_str("not shown"),
        }
    }
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.number().serialize(serializer)
    }
}
