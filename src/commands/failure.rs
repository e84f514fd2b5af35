//! How a command fails: an error with its code, and the exit status that follows from the error's kind.

use std::fmt;

use domain::error::{Coded, ErrorKind};

/// The exit status of an error of this kind.
pub const fn exit_status(kind: ErrorKind) -> u8 {
    match kind {
        ErrorKind::Ours => 1,
        ErrorKind::Caller | ErrorKind::NotFound | ErrorKind::Conflict => 2,
        ErrorKind::Refused => 3,
        ErrorKind::Busy => 4,
    }
}

/// Why a command ends without success. Every [`Coded`] error becomes one by `?`.
#[derive(Debug)]
pub(super) struct Failure {
    error: Box<dyn Coded + Send + Sync>,
    /// The command has already put its JSON object on stdout.
    is_reported: bool,
}

/// An error of the command line itself: no crate below it knows what was asked.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {message}")]
struct CommandError {
    code: &'static str,
    kind: ErrorKind,
    message: String,
}

impl Coded for CommandError {
    fn code(&self) -> &'static str {
        self.code
    }

    fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl<E: Coded + Send + Sync + 'static> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure { error: Box::new(error), is_reported: false }
    }
}

impl Failure {
    /// The caller asked for something invalid.
    pub(super) fn caller(code: &'static str, message: impl fmt::Display) -> Failure {
        Failure::of(code, ErrorKind::Caller, message)
    }

    /// Something that only a defect or the operating system explains.
    pub(super) fn ours(message: impl fmt::Display) -> Failure {
        Failure::of("internal_error", ErrorKind::Ours, message)
    }

    fn of(code: &'static str, kind: ErrorKind, message: impl fmt::Display) -> Failure {
        CommandError { code, kind, message: message.to_string() }.into()
    }

    /// The same failure, when the JSON object on stdout contains it already.
    pub(super) fn reported(self) -> Failure {
        Failure { is_reported: true, ..self }
    }

    /// How a command ends that has printed its report, with the failure in it if there is one.
    pub(super) fn after_report(failure: Option<Failure>) -> Result<(), Failure> {
        failure.map_or(Ok(()), |failure| Err(failure.reported()))
    }

    /// Is the failure part of a JSON object that was printed?
    pub(super) fn is_reported(&self) -> bool {
        self.is_reported
    }

    /// Puts the failure into the JSON object of a report that is printed all the same.
    pub(super) fn add_to(&self, object: &mut serde_json::Value) {
        object["error"] = self.to_string().into();
        object["exit"] = self.exit().into();
    }

    /// Who has to act on it.
    pub(super) fn kind(&self) -> ErrorKind {
        self.error.kind()
    }

    /// The exit status of the process.
    pub(super) fn exit(&self) -> u8 {
        exit_status(self.kind())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.error)
    }
}
