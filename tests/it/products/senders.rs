//! Five products as their documentation describes them: small simulators, each rule with the sentence it comes from.
//!
//! Where a page leaves something open, the simulator does what is best for the product: it foretells hours as well as
//! smartpush does, looks for the best hour before the expiry, reads local time rightly through the change of the
//! clock, spreads its throttle evenly, and sends nothing after the expiry.

use smartpush::domain::curve::{argmax, by_hour_of_day};
use smartpush::domain::time::{HOUR, Instant, MINUTE};
use smartpush::domain::user::QuietHours;

use super::queue::{Gate, Sent, drain};
use super::town::{Person, Town};

/// A sentence of a product's documentation and the page it stands on.
pub struct Source {
    pub says: &'static str,
    pub page: &'static str,
}

/// A column of the table that may be undocumented.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Column {
    Quiet,
    Expiry,
    Throttle,
}

/// A product that sends the campaign.
pub trait Sender: Sync {
    fn name(&self) -> &'static str;
    /// The sentences that the simulator follows.
    fn source(&self) -> &'static [Source];
    /// What no page that was read says of this combination.
    fn undocumented(&self) -> &'static [Column];
    fn sends(&self, town: &Town) -> Vec<Sent>;
}

/// The five.
pub fn all() -> [&'static dyn Sender; 5] {
    [&Airship, &Braze, &CleverTap, &Iterable, &OneSignal]
}

struct Airship;
struct Braze;
struct CleverTap;
struct Iterable;
struct OneSignal;

const AIRSHIP: &[Source] = &[
    Source {
        says: "When your audience includes users without an optimal send time tag, those users will be dropped from delivery and will not receive the message.",
        page: "https://www.airship.com/docs/guides/messaging/messages/delivery/delivery",
    },
    Source {
        says: "When a member of your audience reaches a message limit, Airship suppresses any messages they would otherwise receive for the remainder of the time period.",
        page: "https://docs.airship.com/guides/messaging/user-guide/project/config/message-limits/",
    },
];

impl Sender for Airship {
    fn name(&self) -> &'static str {
        "Airship"
    }

    fn source(&self) -> &'static [Source] {
        AIRSHIP
    }

    fn undocumented(&self) -> &'static [Column] {
        &[Column::Quiet, Column::Expiry, Column::Throttle]
    }

    fn sends(&self, town: &Town) -> Vec<Sent> {
        // AIRSHIP[0]: whoever has no prediction is not sent to. (Dormant people have one; these are new.)
        let wanted = wanted(town, |person| {
            person.has_prediction.then(|| town.next(person, town.best_hour_in_time(person)))
        });
        // AIRSHIP[1]: suppressed, not deferred. Quiet hours are not documented: the person's own are taken to hold.
        drain(town, wanted, |person, at| {
            let is_full = person.past_on_day_of(at, person.zone) >= town.cap;
            gate(town, at, is_full, || held(town.quiet_of(person), person, at))
        })
    }
}

const BRAZE: &[Source] = &[
    Source {
        says: "If the determined optimal time falls within Quiet Hours, Braze finds the nearest edge of the Quiet Hours",
        page: "https://www.braze.com/docs/user_guide/brazeai/intelligence/intelligent_timing/",
    },
    Source {
        says: "If both rate limiting and Intelligent Timing are used, there is no guarantee about when the message will be delivered.",
        page: "https://www.braze.com/docs/user_guide/brazeai/intelligence/intelligent_timing/",
    },
    Source {
        says: "You can configure quiet hours at the campaign or Canvas level in the campaign or Canvas composer.",
        page: "https://www.braze.com/docs/user_guide/messaging/messaging_fundamentals/quiet_hours/",
    },
    Source {
        says: "Users who are frequency capped don’t generate a send event for that step.",
        page: "https://www.braze.com/docs/user_guide/messaging/messaging_fundamentals/frequency_capping/faq/",
    },
];

impl Sender for Braze {
    fn name(&self) -> &'static str {
        "Braze"
    }

    fn source(&self) -> &'static [Source] {
        BRAZE
    }

    fn undocumented(&self) -> &'static [Column] {
        &[Column::Expiry]
    }

    fn sends(&self, town: &Town) -> Vec<Sent> {
        // Without enough data the fallback time counts: the hour that is most popular among all.
        let popular = argmax(&by_hour_of_day(&town.popular));
        let wanted = wanted(town, |person| {
            let hour = if person.has_prediction { town.best_hour_in_time(person) } else { popular };
            // BRAZE[0], with the one window of the campaign (BRAZE[2]).
            Some(nearest_edge(town, person, town.next(person, hour)))
        });
        // BRAZE[1] is read kindly: the queue holds the throttle and keeps clear of the campaign's quiet hours.
        // BRAZE[3]: capped by the person's calendar day; not sent, not deferred.
        drain(town, wanted, |person, at| {
            let is_full = person.past_on_day_of(at, person.zone) >= town.cap;
            gate(town, at, is_full, || held(town.quiet, person, at))
        })
    }
}

/// The hour before or after the campaign's quiet hours: the nearer one that is neither past nor expired.
fn nearest_edge(town: &Town, person: &Person, at: Instant) -> Instant {
    if !town.quiet.is_quiet(person.zone, at) {
        return at;
    }
    let after = town.quiet.allowed_from(person.zone, at);
    let mut before = at;
    while town.quiet.is_quiet(person.zone, before) {
        before = before.plus(-MINUTE);
    }
    let is_nearer = at.micros() - before.micros() <= after.micros() - at.micros();
    let hour_before = before.plus(MINUTE - HOUR);
    let is_before = is_nearer || after >= town.expires_at;
    if is_before && hour_before >= town.now { hour_before } else { after }
}

const CLEVERTAP: &[Source] = &[
    Source {
        says: "If the users have opted for DND in Best Time campaigns, their messages are discarded during DND hours.",
        page: "https://docs.clevertap.com/docs/best-time",
    },
    Source {
        says: "CleverTap sends Best Time campaigns by splitting a day into two-hour buckets, 12 buckets in total.",
        page: "https://docs.clevertap.com/docs/best-time",
    },
    Source {
        says: "The default time is right after the 12th bucket.",
        page: "https://docs.clevertap.com/docs/best-time",
    },
    Source {
        says: "When a frequency cap applies to a user, CleverTap does not deliver the associated message.",
        page: "https://docs.clevertap.com/docs/throttling-in-journeys",
    },
];

impl Sender for CleverTap {
    fn name(&self) -> &'static str {
        "CleverTap"
    }

    fn source(&self) -> &'static [Source] {
        CLEVERTAP
    }

    fn undocumented(&self) -> &'static [Column] {
        &[Column::Expiry]
    }

    fn sends(&self, town: &Town) -> Vec<Sent> {
        let bucket = |at: Instant| (at.micros() - town.now.micros()) / (2 * HOUR);
        let wanted = wanted(town, |person| {
            // CLEVERTAP[1]: a bucket is sent when it begins. CLEVERTAP[2]: a day after the start for the unknown.
            let bucket = if person.has_prediction {
                bucket(town.next(person, town.best_hour_in_time(person)))
            } else {
                12
            };
            Some(town.now.plus(bucket * 2 * HOUR))
        });
        // CLEVERTAP[0] discards in the campaign's quiet hours, [3] drops.
        drain(town, wanted, |person, at| {
            let is_full = person.past_on_day_of(at, person.zone) >= town.cap;
            gate(town, at, is_full || town.quiet.is_quiet(person.zone, at), || Gate::Send)
        })
    }
}

const ITERABLE: &[Source] = &[
    Source {
        says: "If you turn on Quiet Hours and STO for a campaign, and the ideal send time for a user falls within your Quiet Hours window, your send won’t be optimized—it will be held until the Quiet Hours window ends.",
        page: "https://support.iterable.com/hc/en-us/articles/360050923471-Send-Time-Optimization",
    },
    Source {
        says: "A rate limit associated with a campaign may cause a campaign to send some messages outside of the STO window.",
        page: "https://support.iterable.com/hc/en-us/articles/360050923471-Send-Time-Optimization",
    },
    Source {
        says: "If a user has less than three months of active user engagement data, and Iterable can't determine an optimized send time, messages are sent at the campaign's configured send time",
        page: "https://support.iterable.com/hc/en-us/articles/360050923471-Send-Time-Optimization",
    },
    Source {
        says: "Quiet Hours is enabled at the campaign level, and only applies to the campaign you're actively editing.",
        page: "https://support.iterable.com/hc/en-us/articles/16928857601940-Quiet-Hours",
    },
    Source {
        says: "After a user has received the maximum allowed messages, Iterable skips messages for that user, in that channel, until the period resets.",
        page: "https://support.iterable.com/hc/en-us/articles/15342990564372-Frequency-Management-",
    },
    Source {
        says: "Frequency caps reset based on the project’s time zone.",
        page: "https://support.iterable.com/hc/en-us/articles/15342990564372-Frequency-Management-",
    },
    Source {
        says: "When an optimized send time increases through the specified window and peaks after the window ends, STO sends the message at the end of the send time window.",
        page: "https://support.iterable.com/hc/en-us/articles/360050923471-Send-Time-Optimization",
    },
];

impl Sender for Iterable {
    fn name(&self) -> &'static str {
        "Iterable"
    }

    fn source(&self) -> &'static [Source] {
        ITERABLE
    }

    fn undocumented(&self) -> &'static [Column] {
        &[Column::Expiry]
    }

    fn sends(&self, town: &Town) -> Vec<Sent> {
        // The window is set to end an hour before the expiry; ITERABLE[6]: whose best hour comes later is sent to then.
        let window_end = town.expires_at.plus(-HOUR);
        let wanted = wanted(town, |person| {
            // ITERABLE[2]: the unknown at once.
            let best = || town.next(person, person.best_hour()).min(window_end);
            Some(if person.has_prediction { best() } else { town.now })
        });
        // ITERABLE[0] and [3]: held to the end of the campaign's window. [4] and [5]: skipped by the marketer's day.
        drain(town, wanted, |person, at| {
            let is_full = person.past_on_day_of(at, town.home) >= town.cap;
            gate(town, at, is_full, || held(town.quiet, person, at))
        })
    }
}

const ONESIGNAL: &[Source] = &[
    Source {
        says: "Throttling will take precedence over timezone and intelligent delivery options.",
        page: "https://documentation.onesignal.com/docs/throttling",
    },
    Source {
        says: "Once the user has received the maximum number of notifications inside the window, OneSignal drops any additional sends until older notifications age out.",
        page: "https://documentation.onesignal.com/docs/en/frequency-capping",
    },
];

impl Sender for OneSignal {
    fn name(&self) -> &'static str {
        "OneSignal"
    }

    fn source(&self) -> &'static [Source] {
        ONESIGNAL
    }

    fn undocumented(&self) -> &'static [Column] {
        &[Column::Expiry]
    }

    fn sends(&self, town: &Town) -> Vec<Sent> {
        // ONESIGNAL[0]: with the throttle on, everybody from the start, whatever his clock shows and his best hour is.
        let wanted = wanted(town, |_| Some(town.now));
        // ONESIGNAL[1]: a rolling window of 24 hours.
        drain(town, wanted, |person, at| {
            let recent = person.past.iter().filter(|past| past.plus(24 * HOUR) > at).count();
            gate(town, at, recent >= town.cap, || Gate::Send)
        })
    }
}

/// When each person's message is wanted.
fn wanted(town: &Town, when: impl Fn(&Person) -> Option<Instant>) -> Vec<(usize, Instant)> {
    let people = town.people.iter().enumerate();
    people.filter_map(|(user, person)| Some((user, when(person)?))).collect()
}

/// Nothing leaves after the expiry, nor to whom the product drops.
fn gate(town: &Town, at: Instant, is_dropped: bool, otherwise: impl Fn() -> Gate) -> Gate {
    if is_dropped || at >= town.expires_at { Gate::Drop } else { otherwise() }
}

/// Held until quiet hours end.
fn held(quiet: QuietHours, person: &Person, at: Instant) -> Gate {
    if quiet.is_quiet(person.zone, at) { Gate::Hold(quiet.allowed_from(person.zone, at)) } else { Gate::Send }
}
