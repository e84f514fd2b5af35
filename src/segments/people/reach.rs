//! Whom of the people a push would reach now: each with the first rule of decisions that keeps it from them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use polars::prelude::*;

use crate::language::keys::{DeclaredField, LookupKey};
use crate::people::{People, PeopleError};
use config::Config;
use decisions::context::{ChannelContext, DecisionContext, PastSend};
use decisions::reach::refused_by;
use decisions::rule_names::{
    CHANNEL_IS_SET_UP, CLOCK_IS_TRUSTED, HAS_CONSENTED, HAS_DEVICE, OUTSIDE_HOLDOUT,
    PREFERENCES_ARE_READABLE, ZONE_IS_KNOWN,
};
use domain::content::MessageClass;
use domain::event::SENT;
use domain::frequency::{FrequencyWindow, LONGEST_DAYS};
use domain::settings::DecisionSettings;
use domain::time::{DAY, HOUR, MINUTE};
use domain::user::User;
use domain::zone::ZoneSource;
use events::catalogue::DeclaredUsers;
use events::columns::contents;
use events::declared::DeclaredTable;
use events::lake::Lake;
use events::stored::{EventColumn, StoredEvent};
use events::withdrawals::Withdrawals;
use files::tables::TableError;
use files::workspace::Workspace;

/// People whom one thread asks the rules about at a time.
const STRETCH: usize = 16_384;

/// What keeps a push from a person, by the first rule that does; in the order of the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Nothing: the person can be reached.
    Reachable,
    /// The moment is one that no clock can rightly show.
    UntrustedClock,
    /// They refused, withdrew their consent, or it cannot be read.
    OptedOut,
    /// There is no record of consent, and that counts as no.
    UnknownConsent,
    /// A preference of theirs, or the common quiet hours, cannot be read.
    UnreadablePreferences,
    /// Neither they nor a device nor an explicit default names their time zone.
    UnknownZone,
    /// They are held out, so that the effect of pushing can be measured.
    Holdout,
    /// The channel is not configured.
    NoChannel,
    /// None of their devices has the channel.
    NoDevice,
    /// They have had as many pushes as they may get for now.
    Capped,
}

impl Reach {
    /// All of them, in order.
    pub const ALL: [Reach; 10] = [
        Reach::Reachable,
        Reach::UntrustedClock,
        Reach::OptedOut,
        Reach::UnknownConsent,
        Reach::UnreadablePreferences,
        Reach::UnknownZone,
        Reach::Holdout,
        Reach::NoChannel,
        Reach::NoDevice,
        Reach::Capped,
    ];

    /// Its name in answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Reach::Reachable => "reachable",
            Reach::UntrustedClock => "untrusted_clock",
            Reach::OptedOut => "opted_out",
            Reach::UnknownConsent => "unknown_consent",
            Reach::UnreadablePreferences => "unreadable_preferences",
            Reach::UnknownZone => "unknown_zone",
            Reach::Holdout => "holdout",
            Reach::NoChannel => "no_channel",
            Reach::NoDevice => "no_device",
            Reach::Capped => "capped",
        }
    }

    /// Could a push go out, now or when a cap has passed?
    pub const fn can_be_pushed(self) -> bool {
        matches!(self, Reach::Reachable | Reach::Capped)
    }

    /// What it means for a user that a rule refuses; every rule that counts pushes means the same.
    pub fn of_rule(refused_by: Option<&str>, user: &User) -> Reach {
        match refused_by {
            None => Reach::Reachable,
            Some(CLOCK_IS_TRUSTED) => Reach::UntrustedClock,
            Some(HAS_CONSENTED) if user.consent.has_refused() => Reach::OptedOut,
            Some(HAS_CONSENTED) => Reach::UnknownConsent,
            Some(PREFERENCES_ARE_READABLE) => Reach::UnreadablePreferences,
            Some(ZONE_IS_KNOWN) => Reach::UnknownZone,
            Some(OUTSIDE_HOLDOUT) => Reach::Holdout,
            Some(CHANNEL_IS_SET_UP) => Reach::NoChannel,
            Some(HAS_DEVICE) => Reach::NoDevice,
            Some(_) => Reach::Capped,
        }
    }
}

/// What has to be looked up of the people; what they declared is read beside it.
pub fn needed() -> BTreeSet<LookupKey> {
    BTreeSet::from([ZONE, ZONE_SOURCE])
}

const ZONE: LookupKey = LookupKey::Feature("time_zone");
const ZONE_SOURCE: LookupKey = LookupKey::Feature("time_zone_source");

/// What keeps a push over the default channel from each person at the moment that they are seen at.
///
/// # Errors
/// When something of [`needed`] was not looked up, or the declared users, the contents or the lake cannot be read.
pub fn reach(people: &People, workspace: &Workspace, config: &Config) -> Result<Vec<Reach>, PeopleError> {
    let asker = Asker::new(people, workspace, config)?;
    let users = DeclaredUsers::read(workspace)?;
    let mut reach: Vec<Option<Reach>> = vec![None; people.len()];
    for declared in parallel::in_chunks(users.len(), STRETCH, |rows| asker.declared(&users, rows)) {
        declared.into_iter().for_each(|(row, answer)| reach[row] = Some(answer));
    }
    let others = parallel::in_chunks(people.len(), STRETCH, |rows| asker.undeclared(&reach, rows));
    for (row, answer) in others.into_iter().flatten() {
        reach[row] = Some(answer);
    }
    Ok(reach.into_iter().flatten().collect())
}

/// The same people with whether each [can be pushed](Reach::can_be_pushed). Of people without profiles, zones are unknown unless they
/// are declared.
///
/// # Errors
/// As [`reach`].
pub fn with_can_be_pushed(
    people: People,
    workspace: &Workspace,
    config: &Config,
) -> Result<People, PeopleError> {
    let mut asked = people.clone();
    for key in needed() {
        if asked.column(&key).is_none() {
            let unknown = StringChunked::full_null(key.to_string().into(), asked.len());
            asked = asked.with(key, unknown.into_series())?;
        }
    }
    let reached = reach(&asked, workspace, config)?;
    let can_be = reached.iter().map(|reach| Some(reach.can_be_pushed()));
    let column = BooleanChunked::from_iter_options("can_be_pushed".into(), can_be);
    people.with(CAN_BE_PUSHED, column.into_series())
}

/// The field of [`with_can_be_pushed`].
pub const CAN_BE_PUSHED: LookupKey = LookupKey::Declared(DeclaredField::CanBePushed);

/// Asks the rules about people.
struct Asker<'a> {
    people: &'a People,
    zones: &'a StringChunked,
    zone_sources: &'a StringChunked,
    /// The default zone, when it is an explicit setting: otherwise nobody named the clock that a push would go by.
    default_zone: Option<&'a str>,
    sends: BTreeMap<usize, Vec<PastSend>>,
    withdrawals: Withdrawals,
    /// What is the same for all people.
    context: DecisionContext,
}

impl<'a> Asker<'a> {
    fn new(people: &'a People, workspace: &Workspace, config: &'a Config) -> Result<Asker<'a>, PeopleError> {
        let settings = config.decisions.clone();
        let name = settings.channel.clone();
        let channel = ChannelContext { cost: config.channels.get(&name).map(|channel| channel.cost), name };
        Ok(Asker {
            people,
            zones: texts(people, &ZONE)?,
            zone_sources: texts(people, &ZONE_SOURCE)?,
            default_zone: config.default_time_zone_is_set.then_some(config.default_time_zone.as_str()),
            sends: recent_sends(people, workspace, &settings)?,
            withdrawals: Withdrawals::read(&Lake::open(workspace)?)?,
            context: DecisionContext::about(User::default(), channel, people.as_of(), settings),
        })
    }

    /// The answers about some declared users, by the row of the person.
    fn declared(&self, users: &DeclaredUsers, rows: Range<usize>) -> Vec<(usize, Reach)> {
        let (mut context, mut next) = (self.context.clone(), 0);
        let mut answer = |user: User| {
            let row = self.row_of(&user.user_id, next)?;
            next = row + 1;
            Some((row, self.ask(&mut context, row, user)))
        };
        rows.filter_map(|row| answer(users.user(row))).collect()
    }

    /// The row of a user, which is `next` where people and declared users go on with the same ids, as they mostly do.
    fn row_of(&self, user_id: &str, next: usize) -> Option<usize> {
        let is_next = next < self.people.len() && self.people.ids().get(next) == Some(user_id);
        if is_next { Some(next) } else { self.people.row_of(user_id) }
    }

    /// The answers about those people of some rows who have none yet: only events know them.
    fn undeclared(&self, known: &[Option<Reach>], rows: Range<usize>) -> Vec<(usize, Reach)> {
        let mut context = self.context.clone();
        let mut answer = |row: usize| {
            let id = self.people.ids().get(row).unwrap_or_default();
            (row, self.ask(&mut context, row, User::undeclared(id, true)))
        };
        rows.filter(|row| known[*row].is_none()).map(&mut answer).collect()
    }

    fn ask(&self, context: &mut DecisionContext, row: usize, mut user: User) -> Reach {
        let is_device = self.zone_sources.get(row) == Some(ZoneSource::Device.as_str());
        user.fill_zone(self.zones.get(row).filter(|_| is_device), self.default_zone);
        self.withdrawals.apply(&mut user);
        context.user = user;
        context.sends.clear();
        context.sends.extend(self.sends.get(&row).into_iter().flatten().cloned());
        Reach::of_rule(refused_by(context), &context.user)
    }
}

fn texts<'a>(people: &'a People, key: &LookupKey) -> Result<&'a StringChunked, PeopleError> {
    let column = people.column(key).ok_or_else(|| PeopleError::Missing(key.clone()))?;
    column.str().map_err(|_| PeopleError::WrongKind(key.clone()))
}

/// Microseconds before now beyond which no push counts toward a cap; decisions remember none for longer.
fn memory(settings: &DecisionSettings) -> i64 {
    let of_rules = settings.frequency_rules.iter().map(|rule| match rule.window {
        // The first of the days may have begun almost a day before the last so many hours, or later by a change of the clock.
        FrequencyWindow::CalendarDays(days) => (i64::from(days) + 1) * DAY,
        FrequencyWindow::RollingHours(hours) => i64::from(hours) * HOUR,
    });
    let gap = i64::from(settings.minimum_gap_minutes) * MINUTE;
    // Two days hold the user's own day and the vendors', however long clocks make them.
    let longest = of_rules.fold(gap.max(2 * DAY), i64::max);
    longest.min(i64::from(LONGEST_DAYS) * DAY)
}

/// Pushes that may count toward a cap, by the person's row.
fn recent_sends(
    people: &People,
    workspace: &Workspace,
    settings: &DecisionSettings,
) -> Result<BTreeMap<usize, Vec<PastSend>>, PeopleError> {
    let (from, until) = (people.as_of().plus(-memory(settings)), people.as_of());
    let lake = Lake::open(workspace)?;
    let mut files = lake.files_within(from, until);
    files.retain(|file| file.holds(SENT));
    let mut sends: BTreeMap<usize, Vec<PastSend>> = BTreeMap::new();
    if files.is_empty() {
        return Ok(sends);
    }
    let service = service_contents(workspace)?;
    for file in files {
        for event in lake.events(file, &COLUMNS)?.iter() {
            let is_counted = event.name == SENT && (from..until).contains(&event.timestamp);
            if let Some(row) = people.row_of(event.user_id).filter(|_| is_counted) {
                sends.entry(row).or_default().push(past_send(&event, &service));
            }
        }
    }
    Ok(sends)
}

/// What is read of a push that went out.
const COLUMNS: [EventColumn; 5] = [
    EventColumn::UserId,
    EventColumn::Name,
    EventColumn::Timestamp,
    EventColumn::ContentId,
    EventColumn::Channel,
];

/// A push that went out, as rules count it.
fn past_send(event: &StoredEvent<'_>, service: &BTreeSet<String>) -> PastSend {
    let is_service = event.content_id.is_some_and(|content| service.contains(content));
    PastSend {
        at: event.timestamp,
        campaign_id: None,
        content_id: event.content_id.map(str::to_string),
        channel: event.channel.map(str::to_string),
        // Without a campaign no rule about tags is asked.
        campaign_tags: Vec::new(),
        message_class: if is_service { MessageClass::Service } else { MessageClass::Marketing },
    }
}

/// Contents whose pushes are service messages.
fn service_contents(workspace: &Workspace) -> Result<BTreeSet<String>, TableError> {
    let table = DeclaredTable::read(workspace, &[contents::ID, contents::MESSAGE_CLASS])?;
    let rows = table.texts(contents::ID).iter().zip(table.texts(contents::MESSAGE_CLASS).iter());
    let service = rows.filter(|(_, class)| *class == Some(MessageClass::Service.as_str()));
    Ok(service.filter_map(|(id, _)| id.map(str::to_string)).collect())
}
