//! A whole audience at once: all due campaigns together, under everything that they share.
//!
//! [`make`] turns users into options, picks among them all at once ([`solver`]), and lets every user's decision be made
//! and explained by the same [`decisions::decide`] that answers single questions.

pub mod decided;
pub mod forecast;
pub mod handoff;
pub mod record;
pub mod solver;
pub mod what_if;

mod options;
mod rules;

pub use rules::rule_of;

use config::PlanningConfig;
use decided::{Decided, DecisionSink};
use decisions::context::DecisionContext;
use decisions::scorer::Scorer;
use domain::campaign::Campaign;
use domain::time::Instant;
use options::Options;
use rules::SharedRules;
use solver::audience::{instant_of, origin_of};
use solver::limits::{CampaignLimits, Limits};
use solver::outcome::Plan;
use solver::{Phase, Task, plan_watched};

/// Campaigns that one plan may hold.
pub const MOST_CAMPAIGNS: usize = 20;

/// Where users and what is known of them come from.
pub trait ContextSource: Sync {
    /// What scores a campaign's arms.
    type Scorer: Scorer + Sync;

    /// How many users there are.
    fn users(&self) -> usize;

    /// What is known of a user: one context for each campaign whose audience they are in, with the index of the
    /// campaign. The same each time it is asked for.
    fn contexts(&self, user: usize) -> Vec<(usize, DecisionContext)>;

    /// The scorer of a campaign.
    fn scorer(&self, campaign: usize) -> &Self::Scorer;

    /// A number for a content: the same number, the same content.
    fn content_number(&self, content_id: &str) -> u32;
}

/// What is to be planned.
#[derive(Clone, Debug)]
pub struct PlanningRequest<'a> {
    /// The campaigns, each once; their indices are those of [`ContextSource`].
    pub campaigns: &'a [Campaign],
    /// Pushes that went out for each campaign.
    pub sent: &'a [u64],
    /// How far ahead the plan may reach, in hours.
    pub horizon_hours: u32,
    /// The moment of the plan.
    pub now: Instant,
    /// Limits that campaigns share, and the seed.
    pub settings: &'a PlanningConfig,
    /// Threads that may work; the plan does not depend on it.
    pub threads: usize,
}

/// A step of planning, for whoever watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanStep {
    /// Users' options are laid out: so many users are done.
    Options(usize),
    /// The solver works.
    Solve(Phase),
    /// Decisions are made and written: so many users are done.
    Decide(usize),
}

/// A plan made: the solver's word, and what became of everybody.
#[derive(Debug)]
pub struct PlanResult {
    /// Who gets what when, loads, pairs, bound.
    pub plan: Plan,
    /// The minute from which the plan counts.
    pub origin: Instant,
    /// What decisions came to, counted.
    pub decided: Decided,
    /// The sum of the expected values of all sends.
    pub value: f64,
    /// No plan that reaches as many is worth more than this.
    pub bound: f64,
}

/// The path of a plan.
///
/// # Errors
/// Those of the sink that decisions are given to.
pub fn make<S: ContextSource, K: DecisionSink>(
    source: &S,
    request: &PlanningRequest,
    sink: &mut K,
    watch: &(impl Fn(PlanStep) + Sync),
) -> Result<PlanResult, K::Error> {
    let origin = origin_of(request.now);
    let options = Options::lay_out(source, request, origin, watch);
    let limits = limits(request);
    let rules = SharedRules { options: &options, origin };
    let settings = solver::Settings::new(request.settings.seed, request.threads);
    let task = Task { audience: &options.audience, limits: &limits, rules: &rules, settings };
    let plan = plan_watched(&task, |phase| watch(PlanStep::Solve(phase)));
    let decided = decided::decide_all(source, request, &options, &plan, sink, watch)?;
    let sends: u32 = plan.campaigns.iter().map(|campaign| campaign.sends).sum();
    let value = (plan.value - options.reach * f64::from(sends)).max(0.0);
    let bound = value + (plan.bound - plan.value);
    Ok(PlanResult { plan, origin, decided, value, bound })
}

impl PlanResult {
    /// How far the value may lie below the best of plans that reach as many, as a share of the bound.
    pub fn gap(&self) -> f64 {
        if self.bound > 0.0 { (self.bound - self.value) / self.bound } else { 0.0 }
    }

    /// The instant at which a minute of the loads begins.
    pub fn instant(&self, minute: usize) -> Instant {
        instant_of(self.origin, minute)
    }
}

fn limits(request: &PlanningRequest) -> Limits {
    let limit = |(campaign, sent): (&Campaign, &u64)| CampaignLimits {
        throttle_per_minute: campaign.throttle_per_minute,
        max_sends: campaign
            .max_sends
            .map(|most| u32::try_from(most.saturating_sub(*sent)).unwrap_or(u32::MAX)),
    };
    Limits {
        campaigns: request.campaigns.iter().zip(request.sent).map(limit).collect(),
        throttle_per_minute: request.settings.throttle_per_minute,
        most_per_hour: request.settings.most_per_hour,
    }
}
