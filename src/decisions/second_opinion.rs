//! What another scorer says of the arm that was sent: a challenger is heard beside the champion and decides nothing.

use super::context::DecisionContext;
use super::scorer::{Scorer, arm_probability};
use super::slots::activity_at;
use domain::decision::Decision;
use domain::zone::Zone;

/// The response probability that a scorer, which reads the context's inputs, gives to what was sent; `None` when nothing was.
pub fn second_opinion(context: &DecisionContext, decision: &Decision, scorer: &dyn Scorer) -> Option<f64> {
    let (content_id, send_at) = (decision.content_id.as_ref()?, decision.send_at?);
    let sent = context.contents.iter().find(|content| content.content.content_id == *content_id)?;
    let (user, about, pair) = (&context.user_inputs, &sent.content_inputs, &sent.pair_inputs);
    let zone = context.user.time_zone.as_deref().and_then(Zone::shared).unwrap_or(Zone::shared_utc());
    let hour_of_week = zone.local_hour(send_at).hour_of_week();
    let shift =
        scorer.user(user) + scorer.content(about) + scorer.pair(pair) + scorer.joint(user, about, pair);
    let time = scorer.time(activity_at(&context.curve, hour_of_week));
    (shift + time).is_finite().then(|| arm_probability(context, scorer, shift, time))
}
