//! What everybody would choose at given prices.

use std::ops::Range;

use super::Task;
use super::audience::PART;
use super::bundle::{Finder, NONE};
use super::limits::JointRules;
use super::prices::Table;
use parallel::{in_chunks_with, sum_tallies};

/// The choices of some users, summed.
pub(super) struct Demand {
    /// Sends by (campaign, shape).
    pub(super) tally: Vec<u32>,
    /// No choices gain more than this, prices paid.
    pub(super) upper: f64,
}

/// Lets users choose at the prices of a table.
pub(super) fn at_prices<R: JointRules>(task: &Task<R>, table: &Table, users: &[u32]) -> Demand {
    let audience = task.audience;
    let start = || (Finder::new(audience, task.rules), vec![0_u32; table.len()]);
    let work = |(finder, tally): &mut (Finder<R>, Vec<u32>), range: Range<usize>| {
        let mut upper = 0.0;
        for user in &users[range] {
            let user = *user as usize;
            upper += choose(finder, table, user);
            for (campaign, pick) in finder.picks.iter().enumerate().filter(|(_, pick)| **pick != NONE) {
                let cell = &audience.cells(user, campaign)[*pick as usize];
                tally[table.index(campaign, cell.shape)] += 1;
            }
        }
        upper
    };
    let (uppers, helpers) = in_chunks_with(task.settings.threads, users.len(), PART / 8, start, work);
    let tally = sum_tallies(helpers.into_iter().map(|(_, tally)| tally), table.len());
    Demand { tally, upper: uppers.iter().sum() }
}

/// One user's choice is left in the finder; returns what no choice gains more than.
pub(super) fn choose<R: JointRules>(finder: &mut Finder<R>, table: &Table, user: usize) -> f64 {
    finder.find(user, |campaign, _, cell| f64::from(cell.value) - table.price(campaign, cell.shape)).upper
}

/// Everybody's picks at the prices of a table: for each user and campaign the index of a cell, or none.
pub(super) fn picks<R: JointRules>(task: &Task<R>, table: &Table) -> Vec<u32> {
    let start = || Finder::new(task.audience, task.rules);
    let work = |finder: &mut Finder<R>, range: Range<usize>| {
        let mut picks = Vec::with_capacity(range.len() * task.audience.campaigns());
        for user in range {
            choose(finder, table, user);
            picks.extend_from_slice(&finder.picks);
        }
        picks
    };
    in_chunks_with(task.settings.threads, task.audience.users(), PART, start, work).0.concat()
}
