//! Names that say in words what became of a push: `Reengagement Push Sent`, `os_notification_received`.
//!
//! A name is understood when it has a noun (push, notification) with nothing but a verb after it, or is a verb with
//! nothing but the noun after it. `notification settings opened` has a word in between and stays an act of the user's own.

/// What the words of a name say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// A push left.
    Sent,
    /// A push reached a device.
    Delivered,
    /// A push was shown.
    Displayed,
    /// The app was opened with a push.
    Opened,
    /// A push was tapped.
    Clicked,
    /// A push was dismissed.
    Dismissed,
    /// A push did not arrive.
    Failed,
    /// A push led the user to opt out.
    OptedOut,
    /// The user turned notifications off.
    Disabled,
    /// A message of another channel was sent, arrived or failed.
    OtherMessage,
}

/// Words for a push; one that also means a list of notices inside the app is understood more narrowly.
const PUSH_NOUNS: &[&str] = &["push", "pushes", "pushnotification", "pushnotifications", "webpush"];
const ONE_NOTICE: &[&str] = &["notification", "notif"];
const NOTICES: &[&str] = &["notifications", "notifs"];

/// Messages of other channels: their sending is not the user's own act either.
const OTHER_CHANNELS: &[&str] = &["email", "mail", "sms", "whatsapp", "webhook", "rcs"];

/// Words that may stand between the noun and the verb, before a leading verb, or at the end.
const FILLERS: &[&str] = &[
    "a",
    "an",
    "the",
    "was",
    "is",
    "been",
    "has",
    "got",
    "event",
    "message",
    "messages",
    "msg",
    "campaign",
    "ios",
    "android",
    "web",
    "mobile",
    "apns",
    "fcm",
    "server",
    "backend",
    "background",
    "success",
    "successfully",
    "v1",
    "v2",
    "moe",
    "user",
    "device",
    "customer",
    "client",
    "system",
    "service",
    "remote",
    "silent",
    "from",
    "by",
    "to",
];

/// Words before the noun that make the name one of something else.
const BLOCKERS: &[&str] = &[
    "in",
    "inapp",
    "iap",
    "iam",
    "setting",
    "settings",
    "permission",
    "permissions",
    "prompt",
    "enable",
    "enabled",
    "allow",
    "allowed",
    "disable",
    "button",
    "modal",
    "banner",
    "center",
    "centre",
    "inbox",
    "page",
    "screen",
    "toggle",
    "badge",
    "tab",
    "preference",
    "preferences",
    "git",
    "bell",
    "icon",
    "manage",
    "request",
    "subscribe",
    "live",
    "card",
    "list",
];

/// What follows the noun, and the stage that it tells.
const VERBS: &[(Said, &[&str])] = &[
    (Said::Sent, &["send", "sent", "sends", "sending", "dispatched"]),
    (
        Said::Delivered,
        &["receive", "received", "receives", "deliver", "delivered", "delivery", "arrive", "arrived"],
    ),
    (
        Said::Displayed,
        &["display", "displayed", "show", "shown", "impression", "impressions", "foreground", "presented"],
    ),
    (
        Said::Opened,
        &[
            "open",
            "opened",
            "opens",
            "direct open",
            "influence open",
            "influenced open",
            "direct opened",
            "influenced opened",
        ],
    ),
    (Said::Clicked, &["click", "clicked", "clicks", "tap", "tapped", "press", "pressed", "touched"]),
    (
        Said::Dismissed,
        &["dismiss", "dismissed", "swiped", "clear", "cleared", "close", "closed", "discarded", "ignored"],
    ),
    (
        Said::Failed,
        &[
            "fail",
            "failed",
            "failure",
            "error",
            "errored",
            "bounce",
            "bounced",
            "hardbounced",
            "softbounced",
            "undelivered",
            "rejected",
            "dropped",
            "abort",
            "aborted",
            "suppressed",
            "supressed",
            "expired",
            "not delivered",
            "not sent",
            "send failed",
            "send failure",
            "send error",
            "delivery failed",
            "delivery failure",
            "sent failed",
        ],
    ),
    (
        Said::OptedOut,
        &[
            "unsubscribe",
            "unsubscribed",
            "unsub",
            "optout",
            "optedout",
            "opt out",
            "opted out",
            "unregistered",
            "unregister",
        ],
    ),
    (
        Said::Disabled,
        &[
            "disabled",
            "disable",
            "denied",
            "blocked",
            "revoked",
            "turned off",
            "switched off",
            "permission denied",
            "permission revoked",
            "permission disabled",
        ],
    ),
];

/// What withdraws the consent without naming a channel: it is taken for all of them.
const OPT_OUTS: &[&str] =
    &["unsubscribe", "unsubscribed", "unsubscribes", "unsub", "optout", "optedout", "opt out", "opted out"];

/// Words that tell of a display only with a word that can mean nothing but a push.
const SEEN: &[&str] = &["view", "viewed", "seen", "read", "rendered"];

/// The noun of a name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Noun {
    Push,
    OneNotice,
    Notices,
    OtherChannel,
}

/// What the words of a name say of a push or of another channel's message; `None` when they do not say it clearly.
pub fn understood_by_words(name: &str) -> Option<Said> {
    let words = words_of(name);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    noun_then_verb(&words).or_else(|| verb_then_noun(&words)).or_else(|| opt_out_alone(&words))
}

/// `Unsubscribed`, `user opted out`: nothing but the verb.
fn opt_out_alone(words: &[&str]) -> Option<Said> {
    let said: Vec<&str> = words.iter().copied().filter(|word| !FILLERS.contains(word)).collect();
    OPT_OUTS.contains(&said.join(" ").as_str()).then_some(Said::Disabled)
}

/// Does a name speak of pushes at all? Then a person had better look at how it is understood.
pub fn speaks_of_push(name: &str) -> bool {
    words_of(name)
        .iter()
        .any(|word| matches!(noun_of(word), Some(Noun::Push | Noun::OneNotice | Noun::Notices)))
}

fn noun_then_verb(words: &[&str]) -> Option<Said> {
    let last = words.iter().rposition(|word| noun_of(word).is_some())?;
    let before = &words[..last];
    if before.iter().any(|word| BLOCKERS.contains(word)) {
        return None;
    }
    let verb: Vec<&str> = words[last + 1..].iter().copied().filter(|word| !FILLERS.contains(word)).collect();
    meaning(strongest(words), &verb.join(" "))
}

fn verb_then_noun(words: &[&str]) -> Option<Said> {
    let said: Vec<&str> = words.iter().copied().filter(|word| !FILLERS.contains(word)).collect();
    let nouns = said.iter().rev().take_while(|word| noun_of(word).is_some()).count();
    let (verb, nouns) = said.split_at(said.len() - nouns);
    (!nouns.is_empty()).then(|| meaning(strongest(nouns), &verb.join(" ")))?
}

/// `push notification` is a push, whatever `notification` alone may be.
fn strongest(words: &[&str]) -> Option<Noun> {
    let nouns: Vec<Noun> = words.iter().filter_map(|word| noun_of(word)).collect();
    let ranked = [Noun::OtherChannel, Noun::Push, Noun::OneNotice, Noun::Notices];
    ranked.into_iter().find(|noun| nouns.contains(noun))
}

fn noun_of(word: &str) -> Option<Noun> {
    match word {
        _ if PUSH_NOUNS.contains(&word) => Some(Noun::Push),
        _ if ONE_NOTICE.contains(&word) => Some(Noun::OneNotice),
        _ if NOTICES.contains(&word) => Some(Noun::Notices),
        _ if OTHER_CHANNELS.contains(&word) => Some(Noun::OtherChannel),
        _ => None,
    }
}

/// What a verb says of a noun. Opening, clicking and seeing `notifications` is done in a list inside the app, and a mail
/// is opened by the user: those stay the user's own acts.
fn meaning(noun: Option<Noun>, verb: &str) -> Option<Said> {
    if noun == Some(Noun::Push) && SEEN.contains(&verb) {
        return Some(Said::Displayed);
    }
    let said = VERBS.iter().find(|(_, verbs)| verbs.contains(&verb))?.0;
    let is_attention = matches!(said, Said::Displayed | Said::Opened | Said::Clicked | Said::Dismissed);
    match (noun?, said) {
        (Noun::Notices, _) if is_attention => None,
        (Noun::OtherChannel, _) if is_attention => None,
        (Noun::OtherChannel, Said::OptedOut | Said::Disabled) => None,
        (Noun::OtherChannel, _) => Some(Said::OtherMessage),
        (Noun::Push, Said::Disabled) => Some(Said::OptedOut),
        (Noun::Push | Noun::OneNotice | Noun::Notices, said) => Some(said),
    }
}

/// The words of a name in lower case: split at separators and where a capital follows a small letter; a noun and a verb
/// that are written together are two words.
fn words_of(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut before: Option<char> = None;
    for letter in name.chars() {
        let is_hump = letter.is_uppercase()
            && before.is_some_and(|before| before.is_lowercase() || before.is_numeric());
        if is_hump || !letter.is_alphanumeric() {
            words.push(String::new());
        }
        if let (true, Some(word)) = (letter.is_alphanumeric(), words.last_mut()) {
            word.extend(letter.to_lowercase());
        }
        before = Some(letter);
    }
    words.into_iter().filter(|word| !word.is_empty()).flat_map(parted).collect()
}

/// `pushsent` as `push` and `sent`.
fn parted(word: String) -> Vec<String> {
    if noun_of(&word).is_some() {
        return vec![word];
    }
    let nouns = [PUSH_NOUNS, ONE_NOTICE, NOTICES, OTHER_CHANNELS].into_iter().flatten();
    let parts = nouns.filter_map(|noun| Some((*noun, word.strip_prefix(noun)?)));
    let is_verb = |rest: &str| VERBS.iter().any(|(_, verbs)| verbs.contains(&rest)) || SEEN.contains(&rest);
    let whole = parts.filter(|(_, rest)| is_verb(rest)).max_by_key(|(noun, _)| noun.len());
    whole.map_or_else(|| vec![word.clone()], |(noun, rest)| vec![noun.to_string(), rest.to_string()])
}

/// A name without case, blanks and separators; a `$` stays, which marks the names that a system reserves.
pub fn squeezed(name: &str) -> String {
    name.chars()
        .filter(|letter| letter.is_alphanumeric() || *letter == '$')
        .flat_map(char::to_lowercase)
        .collect()
}
