//! The declared users, contents and campaigns, read from their tables as plain data.
//!
//! A stored value that cannot be read is never taken for "nothing said": a user's is named, so that safety can fail closed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use polars::prelude::*;
use serde::de::DeserializeOwned;

use domain::campaign::{Campaign, CampaignStatus};
use domain::content::{Content, MessageClass, Variant};
use domain::device::Device;
use domain::frequency::FrequencyRule;
use domain::template::Template;
use domain::time::Instant;
use domain::user::{Consent, MinuteOfDay, QuietHours, User};
use domain::zone::{Zone, ZoneSource};
use files::tables::{self, TableError};
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
    pub fn read(workspace: &Workspace) -> Result<Catalogue, TableError> {
        Ok(Catalogue {
            users: read_table(&workspace.table("users"), |row| (row.key("user_id"), user(row)))?,
            contents: read_table(&workspace.table("contents"), |row| (row.key("content_id"), content(row)))?,
            campaigns: read_table(&workspace.table("campaigns"), |row| {
                (row.key("campaign_id"), campaign(row))
            })?,
        })
    }
}

/// One row of a table, its columns by name. A table written before a column was added lacks it.
struct Row<'a> {
    columns: &'a BTreeMap<String, Series>,
    row: usize,
}

impl<'a> Row<'a> {
    fn key(&self, name: &str) -> String {
        self.text(name).unwrap_or_default().to_string()
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        self.columns.get(name)?.str().ok()?.get(self.row)
    }

    fn owned(&self, name: &str) -> Option<String> {
        self.text(name).map(str::to_string)
    }

    fn whole(&self, name: &str) -> Option<i64> {
        self.columns.get(name)?.i64().ok()?.get(self.row)
    }

    fn number(&self, name: &str) -> Option<f64> {
        self.columns.get(name)?.f64().ok()?.get(self.row)
    }

    fn instant(&self, name: &str) -> Option<Instant> {
        let micros = self.columns.get(name)?.datetime().ok()?.physical().get(self.row)?;
        Some(Instant::from_micros(micros))
    }

    fn list(&self, name: &str) -> Vec<String> {
        self.text(name).map(|text| text.split(';').map(str::to_string).collect()).unwrap_or_default()
    }

    /// A closed set's word, or a JSON value; `Err` when a text is stored that is none.
    fn parsed<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, String> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let word = serde_json::Value::String(text.to_string());
        serde_json::from_value(word)
            .or_else(|_| serde_json::from_str(text))
            .map(Some)
            .map_err(|_| name.to_string())
    }
}

/// Columns that rules about a user alone ask for.
const RULE_COLUMNS: [&str; 7] =
    ["user_id", "consent", "time_zone", "quiet_from", "quiet_until", "max_per_day", "devices"];

/// The declared users one by one, as rules about a user alone ask for them; a million of them need not be in memory.
#[derive(Debug, Default)]
pub struct DeclaredUsers {
    columns: BTreeMap<String, Series>,
    rows: usize,
}

impl DeclaredUsers {
    /// Reads what rules ask for; a workspace may have no declared users.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub fn read(workspace: &Workspace) -> Result<DeclaredUsers, TableError> {
        let path = workspace.table("users");
        if !path.exists() {
            return Ok(DeclaredUsers::default());
        }
        let frame = tables::read_parquet(&path, Some(&RULE_COLUMNS))?;
        Ok(DeclaredUsers { columns: columns_of(&frame), rows: frame.height() })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Is nobody declared?
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// The user of a row, without what only contents and variants ask for.
    pub fn user(&self, row: usize) -> User {
        user(&Row { columns: &self.columns, row })
    }
}

fn columns_of(frame: &DataFrame) -> BTreeMap<String, Series> {
    let series = |column: &Column| (column.name().to_string(), column.as_materialized_series().clone());
    frame.columns().iter().map(series).collect()
}

fn read_table<T>(
    path: &Path,
    read: impl Fn(&Row<'_>) -> (String, T),
) -> Result<BTreeMap<String, T>, TableError> {
    if !path.exists() {
        return Ok(BTreeMap::new());
    }
    let frame = tables::read_parquet(path, None)?;
    let columns = columns_of(&frame);
    Ok((0..frame.height()).map(|row| read(&Row { columns: &columns, row })).collect())
}

fn user(row: &Row<'_>) -> User {
    let mut user = User {
        user_id: row.key("user_id"),
        known: true,
        locale: row.owned("locale"),
        country: row.owned("country"),
        muted_categories: row.list("muted_categories"),
        personalisation: row.text("personalisation") != Some("off"),
        fields: known_fields(row),
        ..User::default()
    };
    let mut unreadable = Vec::new();
    match row.parsed::<Consent>("consent") {
        Ok(consent) => user.consent = consent.unwrap_or_default(),
        Err(name) => unreadable.push(name),
    }
    match row.text("time_zone").map(Zone::shared) {
        Some(Some(zone)) => {
            user.time_zone = Some(zone.name().to_string());
            user.time_zone_source = Some(ZoneSource::Declared);
        }
        Some(None) => unreadable.push("time_zone".to_string()),
        None => {}
    }
    match quiet_hours(row) {
        Ok(quiet_hours) => user.quiet_hours = quiet_hours,
        Err(name) => unreadable.push(name),
    }
    match row.whole("max_per_day").map(u32::try_from) {
        Some(Err(_)) => unreadable.push("max_per_day".to_string()),
        found => user.max_per_day = found.and_then(Result::ok),
    }
    match row.parsed::<Vec<Device>>("devices") {
        Ok(devices) => user.devices = devices,
        Err(name) => unreadable.push(name),
    }
    user.unreadable_preference = unreadable.into_iter().next();
    user
}

/// Attributes that hold a text, a number or a truth value: what a wording may fill in.
fn known_fields(row: &Row<'_>) -> Vec<String> {
    let attributes: BTreeMap<String, serde_json::Value> =
        row.parsed("attributes").ok().flatten().unwrap_or_default();
    let is_said = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => !text.trim().is_empty(),
        serde_json::Value::Number(_) | serde_json::Value::Bool(_) => true,
        _ => false,
    };
    attributes.into_iter().filter(|(_, value)| is_said(value)).map(|(name, _)| name).collect()
}

/// Both ends or neither: one end alone says that there are quiet hours, but not which.
fn quiet_hours(row: &Row<'_>) -> Result<Option<QuietHours>, String> {
    let end = |name: &str| match row.text(name) {
        Some(text) => MinuteOfDay::parse(text).map(Some).ok_or_else(|| name.to_string()),
        None => Ok(None),
    };
    match (end("quiet_from")?, end("quiet_until")?) {
        (Some(from), Some(until)) => Ok(Some(QuietHours { from, until })),
        (None, None) => Ok(None),
        (None, Some(_)) => Err("quiet_from".to_string()),
        (Some(_), None) => Err("quiet_until".to_string()),
    }
}

fn content(row: &Row<'_>) -> Content {
    let variants: Vec<Variant> = row.parsed("variants").ok().flatten().unwrap_or_default();
    let presentation: serde_json::Value = row.parsed("presentation").ok().flatten().unwrap_or_default();
    let ttl = presentation.get("ttl_seconds").and_then(serde_json::Value::as_u64);
    let mut variants = if variants.is_empty() { plain_variant(row) } else { variants };
    variants.iter_mut().for_each(|variant| variant.needs = needs_of(variant));
    Content {
        content_id: row.key("content_id"),
        category: row.owned("category"),
        tags: row.list("tags"),
        published_at: row.instant("published_at"),
        expires_at: row.instant("expires_at"),
        message_class: row.parsed::<MessageClass>("message_class").ok().flatten().unwrap_or_default(),
        countries: row.list("countries"),
        vendor_category: row.owned("vendor_category"),
        variants,
        ttl_seconds: ttl.and_then(|seconds| u32::try_from(seconds).ok()),
    }
}

/// A content with a title and nothing else has one wording.
fn plain_variant(row: &Row<'_>) -> Vec<Variant> {
    let title = row.owned("title");
    title
        .map(|title| Variant { variant_id: "default".into(), title, ..Variant::default() })
        .into_iter()
        .collect()
}

/// Fields that the headline or the text cannot do without, sorted.
fn needs_of(variant: &Variant) -> Vec<String> {
    let (title, body) = (Template::parse(&variant.title), Template::parse(&variant.body));
    let needs: BTreeSet<&str> = title.required().chain(body.required()).collect();
    needs.into_iter().map(str::to_string).collect()
}

fn campaign(row: &Row<'_>) -> Campaign {
    let mut unreadable = Vec::new();
    let frequency_rules = row.parsed::<Vec<FrequencyRule>>("frequency_rules").unwrap_or_else(|name| {
        unreadable.push(name);
        None
    });
    let quiet_hours = quiet_hours(row).unwrap_or_else(|name| {
        unreadable.push(name);
        None
    });
    let status = row.parsed::<CampaignStatus>("status");
    Campaign {
        campaign_id: row.key("campaign_id"),
        goal: row.owned("goal"),
        contents: row.list("contents"),
        channels: row.list("channels"),
        tags: row.list("tags"),
        window_start: row.instant("window_start"),
        window_end: row.instant("window_end"),
        quiet_hours,
        frequency_rules: frequency_rules.unwrap_or_default(),
        throttle_per_minute: row
            .whole("throttle_per_minute")
            .map(|most| u32::try_from(most).unwrap_or(u32::MAX)),
        max_sends: row.whole("max_sends").and_then(|most| u64::try_from(most).ok()),
        lead_minutes: row.whole("lead_minutes").and_then(|minutes| u32::try_from(minutes).ok()).unwrap_or(0),
        exploration_percent: row.number("exploration_percent"),
        audience: row.owned("audience"),
        unreadable: unreadable.into_iter().next(),
        horizon_hours: row.whole("horizon_hours").and_then(|hours| u32::try_from(hours).ok()),
        priority: row.number("priority").unwrap_or(1.0),
        holdout_percent: row.number("holdout_percent").unwrap_or(0.0),
        // A word that this build does not know must not send: a draft does not.
        status: status.ok().flatten().unwrap_or_default(),
    }
}
