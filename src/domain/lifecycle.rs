//! Where a user stands between arriving and leaving.

use super::time::{DAY, Instant};

/// A user's stage of life as of a moment; the first that matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lifecycle {
    /// First activity within 30 days.
    New,
    /// Last activity within 30 days, after a gap of more than 90 days.
    Returned,
    /// Last activity within 30 days.
    Active,
    /// Last activity within 90 days.
    Cooling,
    /// Everybody else.
    Dormant,
}

impl Lifecycle {
    /// All stages, in the order in which people list them.
    pub const ALL: [Lifecycle; 5] =
        [Lifecycle::New, Lifecycle::Active, Lifecycle::Returned, Lifecycle::Cooling, Lifecycle::Dormant];

    /// The stage at `as_of` of a user with these moments of activity, oldest first, all before `as_of`.
    pub fn at(as_of: Instant, activity: impl IntoIterator<Item = Instant>) -> Lifecycle {
        let mut first = None;
        let mut last: Option<Instant> = None;
        let mut came_back = None;
        for moment in activity {
            first.get_or_insert(moment);
            if last.is_some_and(|before| moment.micros() - before.micros() > 90 * DAY) {
                came_back = Some(moment);
            }
            last = Some(moment);
        }
        let within = |moment: Option<Instant>, days: i64| {
            moment.is_some_and(|moment| as_of.micros() - moment.micros() <= days * DAY)
        };
        match () {
            _ if within(first, 30) => Lifecycle::New,
            _ if within(came_back, 30) => Lifecycle::Returned,
            _ if within(last, 30) => Lifecycle::Active,
            _ if within(last, 90) => Lifecycle::Cooling,
            _ => Lifecycle::Dormant,
        }
    }

    /// The word used in tables and segments.
    pub const fn as_str(self) -> &'static str {
        match self {
            Lifecycle::New => "new",
            Lifecycle::Returned => "returned",
            Lifecycle::Active => "active",
            Lifecycle::Cooling => "cooling",
            Lifecycle::Dormant => "dormant",
        }
    }
}
