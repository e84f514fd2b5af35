//! The segment expression: a typed tree of conditions on one person, which is also its JSON.
//!
//! Each node is an object of one key, so that a tree reads from the outside in:
//!
//! ```json
//! {"all": [
//!   {"condition": {"subject": {"field": "purchases_30d"}, "test": {">=": 2}}},
//!   {"condition": {"subject": {"interest": "dairy"}, "test": {">": 0.2}}},
//!   {"condition": {"subject": {"field": "last_seen"}, "test": {"<": {"duration": "14d"}}}},
//!   {"not": {"condition": {"subject": {"field": "opted_out"}, "test": "is_true"}}}
//! ]}
//! ```
//!
//! A value is a number, a text, a truth, `{"duration": "14d"}` or `{"moment": "2017-12-01"}`; `"everybody"` is everybody.
//! The same as text: `purchases_30d >= 2 and interest("dairy") > 0.2 and last_seen < 14d and not opted_out`.
//!
//! What is unknown of a person meets no condition: `country = "FR"` and `country != "FR"` both leave out whose country nobody
//! knows, and `not country = "FR"` takes him in, because `not` turns an answer round and asks nothing itself.
//! `is known` and `is unknown` ask for it by name.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::event_selection::EventSelection;
use super::words::is_field_name;
use domain::time::{Day, Instant, MINUTE};

/// Who belongs: a predicate over one person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expression {
    /// Every person.
    Everybody,
    /// All of these hold; at least one is named.
    All(Vec<Expression>),
    /// At least one of these holds; at least one is named.
    Any(Vec<Expression>),
    /// This does not hold.
    Not(Box<Expression>),
    /// What is asked of one thing known about the person.
    Condition(Condition),
}

/// A subject and what must hold of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// What is looked at.
    pub subject: Subject,
    /// What must hold of it.
    pub test: Test,
}

/// Something known, or unknown, about a person.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Subject {
    /// A field of the catalogue, or an attribute whose name reads as one.
    Field(FieldName),
    /// A declared attribute, whatever its name.
    Attribute(String),
    /// Share of his own events that this category has.
    Interest(String),
    /// Share of his own events that this tag has.
    TagInterest(String),
    /// How many of some events.
    Count(EventSelection),
    /// Sum of the values of some events.
    Sum(EventSelection),
    /// Time since the last of some events.
    Last(EventSelection),
    /// Time since the first of some events.
    First(EventSelection),
    /// Calibrated probability of a goal.
    Propensity(String),
    /// Tenth of the people that the propensity puts him in; 10: the most likely.
    PropensityDecile(String),
    /// A lasting draw from 0 … 99, different for each name.
    Bucket(String),
    /// Is he a member of this other segment?
    InSegment(String),
}

impl Subject {
    /// The events that it is about, with the name of the function.
    pub fn events(&self) -> Option<(&'static str, &EventSelection)> {
        match self {
            Subject::Count(selection) => Some(("count", selection)),
            Subject::Sum(selection) => Some(("sum", selection)),
            Subject::Last(selection) => Some(("last", selection)),
            Subject::First(selection) => Some(("first", selection)),
            _ => None,
        }
    }
}

/// What must hold of a subject.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// It is true.
    IsTrue,
    /// It is known.
    IsKnown,
    /// It is not known.
    IsUnknown,
    /// It equals the value; a date: it lies on that day.
    #[serde(rename = "=")]
    Equal(Value),
    /// It is known and something else.
    #[serde(rename = "!=")]
    NotEqual(Value),
    /// It is less, or earlier.
    #[serde(rename = "<")]
    Less(Value),
    /// It is not more, or not later.
    #[serde(rename = "<=")]
    AtMost(Value),
    /// It is more, or later.
    #[serde(rename = ">")]
    Greater(Value),
    /// It is not less, or not earlier.
    #[serde(rename = ">=")]
    AtLeast(Value),
    /// It is one of these; at least one is named.
    In(Vec<Value>),
    /// It lies between these, ends included.
    Between([Value; 2]),
    /// A text has this within it; a set has it as an element.
    Contains(Value),
}

impl Test {
    /// The values that it compares with.
    pub fn values(&self) -> &[Value] {
        match self {
            Test::IsTrue | Test::IsKnown | Test::IsUnknown => &[],
            Test::Equal(value) | Test::NotEqual(value) | Test::Less(value) | Test::AtMost(value) => {
                std::slice::from_ref(value)
            }
            Test::Greater(value) | Test::AtLeast(value) | Test::Contains(value) => {
                std::slice::from_ref(value)
            }
            Test::In(values) => values,
            Test::Between(values) => values,
        }
    }

    /// Its word in text and JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Test::IsTrue => "is_true",
            Test::IsKnown => "is_known",
            Test::IsUnknown => "is_unknown",
            Test::Equal(_) => "=",
            Test::NotEqual(_) => "!=",
            Test::Less(_) => "<",
            Test::AtMost(_) => "<=",
            Test::Greater(_) => ">",
            Test::AtLeast(_) => ">=",
            Test::In(_) => "in",
            Test::Between(_) => "between",
            Test::Contains(_) => "contains",
        }
    }
}

/// A name that stands in text without quotes: a letter or `_`, then letters, digits and `_`, at most 64, no word of the
/// language.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FieldName(String);

impl FieldName {
    /// `None` when the text does not read as a name.
    pub fn new(name: &str) -> Option<FieldName> {
        is_field_name(name).then(|| FieldName(name.to_string()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for FieldName {
    type Error = String;

    fn try_from(name: String) -> Result<FieldName, String> {
        FieldName::new(&name).ok_or_else(|| {
            let shown: String = name.chars().take(64).collect();
            format!(
                "{shown:?} is not the name of a field; an attribute of such a name is {{\"attribute\": …}}"
            )
        })
    }
}

impl From<FieldName> for String {
    fn from(name: FieldName) -> String {
        name.0
    }
}

/// What a condition compares with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "serde_json::Value", into = "serde_json::Value")]
pub enum Value {
    /// A finite number.
    Number(f64),
    /// A text.
    Text(String),
    /// True or false.
    Truth(bool),
    /// A length of time.
    Duration(Duration),
    /// A moment or a day.
    Moment(Moment),
}

impl TryFrom<serde_json::Value> for Value {
    type Error = String;

    fn try_from(value: serde_json::Value) -> Result<Value, String> {
        match value {
            serde_json::Value::Bool(truth) => Ok(Value::Truth(truth)),
            serde_json::Value::String(text) => Ok(Value::Text(text)),
            serde_json::Value::Number(number) => match number.as_f64().filter(|number| number.is_finite()) {
                Some(number) => Ok(Value::Number(number)),
                None => Err(format!("{number} is too large a number")),
            },
            serde_json::Value::Object(object) if object.len() == 1 => time_of(&object),
            _ => Err(WANTED_VALUE.into()),
        }
    }
}

const WANTED_VALUE: &str = "a value is a number, a text, true, false, {\"duration\": …} or {\"moment\": …}";

fn time_of(object: &serde_json::Map<String, serde_json::Value>) -> Result<Value, String> {
    let said = |name: &str| object.get(name).and_then(serde_json::Value::as_str);
    match (said("duration"), said("moment")) {
        (Some(text), _) => Duration::parse(text).map(Value::Duration),
        (_, Some(text)) => Moment::parse(text).map(Value::Moment),
        _ => Err(WANTED_VALUE.into()),
    }
}

impl From<Value> for serde_json::Value {
    fn from(value: Value) -> serde_json::Value {
        match value {
            Value::Number(number) => match whole(number) {
                Some(whole) => json!(whole),
                None => json!(number),
            },
            Value::Text(text) => json!(text),
            Value::Truth(truth) => json!(truth),
            Value::Duration(duration) => json!({ "duration": duration.to_string() }),
            Value::Moment(moment) => json!({ "moment": moment.to_string() }),
        }
    }
}

/// The number without a fraction, when it is one that text and JSON write exactly so.
pub(super) fn whole(number: f64) -> Option<i64> {
    (number.trunc() == number && number.abs() < 1e15).then_some(number as i64)
}

/// A length of time in whole minutes, at most [`Duration::LONGEST`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Duration {
    minutes: u32,
}

impl Duration {
    /// A hundred years.
    pub const LONGEST: Duration = Duration { minutes: 36_500 * 24 * 60 };

    /// So many minutes; `None` when that is longer than [`Duration::LONGEST`].
    pub const fn of_minutes(minutes: u32) -> Option<Duration> {
        if minutes <= Duration::LONGEST.minutes { Some(Duration { minutes }) } else { None }
    }

    /// Reads `90m`, `36h`, `14d` or `2w`: a whole number and its unit.
    ///
    /// # Errors
    /// What would be right, for people.
    pub fn parse(text: &str) -> Result<Duration, String> {
        let wanted = || {
            "a length of time is a whole number with m, h, d or w: 90m, 36h, 14d, 2w (36500d at most)"
                .to_string()
        };
        let unit = match text.as_bytes().last() {
            Some(b'm') => 1,
            Some(b'h') => 60,
            Some(b'd') => 24 * 60,
            Some(b'w') => 7 * 24 * 60,
            _ => return Err(wanted()),
        };
        let digits = &text[..text.len() - 1];
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        let number: Option<u32> = digits.parse().ok().filter(|_| is_plain);
        number.and_then(|number| number.checked_mul(unit)).and_then(Duration::of_minutes).ok_or_else(wanted)
    }

    /// Microseconds.
    pub const fn micros(self) -> i64 {
        self.minutes as i64 * MINUTE
    }

    /// Days of 24 hours.
    pub fn days(self) -> f64 {
        f64::from(self.minutes) / (24.0 * 60.0)
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.minutes {
            minutes if minutes % (24 * 60) == 0 => write!(f, "{}d", minutes / (24 * 60)),
            minutes if minutes % 60 == 0 => write!(f, "{}h", minutes / 60),
            minutes => write!(f, "{minutes}m"),
        }
    }
}

impl TryFrom<String> for Duration {
    type Error = String;

    fn try_from(text: String) -> Result<Duration, String> {
        Duration::parse(&text)
    }
}

impl From<Duration> for String {
    fn from(duration: Duration) -> String {
        duration.to_string()
    }
}

/// A moment, or a day on the default zone's calendar, or a time before the moment of the evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// `2017-12-01`
    Date(Day),
    /// `2017-12-01T05:00:00Z`
    At(Instant),
    /// `14d ago`
    Ago(Duration),
}

impl Moment {
    /// Reads `2017-12-01`, RFC 3339, or `14d ago`.
    ///
    /// # Errors
    /// What is wrong with it, for people.
    pub fn parse(text: &str) -> Result<Moment, String> {
        if let Some(length) = text.strip_suffix(" ago") {
            return Duration::parse(length).map(Moment::Ago);
        }
        let shown: String = text.chars().take(40).collect();
        if text.len() <= "2017-12-01".len() {
            let date = Day::parse(text).map(Moment::Date).filter(|date| date.is_possible());
            return date.ok_or_else(|| {
                format!("there is no date {shown:?}; write year-month-day, 1700 to 2250: 2017-12-01")
            });
        }
        let moment = Instant::parse_rfc3339(text).filter(|_| text.len() <= 40).map(Moment::At);
        moment.filter(|moment| moment.is_possible()).ok_or_else(|| {
            format!("there is no moment {shown:?}; write a date, or RFC 3339 with its offset: 2017-12-01T05:00:00Z")
        })
    }
}

impl Moment {
    /// Is it in the years 1700 to 2250? Beyond, numbers do not hold every microsecond, and nobody lived or will be pushed.
    pub(super) fn is_possible(self) -> bool {
        const FIRST: i32 = -98_615;
        const LAST: i32 = 102_632;
        match self {
            Moment::Date(day) => (FIRST..=LAST).contains(&day.0),
            Moment::At(instant) => (FIRST..=LAST).contains(&instant.utc_day().0),
            Moment::Ago(_) => true,
        }
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Moment::Date(day) => write!(f, "{day}"),
            Moment::At(instant) => write!(f, "{instant}"),
            Moment::Ago(duration) => write!(f, "{duration} ago"),
        }
    }
}
