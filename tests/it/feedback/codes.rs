//! Errors of feedback pass on the code and the kind of what they wrap.

use std::path::Path;

use events::formats::InputError;
use events::lake::LakeError;
use feedback::FeedbackError;
use feedback::off_policy::PolicyInputError;
use files::tables::TableError;
use store::decision_log::LogError;

use crate::coded::check_passed_on;

#[test]
fn errors_of_feedback_pass_on_the_code_and_the_kind_of_what_they_wrap() {
    let table = || TableError::UnknownExtension { path: "x.txt".into() };
    let manifest = || LakeError::BadManifest { path: "_manifest.json".into(), detail: "no JSON".into() };
    let input = || InputError::new("no_rows", Path::new("log"), "nothing is there");
    check_passed_on(&FeedbackError::Log(LogError::Closed), &LogError::Closed);
    check_passed_on(&FeedbackError::Lake(manifest()), &manifest());
    check_passed_on(&FeedbackError::Table(table()), &table());
    check_passed_on(&PolicyInputError::Input(input()), &input());
    check_passed_on(&PolicyInputError::Table(table()), &table());
}
