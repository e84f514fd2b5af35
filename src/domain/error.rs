//! What a program can rely on in every error: a stable code, and a kind that decides exit status and HTTP status.

/// An error with a stable code and a kind. Its `Display` text begins with the code and a colon, for people; programs
/// ask [`Coded::code`] and [`Coded::kind`] and never read the text.
pub trait Coded: std::error::Error {
    /// A stable snake_case name of what went wrong. An error that wraps another one passes the inner code on.
    fn code(&self) -> &'static str;

    /// Who has to act on it.
    fn kind(&self) -> ErrorKind;

    /// The text without the code that it begins with, for a text that continues behind a code of its own.
    fn detail(&self) -> String {
        let text = self.to_string();
        let rest = text.strip_prefix(self.code()).and_then(|rest| rest.strip_prefix(": "));
        rest.map(str::to_string).unwrap_or(text)
    }
}

/// Who has to act on an error. Exit status and HTTP status are each one `match` over these six.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The caller asked for something invalid: wrong input, or too little data for the request.
    Caller,
    /// The thing that was named does not exist.
    NotFound,
    /// The request contradicts the present state, which has to change first: a workspace of a newer smartpush, a manifest that
    /// cannot be read, a model of another goal.
    Conflict,
    /// A gate or a limit refused.
    Refused,
    /// Somebody else holds what is needed; trying again later may succeed.
    Busy,
    /// Our failure: a full disk, a damaged table of ours, a defect.
    Ours,
}

/// Code that cannot fail has an error type too.
impl Coded for std::convert::Infallible {
    fn code(&self) -> &'static str {
        match *self {}
    }

    fn kind(&self) -> ErrorKind {
        match *self {}
    }
}
