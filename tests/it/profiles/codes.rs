//! Errors of profiles have their code and kind.

use domain::error::ErrorKind::Conflict;
use events::lake::LakeError;
use files::tables::TableError;
use profiles::ProfileError;

use crate::coded::{check, check_passed_on};

fn table() -> TableError {
    TableError::UnknownExtension { path: "x.txt".into() }
}

#[test]
fn every_error_of_profiles_has_its_code_and_kind() {
    let manifest = || LakeError::BadManifest { path: "_manifest.json".into(), detail: "no JSON".into() };
    check(&[
        (&ProfileError::NoEvents("2026-01-01T00:00:00Z".into()), "no_events", Conflict),
        (&ProfileError::NoProfiles("data/profiles".into()), "no_profiles", Conflict),
    ]);
    check_passed_on(&ProfileError::Table(table()), &table());
    check_passed_on(&ProfileError::Lake(manifest()), &manifest());
}

#[test]
fn only_missing_events_mean_that_there_is_not_enough_data() {
    assert!(ProfileError::NoEvents(String::new()).is_not_enough_data());
    assert!(!ProfileError::NoProfiles("data/profiles".into()).is_not_enough_data());
    assert!(!ProfileError::Table(table()).is_not_enough_data());
}
