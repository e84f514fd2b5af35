//! How many are members, of which kinds, whom a push would reach: one answer about one segment.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::desk::{AskedSegment, Desk, DeskError};
use super::privacy::{Reader, Shown, show_groups};
use crate::answers::breakdown::{Breakdown, breakdown, parts};
use crate::language::fields::FieldCatalogue;
use crate::language::keys::LookupKey;
use crate::people::reach::{self, Reach};
use crate::people::{People, PeopleError};
use crate::saved::evaluations::MembershipChange;
use domain::time::Instant;

/// What every count is broken down by, beside who can be reached.
const USUAL: [&str; 4] = ["lifecycle", "platform", "locale", "time_zone"];

/// Fields that members are counted by, as they were written, with what each looks up.
#[derive(Clone, Debug)]
pub struct By {
    fields: Vec<(String, LookupKey)>,
}

impl By {
    /// The usual fields, and these.
    ///
    /// # Errors
    /// Of the first of these that is no field or that the reader may not ask for: its index among them, and why.
    pub fn read(
        desk: &Desk<'_>,
        more: &[String],
        as_of: Instant,
        reader: Reader,
    ) -> Result<By, (usize, DeskError)> {
        let usual = USUAL.iter().map(|field| (0, *field));
        let all = usual.chain(more.iter().enumerate().map(|(index, field)| (index, field.as_str())));
        let key = |(index, field): (usize, &str)| match desk.field(field, as_of, reader) {
            Ok(key) => Ok((field.to_string(), key)),
            Err(error) => Err((index, error)),
        };
        Ok(By { fields: all.map(key).collect::<Result<_, _>>()? })
    }

    /// What has to be looked up for a count.
    pub fn keys(&self) -> BTreeSet<LookupKey> {
        self.fields.iter().map(|(_, key)| key.clone()).chain(reach::needed()).collect()
    }

    /// Members by what keeps a push from them, then by each field.
    ///
    /// # Errors
    /// When a column is of a kind that no field has.
    pub fn breakdowns(
        &self,
        catalogue: &FieldCatalogue,
        people: &People,
        mask: &[bool],
        reached: &[Reach],
    ) -> Result<Vec<Breakdown>, PeopleError> {
        let mut members = [0; Reach::ALL.len()];
        let of_members = reached.iter().zip(mask).filter(|(_, taken)| **taken);
        of_members.for_each(|(reach, _)| members[*reach as usize] += 1);
        let named = Reach::ALL.map(Reach::as_str).into_iter().zip(members);
        let mut breakdowns = vec![parts("reach", named)];
        for (field, key) in &self.fields {
            let Some(column) = people.column(key) else { continue };
            let found = breakdown(field, column, mask)?;
            breakdowns.push(match key.is_closed() {
                true => found.closed(catalogue.values(key)),
                false => found,
            });
        }
        Ok(breakdowns)
    }
}

/// A count, for one reader.
#[derive(Clone, Debug)]
pub struct Counted {
    /// The segment.
    pub asked: AskedSegment,
    /// The moment that people are seen at.
    pub as_of: Instant,
    /// All of them.
    pub users: u64,
    /// Who reads.
    pub reader: Reader,
    /// How many are members.
    pub members: u64,
    /// The members by field.
    pub breakdowns: Vec<Breakdown>,
    /// Of a saved one: what is different from its evaluation before.
    pub change: Option<MembershipChange>,
}

impl Counted {
    /// One JSON object; a count that the reader may not see is null.
    pub fn to_json(&self) -> Value {
        let reader = self.reader;
        let mut report = json!({
            "as_of": self.as_of, "where": self.asked.expression.to_string(), "expression": self.asked.expression,
            "users": reader.show(self.users), "members": reader.show(self.members),
            "breakdowns": self.breakdowns.iter().map(|one| self.groups(one)).collect::<Vec<Value>>(),
        });
        if let Some(card) = &self.asked.card {
            report["segment"] = json!(card.segment_id);
            report["version"] = json!(card.version);
            report["change"] = json!(self.change.as_ref().map(|change| json!({
                "since": change.since.as_of, "since_version": change.since.version,
                "entered": reader.show(change.entered.len() as u64),
                "left": reader.show(change.left.len() as u64),
            })));
        }
        if let Reader::Marketer { threshold } = reader {
            report["hidden_below"] = json!(threshold);
        }
        report
    }

    fn groups(&self, breakdown: &Breakdown) -> Value {
        let group = |(value, members)| json!({ "value": value, "members": members });
        let groups: Vec<Value> = self.shown(breakdown).into_iter().map(group).collect();
        json!({ "by": breakdown.by, "groups": groups, "overlapping": breakdown.is_overlapping })
    }

    /// The groups as the reader may see them.
    pub fn shown(&self, breakdown: &Breakdown) -> Vec<(String, Shown)> {
        if !breakdown.is_closed {
            return show_groups(self.reader, &breakdown.groups);
        }
        let counts: Vec<u64> = breakdown.groups.iter().map(|(_, members)| *members).collect();
        let names = breakdown.groups.iter().map(|(value, _)| value.clone());
        names.zip(self.reader.show_parts(&counts)).collect()
    }
}
