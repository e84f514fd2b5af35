//! What is declared already, to compare a record with: the contents of campaigns, the categories of mutings, the countries of contents.

use std::collections::{BTreeMap, BTreeSet};

use super::catalogue::read_contents;
use super::cell::{Cell, FieldUpdate};
use super::columns::{TableColumn, campaigns, contents, users};
use super::countries::is_country_code;
use super::declared::DeclaredTable;
use super::request::InputKind;
use domain::nearest::nearest;
use domain::rejection::{Rejection, RejectionCode};
use domain::text::is_same_name;
use files::tables::TableError;
use files::workspace::Workspace;

/// What records of a kind are compared with.
pub(super) enum Known {
    /// Contents by id, each with whether there is anything to send of it.
    Contents(BTreeMap<String, bool>),
    /// Categories of contents, in lower case.
    Categories(BTreeSet<String>),
    /// Countries of users, in lower case.
    Countries(BTreeSet<String>),
    Nothing,
}

impl Known {
    pub(super) fn read(workspace: &Workspace, kind: InputKind) -> Result<Known, TableError> {
        Ok(match kind {
            InputKind::Campaigns => {
                let declared = read_contents(workspace)?.into_values();
                // Variants that cannot be read are refused for that, and were pointed out.
                let has_text = |content: domain::content::Content| {
                    let has_text = !content.variants.is_empty() || !content.unreadable.is_empty();
                    (content.content_id, has_text)
                };
                Known::Contents(declared.map(has_text).collect())
            }
            InputKind::Users => {
                let table = DeclaredTable::read(workspace, &[contents::CATEGORY])?;
                Known::Categories(in_lower_case(table.texts(contents::CATEGORY).iter()))
            }
            InputKind::Contents => {
                let table = DeclaredTable::read(workspace, &[users::COUNTRY])?;
                Known::Countries(in_lower_case(table.texts(users::COUNTRY).iter()))
            }
            InputKind::Events => Known::Nothing,
        })
    }

    /// Refuses a campaign that would send what nobody declared, or nothing at all.
    ///
    /// One that is not to send any more is taken: its former row might still send.
    pub(super) fn check(&self, columns: &[TableColumn], patch: &[FieldUpdate]) -> Result<(), Rejection> {
        let Known::Contents(declared) = self else { return Ok(()) };
        if declared.is_empty() {
            // The contents are still to come; until then nothing of the campaign is sent.
            return Ok(());
        }
        let text = |index: Option<usize>| match patch.get(index?) {
            Some(FieldUpdate::Cell(Some(Cell::Text(text)))) => Some(text.as_str()),
            _ => None,
        };
        let status = text(campaigns::STATUS.index_in(columns));
        if matches!(status, Some("paused" | "halted" | "ended")) {
            return Ok(());
        }
        let named = text(campaigns::CONTENTS.index_in(columns));
        named.into_iter().flat_map(|items| items.split(';')).try_for_each(|id| check_content(declared, id))
    }

    /// Items of a list that nothing declared has; such a muting or country has no effect.
    pub(super) fn unmatched(&self, column: &str, items: &str) -> Option<String> {
        let is_unknown = |item: &&str| match self {
            Known::Contents(declared) => declared.is_empty() && column == campaigns::CONTENTS.name(),
            Known::Categories(known) if column == users::MUTED_CATEGORIES.name() => {
                !known.is_empty() && !known.contains(&item.to_lowercase())
            }
            Known::Countries(known) if column == contents::COUNTRIES.name() => {
                !is_country_code(item) && !known.contains(&item.to_lowercase())
            }
            _ => false,
        };
        let unknown = items.split(';').find(is_unknown)?;
        let (what, known) = match self {
            Known::Categories(known) => ("the category of no content", known),
            Known::Countries(known) => {
                ("neither an ISO 3166 code of two letters nor the country of a user", known)
            }
            Known::Contents(_) => {
                return Some(format!("{column} {unknown:?}: no content is declared yet, so nothing is sent"));
            }
            Known::Nothing => return None,
        };
        Some(format!(
            "{column} {unknown:?} is {what}{}",
            meant(nearest(unknown, known.iter().map(String::as_str)))
        ))
    }
}

fn check_content(declared: &BTreeMap<String, bool>, id: &str) -> Result<(), Rejection> {
    let wrong = |detail: String| Err(Rejection::new(RejectionCode::UnknownContent, detail));
    match declared.get(id) {
        Some(true) => Ok(()),
        Some(false) => wrong(format!(
            "contents: {id:?} has neither a title, a body nor a variant, so there is nothing to send; ingest its text with \
             --kind contents first"
        )),
        None => {
            let separator =
                [',', '|'].into_iter().filter(|separator| id.contains(*separator)).find(|separator| {
                    id.split(*separator).all(|part| declared.keys().any(|known| is_same_name(known, part)))
                });
            let hint = match separator {
                Some(separator) => format!("; items are separated by `;`, not by `{separator}`"),
                None => meant(nearest(id, declared.keys().map(String::as_str))),
            };
            wrong(format!("contents: there is no content {id:?}{hint}; ingest contents before campaigns"))
        }
    }
}

fn meant(name: Option<&str>) -> String {
    name.map(|name| format!(" (did you mean {name:?}?)")).unwrap_or_default()
}

fn in_lower_case<'a>(names: impl Iterator<Item = Option<&'a str>>) -> BTreeSet<String> {
    names.flatten().map(str::to_lowercase).collect()
}
