//! Settings: defaults ← file ← environment, and errors that name the key.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

#[path = "../support/coded.rs"]
mod coded;
mod codes;

use std::fs;
use std::path::Path;

use config::{Config, DEFAULTS};

fn load(file: Option<&str>, environment: &[(&str, &str)]) -> Result<Config, String> {
    let directory = tempfile::tempdir().unwrap();
    if let Some(text) = file {
        fs::write(directory.path().join("smartpush.toml"), text).unwrap();
    }
    let environment: Vec<(String, String)> =
        environment.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    Config::load(directory.path(), None, &environment).map_err(|error| error.to_string())
}

#[test]
fn without_a_file_the_defaults_hold() {
    assert_eq!(load(None, &[("HOME", "/")]).unwrap(), Config::defaults());
}

#[test]
fn the_file_beats_the_defaults_and_the_environment_beats_the_file() {
    let file = "default_time_zone = \"Asia/Shanghai\"\n[ingest]\nchunk_rows = 7\n";
    let config = load(Some(file), &[("SMARTPUSH__INGEST__CHUNK_ROWS", "9")]).unwrap();
    assert_eq!(config.default_time_zone, "Asia/Shanghai");
    assert_eq!(config.ingest.chunk_rows, 9);
    assert_eq!(config.ingest.max_record_bytes, Config::defaults().ingest.max_record_bytes);
}

#[test]
fn the_default_zone_is_understood_as_a_cell_is() {
    for written in ["asia/shanghai", "China Standard Time"] {
        let config = load(None, &[("SMARTPUSH__DEFAULT_TIME_ZONE", written)]).unwrap();
        assert_eq!(config.default_time_zone, "Asia/Shanghai", "{written}");
    }
    assert!(load(None, &[("SMARTPUSH__DEFAULT_TIME_ZONE", "UTC+25")]).is_err());
}

#[test]
fn text_in_the_environment_needs_no_quotes() {
    let config = load(None, &[("SMARTPUSH__DEFAULT_TIME_ZONE", "Europe/Paris")]).unwrap();
    assert_eq!(config.default_time_zone, "Europe/Paris");
}

#[test]
fn what_cannot_be_used_is_named_by_its_file_and_key() {
    type Case = (&'static str, &'static [(&'static str, &'static str)], &'static [&'static str]);
    let cases: [Case; 16] = [
        ("[decisions]\nquiet_from = \"\"", &[], &["decisions.quiet_from", "none"]),
        ("[decisions]\nquiet_until = \"8\"", &[], &["decisions.quiet_until", "HH:MM"]),
        ("[ingest]\nchunk_row = 7", &[], &["smartpush.toml", "ingest", "chunk_row"]),
        ("[ingest]\nchunk_rows = \"many\"", &[], &["smartpush.toml", "ingest.chunk_rows", "many"]),
        ("[ingest]\nchunk_rows = 0", &[], &["ingest.chunk_rows", "0"]),
        ("[send_time]\ninterval = 1.0", &[], &["send_time.interval"]),
        ("[profiles]\nlongest_list = 0", &[], &["profiles.longest_list", "0 is not a whole number from 1"]),
        ("[planning]\nreach = -1.0", &[], &["planning.reach", "-1 is not a number from 0 to 1000"]),
        ("[profiles]\nrate_prior_pushes = nan", &[], &["profiles.rate_prior_pushes"]),
        ("default_time_zone = \"Mars/Olympus\"", &[], &["default_time_zone", "Mars/Olympus"]),
        ("[channels.push]\ntitle_length = 1000001", &[], &["channels.push.title_length", "1000001"]),
        ("[channels.push]\nbody_length = 0", &[], &["channels.push.body_length", "0"]),
        ("[channels.pager]\ntitle_length = 20", &[], &["channels.pager", "body_length"]),
        ("", &[("SMARTPUSH__CHANNELS__SMS__COST", "nan")], &["environment", "channels.sms.cost"]),
        ("not toml at all", &[], &["smartpush.toml", "line 1"]),
        ("", &[("SMARTPUSH__INGEST__NOTHING", "1")], &["environment", "nothing"]),
    ];
    for (file, environment, words) in cases {
        let error = load(Some(file), environment).unwrap_err();
        assert!(error.starts_with("bad_config: "), "{error}");
        for word in words {
            assert!(error.contains(word), "{file:?}: {error:?} does not name {word:?}");
        }
    }
}

#[test]
fn a_whole_setting_beyond_all_reason_is_refused_before_any_arithmetic_meets_it() {
    for key in [
        "INGEST__MAX_RECORD_BYTES",
        "INGEST__STAGING_MEMORY_MIB",
        "INGEST__FUTURE_TOLERANCE_HOURS",
        "PROFILES__LONGEST_LIST",
        "HEALTH__TRAILING_DAYS",
        "HEALTH__VANISHED_DAYS",
        "FEEDBACK__ATTRIBUTION_WINDOW_HOURS",
        "EVALUATION__HELD_OUT_DAYS",
        "EVALUATION__BOOTSTRAP_DRAWS",
    ] {
        for value in ["-1", "2147483648", "9223372036854775807"] {
            let error = load(None, &[(&format!("SMARTPUSH__{key}"), value)]).unwrap_err();
            let path = key.to_lowercase().replace("__", ".");
            assert!(error.contains(&path) && error.contains(value), "{error}");
        }
    }
}

#[test]
fn no_setting_that_is_a_number_may_be_nan() {
    fn floats(path: &str, value: &toml::Value, found: &mut Vec<String>) {
        match value {
            toml::Value::Table(table) => {
                table.iter().for_each(|(key, value)| floats(&format!("{path}__{key}"), value, found));
            }
            toml::Value::Float(_) => found.push(path.to_string()),
            _ => {}
        }
    }
    let (defaults, mut found) = (DEFAULTS.parse().unwrap(), Vec::new());
    floats("", &toml::Value::Table(defaults), &mut found);
    assert!(found.len() > 30, "{found:?}");
    for path in found {
        let error = load(None, &[(&format!("SMARTPUSH{}", path.to_uppercase()), "nan")]).unwrap_err();
        let key = path.trim_start_matches('_').replace("__", ".");
        assert!(error.contains(&format!("{key}: NaN")), "{error}");
    }
}

#[test]
fn a_config_file_that_is_named_must_exist() {
    let error = Config::load(Path::new("."), Some(Path::new("nowhere.toml")), &[]).unwrap_err().to_string();
    assert!(error.contains("nowhere.toml"), "{error}");
}

#[test]
fn an_absent_throttle_is_no_limit_and_0_is_kept_as_0() {
    let planning = |file: &str| load(Some(file), &[]).unwrap().planning;
    let absent = planning("");
    assert_eq!((absent.throttle_per_minute, absent.most_per_hour), (None, None));
    let stopped = planning("[planning]\nthrottle_per_minute = 0\nmost_per_hour = 0\n");
    assert_eq!((stopped.throttle_per_minute, stopped.most_per_hour), (Some(0), Some(0)));
    let set = load(None, &[("SMARTPUSH__PLANNING__THROTTLE_PER_MINUTE", "600")]).unwrap().planning;
    assert_eq!(set.throttle_per_minute, Some(600));
    for value in ["-1", "4294967296", "\"many\""] {
        let error = load(Some(&format!("[planning]\nmost_per_hour = {value}\n")), &[]).unwrap_err();
        assert!(error.contains("planning.most_per_hour"), "{error}");
    }
    let written = toml::to_string(&Config::defaults()).unwrap();
    assert!(!written.contains("throttle_per_minute"), "an absent limit is not written down");
}

#[test]
fn every_setting_has_a_comment_above_it() {
    let lines: Vec<&str> = DEFAULTS.lines().collect();
    let settings =
        lines.iter().enumerate().filter(|(_, line)| line.contains(" = ") && !line.starts_with('#'));
    for (index, line) in settings {
        assert!(index > 0 && lines[index - 1].starts_with('#'), "{line:?} has no comment");
    }
}
