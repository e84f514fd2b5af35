//! Event names and what they mean: the one table of the standard names.
//!
//! A name of another system is looked up in `event_names`; any name that is in neither is a custom event.

use super::event_names::{Recognised, recognise};

/// Every push event begins so, a custom one too.
pub const PUSH_PREFIX: &str = "push_";

/// The event that puts a user into a campaign's audience.
pub const TARGETED: &str = StandardEvent::CampaignTargeted.name();

/// The event that says a push went out.
pub const SENT: &str = StandardEvent::PushSent.name();

/// The event that says a push was tapped.
pub const CLICKED: &str = StandardEvent::PushClicked.name();

/// An event with a standard name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StandardEvent {
    /// A content was looked at.
    View,
    /// Something was clicked.
    Click,
    /// A content was liked.
    Like,
    /// A content was shared.
    Share,
    /// A content was kept for later.
    Bookmark,
    /// A content was commented on.
    Comment,
    /// Something was searched for.
    Search,
    /// Something was put into the cart.
    AddToCart,
    /// Something was bought; the value is the money.
    Purchase,
    /// A visit began.
    SessionStart,
    /// A campaign chose the user.
    CampaignTargeted,
    /// A push left for the channel.
    PushSent,
    /// A push reached a device.
    PushDelivered,
    /// A push was shown.
    PushDisplayed,
    /// The app was opened with a push.
    PushOpened,
    /// A push was tapped.
    PushClicked,
    /// A push was dismissed.
    PushDismissed,
    /// The channel refused a push.
    PushFailed,
    /// A push led the user to opt out.
    PushOptedOut,
    /// The user turned notifications off.
    NotificationsDisabled,
    /// The user answered a message.
    MessageReplied,
}

/// What an event of a standard name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// An act of the user's own; with a time of day it is *activity*.
    OwnAct,
    /// An act of the user's own that withdraws the consent to be pushed.
    Withdrawal,
    /// A campaign chose the user; nothing was sent yet.
    Targeting,
    /// A push reached this stage.
    Push(PushStage),
    /// Something that the user did not do at that moment: the app was removed, an e-mail was sent.
    Other,
}

/// What may happen to a push. At one instant the first five follow one another in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PushStage {
    /// It left for the channel.
    Sent,
    /// It reached a device.
    Delivered,
    /// It was shown.
    Displayed,
    /// The app was opened with it.
    Opened,
    /// It was tapped.
    Clicked,
    /// It was dismissed.
    Dismissed,
    /// The channel refused it.
    Failed,
    /// It led the user to opt out.
    OptedOut,
}

impl StandardEvent {
    /// All of them.
    pub const ALL: [StandardEvent; 21] = [
        StandardEvent::View,
        StandardEvent::Click,
        StandardEvent::Like,
        StandardEvent::Share,
        StandardEvent::Bookmark,
        StandardEvent::Comment,
        StandardEvent::Search,
        StandardEvent::AddToCart,
        StandardEvent::Purchase,
        StandardEvent::SessionStart,
        StandardEvent::CampaignTargeted,
        StandardEvent::PushSent,
        StandardEvent::PushDelivered,
        StandardEvent::PushDisplayed,
        StandardEvent::PushOpened,
        StandardEvent::PushClicked,
        StandardEvent::PushDismissed,
        StandardEvent::PushFailed,
        StandardEvent::PushOptedOut,
        StandardEvent::NotificationsDisabled,
        StandardEvent::MessageReplied,
    ];

    /// The table: name and meaning of each.
    const fn entry(self) -> (&'static str, Meaning) {
        use Meaning::{OwnAct, Push, Targeting, Withdrawal};
        match self {
            StandardEvent::View => ("view", OwnAct),
            StandardEvent::Click => ("click", OwnAct),
            StandardEvent::Like => ("like", OwnAct),
            StandardEvent::Share => ("share", OwnAct),
            StandardEvent::Bookmark => ("bookmark", OwnAct),
            StandardEvent::Comment => ("comment", OwnAct),
            StandardEvent::Search => ("search", OwnAct),
            StandardEvent::AddToCart => ("add_to_cart", OwnAct),
            StandardEvent::Purchase => ("purchase", OwnAct),
            StandardEvent::SessionStart => ("session_start", OwnAct),
            StandardEvent::CampaignTargeted => ("campaign_targeted", Targeting),
            StandardEvent::PushSent => ("push_sent", Push(PushStage::Sent)),
            StandardEvent::PushDelivered => ("push_delivered", Push(PushStage::Delivered)),
            StandardEvent::PushDisplayed => ("push_displayed", Push(PushStage::Displayed)),
            StandardEvent::PushOpened => ("push_opened", Push(PushStage::Opened)),
            StandardEvent::PushClicked => ("push_clicked", Push(PushStage::Clicked)),
            StandardEvent::PushDismissed => ("push_dismissed", Push(PushStage::Dismissed)),
            StandardEvent::PushFailed => ("push_failed", Push(PushStage::Failed)),
            StandardEvent::PushOptedOut => ("push_opted_out", Push(PushStage::OptedOut)),
            StandardEvent::NotificationsDisabled => ("notifications_disabled", Withdrawal),
            StandardEvent::MessageReplied => ("message_replied", OwnAct),
        }
    }

    /// Its name in files.
    pub const fn name(self) -> &'static str {
        self.entry().0
    }

    /// What it means.
    pub const fn meaning(self) -> Meaning {
        self.entry().1
    }

    /// The standard event of a name; `None` of a custom one.
    pub fn of(name: &str) -> Option<StandardEvent> {
        StandardEvent::ALL.into_iter().find(|event| event.name() == name)
    }

    /// Is this the event's name?
    pub fn is(self, name: &str) -> bool {
        self.name() == name
    }
}

/// What an event of this name means, unless it is a custom event.
pub fn meaning_of(name: &str) -> Option<Meaning> {
    match recognise(name) {
        Recognised::Standard(event) => Some(event.meaning()),
        Recognised::Other => Some(Meaning::Other),
        Recognised::CustomPush | Recognised::CustomAct => None,
    }
}

/// The standard name of the event that this name stands for; a custom event keeps its own name.
pub fn standard_name(name: &str) -> &str {
    match recognise(name) {
        Recognised::Standard(event) => event.name(),
        Recognised::Other | Recognised::CustomPush | Recognised::CustomAct => name,
    }
}

/// The stage that a push reached by an event of this name.
pub fn stage_of(name: &str) -> Option<PushStage> {
    match meaning_of(name) {
        Some(Meaning::Push(stage)) => Some(stage),
        _ => None,
    }
}

/// The names of the events that withdraw the consent to be pushed: from there on no push, until the user agrees again.
pub const WITHDRAWALS: [&str; 2] =
    [StandardEvent::PushOptedOut.name(), StandardEvent::NotificationsDisabled.name()];

/// Is this an event of a push, be its name a standard or a custom one?
pub fn is_push(name: &str) -> bool {
    match recognise(name) {
        Recognised::Standard(event) => matches!(event.meaning(), Meaning::Push(_)),
        Recognised::CustomPush => true,
        Recognised::Other | Recognised::CustomAct => false,
    }
}

/// Is this something that was done *to* the user by a push or a campaign?
pub fn is_push_side(name: &str) -> bool {
    is_push(name) || meaning_of(name) == Some(Meaning::Targeting)
}

/// Is this one of the user's own acts? (An own act with a time of day is *activity*.)
pub fn is_own(name: &str) -> bool {
    match recognise(name) {
        Recognised::Standard(event) => matches!(event.meaning(), Meaning::OwnAct | Meaning::Withdrawal),
        Recognised::CustomAct => true,
        Recognised::Other | Recognised::CustomPush => false,
    }
}
