//! `smartpush refresh`: ingest → profile → train → gate → promote → plan, as of one moment; what is done stays done.

mod journal;

use std::path::{Path, PathBuf};

use super::ingest::{FormatArgument, IngestArguments, KindArgument};
use super::learning::{health_lines, read_before};
use super::output::{print_json, print_lines};
use super::plan::PlanArguments;
use super::train::{Learning, Outcome};
use super::{Context, Failure};
use domain::error::{Coded, ErrorKind};
use domain::identity::sha256_hex;
use domain::time::Instant;
use domain::zone::Zone;
use events::lake::Lake;
use files::workspace::Workspace;
use journal::{Entry, Journal, State};
use planning::handoff;
use registry::gate::Gate;
use registry::versions::Registry;
use segments::saved::versions::SavedSegments;

/// Run the whole chain as of T: take files in, build profiles, train every goal, ask the gate, promote, plan
///
/// Each step is kept in data/refresh/T.json with what it was made from. A refresh that was cut off goes on where it stopped
/// when it is asked again; a step whose input has not changed is not made anew. The same data give the same versions. A
/// model that the gate refuses is kept and the champion stays: the command then ends with exit code 3 and names the line.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  smartpush refresh --as-of 2017-12-01T05:00:00Z
  smartpush refresh --as-of 2017-12-02 yesterday.parquet --time-zone America/New_York --out handoff")]
pub(super) struct RefreshArguments {
    /// Files to take in first
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What the files hold
    #[arg(long, value_enum, default_value = "events")]
    kind: KindArgument,
    /// Their columns' names for ours
    #[arg(long, value_name = "theirs=ours,…")]
    map: Option<String>,
    /// Zone of stamps that name none
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<String>,
    /// Use what was known before this moment
    #[arg(long, value_name = "T")]
    as_of: String,
    /// Plan the campaigns that are due on the date of T, and write the hand-off here
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// A refresh under way.
struct Refresh<'a> {
    context: &'a Context,
    arguments: &'a RefreshArguments,
    as_of: Instant,
    journal: Journal,
    /// Goals whose new model the gate refused, with the first line that does not hold.
    refused: Vec<String>,
}

pub(super) fn run(context: &Context, arguments: &RefreshArguments) -> Result<(), Failure> {
    let as_of = context.parse_moment(&arguments.as_of)?;
    let workspace = match arguments.files.is_empty() {
        true => context.open()?,
        false => Workspace::create(&context.workspace)?,
    };
    if let Some(out) = &arguments.out {
        handoff::check(out)?;
        context.check_free(&workspace, out)?;
    }
    let journal = Journal::open(&workspace, as_of)?;
    let mut refresh = Refresh { context, arguments, as_of, journal, refused: Vec::new() };
    refresh.ingest()?;
    let lake = context.lake(&workspace)?;
    let input = input_of(context, &workspace, &lake, as_of)?;
    refresh.profile(&workspace, &input)?;
    refresh.train(&workspace, &lake, &input)?;
    refresh.plan(&workspace, &input)?;
    refresh.report();
    match refresh.refused.first() {
        None => Ok(()),
        Some(first) => Err(Failure::refused("not_promoted", first).reported()),
    }
}

/// Identity of everything that profiles and models are made from.
fn input_of(
    context: &Context,
    workspace: &Workspace,
    lake: &Lake,
    as_of: Instant,
) -> Result<String, Failure> {
    let mut text = format!("{as_of}\n{}\n", lake.content_sha256());
    text += &serde_json::to_string(&context.config).map_err(Failure::ours)?;
    for name in ["users", "contents", "campaigns"] {
        let bytes = std::fs::read(workspace.table(name)).unwrap_or_default();
        text += &format!("\n{name} {}", sha256_hex(&bytes));
    }
    text += env!("CARGO_PKG_VERSION");
    Ok(sha256_hex(text.as_bytes()))
}

impl Refresh<'_> {
    /// Makes a step unless it was made from the same input before.
    fn step(
        &mut self,
        name: &str,
        input: &str,
        make: impl FnOnce(&mut Self) -> Result<(State, serde_json::Value), Failure>,
    ) -> Result<Entry, Failure> {
        if let Some(done) = self.journal.done(name, input) {
            return Ok(done);
        }
        eprintln!("{name} …");
        let (state, said) = make(self)?;
        self.journal
            .write(Entry { step: name.to_string(), input: input.to_string(), state, said, again: false })
            .map_err(Failure::from)
    }

    fn ingest(&mut self) -> Result<(), Failure> {
        if self.arguments.files.is_empty() {
            return Ok(());
        }
        let mut text = String::new();
        for file in &self.arguments.files {
            text += &format!("{} {}\n", file.display(), hash_of_file(file));
        }
        text += &format!("{:?} {:?}", self.arguments.map, self.arguments.time_zone);
        self.step("ingest", &sha256_hex(text.as_bytes()), |refresh| {
            let given = refresh.arguments;
            let arguments = IngestArguments {
                files: given.files.clone(),
                kind: given.kind,
                format: FormatArgument::Auto,
                map: given.map.clone(),
                time_zone: given.time_zone.clone(),
            };
            let summary = super::ingest::take(refresh.context, &arguments)?;
            if let Some(refused) = summary.refused.into_iter().next() {
                return Err(refused.into());
            }
            let said = serde_json::json!({
                "read": summary.read, "accepted": summary.accepted, "duplicate": summary.duplicate,
                "rejected": summary.rejected,
            });
            Ok((State::Done, said))
        })?;
        Ok(())
    }

    fn profile(&mut self, workspace: &Workspace, input: &str) -> Result<(), Failure> {
        let manifest = workspace.profiles_as_of(self.as_of).join("_manifest.json");
        self.journal.forget_unless("profile", |_| manifest.exists());
        let as_of = self.as_of.to_string();
        self.step("profile", input, |refresh| {
            let built = super::profile::make(refresh.context, Some(&as_of))?;
            let manifest = &built.manifest;
            Ok((State::Done, serde_json::json!({ "rows": manifest.rows, "sha256": manifest.sha256 })))
        })?;
        Ok(())
    }

    /// Every goal that the data says something about: trained, asked, and if every line holds promoted.
    fn train(&mut self, workspace: &Workspace, lake: &Lake, input: &str) -> Result<(), Failure> {
        let context = self.context;
        let goals: Vec<&String> = context.config.goals.keys().collect();
        let registry = Registry::of(workspace);
        let is_there = |entry: &Entry, goal: &str| {
            entry.version().is_none_or(|version| registry.read(goal, version).is_ok())
        };
        let mut material = None;
        for goal in goals {
            let step = format!("train {goal}");
            self.journal.forget_unless(&step, |entry| is_there(entry, goal));
            if material.is_none() && self.journal.find(&step, input).is_none() {
                material = Some(read_before(context, workspace, lake, self.as_of)?);
            }
            let entry = self.step(&step, input, |refresh| {
                let _lock = workspace.lock()?;
                let Some(material) = &material else { unreachable!("something is to be trained") };
                let lake_sha256 = lake.content_sha256();
                let health = health_lines(refresh.context, workspace, lake, refresh.as_of)?;
                let learning =
                    Learning { context: refresh.context, workspace, material, lake_sha256, health };
                match learning.train_only(goal, refresh.context.config.training.seed) {
                    Ok(outcome) => Ok((State::Done, said_of(&outcome))),
                    // A shipped goal that this data says nothing of is no failure of the others.
                    Err(failure) if failure.exit() == 2 => {
                        Ok((State::Skipped, serde_json::json!({ "why": failure.to_string() })))
                    }
                    Err(failure) => Err(failure),
                }
            })?;
            if let Some(version) = entry.version() {
                self.promote(workspace, &registry, goal, version)?;
            }
        }
        Ok(())
    }

    fn promote(
        &mut self,
        workspace: &Workspace,
        registry: &Registry,
        goal: &str,
        version: &str,
    ) -> Result<(), Failure> {
        let now = self.context.now;
        registry.check_pointer(goal)?;
        let entry = self.step(&format!("promote {goal}"), version, |_| {
            let _lock = workspace.lock()?;
            let found = registry.read(goal, version)?;
            let newer = registry.read_champion(goal).ok();
            let newer = newer.filter(|champion| champion.model.as_of > found.model.as_of);
            if let Some(champion) = newer {
                let why = format!("champion {} knows a later day", champion.version);
                return Ok((State::Skipped, serde_json::json!({ "why": why })));
            }
            match registry.promote(goal, version, false, now) {
                Ok(_) => Ok((State::Done, serde_json::json!({ "champion": version }))),
                Err(error) if error.kind() == ErrorKind::Refused => {
                    Ok((State::Refused, serde_json::json!({ "why": error.to_string() })))
                }
                Err(error) => Err(error.into()),
            }
        })?;
        if entry.state == State::Refused {
            let why = entry.said["why"].as_str().unwrap_or_default();
            self.refused.push(why.trim_start_matches("not_promoted: ").to_string());
        }
        Ok(())
    }

    fn plan(&mut self, workspace: &Workspace, input: &str) -> Result<(), Failure> {
        let Some(out) = &self.arguments.out else { return Ok(()) };
        let registry = Registry::of(workspace);
        let champions: Vec<String> = self
            .context
            .config
            .goals
            .keys()
            .map(|goal| format!("{goal}={}", registry.champion(goal).unwrap_or_default()))
            .collect();
        self.journal.forget_unless("plan", |_| out.exists());
        let cards = SavedSegments::read(workspace)?;
        let segments: Vec<String> = cards.all().map(|segment| format!("{:?}", segment.card)).collect();
        let parts = [input, &out.display().to_string(), &champions.join(" "), &segments.join(" ")];
        let input = sha256_hex(parts.join(" ").as_bytes());
        let zone = Zone::find(&self.context.config.default_time_zone)?;
        let due = zone.local_hour(self.as_of).day().to_string();
        let arguments = PlanArguments::due(&due, out, &self.as_of.to_string());
        self.step("plan", &input, |refresh| match super::plan::make_and_keep(refresh.context, &arguments) {
            Ok(report) => {
                let said = serde_json::json!({
                    "plan_id": report["plan_id"], "sends": report["sends"], "path": out,
                });
                Ok((State::Done, said))
            }
            Err(failure) if failure.code() == "no_campaigns" => {
                Ok((State::Skipped, serde_json::json!({ "why": failure.to_string() })))
            }
            Err(failure) => Err(failure),
        })?;
        Ok(())
    }

    fn report(&self) {
        let entries = self.journal.told();
        if self.context.json {
            print_json(&serde_json::json!({
                "as_of": self.as_of, "steps": entries, "refused": self.refused, "journal": self.journal.path(),
            }));
        } else {
            print_lines(&entries.into_iter().map(Entry::line).collect::<Vec<_>>());
        }
    }
}

/// What the journal keeps of a training.
fn said_of(outcome: &Outcome) -> serde_json::Value {
    let card = &outcome.trained.card;
    let failed: Vec<String> = card.gate.iter().flat_map(Gate::failed).map(|line| line.to_string()).collect();
    serde_json::json!({
        "version": outcome.version, "model": outcome.trained.model.kind.as_str(),
        "log_loss": card.metrics.log_loss.value, "base_rate_log_loss": card.metrics.base_rate_log_loss.value,
        "auc": card.metrics.auc.value, "failed": failed,
    })
}

fn hash_of_file(path: &Path) -> String {
    std::fs::read(path).map(|bytes| sha256_hex(&bytes)).unwrap_or_default()
}
