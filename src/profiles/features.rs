//! The feature list: every column of a profile is one entry here.
//!
//! To add a feature: one line in [`FEATURES`]. To change what one means: raise its revision (a golden test
//! insists), because models name the list they were trained on by its hash.

use domain::event::{StandardEvent, is_own};
use domain::identity::sha256_hex;
use domain::time::{DAY, Instant};

/// Which events count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// Every event.
    All,
    /// The user's own acts.
    Own,
    /// Own acts with a time of day.
    Activity,
    /// Events of these names.
    Named(&'static [&'static str]),
}

impl Filter {
    /// Does an event of this name count? [`Filter::Activity`] asks for a time of day as well.
    pub fn takes(self, name: &str) -> bool {
        match self {
            Filter::All => true,
            Filter::Own | Filter::Activity => is_own(name),
            Filter::Named(names) => names.contains(&name),
        }
    }
}

/// How far back events count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// All before T.
    Ever,
    /// `[T − days, T)`.
    Days(i64),
    /// All before T, each weighing `2^(−age / half-life)`.
    HalfLife(HalfLife),
}

impl Window {
    /// The first moment that counts as of a moment.
    pub fn start(self, as_of: Instant) -> Instant {
        match self {
            Window::Days(days) => as_of.plus(-days * DAY),
            Window::Ever | Window::HalfLife(_) => Instant::MIN,
        }
    }
}

/// A half-life, fixed or from the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HalfLife {
    /// Days.
    Days(i64),
    /// `profiles.interest_half_life_days`
    Interest,
    /// `profiles.rhythm_half_life_days`
    Rhythm,
    /// `profiles.fatigue_half_life_days`
    Fatigue,
}

/// What is made of the events that count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aggregate {
    /// How many.
    Count,
    /// The sum of their values.
    Sum,
    /// Days from the latest to T.
    DaysSinceLast,
    /// The sum of their weights.
    Weight,
    /// Distinct local days of activity.
    ActiveDays,
    /// Distinct local hours of activity.
    ActiveHours,
    /// Weight of the active hours in each hour of the week.
    HoursOfWeek,
    /// Distinct sessions.
    Sessions,
    /// Distinct sessions with a purchase; a purchase without a session counts as one.
    Orders,
    /// Share of the own events' weight, by category or tag, largest first.
    Interest(Interest),
    /// The contents of the latest own events, newest first.
    RecentContents,
    /// (count + m · rate) / (pushes + m), with the population's rate and `profiles.rate_prior_pushes` = m.
    SmoothedRate {
        /// Feature that counts the responses.
        responses: &'static str,
        /// Feature that counts the pushes.
        pushes: &'static str,
    },
    /// What was declared, or seen on the device.
    Context(Context),
    /// Days from sign-up, or from the first event when that is unknown.
    Tenure,
    /// new, returned, active, cooling or dormant.
    Lifecycle,
}

/// The two lists of an interest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Names of categories.
    Categories,
    /// Their shares.
    CategoryShares,
    /// Names of tags.
    Tags,
    /// Their shares.
    TagShares,
}

/// A field of the user's surroundings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// IANA zone.
    TimeZone,
    /// declared, device or default.
    TimeZoneSource,
    /// Language and region.
    Locale,
    /// Country.
    Country,
    /// The attribute `platform`.
    Platform,
}

/// One column of a profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feature {
    /// Column name.
    pub name: &'static str,
    /// Raised when the meaning changes.
    pub revision: u32,
    /// What a value of 1 is.
    pub unit: &'static str,
    /// One line for people.
    pub description: &'static str,
    /// Which events count.
    pub filter: Filter,
    /// How far back.
    pub window: Window,
    /// What is made of them.
    pub aggregate: Aggregate,
}

const fn feature(
    name: &'static str,
    aggregate: Aggregate,
    filter: Filter,
    window: Window,
    unit: &'static str,
    description: &'static str,
) -> Feature {
    Feature { name, revision: 1, unit, description, filter, window, aggregate }
}

use Aggregate::{
    ActiveDays, ActiveHours, Count, DaysSinceLast, HoursOfWeek, Orders, RecentContents, Sessions, Sum, Weight,
};
use Filter::{Activity, All, Named, Own};
use Window::{Days, Ever};

const VIEW: Filter = Named(&[StandardEvent::View.name()]);
const CLICK: Filter = Named(&[StandardEvent::Click.name()]);
const CART: Filter = Named(&[StandardEvent::AddToCart.name()]);
const PURCHASE: Filter = Named(&[StandardEvent::Purchase.name()]);
const TARGETED: Filter = Named(&[StandardEvent::CampaignTargeted.name()]);
const SENT: Filter = Named(&[StandardEvent::PushSent.name()]);
const DISPLAYED: Filter = Named(&[StandardEvent::PushDisplayed.name()]);
const OPENED: Filter = Named(&[StandardEvent::PushOpened.name(), StandardEvent::PushClicked.name()]);
const CLICKED: Filter = Named(&[StandardEvent::PushClicked.name()]);
const DISMISSED: Filter = Named(&[StandardEvent::PushDismissed.name()]);
const ANY_PUSH: Filter = Named(&[
    StandardEvent::PushSent.name(),
    StandardEvent::PushDelivered.name(),
    StandardEvent::PushDisplayed.name(),
]);

const fn half_life(days: i64) -> Window {
    Window::HalfLife(HalfLife::Days(days))
}

const fn rate(
    name: &'static str,
    responses: &'static str,
    pushes: &'static str,
    description: &'static str,
) -> Feature {
    feature(name, Aggregate::SmoothedRate { responses, pushes }, All, Days(30), "share", description)
}

const fn context(name: &'static str, context: Context, description: &'static str) -> Feature {
    feature(name, Aggregate::Context(context), All, Ever, "text", description)
}

const fn interest(
    name: &'static str,
    interest: Interest,
    unit: &'static str,
    description: &'static str,
) -> Feature {
    let first = feature(
        name,
        Aggregate::Interest(interest),
        Own,
        Window::HalfLife(HalfLife::Interest),
        unit,
        description,
    );
    // 2: half of an interest is gone after 90 days, before after 30.
    Feature { revision: 2, ..first }
}

/// Every feature, in the order of the profile's columns.
#[rustfmt::skip]
pub const FEATURES: &[Feature] = &[
    feature("days_since_own_event", DaysSinceLast, Own, Ever, "days", "since the last own event"),
    feature("days_since_push", DaysSinceLast, ANY_PUSH, Ever, "days", "since the last push"),
    feature("days_since_open", DaysSinceLast, OPENED, Ever, "days", "since a push was last opened"),
    feature("days_since_purchase", DaysSinceLast, PURCHASE, Ever, "days", "since the last purchase"),

    feature("events_1d", Count, Own, Days(1), "events", "own events, last day"),
    feature("events_7d", Count, Own, Days(7), "events", "own events, last 7 days"),
    feature("events_30d", Count, Own, Days(30), "events", "own events, last 30 days"),
    feature("events_90d", Count, Own, Days(90), "events", "own events, last 90 days"),
    feature("sessions_1d", Sessions, Own, Days(1), "sessions", "sessions, last day"),
    feature("sessions_7d", Sessions, Own, Days(7), "sessions", "sessions, last 7 days"),
    feature("sessions_30d", Sessions, Own, Days(30), "sessions", "sessions, last 30 days"),
    feature("sessions_90d", Sessions, Own, Days(90), "sessions", "sessions, last 90 days"),
    feature("active_days_1d", ActiveDays, Activity, Days(1), "days", "local days with activity, last day"),
    feature("active_days_7d", ActiveDays, Activity, Days(7), "days", "local days with activity, last 7 days"),
    feature("active_days_30d", ActiveDays, Activity, Days(30), "days", "local days with activity, last 30 days"),
    feature("active_days_90d", ActiveDays, Activity, Days(90), "days", "local days with activity, last 90 days"),
    feature("active_hours_90d", ActiveHours, Activity, Days(90), "hours", "local hours with activity, last 90 days"),
    feature("activity_half_life_1d", ActiveHours, Activity, half_life(1), "hours", "active hours, half-life 1 day"),
    feature("activity_half_life_7d", ActiveHours, Activity, half_life(7), "hours", "active hours, half-life 7 days"),
    feature("activity_half_life_30d", ActiveHours, Activity, half_life(30), "hours", "active hours, half-life 30 days"),
    feature("views_7d", Count, VIEW, Days(7), "events", "views, last 7 days"),
    feature("views_30d", Count, VIEW, Days(30), "events", "views, last 30 days"),
    feature("clicks_7d", Count, CLICK, Days(7), "events", "clicks, last 7 days"),
    feature("clicks_30d", Count, CLICK, Days(30), "events", "clicks, last 30 days"),
    feature("add_to_cart_7d", Count, CART, Days(7), "events", "cart additions, last 7 days"),
    feature("add_to_cart_30d", Count, CART, Days(30), "events", "cart additions, last 30 days"),
    feature("purchases_7d", Count, PURCHASE, Days(7), "events", "purchase lines, last 7 days"),
    feature("purchases_30d", Count, PURCHASE, Days(30), "events", "purchase lines, last 30 days"),
    feature("purchases_90d", Count, PURCHASE, Days(90), "events", "purchase lines, last 90 days"),

    feature("campaigns_90d", Count, TARGETED, Days(90), "campaigns", "campaigns targeted by, last 90 days"),
    feature("pushes_sent_7d", Count, SENT, Days(7), "pushes", "pushes sent, last 7 days"),
    feature("pushes_sent_30d", Count, SENT, Days(30), "pushes", "pushes sent, last 30 days"),
    feature("pushes_displayed_7d", Count, DISPLAYED, Days(7), "pushes", "pushes displayed, last 7 days"),
    feature("pushes_displayed_30d", Count, DISPLAYED, Days(30), "pushes", "pushes displayed, last 30 days"),
    feature("pushes_opened_7d", Count, OPENED, Days(7), "pushes", "pushes opened or clicked, last 7 days"),
    feature("pushes_opened_30d", Count, OPENED, Days(30), "pushes", "pushes opened or clicked, last 30 days"),
    feature("pushes_clicked_7d", Count, CLICKED, Days(7), "pushes", "pushes clicked, last 7 days"),
    feature("pushes_clicked_30d", Count, CLICKED, Days(30), "pushes", "pushes clicked, last 30 days"),
    feature("pushes_dismissed_7d", Count, DISMISSED, Days(7), "pushes", "pushes dismissed, last 7 days"),
    feature("pushes_dismissed_30d", Count, DISMISSED, Days(30), "pushes", "pushes dismissed, last 30 days"),
    rate("open_rate_30d", "pushes_opened_30d", "pushes_sent_30d", "opened of sent, smoothed, last 30 days"),
    rate("click_rate_30d", "pushes_clicked_30d", "pushes_sent_30d", "clicked of sent, smoothed, last 30 days"),
    rate("dismiss_rate_30d", "pushes_dismissed_30d", "pushes_displayed_30d", "dismissed of displayed, smoothed, last 30 days"),
    feature("fatigue", Weight, DISPLAYED, Window::HalfLife(HalfLife::Fatigue), "pushes", "displayed pushes still felt"),

    interest("interest_categories", Interest::Categories, "text", "categories of own events, strongest first"),
    interest("interest_category_shares", Interest::CategoryShares, "share", "share of each of those categories"),
    interest("interest_tags", Interest::Tags, "text", "tags of own events, strongest first"),
    interest("interest_tag_shares", Interest::TagShares, "share", "share of each of those tags"),
    feature("recent_contents", RecentContents, Own, Ever, "text", "contents of the latest own events, newest first"),

    feature("orders_30d", Orders, PURCHASE, Days(30), "orders", "orders, last 30 days"),
    feature("orders_90d", Orders, PURCHASE, Days(90), "orders", "orders, last 90 days"),
    feature("revenue_30d", Sum, PURCHASE, Days(30), "money", "value of purchases, last 30 days"),
    feature("revenue_90d", Sum, PURCHASE, Days(90), "money", "value of purchases, last 90 days"),
    feature("revenue_total", Sum, PURCHASE, Ever, "money", "value of all purchases"),

    feature("hours_of_week", HoursOfWeek, Activity, Window::HalfLife(HalfLife::Rhythm), "hours", "168 decayed active hours, Monday 00:00 first"),

    context("time_zone", Context::TimeZone, "IANA zone"),
    context("time_zone_source", Context::TimeZoneSource, "declared, device or default"),
    context("locale", Context::Locale, "language and region"),
    context("country", Context::Country, "country"),
    context("platform", Context::Platform, "platform, from the attributes"),

    feature("tenure_days", Aggregate::Tenure, All, Ever, "days", "since sign-up, else since the first event"),
    feature("lifecycle", Aggregate::Lifecycle, Activity, Ever, "text", "new, returned, active, cooling or dormant"),
];

impl Feature {
    /// What the feature is, as text: equal features, equal text. Its description is not part of it.
    pub fn identity(&self) -> String {
        format!(
            "{} r{} {:?} {:?} {:?} [{}]",
            self.name, self.revision, self.aggregate, self.filter, self.window, self.unit
        )
    }
}

/// The hash of a feature list, which models and manifests name.
pub fn features_sha256(features: &[Feature]) -> String {
    let lines: Vec<String> = features.iter().map(Feature::identity).collect();
    sha256_hex(lines.join("\n").as_bytes())
}
