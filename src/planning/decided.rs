//! The plan turned into decisions: everybody's is made by the function that answers single questions, and can be replayed.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::forecast::Forecast;
use super::options::Options;
use super::rules::rule_of;
use super::solver::audience::instant_of;
use super::solver::outcome::Plan;
use super::{ContextSource, PlanStep, PlanningRequest};
use decisions::context::{DecisionContext, PastSend, Planned};
use decisions::decide;
use decisions::prospect::Prospect;
use decisions::rule_names::MATCHES_PLAN;
use decisions::scorer::Scorer;
use domain::content::Content;
use domain::decision::Action;
use parallel::in_chunks_on;
use store::decision_log::{FORMAT, Record};

/// Users whose decisions are in memory at once, and those that a thread takes at a time.
const BATCH: usize = 4_096;
const PART: usize = 64;

/// Contents that the log keeps of a decision that draws nothing: what was planned, and the best beside it.
const MOST_LOGGED: usize = 5;

/// Where decisions go, in order of user and campaign.
pub trait DecisionSink {
    /// What may go wrong.
    type Error;

    /// Takes some more decisions, each with the index of its campaign.
    ///
    /// # Errors
    /// When they cannot be kept.
    fn take(&mut self, records: Vec<(usize, Record)>) -> Result<(), Self::Error>;
}

/// Keeps nothing: for plans that are only looked at.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nowhere;

impl DecisionSink for Nowhere {
    type Error = std::convert::Infallible;

    fn take(&mut self, _: Vec<(usize, Record)>) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// What decisions came to, by campaign.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decided {
    /// The campaigns in order.
    pub campaigns: Vec<CampaignDecided>,
}

/// What became of the members of a campaign's audience.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CampaignDecided {
    /// Members.
    pub members: u64,
    /// Those who are held out, so that the effect of pushing can be measured.
    pub holdout: u64,
    /// Those who are sent something that was drawn for the sake of learning.
    pub explored: u64,
    /// Those who are sent nothing, by the rule that decided it.
    pub unsent: BTreeMap<String, u64>,
    /// What the sends should bring.
    pub forecast: Forecast,
}

/// Makes the decision of every member of every audience.
pub(super) fn decide_all<S: ContextSource, K: DecisionSink>(
    source: &S,
    request: &PlanningRequest,
    options: &Options,
    plan: &Plan,
    sink: &mut K,
    watch: &impl Fn(PlanStep),
) -> Result<Decided, K::Error> {
    let mut decided = Decided { campaigns: vec![CampaignDecided::default(); request.campaigns.len()] };
    let decider = Decider { source, request, options, plan };
    let mut explored = vec![0; request.campaigns.len()];
    for start in (0..source.users()).step_by(BATCH) {
        let users = start..(start + BATCH).min(source.users());
        let mut records = decider.batch(users.clone());
        for (campaign, record) in &mut records {
            decider.keep_budget(*campaign, record, &mut explored);
            decided.campaigns[*campaign].count(record);
        }
        sink.take(records)?;
        watch(PlanStep::Decide(users.end));
    }
    Ok(decided)
}

struct Decider<'a, S> {
    source: &'a S,
    request: &'a PlanningRequest<'a>,
    options: &'a Options,
    plan: &'a Plan,
}

/// A push that the plan gives a user for one of his contexts.
struct PlannedPush {
    planned: Planned,
    push: PastSend,
}

impl<S: ContextSource> Decider<'_, S> {
    fn batch(&self, users: Range<usize>) -> Vec<(usize, Record)> {
        let first = users.start;
        let work = |part: Range<usize>| part.flat_map(|user| self.records(first + user)).collect::<Vec<_>>();
        in_chunks_on(self.request.threads, users.len(), PART, work).into_iter().flatten().collect()
    }

    /// The decisions about one user.
    fn records(&self, user: usize) -> Vec<(usize, Record)> {
        let mut contexts = self.source.contexts(user);
        let pushes = self.pushes(user, &contexts);
        for (index, (campaign, context)) in contexts.iter_mut().enumerate() {
            let others = pushes.iter().enumerate().filter(|(other, _)| *other != index);
            context.planned = others.filter_map(|(_, push)| Some(push.as_ref()?.push.clone())).collect();
            context.plan = Some(match &pushes[index] {
                Some(push) => push.planned.clone(),
                None => self.no_room(user, *campaign),
            });
        }
        contexts.into_iter().map(|(campaign, context)| (campaign, self.record(campaign, context))).collect()
    }

    /// What the plan gives a user, context by context.
    fn pushes(&self, user: usize, contexts: &[(usize, DecisionContext)]) -> Vec<Option<PlannedPush>> {
        let push = |(index, (campaign, context)): (usize, &(usize, DecisionContext))| {
            let send = self.plan.send(&self.options.audience, user, *campaign)?;
            let cell = &self.options.audience.cells(user, *campaign)[send.option];
            let (quarter, _) = self.options.audience.time_of(cell);
            let prospect = self.options.prospect(self.source, contexts, index, quarter, send.payload)?;
            Some(self.push(context, &prospect, send.minute))
        };
        contexts.iter().enumerate().map(push).collect()
    }

    fn push(&self, context: &DecisionContext, prospect: &Prospect, minute: usize) -> PlannedPush {
        let content = &context.contents[prospect.content].content;
        let channel = context.channels[prospect.channel].name.clone();
        let at = instant_of(self.options.origin, minute);
        let campaign = context.campaign.as_ref();
        let push = PastSend {
            at,
            campaign_id: campaign.map(|campaign| campaign.campaign_id.clone()),
            content_id: Some(content.content_id.clone()),
            channel: Some(channel.clone()),
            campaign_tags: campaign.map(|campaign| campaign.tags.clone()).unwrap_or_default(),
            message_class: content.message_class,
        };
        PlannedPush { planned: Planned::Send { content_id: content.content_id.clone(), channel, at }, push }
    }

    /// Why the plan gives a user nothing; what his own rules say goes before it.
    fn no_room(&self, user: usize, campaign: usize) -> Planned {
        let reason = self.plan.reason(user, campaign).map(rule_of);
        let (rule, by) = reason.unwrap_or((MATCHES_PLAN, None));
        let id = |by: usize| self.request.campaigns[by].campaign_id.clone();
        Planned::NoRoom { rule: rule.to_string(), campaign_id: by.map(id) }
    }

    fn record(&self, campaign: usize, mut context: DecisionContext) -> Record {
        let scorer = self.source.scorer(campaign);
        if context.contents.len() > MOST_LOGGED && !context.draws() {
            trim(&mut context, scorer);
        }
        let decision = decide(&context, scorer);
        Record { format: FORMAT, decision, context, idempotency_key: None, request_hash: None, shadow: None }
    }

    /// Counts explored sends one after the other; once the day's budget is spent, nothing is drawn any more.
    fn keep_budget(&self, campaign: usize, record: &mut Record, explored: &mut [u32]) {
        let might_draw = record.context.may_explore();
        record.context.explored_today += explored[campaign];
        if might_draw && !record.context.may_explore() {
            record.decision = decide(&record.context, self.source.scorer(campaign));
        }
        explored[campaign] += u32::from(record.decision.explored);
    }
}

/// Leaves the contents that the decision shows, and the planned one: what the log need keep.
fn trim(context: &mut DecisionContext, scorer: &dyn Scorer) {
    let whole = decide(context, scorer);
    let mut kept: BTreeSet<String> =
        whole.candidates.into_iter().map(|candidate| candidate.content_id).collect();
    kept.extend(whole.content_id);
    if let Some(Planned::Send { content_id, .. }) = &context.plan {
        kept.insert(content_id.clone());
    }
    let mut left = MOST_LOGGED;
    let mut keep = |content: &Content| {
        let is_kept = kept.contains(&content.content_id) || (kept.is_empty() && left > 0);
        left = left.saturating_sub(usize::from(is_kept));
        is_kept
    };
    context.contents.retain(|candidate| keep(&candidate.content));
}

impl CampaignDecided {
    fn count(&mut self, record: &Record) {
        let (decision, context) = (&record.decision, &record.context);
        self.members += 1;
        self.holdout += u64::from(decision.holdout);
        self.explored += u64::from(decision.explored);
        match decision.action {
            Action::Send => self.forecast.add(decision, context),
            Action::Hold | Action::NoSend => {
                let rule = decision.reasons.first().map(|reason| reason.rule.clone());
                *self.unsent.entry(rule.unwrap_or_default()).or_default() += 1;
            }
        }
    }
}
