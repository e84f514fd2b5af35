//! All members of a segment as a file with its manifest.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::json;

use super::{AskError, AskOptions, Selection, answered};
use crate::context::Context;
use ::segments::answers::cache::View;
use ::segments::answers::desk::AskedSegment;
use ::segments::answers::export::{Export, frame_of, write};
use ::segments::answers::hashing::{hashed, leave_out_unmessageable};
use ::segments::answers::privacy::Reader;
use ::segments::language::keys::LookupKey;
use domain::identity::sha256_hex;
use domain::time::Instant;

/// What to write.
#[derive(Clone, Debug)]
pub struct ExportRequest {
    /// The segment.
    pub selection: Selection,
    /// Where to: its extension chooses the format.
    pub out: PathBuf,
    /// Fields as columns beside user_id, or functions such as `interest("DELI")`.
    pub columns: Vec<String>,
    /// The attribute whose hashes are written in place of ids.
    pub hash: Option<String>,
    /// Are the members to be messaged? Then those who opted out, gave no consent or have an unreadable
    /// preference are left out.
    pub is_for_messaging: bool,
}

/// What was written.
#[derive(Clone, Debug)]
pub struct ExportReport {
    /// The segment's id, if it is a saved one.
    pub segment: Option<String>,
    /// Its version; of one that is not saved, the version that it would have.
    pub version: String,
    /// What it says, as text.
    pub text: String,
    /// The moment that people are seen at.
    pub as_of: Instant,
    /// Members that are left out, by why; only what was asked for is named.
    pub left_out: BTreeMap<String, u64>,
    /// Rows, hash and manifest.
    pub export: Export,
}

/// Writes the members to a file, and beside it FILE.manifest.json.
///
/// # Errors
/// When the segment cannot be asked about, its members are too few to be shown to the reader, or a file cannot be written.
pub fn export(
    context: &Context<'_>,
    asking: AskOptions<'_>,
    request: &ExportRequest,
) -> Result<ExportReport, AskError> {
    context.check_out(&request.out)?;
    let (asked, as_of, frame, left_out) = answered(context, asking, |view, reader| {
        let as_of = view.as_of();
        let asked = request.selection.asked(&view.desk, as_of)?;
        let columns = columns(view, request.hash.as_slice().iter().chain(&request.columns), reader)?;
        let also = columns.iter().map(|(_, key)| key.clone()).collect();
        let mut evaluated = view.evaluate(std::slice::from_ref(&asked), reader, &also)?;
        let mut left_out = BTreeMap::new();
        if request.is_for_messaging {
            let users = leave_out_unmessageable(&mut evaluated.masks[0], &view.reach()?);
            left_out.insert("without_consent".to_string(), users.without_consent);
            if users.with_unreadable_preferences > 0 {
                left_out.insert("unreadable_preferences".to_string(), users.with_unreadable_preferences);
            }
        }
        reader.check_members(evaluated.count())?;
        let frame = match &request.hash {
            None => frame_of(&evaluated.people, &evaluated.masks[0], &columns)?,
            Some(attribute) => {
                let (frame, users) = hashed(&evaluated.people, &evaluated.masks[0], &columns[0])?;
                left_out.insert(format!("without_{attribute}"), users);
                frame
            }
        };
        Ok::<_, AskError>((asked, as_of, frame, left_out))
    })?;
    let text = asked.expression.to_string();
    let (segment, version) = named(&asked);
    let mut head = json!({ "segment": segment, "version": version, "where": text, "as_of": as_of });
    if !left_out.is_empty() {
        head["left_out"] = json!(left_out);
    }
    let export = write(&request.out, &frame, &head)?;
    Ok(ExportReport { segment, version, text, as_of, left_out, export })
}

fn columns<'f>(
    view: &View<'_>,
    fields: impl Iterator<Item = &'f String>,
    reader: Reader,
) -> Result<Vec<(String, LookupKey)>, AskError> {
    let mut columns: Vec<(String, LookupKey)> = Vec::new();
    for field in fields {
        let key = view.desk.field(field, view.as_of(), reader)?;
        if key == LookupKey::UserId || columns.iter().any(|(title, _)| title == field) {
            return Err(AskError::ColumnTwice(field.clone()));
        }
        columns.push((field.clone(), key));
    }
    Ok(columns)
}

fn named(asked: &AskedSegment) -> (Option<String>, String) {
    match &asked.card {
        Some(card) => (Some(card.segment_id.clone()), card.version.clone()),
        None => {
            let definition = json!({ "expression": asked.expression }).to_string();
            (None, sha256_hex(definition.as_bytes())[..12].to_string())
        }
    }
}
