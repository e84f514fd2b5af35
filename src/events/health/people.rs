//! What was declared of users that a day's mix is counted by: zone and platform.

use std::collections::HashMap;

use crate::columns::users;
use crate::declared::{DeclaredTable, platform_of};
use files::tables::TableError;
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
        let table = DeclaredTable::read(workspace, &[users::ID, users::TIME_ZONE, users::ATTRIBUTES])?;
        let zones_and_attributes =
            table.texts(users::TIME_ZONE).iter().zip(table.texts(users::ATTRIBUTES).iter());
        let rows = table.texts(users::ID).iter().zip(zones_and_attributes);
        let person = |(id, (zone, attributes)): (Option<&str>, (Option<&str>, Option<&str>))| {
            let (zone, platform) = (zone.map(str::to_string), attributes.and_then(platform_of));
            (id.unwrap_or_default().to_string(), Person { zone, platform })
        };
        Ok(People { by_id: rows.map(person).collect() })
    }

    /// A user, if he was declared.
    pub fn get(&self, user_id: &str) -> Option<&Person> {
        self.by_id.get(user_id)
    }
}
