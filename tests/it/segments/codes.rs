//! Errors of segments have their code and kind.

use domain::error::Coded;
use domain::error::ErrorKind::{Busy, Caller, Conflict, NotFound, Ours, Refused};
use domain::zone::Zone;
use events::lake::LakeError;
use files::tables::TableError;
use models::examples::ExampleError;
use polars::prelude::PolarsError;
use profiles::ProfileError;
use registry::model::ModelError;
use registry::versions::RegistryError;
use segments::answers::desk::DeskError;
use segments::answers::privacy::PrivacyError;
use segments::language::error::{ErrorCause, SegmentError};
use segments::language::expression::Expression;
use segments::language::keys::LookupKey;
use segments::names::NameKind;
use segments::people::PeopleError;
use segments::saved::versions::SavedError;

use crate::coded::{check, check_passed_on};

fn text() -> String {
    "words".into()
}

fn table() -> TableError {
    TableError::UnknownExtension { path: "x.txt".into() }
}

fn profiles() -> ProfileError {
    ProfileError::NoProfiles("data/profiles".into())
}

fn wrong() -> SegmentError {
    SegmentError::at(ErrorCause::EmptyList, 0..1)
}

#[test]
fn every_fault_of_a_segment_has_its_code_and_kind() {
    let unexpected = ErrorCause::Unexpected { wanted: text(), found: text() };
    let value = ErrorCause::UnknownValue { field: text(), value: text(), known: text() };
    let unknown = |kind| ErrorCause::UnknownName { kind, name: text(), known: text() };
    let inner = ErrorCause::BadSegment { segment: text(), cause: Box::new(ErrorCause::EmptyList) };
    check(&[
        (&ErrorCause::UnexpectedCharacter(text()), "unexpected_character", Caller),
        (&ErrorCause::BadText(text()), "bad_text", Caller),
        (&ErrorCause::BadNumber(text()), "bad_number", Caller),
        (&ErrorCause::NoSuchMoment(text()), "no_such_moment", Caller),
        (&unexpected, "unexpected", Caller),
        (&ErrorCause::TooLarge(text()), "too_large", Caller),
        (&ErrorCause::EmptyGroup("all"), "empty_group", Caller),
        (&ErrorCause::EmptyList, "empty_list", Caller),
        (&ErrorCause::EmptyRange(text(), text()), "empty_range", Caller),
        (&ErrorCause::UnknownField(text()), "unknown_field", Caller),
        (&ErrorCause::UnknownFunction(text()), "unknown_function", Caller),
        (&ErrorCause::BadArgument(text()), "bad_argument", Caller),
        (&ErrorCause::UnknownGoal(text()), "unknown_goal", Caller),
        (&value, "unknown_value", Caller),
        (&unknown(NameKind::Event), "unknown_event", Caller),
        (&unknown(NameKind::Category), "unknown_category", Caller),
        (&unknown(NameKind::Tag), "unknown_tag", Caller),
        (&unknown(NameKind::Content), "unknown_content", Caller),
        (&unknown(NameKind::Campaign), "unknown_campaign", Caller),
        (&ErrorCause::UnknownEventField(text()), "unknown_event_field", Caller),
        (&ErrorCause::WrongType(text()), "wrong_type", Caller),
        (&ErrorCause::UnknownSegment(text()), "unknown_segment", Caller),
        (&ErrorCause::SegmentCycle(text()), "segment_cycle", Caller),
        (&inner, "bad_segment", Caller),
        (&ErrorCause::BadJson(text()), "bad_json", Caller),
    ]);
    check_passed_on(&wrong(), &ErrorCause::EmptyList);
}

#[test]
fn every_error_of_saved_segments_and_of_privacy_has_its_code_and_kind() {
    let newer = SavedError::NewerFormat { path: "segment.json".into(), found: 9 };
    let damaged = SavedError::Damaged { path: "segment.json".into(), detail: text() };
    check(&[
        (&SavedError::BadId(text()), "bad_segment_id", Caller),
        (&SavedError::ReadyMade(text()), "ready_made", Caller),
        (&SavedError::Unknown { id: text(), nearest: None }, "unknown_segment", NotFound),
        (&SavedError::Deleted { id: text(), at: text() }, "deleted_segment", NotFound),
        (&damaged, "bad_segment_file", Conflict),
        (&newer, "newer_format", Conflict),
        (&PrivacyError::NamesPeople, "names_people", Caller),
        (&PrivacyError::IdsNotShown, "ids_not_shown", Caller),
        (&PrivacyError::TooFew(20), "too_few_members", Caller),
    ]);
    check_passed_on(&SavedError::Table(table()), &table());
}

#[test]
fn every_error_of_people_has_its_code_and_kind() {
    let changed = PeopleError::Changed { path: "profiles.parquet".into(), rows: 1, manifest: 2 };
    let failed = PeopleError::Evaluation(PolarsError::ComputeError("x".into()));
    check(&[
        (&changed, "profiles_changed", Busy),
        (&PeopleError::Rebuilt("profiles.parquet".into()), "profiles_changed", Busy),
        (&PeopleError::Missing(LookupKey::UserId), "not_looked_up", Caller),
        (&PeopleError::WrongKind(LookupKey::UserId), "wrong_column", Ours),
        (&failed, "not_evaluated", Ours),
    ]);
    let manifest = || LakeError::BadManifest { path: "_manifest.json".into(), detail: text() };
    check_passed_on(&PeopleError::Profiles(profiles()), &profiles());
    check_passed_on(&PeopleError::Table(table()), &table());
    check_passed_on(&PeopleError::Lake(manifest()), &manifest());
}

#[test]
fn every_error_of_the_desk_has_its_code_and_kind() {
    let stale = DeskError::Stale { id: text(), error: wrong(), expression: Box::new(Expression::Everybody) };
    let missing = RegistryError::NoModel { goal: text(), before: None };
    let unusable = RegistryError::Unusable { path: "model.json".into(), error: ModelError::Bad(text()) };
    let refused = RegistryError::Refused { goal: text(), version: text() };
    check(&[
        (&DeskError::Field { text: "x in ()".into(), error: wrong() }, "empty_list", Caller),
        (&DeskError::NotAField(text()), "bad_field", Caller),
        (&DeskError::TooLarge(201), "too_large", Caller),
        (&stale, "bad_segment", Caller),
        (&DeskError::Registry(missing), "no_model", Caller),
        (&DeskError::Registry(unusable), "bad_model", Caller),
        (&DeskError::Registry(refused), "not_promoted", Refused),
    ]);
    let zone = || Zone::find("Nowhere/Land").unwrap_err();
    let example = || ExampleError::EmptyPopulation { goal: text(), why: text() };
    let people = || PeopleError::Missing(LookupKey::UserId);
    let pairs: [(DeskError, Box<dyn Coded>); 6] = [
        (SavedError::ReadyMade(text()).into(), Box::new(SavedError::ReadyMade(text()))),
        (PrivacyError::NamesPeople.into(), Box::new(PrivacyError::NamesPeople)),
        (people().into(), Box::new(people())),
        (example().into(), Box::new(example())),
        (profiles().into(), Box::new(profiles())),
        (zone().into(), Box::new(zone())),
    ];
    for (outer, inner) in &pairs {
        check_passed_on(outer, &**inner);
    }
}
