//! Why there is no plan.

use crate::context::ContextError;
use domain::error::{Coded, ErrorKind};
use domain::time::{Day, Instant};
use domain::zone::UnknownZone;
use engine::EngineError;
use files::tables::TableError;
use planning::MOST_CAMPAIGNS;
use planning::handoff::HandoffError;
use planning::what_if::BadChange;
use store::decision_log::LogError;

/// A plan that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// No campaign may send on the day.
    #[error("no_campaigns: no campaign may send then; `--campaigns` names some")]
    NoCampaigns,
    /// There is no such campaign.
    #[error("unknown_campaign: there is no campaign {0:?}")]
    UnknownCampaign(String),
    /// One campaign is named twice: two plans of it would spend one cap twice.
    #[error("bad_campaigns: {0:?} is named twice")]
    Twice(String),
    /// Too many, or none.
    #[error("bad_campaigns: {0} campaigns; a plan holds 1 to {MOST_CAMPAIGNS}")]
    Count(usize),
    /// The campaign's goal is not declared, so it has no model.
    #[error("unknown_goal: campaign {campaign_id:?} pursues {goal:?}, and no goal is called so")]
    UnknownGoal {
        /// The campaign.
        campaign_id: String,
        /// Its goal.
        goal: String,
    },
    /// The campaign's goal is that users do nothing.
    #[error("bad_goal: campaign {campaign_id:?} pursues {goal:?}, which is that users do nothing")]
    AbsentGoal {
        /// The campaign.
        campaign_id: String,
        /// Its goal.
        goal: String,
    },
    /// The campaign's segment cannot be evaluated.
    #[error(
        "unknown_audience: campaign {campaign_id:?} is for segment {segment_id:?}: {detail}; leave the audience empty to mean everybody"
    )]
    UnknownAudience {
        /// The campaign.
        campaign_id: String,
        /// The segment.
        segment_id: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A day that the default time zone does not have.
    #[error("bad_due: {:?} is no date (2018-01-01)", .0.to_string())]
    NoSuchDay(Day),
    /// The day is in the past.
    #[error("bad_due: {day} is over at {now}, the moment of the plan; --as-of sets an earlier one")]
    DayIsOver {
        /// The day.
        day: Day,
        /// The moment of the plan.
        now: Instant,
    },
    /// The default time zone is none.
    #[error(transparent)]
    Zone(#[from] UnknownZone),
    /// A change that cannot be read.
    #[error(transparent)]
    Change(#[from] BadChange),
    /// No hand-off can be written there.
    #[error(transparent)]
    Handoff(#[from] HandoffError),
    /// The users and what is known of them cannot be read.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The decisions cannot be logged.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The workspace cannot be used.
    #[error(transparent)]
    Context(#[from] ContextError),
}

impl From<TableError> for PlanError {
    fn from(error: TableError) -> PlanError {
        ContextError::from(error).into()
    }
}

impl From<std::convert::Infallible> for PlanError {
    fn from(error: std::convert::Infallible) -> PlanError {
        match error {}
    }
}

impl PlanError {
    /// Is it about one campaign, so that others can be planned?
    pub fn is_about_one_campaign(&self) -> bool {
        matches!(
            self,
            PlanError::UnknownGoal { .. } | PlanError::AbsentGoal { .. } | PlanError::UnknownAudience { .. }
        )
    }
}

impl Coded for PlanError {
    fn code(&self) -> &'static str {
        match self {
            PlanError::NoCampaigns => "no_campaigns",
            PlanError::UnknownCampaign(_) => "unknown_campaign",
            PlanError::Twice(_) | PlanError::Count(_) => "bad_campaigns",
            PlanError::UnknownGoal { .. } => "unknown_goal",
            PlanError::AbsentGoal { .. } => "bad_goal",
            PlanError::UnknownAudience { .. } => "unknown_audience",
            PlanError::NoSuchDay(_) | PlanError::DayIsOver { .. } => "bad_due",
            PlanError::Zone(error) => error.code(),
            PlanError::Change(error) => error.code(),
            PlanError::Handoff(error) => error.code(),
            PlanError::Engine(error) => error.code(),
            PlanError::Log(error) => error.code(),
            PlanError::Context(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            PlanError::UnknownCampaign(_) => ErrorKind::NotFound,
            PlanError::NoCampaigns
            | PlanError::UnknownGoal { .. }
            | PlanError::AbsentGoal { .. }
            | PlanError::UnknownAudience { .. } => ErrorKind::Conflict,
            PlanError::Twice(_)
            | PlanError::Count(_)
            | PlanError::NoSuchDay(_)
            | PlanError::DayIsOver { .. } => ErrorKind::Caller,
            PlanError::Zone(error) => error.kind(),
            PlanError::Change(error) => error.kind(),
            PlanError::Handoff(error) => error.kind(),
            PlanError::Engine(error) => error.kind(),
            PlanError::Log(error) => error.kind(),
            PlanError::Context(error) => error.kind(),
        }
    }
}
