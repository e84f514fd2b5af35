//! What a campaign's pushes have been measured to add to what users do anyway, beside the forecast of a plan.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::context::Context;
use crate::evaluate_lift::{Compared, LiftRequest, SUSPECT, evaluate_holdouts};
use domain::campaign::Campaign;
use evaluation::uplift::Lift;
use planning::forecast::Bounds;

/// What the figure of a forecast counts.
pub const COUNTED: &str = "reach the goal anyway or because of the push";

/// Units after which the interval of a measured lift is narrowest, as `evaluate-lift` takes it.
const PLANNED: u64 = 10_000;

/// What a campaign's pushes add.
#[derive(Clone, Debug, PartialEq)]
pub enum AddedByPush {
    /// It cannot be known, and why not.
    Unknown(WhyUnknown),
    /// As its holdout has shown so far.
    Measured(Box<Lift>),
}

/// Why it is not known what pushes add.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhyUnknown {
    /// Every member is pushed, so there is no comparison.
    NoHoldout,
    /// There is a holdout, and no outcome of it yet.
    NotMeasured,
    /// The holdout was changed while it was measured.
    HoldoutChanged,
}

impl WhyUnknown {
    /// The stable code.
    pub const fn code(self) -> &'static str {
        match self {
            WhyUnknown::NoHoldout => "no_holdout",
            WhyUnknown::NotMeasured => "not_measured",
            WhyUnknown::HoldoutChanged => "holdout_changed",
        }
    }

    /// The same for people.
    pub const fn text(self) -> &'static str {
        match self {
            WhyUnknown::NoHoldout => "no holdout",
            WhyUnknown::NotMeasured => "its holdout is not measured yet: run `smartpush outcomes`",
            WhyUnknown::HoldoutChanged => "the holdout changed while it was measured",
        }
    }
}

impl AddedByPush {
    /// Goal events that so many sends should add, with the 95 % interval of the lift.
    pub fn of_sends(&self, sends: u64) -> Option<Bounds> {
        let AddedByPush::Measured(lift) = self else { return None };
        // Of no sends it is 0, without a sign.
        let of = |difference: f64| difference * sends as f64 + 0.0;
        let difference = &lift.difference;
        Some(Bounds { value: of(difference.value), low: of(difference.low), high: of(difference.high) })
    }

    /// As programs read it.
    pub fn to_json(&self, sends: u64) -> Value {
        match self {
            AddedByPush::Unknown(why) => json!({ "known": false, "why": why.code() }),
            AddedByPush::Measured(lift) => json!({
                "known": true, "of_sends": self.of_sends(sends), "lift": lift.difference,
                "treated": lift.treated.n, "held_out": lift.control.n,
            }),
        }
    }
}

/// What the pushes of each campaign add, in the order of the campaigns. Measuring fails open: what cannot be read is unknown.
pub(super) fn added(context: &Context<'_>, campaigns: &[Campaign]) -> Vec<AddedByPush> {
    let everywhere = context.config.decisions.holdout_percent;
    let has_holdout = |campaign: &Campaign| everywhere > 0.0 || campaign.holdout_percent > 0.0;
    let measured = match campaigns.iter().any(has_holdout) {
        true => measured(context),
        false => BTreeMap::new(),
    };
    let of = |campaign: &Campaign| match measured.get(&campaign.campaign_id) {
        _ if !has_holdout(campaign) => AddedByPush::Unknown(WhyUnknown::NoHoldout),
        Some(Ok(lift)) if lift.assignment_z.abs() > SUSPECT => {
            AddedByPush::Unknown(WhyUnknown::HoldoutChanged)
        }
        Some(Ok(lift)) => AddedByPush::Measured(Box::new(*lift)),
        Some(Err(_)) | None => AddedByPush::Unknown(WhyUnknown::NotMeasured),
    };
    campaigns.iter().map(of).collect()
}

fn measured(context: &Context<'_>) -> BTreeMap<String, Compared> {
    let request = LiftRequest { planned: PLANNED, draws: 0, seed: 1 };
    evaluate_holdouts(context, &request).map(|report| report.campaigns).unwrap_or_default()
}
