//! Users, contents and campaigns: one table each, one row a key, the later line wins.
//!
//! A column that a file does not have keeps its former value; an empty cell clears it. To add a field: one
//! line in the kind's list in `columns`.

use std::path::Path;

use serde_json::Value;

use super::cell::{Cell, FieldUpdate};
use super::clean::{canonical_json, number, object};
use super::columns::{Holds, SupportedWords, TableColumn, columns_of, fields_of, users};
use super::consents::ConsentColumns;
use super::dead_letters::DeadLetters;
use super::declared::UNREADABLE_LIST;
use super::formats::{InputError, InputRow, RawValue};
use super::identifiers::{optional_id, required_id};
use super::kept_rows::{KeptRow, KeptRowsWriter};
use super::known::Known;
use super::mapping::Mapping;
use super::notes::{CellNote, CellNotes, NoteKind};
use super::reading::IngestSource;
use super::request::{FilesError, IngestStage, IngestSummary, InputKind, PendingChange};
use super::stamps::StampReader;
use super::texts::check_texts;
use super::upsert_table::{Patch, UpsertTable, attributes, frame_of, read_rows};
use domain::consent::{CONSENT_WORDS, Consent};
use domain::content::Variant;
use domain::device::Device;
use domain::frequency::FrequencyRule;
use domain::identity::whole_number;
use domain::rejection::{Rejection, RejectionCode};
use domain::user::MinuteOfDay;
use domain::zone_names::understood;
use files::tables::TableError;
use files::workspace::Workspace;

/// What is wrong with a field that a line of JSON has more than once; no word of any column.
const SEVERAL: &str = "more than one value in the line";

/// Reads files of users, contents or campaigns over their table.
pub(super) fn take_rows(
    workspace: &Workspace,
    source: &IngestSource<'_>,
    letters: &mut DeadLetters,
    watch: &impl Fn(IngestStage<'_>),
) -> Result<(IngestSummary, PendingChange), FilesError> {
    let kind = source.request.kind;
    let columns = columns_of(kind);
    let path = workspace.table(kind.as_str());
    let consent = ConsentColumns::of(columns);
    let mut table = UpsertTable { rows: read_rows(&path, columns)?, consent, now: source.request.now };
    let mut kept = KeptRowsWriter::create(&source.scratch.join("rows"), kind)?;
    let mut cleaner = Cleaner::new(columns, source, Known::read(workspace, kind)?);
    let mut summary = IngestSummary::default();
    let mut is_torn = false;
    for file in source.request.files {
        let (mut patches, mut notes) = (Vec::new(), CellNotes::default());
        let taken = source.read(file, fields_of(kind), letters, watch, |line, row, mapping| {
            let cleaned = cleaner.clean(mapping, row);
            // What was noted of a record that is rejected is not kept.
            let noted = std::mem::take(&mut cleaner.noted);
            let (key, patch) = cleaned?;
            if kind == InputKind::Users {
                source.erased.refuse(&key)?;
            }
            patches.push((key, patch));
            noted.into_iter().for_each(|note| notes.add(note, &format!("{}:{line}", file.display())));
            Ok(())
        })?;
        let (torn, refused) = match taken {
            Ok(mut part) => {
                let torn = std::mem::take(&mut part.torn);
                summary.add(part);
                summary.notes.merge(notes);
                (torn, None)
            }
            Err(refused) => {
                patches.clear();
                (refused.torn, Some(refused.error))
            }
        };
        for (key, patch) in patches {
            kept.add(&KeptRow::of(&key, &patch, columns))?;
            let changed = table.apply(key, patch, &mut summary.consents);
            *(if changed { &mut summary.accepted } else { &mut summary.duplicate }) += 1;
        }
        for (_, key) in &torn {
            // Also where there is no grant now: undoing a refusal must not bring one back.
            is_torn |= table.rows.contains_key(key);
            kept.add(&KeptRow::torn(key))?;
        }
        let ended = end_torn(&mut table, torn, file, &mut summary);
        summary.refused.extend(refused.map(|error| with_ended_grants(error, ended)));
    }
    // Rows that repeat others count too: they stay when the ingest that brought them first is undone.
    if summary.accepted + summary.duplicate == 0 && !is_torn {
        return Ok((summary, PendingChange::Nothing));
    }
    let frame = frame_of(&table.rows, columns).map_err(TableError::parquet(&path))?;
    Ok((summary, PendingChange::Table(path, frame, kept.finish()?)))
}

/// Ends the grants of users whose records were rejected, so that nobody knows what they say of consent; how many.
fn end_torn(
    table: &mut UpsertTable,
    torn: Vec<(u64, String)>,
    file: &Path,
    summary: &mut IngestSummary,
) -> usize {
    let mut ended = 0;
    for (line, key) in torn {
        if let Some(note) = table.tear(&key, &mut summary.consents) {
            summary.notes.add(note, &format!("{}:{line}", file.display()));
            ended += 1;
        }
    }
    ended
}

/// The error about a file of which no line can be read, and how many grants ended because of it.
fn with_ended_grants(error: InputError, ended: usize) -> InputError {
    if ended == 0 {
        return error;
    }
    let detail = format!(
        "{}; its lines name users who had consented: {ended}; their consent is not known any more, so no push to them until a \
         row says granted",
        error.detail
    );
    InputError { detail, ..error }
}

/// Reads the cells of a kind's records.
struct Cleaner {
    columns: &'static [TableColumn],
    past: StampReader,
    any: StampReader,
    /// Does a cell that cannot be read cost itself alone? A rejected row of users would leave a former consent in force.
    keeps_rows: bool,
    /// What else is declared, to compare with.
    known: Known,
    /// What is odd about cells of the last record that was kept.
    noted: Vec<CellNote>,
}

impl Cleaner {
    fn new(columns: &'static [TableColumn], source: &IngestSource<'_>, known: Known) -> Cleaner {
        /// Windows and expiries lie ahead, but not further than two centuries.
        const HOURS_AHEAD: i64 = 200 * 366 * 24;
        let any = StampReader::new(source.request.zone.clone(), source.request.now, HOURS_AHEAD);
        let keeps_rows = source.request.kind == InputKind::Users;
        Cleaner { columns, past: source.stamp_reader(), any, keeps_rows, known, noted: Vec::new() }
    }

    fn clean(&mut self, mapping: &Mapping, row: &InputRow<'_>) -> Result<(String, Patch), Rejection> {
        let repeated = self.repeated(mapping, row)?;
        let key = required_id(self.columns[0].field.name, mapping.get(row, 0))?;
        let mut patch = Patch::with_capacity(self.columns.len() - 1);
        for (index, column) in self.columns.iter().enumerate().skip(1) {
            let is_repeated = repeated.contains(&index);
            let value = if is_repeated { RawValue::Text(SEVERAL.into()) } else { mapping.get(row, index) };
            let said = if is_repeated {
                Err(Rejection::new(RejectionCode::BadValue, format!("{} has {SEVERAL}", column.field.name)))
            } else if column.holds == Holds::Others {
                let declared = mapping.has(row, index).then_some((column.field.name, value.clone()));
                others(mapping, row, declared)
            } else if mapping.has(row, index) {
                self.cell(column, value.clone()).map(FieldUpdate::Cell)
            } else {
                Ok(FieldUpdate::Nothing)
            };
            patch.push(match said {
                Err(rejection) if self.keeps_rows => {
                    self.note(column, NoteKind::Unreadable, rejection.detail);
                    unreadable(column.holds, &value)
                }
                said => said?,
            });
        }
        self.known.check(self.columns, &patch)?;
        check_texts(self.columns, &patch)?;
        Ok((key.into_owned(), patch))
    }

    /// Columns of which a record of users has several values, so that none of them counts.
    ///
    /// # Errors
    /// When the key is one of them.
    fn repeated(&self, mapping: &Mapping, row: &InputRow<'_>) -> Result<Vec<usize>, Rejection> {
        if !self.keeps_rows {
            return Ok(Vec::new());
        }
        let mut repeated = mapping.repeated(row);
        repeated.retain(|index| self.columns[*index].holds != Holds::Others);
        if repeated.first() == Some(&0) {
            let name = self.columns[0].field.name;
            return Err(Rejection::new(RejectionCode::BadJson, format!("{name} has {SEVERAL}")));
        }
        let index = |name: &str| self.columns.iter().position(|column| column.field.name == name);
        let (Some(consent), Some(at)) = (index(users::CONSENT.name()), index(users::CONSENT_AT.name()))
        else {
            return Ok(repeated);
        };
        // A grant whose moment is in doubt is as good as none.
        let is_in_doubt = repeated.contains(&at) || mapping.contradicts(row, at);
        let is_grant = || Consent::read(&text_of(&mapping.get(row, consent))) == Consent::Granted;
        if mapping.contradicts(row, consent) || (is_in_doubt && is_grant()) {
            repeated.push(consent);
        }
        Ok(repeated)
    }

    fn note(&mut self, column: &TableColumn, kind: NoteKind, detail: String) {
        self.noted.push(CellNote { column: column.field.name, kind, detail });
    }

    fn cell(&mut self, column: &TableColumn, value: RawValue<'_>) -> Result<Option<Cell>, Rejection> {
        if value == RawValue::Missing {
            return Ok(None);
        }
        let name = column.field.name;
        Ok(Some(match column.holds {
            Holds::Key | Holds::Id => {
                return Ok(optional_id(name, value)?.map(|id| Cell::Text(id.into_owned())));
            }
            Holds::Text => Cell::Text(text_of(&value)),
            Holds::OneOf(words) => Cell::Text(one_of(name, &value, words)?),
            Holds::Supported(words) => Cell::Text(supported(name, &value, words)?),
            Holds::Consent => return Ok(self.consent(column, &value)),
            Holds::Switch => Cell::Text(switch(name, &value)?),
            Holds::Zone => Cell::Text(self.zone(column, &value)),
            Holds::Past => Cell::Whole(self.past.read(name, &value)?.instant.micros()),
            Holds::From => Cell::Whole(self.any.read_from(name, &value)?.instant.micros()),
            Holds::Until => {
                return Ok(self.any.read_until(name, &value)?.map(|end| Cell::Whole(end.micros())));
            }
            Holds::ClockTime => Cell::Text(clock_time(name, &value)?),
            Holds::Whole(least, most) => Cell::Whole(whole(name, &value, least, most)?),
            Holds::Number(least, most) => return Ok(bounded(name, &value, least, most)?.map(Cell::Number)),
            Holds::List => {
                let cell = list(name, &value)?;
                self.look_at_list(column, &value, cell.as_ref());
                return Ok(cell);
            }
            Holds::JsonArray => Cell::Text(json_array(name, &value)?),
            Holds::Variants => Cell::Text(self.variants(column, &value)),
            Holds::Devices => Cell::Text(array_of::<Device>(name, &value)?),
            Holds::FrequencyRules => Cell::Text(array_of::<FrequencyRule>(name, &value)?),
            Holds::JsonObject | Holds::Others => {
                let object = object(name, &value)?;
                Cell::Text(canonical_json(&Value::Object(object.into_iter().collect())))
            }
        }))
    }

    /// The variants as they were written: a newer build may know more of them than this one. What cannot be read is kept
    /// too, so that the content is known and never sent; without its row, it would be one that only events know.
    fn variants(&mut self, column: &TableColumn, value: &RawValue<'_>) -> String {
        let parsed = json_in(value);
        if let Err(rejection) = Variant::read_all(&parsed) {
            self.note(column, NoteKind::Unreadable, rejection.detail);
        }
        if parsed.is_null() { text_of(value) } else { canonical_json(&parsed) }
    }

    /// The word in our table; one that is neither a grant nor a refusal is kept as unreadable, which stops pushes.
    fn consent(&mut self, column: &TableColumn, value: &RawValue<'_>) -> Option<Cell> {
        let consent = Consent::read(&text_of(value));
        if consent == Consent::Unreadable {
            let rejection = bad(column.field.name, value, CONSENT_WORDS);
            self.note(column, NoteKind::Unreadable, rejection.detail);
        }
        (consent != Consent::Unknown).then(|| Cell::Text(consent.as_str().to_string()))
    }

    /// Points out what may be two items of a list, and names that nothing declared has.
    fn look_at_list(&mut self, column: &TableColumn, value: &RawValue<'_>, cell: Option<&Cell>) {
        let Some(Cell::Text(items)) = cell else { return };
        let name = column.field.name;
        let is_plain = matches!(value, RawValue::Text(text) if !text.trim_start().starts_with('['));
        if let Some(item) = items.split(';').find(|item| is_plain && item.contains([',', '|'])) {
            let detail =
                format!("{name} {item:?} is one item: items are separated by `;`, in JSON lines by an array");
            self.note(column, NoteKind::Separator, detail);
        }
        if let Some(detail) = self.known.unmatched(name, items) {
            self.note(column, NoteKind::Unmatched, detail);
        }
    }

    /// The zone under its IANA name. One that cannot be read is kept as it is: decisions must not take the user for one
    /// who declared none.
    fn zone(&mut self, column: &TableColumn, value: &RawValue<'_>) -> String {
        let text = text_of(value);
        if let Some(name) = understood(&text) {
            return name.to_string();
        }
        let shown: String = text.chars().take(64).collect();
        let name = column.field.name;
        let detail =
            format!("{name} {shown:?} is not a time zone; expected an IANA name such as Europe/Paris");
        self.note(column, NoteKind::Unreadable, detail);
        text
    }
}

/// Unknown columns set or clear one attribute each; a declared object stands for all of them.
fn others(
    mapping: &Mapping,
    row: &InputRow<'_>,
    declared: Option<(&str, RawValue<'_>)>,
) -> Result<FieldUpdate, Rejection> {
    let unknown = mapping.unclaimed(row);
    let Some((name, value)) = declared else {
        return Ok(if unknown.is_empty() { FieldUpdate::Nothing } else { FieldUpdate::Attributes(unknown) });
    };
    let mut all = unknown;
    all.extend(object(name, &value)?);
    all.retain(|_, value| !value.is_null());
    Ok(FieldUpdate::Cell(attributes(all)))
}

fn bad(name: &str, value: &RawValue<'_>, wanted: &str) -> Rejection {
    let shown: String = text_of(value).chars().take(48).collect();
    Rejection::new(RejectionCode::BadValue, format!("{name} {shown:?} is not {wanted}"))
}

fn text_of(value: &RawValue<'_>) -> String {
    match value.to_json() {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

fn one_of(name: &str, value: &RawValue<'_>, words: &[&str]) -> Result<String, Rejection> {
    let text = text_of(value);
    if words.contains(&text.as_str()) { Ok(text) } else { Err(bad(name, value, &words.join(" or "))) }
}

fn supported(name: &str, value: &RawValue<'_>, words: &SupportedWords) -> Result<String, Rejection> {
    match words.unsupported(name, &text_of(value)) {
        Some(detail) => Err(Rejection::new(RejectionCode::NotSupported, detail)),
        None => one_of(name, value, words.now).map_err(|_| {
            let shown: String = text_of(value).chars().take(48).collect();
            let detail = format!("{name} {shown:?} is not supported; supported: {}", words.now.join(" and "));
            Rejection::new(RejectionCode::BadValue, detail)
        }),
    }
}

/// HH:MM; H:MM and a whole minute with its seconds are the same.
fn clock_time(name: &str, value: &RawValue<'_>) -> Result<String, Rejection> {
    let text = text_of(value);
    let wrong = || bad(name, value, "HH:MM");
    let minutes = text.trim().strip_suffix(":00").filter(|rest| rest.contains(':')).unwrap_or(text.trim());
    let (hour, minute) = minutes.split_once(':').ok_or_else(wrong)?;
    let minute = MinuteOfDay::parse(&format!("{hour:0>2}:{minute}")).ok_or_else(wrong)?;
    Ok(minute.into())
}

/// `on` or `off`.
fn switch(name: &str, value: &RawValue<'_>) -> Result<String, Rejection> {
    let text = text_of(value).trim().to_lowercase();
    match text.as_str() {
        "on" | "true" | "yes" | "y" | "1" => Ok("on".to_string()),
        "off" | "false" | "no" | "n" | "0" => Ok("off".to_string()),
        _ => Err(bad(name, value, "on or off")),
    }
}

/// What is stored of a cell that cannot be read: a preference stays unreadable, which stops pushes; anything else is unknown.
fn unreadable(holds: Holds, value: &RawValue<'_>) -> FieldUpdate {
    /// What is shown of it is short.
    const LONGEST: usize = 256;
    let text = || text_of(value).chars().take(LONGEST).collect::<String>();
    FieldUpdate::Cell(match holds {
        Holds::OneOf(_) | Holds::Switch | Holds::Zone | Holds::ClockTime | Holds::Devices => {
            Some(Cell::Text(text()))
        }
        Holds::List => Some(Cell::Text(format!("{UNREADABLE_LIST}{}", text()))),
        Holds::Consent => Some(Cell::Text(Consent::Unreadable.as_str().to_string())),
        // No count is negative.
        Holds::Whole(..) => Some(Cell::Whole(-1)),
        Holds::Others => return FieldUpdate::Nothing,
        _ => None,
    })
}

fn whole(name: &str, value: &RawValue<'_>, least: i64, most: i64) -> Result<i64, Rejection> {
    let wanted = || bad(name, value, &format!("a whole number from {least} to {most}"));
    let number = match value {
        RawValue::Text(text) => whole_in(text).ok_or_else(wanted)?,
        RawValue::Scientific(number, _) => whole_number(*number).ok_or_else(wanted)?,
        other => other.whole_number().ok_or_else(wanted)?,
    };
    if (least..=most).contains(&number) { Ok(number) } else { Err(wanted()) }
}

/// A whole number as text; `3.0` is 3.
fn whole_in(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| whole_number(text.parse().ok()?))
}

fn bounded(name: &str, value: &RawValue<'_>, least: f64, most: f64) -> Result<Option<f64>, Rejection> {
    let number = number(name, value)?;
    if number.is_none_or(|number| (least..=most).contains(&number)) {
        return Ok(number);
    }
    Err(bad(name, value, &format!("a number from {least} to {most}")))
}

/// Texts without empty ones and repetitions, joined by semicolons; an empty list is nothing.
fn list(name: &str, value: &RawValue<'_>) -> Result<Option<Cell>, Rejection> {
    let items: Vec<String> = match value {
        RawValue::Nested(Value::Array(items)) => {
            let text = |item: &Value| item.as_str().map(str::to_string);
            items
                .iter()
                .map(text)
                .collect::<Option<_>>()
                .ok_or_else(|| bad(name, value, "a list of texts"))?
        }
        RawValue::Text(text) if text.starts_with('[') => {
            serde_json::from_str(text).map_err(|_| bad(name, value, "a JSON array of texts"))?
        }
        RawValue::Text(text) => text.split(';').map(str::to_string).collect(),
        _ => return Err(bad(name, value, "a list of texts")),
    };
    let mut kept: Vec<&str> = Vec::new();
    for item in items.iter().map(|item| item.trim()).filter(|item| !item.is_empty()) {
        if item.contains(';') {
            return Err(bad(name, value, "a list of texts without semicolons"));
        }
        if !kept.contains(&item) {
            kept.push(item);
        }
    }
    Ok((!kept.is_empty()).then(|| Cell::Text(kept.join(";"))))
}

/// A JSON array whose entries can be read as what they are meant to be.
fn array_of<T: serde::de::DeserializeOwned>(name: &str, value: &RawValue<'_>) -> Result<String, Rejection> {
    let text = json_array(name, value)?;
    match serde_json::from_str::<Vec<T>>(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(Rejection::new(RejectionCode::BadValue, format!("{name}: {error}"))),
    }
}

/// The JSON that a value holds, nested or as text; null when it is none.
fn json_in(value: &RawValue<'_>) -> Value {
    match value {
        RawValue::Nested(nested) => (*nested).clone(),
        RawValue::Text(text) => serde_json::from_str(text).unwrap_or_default(),
        _ => Value::Null,
    }
}

fn json_array(name: &str, value: &RawValue<'_>) -> Result<String, Rejection> {
    let parsed = json_in(value);
    if parsed.is_array() { Ok(canonical_json(&parsed)) } else { Err(bad(name, value, "a JSON array")) }
}
