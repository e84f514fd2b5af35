//! One file for each subcommand; here: what they share, and what a failure looks like.

mod charts;
mod config;
mod demo;
mod evaluate;
mod evaluate_lift;
mod evaluate_policy;
mod examples;
mod health;
mod ingest;
mod learning;
mod models;
mod outcomes;
mod output;
mod plan;
mod preview;
mod profile;
mod recommend;
mod refresh;
mod replay;
mod score;
mod segment;
mod send_times;
mod serve;
mod simulate;
mod train;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use ::config::{Config, ConfigError};
use ::models::examples::ExampleError;
use ::models::train::TrainError;
use ::models::train::imported::ImportError;
use ::models::train::online::OnlineError;
use curves::evaluate::EvaluateError;
use domain::time::{Day, Instant};
use domain::zone::Zone;
use events::formats::InputError;
use events::lake::{Lake, LakeError};
use events::request::IngestError;
use files::tables::TableError;
use files::workspace::{Workspace, WorkspaceError};
use operations::context::ContextError;
use profiles::ProfileError;
use registry::versions::RegistryError;
use segments::people::PeopleError;

/// What to push, when, and whether to push at all.
#[derive(Parser)]
#[command(name = "smartpush", version, about, max_term_width = 110, after_help = EXIT_CODES)]
struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done · 1 our failure · 2 the caller's fault · 3 refused by a gate or by drift.\n\
    T is RFC 3339, or a bare date = 00:00 in default_time_zone; by default 1 µs after the newest event.";

/// Options of every subcommand; they may stand before or after it.
#[derive(clap::Args)]
struct Common {
    /// Directory that holds data/ and models/
    #[arg(long, global = true, value_name = "DIR", default_value = ".")]
    workspace: PathBuf,
    /// Print one JSON object on stdout; everything else goes to stderr
    #[arg(long, global = true)]
    json: bool,
    /// Settings to read instead of the workspace's smartpush.toml
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::DemoArguments),
    Ingest(ingest::IngestArguments),
    Health(health::HealthArguments),
    Profile(profile::ProfileArguments),
    SendTimes(send_times::SendTimesArguments),
    Train(train::TrainArguments),
    Score(score::ScoreArguments),
    Recommend(recommend::RecommendArguments),
    Examples(examples::ExamplesArguments),
    Models(models::ModelsArguments),
    Refresh(refresh::RefreshArguments),
    Evaluate(evaluate::EvaluateArguments),
    EvaluatePolicy(evaluate_policy::EvaluatePolicyArguments),
    EvaluateLift(evaluate_lift::EvaluateLiftArguments),
    Simulate(simulate::SimulateArguments),
    Serve(serve::ServeArguments),
    Replay(replay::ReplayArguments),
    Preview(preview::PreviewArguments),
    Plan(plan::PlanArguments),
    Segment(segment::SegmentArguments),
    Outcomes(outcomes::OutcomesArguments),
    Config(config::ConfigArguments),
}

/// What a subcommand gets from the outside world.
struct Context {
    workspace: PathBuf,
    json: bool,
    config: Config,
    now: Instant,
}

/// A failure with its exit code; its text begins with the stable code.
#[derive(Debug)]
struct Failure {
    exit: u8,
    error: anyhow::Error,
    /// The command has already put its JSON object on stdout.
    reported: bool,
}

impl Failure {
    fn new(exit: u8, error: impl Into<anyhow::Error>) -> Failure {
        Failure { exit, error: error.into(), reported: false }
    }

    /// The same, when the JSON object on stdout tells it already.
    fn reported(self) -> Failure {
        Failure { reported: true, ..self }
    }

    /// The caller's fault: exit 2.
    fn caller(text: impl std::fmt::Display) -> Failure {
        Failure::new(2, anyhow::anyhow!("{text}"))
    }

    /// Our failure: exit 1.
    fn ours(error: impl Into<anyhow::Error>) -> Failure {
        Failure::new(1, error)
    }
}

/// Runs the command line of this process.
pub fn run() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    let json = arguments.common.json;
    let result = context(arguments.common).and_then(|context| arguments.command.run(&context));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Not `{:#}`: the errors of the seams name their source themselves.
            eprintln!("error: {}", failure.error);
            if json && !failure.reported {
                output::print_json(
                    &serde_json::json!({ "error": failure.error.to_string(), "exit": failure.exit }),
                );
            }
            ExitCode::from(failure.exit)
        }
    }
}

/// Help and version as clap prints them; a wrong command line also as JSON, when `--json` is somewhere in it.
fn usage(error: &clap::Error) -> ExitCode {
    let _ = error.print();
    if error.exit_code() != 0 && std::env::args_os().any(|argument| argument == "--json") {
        let text = error.render().to_string();
        let first = text.lines().next().unwrap_or_default().trim_start_matches("error: ");
        output::print_json(&serde_json::json!({ "error": format!("bad_usage: {first}"), "exit": 2 }));
    }
    ExitCode::from(error.exit_code() as u8)
}

#[expect(clippy::disallowed_methods, reason = "the edge: everything below takes `now` as an argument")]
fn context(common: Common) -> Result<Context, Failure> {
    // Somebody else's variable may be any bytes; in one of ours the mark of a lost byte is named as a bad value.
    let text = |value: std::ffi::OsString| value.to_string_lossy().into_owned();
    let environment: Vec<(String, String)> =
        std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
    let config = Config::load(&common.workspace, common.config.as_deref(), &environment)?;
    let now = Instant::from_micros(jiff::Timestamp::now().as_microsecond());
    Ok(Context { workspace: common.workspace, json: common.json, config, now })
}

impl Command {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Command::Demo(arguments) => demo::run(context, &arguments),
            Command::Ingest(arguments) => ingest::run(context, &arguments),
            Command::Health(arguments) => health::run(context, &arguments),
            Command::Profile(arguments) => profile::run(context, &arguments),
            Command::SendTimes(arguments) => send_times::run(context, &arguments),
            Command::Train(arguments) => train::run(context, &arguments),
            Command::Score(arguments) => score::run(context, &arguments),
            Command::Recommend(arguments) => recommend::run(context, &arguments),
            Command::Examples(arguments) => examples::run(context, &arguments),
            Command::Models(arguments) => models::run(context, &arguments),
            Command::Refresh(arguments) => refresh::run(context, &arguments),
            Command::Evaluate(arguments) => evaluate::run(context, &arguments),
            Command::EvaluatePolicy(arguments) => evaluate_policy::run(context, &arguments),
            Command::EvaluateLift(arguments) => evaluate_lift::run(context, &arguments),
            Command::Simulate(arguments) => simulate::run(context, &arguments),
            Command::Serve(arguments) => serve::run(context, &arguments),
            Command::Replay(arguments) => replay::run(context, &arguments),
            Command::Preview(arguments) => preview::run(context, &arguments),
            Command::Plan(arguments) => plan::run(context, &arguments),
            Command::Segment(arguments) => segment::run(context, &arguments),
            Command::Outcomes(arguments) => outcomes::run(context, &arguments),
            Command::Config(arguments) => config::run(context, &arguments),
        }
    }
}

impl Context {
    /// Runs an operation on a workspace, with a progress bar on stderr that is gone when it returns.
    fn operate<T, E>(
        &self,
        workspace: &Workspace,
        operation: impl FnOnce(&operations::context::Context<'_>) -> Result<T, E>,
    ) -> Result<T, Failure>
    where
        Failure: From<E>,
    {
        let bar = output::Bar::new();
        let (config, now) = (&self.config, self.now);
        let result = operation(&operations::context::Context { workspace, config, now, progress: &bar });
        drop(bar);
        Ok(result?)
    }

    /// The workspace, which must exist.
    fn open(&self) -> Result<Workspace, Failure> {
        Ok(Workspace::open(&self.workspace)?)
    }

    /// The workspace's lake, which must hold events.
    fn lake(&self, workspace: &Workspace) -> Result<Lake, Failure> {
        let lake = Lake::open(workspace)?;
        match lake.newest() {
            Some(_) => Ok(lake),
            None => Err(Failure::caller(
                "no_events: the workspace holds no events; `smartpush ingest FILE` brings some",
            )),
        }
    }

    /// Can an export be written there? Asked before the work, not after it.
    fn check_out(&self, workspace: &Workspace, out: &std::path::Path) -> Result<(), Failure> {
        files::tables::check_extension(out)?;
        self.check_free(workspace, out)
    }

    /// Does the workspace keep nothing of its own there?
    fn check_free(&self, workspace: &Workspace, out: &std::path::Path) -> Result<(), Failure> {
        if workspace.owns(out) {
            let place = out.display();
            return Err(Failure::caller(format!(
                "bad_out: {place}: the workspace keeps its own tables there"
            )));
        }
        Ok(())
    }

    /// T as it was given, or 1 µs after the newest event.
    fn moment(&self, text: Option<&str>, lake: &Lake) -> Result<Instant, Failure> {
        match text {
            Some(text) => self.parse_moment(text),
            None => Ok(lake.newest().unwrap_or(self.now).plus(1)),
        }
    }

    /// Reads T: RFC 3339, or a bare date = 00:00 in the default zone.
    fn parse_moment(&self, text: &str) -> Result<Instant, Failure> {
        let midnight =
            |day: Day| Zone::find(&self.config.default_time_zone).ok()?.instant_of(day.civil().into());
        Instant::parse_rfc3339(text).or_else(|| Day::parse(text).and_then(midnight)).ok_or_else(|| {
            Failure::caller(format!(
                "bad_moment: {text:?} is neither RFC 3339 (2017-12-01T05:00:00Z) nor a date (2017-12-01)"
            ))
        })
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Failure::new(2, error)
    }
}

impl From<InputError> for Failure {
    fn from(error: InputError) -> Self {
        Failure::new(2, error)
    }
}

impl From<WorkspaceError> for Failure {
    fn from(error: WorkspaceError) -> Self {
        match error {
            WorkspaceError::Table(error) => error.into(),
            WorkspaceError::Missing(_)
            | WorkspaceError::NewerFormat { .. }
            | WorkspaceError::Damaged { .. }
            | WorkspaceError::Locked(_)
            | WorkspaceError::Served(_) => Failure::new(2, error),
        }
    }
}

impl From<TableError> for Failure {
    fn from(error: TableError) -> Self {
        let exit = match &error {
            TableError::NewerFormat { .. } | TableError::UnknownExtension { .. } => 2,
            TableError::Io { source, .. } if is_callers(source) => 2,
            TableError::Io { .. } | TableError::Parquet { .. } => 1,
        };
        Failure::new(exit, error)
    }
}

/// A place that may not be read or written was named by the caller. A full disk was not, nor a file of ours that is
/// gone: what the caller names and does not exist is an [`InputError`], or is made.
fn is_callers(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(
        error.kind(),
        ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::AlreadyExists
    )
}

impl From<LakeError> for Failure {
    fn from(error: LakeError) -> Self {
        match error {
            LakeError::Table(error) => error.into(),
            LakeError::BadManifest { .. } => Failure::new(2, error),
        }
    }
}

impl From<IngestError> for Failure {
    fn from(error: IngestError) -> Self {
        match error {
            IngestError::Table(error) => error.into(),
            IngestError::Lake(error) => error.into(),
        }
    }
}

impl From<ProfileError> for Failure {
    fn from(error: ProfileError) -> Self {
        match error {
            ProfileError::Table(error) => error.into(),
            ProfileError::Lake(error) => error.into(),
            ProfileError::NoEvents(_) | ProfileError::NoProfiles(_) => Failure::new(2, error),
        }
    }
}

impl From<PeopleError> for Failure {
    fn from(error: PeopleError) -> Self {
        match error {
            PeopleError::Profiles(error) => error.into(),
            PeopleError::Table(error) => error.into(),
            PeopleError::Lake(error) => error.into(),
            PeopleError::Changed { .. } | PeopleError::Rebuilt(_) | PeopleError::Missing(_) => {
                Failure::new(2, error)
            }
            PeopleError::WrongKind(_) | PeopleError::Evaluation(_) => Failure::ours(error),
        }
    }
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Table(error) => error.into(),
            // Refused by the gate.
            RegistryError::Refused { .. }
            | RegistryError::RefusedByGate { .. }
            | RegistryError::Imported { .. } => Failure::new(3, error),
            _ => Failure::new(2, error),
        }
    }
}

impl From<ExampleError> for Failure {
    fn from(error: ExampleError) -> Self {
        match error {
            ExampleError::Profile(error) => error.into(),
            _ => Failure::new(2, error),
        }
    }
}

impl From<TrainError> for Failure {
    fn from(error: TrainError) -> Self {
        match error {
            TrainError::Examples(error) => error.into(),
            TrainError::TooFewMoments { .. }
            | TrainError::OneClass { .. }
            | TrainError::NotFinite { .. }
            | TrainError::Fit { .. } => Failure::new(2, error),
        }
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Table(error) => error.into(),
            ImportError::Train(error) => error.into(),
            ImportError::Input(error) => error.into(),
            ImportError::Missing { .. } => Failure::new(2, error),
        }
    }
}

impl From<OnlineError> for Failure {
    fn from(error: OnlineError) -> Self {
        match error {
            OnlineError::Examples(error) => error.into(),
            _ => Failure::new(2, error),
        }
    }
}

impl From<ContextError> for Failure {
    fn from(error: ContextError) -> Self {
        match error {
            ContextError::Workspace(error) => error.into(),
            ContextError::Lake(error) => error.into(),
            ContextError::Table(error) => error.into(),
            error => Failure::new(2, error),
        }
    }
}

impl From<EvaluateError> for Failure {
    fn from(error: EvaluateError) -> Self {
        match error {
            EvaluateError::Profile(error) => error.into(),
            EvaluateError::NothingToScore(_) => Failure::new(2, error),
        }
    }
}
