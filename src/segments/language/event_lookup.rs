//! A selection of events, checked: what is computed of each person, as part of a key.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use super::expression::Duration;
use super::number_question::NumberQuestion;

/// What is computed of the selected events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventAggregate {
    /// How many; 0 without any.
    Count,
    /// The sum of their values; 0 without any.
    Sum,
    /// Days since the last; unknown without one.
    Last,
    /// Days since the first; unknown without one.
    First,
}

impl EventAggregate {
    /// Its name in text and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            EventAggregate::Count => "count",
            EventAggregate::Sum => "sum",
            EventAggregate::Last => "last",
            EventAggregate::First => "first",
        }
    }
}

/// A number or a length of time over some events of each person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventLookup {
    /// What is computed.
    pub aggregate: EventAggregate,
    /// Name of the events.
    pub event: String,
    /// Window before the moment; `None`: all of the time before it.
    pub within: Option<Duration>,
    /// What else holds of them, in order.
    pub conditions: Vec<EventCondition>,
}

impl EventLookup {
    /// How many events of a name lie in a window.
    pub fn count(event: impl Into<String>, within: Duration) -> EventLookup {
        let (aggregate, within) = (EventAggregate::Count, Some(within));
        EventLookup { aggregate, event: event.into(), within, conditions: Vec::new() }
    }
}

/// What holds of an event. Of what the event does not say, nothing holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventCondition {
    /// Of the declared category of its content.
    Category(NameTest),
    /// Of the declared tags of its content.
    Tag(NameTest),
    /// Of its content.
    ContentId(NameTest),
    /// Of its campaign.
    CampaignId(NameTest),
    /// Of its channel, whose case does not matter: names are in lower case.
    Channel(NameTest),
    /// Of its value.
    Value(ValueTest),
}

/// One of some names, or none of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NameTest {
    /// The names, ascending.
    pub names: Vec<String>,
    /// Must it be another?
    pub is_negated: bool,
}

impl NameTest {
    /// The answer for a known name.
    pub fn holds(&self, name: &str) -> bool {
        self.holds_of_any([name])
    }

    /// The answer for several known names: one is among them, or, negated, none is.
    pub fn holds_of_any<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> bool {
        let is_among = |name: &str| self.names.binary_search_by(|one| one.as_str().cmp(name)).is_ok();
        names.into_iter().any(is_among) != self.is_negated
    }
}

/// A question about a value; as a part of a key it is ordered by the bits of its numbers.
#[derive(Clone, Debug)]
pub struct ValueTest(pub NumberQuestion);

impl ValueTest {
    fn rank(&self) -> (u8, Vec<u64>) {
        let kind = match self.0 {
            NumberQuestion::Equal(_) => 0,
            NumberQuestion::NotEqual(_) => 1,
            NumberQuestion::Less(_) => 2,
            NumberQuestion::AtMost(_) => 3,
            NumberQuestion::Greater(_) => 4,
            NumberQuestion::AtLeast(_) => 5,
            NumberQuestion::Between(..) => 6,
            NumberQuestion::OneOf(_) => 7,
        };
        (kind, self.0.values().into_iter().map(f64::to_bits).collect())
    }
}

impl PartialEq for ValueTest {
    fn eq(&self, other: &ValueTest) -> bool {
        self.rank() == other.rank()
    }
}

impl Eq for ValueTest {}

impl PartialOrd for ValueTest {
    fn partial_cmp(&self, other: &ValueTest) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ValueTest {
    fn cmp(&self, other: &ValueTest) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl Hash for ValueTest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.rank().hash(state);
    }
}

impl fmt::Display for EventLookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({:?}", self.aggregate.as_str(), self.event)?;
        if let Some(within) = self.within {
            write!(f, ", {within}")?;
        }
        for condition in &self.conditions {
            write!(f, ", {condition:?}")?;
        }
        f.write_str(")")
    }
}
