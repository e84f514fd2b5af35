//! The arm that is truly worth most, under the same rules and prices as everybody's: the best that a greedy policy can do.

use super::{PushChoice, is_rested, open_hours};
use crate::Stage;
use crate::truth::{Memory, Push};

/// Looks at every arm; the first of equals, by hour and content, wins. Nothing, when nothing is worth what it costs.
pub(super) fn choose(stage: &Stage, user: usize, day: i32, memory: &Memory) -> Option<PushChoice> {
    let mut best: (f64, Option<Push>) = (0.0, None);
    for hour in open_hours(stage, user, day) {
        for content in stage.alive(day) {
            let push = Push { user, content: *content, day, hour: hour.hour, at: hour.at };
            let value = stage.world.expected_value(&push, memory);
            if value > best.0 && is_rested(stage, memory, *content, hour.at) {
                best = (value, Some(push));
            }
        }
    }
    best.1.map(PushChoice::unlogged)
}
