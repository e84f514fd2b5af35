//! What is wrong with a question about segments, as a problem: the command line's code, the position, what was probably meant.

use serde::de::DeserializeOwned;

use super::super::body::JsonBody;
use super::super::problem::{FieldError, PRECONDITION_FAILED, Problem};
use ::segments::answers::desk::DeskError;
use ::segments::answers::privacy::PrivacyError;
use ::segments::language::error::SegmentError;
use ::segments::people::PeopleError;
use ::segments::saved::versions::SavedError;
use files::workspace::WorkspaceError;
use models::examples::ExampleError;
use operations::context::ContextError;
use operations::segments::overlap::COMPARED;
use operations::segments::save::{SaveError, current};
use operations::segments::{AskError, WrittenError};
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

fn wrong(error: &SegmentError) -> Problem {
    match error.cause.is_damage() {
        true => Problem::unusable(error),
        false => Problem::of(error, WRONG),
    }
}

/// Something written down that is no segment: its pointer in the body, and the position in the text.
impl From<WrittenError> for Problem {
    fn from(error: WrittenError) -> Problem {
        match &error {
            WrittenError::Text { text, error } => {
                wrong(error).at("/where").hinting(error.position(text), error.suggestion.clone())
            }
            WrittenError::Tree(error) => {
                let pointer = format!("/expression{}", error.pointer);
                wrong(error).at(pointer).hinting(None, error.suggestion.clone())
            }
        }
    }
}

impl From<AskError> for Problem {
    fn from(error: AskError) -> Problem {
        match error {
            AskError::Written(error) => error.into(),
            AskError::By { index, error } => Problem::from(*error).at(format!("/by/{index}")),
            AskError::NotCompared(count) => {
                let detail =
                    format!("{count} segments; {} to {} are compared", COMPARED.start(), COMPARED.end());
                Problem::invalid(vec![FieldError::at("/segments", detail)])
            }
            AskError::Twice { index, id } => {
                let detail = format!("segment {id:?} is the same as itself");
                Problem::invalid(vec![FieldError::at(format!("/segments/{index}"), detail)])
            }
            AskError::ColumnTwice(_) => Problem::of(&error, WRONG),
            AskError::Desk(error) => error.into(),
            AskError::Context(error) => error.into(),
        }
    }
}

impl From<SaveError> for Problem {
    fn from(error: SaveError) -> Problem {
        match error {
            SaveError::Written(error) => error.into(),
            SaveError::Unexpected(version) => Problem::new(PRECONDITION_FAILED, current(version.as_deref())),
            SaveError::Desk(error) => error.into(),
            SaveError::Context(error) => error.into(),
        }
    }
}

impl From<ContextError> for Problem {
    fn from(error: ContextError) -> Problem {
        match &error {
            ContextError::Workspace(WorkspaceError::Locked(_)) => {
                let detail = "another smartpush is writing here; try again when it is done";
                Problem::of(&error, "Another process writes to the workspace").saying(detail)
            }
            _ => Problem::unusable(&error),
        }
    }
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Problem {
        match error {
            DeskError::Field { error, .. } => wrong(&error).hinting(None, error.suggestion.clone()),
            DeskError::NotAField(_) | DeskError::TooLarge(_) => Problem::of(&error, WRONG),
            DeskError::Stale { error: ref wrong, .. } if wrong.cause.is_damage() => Problem::unusable(&error),
            DeskError::Stale { ref id, error: ref wrong, .. } => Problem::of(&error, WRONG)
                .saying(format!("bad_segment: segment {id:?}: {wrong}"))
                .hinting(None, wrong.suggestion.clone()),
            DeskError::Saved(error) => error.into(),
            DeskError::Privacy(error) => error.into(),
            DeskError::People(error) => error.into(),
            DeskError::Registry(ref registry_error) => about_model(&error, registry_error),
            DeskError::Example(ExampleError::Profile(error)) | DeskError::Profile(error) => error.into(),
            DeskError::Example(_) => Problem::of(&error, "The model has nobody to score"),
            DeskError::Zone(error) => Problem::unusable(&error),
        }
    }
}

impl From<SavedError> for Problem {
    fn from(error: SavedError) -> Problem {
        match &error {
            SavedError::BadId(_) => Problem::of(&error, "This is no id of a segment").at("/id"),
            SavedError::ReadyMade(_) => Problem::of(&error, "This segment comes with smartpush").at("/id"),
            SavedError::Unknown { nearest, .. } => {
                Problem::of(&error, "There is no such segment").hinting(None, nearest.clone())
            }
            SavedError::Deleted { .. } => Problem::of(&error, "The segment was deleted"),
            SavedError::Damaged { .. } | SavedError::NewerFormat { .. } | SavedError::Table(_) => {
                Problem::unusable(&error)
            }
        }
    }
}

impl From<PrivacyError> for Problem {
    fn from(error: PrivacyError) -> Problem {
        Problem::of(&error, "This is not for a marketer to know")
    }
}

impl From<PeopleError> for Problem {
    fn from(error: PeopleError) -> Problem {
        match error {
            PeopleError::Profiles(error) => error.into(),
            PeopleError::Changed { .. } | PeopleError::Rebuilt(_) => {
                Problem::of(&error, "Profiles are being rebuilt")
                    .saying("profiles are being rebuilt; ask again")
            }
            PeopleError::Missing(_) => Problem::of(&error, "Nobody can look this up"),
            PeopleError::Table(_)
            | PeopleError::Lake(_)
            | PeopleError::WrongKind(_)
            | PeopleError::Evaluation(_) => Problem::unusable(&error),
        }
    }
}

impl From<ProfileError> for Problem {
    fn from(error: ProfileError) -> Problem {
        match error {
            ProfileError::NoProfiles(_) => Problem::of(&error, "There are no profiles to answer from")
                .saying("there are no profiles yet; `smartpush profile` builds them"),
            ProfileError::NoEvents(_) => Problem::of(&error, "There are no events to answer from"),
            ProfileError::Table(_) | ProfileError::Lake(_) => Problem::unusable(&error),
        }
    }
}

/// A model that a segment asks for; `error` is `registry_error` as the desk passes it on.
fn about_model(error: &DeskError, registry_error: &RegistryError) -> Problem {
    let title = "A model that the segment asks for cannot be used";
    match registry_error {
        RegistryError::NoModel { .. }
        | RegistryError::NoChampion { .. }
        | RegistryError::UnknownVersion { .. } => Problem::of(error, title),
        RegistryError::Unusable { error: unusable, .. } => {
            Problem::of(error, title).saying(unusable.to_string())
        }
        RegistryError::LostCard(_)
        | RegistryError::RefusedByGate { .. }
        | RegistryError::Refused { .. }
        | RegistryError::Imported { .. }
        | RegistryError::BadPointer(_)
        | RegistryError::BadJournal { .. }
        | RegistryError::NoFormerChampion(_)
        | RegistryError::Table(_) => Problem::unusable(error),
    }
}
