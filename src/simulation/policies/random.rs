//! Any content in any hour that rules allow: what the others are measured from.

use super::{PushChoice, is_rested, open_hours};
use crate::Stage;
use crate::draws::common;
use crate::truth::{Memory, Push};

/// Draws an hour, then a content that may be pushed in it.
pub(super) fn choose(stage: &Stage, user: usize, day: i32, memory: &Memory) -> Option<PushChoice> {
    let draw = |purpose, most: usize| {
        let share = common(stage.world.seed, purpose, [user as u64, day as u64, 0, 0]);
        (share * most as f64) as usize
    };
    let hours = open_hours(stage, user, day);
    let hour = hours.get(draw(3, hours.len()))?;
    let contents: Vec<usize> = stage
        .alive(day)
        .iter()
        .copied()
        .filter(|content| is_rested(stage, memory, *content, hour.at))
        .collect();
    let content = *contents.get(draw(4, contents.len()))?;
    Some(PushChoice::unlogged(Push { user, content, day, hour: hour.hour, at: hour.at }))
}
