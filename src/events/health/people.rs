//! What was declared of users that a day's mix is counted by: zone and platform.

use std::collections::HashMap;

use polars::prelude::*;

use files::tables::{self, TableError};
use files::workspace::Workspace;

/// Zone and platform (the attribute `platform`) of the declared users.
#[derive(Clone, Debug, Default)]
pub struct People {
    by_id: HashMap<String, Person>,
}

/// One declared user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// His zone, an IANA name.
    pub zone: Option<String>,
    /// His platform.
    pub platform: Option<String>,
}

impl People {
    /// Reads the table of users; a workspace may have none.
    ///
    /// # Errors
    /// When there is one that cannot be read.
    pub fn read(workspace: &Workspace) -> Result<People, TableError> {
        let path = workspace.table("users");
        if !path.exists() {
            return Ok(People::default());
        }
        let frame = tables::read_parquet(&path, Some(&["user_id", "time_zone", "attributes"]))?;
        let by_id = by_id(&frame).map_err(TableError::parquet(&path))?;
        Ok(People { by_id })
    }

    /// A user, if he was declared.
    pub fn get(&self, user_id: &str) -> Option<&Person> {
        self.by_id.get(user_id)
    }
}

fn by_id(frame: &DataFrame) -> PolarsResult<HashMap<String, Person>> {
    let text = |name: &str| frame.column(name)?.str();
    let (ids, zones, attributes) = (text("user_id")?, text("time_zone")?, text("attributes")?);
    let person = |row: usize| {
        let zone = zones.get(row).map(str::to_string);
        let person = Person { zone, platform: attributes.get(row).and_then(platform_of) };
        (ids.get(row).unwrap_or_default().to_string(), person)
    };
    Ok((0..frame.height()).map(person).collect())
}

/// The text `platform` of a JSON object; what does not even name it is not parsed.
pub(super) fn platform_of(object: &str) -> Option<String> {
    if !object.contains("\"platform\"") {
        return None;
    }
    let object: serde_json::Value = serde_json::from_str(object).ok()?;
    object.get("platform")?.as_str().map(str::to_string)
}
