//! Event names and what they count as.

/// Is this something that was done *to* the user by a push or a campaign, not by him?
pub fn is_push_side(name: &str) -> bool {
    name.starts_with("push_") || name == "campaign_targeted"
}

/// Is this one of the user's own acts? (An own act with a time of day is *activity*.)
pub fn is_own(name: &str) -> bool {
    !is_push_side(name)
}

/// The names that the product gives a meaning to; any other name is a custom event.
pub const STANDARD_NAMES: [&str; 20] = [
    "view",
    "click",
    "like",
    "share",
    "bookmark",
    "comment",
    "search",
    "add_to_cart",
    "purchase",
    "session_start",
    "campaign_targeted",
    "push_sent",
    "push_delivered",
    "push_displayed",
    "push_opened",
    "push_clicked",
    "push_dismissed",
    "push_failed",
    "push_opted_out",
    "notifications_disabled",
];
