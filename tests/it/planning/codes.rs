//! Errors of hand-offs and what-ifs have their code and kind.

use domain::error::ErrorKind::{Caller, Conflict};
use files::tables::TableError;
use planning::handoff::HandoffError;
use planning::what_if::BadChange;

use crate::coded::{check, check_passed_on};

#[test]
fn every_error_of_planning_has_its_code_and_kind() {
    check(&[
        (&HandoffError::NotEmpty("out".into()), "bad_out", Conflict),
        (&BadChange { text: "cap=2".into(), detail: "write cap=2/day".into() }, "bad_what_if", Caller),
    ]);
    let table = || TableError::UnknownExtension { path: "x.txt".into() };
    check_passed_on(&HandoffError::Table(table()), &table());
}
