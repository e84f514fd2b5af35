//! Names of events on their way in: `--map-event`, the settings, and what each name is understood as.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::pairs::theirs_and_ours;
use super::presets;
use config::IngestConfig;
use domain::event::{Meaning, StandardEvent};
use domain::event_names::{OTHER_PREFIX, OWN_PREFIX, Recognised, look_alike, recognise};
use domain::event_words::{speaks_of_push, squeezed};
use domain::identity::{LONGEST_ID, NOT_AN_ID, is_valid_id};
use domain::nearest::nearest;

/// In place of a name of ours: this is not an act of the user's own.
pub const OTHER: &str = "other";

/// In place of a name of ours: this is an act of the user's own.
pub const OWN: &str = "own";

/// Names counted one by one; a hostile file may bring a new one with every record.
const MOST_NAMES: usize = 10_000;

/// Their names of events, and the names that the lake gets for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventNames {
    exact: BTreeMap<String, String>,
    /// Names that count in any spelling: those of presets, by squeezed name.
    loose: BTreeMap<String, String>,
}

impl EventNames {
    /// Reads `theirs=ours,theirs=ours`; ours may be `other` or `own`.
    ///
    /// # Errors
    /// A text that says which pair cannot be used.
    pub fn parse(text: &str) -> Result<EventNames, String> {
        let mut names = EventNames::default();
        for (alternatives, ours) in theirs_and_ours(text)? {
            for theirs in alternatives {
                if names.exact.contains_key(&theirs) {
                    return Err(format!("{theirs:?} is mapped twice"));
                }
                names.add(&theirs, &ours)?;
            }
        }
        Ok(names)
    }

    /// Those of the settings.
    ///
    /// # Errors
    /// A text that says which setting cannot be used.
    pub fn of_settings(config: &IngestConfig) -> Result<EventNames, String> {
        let mut names = EventNames::default();
        for (theirs, ours) in &config.map_events {
            names.add(theirs, ours).map_err(|detail| format!("ingest.map_events: {detail}"))?;
        }
        for theirs in &config.not_own_acts {
            names.add(theirs, OTHER).map_err(|detail| format!("ingest.not_own_acts: {detail}"))?;
        }
        Ok(names)
    }

    fn add(&mut self, theirs: &str, ours: &str) -> Result<(), String> {
        let (theirs, ours) = (theirs.trim(), ours.trim());
        if theirs.is_empty() || !is_valid_id(ours) {
            return Err(format!("{theirs:?}={ours:?}: a name {NOT_AN_ID}"));
        }
        self.exact.insert(theirs.to_string(), stored_name(theirs, ours));
        Ok(())
    }

    /// Pairs of a preset, which are known to be right and count in any spelling.
    pub(super) fn of_pairs<'a>(pairs: impl Iterator<Item = (&'a String, &'a String)>) -> EventNames {
        let stored = |(theirs, ours): (&'a String, &'a String)| (theirs.clone(), stored_name(theirs, ours));
        let exact: BTreeMap<String, String> = pairs.map(stored).collect();
        let loose = exact.iter().map(|(theirs, ours)| (squeezed(theirs), ours.clone())).collect();
        EventNames { exact, loose }
    }

    /// These names, and for all others those below.
    pub fn over(mut self, below: &EventNames) -> EventNames {
        for (mine, others) in [(&mut self.exact, &below.exact), (&mut self.loose, &below.loose)] {
            for (theirs, ours) in others {
                mine.entry(theirs.clone()).or_insert_with(|| ours.clone());
            }
        }
        self
    }

    /// The name that the lake gets.
    pub(super) fn apply<'a>(&self, name: Cow<'a, str>) -> Cow<'a, str> {
        if let Some(ours) = self.exact.get(name.as_ref()) {
            return Cow::Owned(ours.clone());
        }
        let loose = (!self.loose.is_empty()).then(|| self.loose.get(&squeezed(&name)));
        match loose.flatten() {
            // A name that is kept as it is has no other spelling in the lake.
            Some(ours) if squeezed(ours) == squeezed(&name) && StandardEvent::of(ours).is_none() => name,
            Some(ours) => Cow::Owned(ours.clone()),
            None => name,
        }
    }

    /// Is this name told what it means?
    pub(super) fn tells(&self, theirs: &str) -> bool {
        self.exact.contains_key(theirs)
    }

    /// As they are asked for: `theirs=ours`.
    pub(super) fn pairs(&self) -> impl Iterator<Item = String> {
        self.exact.iter().map(|(theirs, ours)| format!("{theirs}={ours}"))
    }

    /// Names of ours that are not standard ones and read like one: each with the name that was probably meant.
    pub(super) fn misspelt(&self) -> impl Iterator<Item = (String, &'static str)> {
        let is_told = |ours: &str| ours.starts_with(OTHER_PREFIX) || ours.starts_with(OWN_PREFIX);
        let chosen = self.exact.iter().filter(move |(theirs, ours)| theirs != ours && !is_told(ours));
        let custom = chosen
            .filter(|(_, ours)| matches!(recognise(ours), Recognised::CustomAct | Recognised::CustomPush));
        let names = || StandardEvent::ALL.iter().map(|event| event.name()).chain([OTHER, OWN]);
        custom.filter_map(move |(_, ours)| Some((ours.clone(), nearest(ours, names())?)))
    }

    /// Their names.
    pub(super) fn theirs(&self) -> impl Iterator<Item = &String> {
        self.exact.keys()
    }
}

/// A name that is told what it means keeps it in the lake, unless it is understood so anyway.
fn stored_name(theirs: &str, ours: &str) -> String {
    let told = match (ours, recognise(theirs)) {
        (OTHER, Recognised::Other) | (OWN, Recognised::CustomAct) => theirs.to_string(),
        (OTHER, _) => format!("{OTHER_PREFIX}{theirs}"),
        (OWN, _) => format!("{OWN_PREFIX}{theirs}"),
        _ => return ours.to_string(),
    };
    let mut length = told.len().min(LONGEST_ID);
    while !told.is_char_boundary(length) {
        length -= 1;
    }
    told[..length].to_string()
}

/// How often each name of a file was read, and the name that the lake got for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameCounts {
    counts: BTreeMap<String, (u64, String)>,
    /// Events whose names were too many to count one by one.
    uncounted: u64,
}

/// A name of what was read, and how it is understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameReading {
    /// The name in the files.
    pub name: String,
    /// Events of that name.
    pub count: u64,
    /// `own_act`, `custom_own_act`, `push_event`, `opt_out`, `targeting` or `other`.
    pub meaning: &'static str,
    /// The name of ours that it stands for, if that is another one.
    pub understood_as: Option<String>,
    /// What to look at, and what to do.
    pub note: Option<String>,
}

impl NameCounts {
    /// Counts an event.
    pub(super) fn add(&mut self, theirs: &str, stored: &str) {
        if let Some((count, _)) = self.counts.get_mut(theirs) {
            *count += 1;
        } else if self.counts.len() < MOST_NAMES {
            self.counts.insert(theirs.to_string(), (1, stored.to_string()));
        } else {
            self.uncounted += 1;
        }
    }

    /// Adds another file's counts.
    pub(super) fn merge(&mut self, other: NameCounts) {
        for (name, (count, stored)) in other.counts {
            self.counts.entry(name).or_insert((0, stored)).0 += count;
        }
        self.uncounted += other.uncounted;
    }

    /// Events whose names were too many to count one by one.
    pub fn uncounted(&self) -> u64 {
        self.uncounted
    }

    /// Was a name read?
    pub(super) fn has(&self, theirs: &str) -> bool {
        self.counts.contains_key(theirs)
    }

    /// The names, the most frequent first, each as it is understood.
    pub fn readings(&self) -> Vec<NameReading> {
        let mut readings: Vec<NameReading> =
            self.counts.iter().map(|(name, (count, stored))| reading(name, *count, stored)).collect();
        readings.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.name.cmp(&b.name)));
        readings
    }
}

fn reading(name: &str, count: u64, stored: &str) -> NameReading {
    let recognised = recognise(stored);
    let standard = match recognised {
        Recognised::Standard(event) => Some(event.name()),
        Recognised::CustomPush | Recognised::Other | Recognised::CustomAct => None,
    };
    let told = [OTHER_PREFIX, OWN_PREFIX].iter().any(|prefix| stored.strip_prefix(prefix) == Some(name));
    let understood_as = standard.unwrap_or(if told { name } else { stored });
    NameReading {
        name: name.to_string(),
        count,
        meaning: meaning_word(recognised),
        understood_as: (understood_as != name).then(|| understood_as.to_string()),
        note: if told { None } else { note(stored, recognised) },
    }
}

fn meaning_word(recognised: Recognised) -> &'static str {
    match recognised {
        Recognised::Standard(event) => match event.meaning() {
            Meaning::OwnAct => "own_act",
            Meaning::Withdrawal => "opt_out",
            Meaning::Targeting => "targeting",
            Meaning::Push(_) => "push_event",
            Meaning::Other => "other",
        },
        Recognised::CustomPush => "push_event",
        Recognised::Other => "other",
        Recognised::CustomAct => "custom_own_act",
    }
}

/// What a person had better look at.
fn note(name: &str, recognised: Recognised) -> Option<String> {
    match recognised {
        Recognised::Standard(StandardEvent::NotificationsDisabled)
            if look_alike(name).is_none() && !speaks_of_push(name) =>
        {
            Some(format!("no push from there on; if it is of another channel, {}", flag(name, OTHER)))
        }
        Recognised::Standard(_) | Recognised::Other => None,
        Recognised::CustomPush => Some(format!(
            "an event of a push that says no stage and counts for no cap; a send: {}; the user's own act: {}",
            flag(name, StandardEvent::PushSent.name()),
            flag(name, OWN)
        )),
        Recognised::CustomAct => look_alike(name)
            .map(|event| format!("{name:?} looks like {}: {}", event.name(), flag(name, event.name())))
            .or_else(|| {
                let (preset, ours) = presets::meaning_elsewhere(name)?;
                Some(format!("{ours} in --preset {preset}: {}", flag(name, ours)))
            })
            .or_else(|| {
                speaks_of_push(name)
                    .then(|| format!("counts as the user's own act; if it is not, {}", flag(name, OTHER)))
            }),
    }
}

/// The flag that maps a name, ready for a shell.
fn flag(theirs: &str, ours: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "_-./:".contains(letter);
    match (theirs.chars().all(is_plain), theirs.contains([',', '|', '='])) {
        (true, _) => format!("--map-event {theirs}={ours}"),
        (false, false) => format!("--map-event '{theirs}={ours}'"),
        (false, true) => format!("--map-event '\"{theirs}\"={ours}'"),
    }
}
