//! What an evaluation looks up of each person, by typed keys: no text of a segment names a column of a table.

use std::collections::BTreeSet;
use std::fmt;

use super::event_lookup::EventLookup;
use super::field_type::FieldType;
use super::predicate::Predicate;

/// One thing known, or unknown, of each person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LookupKey {
    /// His id: a text.
    UserId,
    /// A feature of the profile, by its name.
    Feature(&'static str),
    /// What he, or who signed him up, said.
    Declared(DeclaredField),
    /// An attribute, read as values of this type; of a user whose value does not fit it is unknown.
    Attribute(String, FieldType),
    /// What is computed from everybody.
    Computed(Computed),
    /// Share of his own events that this category has; 0 without any.
    Interest(String),
    /// Share of his own events that this tag has; 0 without any.
    TagInterest(String),
    /// A number over some of his events.
    Events(EventLookup),
    /// Probability of a goal.
    Propensity(String),
    /// 1 … 10 by the probability of a goal; 10: the most likely.
    PropensityDecile(String),
    /// 0 … 99, drawn for this name.
    Bucket(String),
    /// Is he on this list? A truth.
    List(String),
}

impl LookupKey {
    /// Does looking it up read and fit all events, which takes seconds?
    pub fn is_learned(&self) -> bool {
        match self {
            LookupKey::Propensity(_) | LookupKey::PropensityDecile(_) => true,
            LookupKey::Computed(computed) => {
                matches!(computed, Computed::BestHour | Computed::BestHourOfWeek | Computed::RhythmGroup)
            }
            _ => false,
        }
    }
}

/// Fields of a declared user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeclaredField {
    /// granted, denied, unknown or unreadable.
    Consent,
    /// Did they refuse to be pushed, withdraw their consent, or can it not be read?
    OptedOut,
    /// Would the rules of decisions let a push out to them, but for caps, which pass by themselves?
    CanBePushed,
    /// May what he did decide what he gets?
    Personalisation,
    /// Most pushes on one of his days.
    MaxPerDay,
    /// Categories he does not want to hear of.
    MutedCategories,
    /// Channels of his devices.
    Channels,
    /// Sign-up.
    CreatedAt,
}

/// Fields that take all people to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Computed {
    /// Hour of the day with the largest probability of activity.
    BestHour,
    /// Hour of the week with the largest probability of activity.
    BestHourOfWeek,
    /// Name of the rhythm group.
    RhythmGroup,
    /// Fifth by time since the last purchase.
    RfmRecency,
    /// Fifth by orders.
    RfmFrequency,
    /// Fifth by revenue.
    RfmMoney,
}

impl LookupKey {
    /// Are its values a small closed set of ours, so that their names tell nothing of anybody?
    pub fn is_closed(&self) -> bool {
        match self {
            LookupKey::Feature(name) => matches!(*name, "lifecycle" | "time_zone_source"),
            LookupKey::Declared(declared) => {
                matches!(
                    declared,
                    DeclaredField::Consent
                        | DeclaredField::OptedOut
                        | DeclaredField::CanBePushed
                        | DeclaredField::Personalisation
                )
            }
            LookupKey::Computed(computed) => *computed != Computed::BestHourOfWeek,
            LookupKey::PropensityDecile(_) | LookupKey::List(_) => true,
            _ => false,
        }
    }
}

impl fmt::Display for LookupKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LookupKey::UserId => f.write_str("user_id"),
            LookupKey::Feature(name) => f.write_str(name),
            LookupKey::Declared(declared) => write!(f, "{declared:?}"),
            LookupKey::Attribute(name, _) => write!(f, "attribute({name:?})"),
            LookupKey::Computed(computed) => write!(f, "{computed:?}"),
            LookupKey::Interest(category) => write!(f, "interest({category:?})"),
            LookupKey::TagInterest(tag) => write!(f, "tag_interest({tag:?})"),
            LookupKey::Events(lookup) => lookup.fmt(f),
            LookupKey::Propensity(goal) => write!(f, "propensity({goal:?})"),
            LookupKey::PropensityDecile(goal) => write!(f, "propensity_decile({goal:?})"),
            LookupKey::Bucket(salt) => write!(f, "bucket({salt:?})"),
            LookupKey::List(id) => write!(f, "in_segment({id:?})"),
        }
    }
}

/// What a predicate looks up: the caller computes this and no more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// In order.
    pub keys: BTreeSet<LookupKey>,
}

impl Needs {
    /// Does it ask who somebody is? Marketers may not.
    pub fn names_people(&self) -> bool {
        self.keys.contains(&LookupKey::UserId)
    }
}

/// What a predicate looks up.
pub fn needs(predicate: &Predicate) -> Needs {
    let mut needs = Needs::default();
    gather(predicate, &mut needs.keys);
    needs
}

fn gather(predicate: &Predicate, keys: &mut BTreeSet<LookupKey>) {
    match predicate {
        Predicate::Everybody => {}
        Predicate::All(members) | Predicate::Any(members) => {
            members.iter().for_each(|member| gather(member, keys));
        }
        Predicate::Not(negated) => gather(negated, keys),
        Predicate::Holds { key, .. } => {
            keys.insert(key.clone());
        }
    }
}
