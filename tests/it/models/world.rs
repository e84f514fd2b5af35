//! A workspace to train in, by the library and by the binary, and the one of the sample that all tests share.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex, Weak};

use serde_json::Value;
use smartpush::config::Config;
use smartpush::domain::goal::Goal;
use smartpush::domain::time::Instant;
use smartpush::domain::zone::Zone;
use smartpush::events::catalogue::Catalogue;
use smartpush::events::ingest::ingest;
use smartpush::events::lake::Lake;
use smartpush::events::mapping::Renames;
use smartpush::events::request::{FilesRequest, InputKind};
use smartpush::files::tables;
use smartpush::files::workspace::Workspace;
use smartpush::models::examples::GoalQuestion;
use smartpush::models::inputs::Sources;
use smartpush::models::timeline::Timeline;
use smartpush::profiles::declared::Declared;
use smartpush::registry::versions::Registry;
use tempfile::TempDir;

use crate::support::ingesting::temporary_directory;

/// Reads a moment.
pub(super) fn at(text: &str) -> Instant {
    Instant::parse_rfc3339(text).unwrap_or_else(|| panic!("{text} is RFC 3339"))
}

/// Reads a goal as it would stand in the settings.
pub(super) fn goal(text: &str) -> Goal {
    toml::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// A workspace in a temporary directory.
pub(super) struct World {
    directory: TempDir,
    pub(super) workspace: Workspace,
    pub(super) config: Config,
}

/// How a run of the binary ended.
#[derive(Debug)]
pub(super) struct Ran {
    pub(super) exit: Option<i32>,
    pub(super) json: Value,
    pub(super) stderr: String,
}

impl World {
    /// A workspace with these settings over the defaults.
    pub(super) fn new(settings: &str) -> World {
        let directory = temporary_directory();
        let workspace = Workspace::create(directory.path()).unwrap();
        let mut world = World { directory, workspace, config: Config::defaults() };
        world.set(settings);
        world
    }

    /// Writes other settings.
    pub(super) fn set(&mut self, settings: &str) {
        fs::write(self.path("smartpush.toml"), settings).unwrap();
        self.config = Config::load(self.directory.path(), None, &[]).unwrap();
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(super) fn registry(&self) -> Registry {
        Registry::of(&self.workspace)
    }

    /// Takes records in, one JSON object a line; none may be rejected.
    pub(super) fn take(&self, kind: InputKind, records: &[Value], naive: Option<&str>) {
        let lines: Vec<String> = records.iter().map(Value::to_string).collect();
        let path = self.path("records.jsonl");
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        self.take_files(kind, &[path], naive);
    }

    pub(super) fn take_files(&self, kind: InputKind, files: &[PathBuf], naive: Option<&str>) {
        let zone = naive.map(|name| Zone::find(name).unwrap());
        let renames = Renames::default();
        let request =
            FilesRequest { files, kind, format: None, renames, zone, now: at("2030-01-01T00:00:00Z") };
        let summary = ingest(&self.workspace, &self.config.ingest, &request, &|_| ()).unwrap();
        assert_eq!((summary.rejected, summary.refused.len()), (0, 0), "{summary:?}");
    }

    /// Events before a moment with everything that was declared.
    pub(super) fn material(&self, until: Instant) -> Material {
        let lake = Lake::open(&self.workspace).unwrap();
        let declared = Declared::read(&self.workspace, &self.config.default_time_zone).unwrap();
        let timeline = Timeline::read(&lake, &declared, until, &|_, _| ()).unwrap();
        let catalogue = Catalogue::read(&self.workspace).unwrap();
        Material { timeline, declared, catalogue, config: self.config.clone() }
    }

    /// The binary on this workspace, answering in JSON.
    pub(super) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_smartpush"));
        self.arguments(&mut command, arguments);
        command
    }

    /// The same on one processor, so that it starts one thread; `None` without `taskset`.
    pub(super) fn command_on_one_processor(&self, arguments: &[&str]) -> Option<Command> {
        Command::new("taskset").arg("--version").output().ok()?;
        let mut command = Command::new("taskset");
        command.args(["-c", "0", env!("CARGO_BIN_EXE_smartpush")]);
        self.arguments(&mut command, arguments);
        Some(command)
    }

    fn arguments(&self, command: &mut Command, arguments: &[&str]) {
        command.current_dir(self.directory.path()).args(["--workspace", ".", "--json"]).args(arguments);
    }

    /// Runs the binary; it may fail, but never panic.
    pub(super) fn run(&self, arguments: &[&str]) -> Ran {
        Ran::of(&self.command(arguments).output().unwrap())
    }

    /// The JSON of a run that must succeed.
    pub(super) fn ok(&self, arguments: &[&str]) -> Value {
        let ran = self.run(arguments);
        // A model that the gate refuses is kept as a version, and `train` says so by its exit code.
        let is_refused = arguments[0] == "train" && ran.exit == Some(3);
        assert!(is_refused || ran.exit == Some(0), "{arguments:?}: {}", ran.stderr);
        ran.json
    }

    /// The text of a run that must end with exit 2 and `error: CODE: …`.
    pub(super) fn refused(&self, arguments: &[&str], code: &str) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.exit, Some(2), "{arguments:?}: {}", ran.stderr);
        let text = ran.json["error"].as_str().unwrap_or_default().to_string();
        assert!(text.starts_with(&format!("{code}: ")), "{arguments:?}: {text:?} is not {code}");
        assert!(ran.stderr.contains(&format!("error: {text}")), "{}", ran.stderr);
        text
    }

    /// Runs a command that writes a file and returns the file's bytes.
    pub(super) fn written(&self, arguments: &[&str], name: &str) -> Vec<u8> {
        self.ok(&[arguments, &["--out", name]].concat());
        fs::read(self.path(name)).unwrap()
    }

    /// Runs a command that writes a table and returns its rows.
    pub(super) fn table(&self, arguments: &[&str]) -> Vec<BTreeMap<String, Value>> {
        self.written(arguments, "table.parquet");
        crate::support::ingesting::rows_of(&self.path("table.parquet"))
    }
}

impl Ran {
    pub(super) fn of(output: &Output) -> Ran {
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!stderr.contains("panicked"), "{stderr}");
        let json = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("stdout is not one JSON object: {error}: {output:?}"));
        Ran { exit: output.status.code(), json, stderr }
    }
}

/// What questions about goals are answered from.
pub(super) struct Material {
    pub(super) timeline: Timeline,
    pub(super) declared: Declared,
    pub(super) catalogue: Catalogue,
    pub(super) config: Config,
}

impl Material {
    pub(super) fn sources(&self) -> Sources<'_> {
        Sources {
            timeline: &self.timeline,
            declared: &self.declared,
            catalogue: &self.catalogue,
            profiles: &self.config.profiles,
            default_time_zone: &self.config.default_time_zone,
        }
    }

    /// A question about a declared goal.
    pub(super) fn question<'a>(&'a self, name: &'a str, sources: &'a Sources<'a>) -> GoalQuestion<'a> {
        GoalQuestion { name, goal: &self.config.goals[name], sources, training: &self.config.training }
    }
}

/// Columns of a table that are numbers, by user.
pub(super) fn numbers_by_user(path: &Path) -> BTreeMap<String, BTreeMap<String, Option<f64>>> {
    let frame = tables::read_parquet(path, None).unwrap();
    let columns: Vec<_> =
        frame.columns().iter().map(|column| column.as_materialized_series().clone()).collect();
    let user = |row| {
        let of_user = columns.iter().map(|column| (column.name().to_string(), tables::cell(column, row)));
        of_user.collect::<BTreeMap<String, Value>>()
    };
    let number = |value: Value| value.as_f64();
    (0..frame.height())
        .map(user)
        .map(|cells| {
            let id = cells["user_id"].as_str().unwrap_or_default().to_string();
            (id, cells.into_iter().map(|(name, value)| (name, number(value))).collect())
        })
        .collect()
}

/// The model of the sample that tests share is as of this moment.
pub(super) const SAMPLE_AS_OF: &str = "2017-12-01T05:00:00Z";

/// A quarter of a year is enough to learn from here.
const SAMPLE_SETTINGS: &str = "[training]\nmost_moments = 12\n[evaluation]\nbootstrap_draws = 200\n";

/// The sample with a trained model of purchase_7d; kept while any test uses it. Nobody may change its events or models.
pub(super) fn sample() -> Arc<World> {
    static SHARED: Mutex<Weak<World>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(world) = shared.upgrade() {
        return world;
    }
    let world = Arc::new(World::new(SAMPLE_SETTINGS));
    let file = |name: &str| crate::support::root().join("data/sample").join(name);
    let zone = Some("America/New_York");
    world.take_files(InputKind::Users, &[file("users.csv")], zone);
    world.take_files(InputKind::Contents, &[file("contents.jsonl")], zone);
    world.take_files(InputKind::Campaigns, &[file("campaigns.jsonl")], zone);
    let events = ["purchases.parquet", "campaign_events.csv", "coupon_uses.csv"].map(file);
    world.take_files(InputKind::Events, &events, zone);
    let trained = world.ok(&["train", "--goal", "purchase_7d", "--as-of", SAMPLE_AS_OF]);
    assert_eq!(trained["promoted"], true, "{trained}");
    *shared = Arc::downgrade(&world);
    world
}
