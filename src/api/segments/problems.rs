//! What is wrong with a question about segments, as a problem: the command line's code, the place, what was probably meant.

use axum::http::StatusCode;
use serde::de::DeserializeOwned;

use super::super::body::JsonBody;
use super::super::problem::{INTERNAL_ERROR, NO_PROFILES, PROFILES_CHANGED, Problem};
use ::segments::answers::desk::DeskError;
use ::segments::answers::privacy::PrivacyError;
use ::segments::language::error::SegmentError;
use ::segments::people::PeopleError;
use ::segments::saved::versions::SavedError;
use models::examples::ExampleError;
use profiles::ProfileError;
use registry::versions::RegistryError;

/// Title of everything that is wrong with a segment itself.
const WRONG: &str = "The segment cannot be meant so";

/// Reads a body. What is wrong with a tree has the code that it has on the command line.
pub(super) fn read<T: DeserializeOwned>(body: &JsonBody) -> Result<T, Problem> {
    body.parse().map_err(|problem: Problem| match problem.is_below("/expression") {
        true => problem.recoded("bad_json", WRONG),
        false => problem,
    })
}

/// A text of the body that is no segment: its place in the body, and the place in the text.
pub(super) fn about_text(pointer: &str, text: &str, error: &SegmentError) -> Problem {
    let problem = wrong(error.to_string()).at(pointer);
    problem.hinting(error.position(text), error.suggestion.clone())
}

/// A tree of the body that is no segment.
pub(super) fn about_expression(error: &SegmentError) -> Problem {
    let pointer = format!("/expression{}", error.pointer);
    wrong(error.to_string()).at(pointer).hinting(None, error.suggestion.clone())
}

/// The workspace is not as we left it; the log says how.
pub(super) fn unreadable(error: &dyn std::error::Error) -> Problem {
    tracing::error!(%error, "a request met a file that cannot be used");
    Problem::new(INTERNAL_ERROR, "the workspace cannot be used; the server's log says more")
}

fn wrong(text: String) -> Problem {
    Problem::coded(StatusCode::UNPROCESSABLE_ENTITY, WRONG, text)
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Problem {
        match error {
            DeskError::Field { error, .. } => {
                wrong(error.to_string()).hinting(None, error.suggestion.clone())
            }
            DeskError::NotAField(_) | DeskError::TooLarge(_) => wrong(error.to_string()),
            DeskError::Stale { id, error, .. } => {
                let text = format!("bad_segment: segment {id:?}: {error}");
                wrong(text).hinting(None, error.suggestion.clone())
            }
            DeskError::Saved(error) => error.into(),
            DeskError::Privacy(error) => error.into(),
            DeskError::People(error) => error.into(),
            DeskError::Registry(error) => of_registry(error),
            DeskError::Example(ExampleError::Profile(error)) | DeskError::Profile(error) => error.into(),
            DeskError::Example(error) => Problem::coded(
                StatusCode::UNPROCESSABLE_ENTITY,
                "The model has nobody to score",
                error.to_string(),
            ),
            DeskError::Zone(error) => unreadable(&error),
        }
    }
}

impl From<SavedError> for Problem {
    fn from(error: SavedError) -> Problem {
        let coded = |status, title| Problem::coded(status, title, error.to_string());
        match &error {
            SavedError::BadId(_) => {
                coded(StatusCode::UNPROCESSABLE_ENTITY, "This is no id of a segment").at("/id")
            }
            SavedError::ReadyMade(_) => {
                coded(StatusCode::UNPROCESSABLE_ENTITY, "This segment comes with smartpush").at("/id")
            }
            SavedError::Unknown { nearest, .. } => {
                let suggestion = nearest.clone();
                coded(StatusCode::NOT_FOUND, "There is no such segment").hinting(None, suggestion)
            }
            SavedError::Deleted { .. } => coded(StatusCode::NOT_FOUND, "The segment was deleted"),
            SavedError::Damaged { .. } | SavedError::NewerFormat { .. } | SavedError::Table(_) => {
                unreadable(&error)
            }
        }
    }
}

impl From<PrivacyError> for Problem {
    fn from(error: PrivacyError) -> Problem {
        let title = "This is not for a marketer to know";
        Problem::coded(StatusCode::UNPROCESSABLE_ENTITY, title, error.to_string())
    }
}

impl From<PeopleError> for Problem {
    fn from(error: PeopleError) -> Problem {
        match error {
            PeopleError::Profiles(error) => error.into(),
            PeopleError::Changed { .. } | PeopleError::Rebuilt(_) => {
                Problem::new(PROFILES_CHANGED, "profiles are being rebuilt; ask again")
            }
            PeopleError::Missing(_) => {
                let title = "Nobody can look this up";
                Problem::coded(StatusCode::UNPROCESSABLE_ENTITY, title, error.to_string())
            }
            PeopleError::Table(_)
            | PeopleError::Lake(_)
            | PeopleError::WrongKind(_)
            | PeopleError::Evaluation(_) => unreadable(&error),
        }
    }
}

impl From<ProfileError> for Problem {
    fn from(error: ProfileError) -> Problem {
        match error {
            ProfileError::NoProfiles(_) => {
                Problem::new(NO_PROFILES, "there are no profiles yet; `smartpush profile` builds them")
            }
            ProfileError::NoEvents(_) => {
                Problem::coded(StatusCode::CONFLICT, "There are no events to answer from", error.to_string())
            }
            ProfileError::Table(_) | ProfileError::Lake(_) => unreadable(&error),
        }
    }
}

fn of_registry(error: RegistryError) -> Problem {
    let title = "A model that the segment asks for cannot be used";
    let coded = |text: String| Problem::coded(StatusCode::UNPROCESSABLE_ENTITY, title, text);
    match error {
        RegistryError::NoModel { .. } | RegistryError::UnknownVersion { .. } => coded(error.to_string()),
        RegistryError::Unusable { fault, .. } => coded(fault.to_string()),
        error => unreadable(&error),
    }
}
