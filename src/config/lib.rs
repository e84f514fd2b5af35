//! Settings: defaults ← file ← environment, merged and checked once, then plain data. Each section has a file.

mod attributes;
mod decisions;
mod drift;
mod evaluation;
mod feedback;
mod gates;
mod health;
mod ingest;
mod layers;
mod named;
mod planning;
mod profiles;
mod ranges;
mod segments;
mod send_time;
mod serve;
mod training;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use domain::channel::ChannelSettings;
use domain::error::{Coded, ErrorKind};
use domain::goal::Goal;
use domain::settings::DecisionSettings;
use domain::zone::{UnknownZone, Zone};

pub use attributes::AttributeType;
pub use drift::DriftConfig;
pub use evaluation::EvaluationConfig;
pub use feedback::FeedbackConfig;
pub use gates::GatesConfig;
pub use health::HealthConfig;
pub use ingest::{IngestConfig, parse_share};
pub use layers::overlay;
use layers::{environment_table, parse_table};
pub use planning::PlanningConfig;
pub use profiles::ProfilesConfig;
pub use ranges::BadSetting;
pub use segments::SegmentsConfig;
pub use send_time::SendTimeConfig;
pub use serve::ServeConfig;
pub use training::{Method, TrainingConfig};

/// The defaults, with one comment for each setting.
pub const DEFAULTS: &str = include_str!("config.default.toml");

/// The file looked for in the workspace.
pub const FILE_NAME: &str = "smartpush.toml";

/// Environment variables that start so are settings: `SMARTPUSH__INGEST__CHUNK_ROWS=1000`.
pub const ENVIRONMENT_PREFIX: &str = "SMARTPUSH__";

/// Every setting.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// IANA zone of users and events that bring none.
    pub default_time_zone: String,
    /// Did somebody set it? Nobody is pushed on a clock that nobody named.
    #[serde(skip)]
    pub default_time_zone_is_set: bool,
    /// How raw records become clean tables.
    pub ingest: IngestConfig,
    /// What data checks take for usual.
    pub health: HealthConfig,
    /// How events become profiles.
    pub profiles: ProfilesConfig,
    /// Send-time curves.
    pub send_time: SendTimeConfig,
    /// What models predict, by name.
    pub goals: BTreeMap<String, Goal>,
    /// How models are trained.
    pub training: TrainingConfig,
    /// What models must show.
    pub gates: GatesConfig,
    /// When a champion is no longer what it was.
    pub drift: DriftConfig,
    /// Decisions.
    pub decisions: DecisionSettings,
    /// Ways to a reader, by name.
    pub channels: BTreeMap<String, ChannelSettings>,
    /// Plans for whole audiences.
    pub planning: PlanningConfig,
    /// Types of users' attributes, by name; those of others are learned from the cells.
    pub attributes: BTreeMap<String, AttributeType>,
    /// Answers about segments.
    pub segments: SegmentsConfig,
    /// What became of decisions.
    pub feedback: FeedbackConfig,
    /// The server.
    pub serve: ServeConfig,
    /// Evaluation.
    pub evaluation: EvaluationConfig,
}

/// Settings that cannot be used; the text names the source and the key.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("bad_config: {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Text that is not TOML, an unknown key, or a value of another type.
    #[error("bad_config: {origin}: {detail}")]
    Invalid {
        /// File or environment variable, and key.
        origin: String,
        /// What is wrong.
        detail: String,
    },
    /// A zone that does not exist.
    #[error("bad_config: default_time_zone: {}", .0.detail())]
    Zone(#[from] UnknownZone),
}

impl Coded for ConfigError {
    fn code(&self) -> &'static str {
        match self {
            ConfigError::Unreadable { .. } | ConfigError::Invalid { .. } | ConfigError::Zone(_) => {
                "bad_config"
            }
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            ConfigError::Unreadable { .. } | ConfigError::Invalid { .. } | ConfigError::Zone(_) => {
                ErrorKind::Caller
            }
        }
    }
}

impl Config {
    /// The defaults alone.
    pub fn defaults() -> Config {
        Config::merge(None, &[]).unwrap_or_else(|error| unreachable!("shipped defaults: {error}"))
    }

    /// Reads `file` (or the workspace's own, if there is one) and the environment over the defaults.
    pub fn load(
        workspace: &Path,
        file: Option<&Path>,
        environment: &[(String, String)],
    ) -> Result<Config, ConfigError> {
        let own = workspace.join(FILE_NAME);
        let path = match file {
            Some(file) => Some(file),
            None => own.exists().then_some(own.as_path()),
        };
        let text = match path {
            Some(path) => {
                let unreadable = |source| ConfigError::Unreadable { path: path.to_path_buf(), source };
                Some((path.display().to_string(), std::fs::read_to_string(path).map_err(unreadable)?))
            }
            None => None,
        };
        Config::merge(text.as_ref().map(|(name, text)| (name.as_str(), text.as_str())), environment)
    }

    /// Merges the layers and checks the result.
    fn merge(file: Option<(&str, &str)>, environment: &[(String, String)]) -> Result<Config, ConfigError> {
        let mut table = parse_table("config.default.toml", DEFAULTS)?;
        let mut origin = "config.default.toml".to_string();
        let mut is_zone_set = false;
        if let Some((name, text)) = file {
            let own = parse_table(name, text)?;
            is_zone_set |= own.contains_key("default_time_zone");
            overlay(&mut table, own);
            origin = name.to_string();
        }
        for (variable, value) in environment.iter().filter(|(name, _)| name.starts_with(ENVIRONMENT_PREFIX)) {
            let own = environment_table(variable, value)?;
            is_zone_set |= own.contains_key("default_time_zone");
            overlay(&mut table, own);
            origin = format!("{origin} and the environment");
        }
        let mut config: Config =
            serde_path_to_error::deserialize(toml::Value::Table(table)).map_err(|error| {
                ConfigError::Invalid {
                    origin: format!("{origin}: {}", error.path()),
                    detail: error.inner().to_string(),
                }
            })?;
        config
            .check()
            .map_err(|(key, detail)| ConfigError::Invalid { origin: format!("{origin}: {key}"), detail })?;
        config.default_time_zone = Zone::find_as_written(&config.default_time_zone)?.name().to_string();
        config.default_time_zone_is_set = is_zone_set;
        Ok(config)
    }

    /// Ranges that types cannot express, section by section.
    fn check(&self) -> Result<(), BadSetting> {
        named::check_goals(&self.goals)?;
        named::check_channels(&self.channels)?;
        self.ingest.check()?;
        self.health.check()?;
        self.profiles.check()?;
        self.send_time.check()?;
        self.training.check()?;
        self.gates.check()?;
        self.drift.check()?;
        decisions::check(&self.decisions)?;
        self.planning.check()?;
        self.segments.check()?;
        self.feedback.check()?;
        self.serve.check()?;
        self.evaluation.check()
    }
}
