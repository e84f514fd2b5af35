//! Errors of time zones and templates have their code and kind.

use domain::error::Coded;
use domain::error::ErrorKind::Caller;
use domain::placeholder::PlaceholderError;
use domain::template::{MissingValue, TemplateError};
use domain::zone::Zone;

use crate::coded::check;

#[test]
fn every_error_of_the_domain_has_its_code_and_kind() {
    let unknown = Zone::find("Nowhere/Land").unwrap_err();
    let misspelt = Zone::find("europe/paris").unwrap_err();
    check(&[
        (&unknown, "unknown_time_zone", Caller),
        (&misspelt, "unknown_time_zone", Caller),
        (&TemplateError { position: 1, what: PlaceholderError::EmptyName }, "bad_template", Caller),
        (&TemplateError { position: 7, what: PlaceholderError::Nested }, "bad_template", Caller),
        (&MissingValue { field: "name".into() }, "missing_value", Caller),
    ]);
}

#[test]
fn the_detail_of_an_error_is_its_text_without_its_code() {
    let unknown = Zone::find("Nowhere/Land").unwrap_err();
    assert_eq!(unknown.detail(), "unknown time zone \"Nowhere/Land\"");
    assert_eq!(unknown.to_string(), "unknown_time_zone: unknown time zone \"Nowhere/Land\"");
    let misspelt = Zone::find("europe/paris").unwrap_err();
    assert!(misspelt.detail().contains("Europe/Paris"), "{misspelt}");
}
