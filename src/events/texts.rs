//! The texts of a content's record: a placeholder that is not valid rejects the record, so that an earlier version stays in force.

use serde_json::Value;

use super::cell::{Cell, FieldUpdate};
use super::columns::{Column, Contents, TableColumn, contents};
use domain::content::Variant;
use domain::preview::errors_of;
use domain::rejection::{Rejection, RejectionCode};
use domain::template::Template;

/// Checks the texts that would be sent: those of the variants, else title and body. Other tables have none of them.
///
/// # Errors
/// The first placeholder that is not valid: variant, part and position.
pub(super) fn check_texts(columns: &[TableColumn], patch: &[FieldUpdate]) -> Result<(), Rejection> {
    let text = |column: Column<Contents>| match patch.get(column.index_in(columns)?) {
        Some(FieldUpdate::Cell(Some(Cell::Text(text)))) => Some(text.as_str()),
        _ => None,
    };
    let written: Option<Value> = text(contents::VARIANTS).and_then(|text| serde_json::from_str(text).ok());
    // Variants that cannot be read are kept and never sent.
    let variants = written.and_then(|written| Variant::read_all(&written).ok()).unwrap_or_default();
    if variants.is_empty() {
        let (title, body) = (text(contents::TITLE), text(contents::BODY));
        return check("", title.unwrap_or_default(), body.unwrap_or_default());
    }
    variants.iter().try_for_each(|variant| {
        let place = match variant.variant_id.as_str() {
            "" => String::new(),
            id => format!("variant {id:?}, "),
        };
        check(&place, &variant.title, &variant.body)
    })
}

fn check(place: &str, title: &str, body: &str) -> Result<(), Rejection> {
    let (title, body) = (Template::parse(title), Template::parse(body));
    match errors_of(&[(contents::TITLE.name(), &title), (contents::BODY.name(), &body)]).first() {
        None => Ok(()),
        Some(error) => Err(Rejection::new(RejectionCode::BadTemplate, format!("{place}{error}"))),
    }
}
