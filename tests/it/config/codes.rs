//! Errors of the settings have their code and kind.

use std::io;

use config::ConfigError;
use domain::error::ErrorKind::Caller;
use domain::zone::Zone;

use crate::coded::check;

#[test]
fn every_error_of_the_settings_has_its_code_and_kind() {
    let unreadable =
        ConfigError::Unreadable { path: "smartpush.toml".into(), source: io::Error::other("gone") };
    let invalid = ConfigError::Invalid { origin: "smartpush.toml".into(), detail: "no TOML".into() };
    let zone = ConfigError::Zone(Zone::find("Nowhere/Land").unwrap_err());
    check(&[
        (&unreadable, "bad_config", Caller),
        (&invalid, "bad_config", Caller),
        (&zone, "bad_config", Caller),
    ]);
    assert_eq!(zone.to_string(), "bad_config: default_time_zone: unknown time zone \"Nowhere/Land\"");
}
