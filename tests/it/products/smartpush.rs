//! What smartpush sends: its planner's word, nothing added.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use smartpush::config::Config;
use smartpush::decisions::context::{ChannelContext, ContentContext, DecisionContext, FORMAT, PastSend};
use smartpush::decisions::scorer::PopularityScorer;
use smartpush::domain::campaign::{Campaign, CampaignStatus};
use smartpush::domain::content::{Content, MessageClass, Variant};
use smartpush::domain::settings::DecisionSettings;
use smartpush::domain::time::Instant;
use smartpush::domain::user::{Consent, User};
use smartpush::planning::decided::DecisionSink;
use smartpush::planning::{ContextSource, PlanningRequest, make};
use smartpush::store::decision_log::Record;

use super::queue::Sent;
use super::town::{Person, Town};

/// How far ahead the plan reaches: the campaign ends sooner.
const HORIZON_HOURS: u32 = 24;

/// The settings that smartpush is shipped with; reading them takes longer than a decision.
static SHIPPED: LazyLock<DecisionSettings> = LazyLock::new(|| Config::defaults().decisions);

/// The campaign as smartpush plans it.
///
/// Nothing is reckoned here: the planner takes everybody's contexts, and its decisions say who is sent to when.
pub fn smartpush_sends(town: &Town) -> Vec<Sent> {
    let planning = Config::defaults().planning;
    let request = PlanningRequest {
        campaigns: &[campaign(town)],
        sent: &[0],
        horizon_hours: HORIZON_HOURS,
        now: town.now,
        settings: &planning,
        threads: 2,
    };
    let mut decided = Decided::default();
    let Ok(_) = make(&People { town }, &request, &mut decided, &|_| ());
    let place = |user_id: &str| town.people.iter().position(|person| person.user_id == user_id);
    let sent = |(user_id, at): (String, Instant)| Some(Sent { user: place(&user_id)?, at });
    decided.sends.into_iter().filter_map(sent).collect()
}

/// The town's people as the planner asks for them.
struct People<'a> {
    town: &'a Town,
}

impl ContextSource for People<'_> {
    type Scorer = PopularityScorer;

    fn users(&self) -> usize {
        self.town.people.len()
    }

    fn contexts(&self, user: usize) -> Vec<(usize, DecisionContext)> {
        vec![(0, context(self.town, &self.town.people[user]))]
    }

    fn scorer(&self, _: usize) -> &PopularityScorer {
        &PopularityScorer
    }

    fn content_number(&self, _: &str) -> u32 {
        0
    }
}

/// Keeps who is sent to when.
#[derive(Default)]
struct Decided {
    sends: Vec<(String, Instant)>,
}

impl DecisionSink for Decided {
    type Error = std::convert::Infallible;

    fn take(&mut self, records: Vec<(usize, Record)>) -> Result<(), Self::Error> {
        let send = |(_, record): (usize, Record)| Some((record.decision.user_id, record.decision.send_at?));
        self.sends.extend(records.into_iter().filter_map(send));
        Ok(())
    }
}

fn campaign(town: &Town) -> Campaign {
    Campaign {
        campaign_id: "autumn".into(),
        window_start: Some(town.now),
        window_end: Some(town.expires_at),
        throttle_per_minute: Some(town.throttle as u32),
        status: CampaignStatus::Running,
        ..Campaign::default()
    }
}

/// All that smartpush is told: the person, his past, the campaign, its content.
fn context(town: &Town, person: &Person) -> DecisionContext {
    let curve = if person.has_prediction { &person.curve } else { &town.popular };
    let (variants, expires_at) = (vec![Variant::of_title("Sale".into())], Some(town.expires_at));
    let content = Content { content_id: "sale".into(), expires_at, variants, ..Content::default() };
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
        prior: None,
    };
    DecisionContext {
        format: FORMAT,
        decision_id: "decision".into(),
        send_id: "send".into(),
        occurrence: "autumn".into(),
        now: town.now,
        clock_trusted: true,
        horizon_hours: HORIZON_HOURS,
        user: User {
            user_id: person.user_id.clone(),
            known: true,
            consent: Consent::Granted,
            time_zone: Some(person.zone.name().into()),
            quiet_hours: person.quiet,
            personalisation: true,
            ..User::default()
        },
        campaign: Some(campaign(town)),
        audience: None,
        channels: vec![ChannelContext { name: "push".into(), cost: Some(0.0) }],
        campaign_sends: 0,
        explored_today: 0,
        contents: vec![content],
        user_inputs: Vec::new(),
        curve: curve.to_vec(),
        sends: person.past.iter().map(send).collect(),
        planned: Vec::new(),
        plan: None,
        settings: settings(town),
        fatigue_half_life_days: 3.0,
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
