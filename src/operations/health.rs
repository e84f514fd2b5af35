//! Judges the newest days of events by the weeks before them.

use super::context::{Context, ContextError};
use config::HealthConfig;
use domain::error::{Coded, ErrorKind};
use domain::time::Instant;
use events::health::people::People;
use events::health::{CheckReport, check};

/// Which days to judge.
#[derive(Clone, Copy, Debug, Default)]
pub struct HealthRequest {
    /// Whole days before this moment count; by default 1 µs after the newest event, but not later than now.
    pub as_of: Option<Instant>,
    /// Newest days to judge; by default `health.days`.
    pub days: Option<usize>,
}

/// What the checks found.
#[derive(Debug)]
pub struct HealthReport {
    /// Every check, and the days.
    pub checks: CheckReport,
    /// Set when a check fails.
    pub refusal: Option<UnhealthyData>,
}

/// Days that are unlike those before them.
#[derive(Debug, thiserror::Error)]
#[error("unhealthy_data: {}", .failed.join(", "))]
pub struct UnhealthyData {
    /// Names of the checks that fail, each once.
    pub failed: Vec<&'static str>,
}

impl Coded for UnhealthyData {
    fn code(&self) -> &'static str {
        "unhealthy_data"
    }

    fn kind(&self) -> ErrorKind {
        ErrorKind::Refused
    }
}

/// Days that cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    /// All events are later.
    #[error("no_events: nothing happened in the {days} days before {as_of}")]
    NothingHappened {
        /// Days that were looked at.
        days: usize,
        /// The moment.
        as_of: Instant,
    },
    /// The lake cannot be read.
    #[error(transparent)]
    Context(#[from] ContextError),
}

impl Coded for HealthError {
    fn code(&self) -> &'static str {
        match self {
            HealthError::NothingHappened { .. } => "no_events",
            HealthError::Context(error) => error.code(),
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            HealthError::NothingHappened { .. } => ErrorKind::Conflict,
            HealthError::Context(error) => error.kind(),
        }
    }
}

/// Judges the newest whole days and keeps the report for the server's metrics.
///
/// # Errors
/// When there are no events before the moment, or a file cannot be read or written.
pub fn health(context: &Context<'_>, request: &HealthRequest) -> Result<HealthReport, HealthError> {
    let lake = context.lake()?;
    let as_of = context.moment(request.as_of, &lake);
    let days = request.days.unwrap_or(context.config.health.days);
    let config = HealthConfig { days, ..context.config.health.clone() };
    let people = People::read(context.workspace).map_err(ContextError::from)?;
    let checks = check(&lake, &people, as_of, context.now, &config).map_err(ContextError::from)?;
    if checks.days.iter().all(|day| day.events == 0) && lake.newest().is_some_and(|newest| newest >= as_of) {
        return Err(HealthError::NothingHappened { days: checks.days.len(), as_of });
    }
    checks.write(context.workspace).map_err(ContextError::from)?;
    let failed: Vec<&'static str> = checks.failed_names().into_iter().collect();
    let refusal = (!failed.is_empty()).then_some(UnhealthyData { failed });
    Ok(HealthReport { checks, refusal })
}
