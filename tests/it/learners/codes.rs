//! Errors of learners have their code and kind, and say whether more data would help.

use domain::error::ErrorKind::Caller;
use learners::boosting::BoostingError;
use learners::ftrl::FtrlError;
use learners::logistic::FitError;
use learners::uplift::LearnError;

use crate::coded::{check, check_passed_on};

#[test]
fn every_error_of_a_regression_has_its_code_and_kind() {
    check(&[
        (&FitError::NoRows, "no_rows", Caller),
        (&FitError::RowsDiffer { rows: 1, labels: 2 }, "rows_differ", Caller),
        (&FitError::OneClass(true), "one_class", Caller),
        (&FitError::NotFinite, "not_finite", Caller),
        (&FitError::NotStandardised, "not_standardised", Caller),
        (&FitError::BadWeights(-1.0), "bad_weights", Caller),
        (&FitError::BadAlpha(0.0), "bad_alpha", Caller),
        (&FitError::BadTolerance(0.0), "bad_tolerance", Caller),
        (&FitError::DataSet(linfa::Error::NotEnoughSamples), "bad_data_set", Caller),
        (&FitError::NotConverged { gradient: 1.0, wanted: 0.1 }, "not_converged", Caller),
    ]);
}

#[test]
fn every_error_of_online_learning_has_its_code_and_kind() {
    check(&[
        (&FtrlError::NoRows, "no_rows", Caller),
        (&FtrlError::RowsDiffer { rows: 1, labels: 2 }, "rows_differ", Caller),
        (&FtrlError::InputsDiffer { rows: 1, state: 2 }, "inputs_differ", Caller),
        (&FtrlError::NotFinite, "not_finite", Caller),
        (&FtrlError::BadWeights(-1.0), "bad_weights", Caller),
        (&FtrlError::BadSetting { name: "alpha", wanted: "above 0", value: 0.0 }, "bad_setting", Caller),
        (&FtrlError::OtherSettings, "other_settings", Caller),
        (&FtrlError::BadState("n is negative"), "bad_state", Caller),
        (&FtrlError::Diverged, "diverged", Caller),
        (&FtrlError::DataSet(linfa::Error::NotEnoughSamples), "bad_data_set", Caller),
    ]);
}

#[test]
fn every_error_of_trees_has_its_code_and_kind() {
    let parameter = BoostingError::BadParameter { name: "trees", wanted: "above 0", found: "0".into() };
    check(&[
        (&BoostingError::NoRows, "no_rows", Caller),
        (&BoostingError::TooManyRows(1 << 32), "too_many_rows", Caller),
        (&BoostingError::NoColumns, "no_columns", Caller),
        (&BoostingError::RowsDiffer { rows: 1, labels: 2 }, "rows_differ", Caller),
        (&BoostingError::WeightsDiffer { rows: 1, weights: 2 }, "weights_differ", Caller),
        (&BoostingError::BadWeight { row: 0, weight: 0.0 }, "bad_weight", Caller),
        (&BoostingError::NotFinite { row: 0, column: 1 }, "not_finite", Caller),
        (&BoostingError::OneClass(false), "one_class", Caller),
        (&BoostingError::ColumnsDiffer { wanted: 1, found: 2 }, "columns_differ", Caller),
        (&parameter, "bad_parameter", Caller),
        (&BoostingError::BadModel("no trees".into()), "bad_model", Caller),
        (&BoostingError::Linfa(linfa::Error::NotEnoughSamples), "linfa", Caller),
    ]);
}

#[test]
fn every_error_of_an_uplift_model_has_its_code_and_kind() {
    check(&[
        (&LearnError::RowsDiffer { rows: 1, arms: 2, outcomes: 3 }, "rows_differ", Caller),
        (&LearnError::NotRandomised(1.0), "not_randomised", Caller),
    ]);
    check_passed_on(&LearnError::Fit(FitError::NoRows), &FitError::NoRows);
}

#[test]
fn only_missing_rows_and_classes_mean_that_there_is_not_enough_data() {
    assert!(FitError::NoRows.is_not_enough_data() && FitError::OneClass(true).is_not_enough_data());
    assert!(!FitError::NotFinite.is_not_enough_data());
    assert!(!FitError::NotConverged { gradient: 1.0, wanted: 0.1 }.is_not_enough_data());
    assert!(FtrlError::NoRows.is_not_enough_data() && !FtrlError::Diverged.is_not_enough_data());
    assert!(BoostingError::NoRows.is_not_enough_data() && BoostingError::OneClass(true).is_not_enough_data());
    assert!(!BoostingError::BadModel(String::new()).is_not_enough_data());
}
