//! Settings: defaults ← file ← environment, merged and checked once, then plain data.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use domain::channel::ChannelSettings;
use domain::error::{Coded, ErrorKind};
use domain::goal::{Goal, is_goal_name};
use domain::identity::is_valid_id;
use domain::settings::DecisionSettings;
use domain::time::Day;
use domain::user::MinuteOfDay;
use domain::zone::{UnknownZone, Zone};

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
    /// Answers about segments.
    pub segments: SegmentsConfig,
    /// What became of decisions.
    pub feedback: FeedbackConfig,
    /// The server.
    pub serve: ServeConfig,
    /// Evaluation.
    pub evaluation: EvaluationConfig,
}

/// `[ingest]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct IngestConfig {
    /// Rows of foreign Parquet decoded at a time.
    pub chunk_rows: usize,
    /// Largest record in bytes.
    pub max_record_bytes: usize,
    /// Memory of the staging buffers in MiB.
    pub staging_memory_mib: usize,
    /// Hours that a stamp may lie ahead of now.
    pub future_tolerance_hours: i64,
}

/// `[health]`: what data checks take for usual.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HealthConfig {
    /// Newest whole days that are judged.
    pub days: usize,
    /// Days before each that it is compared with.
    pub trailing_days: usize,
    /// Fewer events, or users, are too few to judge.
    pub least_events: u64,
    /// Factor by which a volume may differ.
    pub volume_ratio: f64,
    /// Days without a name that make it vanished.
    pub vanished_days: usize,
    /// Events on a day that make a name new.
    pub least_new_events: u64,
    /// Names that may appear.
    pub known_events: Vec<String>,
    /// Days that are odd and known to be, `YYYY-MM-DD`.
    pub known_days: Vec<String>,
    /// Change of the share of events that have a value in a column.
    pub null_share: f64,
    /// Factor by which amounts may differ.
    pub value_ratio: f64,
    /// Fall of the share of ids that came before.
    pub returning_drop: f64,
    /// PSI of platforms and of zones.
    pub mix_distance: f64,
    /// PSI of the hours of the day.
    pub hours_distance: f64,
    /// Nats an active hour.
    pub clock_gain: f64,
    /// Hours without an event at a day's end beyond the longest such silence before.
    pub silent_hours: i64,
    /// Share of a day's events that one user may have.
    pub busiest_share: f64,
    /// Share of a day's events that may repeat another.
    pub repeated_share: f64,
    /// Rise of the same.
    pub repeated_rise: f64,
}

/// `[drift]`: when a champion is no longer what it was.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct DriftConfig {
    /// PSI of the probabilities.
    pub score_psi: f64,
    /// PSI of an input that carries weight.
    pub input_psi: f64,
    /// Share of the champion's weight that makes an input carry it.
    pub input_weight: f64,
    /// What observed over expected may differ from 1 by, beyond its interval.
    pub calibration_margin: f64,
    /// Rows that reached the goal, and that did not, from which calibration is judged.
    pub least_outcomes: usize,
    /// Newest moments that the champion was trained on, as the reference.
    pub reference_moments: usize,
}

/// `[profiles]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ProfilesConfig {
    /// Days.
    pub interest_half_life_days: f64,
    /// Days.
    pub rhythm_half_life_days: f64,
    /// Days.
    pub fatigue_half_life_days: f64,
    /// Entries kept of each list feature.
    pub longest_list: usize,
    /// Pseudo-count of the smoothed rates.
    pub rate_prior_pushes: f64,
}

/// `[send_time]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SendTimeConfig {
    /// Coverage of the interval, in (0, 1).
    pub interval: f64,
}

/// `[planning]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct PlanningConfig {
    /// Most sends of all campaigns in a minute; absent: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub throttle_per_minute: Option<u32>,
    /// Most sends of all campaigns in an hour (UTC); absent: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub most_per_hour: Option<u32>,
    /// What reaching a person counts beside what is expected of the push, as a share of the mean best option's value.
    pub reach: f64,
    /// Parts that the hand-off is cut into, by user.
    pub shards: u32,
    /// Seed: in which order users are served when they are worth the same.
    pub seed: u64,
}

/// `[segments]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentsConfig {
    /// Fewer people than this are not told to marketers.
    pub privacy_threshold: u64,
}

/// `[feedback]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct FeedbackConfig {
    /// Hours after a push reached its user in which an event may belong to it.
    pub attribution_window_hours: i64,
}

/// `[serve]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ServeConfig {
    /// Seconds between looks for changes.
    pub refresh_seconds: u64,
    /// Does an answer wait until its record is on the disk?
    pub sync_log: bool,
    /// Seconds that a request may take.
    pub request_timeout_seconds: u64,
    /// Seconds that a connection may be without a whole header.
    pub header_timeout_seconds: u64,
    /// Requests worked on at once.
    pub most_requests: usize,
    /// Connections open at once.
    pub most_connections: usize,
    /// Bytes of a body as sent.
    pub max_body_bytes: usize,
    /// Bytes of a body once decompressed.
    pub max_decoded_bytes: usize,
    /// Items of a batch.
    pub max_batch_items: usize,
}

/// A way to learn a goal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Regularised logistic regression over all rows at once.
    LogisticRegression,
    /// Logistic regression online, one row after the other.
    Ftrl,
    /// Gradient-boosted trees.
    GradientBoosting,
}

/// `[training]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TrainingConfig {
    /// What competes; the first wins unless another is clearly better.
    pub methods: Vec<Method>,
    /// Hours that an event may be late: labels count only when that much lies behind their window.
    pub allowed_lateness_hours: i64,
    /// Newest moments that examples are taken at.
    pub most_moments: usize,
    /// Newest days that goals about contents are learned from.
    pub most_days: usize,
    /// Contents that are candidates for one user.
    pub candidates: usize,
    /// Users at moments looked at, at most, for goals about contents.
    pub most_users: usize,
    /// Negative examples kept at most, for goals about contents.
    pub most_negatives: usize,
    /// Seed of draws.
    pub seed: u64,
    /// Users that no model learns from: staff, bots, tests.
    pub excluded_users: Vec<String>,
}

/// `[gates]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct GatesConfig {
    /// Rows of the test part.
    pub least_rows: usize,
    /// Rows of either outcome in the test part, and in a slice that is judged.
    pub least_positives: usize,
    /// Share of the rows that one user may have.
    pub most_of_one_user: f64,
    /// AUC that one input may have alone.
    pub most_auc_of_one_input: f64,
    /// Calibration error that always passes.
    pub most_ece: f64,
    /// Calibration error that passes, as a share of the base rate.
    pub most_ece_of_base_rate: f64,
    /// PSI that an input may move by from calibrate to test part.
    pub most_psi_of_one_input: f64,
    /// PSI that probabilities may move by.
    pub most_psi_of_scores: f64,
}

/// `[evaluation]`
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct EvaluationConfig {
    /// Days held out when no cut is given.
    pub held_out_days: i64,
    /// Bootstrap draws.
    pub bootstrap_draws: usize,
    /// Seed of the draws.
    pub seed: u64,
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
    #[error("bad_config: {place}: {detail}")]
    Invalid {
        /// File or environment variable, and key.
        place: String,
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
        let mut place = "config.default.toml".to_string();
        let mut is_zone_set = false;
        if let Some((name, text)) = file {
            let own = parse_table(name, text)?;
            is_zone_set |= own.contains_key("default_time_zone");
            overlay(&mut table, own);
            place = name.to_string();
        }
        for (variable, value) in environment.iter().filter(|(name, _)| name.starts_with(ENVIRONMENT_PREFIX)) {
            let own = environment_table(variable, value)?;
            is_zone_set |= own.contains_key("default_time_zone");
            overlay(&mut table, own);
            place = format!("{place} and the environment");
        }
        let mut config: Config =
            serde_path_to_error::deserialize(toml::Value::Table(table)).map_err(|error| {
                ConfigError::Invalid {
                    place: format!("{place}: {}", error.path()),
                    detail: error.inner().to_string(),
                }
            })?;
        config.check_goals().map_err(|(key, detail)| ConfigError::Invalid {
            place: format!("{place}: goals.{key}"),
            detail,
        })?;
        config.check_channels().map_err(|(key, detail)| ConfigError::Invalid {
            place: format!("{place}: channels.{key}"),
            detail,
        })?;
        config
            .check()
            .map_err(|(key, detail)| ConfigError::Invalid { place: format!("{place}: {key}"), detail })?;
        Zone::find(&config.default_time_zone)?;
        config.default_time_zone_is_set = is_zone_set;
        Ok(config)
    }

    /// Whole settings, each with the least that makes sense and the most that arithmetic on days and bytes can bear.
    fn check_whole(&self) -> Result<(), (&'static str, String)> {
        const CENTURY: i64 = 36_500;
        const GIB: usize = 1 << 30;
        let (ingest, health) = (&self.ingest, &self.health);
        let ranges = [
            ("ingest.chunk_rows", ingest.chunk_rows as i64, 1, i64::MAX),
            ("ingest.max_record_bytes", ingest.max_record_bytes as i64, 1, GIB as i64),
            ("ingest.staging_memory_mib", ingest.staging_memory_mib as i64, 0, 1 << 20),
            ("ingest.future_tolerance_hours", ingest.future_tolerance_hours, 0, CENTURY * 24),
            ("health.days", health.days as i64, 1, CENTURY),
            ("health.trailing_days", health.trailing_days as i64, 14, CENTURY),
            ("health.least_events", health.least_events as i64, 20, i64::MAX),
            ("health.vanished_days", health.vanished_days as i64, 1, CENTURY),
            ("health.least_new_events", health.least_new_events as i64, 1, i64::MAX),
            ("health.silent_hours", health.silent_hours, 0, 24),
            ("drift.least_outcomes", self.drift.least_outcomes as i64, 1, i64::MAX),
            ("drift.reference_moments", self.drift.reference_moments as i64, 1, 1_000),
            ("evaluation.held_out_days", self.evaluation.held_out_days, 1, CENTURY),
            ("serve.refresh_seconds", self.serve.refresh_seconds as i64, 1, 86_400),
            ("serve.request_timeout_seconds", self.serve.request_timeout_seconds as i64, 1, 3_600),
            ("serve.header_timeout_seconds", self.serve.header_timeout_seconds as i64, 1, 3_600),
            ("serve.most_requests", self.serve.most_requests as i64, 1, 1_000_000),
            ("serve.most_connections", self.serve.most_connections as i64, 1, 1_000_000),
            ("serve.max_body_bytes", self.serve.max_body_bytes as i64, 1, GIB as i64),
            ("serve.max_decoded_bytes", self.serve.max_decoded_bytes as i64, 1, GIB as i64),
            ("segments.privacy_threshold", self.segments.privacy_threshold as i64, 0, 1_000_000),
            ("planning.shards", self.planning.shards.into(), 1, 1_024),
            ("serve.max_batch_items", self.serve.max_batch_items as i64, 1, 1_000_000),
            ("training.allowed_lateness_hours", self.training.allowed_lateness_hours, 0, CENTURY * 24),
            ("training.most_moments", self.training.most_moments as i64, 4, 1_000),
            ("training.most_days", self.training.most_days as i64, 4, 1_000),
            ("training.candidates", self.training.candidates as i64, 1, 5_000),
            ("training.most_users", self.training.most_users as i64, 1_000, 1_000_000_000),
            ("training.most_negatives", self.training.most_negatives as i64, 1_000, 100_000_000),
            ("gates.least_rows", self.gates.least_rows as i64, 1, i64::MAX),
            ("gates.least_positives", self.gates.least_positives as i64, 1, i64::MAX),
            ("decisions.horizon_hours", i64::from(self.decisions.horizon_hours), 1, 168),
            ("decisions.most_contents", self.decisions.most_contents as i64, 1, 500),
            ("decisions.minimum_gap_minutes", i64::from(self.decisions.minimum_gap_minutes), 0, 30 * 1_440),
            ("decisions.repeat_sleep_hours", i64::from(self.decisions.repeat_sleep_hours), 0, 30 * 24),
            ("decisions.ttl_seconds", i64::from(self.decisions.ttl_seconds), 60, 28 * 86_400),
            ("feedback.attribution_window_hours", self.feedback.attribution_window_hours, 1, 8_760),
            ("evaluation.bootstrap_draws", self.evaluation.bootstrap_draws as i64, 1, 1_000_000),
        ];
        match ranges.into_iter().find(|(_, value, least, most)| !(least..=most).contains(&value)) {
            Some((key, value, least, most)) => {
                Err((key, format!("{value} is not a whole number from {least} to {most}")))
            }
            None => Ok(()),
        }
    }

    /// Ranges that types cannot say.
    fn check(&self) -> Result<(), (&'static str, String)> {
        self.check_whole()?;
        self.profiles.check()?;
        self.check_health()?;
        if self.training.methods.is_empty() {
            return Err(("training.methods", "names no method".into()));
        }
        self.check_gates()?;
        self.check_decisions()?;
        if !(self.send_time.interval > 0.0 && self.send_time.interval < 1.0) {
            return Err((
                "send_time.interval",
                format!("{} is not between 0 and 1", self.send_time.interval),
            ));
        }
        Ok(())
    }
}

impl Config {
    fn check_gates(&self) -> Result<(), (&'static str, String)> {
        let gates = &self.gates;
        let limits = [
            ("gates.most_of_one_user", gates.most_of_one_user),
            ("gates.most_auc_of_one_input", gates.most_auc_of_one_input),
            ("gates.most_ece", gates.most_ece),
            ("gates.most_ece_of_base_rate", gates.most_ece_of_base_rate),
            ("gates.most_psi_of_one_input", gates.most_psi_of_one_input),
            ("gates.most_psi_of_scores", gates.most_psi_of_scores),
        ];
        match limits.into_iter().find(|(_, value)| value.is_nan() || *value < 0.0) {
            Some((key, value)) => Err((key, format!("{value} is not a number from 0"))),
            None => Ok(()),
        }
    }
}

impl ProfilesConfig {
    /// Ranges that types cannot say; the key is named in full.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        let positive = [
            ("profiles.interest_half_life_days", self.interest_half_life_days),
            ("profiles.rhythm_half_life_days", self.rhythm_half_life_days),
            ("profiles.fatigue_half_life_days", self.fatigue_half_life_days),
            ("profiles.rate_prior_pushes", self.rate_prior_pushes),
        ];
        match positive.into_iter().find(|(_, value)| !value.is_finite() || *value <= 0.0) {
            Some((key, value)) => Err((key, format!("{value} is not a positive number"))),
            None => Ok(()),
        }
    }
}

impl Config {
    fn check_goals(&self) -> Result<(), (String, String)> {
        for (name, goal) in &self.goals {
            if !is_goal_name(name) {
                return Err((name.clone(), "a goal's name is a_z, 0_9 and _, at most 64".into()));
            }
            goal.check().map_err(|(field, detail)| (format!("{name}.{field}"), detail))?;
        }
        Ok(())
    }

    fn check_channels(&self) -> Result<(), (String, String)> {
        for (name, channel) in &self.channels {
            if !is_valid_id(name) {
                let detail = "a channel's name is 1 to 128 bytes of text without control characters";
                return Err((format!("{name:?}"), detail.into()));
            }
            channel.check().map_err(|(field, detail)| (format!("{name}.{field}"), detail))?;
        }
        Ok(())
    }

    fn check_health(&self) -> Result<(), (&'static str, String)> {
        let (health, drift) = (&self.health, &self.drift);
        let ranges = [
            ("health.volume_ratio", health.volume_ratio, 1.0, 1e6),
            ("health.null_share", health.null_share, 0.0, 1.0),
            ("health.value_ratio", health.value_ratio, 1.0, 1e9),
            ("health.returning_drop", health.returning_drop, 0.0, 1.0),
            ("health.mix_distance", health.mix_distance, 0.0, 1e3),
            ("health.hours_distance", health.hours_distance, 0.0, 1e3),
            ("health.clock_gain", health.clock_gain, 0.0, 1e3),
            ("health.busiest_share", health.busiest_share, 0.0, 1.0),
            ("health.repeated_share", health.repeated_share, 0.0, 1.0),
            ("health.repeated_rise", health.repeated_rise, 0.0, 1.0),
            ("drift.score_psi", drift.score_psi, 0.0, 1e3),
            ("drift.input_psi", drift.input_psi, 0.0, 1e3),
            ("drift.input_weight", drift.input_weight, 0.0, 1.0),
            ("drift.calibration_margin", drift.calibration_margin, 0.0, 1e3),
        ];
        let outside = |(_, value, least, most): &(_, f64, f64, f64)| !(*least..=*most).contains(value);
        if let Some((key, value, least, most)) = ranges.into_iter().find(outside) {
            return Err((key, format!("{value} is not a number from {least} to {most}")));
        }
        match health.known_days.iter().find(|day| Day::parse(day).is_none()) {
            Some(day) => Err(("health.known_days", format!("{day:?} is not YYYY-MM-DD"))),
            None => Ok(()),
        }
    }

    fn check_decisions(&self) -> Result<(), (&'static str, String)> {
        let decisions = &self.decisions;
        let ranges = [
            ("decisions.holdout_percent", decisions.holdout_percent, 100.0),
            ("decisions.goal_value", decisions.goal_value, 1e9),
            ("decisions.opt_out_cost", decisions.opt_out_cost, 1e9),
            ("decisions.opt_out_probability", decisions.opt_out_probability, 1.0),
            ("decisions.fatigue_price", decisions.fatigue_price, 1e9),
            ("decisions.channel_cost", decisions.channel_cost, 1e9),
            ("decisions.repeat_half_life_hours", decisions.repeat_half_life_hours, 1e6),
            ("decisions.cold_start_evidence", decisions.cold_start_evidence, 1e9),
            ("decisions.exploration_percent", decisions.exploration_percent, 100.0),
            ("planning.reach", self.planning.reach, 1e3),
            ("decisions.exploration_temperature", decisions.exploration_temperature, 1e9),
        ];
        if let Some((key, value, most)) =
            ranges.into_iter().find(|(_, value, most)| !(0.0..=*most).contains(value))
        {
            return Err((key, format!("{value} is not a number from 0 to {most}")));
        }
        if decisions.exploration_temperature == 0.0 {
            return Err(("decisions.exploration_temperature", "0 is not a positive number".into()));
        }
        if Zone::find(&decisions.vendor_quota.time_zone).is_err() {
            let zone = &decisions.vendor_quota.time_zone;
            return Err(("decisions.vendor_quota.time_zone", format!("{zone:?} is no time zone")));
        }
        let ends = [
            ("decisions.quiet_from", &decisions.quiet_from),
            ("decisions.quiet_until", &decisions.quiet_until),
        ];
        match ends.into_iter().find(|(_, text)| !text.is_empty() && MinuteOfDay::parse(text).is_none()) {
            Some((key, text)) => Err((key, format!("{text:?} is neither HH:MM nor empty"))),
            None => Ok(()),
        }
    }
}

fn parse_table(place: &str, text: &str) -> Result<toml::Table, ConfigError> {
    text.parse().map_err(|error: toml::de::Error| ConfigError::Invalid {
        place: place.to_string(),
        detail: error.to_string().trim().to_string(),
    })
}

/// Puts every value of `above` over the one in `below`, table by table.
fn overlay(below: &mut toml::Table, above: toml::Table) {
    for (key, value) in above {
        match (below.get_mut(&key), value) {
            (Some(toml::Value::Table(old)), toml::Value::Table(new)) => overlay(old, new),
            (_, value) => {
                below.insert(key, value);
            }
        }
    }
}

/// `SMARTPUSH__A__B=v` as the table `[a] b = v`; a value that is not TOML is text.
fn environment_table(variable: &str, value: &str) -> Result<toml::Table, ConfigError> {
    let keys: Vec<String> = variable[ENVIRONMENT_PREFIX.len()..].split("__").map(str::to_lowercase).collect();
    if keys.iter().any(String::is_empty) {
        return Err(ConfigError::Invalid { place: variable.to_string(), detail: "an empty key".into() });
    }
    let parsed = format!("v = {value}").parse::<toml::Table>().ok().and_then(|mut table| table.remove("v"));
    let leaf = parsed.unwrap_or_else(|| toml::Value::String(value.to_string()));
    let nested = keys
        .into_iter()
        .rev()
        .fold(leaf, |inner, key| toml::Value::Table([(key, inner)].into_iter().collect()));
    match nested {
        toml::Value::Table(table) => Ok(table),
        _ => unreachable!("at least one key wraps the value"),
    }
}
