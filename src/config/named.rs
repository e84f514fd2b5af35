//! `[goals.NAME]` and `[channels.NAME]`: sections whose names are the user's own.

use std::collections::BTreeMap;

use super::ranges::{BadSetting, bad};
use domain::channel::ChannelSettings;
use domain::goal::{Goal, is_goal_name};
use domain::identity::{NOT_AN_ID, is_valid_id};

pub(super) fn check_goals(goals: &BTreeMap<String, Goal>) -> Result<(), BadSetting> {
    for (name, goal) in goals {
        if !is_goal_name(name) {
            let detail = "a goal's name is a_z, 0_9 and _, at most 64";
            return Err(bad(&format!("goals.{name}"), detail.to_string()));
        }
        goal.check().map_err(|(field, detail)| bad(&format!("goals.{name}.{field}"), detail))?;
    }
    Ok(())
}

pub(super) fn check_channels(channels: &BTreeMap<String, ChannelSettings>) -> Result<(), BadSetting> {
    for (name, channel) in channels {
        if !is_valid_id(name) {
            return Err(bad(&format!("channels.{name:?}"), format!("the channel's name {NOT_AN_ID}")));
        }
        channel.check().map_err(|(field, detail)| bad(&format!("channels.{name}.{field}"), detail))?;
    }
    Ok(())
}
