//! One file for each subcommand; here: what they share, and what a failure looks like.

mod charts;
mod config;
mod demo;
mod erase;
mod evaluate;
mod evaluate_lift;
mod evaluate_policy;
mod event_names;
mod examples;
mod failure;
mod health;
mod ingest;
mod ingests;
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
mod shape;
mod simulate;
mod template;
mod train;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use ::config::Config;
use domain::time::Instant;
use files::workspace::Workspace;

use failure::Failure;
pub use failure::exit_status;

/// What to push, when, and whether to push at all.
#[derive(Parser)]
#[command(name = "smartpush", version, about, max_term_width = 110, after_help = EXIT_CODES)]
struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes:
  0  done
  1  our failure: a full disk, a damaged file, a defect
  2  the caller's error: wrong arguments, unknown names, unreadable files,
     files of which no record was taken
  3  refused: by the gate of train, promote or refresh, by drift, or more
     rejected records than --most-rejected (accepted records are kept)
  4  another smartpush wrote to the workspace for longer than --wait

T is RFC 3339, or a bare date = 00:00 in default_time_zone; by default 1 µs after the newest event, at most now; of plan: now.";

/// Options of every subcommand; they may stand before or after it.
#[derive(clap::Args)]
struct Common {
    /// Directory that holds data/ and models/
    #[arg(long, global = true, value_name = "DIR", default_value = ".")]
    workspace: PathBuf,
    /// Print one JSON object on stdout; everything else goes to stderr
    #[arg(long, global = true)]
    json: bool,
    /// How long to wait for another smartpush that writes to the workspace, such as 60s, 5m or 0s
    #[arg(long, global = true, value_name = "TIME", default_value = "60s", value_parser = duration)]
    wait: Duration,
    /// Settings to read instead of the workspace's smartpush.toml
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::DemoArguments),
    Ingest(ingest::IngestArguments),
    Ingests(ingests::IngestsArguments),
    Template(template::TemplateArguments),
    Erase(erase::EraseArguments),
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
    wait: Duration,
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
            eprintln!("error: {failure}");
            if json && !failure.is_reported() {
                let mut object = serde_json::json!({});
                failure.add_to(&mut object);
                output::print_json(&object);
            }
            ExitCode::from(failure.exit())
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
    Ok(Context { workspace: common.workspace, json: common.json, config, now, wait: common.wait })
}

/// Reads `60s`, `5m`, `1h` or plain seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let (digits, factor) = match text.trim().char_indices().next_back() {
        Some((end, 's')) => (&text[..end], 1),
        Some((end, 'm')) => (&text[..end], 60),
        Some((end, 'h')) => (&text[..end], 3_600),
        _ => (text, 1),
    };
    let seconds = digits.trim().parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
    seconds.map(Duration::from_secs).ok_or_else(|| format!("{text:?} is no time such as 60s, 5m or 0s"))
}

impl Command {
    fn run(self, context: &Context) -> Result<(), Failure> {
        match self {
            Command::Demo(arguments) => demo::run(context, &arguments),
            Command::Ingest(arguments) => ingest::run(context, &arguments),
            Command::Ingests(arguments) => ingests::run(context, &arguments),
            Command::Template(arguments) => template::run(context, &arguments),
            Command::Erase(arguments) => erase::run(context, &arguments),
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
    ) -> Result<T, E> {
        let bar = output::Bar::new();
        let (config, now) = (&self.config, self.now);
        let workspace = &workspace.clone().waiting(self.wait);
        operation(&operations::context::Context { workspace, config, now, progress: &bar })
    }

    /// T as it was given.
    fn given_moment(&self, text: Option<&str>) -> Result<Option<Instant>, Failure> {
        Ok(text.map(|text| operations::context::parse_moment(&self.config, text)).transpose()?)
    }

    /// The workspace, which must exist.
    fn open(&self) -> Result<Workspace, Failure> {
        Ok(Workspace::open(&self.workspace)?)
    }
}
