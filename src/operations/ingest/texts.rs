//! What is wrong with the texts of contents: placeholders that are not valid, fields that no user has, pushes that are too large.

use std::collections::BTreeMap;

use domain::content::Variant;
use domain::preview::{UnknownField, errors_of, too_large, unknown_fields};
use domain::template::Template;
use events::catalogue::{DeclaredUsers, declared_fields, read_contents};
use events::request::InputKind;
use files::tables::TableError;
use files::workspace::Workspace;

/// Most warnings of one kind that are given in full.
const MOST: usize = 20;

/// A warning for each error of a content's texts; after an ingest of users, only for fields that none of them has.
pub(super) fn warnings(workspace: &Workspace, kind: InputKind) -> Result<Vec<String>, TableError> {
    if !matches!(kind, InputKind::Contents | InputKind::Users) {
        return Ok(Vec::new());
    }
    let (contents, fields) = (read_contents(workspace)?, declared_fields(workspace)?);
    // Before any user is declared, no field can be known.
    let has_users = !DeclaredUsers::read(workspace)?.is_empty();
    let (mut errors, mut sizes, mut unknown) = (Vec::new(), Vec::new(), UnknownFields::default());
    for content in contents.values() {
        for variant in &content.variants {
            let (title, body) = (Template::parse(&variant.title), Template::parse(&variant.body));
            let parts = [("title", &title), ("body", &body)];
            let place = place(&content.content_id, variant);
            let at = |what: String| format!("{place}, {what}");
            // The first of each text: the others often belong to it, and a preview shows them all.
            errors.extend(parts.iter().filter_map(|part| errors_of(&[*part]).into_iter().next()).map(at));
            sizes.extend(variant.oversize.and_then(too_large).map(at));
            if has_users {
                unknown.add(&place, unknown_fields(&parts, &fields));
            }
        }
    }
    let mut warnings = Vec::new();
    if kind == InputKind::Contents {
        warnings.extend(shown("bad_template", errors, "; the variant is never sent"));
        warnings.extend(shown("payload_too_large", sizes, "; the variant is never pushed"));
    }
    warnings.extend(shown("unknown_field", unknown.sentences(), ""));
    Ok(warnings)
}

/// Fields that no declared user has: each with how many texts ask for it, and the first of them.
#[derive(Default)]
struct UnknownFields {
    by_field: BTreeMap<String, (usize, String)>,
}

impl UnknownFields {
    fn add(&mut self, place: &str, unknown: Vec<UnknownField>) {
        for one in unknown {
            let first = format!("{place}, {one}");
            self.by_field.entry(one.field).or_insert((0, first)).0 += 1;
        }
    }

    fn sentences(self) -> Vec<String> {
        let sentence = |(count, first): (usize, String)| match count {
            1 => first,
            count => format!("{first} ({count} texts ask for this field; this is the first)"),
        };
        self.by_field.into_values().map(sentence).collect()
    }
}

fn place(content_id: &str, variant: &Variant) -> String {
    match variant.variant_id.as_str() {
        "" => format!("content {content_id:?}"),
        id => format!("content {content_id:?}, variant {id:?}"),
    }
}

/// The first ones in full, and how many more there are.
fn shown(code: &str, all: Vec<String>, consequence: &str) -> Vec<String> {
    let more = all.len().saturating_sub(MOST);
    let mut shown: Vec<String> =
        all.into_iter().take(MOST).map(|one| format!("{code}: {one}{consequence}")).collect();
    if more > 0 {
        shown.push(format!("{code}: {more} more; `smartpush preview CONTENT_ID` shows them"));
    }
    shown
}
