//! The declared users, contents and campaigns, read from their tables as plain data.
//!
//! A stored value that cannot be read is never taken for "nothing said": a user's is named, so that safety can fail closed.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::columns::{
    Campaigns, Column, Contents, SupportedWords, TIMINGS, TRIGGERS, Table, Users, campaigns, contents, users,
};
use super::declared::{DeclaredTable, attributes_in, items_of};
use domain::campaign::{Campaign, CampaignStatus};
use domain::content::{Content, MessageClass, Variant};
use domain::device::Device;
use domain::frequency::FrequencyRule;
use domain::template::{fillable_bytes, fillable_names};
use domain::time::Instant;
use domain::user::{Consent, MinuteOfDay, QuietHours, User};
use domain::zone::{Zone, ZoneSource};
use files::tables::TableError;
use files::workspace::Workspace;

/// Everything that was declared, by id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Catalogue {
    /// Users.
    pub users: BTreeMap<String, User>,
    /// Contents.
    pub contents: BTreeMap<String, Content>,
    /// Campaigns.
    pub campaigns: BTreeMap<String, Campaign>,
}

impl Catalogue {
    /// Reads the three tables; a workspace may lack any of them.
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn read(workspace: &Workspace) -> Result<Catalogue, TableError> {
        Ok(Catalogue {
            users: by_id(workspace, USER_COLUMNS, users::ID, user)?,
            contents: read_contents(workspace)?,
            campaigns: read_campaigns(workspace)?,
        })
    }
}

/// The declared campaigns by id.
///
/// # Errors
/// When their table cannot be read.
pub fn read_campaigns(workspace: &Workspace) -> Result<BTreeMap<String, Campaign>, TableError> {
    by_id(workspace, CAMPAIGN_COLUMNS, campaigns::ID, campaign)
}

/// The declared contents by id.
///
/// # Errors
/// When the table cannot be read.
pub fn read_contents(workspace: &Workspace) -> Result<BTreeMap<String, Content>, TableError> {
    by_id(workspace, CONTENT_COLUMNS, contents::ID, content)
}

/// A user with what was declared of them beyond the columns that everybody has.
pub type UserWithAttributes = (User, BTreeMap<String, Value>);

/// One declared user with their attributes, if there is such a user.
///
/// # Errors
/// When the table cannot be read.
pub fn user_with_attributes(
    workspace: &Workspace,
    user_id: &str,
) -> Result<Option<UserWithAttributes>, TableError> {
    let table = DeclaredTable::read(workspace, USER_COLUMNS)?;
    let index = table.texts(users::ID).iter().position(|id| id == Some(user_id));
    Ok(index.map(|index| {
        let row = CatalogueRow { table: &table, index };
        (user(&row), attributes_of(&row))
    }))
}

/// Attributes that at least one declared user has.
///
/// # Errors
/// When the table cannot be read.
pub fn declared_fields(workspace: &Workspace) -> Result<BTreeSet<String>, TableError> {
    let table = DeclaredTable::read(workspace, &[users::ATTRIBUTES])?;
    let mut fields = BTreeSet::new();
    for object in table.texts(users::ATTRIBUTES).iter().flatten() {
        fields.extend(attributes_in(object).into_keys());
    }
    Ok(fields)
}

/// Campaigns whose audience is this segment, by id.
///
/// # Errors
/// When the table cannot be read.
pub fn campaigns_for(workspace: &Workspace, segment_id: &str) -> Result<Vec<String>, TableError> {
    let table = DeclaredTable::read(workspace, &[campaigns::ID, campaigns::AUDIENCE])?;
    let rows = table.texts(campaigns::ID).iter().zip(table.texts(campaigns::AUDIENCE).iter());
    let naming = rows.filter(|(_, audience)| *audience == Some(segment_id));
    Ok(naming.filter_map(|(id, _)| id.map(str::to_string)).collect())
}

const USER_COLUMNS: &[Column<Users>] = &[
    users::ID,
    users::TIME_ZONE,
    users::LOCALE,
    users::COUNTRY,
    users::CONSENT,
    users::CONSENT_AT,
    users::QUIET_FROM,
    users::QUIET_UNTIL,
    users::MAX_PER_DAY,
    users::MUTED_CATEGORIES,
    users::DEVICES,
    users::PERSONALISATION,
    users::ATTRIBUTES,
];

const CONTENT_COLUMNS: &[Column<Contents>] = &[
    contents::ID,
    contents::CATEGORY,
    contents::TAGS,
    contents::PUBLISHED_AT,
    contents::EXPIRES_AT,
    contents::MESSAGE_CLASS,
    contents::TITLE,
    contents::BODY,
    contents::VARIANTS,
    contents::PRESENTATION,
    contents::VENDOR_CATEGORY,
    contents::COUNTRIES,
    contents::DEEP_LINK,
];

const CAMPAIGN_COLUMNS: &[Column<Campaigns>] = &[
    campaigns::ID,
    campaigns::GOAL,
    campaigns::AUDIENCE,
    campaigns::CONTENTS,
    campaigns::CHANNELS,
    campaigns::TRIGGER,
    campaigns::TIMING,
    campaigns::WINDOW_START,
    campaigns::WINDOW_END,
    campaigns::HORIZON_HOURS,
    campaigns::LEAD_MINUTES,
    campaigns::FREQUENCY_RULES,
    campaigns::QUIET_FROM,
    campaigns::QUIET_UNTIL,
    campaigns::THROTTLE_PER_MINUTE,
    campaigns::MAX_SENDS,
    campaigns::PRIORITY,
    campaigns::TAGS,
    campaigns::HOLDOUT_PERCENT,
    campaigns::EXPLORATION_PERCENT,
    campaigns::STATUS,
];

/// One row of a table.
struct CatalogueRow<'a, T> {
    table: &'a DeclaredTable<T>,
    index: usize,
}

impl<'a, T: Table> CatalogueRow<'a, T> {
    fn key(&self, column: Column<T>) -> String {
        self.text(column).unwrap_or_default().to_string()
    }

    fn text(&self, column: Column<T>) -> Option<&'a str> {
        self.table.texts(column).get(self.index)
    }

    fn owned(&self, column: Column<T>) -> Option<String> {
        self.text(column).map(str::to_string)
    }

    fn whole(&self, column: Column<T>) -> Option<i64> {
        self.table.wholes(column).get(self.index)
    }

    fn number(&self, column: Column<T>) -> Option<f64> {
        self.table.numbers(column).get(self.index)
    }

    fn instant(&self, column: Column<T>) -> Option<Instant> {
        self.whole(column).map(Instant::from_micros)
    }

    fn list(&self, column: Column<T>) -> Vec<String> {
        self.text(column).map(|text| text.split(';').map(str::to_string).collect()).unwrap_or_default()
    }

    /// A closed set's word, or a JSON value; `Err` with the column's name when a text is stored that is none.
    fn parsed<V: DeserializeOwned>(&self, column: Column<T>) -> Result<Option<V>, String> {
        let Some(text) = self.text(column) else { return Ok(None) };
        let word = Value::String(text.to_string());
        serde_json::from_value(word)
            .or_else(|_| serde_json::from_str(text))
            .map(Some)
            .map_err(|_| column.name().to_string())
    }
}

fn by_id<T: Table, V>(
    workspace: &Workspace,
    columns: &[Column<T>],
    id: Column<T>,
    read: impl Fn(&CatalogueRow<'_, T>) -> V,
) -> Result<BTreeMap<String, V>, TableError> {
    let table = DeclaredTable::read(workspace, columns)?;
    let rows = (0..table.len()).map(|index| CatalogueRow { table: &table, index });
    Ok(rows.map(|row| (row.key(id), read(&row))).collect())
}

/// Columns that rules about a user alone ask for.
const RULE_COLUMNS: &[Column<Users>] = &[
    users::ID,
    users::CONSENT,
    users::CONSENT_AT,
    users::TIME_ZONE,
    users::QUIET_FROM,
    users::QUIET_UNTIL,
    users::MAX_PER_DAY,
    users::DEVICES,
    users::PERSONALISATION,
    users::MUTED_CATEGORIES,
];

/// The declared users one by one, as rules about a user alone ask for them; a million of them need not be in memory.
#[derive(Debug)]
pub struct DeclaredUsers {
    table: DeclaredTable<Users>,
}

impl DeclaredUsers {
    /// Reads what rules ask for; a workspace may have no declared users.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub fn read(workspace: &Workspace) -> Result<DeclaredUsers, TableError> {
        Ok(DeclaredUsers { table: DeclaredTable::read(workspace, RULE_COLUMNS)? })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Is nobody declared?
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// The user of a row, without what only contents and variants ask for.
    pub fn user(&self, row: usize) -> User {
        ruled_user(&CatalogueRow { table: &self.table, index: row })
    }
}

fn user(row: &CatalogueRow<'_, Users>) -> User {
    let attributes = attributes_of(row);
    User {
        locale: row.owned(users::LOCALE),
        country: row.owned(users::COUNTRY),
        fields: fillable_names(&attributes),
        field_bytes: fillable_bytes(&attributes),
        ..ruled_user(row)
    }
}

/// What rules about a user alone ask for.
fn ruled_user(row: &CatalogueRow<'_, Users>) -> User {
    let mut user = User { user_id: row.key(users::ID), known: true, ..User::default() };
    let mut unreadable = Vec::new();
    user.consent = Consent::stored(row.text(users::CONSENT));
    user.consent_at = row.instant(users::CONSENT_AT);
    if user.consent == Consent::Unreadable {
        unreadable.push(users::CONSENT.name().to_string());
    }
    match row.text(users::TIME_ZONE).map(Zone::shared) {
        Some(Some(zone)) => {
            user.time_zone = Some(zone.name().to_string());
            user.time_zone_source = Some(ZoneSource::Declared);
        }
        Some(None) => unreadable.push(users::TIME_ZONE.name().to_string()),
        None => {}
    }
    match quiet_hours(row, users::QUIET_FROM, users::QUIET_UNTIL) {
        Ok(quiet_hours) => user.quiet_hours = quiet_hours,
        Err(name) => unreadable.push(name),
    }
    match row.whole(users::MAX_PER_DAY).map(u32::try_from) {
        Some(Err(_)) => unreadable.push(users::MAX_PER_DAY.name().to_string()),
        found => user.max_per_day = found.and_then(Result::ok),
    }
    match row.parsed::<Vec<Device>>(users::DEVICES) {
        Ok(devices) => user.devices = devices,
        Err(name) => unreadable.push(name),
    }
    match row.text(users::PERSONALISATION) {
        None | Some("on") => user.personalisation = true,
        Some("off") => user.personalisation = false,
        Some(_) => unreadable.push(users::PERSONALISATION.name().to_string()),
    }
    match row.text(users::MUTED_CATEGORIES).map(items_of) {
        Some(None) => unreadable.push(users::MUTED_CATEGORIES.name().to_string()),
        Some(Some(items)) => user.muted_categories = items.map(str::to_string).collect(),
        None => {}
    }
    user.unreadable_preference = unreadable.into_iter().next();
    user
}

fn attributes_of(row: &CatalogueRow<'_, Users>) -> BTreeMap<String, Value> {
    row.text(users::ATTRIBUTES).map(attributes_in).unwrap_or_default()
}

/// Both ends or neither: one end alone says that there are quiet hours, but not which.
fn quiet_hours<T: Table>(
    row: &CatalogueRow<'_, T>,
    from: Column<T>,
    until: Column<T>,
) -> Result<Option<QuietHours>, String> {
    let unreadable = |column: Column<T>| column.name().to_string();
    let end = |column: Column<T>| match row.text(column) {
        Some(text) => MinuteOfDay::parse(text).map(Some).ok_or_else(|| unreadable(column)),
        None => Ok(None),
    };
    match (end(from)?, end(until)?) {
        (Some(from), Some(until)) => Ok(Some(QuietHours { from, until })),
        (None, None) => Ok(None),
        (None, Some(_)) => Err(unreadable(from)),
        (Some(_), None) => Err(unreadable(until)),
    }
}

fn content(row: &CatalogueRow<'_, Contents>) -> Content {
    let mut unreadable = Vec::new();
    let message_class = row.parsed::<MessageClass>(contents::MESSAGE_CLASS).unwrap_or_else(|name| {
        unreadable.push(name);
        None
    });
    let variants = variants(row).unwrap_or_else(|name| {
        unreadable.push(name);
        Vec::new()
    });
    Content {
        content_id: row.key(contents::ID),
        category: row.owned(contents::CATEGORY),
        tags: row.list(contents::TAGS),
        published_at: row.instant(contents::PUBLISHED_AT),
        expires_at: row.instant(contents::EXPIRES_AT),
        message_class: message_class.unwrap_or_default(),
        countries: row.list(contents::COUNTRIES),
        vendor_category: row.owned(contents::VENDOR_CATEGORY),
        variants: variants
            .into_iter()
            .map(|variant| variant.weighed(row.text(contents::DEEP_LINK)))
            .collect(),
        ttl_seconds: row.text(contents::PRESENTATION).and_then(ttl_seconds),
        unreadable,
        undeclared: None,
        deep_link: row.owned(contents::DEEP_LINK),
    }
}

/// The `ttl_seconds` of a stored presentation; one that is not a whole number counts as missing.
fn ttl_seconds(presentation: &str) -> Option<u32> {
    let presentation: Value = serde_json::from_str(presentation).ok()?;
    presentation.get("ttl_seconds")?.as_u64().and_then(|seconds| u32::try_from(seconds).ok())
}

/// The declared variants, else title and body as the only one; `Err` with the column's name when what is stored are no variants.
fn variants(row: &CatalogueRow<'_, Contents>) -> Result<Vec<Variant>, String> {
    let unreadable = || contents::VARIANTS.name().to_string();
    let declared = match row.text(contents::VARIANTS) {
        Some(text) => {
            let written: Value = serde_json::from_str(text).map_err(|_| unreadable())?;
            Variant::read_all(&written).map_err(|_| unreadable())?
        }
        None => Vec::new(),
    };
    if !declared.is_empty() {
        return Ok(declared);
    }
    let [title, body] = [contents::TITLE, contents::BODY].map(|column| row.owned(column).unwrap_or_default());
    let has_text = !title.trim().is_empty() || !body.trim().is_empty();
    Ok(has_text.then(|| Variant::of_texts(title, body)).into_iter().collect())
}

/// What is wrong with a stored word that nothing obeys: an older build took some, and a newer one may know more.
fn unsupported(
    row: &CatalogueRow<'_, Campaigns>,
    column: Column<Campaigns>,
    words: &SupportedWords,
) -> Option<String> {
    let word = row.text(column).filter(|word| !words.now.contains(word))?;
    words.unsupported(column.name(), word).or_else(|| Some(column.name().to_string()))
}

fn campaign(row: &CatalogueRow<'_, Campaigns>) -> Campaign {
    let mut unreadable = Vec::new();
    let frequency_rules =
        row.parsed::<Vec<FrequencyRule>>(campaigns::FREQUENCY_RULES).unwrap_or_else(|name| {
            unreadable.push(name);
            None
        });
    let quiet_hours =
        quiet_hours(row, campaigns::QUIET_FROM, campaigns::QUIET_UNTIL).unwrap_or_else(|name| {
            unreadable.push(name);
            None
        });
    unreadable.extend(unsupported(row, campaigns::TRIGGER, &TRIGGERS));
    unreadable.extend(unsupported(row, campaigns::TIMING, &TIMINGS));
    let status = row.parsed::<CampaignStatus>(campaigns::STATUS);
    Campaign {
        campaign_id: row.key(campaigns::ID),
        goal: row.owned(campaigns::GOAL),
        contents: row.list(campaigns::CONTENTS),
        channels: row.list(campaigns::CHANNELS),
        tags: row.list(campaigns::TAGS),
        window_start: row.instant(campaigns::WINDOW_START),
        window_end: row.instant(campaigns::WINDOW_END),
        quiet_hours,
        frequency_rules: frequency_rules.unwrap_or_default(),
        throttle_per_minute: row
            .whole(campaigns::THROTTLE_PER_MINUTE)
            .map(|most| u32::try_from(most).unwrap_or(u32::MAX)),
        max_sends: row.whole(campaigns::MAX_SENDS).and_then(|most| u64::try_from(most).ok()),
        lead_minutes: row
            .whole(campaigns::LEAD_MINUTES)
            .and_then(|minutes| u32::try_from(minutes).ok())
            .unwrap_or(0),
        exploration_percent: row.number(campaigns::EXPLORATION_PERCENT),
        audience: row.owned(campaigns::AUDIENCE),
        unreadable: unreadable.into_iter().next(),
        horizon_hours: row.whole(campaigns::HORIZON_HOURS).and_then(|hours| u32::try_from(hours).ok()),
        priority: row.number(campaigns::PRIORITY).unwrap_or(1.0),
        holdout_percent: row.number(campaigns::HOLDOUT_PERCENT).unwrap_or(0.0),
        // A word that this build does not know must not send: a draft does not.
        status: status.ok().flatten().unwrap_or_default(),
    }
}
