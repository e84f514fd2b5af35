//! Event names and what they count as.

/// Is this something that was done *to* the user by a push or a campaign, not by him?
pub fn is_push_side(name: &str) -> bool {
    name.starts_with("push_") || name == "campaign_targeted"
}

/// Is this one of the user's own acts? (An own act with a time of day is *activity*.)
pub fn is_own(name: &str) -> bool {
    !is_push_side(name)
}

/// The event that puts a user into a campaign's audience.
pub const TARGETED: &str = "campaign_targeted";
