//! What smartpush sends: every hour of every person is put to `decide`, and the throttle is spread over the answers.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use smartpush::config::Config;
use smartpush::decisions::context::{ChannelContext, ContentContext, DecisionContext, FORMAT, PastSend};
use smartpush::decisions::decide;
use smartpush::decisions::scorer::PopularityScorer;
use smartpush::domain::campaign::{Campaign, CampaignStatus};
use smartpush::domain::content::{Content, MessageClass};
use smartpush::domain::decision::Action;
use smartpush::domain::settings::DecisionSettings;
use smartpush::domain::slot::{SendSlot, send_slots};
use smartpush::domain::time::{Instant, MINUTE};
use smartpush::domain::user::{Consent, User};

use super::queue::Sent;
use super::town::{Person, Town};

/// After this many hours that are as good as full, a person is as hard to place as it gets.
const CHOICES: usize = 4;

/// The settings that smartpush is shipped with; reading them takes longer than a decision.
static SHIPPED: LazyLock<DecisionSettings> = LazyLock::new(|| Config::defaults().decisions);

/// An hour in which a person may be sent to.
struct Choice {
    slot: SendSlot,
    /// The minute that the decision drew.
    send_at: Instant,
    value: f64,
}

/// The campaign as smartpush sends it.
///
/// Whoever would lose most by waiting is placed first, each in the best of his hours that has a minute left. That a
/// minute is allowed is never reckoned here: `decide` says so.
pub fn smartpush_sends(town: &Town) -> Vec<Sent> {
    let mut people: Vec<(usize, Vec<Choice>)> =
        town.people.iter().map(|person| choices(town, person)).enumerate().collect();
    people.sort_by(|(_, one), (_, other)| regret(other).total_cmp(&regret(one)));
    let mut load: HashMap<i64, usize> = HashMap::new();
    people.iter().filter_map(|(user, choices)| place(town, *user, choices, &mut load)).collect()
}

/// The hours in which a person may be sent to, best first.
fn choices(town: &Town, person: &Person) -> Vec<Choice> {
    let slots = send_slots(person.zone, town.now, town.expires_at);
    let choice = |slot: SendSlot| {
        let (send_at, value) = ask(town, person, slot.start, slot.end)?;
        Some(Choice { slot, send_at, value })
    };
    let mut choices: Vec<Choice> = slots.into_iter().filter_map(choice).collect();
    choices.sort_by(|one, other| other.value.total_cmp(&one.value));
    choices
}

/// What is lost when the best hours are full.
fn regret(choices: &[Choice]) -> f64 {
    let value = |place: usize| choices.get(place).map_or(0.0, |choice| choice.value);
    // Somebody with few hours to choose from cannot wait at all.
    let scarcity = CHOICES.saturating_sub(choices.len()) as f64;
    scarcity + value(0) - value(CHOICES - 1)
}

/// Puts a person into the best hour with room, into the minute that was drawn or the next one after it.
fn place(town: &Town, user: usize, choices: &[Choice], load: &mut HashMap<i64, usize>) -> Option<Sent> {
    for choice in choices {
        for minute in minutes_from(choice) {
            let count = load.entry(minute.micros() / MINUTE).or_default();
            if *count >= town.throttle {
                continue;
            }
            if let Some((at, _)) = ask(town, &town.people[user], minute, minute.plus(MINUTE)) {
                *count += 1;
                return Some(Sent { user, at });
            }
        }
    }
    None
}

/// The minutes of a slot, the one that was drawn first, then onwards and around.
fn minutes_from(choice: &Choice) -> impl Iterator<Item = Instant> {
    let (start, length) = (choice.slot.start, choice.slot.end.micros() - choice.slot.start.micros());
    let drawn = (choice.send_at.micros() - start.micros()) / MINUTE;
    let count = length / MINUTE;
    (0..count).map(move |minute| start.plus((drawn + minute) % count * MINUTE))
}

/// When the person is sent to within a span of time, and what that is worth; `None`: a rule says no.
fn ask(town: &Town, person: &Person, from: Instant, until: Instant) -> Option<(Instant, f64)> {
    let decision = decide(&context(town, person, from, until), &PopularityScorer);
    let value = decision.candidates.first().map(|candidate| candidate.value);
    (decision.action == Action::Send).then_some((decision.send_at?, value?))
}

/// All that smartpush is told: the person, his past, the campaign within a span of time, its content.
fn context(town: &Town, person: &Person, from: Instant, until: Instant) -> DecisionContext {
    let curve = if person.has_prediction { &person.curve } else { &town.popular };
    let content =
        Content { content_id: "sale".into(), expires_at: Some(town.expires_at), ..Content::default() };
    let send = |at: &Instant| PastSend {
        at: *at,
        campaign_id: None,
        content_id: None,
        channel: None,
        campaign_tags: Vec::new(),
        message_class: MessageClass::Marketing,
    };
    let content = ContentContext {
        content,
        evidence: 100.0,
        sent: 0,
        content_inputs: vec![0.0],
        pair_inputs: Vec::new(),
    };
    DecisionContext {
        format: FORMAT,
        decision_id: "decision".into(),
        send_id: "send".into(),
        occurrence: "autumn".into(),
        now: town.now,
        clock_trusted: true,
        horizon_hours: 24,
        user: User {
            user_id: person.user_id.clone(),
            known: true,
            consent: Consent::Granted,
            time_zone: Some(person.zone.name().into()),
            quiet_hours: person.quiet,
            personalisation: true,
            ..User::default()
        },
        campaign: Some(Campaign {
            campaign_id: "autumn".into(),
            window_start: Some(from),
            window_end: Some(until),
            status: CampaignStatus::Running,
            ..Campaign::default()
        }),
        channels: vec![ChannelContext { name: "push".into(), cost: Some(0.0) }],
        campaign_sends: 0,
        explored_today: 0,
        contents: vec![content],
        user_inputs: Vec::new(),
        curve: curve.to_vec(),
        sends: person.past.iter().map(send).collect(),
        settings: settings(town),
        fallback: Vec::new(),
        versions: BTreeMap::new(),
    }
}

/// The shipped settings with the campaign's cap and quiet hours; sending costs nothing, nobody is held out.
fn settings(town: &Town) -> DecisionSettings {
    DecisionSettings {
        max_per_day: town.cap as u32,
        quiet_from: town.quiet.from.into(),
        quiet_until: town.quiet.until.into(),
        holdout_percent: 0.0,
        opt_out_cost: 0.0,
        fatigue_price: 0.0,
        channel_cost: 0.0,
        ..SHIPPED.clone()
    }
}
