//! Errors of the crates without tests of their own have their code and kind; the kind decides exit status and HTTP status.

use std::io;

use domain::error::ErrorKind::{self, Busy, Caller, Conflict, NotFound, Ours, Refused};
use smartpush::domain::time::Instant;
use smartpush::engine::{EngineError, InvalidField, QuestionError, QuestionField};
use smartpush::events::formats::InputError;
use smartpush::events::lake::LakeError;
use smartpush::files::tables::TableError;
use smartpush::files::workspace::WorkspaceError;
use smartpush::learners::logistic::FitError;
use smartpush::models::examples::ExampleError;
use smartpush::models::train::TrainError;
use smartpush::operations::context::ContextError;
use smartpush::operations::drift::DriftedModel;
use smartpush::operations::evaluate::{EvaluationError, MeasureError, MissingSection, Section};
use smartpush::operations::health::{HealthError, UnhealthyData};
use smartpush::operations::import::ImportError;
use smartpush::operations::models::ModelsError;
use smartpush::operations::plan::PlanError;
use smartpush::operations::profile::UserProfileError;
use smartpush::operations::recommend::RecommendError;
use smartpush::operations::refresh::{NotPromoted, RefreshError};
use smartpush::operations::simulate::{ServedError, SimulateError};
use smartpush::operations::train::TrainingError;
use smartpush::profiles::ProfileError;
use smartpush::registry::versions::RegistryError;
use smartpush::simulation::parameters::ParameterError;
use smartpush::simulation::policies::PlayError;
use smartpush::store::decision_log::LogError;

use crate::support::coded::{check, check_passed_on};

const KINDS: [ErrorKind; 6] = [Caller, NotFound, Conflict, Refused, Busy, Ours];

fn text() -> String {
    "words".into()
}

fn io_error(kind: io::ErrorKind) -> TableError {
    TableError::Io { path: "data/users.parquet".into(), source: kind.into() }
}

#[test]
fn every_kind_has_its_exit_status() {
    assert_eq!(KINDS.map(smartpush::commands::exit_status), [2, 2, 2, 3, 4, 1]);
}

#[test]
fn every_kind_has_its_http_status() {
    let statuses = KINDS.map(|kind| smartpush::api::status_of(kind).as_u16());
    assert_eq!(statuses, [422, 404, 409, 409, 503, 500]);
}

#[test]
fn an_error_of_the_file_system_is_the_callers_only_where_the_caller_named_the_path() {
    use io::ErrorKind::*;
    check(&[
        (&io_error(PermissionDenied), "not_permitted", Caller),
        (&io_error(ReadOnlyFilesystem), "not_permitted", Caller),
        (&io_error(NotADirectory), "not_a_directory", Caller),
        (&io_error(IsADirectory), "is_a_directory", Caller),
        (&io_error(AlreadyExists), "already_exists", Caller),
        (&io_error(NotFound), "not_found", Ours),
        (&io_error(StorageFull), "disk_full", Ours),
        (&io_error(UnexpectedEof), "io_error", Ours),
    ]);
}

#[test]
fn every_error_of_files_has_its_code_and_kind() {
    let newer = TableError::NewerFormat { path: "users.parquet".into(), found: 9 };
    let parquet = TableError::Parquet {
        path: "users.parquet".into(),
        source: polars::prelude::PolarsError::ComputeError("x".into()),
    };
    let workspace = WorkspaceError::NewerFormat { path: "workspace.json".into(), found: 9 };
    let damaged = WorkspaceError::Damaged { path: "workspace.json".into(), detail: text() };
    check(&[
        (&parquet, "bad_table", Ours),
        (&newer, "newer_format", Conflict),
        (&TableError::UnknownExtension { path: "x.txt".into() }, "unknown_format", Caller),
        (&WorkspaceError::Missing(".".into()), "no_workspace", NotFound),
        (&workspace, "newer_format", Conflict),
        (&damaged, "bad_workspace", Conflict),
        (&WorkspaceError::Locked("workspace.lock".into()), "workspace_locked", Busy),
        (&WorkspaceError::Served("serve.lock".into()), "already_served", Conflict),
    ]);
    let full = || io_error(io::ErrorKind::StorageFull);
    check_passed_on(&WorkspaceError::Table(full()), &full());
}

#[test]
fn every_error_of_the_log_has_its_code_and_kind() {
    let path = std::path::PathBuf::from("000001.jsonl.zst");
    check(&[
        (&LogError::Io { path: path.clone(), detail: text() }, "log_unavailable", Ours),
        (&LogError::Overloaded, "log_overloaded", Busy),
        (&LogError::Closed, "log_closed", Busy),
        (&LogError::NewerFormat { path: path.clone(), found: 9 }, "newer_format", Conflict),
        (&LogError::BadRecord { path, detail: text() }, "bad_record", Ours),
        (&LogError::Erased, "erased", NotFound),
    ]);
}

#[test]
fn every_error_of_the_engine_has_its_code_and_kind() {
    let field = InvalidField { field: QuestionField::UserId, detail: "is empty".into() };
    let invalid = || QuestionError::Invalid(vec![field.clone()]);
    let model = EngineError::UnknownModel { decision_id: text(), model: text() };
    check(&[
        (&invalid(), "invalid_request", Caller),
        (&QuestionError::UnknownCampaign(text()), "unknown_campaign", NotFound),
        (&EngineError::IdempotencyConflict(text()), "idempotency_conflict", Caller),
        (&EngineError::UnknownDecision(text()), "unknown_decision", NotFound),
        (&model, "unknown_model", Conflict),
    ]);
    let full = || io_error(io::ErrorKind::StorageFull);
    let manifest = || LakeError::BadManifest { path: "_manifest.json".into(), detail: text() };
    let profiles = || ProfileError::NoProfiles("data/profiles".into());
    check_passed_on(&EngineError::Question(invalid()), &invalid());
    check_passed_on(&EngineError::Log(LogError::Closed), &LogError::Closed);
    check_passed_on(&EngineError::Table(full()), &full());
    check_passed_on(&EngineError::Lake(manifest()), &manifest());
    check_passed_on(&EngineError::Profile(profiles()), &profiles());
}

#[test]
fn every_error_of_a_plan_has_its_code_and_kind() {
    let audience = PlanError::UnknownAudience { campaign_id: text(), segment_id: text(), detail: text() };
    check(&[
        (&PlanError::NoCampaigns, "no_campaigns", Conflict),
        (&PlanError::UnknownCampaign(text()), "unknown_campaign", NotFound),
        (&PlanError::Twice(text()), "bad_campaigns", Caller),
        (&PlanError::Count(0), "bad_campaigns", Caller),
        (&audience, "unknown_audience", Conflict),
    ]);
}

#[test]
fn every_error_of_the_data_teams_operations_has_its_code_and_kind() {
    let no_scratch =
        ContextError::NoScratch { path: "tmp".into(), source: io::ErrorKind::StorageFull.into() };
    let unknown_goal = || ContextError::UnknownGoal { name: text(), declared: vec!["redeem".into()] };
    let unit = smartpush::domain::goal::Unit::UserDay;
    check(&[
        (&ContextError::NoEvents, "no_events", Conflict),
        (&ContextError::BadOut("data/users.parquet".into()), "bad_out", Caller),
        (&ContextError::BadMoment(text()), "bad_moment", Caller),
        (&unknown_goal(), "unknown_goal", NotFound),
        (&no_scratch, "not_permitted", Caller),
        (&DriftedModel { goal: text(), version: text(), measures: vec![text()] }, "drifted", Refused),
        (&HealthError::NothingHappened { days: 7, as_of: Instant::MIN }, "no_events", Conflict),
        (&UnhealthyData { failed: vec!["volume_like_before"] }, "unhealthy_data", Refused),
        (&ImportError::OutIsInput("x.csv".into()), "bad_out", Caller),
        (&ModelsError::ShadowIsChampion, "bad_shadow", Conflict),
        (&UserProfileError::UnknownUser { user_id: text(), as_of: text() }, "unknown_user", NotFound),
        (&RecommendError::NotAboutContents { goal: text(), unit }, "bad_goal", Caller),
        (&NotPromoted { first: text() }, "not_promoted", Refused),
        (&TrainingError::NothingToLearn { skipped: Vec::new() }, "nothing_to_learn", Caller),
        (&EvaluationError::NothingAskedFor, "nothing_to_measure", Caller),
    ]);
    let no_model = || RegistryError::NoModel { goal: text(), before: None };
    let missing = || InputError::new("no_such_file", "x.csv".as_ref(), "is not there");
    check_passed_on(
        &ContextError::Table(io_error(io::ErrorKind::StorageFull)),
        &io_error(io::ErrorKind::StorageFull),
    );
    check_passed_on(&ModelsError::Registry(no_model()), &no_model());
    check_passed_on(&ModelsError::Context(unknown_goal()), &unknown_goal());
    check_passed_on(&TrainingError::Registry(no_model()), &no_model());
    check_passed_on(&RefreshError::Input(missing()), &missing());
    let goal = RefreshError::Goal { goal: "redeem".into(), source: no_model().into() };
    check_passed_on(&goal, &no_model());
    assert!(goal.to_string().ends_with("; the refresh stopped at goal redeem"), "{goal}");
}

#[test]
fn only_too_little_data_skips_a_goal() {
    let not_finite = TrainError::NotFinite {
        goal: text(),
        input: text(),
        user: text(),
        at: Instant::MIN,
        value: f64::INFINITY,
    };
    let manifest = LakeError::BadManifest { path: "_manifest.json".into(), detail: text() };
    let unreadable = ExampleError::Profile(ProfileError::Lake(manifest));
    let young = ExampleError::EmptyPopulation { goal: text(), why: text() };
    let few = TrainError::TooFewMoments { goal: text(), moments: 1, needed: 3 };
    let no_model = RegistryError::NoModel { goal: text(), before: None };
    let is_skipped = |error: TrainingError| error.is_not_enough_data();
    assert!(is_skipped(TrainError::Examples(young).into()));
    assert!(is_skipped(few.into()));
    assert!(!is_skipped(not_finite.into()));
    assert!(!is_skipped(TrainError::Examples(unreadable).into()));
    assert!(!is_skipped(no_model.into()));
    assert!(!is_skipped(ContextError::NoEvents.into()));
}

#[test]
fn an_evaluation_without_a_figure_fails_with_its_first_reason() {
    let missing = |error: MeasureError| MissingSection { section: Section::Propensity, error };
    let few = || TrainError::TooFewMoments { goal: text(), moments: 1, needed: 3 };
    let first = Box::new(missing(few().into()));
    let others = vec![missing(ContextError::NoEvents.into())];
    let error = EvaluationError::NothingMeasured { first, others };
    check_passed_on(&error, &few());
    let reasons: Vec<String> = error.missing().map(|missing| missing.error.to_string()).collect();
    assert_eq!(reasons, [few().to_string(), ContextError::NoEvents.to_string()]);
}

#[test]
fn every_error_of_the_simulation_has_its_code_and_kind() {
    let unreadable = ParameterError::Unreadable { location: text(), detail: text() };
    check(&[
        (&unreadable, "bad_parameters", Caller),
        (&ParameterError::Range { key: "users", detail: text() }, "bad_parameters", Caller),
        (&PlayError::Fit(FitError::NoRows), "no_rows", Ours),
    ]);
    let unwritten = || serde_json::from_str::<u8>("?").unwrap_err();
    check(&[(&ServedError::Decision(unwritten()), "internal_error", Ours)]);
    check_passed_on(&ServedError::Context(ContextError::NoEvents), &ContextError::NoEvents);
    let served = SimulateError::Served(ServedError::Context(ContextError::NoEvents));
    check_passed_on(&served, &ContextError::NoEvents);
}
