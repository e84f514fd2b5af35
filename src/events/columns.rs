//! The columns of the tables of users, contents and campaigns: the one list of each.
//!
//! To add a field: one line in its table's module. Files are read by these lists, and so are the tables.

use std::marker::PhantomData;

use super::mapping::InputField;
use super::request::InputKind;

/// What a column holds, and so how it is read, checked and stored.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Holds {
    Key,
    Id,
    Text,
    OneOf(&'static [&'static str]),
    /// One of a closed set of which a part is not obeyed yet, and so refused.
    Supported(&'static SupportedWords),
    /// A grant, a refusal, or a word that is neither.
    Consent,
    /// On or off.
    Switch,
    Zone,
    /// A moment that has passed.
    Past,
    /// A moment; a bare date means its first instant.
    From,
    /// A moment; a bare date means the end of that day.
    Until,
    /// HH:MM
    ClockTime,
    Whole(i64, i64),
    Number(f64, f64),
    /// Texts separated by semicolons, or a JSON array of texts.
    List,
    JsonArray,
    /// A JSON array of variants.
    Variants,
    /// A JSON array of what reaches the user.
    Devices,
    /// A JSON array of frequency rules.
    FrequencyRules,
    JsonObject,
    /// All unknown columns.
    Others,
}

/// The words of a closed set, by whether anything obeys them.
#[derive(Debug, PartialEq)]
pub(super) struct SupportedWords {
    /// Words that are obeyed.
    pub(super) now: &'static [&'static str],
    /// Words that are reserved: nothing obeys them yet.
    pub(super) later: &'static [&'static str],
}

impl SupportedWords {
    /// What is wrong with a word of the set that nothing obeys yet; `None` for every other word.
    pub(super) fn unsupported(&self, name: &str, word: &str) -> Option<String> {
        let supported = self.now.join(" and ");
        let is_reserved = self.later.contains(&word);
        is_reserved.then(|| format!("{name} {word:?} is not supported yet; supported: {supported}"))
    }
}

/// What starts a campaign: a plan or a request. Nothing watches the clock, events or profiles for it.
pub(super) const TRIGGERS: SupportedWords = SupportedWords {
    now: &["manual", "api"],
    later: &["recurring", "event", "profile_change", "date_attribute"],
};

/// When a campaign sends: at each user's best time within its window and horizon.
pub(super) const TIMINGS: SupportedWords = SupportedWords { now: &["best_time"], later: &["now", "at"] };

/// How a column's values are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stored {
    Texts,
    Wholes,
    Numbers,
    /// Microseconds since the epoch.
    Moments,
}

impl Holds {
    pub(super) fn stored(self) -> Stored {
        match self {
            Holds::Past | Holds::From | Holds::Until => Stored::Moments,
            Holds::Whole(..) => Stored::Wholes,
            Holds::Number(..) => Stored::Numbers,
            Holds::Key
            | Holds::Id
            | Holds::Text
            | Holds::OneOf(_)
            | Holds::Supported(_)
            | Holds::Consent
            | Holds::Switch
            | Holds::Zone
            | Holds::ClockTime
            | Holds::List
            | Holds::JsonArray
            | Holds::Variants
            | Holds::Devices
            | Holds::FrequencyRules
            | Holds::JsonObject
            | Holds::Others => Stored::Texts,
        }
    }
}

impl Holds {
    /// What a value looks like, for people.
    pub(super) fn described(self) -> String {
        match self {
            Holds::Key => "id, required".into(),
            Holds::Id => "id".into(),
            Holds::Text => "text".into(),
            Holds::OneOf(words) => words.join(" | "),
            Holds::Supported(words) => words.now.join(" | "),
            Holds::Consent => {
                "granted | denied, and the usual words: true/false, 1/0, yes/no, subscribed/unsubscribed"
                    .into()
            }
            Holds::Switch => "on | off".into(),
            Holds::Zone => "IANA time zone".into(),
            Holds::Past => "moment in the past".into(),
            Holds::From => "moment; a bare date is its start".into(),
            Holds::Until => "moment; a bare date includes that day".into(),
            Holds::ClockTime => "HH:MM".into(),
            Holds::Whole(least, i64::MAX) => format!("whole number from {least}"),
            Holds::Whole(least, most) => format!("whole number {least} to {most}"),
            Holds::Number(least, most) => format!("number {least} to {most}"),
            Holds::List => "texts separated by ;".into(),
            Holds::JsonArray | Holds::Variants | Holds::Devices | Holds::FrequencyRules => {
                "JSON array".into()
            }
            Holds::JsonObject => "JSON object".into(),
            Holds::Others => "any".into(),
        }
    }
}

/// One column of a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TableColumn {
    pub(super) field: InputField,
    pub(super) holds: Holds,
    /// What it means, for people.
    pub(super) meaning: &'static str,
    /// A value as a file holds it; empty when an example file leaves it out.
    pub(super) example: &'static str,
}

/// One of the three tables, as a type: columns of one table cannot be asked of another.
pub trait Table {
    /// What its rows are.
    const KIND: InputKind;
}

/// The table of users.
#[derive(Clone, Copy, Debug)]
pub struct Users;

/// The table of contents.
#[derive(Clone, Copy, Debug)]
pub struct Contents;

/// The table of campaigns.
#[derive(Clone, Copy, Debug)]
pub struct Campaigns;

impl Table for Users {
    const KIND: InputKind = InputKind::Users;
}

impl Table for Contents {
    const KIND: InputKind = InputKind::Contents;
}

impl Table for Campaigns {
    const KIND: InputKind = InputKind::Campaigns;
}

/// A column of the table `T`.
#[derive(Debug)]
pub struct Column<T> {
    pub(super) column: TableColumn,
    table: PhantomData<T>,
}

impl<T> Clone for Column<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Column<T> {}

impl<T> Column<T> {
    const fn new(name: &'static str, holds: Holds) -> Column<T> {
        let field = InputField { name, required: matches!(holds, Holds::Key) };
        Column { column: TableColumn { field, holds, meaning: "", example: "" }, table: PhantomData }
    }

    /// The same column with what help and example files say of it.
    const fn taught(self, meaning: &'static str, example: &'static str) -> Column<T> {
        Column { column: TableColumn { meaning, example, ..self.column }, table: PhantomData }
    }

    /// Its index among the columns beside the key.
    pub(super) fn index_in(self, columns: &[TableColumn]) -> Option<usize> {
        columns.iter().skip(1).position(|column| column.field.name == self.name())
    }

    /// Its name in the table and in files.
    pub const fn name(self) -> &'static str {
        self.column.field.name
    }
}

/// Columns of users.
pub mod users {
    use super::{Column, Holds, TableColumn, Users};

    /// The user's id.
    pub const ID: Column<Users> = Column::new("user_id", Holds::Key).taught("The user's id", "u-1042");
    /// The declared zone.
    pub const TIME_ZONE: Column<Users> =
        Column::new("time_zone", Holds::Zone).taught("Where the user's clock is", "Europe/Paris");
    /// Language and region.
    pub const LOCALE: Column<Users> =
        Column::new("locale", Holds::Id).taught("Language and region, for the variant", "fr-FR");
    /// Country.
    pub const COUNTRY: Column<Users> = Column::new("country", Holds::Id).taught("Country", "FR");
    /// Sign-up.
    pub const CREATED_AT: Column<Users> =
        Column::new("created_at", Holds::Past).taught("When the user signed up", "2024-01-31T09:15:00Z");
    /// Has the user agreed to be pushed?
    pub const CONSENT: Column<Users> = Column::new("consent", Holds::Consent)
        .taught("May marketing be pushed? Anything but a clear grant blocks it", "granted");
    /// Since when.
    pub const CONSENT_AT: Column<Users> = Column::new("consent_at", Holds::Past).taught(
        "When the user agreed or refused; a later opt-out ends an earlier grant",
        "2024-01-31T09:16:00Z",
    );
    /// First quiet minute.
    pub const QUIET_FROM: Column<Users> =
        Column::new("quiet_from", Holds::ClockTime).taught("First quiet minute on the user's clock", "21:30");
    /// First minute after it.
    pub const QUIET_UNTIL: Column<Users> =
        Column::new("quiet_until", Holds::ClockTime).taught("First minute after it", "08:00");
    /// Most pushes on one of the user's days.
    pub const MAX_PER_DAY: Column<Users> = Column::new("max_per_day", Holds::Whole(0, 1_000))
        .taught("Most pushes on one of the user's days", "3");
    /// Categories that the user does not want to hear of.
    pub const MUTED_CATEGORIES: Column<Users> = Column::new("muted_categories", Holds::List)
        .taught("Categories that the user does not want", "sport;politics");
    /// What reaches the user.
    pub const DEVICES: Column<Users> = Column::new("devices", Holds::Devices)
        .taught("What reaches the user", "[{\"device_id\":\"d-1\",\"channel\":\"push\",\"active\":true}]");
    /// May the user's acts decide what they get?
    pub const PERSONALISATION: Column<Users> = Column::new("personalisation", Holds::Switch)
        .taught("May the user's acts decide what they get?", "on");
    /// Everything else, as a JSON object.
    pub const ATTRIBUTES: Column<Users> = Column::new("attributes", Holds::Others)
        .taught("Any other column is kept under its own name, for segments and templates", "");

    /// All of them, in the order of the table.
    pub(crate) const ALL: &[TableColumn] = &[
        ID.column,
        TIME_ZONE.column,
        LOCALE.column,
        COUNTRY.column,
        CREATED_AT.column,
        CONSENT.column,
        CONSENT_AT.column,
        QUIET_FROM.column,
        QUIET_UNTIL.column,
        MAX_PER_DAY.column,
        MUTED_CATEGORIES.column,
        DEVICES.column,
        PERSONALISATION.column,
        ATTRIBUTES.column,
    ];
}

/// Columns of contents.
pub mod contents {
    use super::{Column, Contents, Holds, TableColumn};

    /// The content's id.
    pub const ID: Column<Contents> =
        Column::new("content_id", Holds::Key).taught("The content's id", "c-2001");
    /// Its category.
    pub const CATEGORY: Column<Contents> =
        Column::new("category", Holds::Id).taught("Its category, which interests are learned by", "news");
    /// Its tags.
    pub const TAGS: Column<Contents> = Column::new("tags", Holds::List).taught("Its tags", "local;weather");
    /// When it comes out.
    pub const PUBLISHED_AT: Column<Contents> =
        Column::new("published_at", Holds::From).taught("From when it may be sent", "2024-02-01T06:00:00Z");
    /// From here on it is worth nothing.
    pub const EXPIRES_AT: Column<Contents> = Column::new("expires_at", Holds::Until)
        .taught("From when it must not be shown; empty is never", "2030-02-08T00:00:00Z");
    /// Service or marketing.
    pub const MESSAGE_CLASS: Column<Contents> =
        Column::new("message_class", Holds::OneOf(&["service", "marketing"]))
            .taught("Service messages are sent whatever the user's marketing consent", "marketing");
    /// The headline of a content without variants.
    pub const TITLE: Column<Contents> = Column::new("title", Holds::Text)
        .taught("The headline of a content without variants", "Storm tonight");
    /// The text of a content without variants.
    pub const BODY: Column<Contents> = Column::new("body", Holds::Text)
        .taught("The text under the title of a content without variants", "Stay at home, {{name|reader}}");
    /// Its variants.
    pub const VARIANTS: Column<Contents> = Column::new("variants", Holds::Variants).taught("Its texts by language, in place of title and body", "[{\"variant_id\":\"en\",\"locale\":\"en\",\"title\":\"Storm tonight\",\"body\":\"Stay at home, {{name|reader}}\"}]");
    /// Its pictures and films.
    pub const MEDIA: Column<Contents> = Column::new("media", Holds::JsonArray)
        .taught("Its pictures and films", "[{\"kind\":\"image\",\"url\":\"https://example.org/storm.jpg\"}]");
    /// Where a tap leads.
    pub const DEEP_LINK: Column<Contents> =
        Column::new("deep_link", Holds::Text).taught("Where a tap leads", "app://news/2001");
    /// How devices show it.
    pub const PRESENTATION: Column<Contents> = Column::new("presentation", Holds::JsonObject).taught(
        "How devices show it",
        "{\"notification_channel\":\"news\",\"priority\":\"normal\",\"ttl_seconds\":86400}",
    );
    /// What vendors' push services take it for.
    pub const VENDOR_CATEGORY: Column<Contents> =
        Column::new("vendor_category", Holds::Id).taught("What vendors' push services take it for", "news");
    /// Countries it may be sent to.
    pub const COUNTRIES: Column<Contents> =
        Column::new("countries", Holds::List).taught("Countries it may be sent to; empty is all", "FR;BE");
    /// Everything else, as a JSON object.
    pub const ATTRIBUTES: Column<Contents> =
        Column::new("attributes", Holds::Others).taught("Any other column is kept under its own name", "");

    /// All of them, in the order of the table.
    pub(crate) const ALL: &[TableColumn] = &[
        ID.column,
        CATEGORY.column,
        TAGS.column,
        PUBLISHED_AT.column,
        EXPIRES_AT.column,
        MESSAGE_CLASS.column,
        TITLE.column,
        BODY.column,
        VARIANTS.column,
        MEDIA.column,
        DEEP_LINK.column,
        PRESENTATION.column,
        VENDOR_CATEGORY.column,
        COUNTRIES.column,
        ATTRIBUTES.column,
    ];
}

/// Columns of campaigns.
pub mod campaigns {
    use super::{Campaigns, Column, Holds, TableColumn};

    /// The campaign's id.
    pub const ID: Column<Campaigns> =
        Column::new("campaign_id", Holds::Key).taught("The campaign's id", "spring-news");
    /// Its name.
    pub const NAME: Column<Campaigns> = Column::new("name", Holds::Text).taught("Its name", "Spring news");
    /// What it is for.
    pub const GOAL: Column<Campaigns> = Column::new("goal", Holds::Id)
        .taught("A goal of the settings that it pursues; empty is decisions.goal", "");
    /// The segment it is for.
    pub const AUDIENCE: Column<Campaigns> =
        Column::new("audience", Holds::Text).taught("A saved segment, or all", "all");
    /// What it sends.
    pub const CONTENTS: Column<Campaigns> =
        Column::new("contents", Holds::List).taught("What it may send; contents must be declared", "c-2001");
    /// Over which channels.
    pub const CHANNELS: Column<Campaigns> =
        Column::new("channels", Holds::List).taught("Over which channels", "push");
    /// What starts it.
    pub const TRIGGER: Column<Campaigns> =
        Column::new("trigger", Holds::Supported(&super::TRIGGERS)).taught("What starts it", "manual");
    /// When it sends.
    pub const TIMING: Column<Campaigns> =
        Column::new("timing", Holds::Supported(&super::TIMINGS)).taught("When it sends", "best_time");
    /// First instant at which it may send.
    pub const WINDOW_START: Column<Campaigns> =
        Column::new("window_start", Holds::From).taught("From when it may send", "2024-02-01T06:00:00Z");
    /// First instant after it.
    pub const WINDOW_END: Column<Campaigns> = Column::new("window_end", Holds::Until)
        .taught("From when it must not send any more", "2030-02-08T00:00:00Z");
    /// How far ahead it looks.
    pub const HORIZON_HOURS: Column<Campaigns> = Column::new(
        "horizon_hours",
        Holds::Whole(*domain::slot::HORIZON_HOURS.start() as i64, *domain::slot::HORIZON_HOURS.end() as i64),
    )
    .taught("How far ahead an hour is looked for", "24");
    /// Least minutes between question and send.
    pub const LEAD_MINUTES: Column<Campaigns> = Column::new("lead_minutes", Holds::Whole(0, 10_080))
        .taught("Least minutes between decision and send", "5");
    /// Frequency rules of its own.
    pub const FREQUENCY_RULES: Column<Campaigns> = Column::new("frequency_rules", Holds::FrequencyRules)
        .taught(
            "Most pushes in a stretch of time, beside those of the settings",
            "[{\"most\":2,\"calendar_days\":1}]",
        );
    /// First quiet minute on users' clocks.
    pub const QUIET_FROM: Column<Campaigns> =
        Column::new("quiet_from", Holds::ClockTime).taught("First quiet minute on users' clocks", "21:00");
    /// First minute after it.
    pub const QUIET_UNTIL: Column<Campaigns> =
        Column::new("quiet_until", Holds::ClockTime).taught("First minute after it", "09:00");
    /// Most sends in a minute.
    pub const THROTTLE_PER_MINUTE: Column<Campaigns> =
        Column::new("throttle_per_minute", Holds::Whole(0, i64::MAX))
            .taught("Most sends in a minute", "1000");
    /// Most sends in all.
    pub const MAX_SENDS: Column<Campaigns> =
        Column::new("max_sends", Holds::Whole(0, i64::MAX)).taught("Most sends in all", "50000");
    /// What weighs its value.
    pub const PRIORITY: Column<Campaigns> =
        Column::new("priority", Holds::Number(0.0, 1e6)).taught("Weight beside other campaigns", "1");
    /// Its tags.
    pub const TAGS: Column<Campaigns> =
        Column::new("tags", Holds::List).taught("Its tags, for frequency rules", "news");
    /// Share of users it leaves out.
    pub const HOLDOUT_PERCENT: Column<Campaigns> = Column::new("holdout_percent", Holds::Number(0.0, 100.0))
        .taught("Share of users that it leaves out, to measure its effect", "10");
    /// Share of decisions drawn to learn from.
    pub const EXPLORATION_PERCENT: Column<Campaigns> =
        Column::new("exploration_percent", Holds::Number(0.0, 100.0))
            .taught("Share of decisions drawn to learn from", "5");
    /// Where it stands.
    pub const STATUS: Column<Campaigns> =
        Column::new("status", Holds::OneOf(&["draft", "scheduled", "running", "paused", "halted", "ended"]))
            .taught("Only running campaigns send", "running");
    /// Everything else, as a JSON object.
    pub const ATTRIBUTES: Column<Campaigns> =
        Column::new("attributes", Holds::Others).taught("Any other column is kept under its own name", "");

    /// All of them, in the order of the table.
    pub(crate) const ALL: &[TableColumn] = &[
        ID.column,
        NAME.column,
        GOAL.column,
        AUDIENCE.column,
        CONTENTS.column,
        CHANNELS.column,
        TRIGGER.column,
        TIMING.column,
        WINDOW_START.column,
        WINDOW_END.column,
        HORIZON_HOURS.column,
        LEAD_MINUTES.column,
        FREQUENCY_RULES.column,
        QUIET_FROM.column,
        QUIET_UNTIL.column,
        THROTTLE_PER_MINUTE.column,
        MAX_SENDS.column,
        PRIORITY.column,
        TAGS.column,
        HOLDOUT_PERCENT.column,
        EXPLORATION_PERCENT.column,
        STATUS.column,
        ATTRIBUTES.column,
    ];
}

const USER_FIELDS: &[InputField] = &fields::<{ users::ALL.len() }>(users::ALL);
const CONTENT_FIELDS: &[InputField] = &fields::<{ contents::ALL.len() }>(contents::ALL);
const CAMPAIGN_FIELDS: &[InputField] = &fields::<{ campaigns::ALL.len() }>(campaigns::ALL);

const fn fields<const N: usize>(columns: &[TableColumn]) -> [InputField; N] {
    let mut list = [InputField { name: "", required: false }; N];
    let mut index = 0;
    while index < N {
        list[index] = columns[index].field;
        index += 1;
    }
    list
}

/// The columns of a kind of table; events have none, they go to the lake.
pub(super) fn columns_of(kind: InputKind) -> &'static [TableColumn] {
    match kind {
        InputKind::Events => &[],
        InputKind::Users => users::ALL,
        InputKind::Contents => contents::ALL,
        InputKind::Campaigns => campaigns::ALL,
    }
}

/// The fields of a kind of file.
pub fn fields_of(kind: InputKind) -> &'static [InputField] {
    match kind {
        InputKind::Events => super::clean::EVENT_FIELDS,
        InputKind::Users => USER_FIELDS,
        InputKind::Contents => CONTENT_FIELDS,
        InputKind::Campaigns => CAMPAIGN_FIELDS,
    }
}
