//! Our own log: the arms that each decision could choose among, joined with what became of it.

use std::collections::BTreeMap;
use std::path::Path;

use polars::prelude::*;

use super::{Allowed, ArmPart, PolicyInputError, ReadLog, ReadRow, Reading};
use crate::attribution::Attribution;
use crate::numbered::NumberedNames;
use crate::partitions::files_of;
use domain::time::Instant;
use events::formats::InputError;
use files::tables::{TableError, read_parquet};

const ARM_COLUMNS: [&str; 9] = [
    "decision_id",
    "user_id",
    "content_id",
    "variant_id",
    "channel",
    "slot_start",
    "response_probability",
    "action_probability",
    "chosen",
];

/// Reads `data/decisions` and, beside it, `data/outcomes`: a row for each decision that sends.
pub(super) fn read(directory: &Path, reading: &Reading) -> Result<ReadLog, PolicyInputError> {
    let beside = || directory.parent().unwrap_or(Path::new("")).join("outcomes");
    let outcomes = reading.outcomes.clone().unwrap_or_else(beside);
    let (mut rewards, mut log, mut users) = (BTreeMap::new(), ReadLog::default(), NumberedNames::default());
    for file in files_of(&outcomes, "outcomes.parquet")? {
        log.not_sent += read_outcomes(&file, reading.influenced, &mut rewards)?;
    }
    log.positions.number("");
    let mut allowed = Vec::new();
    for file in files_of(directory, "arms.parquet")? {
        read_arms(&file, reading.part, &rewards, &mut log, &mut allowed, &mut users)?;
    }
    if log.rows.is_empty() {
        return Err(InputError::new("no_rows", directory, "no decision of this log sends anything").into());
    }
    log.without_arms = (rewards.len() as u64).saturating_sub(log.rows.len() as u64);
    (log.allowed, log.units) = (Some(allowed), users.names.len());
    Ok(log)
}

/// Notes the reward of each decision that sends; how many do not.
fn read_outcomes(
    file: &Path,
    influenced: bool,
    rewards: &mut BTreeMap<String, f64>,
) -> Result<u64, TableError> {
    let frame = read_parquet(file, Some(&["decision_id", "action", "attribution"]))?;
    let take = |rewards: &mut BTreeMap<String, f64>| -> PolarsResult<u64> {
        let (ids, actions) = (frame.column("decision_id")?.str()?, frame.column("action")?.str()?);
        let attributions = frame.column("attribution")?.str()?;
        let mut others = 0;
        for ((id, action), attribution) in ids.iter().zip(actions.iter()).zip(attributions.iter()) {
            let is_direct = attribution == Some(Attribution::Direct.as_str());
            let reward = f64::from(u8::from(is_direct || (influenced && attribution.is_some())));
            match (id, action) {
                (Some(id), Some("send")) => drop(rewards.insert(id.to_string(), reward)),
                _ => others += 1,
            }
        }
        Ok(others)
    };
    take(rewards).map_err(TableError::parquet(file))
}

/// Arms of one decision, added up by the part of them that is the action.
#[derive(Default)]
struct Gathered {
    decision_id: String,
    user_id: String,
    /// By action: the log's probability, and that times the expected response.
    actions: BTreeMap<u32, (f64, f64)>,
    chosen: Option<u32>,
}

fn read_arms(
    file: &Path,
    part: ArmPart,
    rewards: &BTreeMap<String, f64>,
    log: &mut ReadLog,
    allowed: &mut Vec<Vec<Allowed>>,
    users: &mut NumberedNames,
) -> Result<(), TableError> {
    let frame = read_parquet(file, Some(&ARM_COLUMNS))?;
    let mut gathered = Gathered::default();
    each_arm(&frame, part, |arm| {
        if arm.decision_id != gathered.decision_id {
            std::mem::take(&mut gathered).finish(rewards, log, allowed, users);
            gathered.decision_id = arm.decision_id.to_string();
            gathered.user_id = arm.user_id.to_string();
        }
        let action = log.actions.number(&arm.action);
        let (probability, response) = gathered.actions.entry(action).or_default();
        *probability += arm.probability;
        *response += arm.probability * arm.response;
        if arm.is_chosen {
            gathered.chosen = Some(action);
        }
    })
    .map_err(TableError::parquet(file))?;
    gathered.finish(rewards, log, allowed, users);
    Ok(())
}

impl Gathered {
    /// One row, when it was sent and its arm is known.
    fn finish(
        self,
        rewards: &BTreeMap<String, f64>,
        log: &mut ReadLog,
        allowed: &mut Vec<Vec<Allowed>>,
        users: &mut NumberedNames,
    ) {
        let (Some(action), Some(reward)) = (self.chosen, rewards.get(&self.decision_id)) else { return };
        log.rows.push(ReadRow {
            action,
            position: 0,
            unit: users.number(&self.user_id),
            // Adding up may end a last bit above.
            action_probability: self.actions[&action].0.min(1.0),
            reward: *reward,
        });
        let one = |(action, (probability, response)): (&u32, &(f64, f64))| Allowed {
            action: *action,
            probability: *probability,
            expected_reward: if *probability > 0.0 { response / probability } else { 0.0 },
        };
        allowed.push(self.actions.iter().map(one).collect());
        log.decisions.push(self.decision_id);
    }
}

/// One arm of the export.
struct Arm<'a> {
    decision_id: &'a str,
    user_id: &'a str,
    action: String,
    probability: f64,
    response: f64,
    is_chosen: bool,
}

/// Hands on the arms, decision by decision.
fn each_arm(frame: &DataFrame, part: ArmPart, mut take: impl FnMut(Arm)) -> PolarsResult<()> {
    let text = |name: &str| frame.column(name)?.str();
    let number = |name: &str| frame.column(name)?.f64();
    let (decisions, users) = (text("decision_id")?, text("user_id")?);
    let (contents, variants, channels) = (text("content_id")?, text("variant_id")?, text("channel")?);
    let slots = frame.column("slot_start")?.datetime()?.physical();
    let (probabilities, responses) = (number("action_probability")?, number("response_probability")?);
    let chosen = frame.column("chosen")?.bool()?;
    for row in 0..frame.height() {
        let content = contents.get(row).unwrap_or_default();
        let action = match part {
            ArmPart::Content => content.to_string(),
            ArmPart::Variant => format!("{content}/{}", variants.get(row).unwrap_or_default()),
            ArmPart::Channel => channels.get(row).unwrap_or_default().to_string(),
            ArmPart::Slot => Instant::from_micros(slots.get(row).unwrap_or_default()).to_string(),
        };
        take(Arm {
            decision_id: decisions.get(row).unwrap_or_default(),
            user_id: users.get(row).unwrap_or_default(),
            action,
            probability: probabilities.get(row).unwrap_or_default(),
            response: responses.get(row).unwrap_or_default(),
            is_chosen: chosen.get(row).unwrap_or_default(),
        });
    }
    Ok(())
}
