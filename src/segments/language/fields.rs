//! The catalogue: every field that a segment may ask for, with its type and a line for people; an editor offers it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::expression::{Expression, Subject};
pub use super::field_type::FieldType;
use super::keys::{Computed, DeclaredField, LookupKey};
use super::words::{is_field_name, nearest};
use crate::names::Names;
use domain::lifecycle::Lifecycle;
use domain::rhythm::Rhythm;
use profiles::features::{Aggregate, FEATURES, Feature, Interest};

/// One field.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CatalogueField {
    /// Its name in text and JSON.
    pub name: String,
    /// What its values are.
    #[serde(rename = "type")]
    pub field_type: FieldType,
    /// What a value of 1 is; empty without one.
    pub unit: &'static str,
    /// One line for people.
    pub description: String,
    /// All values, of a closed set; empty when any are possible.
    pub values: Vec<&'static str>,
    /// Does it say who somebody is?
    pub names_people: bool,
    /// What is looked up.
    #[serde(skip)]
    pub key: LookupKey,
}

/// Types of attributes, by name.
pub type AttributeTypes = BTreeMap<String, FieldType>;

/// A function of the language, as a field with arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Function {
    /// With its arguments, as one would type it.
    pub form: &'static str,
    /// What its values are.
    #[serde(rename = "type")]
    pub field_type: FieldType,
    /// One line for people.
    pub description: &'static str,
}

const fn function(form: &'static str, field_type: FieldType, description: &'static str) -> Function {
    Function { form, field_type, description }
}

/// Every function but `attribute`, whose type is its attribute's.
#[rustfmt::skip]
pub const FUNCTIONS: &[Function] = &[
    function("interest(\"dairy\")", FieldType::Number, "share of own events with contents of this category, newer ones count more; 0 without any"),
    function("tag_interest(\"vegan\")", FieldType::Number, "share of own events with contents of this tag, newer ones count more; 0 without any"),
    function("count(\"purchase\", 30d)", FieldType::Number, "events of this name in the window up to the moment; 0 without any"),
    function("count(\"purchase\", 60d, category = \"dairy\", value >= 20)", FieldType::Number, "those of them of which all tests hold: category, tag, content_id, campaign_id, channel, value; names are compared without case"),
    function("sum(\"purchase\", 60d, category = \"dairy\")", FieldType::Number, "sum of their values, such as money; 0 without any"),
    function("last(\"view\", category = \"dairy\")", FieldType::Duration, "time since the last such event, in all history or a window; unknown without one"),
    function("first(\"purchase\")", FieldType::Duration, "time since the first such event, in all history or a window; unknown without one"),
    function("propensity(\"purchase_7d\")", FieldType::Number, "calibrated probability of a goal about users"),
    function("propensity_decile(\"purchase_7d\")", FieldType::Number, "tenth of all people by that probability: 10 the most likely, 1 the least"),
    function("bucket(\"any name\")", FieldType::Number, "a draw from 0 to 99 that stays the same for a person and a name: bucket(\"a\") < 10 is a tenth"),
    function("in_segment(\"id\")", FieldType::Truth, "a member of another segment or list"),
];

/// What segments may ask for: built-in fields, the attributes that users declared, the goals that have models.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldCatalogue {
    fields: BTreeMap<String, CatalogueField>,
    attributes: BTreeMap<String, FieldType>,
    goals: Vec<String>,
    names: Names,
}

impl FieldCatalogue {
    /// The built-in fields, with these attributes, and goals about users (of unit `user_day`).
    ///
    /// An attribute whose name is a built-in field's, or reads as no field name, is asked for as `attribute("…")`.
    pub fn new(attributes: BTreeMap<String, FieldType>, goals: Vec<String>) -> FieldCatalogue {
        let own =
            FEATURES.iter().filter_map(feature_field).chain(recencies()).chain(declared()).chain(computed());
        let mut fields: BTreeMap<String, CatalogueField> =
            own.map(|field| (field.name.clone(), field)).collect();
        for (name, field_type) in attributes.iter().filter(|(name, _)| is_field_name(name)) {
            fields.entry(name.clone()).or_insert_with(|| {
                let key = LookupKey::Attribute(name.clone(), *field_type);
                field(name, *field_type, "", "an attribute that users were declared with", key)
            });
        }
        FieldCatalogue { fields, attributes, goals, names: Names::default() }
    }

    /// The same with the names of what events touch: an unknown one is then an error.
    pub fn with_names(self, names: Names) -> FieldCatalogue {
        FieldCatalogue { names, ..self }
    }

    /// Names of what events touch.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// All fields by name.
    pub fn fields(&self) -> impl Iterator<Item = &CatalogueField> {
        self.fields.values()
    }

    /// The field of a name.
    pub fn field(&self, name: &str) -> Option<&CatalogueField> {
        self.fields.get(name)
    }

    /// The field whose name is nearest, when one is near.
    pub fn nearest_field(&self, name: &str) -> Option<&str> {
        nearest(name, self.fields.keys().map(String::as_str))
    }

    /// The type of an attribute.
    pub fn attribute(&self, name: &str) -> Option<FieldType> {
        self.attributes.get(name).copied()
    }

    /// The attributes that an expression asks for, with their types; those of segments it names are not among them.
    pub fn attributes_in(&self, expression: &Expression) -> AttributeTypes {
        let mut types = AttributeTypes::new();
        self.gather(expression, &mut types);
        types
    }

    fn gather(&self, expression: &Expression, types: &mut AttributeTypes) {
        match expression {
            Expression::Everybody => {}
            Expression::All(members) | Expression::Any(members) => {
                members.iter().for_each(|member| self.gather(member, types));
            }
            Expression::Not(negated) => self.gather(negated, types),
            Expression::Condition(condition) => types.extend(self.attribute_of(&condition.subject)),
        }
    }

    fn attribute_of(&self, subject: &Subject) -> Option<(String, FieldType)> {
        match subject {
            Subject::Attribute(name) => Some((name.clone(), self.attribute(name)?)),
            Subject::Field(name) => match &self.field(name.as_str())?.key {
                LookupKey::Attribute(name, field_type) => Some((name.clone(), *field_type)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The attribute whose name is nearest, when one is near.
    pub fn nearest_attribute(&self, name: &str) -> Option<&str> {
        nearest(name, self.attributes.keys().map(String::as_str))
    }

    /// All values of what is looked up under a key, in their own order, when they are few words; else none.
    pub fn values(&self, key: &LookupKey) -> &[&'static str] {
        self.fields.values().find(|field| field.key == *key).map_or(&[], |field| &field.values)
    }

    /// Goals about users.
    pub fn goals(&self) -> &[String] {
        &self.goals
    }
}

fn field(
    name: &str,
    field_type: FieldType,
    unit: &'static str,
    description: &str,
    key: LookupKey,
) -> CatalogueField {
    let (name, description) = (name.to_string(), description.to_string());
    CatalogueField { name, field_type, unit, description, values: Vec::new(), names_people: false, key }
}

/// The field of a feature; lists of numbers, which only mean something beside their names, are none.
fn feature_field(feature: &Feature) -> Option<CatalogueField> {
    let field_type = match feature.aggregate {
        Aggregate::Sum => FieldType::Money,
        Aggregate::Count
        | Aggregate::DaysSinceLast
        | Aggregate::Weight
        | Aggregate::ActiveDays
        | Aggregate::ActiveHours
        | Aggregate::Sessions
        | Aggregate::Orders
        | Aggregate::SmoothedRate { .. }
        | Aggregate::Tenure => FieldType::Number,
        Aggregate::Context(_) | Aggregate::Lifecycle => FieldType::Text,
        Aggregate::Interest(Interest::Categories | Interest::Tags) | Aggregate::RecentContents => {
            FieldType::Set
        }
        Aggregate::Interest(Interest::CategoryShares | Interest::TagShares) | Aggregate::HoursOfWeek => {
            return None;
        }
    };
    let mut field =
        field(feature.name, field_type, feature.unit, feature.description, LookupKey::Feature(feature.name));
    field.values = match feature.name {
        "lifecycle" => Lifecycle::ALL.map(Lifecycle::as_str).to_vec(),
        "time_zone_source" => vec!["declared", "device", "default"],
        _ => Vec::new(),
    };
    Some(field)
}

/// Features in days under the names by which people ask for them.
fn recencies() -> impl Iterator<Item = CatalogueField> {
    [
        ("last_seen", "days_since_own_event", "since the last own event; unknown without one"),
        ("last_purchase", "days_since_purchase", "since the last purchase; unknown without one"),
        ("last_push", "days_since_push", "since the last push; unknown without one"),
        ("last_open", "days_since_open", "since a push was last opened; unknown without one"),
        ("tenure", "tenure_days", "since sign-up, else since the first event"),
    ]
    .into_iter()
    .map(|(name, feature, description)| {
        field(name, FieldType::Duration, "", description, LookupKey::Feature(feature))
    })
}

#[rustfmt::skip]
fn declared() -> Vec<CatalogueField> {
    let of = |name: &str, field_type, unit, description: &str, declared| {
        field(name, field_type, unit, description, LookupKey::Declared(declared))
    };
    let mut consent = of("consent", FieldType::Text, "", "has the user agreed to be pushed? Events that withdraw it count", DeclaredField::Consent);
    consent.values = vec!["granted", "denied", "unknown", "unreadable"];
    let mut user_id = field("user_id", FieldType::Text, "", "who he is", LookupKey::UserId);
    user_id.names_people = true;
    vec![
        user_id,
        consent,
        of("opted_out", FieldType::Truth, "", "refused to be pushed, withdrew their consent by a file or an event, or it cannot be read", DeclaredField::OptedOut),
        of("can_be_pushed", FieldType::Truth, "", "agreed, and no rule but a cap, which passes, keeps pushes from them", DeclaredField::CanBePushed),
        of("personalisation", FieldType::Truth, "", "what he did may decide what he gets", DeclaredField::Personalisation),
        of("max_per_day", FieldType::Number, "pushes", "most pushes a day that he allows; unknown when he set none", DeclaredField::MaxPerDay),
        of("muted_categories", FieldType::Set, "", "categories he does not want to hear of", DeclaredField::MutedCategories),
        of("channels", FieldType::Set, "", "channels of his devices; unknown when nobody said", DeclaredField::Channels),
        of("created_at", FieldType::Moment, "", "sign-up; unknown when nobody said", DeclaredField::CreatedAt),
    ]
}

#[rustfmt::skip]
fn computed() -> Vec<CatalogueField> {
    let of = |name: &str, field_type, unit, description: &str, computed| {
        field(name, field_type, unit, description, LookupKey::Computed(computed))
    };
    let mut rhythm_group =
        of("rhythm_group", FieldType::Text, "", "people of like rhythm, named by when they come more than others do; unknown with little history", Computed::RhythmGroup);
    rhythm_group.values = Rhythm::ALL.map(Rhythm::as_str).to_vec();
    vec![
        rhythm_group,
        of("best_hour", FieldType::Number, "hour", "local hour of the day, 0 to 23, at which he most probably comes", Computed::BestHour),
        of("best_hour_of_week", FieldType::Number, "hour", "local hour of the week, 0 (Monday 00:00) to 167, at which he most probably comes", Computed::BestHourOfWeek),
        of("rfm_recency", FieldType::Number, "fifth", "1 to 5 among buyers: 5 bought last; unknown of others", Computed::RfmRecency),
        of("rfm_frequency", FieldType::Number, "fifth", "1 to 5 among buyers: 5 has most orders in 90 days; unknown of others", Computed::RfmFrequency),
        of("rfm_money", FieldType::Number, "fifth", "1 to 5 among buyers: 5 has brought most revenue; unknown of others", Computed::RfmMoney),
    ]
}
