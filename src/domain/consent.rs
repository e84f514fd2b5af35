//! Consent to be pushed: the words for it, what a declaration changes, and what a later withdrawal leaves of it.

use serde::{Deserialize, Serialize};

use super::time::Instant;

/// Has the user agreed to be pushed?
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Consent {
    /// They agreed.
    Granted,
    /// They refused.
    Denied,
    /// There is no record of either.
    #[default]
    Unknown,
    /// A word is stored that says neither clearly.
    Unreadable,
    /// They had agreed: an event withdrew it, or a file with the column has left it empty since.
    Withdrawn,
}

/// Words for a grant, in lower case and without anything but letters and digits.
const GRANTED: &[&str] = &[
    "granted",
    "grant",
    "given",
    "true",
    "t",
    "yes",
    "y",
    "on",
    "subscribed",
    "subscribe",
    "optedin",
    "optin",
    "allowed",
    "allow",
    "agreed",
    "agree",
    "accepted",
    "accept",
    "authorized",
    "authorised",
    "enabled",
    "consented",
];

/// Words for a refusal, in the same form.
const DENIED: &[&str] = &[
    "denied",
    "deny",
    "false",
    "f",
    "no",
    "n",
    "off",
    "unsubscribed",
    "unsubscribe",
    "notsubscribed",
    "optedout",
    "optout",
    "notoptedin",
    "disallowed",
    "disallow",
    "notallowed",
    "blocked",
    "refused",
    "rejected",
    "declined",
    "disagreed",
    "unauthorized",
    "unauthorised",
    "notauthorized",
    "notauthorised",
    "disabled",
    "revoked",
    "withdrawn",
    "notgranted",
];

/// Words for "was never asked", in the same form: they are as good as an empty cell.
const NEVER_ASKED: &[&str] =
    &["", "unknown", "notdetermined", "undetermined", "neverasked", "notasked", "unset"];

/// Words that files use for a grant and for a refusal, for messages.
pub const CONSENT_WORDS: &str = "granted or denied (also true/false, 1/0, yes/no, on/off, subscribed/unsubscribed, \
                                 opted_in/opted_out, allowed/disallowed, authorized/unauthorized)";

impl Consent {
    /// Reads a word in any case, whatever separates its parts; a word that says neither clearly is unreadable.
    pub fn read(text: &str) -> Consent {
        // Before blanks and separators go: 1.0 is not 10, and -1 is not 1.
        if let Ok(number) = text.trim().parse::<f64>() {
            return match number {
                1.0 => Consent::Granted,
                0.0 => Consent::Denied,
                _ => Consent::Unreadable,
            };
        }
        let is_separator = |character: char| character.is_whitespace() || "_-.".contains(character);
        let word: String = text.chars().filter(|c| !is_separator(*c)).flat_map(char::to_lowercase).collect();
        let is_among = |words: &[&str]| words.contains(&word.as_str());
        match () {
            () if is_among(NEVER_ASKED) => Consent::Unknown,
            () if is_among(GRANTED) => Consent::Granted,
            () if is_among(DENIED) => Consent::Denied,
            () => Consent::Unreadable,
        }
    }

    /// The word in our own tables and records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Consent::Granted => "granted",
            Consent::Denied => "denied",
            Consent::Unknown => "unknown",
            Consent::Unreadable => "unreadable",
            Consent::Withdrawn => "withdrawn",
        }
    }

    /// The consent of a word in our own tables; any other word is unreadable.
    pub fn stored(word: Option<&str>) -> Consent {
        let Some(word) = word else { return Consent::Unknown };
        let all = [Consent::Granted, Consent::Denied, Consent::Unknown, Consent::Withdrawn];
        all.into_iter().find(|consent| consent.as_str() == word).unwrap_or(Consent::Unreadable)
    }

    /// No push, whatever an unknown consent means: they refused, withdrew their consent, or it cannot be read.
    pub const fn has_refused(self) -> bool {
        matches!(self, Consent::Denied | Consent::Unreadable | Consent::Withdrawn)
    }
}

/// A declared consent with its moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeclaredConsent {
    /// What was declared.
    pub consent: Consent,
    /// Since when, as far as it is known.
    pub at: Option<Instant>,
}

impl DeclaredConsent {
    /// What is declared after a record: what it says of consent, and the moment that it gives for that.
    ///
    /// Anything but a clear grant takes a grant away. A refusal, or a grant of a user who was declared to refuse, without a
    /// moment of its own is of the moment of the ingest; any other grant without a moment has none, so that a nightly export
    /// does not undo an opt-out. A grant that is not later than a refusal does not count.
    pub fn then(self, said: Consent, said_at: Option<Instant>, now: Instant) -> DeclaredConsent {
        match (self.consent, said) {
            // An empty cell never allows more than before.
            (Consent::Granted, Consent::Unknown) => {
                DeclaredConsent { consent: Consent::Withdrawn, at: Some(now) }
            }
            (_, Consent::Unknown) => self,
            (Consent::Denied, Consent::Granted) => match (said_at, self.at) {
                (Some(granted), Some(denied)) if granted <= denied => self,
                _ => DeclaredConsent { consent: said, at: said_at.or(Some(now)) },
            },
            (former, said) if former == said => DeclaredConsent { consent: said, at: self.at.max(said_at) },
            (Consent::Granted, said) => DeclaredConsent { consent: said, at: said_at.or(Some(now)) },
            (_, said) => DeclaredConsent { consent: said, at: said_at },
        }
    }

    /// The consent in force when events withdrew it at that moment at last: only a grant that is later than they are holds.
    pub fn in_force(self, withdrawn_at: Option<Instant>) -> Consent {
        match withdrawn_at {
            None => self.consent,
            Some(_) if self.consent.has_refused() => self.consent,
            Some(withdrawn_at) if self.consent == Consent::Granted && self.at > Some(withdrawn_at) => {
                Consent::Granted
            }
            Some(_) => Consent::Withdrawn,
        }
    }
}
