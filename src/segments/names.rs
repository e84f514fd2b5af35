//! The names that a workspace knows: event names, categories, tags, contents and campaigns, found without regard to case.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use crate::language::words::nearest;
use domain::event::StandardEvent;
use events::columns::campaigns;
use events::declared::DeclaredTable;
use events::lake::Lake;
use events::stored::EventColumn;
use files::tables::TableError;
use files::workspace::Workspace;
use profiles::declared::content_rows;

/// What a name is a name of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameKind {
    /// An event.
    Event,
    /// A category of contents.
    Category,
    /// A tag of contents.
    Tag,
    /// A content.
    Content,
    /// A campaign.
    Campaign,
}

impl NameKind {
    /// Code of the error about an unknown one.
    pub const fn code(self) -> &'static str {
        match self {
            NameKind::Event => "unknown_event",
            NameKind::Category => "unknown_category",
            NameKind::Tag => "unknown_tag",
            NameKind::Content => "unknown_content",
            NameKind::Campaign => "unknown_campaign",
        }
    }

    /// What is wrong with an unknown name; `known` says which are known.
    pub fn sentence(self, name: &str, known: &str) -> String {
        let missing = match self {
            NameKind::Event => format!("no event is called {name:?}"),
            NameKind::Category => format!("no content has the category {name:?}"),
            NameKind::Tag => format!("no content has the tag {name:?}"),
            NameKind::Content => format!("there is no content {name:?}"),
            NameKind::Campaign => format!("there is no campaign {name:?}"),
        };
        match (self, known) {
            (NameKind::Event, _) => missing,
            (NameKind::Category | NameKind::Tag, "") => {
                missing + "; none has any (`smartpush ingest --kind contents` declares them)"
            }
            (NameKind::Content | NameKind::Campaign, _) => missing + ", neither declared nor in an event",
            (_, known) => format!("{missing}; known are {known}"),
        }
    }
}

/// A name that nothing has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    /// The name that was probably meant.
    pub nearest: Option<String>,
    /// The known ones of the kind, or some of them.
    pub known: String,
}

/// The names of a workspace. By default nothing is known, and every name is taken as it is written.
#[derive(Clone, Debug, Default)]
pub struct Names {
    known: Option<BTreeMap<NameKind, BTreeSet<String>>>,
    workspace: Option<Workspace>,
    /// Contents and campaigns that only events name; read when a declared one is not found.
    touched: OnceLock<BTreeMap<NameKind, BTreeSet<String>>>,
}

impl PartialEq for Names {
    fn eq(&self, other: &Names) -> bool {
        self.known == other.known
    }
}

impl Names {
    /// Reads declared contents and campaigns, and the event names of the lake.
    ///
    /// # Errors
    /// When a table cannot be read. A lake that cannot be read is reported by the evaluation that reads its events.
    pub fn read(workspace: &Workspace) -> Result<Names, TableError> {
        let mut known: BTreeMap<NameKind, BTreeSet<String>> = BTreeMap::new();
        let mut know = |kind, name: String| {
            known.entry(kind).or_default().insert(name);
        };
        for (content_id, category, tags) in content_rows(workspace)? {
            know(NameKind::Content, content_id);
            category.into_iter().for_each(|category| know(NameKind::Category, category));
            tags.into_iter().filter(|tag| !tag.is_empty()).for_each(|tag| know(NameKind::Tag, tag));
        }
        let table = DeclaredTable::read(workspace, &[campaigns::ID])?;
        table.texts(campaigns::ID).iter().flatten().for_each(|id| know(NameKind::Campaign, id.to_string()));
        StandardEvent::ALL.iter().for_each(|event| know(NameKind::Event, event.name().to_string()));
        for file in Lake::open(workspace).iter().flat_map(|lake| &lake.manifest().files) {
            file.events.keys().for_each(|name| know(NameKind::Event, name.clone()));
        }
        let workspace = Some(workspace.clone());
        Ok(Names { known: Some(known), workspace, touched: OnceLock::new() })
    }

    /// Every name that is written like this one but for case; of events only the very same, of contents and campaigns
    /// first of all.
    ///
    /// # Errors
    /// When there is none.
    pub fn find(&self, kind: NameKind, name: &str) -> Result<Vec<String>, UnknownName> {
        let Some(known) = &self.known else { return Ok(vec![name.to_string()]) };
        let empty = BTreeSet::new();
        let declared = known.get(&kind).unwrap_or(&empty);
        let mut found = alike(kind, name, declared);
        if found.is_empty() && matches!(kind, NameKind::Content | NameKind::Campaign) {
            found = alike(kind, name, self.touched().get(&kind).unwrap_or(&empty));
        }
        match found.is_empty() {
            true => Err(UnknownName { nearest: meant(kind, name, declared), known: some_of(declared) }),
            false => Ok(found),
        }
    }

    fn touched(&self) -> &BTreeMap<NameKind, BTreeSet<String>> {
        self.touched.get_or_init(|| self.workspace.as_ref().and_then(touched).unwrap_or_default())
    }
}

/// The first names, and how many more there are.
fn some_of(names: &BTreeSet<String>) -> String {
    const SHOWN: usize = 30;
    let shown: Vec<&str> = names.iter().take(SHOWN).map(String::as_str).collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Names of one kind that are written alike.
fn alike(kind: NameKind, name: &str, known: &BTreeSet<String>) -> Vec<String> {
    let is_one_thing = matches!(kind, NameKind::Content | NameKind::Campaign | NameKind::Event);
    if is_one_thing && known.contains(name) {
        return vec![name.to_string()];
    }
    let lower = name.to_lowercase();
    let is_alike = |other: &&String| kind != NameKind::Event && other.to_lowercase() == lower;
    known.iter().filter(is_alike).cloned().collect()
}

/// The name that takes the fewest edits, else the first that contains this one or is contained in it; names of events are
/// made of parts of others, so that only edits count.
fn meant(kind: NameKind, name: &str, known: &BTreeSet<String>) -> Option<String> {
    const SHORTEST_PART: usize = 4;
    let lower = name.to_lowercase();
    let contains = |other: &&String| {
        let other = other.to_lowercase();
        (lower.len() >= SHORTEST_PART && other.contains(&lower))
            || (other.len() >= SHORTEST_PART && lower.contains(&other))
    };
    let nearest = nearest(name, known.iter().map(String::as_str)).map(str::to_string);
    nearest.or_else(|| known.iter().filter(|_| kind != NameKind::Event).find(contains).cloned())
}

/// Contents and campaigns that events name; `None` when the lake cannot be read.
fn touched(workspace: &Workspace) -> Option<BTreeMap<NameKind, BTreeSet<String>>> {
    let lake = Lake::open(workspace).ok()?;
    let (mut contents, mut campaigns) = (BTreeSet::new(), BTreeSet::new());
    let keep = |kept: &mut BTreeSet<String>, name: Option<&str>| {
        if let Some(name) = name.filter(|name| !kept.contains(*name)) {
            kept.insert(name.to_string());
        }
    };
    for file in &lake.manifest().files {
        let events = lake.events(file, &[EventColumn::ContentId, EventColumn::CampaignId]).ok()?;
        for event in events.iter() {
            keep(&mut contents, event.content_id);
            keep(&mut campaigns, event.campaign_id);
        }
    }
    Some(BTreeMap::from([(NameKind::Content, contents), (NameKind::Campaign, campaigns)]))
}
