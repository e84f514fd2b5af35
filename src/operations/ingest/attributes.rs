//! What new cells of users' attributes mean for the types of the attributes, and which segments and campaigns ask for them.

use std::collections::BTreeMap;

use crate::context::{Context, ContextError};
use events::catalogue::campaigns_for;
use files::workspace::Workspace;
use segments::language::fields::FieldType;
use segments::people::attributes::{AttributeCensus, attribute_censuses};
use segments::saved::versions::SavedSegments;

/// The cells of each attribute.
pub(super) type Censuses = BTreeMap<String, AttributeCensus>;

/// The cells of the attributes of all users.
pub(super) fn look(context: &Context<'_>) -> Result<Censuses, ContextError> {
    Ok(attribute_censuses(context.workspace)?)
}

/// A sentence for each attribute whose type has changed, or that has more cells than before that do not fit its type.
pub(super) fn warnings(context: &Context<'_>, before: &Censuses) -> Result<Vec<String>, ContextError> {
    let after = look(context)?;
    let readers = Readers::of(context.workspace);
    let none = AttributeCensus::default();
    let warning = |(name, now): (&String, &AttributeCensus)| {
        let former = before.get(name).unwrap_or(&none);
        let declared = context.config.attributes.get(name).map(|declared| FieldType::from(*declared));
        let changed = changed(name, former, now).filter(|_| declared.is_none());
        let own = || unfit(name, former, now, declared.unwrap_or_else(|| now.learned()));
        let kept = readers.kept(name, former, now);
        let sentence = changed.or_else(own).or_else(|| {
            let (field_type, _) = readers.of_attribute(name).first().filter(|_| kept.is_some())?;
            unfit(name, former, now, *field_type)
        })?;
        Some(format!("{sentence}{}", kept.unwrap_or_default()))
    };
    Ok(after.iter().filter_map(warning).collect())
}

fn changed(name: &str, before: &AttributeCensus, now: &AttributeCensus) -> Option<String> {
    let (was, is) = (before.learned(), now.learned());
    if before.cells() == 0 || was == is {
        return None;
    }
    let (count, first) = now.unfit(was);
    let why = first.map(|first| format!(": {count} of {} cells do not fit; the first: {first}", now.cells()));
    let (was, is) = (was.as_noun(), is.as_noun());
    Some(format!("attribute_type_changed: {name} was {was} and is {is} now{}", why.unwrap_or_default()))
}

fn unfit(
    name: &str,
    before: &AttributeCensus,
    now: &AttributeCensus,
    field_type: FieldType,
) -> Option<String> {
    let ((count, first), (former, _)) = (now.unfit(field_type), before.unfit(field_type));
    let first = first.filter(|_| count > former)?;
    let (cells, noun) = (now.cells(), field_type.as_noun());
    Some(format!(
        "attribute_unfit: {name} is {noun}, and {count} of {cells} cells do not fit: unknown for these users; the first: {first}"
    ))
}

/// The saved segments that ask for attributes, with the type that each keeps.
struct Readers {
    by_attribute: BTreeMap<String, Vec<(FieldType, String)>>,
}

impl Readers {
    /// Segments that cannot be read ask for nothing.
    fn of(workspace: &Workspace) -> Readers {
        let mut by_attribute: BTreeMap<String, Vec<(FieldType, String)>> = BTreeMap::new();
        let saved = SavedSegments::read(workspace).ok();
        let in_use = saved.iter().flat_map(SavedSegments::all);
        for segment in in_use.filter(|segment| segment.card.deleted_at.is_none()) {
            let id = &segment.card.segment_id;
            let campaigns = campaigns_for(workspace, id).unwrap_or_default();
            let named = match campaigns.is_empty() {
                true => id.clone(),
                false => format!("{id} (campaigns {})", campaigns.join(", ")),
            };
            for (name, field_type) in &segment.card.attribute_types {
                by_attribute.entry(name.clone()).or_default().push((*field_type, named.clone()));
            }
        }
        Readers { by_attribute }
    }

    fn of_attribute(&self, name: &str) -> &[(FieldType, String)] {
        self.by_attribute.get(name).map_or(&[], Vec::as_slice)
    }

    /// Which segments read an attribute as a type that more cells than before do not fit.
    fn kept(&self, name: &str, before: &AttributeCensus, now: &AttributeCensus) -> Option<String> {
        let readers = self.of_attribute(name).iter();
        let of = readers.filter(|(field_type, _)| now.unfit(*field_type).0 > before.unfit(*field_type).0);
        let named: Vec<String> = of
            .map(|(field_type, named)| {
                format!("segment {named} remembers {name} as {}", field_type.as_noun())
            })
            .collect();
        (!named.is_empty())
            .then(|| format!("; segments keep the type they were saved with: {}", named.join(", ")))
    }
}
