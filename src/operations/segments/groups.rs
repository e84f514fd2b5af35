//! People of like rhythm, named by when they come more than others do.

use super::{AskError, AskOptions, answered};
use crate::context::Context;
use ::segments::answers::privacy::{Reader, Shown};
use ::segments::language::keys::Needs;
use ::segments::people::People;
use curves::named_rhythms::{NamedRhythms, Peak, Stability, stability, weeks};
use domain::rhythm::Rhythm;
use domain::time::Instant;

/// Draws of the users whose groups are compared.
const DRAWS: u64 = 5;

/// The rhythm groups.
#[derive(Clone, Debug)]
pub struct GroupsReport {
    /// The moment that people are seen at.
    pub as_of: Instant,
    /// Who reads.
    pub reader: Reader,
    /// All people.
    pub users: Shown,
    /// The groups.
    pub groups: Vec<Group>,
    /// People in none of them.
    pub unknown: Shown,
    /// How alike groups are that are learned from draws of the users.
    pub stability: Stability,
}

/// A rhythm group.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name.
    pub rhythm: Rhythm,
    /// How many are in it.
    pub members: Shown,
    /// Where it stands out from everybody.
    pub peak: Peak,
}

/// Learns the rhythm groups and counts who is in each.
///
/// # Errors
/// When people or their activity cannot be read.
pub fn groups(context: &Context<'_>, asking: AskOptions<'_>) -> Result<GroupsReport, AskError> {
    answered(context, asking, |view, reader| {
        let (desk, as_of) = (&view.desk, view.as_of());
        let people = People::read(desk.workspace, Some(as_of), &Needs::default(), &desk.zone)?;
        let population = desk.population(as_of)?;
        let weeks = weeks(&population.histories);
        let rhythms = NamedRhythms::learn(&weeks);
        let mut counts = [0; Rhythm::ALL.len()];
        for (id, week) in population.ids.iter().zip(&weeks) {
            let rhythm = rhythms.rhythm_of(week).filter(|_| people.row_of(id).is_some());
            rhythm.into_iter().for_each(|rhythm| counts[rhythm as usize] += 1);
        }
        let unknown = people.len() as u64 - counts.iter().sum::<u64>();
        let mut shown = reader.show_parts(&[&counts[..], &[unknown]].concat());
        let unknown = shown.pop().unwrap_or(Shown::Exact(unknown));
        let group = |(rhythm, members)| Group { rhythm, members, peak: rhythms.peak(rhythm) };
        let groups = Rhythm::ALL.into_iter().zip(shown).map(group).collect();
        let (users, stability) = (reader.show(people.len() as u64), stability(&weeks, DRAWS));
        Ok(GroupsReport { as_of, reader, users, groups, unknown, stability })
    })
}
