//! What users and contents were declared to be, as the builds need it.

use std::collections::{BTreeMap, HashMap};

use domain::time::Instant;
use domain::zone::{UnknownZone, Zone, ZoneCode, Zones};
use events::columns::{contents, users};
use events::declared::{DeclaredTable, platform_of};
use files::tables::TableError;
use files::workspace::Workspace;

/// A declared user.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeclaredUser {
    /// His zone.
    pub zone: Option<ZoneCode>,
    /// Language and region.
    pub locale: Option<String>,
    /// Country.
    pub country: Option<String>,
    /// Sign-up.
    pub created_at: Option<Instant>,
    /// The attribute `platform`.
    pub platform: Option<String>,
}

/// A declared content: codes of its category and tags, each an index into the sorted names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeclaredContent {
    /// Index into [`Declared::categories`].
    pub category: Option<u32>,
    /// Indices into [`Declared::tags`].
    pub tags: Vec<u32>,
}

/// All declared users and contents. Codes do not depend on the order of files: names are sorted first.
#[derive(Clone, Debug)]
pub struct Declared {
    users: BTreeMap<String, DeclaredUser>,
    contents: HashMap<String, DeclaredContent>,
    categories: Vec<String>,
    tags: Vec<String>,
    zones: Zones,
    default_zone: ZoneCode,
}

impl Declared {
    /// Reads `users.parquet` and `contents.parquet`; a workspace may lack either.
    pub fn read(workspace: &Workspace, default_zone: &str) -> Result<Declared, TableError> {
        let mut zones = Zones::default();
        let default_zone = code_or_utc(&mut zones, default_zone);
        let users = read_users(workspace, &mut zones)?;
        let mut declared = Declared {
            users,
            contents: HashMap::new(),
            categories: Vec::new(),
            tags: Vec::new(),
            zones,
            default_zone,
        };
        declared.read_contents(workspace)?;
        Ok(declared)
    }

    /// The same people, all taken to live in one zone: what a tool sees that ignores time zones.
    pub fn everybody_in(mut self, zone: &str) -> Declared {
        let zone = code_or_utc(&mut self.zones, zone);
        self.users.values_mut().for_each(|user| user.zone = Some(zone));
        self.default_zone = zone;
        self
    }

    /// The declared users by id.
    pub fn users(&self) -> &BTreeMap<String, DeclaredUser> {
        &self.users
    }

    /// A content, if it was declared.
    pub fn content(&self, content_id: &str) -> Option<&DeclaredContent> {
        self.contents.get(content_id)
    }

    /// Ids of the declared contents, in no order.
    pub fn content_ids(&self) -> impl Iterator<Item = &str> {
        self.contents.keys().map(String::as_str)
    }

    /// Category names, sorted.
    pub fn categories(&self) -> &[String] {
        &self.categories
    }

    /// Tag names, sorted.
    pub fn tags(&self) -> &[String] {
        &self.tags
    }

    /// The zone a user declared.
    pub fn zone_of(&self, user_id: &str) -> Option<ZoneCode> {
        self.users.get(user_id)?.zone
    }

    /// The configured default.
    pub fn default_zone(&self) -> ZoneCode {
        self.default_zone
    }

    /// The zones met so far; events may bring more.
    pub fn zones(&self) -> &Zones {
        &self.zones
    }

    fn read_contents(&mut self, workspace: &Workspace) -> Result<(), TableError> {
        let rows = content_rows(workspace)?;
        let sorted = |names: Vec<&str>| {
            let mut names: Vec<String> = names.into_iter().map(str::to_string).collect();
            names.sort_unstable();
            names.dedup();
            names
        };
        self.categories = sorted(rows.iter().filter_map(|(_, category, _)| category.as_deref()).collect());
        self.tags = sorted(rows.iter().flat_map(|(_, _, tags)| tags.iter().map(String::as_str)).collect());
        let code =
            |names: &[String], name: &str| names.binary_search_by(|known| known.as_str().cmp(name)).ok();
        for (content_id, category, tags) in rows {
            let content = DeclaredContent {
                category: category.and_then(|name| code(&self.categories, &name)).map(|code| code as u32),
                tags: tags.iter().filter_map(|name| code(&self.tags, name)).map(|code| code as u32).collect(),
            };
            self.contents.insert(content_id, content);
        }
        Ok(())
    }
}

/// A zone that was stored by an older time zone database may be gone from this one; UTC then stands in.
fn code_or_utc(zones: &mut Zones, name: &str) -> ZoneCode {
    zones.code(name).or_else(|_: UnknownZone| zones.code(Zone::utc().name())).unwrap_or(ZoneCode(0))
}

fn read_users(
    workspace: &Workspace,
    zones: &mut Zones,
) -> Result<BTreeMap<String, DeclaredUser>, TableError> {
    let columns =
        [users::ID, users::TIME_ZONE, users::LOCALE, users::COUNTRY, users::CREATED_AT, users::ATTRIBUTES];
    let table = DeclaredTable::read(workspace, &columns)?;
    let [ids, names, locales, countries] =
        [users::ID, users::TIME_ZONE, users::LOCALE, users::COUNTRY].map(|column| table.texts(column));
    let (created, attributes) = (table.wholes(users::CREATED_AT), table.texts(users::ATTRIBUTES));
    let mut user = |row: usize| {
        let user = DeclaredUser {
            zone: names.get(row).and_then(|name| zones.code(name).ok()),
            locale: locales.get(row).map(str::to_string),
            country: countries.get(row).map(str::to_string),
            created_at: created.get(row).map(Instant::from_micros),
            platform: attributes.get(row).and_then(platform_of),
        };
        (ids.get(row).unwrap_or_default().to_string(), user)
    };
    Ok((0..table.len()).map(&mut user).collect())
}

/// A declared content: id, category, tags.
pub type ContentRow = (String, Option<String>, Vec<String>);

/// The declared contents; a workspace may have none.
///
/// # Errors
/// When the table cannot be read.
pub fn content_rows(workspace: &Workspace) -> Result<Vec<ContentRow>, TableError> {
    let table = DeclaredTable::read(workspace, &[contents::ID, contents::CATEGORY, contents::TAGS])?;
    let [ids, categories, tags] =
        [contents::ID, contents::CATEGORY, contents::TAGS].map(|column| table.texts(column));
    let split = |tags: &str| tags.split(';').map(str::to_string).collect();
    let row = |row: usize| {
        let id = ids.get(row).unwrap_or_default().to_string();
        (id, categories.get(row).map(str::to_string), tags.get(row).map(split).unwrap_or_default())
    };
    Ok((0..table.len()).map(row).collect())
}
