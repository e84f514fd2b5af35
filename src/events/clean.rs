//! One raw record → one clean event, or the reason why not.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::event_names::{EventNames, NameCounts};
use super::formats::{InputRow, RawValue};
use super::identifiers::{optional_id, required_id};
use super::mapping::{InputField, Mapping};
use super::notes::{CellNote, NoteKind};
use super::records::{Event, TEXT_FIELDS, TextField};
use super::stamps::StampReader;
use super::subscriptions::withdrawal;
use domain::identity::sha256_hex;
use domain::rejection::{Rejection, RejectionCode};
use domain::zone::Zone;
use domain::zone_names::understood;

/// Fields of an event file. The text fields come last, in the order of [`TEXT_FIELDS`].
pub const EVENT_FIELDS: &[InputField] = &[
    InputField { name: "message_id", required: false },
    InputField { name: "user_id", required: true },
    InputField { name: "event", required: true },
    InputField { name: "timestamp", required: true },
    InputField { name: "time_zone", required: false },
    InputField { name: "value", required: false },
    InputField { name: TEXT_FIELDS[0], required: false },
    InputField { name: TEXT_FIELDS[1], required: false },
    InputField { name: TEXT_FIELDS[2], required: false },
    InputField { name: TEXT_FIELDS[3], required: false },
    InputField { name: TEXT_FIELDS[4], required: false },
    InputField { name: TEXT_FIELDS[5], required: false },
    InputField { name: TEXT_FIELDS[6], required: false },
];

const FIRST_TEXT_FIELD: usize = EVENT_FIELDS.len() - TEXT_FIELDS.len();

/// Amounts beyond this could overflow an exact sum in millionths.
const LARGEST_VALUE: f64 = 1e12;

/// Cleans the records of one file.
#[derive(Clone, Debug)]
pub struct EventCleaner {
    stamps: StampReader,
    names: EventNames,
    counts: NameCounts,
    canonical: Vec<u8>,
    dropped: Option<CellNote>,
}

impl EventCleaner {
    /// A cleaner that reads stamps so.
    pub fn new(stamps: StampReader) -> EventCleaner {
        EventCleaner {
            stamps,
            names: EventNames::default(),
            counts: NameCounts::default(),
            canonical: Vec::new(),
            dropped: None,
        }
    }

    /// The same with names of events that are mapped.
    #[must_use]
    pub fn with_names(self, names: EventNames) -> EventCleaner {
        EventCleaner { names, ..self }
    }

    /// The names of the events that were clean.
    pub fn into_counts(self) -> NameCounts {
        self.counts
    }

    /// Reads one record; the event's canonical bytes stay in [`EventCleaner::canonical`].
    ///
    /// # Errors
    /// The first thing that is wrong with the record.
    pub fn clean<'a>(&mut self, mapping: &Mapping, row: &InputRow<'a>) -> Result<Event<'a>, Rejection> {
        let user_id = required_id("user_id", mapping.get(row, 1))?;
        let theirs = required_id("event", mapping.get(row, 2))?;
        let mut name = self.names.apply(theirs.clone());
        let stamp = self.stamps.read("timestamp", &mapping.get(row, 3))?;
        self.dropped = None;
        let time_zone = self.time_zone(mapping.get(row, 4));
        let value = number("value", &mapping.get(row, 5))?;
        let mut texts = [const { None }; TEXT_FIELDS.len()];
        for (index, text) in texts.iter_mut().enumerate().take(TextField::Properties as usize) {
            *text = optional_id(TEXT_FIELDS[index], mapping.get(row, FIRST_TEXT_FIELD + index))?;
        }
        texts[TextField::Properties as usize] = properties(mapping, row)?.map(Cow::Owned);
        let message_id = optional_id("message_id", mapping.get(row, 0))?;
        let text = |field: TextField| texts[field as usize].as_deref();
        let (channel, properties) = (text(TextField::Channel), text(TextField::Properties));
        let withdrawal =
            if self.names.tells(&theirs) { None } else { withdrawal(&theirs, channel, properties) };
        match withdrawal {
            Some(event) => {
                self.counts.add(&format!("{theirs} (unsubscribed)"), event.name());
                name = Cow::Borrowed(event.name());
            }
            None => self.counts.add(&theirs, &name),
        }
        let mut event = Event {
            message_id: Cow::Borrowed(""),
            user_id,
            name,
            timestamp: stamp.instant,
            date_only: stamp.date_only,
            time_zone,
            value,
            texts,
        };
        self.canonical.clear();
        event.write_canonical(&mut self.canonical);
        event.message_id = message_id.unwrap_or_else(|| Cow::Owned(sha256_hex(&self.canonical)));
        Ok(event)
    }

    /// The cell of the event cleaned last that cannot be read and was left out.
    pub fn dropped(&self) -> Option<CellNote> {
        self.dropped.clone()
    }

    /// The zone under its IANA name; one that cannot be read costs the zone, not the event.
    fn time_zone<'a>(&mut self, value: RawValue<'a>) -> Option<Cow<'a, str>> {
        let text = match value {
            RawValue::Missing => return None,
            RawValue::Text(text) => text,
            other => Cow::Owned(other.to_json().to_string()),
        };
        if Zone::shared(&text).is_some() {
            return Some(text);
        }
        let understood = understood(&text);
        if understood.is_none() {
            let shown: String = text.chars().take(64).collect();
            let detail = format!("{shown:?} names no time zone; expected an IANA name such as Europe/Paris");
            self.dropped = Some(CellNote { column: "time_zone", kind: NoteKind::Dropped, detail });
        }
        understood.map(Cow::Borrowed)
    }

    /// Canonical bytes of the event cleaned last.
    pub fn canonical(&self) -> &[u8] {
        &self.canonical
    }
}

/// The properties column and all unknown columns as one canonical JSON object.
fn properties(mapping: &Mapping, row: &InputRow<'_>) -> Result<Option<String>, Rejection> {
    let declared = mapping.get(row, FIRST_TEXT_FIELD + TextField::Properties as usize);
    let mut all = mapping.others(row);
    all.extend(object("properties", &declared)?);
    Ok((!all.is_empty()).then(|| canonical_json(&Value::Object(all.into_iter().collect()))))
}

/// A field that may hold a finite number.
pub fn number(name: &str, value: &RawValue<'_>) -> Result<Option<f64>, Rejection> {
    let bad =
        |shown: String| Rejection::new(RejectionCode::BadNumber, format!("{name} {shown} is not a number"));
    let number = match value {
        RawValue::Missing => return Ok(None),
        RawValue::Integer(number) => *number as f64,
        RawValue::Number(number) | RawValue::Scientific(number, _) => *number,
        RawValue::Single(number) => number.to_string().parse().unwrap_or(f64::NAN),
        // As R writes a missing number.
        RawValue::Text(text) if text == "NA" => return Ok(None),
        RawValue::Text(text) => {
            let text = text.trim();
            text.parse().map_err(|_| bad(format!("{:?}", text.chars().take(32).collect::<String>())))?
        }
        other => return Err(bad(other.to_json().to_string().chars().take(32).collect())),
    };
    if number.is_finite() && number.abs() <= LARGEST_VALUE {
        return Ok(Some(number));
    }
    Err(Rejection::new(RejectionCode::NonFiniteValue, format!("{name} {number} is not within ±1e12")))
}

/// A field that may hold a JSON object, nested or as text.
pub fn object(name: &str, value: &RawValue<'_>) -> Result<BTreeMap<String, Value>, Rejection> {
    let entries =
        |object: Map<String, Value>| object.into_iter().filter(|(_, value)| !value.is_null()).collect();
    let bad = |detail: String| {
        Rejection::new(RejectionCode::BadValue, format!("{name} is not a JSON object{detail}"))
    };
    match value {
        RawValue::Missing => Ok(BTreeMap::new()),
        RawValue::Nested(Value::Object(object)) => Ok(entries(object.clone())),
        RawValue::Text(text) => match serde_json::from_str(text) {
            Ok(Value::Object(object)) => Ok(entries(object)),
            Ok(_) => Err(bad(String::new())),
            Err(error) => Err(bad(format!(": {error}"))),
        },
        _ => Err(bad(String::new())),
    }
}

/// JSON with sorted keys and no spaces: equal values, equal text.
pub fn canonical_json(value: &Value) -> String {
    match value {
        Value::Object(object) => {
            let sorted: BTreeMap<&String, &Value> = object.iter().collect();
            let pairs: Vec<String> = sorted
                .iter()
                .map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), canonical_json(value)))
                .collect();
            format!("{{{}}}", pairs.join(","))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(canonical_json).collect::<Vec<_>>().join(","))
        }
        scalar => scalar.to_string(),
    }
}
