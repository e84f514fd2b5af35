//! Names that other systems give to events which are not the user's own acts, and what they stand for.
//!
//! To add a name: one line in `PUSHES` or `OTHERS`. Names that say what they are in words, such as `Daily Push Sent`,
//! need no line: `event_words` reads them. A name that is in neither list is an act of the user's own.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::LazyLock;

use super::event::{Meaning, PUSH_PREFIX, StandardEvent};
use super::event_words::{Said, squeezed, understood_by_words};

/// A name that begins so was said to be no act of the user's own when it was taken in.
pub const OTHER_PREFIX: &str = "other:";

/// A name that begins so was said to be an act of the user's own when it was taken in.
pub const OWN_PREFIX: &str = "own:";

/// What a name was recognised as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognised {
    /// An event of a standard name, or of another system's name for it.
    Standard(StandardEvent),
    /// An event of a push with a name of its own.
    CustomPush,
    /// Not an act of the user's own.
    Other,
    /// Any other name: an act of the user's own.
    CustomAct,
}

/// Pushes by names that do not say so in words.
const PUSHES: &[(StandardEvent, &[&str])] = &[
    (StandardEvent::PushDelivered, &["$campaign_received", "$campaign_delivery"]),
    (StandardEvent::PushDisplayed, &["users.messages.pushnotification.IosForeground", "Notification Viewed"]),
    (StandardEvent::PushOpened, &["os_notification_influence_open", "af_opened_from_push_notification"]),
    (StandardEvent::PushClicked, &["$campaign_open"]),
    (StandardEvent::PushFailed, &["$campaign_bounced", "users.messages.pushnotification.Abort"]),
];

/// What no user did at that moment, by the names of its system.
const OTHERS: &[&str] = &[
    // Google Analytics 4 and Firebase.
    "app_remove",
    "app_update",
    "app_clear_data",
    "app_exception",
    "os_update",
    "firebase_campaign",
    "app_store_refund",
    "app_store_subscription_cancel",
    "app_store_subscription_convert",
    "app_store_subscription_renew",
    "fiam_impression",
    "ad_query",
    "dynamic_link_app_update",
    // Segment, RudderStack, Amplitude and mParticle: the life of the app.
    "Application Updated",
    "Application Uninstalled",
    "Application Crashed",
    "Application Backgrounded",
    "App Updated",
    "App Uninstalled",
    "App Uninstall",
    "App Removed",
    "App Crashed",
    "App Crash",
    "App Backgrounded",
    "Install Attributed",
    "[Amplitude] Application Updated",
    "[Amplitude] Application Backgrounded",
    "OS Updated",
    // Mixpanel and PostHog: bookkeeping.
    "$ae_updated",
    "$ae_crashed",
    "$identify",
    "$create_alias",
    "$merge",
    "$groupidentify",
    "$group_identify",
    "$set",
    "$feature_flag_called",
    "$exception",
    "$experiment_started",
    "$web_vitals",
    "$campaign_unsubscribed",
    // A bookkeeping call of Segment and its kind.
    "identify",
    // AppsFlyer, Adjust, Iterable, Braze, Airship.
    "uninstall",
    "reattribution",
    "re-attribution",
    "pushUninstall",
    "users.behaviors.Uninstall",
    "users.behaviors.InstallAttribution",
    "users.canvas.Entry",
    "users.canvas.Exit.MatchedAudience",
    "users.canvas.Exit.PerformedEvent",
    "users.canvas.Conversion",
    "users.campaigns.Conversion",
    "users.campaigns.EnrollInControl",
    "users.campaigns.Abort",
    "users.canvas.Abort",
    "users.campaigns.FrequencyCap",
    "users.canvas.FrequencyCap",
    "users.canvas.experiment.step.SplitEntry",
    // Matomo: computed at the end of a visit.
    "ecommerceAbandonedCart",
];

/// The lists by squeezed name.
static KNOWN: LazyLock<HashMap<String, Recognised>> = LazyLock::new(|| {
    let pushes = PUSHES
        .iter()
        .flat_map(|(event, names)| names.iter().map(|name| (*name, Recognised::Standard(*event))));
    let others = OTHERS.iter().map(|name| (*name, Recognised::Other));
    pushes.chain(others).map(|(name, meaning)| (squeezed(name), meaning)).collect()
});

/// Names remembered on each thread; a hostile file may bring a new one with every record.
const MOST_REMEMBERED: usize = 4_096;

thread_local! {
    static REMEMBERED: RefCell<HashMap<String, Recognised>> = RefCell::default();
}

/// What a name stands for. It depends on the name alone; names that are met again are remembered.
pub fn recognise(name: &str) -> Recognised {
    if let Some(event) = StandardEvent::of(name) {
        return Recognised::Standard(event);
    }
    REMEMBERED.with_borrow_mut(|remembered| {
        if let Some(known) = remembered.get(name) {
            return *known;
        }
        let recognised = look_up(name);
        if remembered.len() < MOST_REMEMBERED {
            remembered.insert(name.to_string(), recognised);
        }
        recognised
    })
}

fn look_up(name: &str) -> Recognised {
    let name = name.trim();
    if name.starts_with(OTHER_PREFIX) {
        return Recognised::Other;
    }
    if name.starts_with(OWN_PREFIX) {
        return Recognised::CustomAct;
    }
    let known =
        StandardEvent::of(name).map(Recognised::Standard).or_else(|| KNOWN.get(&squeezed(name)).copied());
    match known.or_else(|| look_alike_push(name)).or_else(|| understood_by_words(name).map(recognised_by)) {
        Some(recognised) => recognised,
        None if name.starts_with(PUSH_PREFIX) => Recognised::CustomPush,
        None => Recognised::CustomAct,
    }
}

/// What the words of a name make it.
fn recognised_by(said: Said) -> Recognised {
    Recognised::Standard(match said {
        Said::Sent => StandardEvent::PushSent,
        Said::Delivered => StandardEvent::PushDelivered,
        Said::Displayed => StandardEvent::PushDisplayed,
        Said::Opened => StandardEvent::PushOpened,
        Said::Clicked => StandardEvent::PushClicked,
        Said::Dismissed => StandardEvent::PushDismissed,
        Said::Failed => StandardEvent::PushFailed,
        Said::OptedOut => StandardEvent::PushOptedOut,
        Said::Disabled => StandardEvent::NotificationsDisabled,
        Said::OtherMessage => return Recognised::Other,
    })
}

/// A standard event that is not the user's act, its name written in another way: `PushSent`, `push sent`.
fn look_alike_push(name: &str) -> Option<Recognised> {
    let event = look_alike(name)?;
    let is_own = matches!(event.meaning(), Meaning::OwnAct);
    (!is_own).then_some(Recognised::Standard(event))
}

/// The standard event whose name differs from this one only by case, blanks or separators.
pub fn look_alike(name: &str) -> Option<StandardEvent> {
    let name = squeezed(name);
    StandardEvent::ALL.into_iter().find(|event| squeezed(event.name()) == name)
}
