//! Ready-made mappings of other systems' exports, one file each.
//!
//! To add one: a file here and its line in `FILES`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::event_names::EventNames;

/// The files, in the order in which they are listed.
const FILES: &[(&str, &str)] = &[
    ("ga4", include_str!("ga4.toml")),
    ("segment", include_str!("segment.toml")),
    ("amplitude", include_str!("amplitude.toml")),
    ("mixpanel", include_str!("mixpanel.toml")),
    ("posthog", include_str!("posthog.toml")),
    ("snowplow", include_str!("snowplow.toml")),
    ("matomo", include_str!("matomo.toml")),
    ("shopify", include_str!("shopify.toml")),
    ("braze", include_str!("braze.toml")),
    ("onesignal", include_str!("onesignal.toml")),
    ("rees46", include_str!("rees46.toml")),
    ("retailrocket", include_str!("retailrocket.toml")),
    ("taobao", include_str!("taobao.toml")),
    ("movielens", include_str!("movielens.toml")),
    ("amazon", include_str!("amazon.toml")),
    ("yelp", include_str!("yelp.toml")),
    ("deskdrop", include_str!("deskdrop.toml")),
];

/// How the events of one system's export become ours.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// Its name.
    #[serde(skip)]
    pub name: &'static str,
    /// The export that it reads, in one line.
    pub about: String,
    /// The zone of naive stamps, where the system documents one.
    #[serde(default)]
    pub time_zone: Option<String>,
    /// Columns of files that come without a header line, by how many there are.
    #[serde(default)]
    pub headers: Vec<Vec<String>>,
    /// Field of ours → their columns, the first with a value counting.
    pub columns: BTreeMap<String, Vec<String>>,
    /// Field of ours → the value of every event.
    #[serde(default)]
    pub constants: BTreeMap<String, String>,
    /// Their names of events → ours, `other` or `own`.
    #[serde(default)]
    pub events: BTreeMap<String, String>,
}

/// All of them, parsed once.
static PRESETS: LazyLock<Vec<Preset>> = LazyLock::new(|| {
    let parse = |(name, text): &(&'static str, &str)| {
        // A test reads each file.
        let preset: Preset =
            toml::from_str(text).unwrap_or_else(|error| unreachable!("preset {name}: {error}"));
        Preset { name, ..preset }
    };
    FILES.iter().map(parse).collect()
});

impl Preset {
    /// All of them.
    pub fn all() -> &'static [Preset] {
        &PRESETS
    }

    /// The preset of a name.
    ///
    /// # Errors
    /// Lists the presets there are.
    pub fn find(name: &str) -> Result<&'static Preset, String> {
        PRESETS.iter().find(|preset| preset.name == name).ok_or_else(|| {
            let names: Vec<&str> = PRESETS.iter().map(|preset| preset.name).collect();
            format!("{name:?} is not a preset; the presets are {}", names.join(", "))
        })
    }

    /// Their names of events.
    pub(super) fn event_names(&self) -> EventNames {
        EventNames::of_pairs(self.events.iter())
    }
}

/// What a name means in the first preset that maps it to a name of ours.
pub(super) fn meaning_elsewhere(name: &str) -> Option<(&'static str, &'static str)> {
    let found = PRESETS.iter().find_map(|preset| Some((preset.name, preset.events.get(name)?.as_str())));
    found.filter(|(_, ours)| *ours != super::event_names::OWN)
}
