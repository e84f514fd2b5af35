//! Errors of an evaluation of curves have their code and kind.

use curves::evaluate::EvaluateError;
use curves::population::Cut;
use domain::error::ErrorKind::Caller;
use domain::time::Instant;
use profiles::ProfileError;

use crate::coded::{check, check_passed_on};

#[test]
fn every_error_of_an_evaluation_has_its_code_and_kind() {
    let nobody = EvaluateError::NothingToScore(Cut::At(Instant::from_micros(0)));
    check(&[(&nobody, "nothing_to_score", Caller)]);
    let profiles = || ProfileError::NoProfiles("data/profiles".into());
    check_passed_on(&EvaluateError::Profile(profiles()), &profiles());
}
