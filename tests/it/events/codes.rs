//! Errors of files, of the lake and of previews have their code and kind.

use std::path::Path;

use domain::error::ErrorKind::{Caller, Conflict, NotFound};
use events::formats::InputError;
use events::lake::LakeError;
use events::preview::PreviewError;
use events::request::FilesError;
use files::tables::TableError;

use crate::coded::{check, check_passed_on};

fn table() -> TableError {
    TableError::UnknownExtension { path: "x.txt".into() }
}

fn manifest() -> LakeError {
    LakeError::BadManifest { path: "_manifest.json".into(), detail: "no JSON".into() }
}

#[test]
fn every_error_of_an_ingest_has_its_code_and_kind() {
    check(&[
        (&InputError::new("empty_file", Path::new("a.csv"), "no bytes"), "empty_file", Caller),
        (&manifest(), "bad_manifest", Conflict),
    ]);
    check_passed_on(&LakeError::Table(table()), &table());
    check_passed_on(&FilesError::Table(table()), &table());
    check_passed_on(&FilesError::Lake(manifest()), &manifest());
}

#[test]
fn every_error_of_a_preview_has_its_code_and_kind() {
    let channel = PreviewError::UnknownChannel { channel: "fax".into(), known: "push".into() };
    check(&[
        (&PreviewError::UnknownContent("milk".into()), "unknown_content", NotFound),
        (&PreviewError::UnknownUser("u".into()), "unknown_user", Caller),
        (&channel, "unknown_channel", Caller),
    ]);
    check_passed_on(&PreviewError::Table(table()), &table());
}
