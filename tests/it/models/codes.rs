//! Errors of models and of the registry have their code and kind, and say whether more data would help.

use std::path::Path;

use domain::error::ErrorKind::{Caller, Conflict, NotFound, Refused};
use smartpush::domain::time::Instant;
use smartpush::events::formats::InputError;
use smartpush::files::tables::TableError;
use smartpush::learners::boosting::BoostingError;
use smartpush::learners::ftrl::FtrlError;
use smartpush::learners::logistic::FitError;
use smartpush::models::examples::ExampleError;
use smartpush::models::lookalike::LookAlikeError;
use smartpush::models::recipe::RecipeError;
use smartpush::models::train::TrainError;
use smartpush::models::train::imported::ImportError;
use smartpush::models::train::online::OnlineError;
use smartpush::profiles::ProfileError;
use smartpush::registry::gate::GateLine;
use smartpush::registry::model::ModelError;
use smartpush::registry::versions::RegistryError;

use crate::support::coded::{check, check_passed_on};

const AT: Instant = Instant::from_micros(0);

fn goal() -> String {
    "purchase_7d".into()
}

fn text() -> String {
    "words".into()
}

fn table() -> TableError {
    TableError::UnknownExtension { path: "x.txt".into() }
}

fn events() -> ProfileError {
    ProfileError::NoEvents(AT.to_string())
}

fn unknown_event() -> ExampleError {
    ExampleError::UnknownEvent { goal: goal(), events: vec![text()], seen: Vec::new(), until: AT }
}

fn immature() -> ExampleError {
    ExampleError::NoMatureRows { goal: goal(), window: "7d".into(), until: AT, immature: 2 }
}

fn few_moments() -> TrainError {
    TrainError::TooFewMoments { goal: goal(), moments: 2, needed: 3 }
}

fn one_class() -> TrainError {
    TrainError::OneClass { goal: goal(), part: "train", rows: 10, positives: 0 }
}

fn not_finite() -> TrainError {
    let (input, user) = (text(), text());
    TrainError::NotFinite { goal: goal(), input, user, at: AT, value: f64::INFINITY }
}

fn unfit(source: impl Into<RecipeError>) -> TrainError {
    TrainError::Fit { goal: goal(), source: source.into() }
}

#[test]
fn every_error_of_the_registry_has_its_code_and_kind() {
    let features = ModelError::OtherFeatures { found: text(), wanted: text() };
    let line = GateLine { name: text(), passed: false, found: text(), wanted: text() };
    let by_gate =
        RegistryError::RefusedByGate { goal: goal(), version: text(), line: Box::new(line), more: 1 };
    check(&[
        (&ModelError::NewerFormat(9), "newer_format", Conflict),
        (&ModelError::Bad(text()), "bad_model", Conflict),
        (&ModelError::OtherGoal(goal()), "other_goal", Conflict),
        (&features, "other_features", Conflict),
        (&RegistryError::UnknownVersion { goal: goal(), version: text() }, "unknown_model", NotFound),
        (&RegistryError::NoModel { goal: goal(), before: Some(AT) }, "no_model", NotFound),
        (&RegistryError::LostCard("card.json".into()), "lost_card", Conflict),
        (&by_gate, "not_promoted", Refused),
        (&RegistryError::Refused { goal: goal(), version: text() }, "not_promoted", Refused),
        (&RegistryError::Imported { goal: goal(), version: text() }, "not_promoted", Refused),
        (&RegistryError::BadPointer("champion".into()), "bad_champion", Conflict),
        (&RegistryError::NoFormerChampion(goal()), "no_former_champion", Conflict),
    ]);
    let error = ModelError::OtherGoal(goal());
    let unusable = RegistryError::Unusable { path: "model.json".into(), error: error.clone() };
    check_passed_on(&unusable, &error);
    check_passed_on(&RegistryError::Table(table()), &table());
}

#[test]
fn every_error_of_examples_and_training_has_its_code_and_kind() {
    let empty = ExampleError::EmptyPopulation { goal: goal(), why: text() };
    check(&[
        (&unknown_event(), "unknown_event", Caller),
        (&empty, "empty_population", Caller),
        (&immature(), "no_mature_rows", Caller),
        (&few_moments(), "too_few_moments", Caller),
        (&one_class(), "one_class", Caller),
        (&not_finite(), "not_finite", Caller),
        (&unfit(FitError::NotFinite), "not_finite", Caller),
        (&LookAlikeError::SeedTooSmall(1), "seed_too_small", Caller),
        (&LookAlikeError::SeedIsEverybody(1), "seed_is_everybody", Caller),
        (&LookAlikeError::NoInputs, "no_inputs", Caller),
    ]);
    check_passed_on(&ExampleError::Profile(events()), &events());
    check_passed_on(&TrainError::Examples(immature()), &immature());
    check_passed_on(&RecipeError::Logistic(FitError::NoRows), &FitError::NoRows);
    check_passed_on(&RecipeError::Ftrl(FtrlError::Diverged), &FtrlError::Diverged);
    check_passed_on(&RecipeError::Boosting(BoostingError::NoColumns), &BoostingError::NoColumns);
    check_passed_on(&LookAlikeError::Fit(FitError::NoRows), &FitError::NoRows);
}

#[test]
fn every_error_of_imported_and_online_models_has_its_code_and_kind() {
    let missing = ImportError::Missing {
        path: "scores.csv".into(),
        part: "test",
        missing: 1,
        wanted: 2,
        first: text(),
    };
    let ftrl = || OnlineError::Ftrl { goal: goal(), source: FtrlError::Diverged };
    check(&[
        (&missing, "missing_prediction", Caller),
        (&OnlineError::NotOnline { goal: goal() }, "not_online", Conflict),
        (&OnlineError::NothingNew { goal: goal() }, "nothing_new", Caller),
        (&OnlineError::OtherShare { goal: goal(), before: 1, now: 10 }, "other_share", Conflict),
    ]);
    let input = || InputError::new("missing_column", Path::new("scores.csv"), text());
    check_passed_on(&ImportError::Input(input()), &input());
    check_passed_on(&ImportError::Train(one_class()), &one_class());
    check_passed_on(&ImportError::Table(table()), &table());
    check_passed_on(&OnlineError::Model(ModelError::Bad(text())), &ModelError::Bad(text()));
    check_passed_on(&OnlineError::Examples(immature()), &immature());
    check_passed_on(&ftrl(), &FtrlError::Diverged);
}

#[test]
fn a_goal_waits_for_data_only_when_rows_moments_classes_or_events_are_missing() {
    let waits = [
        TrainError::Examples(unknown_event()),
        TrainError::Examples(ExampleError::EmptyPopulation { goal: goal(), why: text() }),
        TrainError::Examples(immature()),
        TrainError::Examples(ExampleError::Profile(events())),
        few_moments(),
        one_class(),
        unfit(FitError::OneClass(false)),
        unfit(FtrlError::NoRows),
        unfit(BoostingError::NoRows),
    ];
    for error in waits {
        assert!(error.is_not_enough_data(), "{error}");
    }
    let fails = [
        TrainError::Examples(ExampleError::Profile(ProfileError::Table(table()))),
        not_finite(),
        unfit(FitError::NotConverged { gradient: 1.0, wanted: 0.1 }),
        unfit(FtrlError::Diverged),
        unfit(BoostingError::BadModel(text())),
    ];
    for error in fails {
        assert!(!error.is_not_enough_data(), "{error}");
    }
    assert!(OnlineError::NothingNew { goal: goal() }.is_not_enough_data());
    assert!(!OnlineError::NotOnline { goal: goal() }.is_not_enough_data());
    assert!(!OnlineError::OtherShare { goal: goal(), before: 1, now: 10 }.is_not_enough_data());
}
