//! What is asked for a user, checked, and turned into contexts: one for each campaign that may answer.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::ids::{occurrence, send_id};
use super::snapshot::{Snapshot, goal_for};
use decisions::context::{ChannelContext, DecisionContext, FORMAT, Membership, PastSend};
use domain::campaign::Campaign;
use domain::content::Content;
use domain::error::{Coded, ErrorKind};
use domain::identity::{NOT_AN_ID, is_valid_id, sha256_hex};
use domain::slot::HORIZON_HOURS;
use domain::time::{HOUR, Instant};
use domain::user::User;
use domain::zone::Zone;
use models::inputs::UserAsOf;

/// Contents that one question may name.
const MOST_CONTENT_IDS: usize = 500;

/// Campaigns that compete for one answer, the weightiest first.
const MOST_CAMPAIGNS: usize = 50;

/// "What and when for this user?"
///
/// It is serialised for [`DecisionQuestion::hash`] alone, whose values lie in old logs: fields and their order stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DecisionQuestion {
    /// Who.
    pub user_id: String,
    /// For this campaign; without one, the running campaigns compete.
    pub campaign_id: Option<String>,
    /// Only these contents, 1 to 500. Repetitions count once.
    pub content_ids: Option<Vec<String>>,
    /// How far ahead the send may lie: [`HORIZON_HOURS`].
    pub horizon_hours: Option<u32>,
    /// Over this channel.
    pub channel: Option<String>,
}

/// A field of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuestionField {
    /// [`DecisionQuestion::user_id`]
    UserId,
    /// [`DecisionQuestion::campaign_id`]
    CampaignId,
    /// [`DecisionQuestion::content_ids`], all of them.
    ContentIds,
    /// One of [`DecisionQuestion::content_ids`], by its index.
    ContentId(usize),
    /// [`DecisionQuestion::horizon_hours`]
    HorizonHours,
    /// [`DecisionQuestion::channel`]
    Channel,
}

impl fmt::Display for QuestionField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            QuestionField::UserId => f.write_str("user_id"),
            QuestionField::CampaignId => f.write_str("campaign_id"),
            QuestionField::ContentIds => f.write_str("content_ids"),
            QuestionField::ContentId(index) => write!(f, "content_ids[{index}]"),
            QuestionField::HorizonHours => f.write_str("horizon_hours"),
            QuestionField::Channel => f.write_str("channel"),
        }
    }
}

/// One thing that is wrong with a question, and in which field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidField {
    /// The field.
    pub field: QuestionField,
    /// What is wrong with it, in English, for people.
    pub detail: String,
}

impl fmt::Display for InvalidField {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.field, self.detail)
    }
}

impl InvalidField {
    fn new(field: QuestionField, detail: impl Into<String>) -> InvalidField {
        InvalidField { field, detail: detail.into() }
    }
}

/// A question that cannot be answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuestionError {
    /// It breaks the rules of its fields.
    #[error("invalid_request: {}", .0.iter().map(InvalidField::to_string).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<InvalidField>),
    /// There is no such campaign.
    #[error("unknown_campaign: there is no campaign {0:?}")]
    UnknownCampaign(String),
}

impl Coded for QuestionError {
    fn code(&self) -> &'static str {
        match self {
            QuestionError::Invalid(_) => "invalid_request",
            QuestionError::UnknownCampaign(_) => "unknown_campaign",
        }
    }

    fn kind(&self) -> ErrorKind {
        match self {
            QuestionError::Invalid(_) => ErrorKind::Caller,
            QuestionError::UnknownCampaign(_) => ErrorKind::NotFound,
        }
    }
}

impl DecisionQuestion {
    /// Checks the fields themselves, before anything is looked up.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn check(&self) -> Result<(), QuestionError> {
        let invalid = self.invalid_fields();
        if invalid.is_empty() { Ok(()) } else { Err(QuestionError::Invalid(invalid)) }
    }

    fn invalid_fields(&self) -> Vec<InvalidField> {
        let bad_id = |field, id: &str| (!is_valid_id(id)).then(|| InvalidField::new(field, NOT_AN_ID));
        let contents = self.content_ids.as_deref().unwrap_or_default();
        let mut invalid = Vec::new();
        invalid.extend(bad_id(QuestionField::UserId, &self.user_id));
        invalid.extend(self.campaign_id.as_deref().and_then(|id| bad_id(QuestionField::CampaignId, id)));
        invalid.extend(self.channel.as_deref().and_then(|id| bad_id(QuestionField::Channel, id)));
        if let Some(hours) = self.horizon_hours.filter(|hours| !HORIZON_HOURS.contains(hours)) {
            let (least, most) = (HORIZON_HOURS.start(), HORIZON_HOURS.end());
            let detail = format!("{hours} is not from {least} to {most}");
            invalid.push(InvalidField::new(QuestionField::HorizonHours, detail));
        }
        if contents.len() > MOST_CONTENT_IDS {
            let detail = format!("{} contents are more than {MOST_CONTENT_IDS}", contents.len());
            invalid.push(InvalidField::new(QuestionField::ContentIds, detail));
        } else if self.content_ids.as_ref().is_some_and(Vec::is_empty) {
            let detail = "an empty list leaves nothing to choose; leave it out to choose among all";
            invalid.push(InvalidField::new(QuestionField::ContentIds, detail));
        }
        let ids = contents.iter().take(MOST_CONTENT_IDS).enumerate();
        invalid.extend(ids.filter_map(|(index, id)| bad_id(QuestionField::ContentId(index), id)));
        invalid
    }

    /// A hash of what is asked: equal questions, equal hash.
    pub fn hash(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        sha256_hex(text.as_bytes())[..16].to_string()
    }
}

const _: () = assert!(*HORIZON_HOURS.start() == 1 && *HORIZON_HOURS.end() == 168, "Question documents these");

/// What the models know of one user, by goal.
pub(super) type KnownUsers<'a> = BTreeMap<String, Option<UserAsOf<'a>>>;

/// A question, with what is known of its user.
pub(super) struct LoadedQuestion<'a> {
    /// Explored sends of a campaign on the UTC day of the question.
    explored: &'a dyn Fn(&str) -> u32,
    snapshot: &'a Snapshot,
    question: &'a DecisionQuestion,
    now: Instant,
    clock_trusted: bool,
    user: User,
    curve: Vec<f64>,
    sends: Vec<PastSend>,
    fallback: Vec<String>,
    /// On whose clock days are counted.
    zone: &'static Zone,
}

impl<'a> LoadedQuestion<'a> {
    /// Looks the user up.
    pub(super) fn of(
        snapshot: &'a Snapshot,
        question: &'a DecisionQuestion,
        now: Instant,
        clock_trusted: bool,
        explored: &'a dyn Fn(&str) -> u32,
    ) -> LoadedQuestion<'a> {
        let user = snapshot.user(&question.user_id);
        let own = snapshot.rhythms().probability(&question.user_id).filter(|_| user.personalisation);
        let mut fallback = Vec::new();
        if !user.personalisation {
            fallback.push("personalisation_off".to_string());
        } else if own.is_none() {
            fallback.push("no_profile".to_string());
        }
        let curve = own.unwrap_or(snapshot.rhythms().everybody().probability).to_vec();
        let sends = snapshot.sends_before(&question.user_id, now);
        // Without a zone the day is UTC's.
        let zone = user.time_zone.as_deref().and_then(Zone::shared).unwrap_or(Zone::shared_utc());
        LoadedQuestion {
            explored,
            snapshot,
            question,
            now,
            clock_trusted,
            user,
            curve,
            sends,
            fallback,
            zone,
        }
    }

    /// The contexts that compete for the answer: the campaign asked for, else those that run, else none.
    ///
    /// # Errors
    /// When the question names what does not exist, or does not belong together.
    pub(super) fn contexts(&self, decision_id: &str) -> Result<Vec<DecisionContext>, QuestionError> {
        let requested = self.requested_contents()?;
        let campaigns: Vec<Option<&Campaign>> = match &self.question.campaign_id {
            Some(id) => {
                let campaign =
                    self.snapshot.campaign(id).ok_or_else(|| QuestionError::UnknownCampaign(id.clone()))?;
                self.check_fits(campaign)?;
                vec![Some(campaign)]
            }
            None => {
                let until = self.now.plus(i64::from(self.horizon(None)) * HOUR);
                let running = self.snapshot.running_campaigns(self.now, until).into_iter();
                running
                    .filter(|campaign| self.check_fits(campaign).is_ok() && !self.is_outside(campaign))
                    .take(MOST_CAMPAIGNS)
                    .map(Some)
                    .collect()
            }
        };
        let campaigns = if campaigns.is_empty() { vec![None] } else { campaigns };
        let mut known = KnownUsers::new();
        Ok(campaigns
            .into_iter()
            .map(|campaign| {
                let known = self.known(campaign, &mut known);
                self.context(decision_id, campaign, requested.as_deref(), known)
            })
            .collect())
    }

    /// Is the campaign for others? One of which nobody can tell competes, and says so.
    fn is_outside(&self, campaign: &Campaign) -> bool {
        let audience = self.snapshot.audience(campaign, &self.user.user_id);
        audience.is_some_and(|audience| audience.membership == Membership::Other)
    }

    /// The context of one campaign, whatever the question names.
    pub(super) fn context_for(
        &self,
        decision_id: &str,
        campaign: &Campaign,
        known: &mut KnownUsers<'a>,
    ) -> DecisionContext {
        let known = self.known(Some(campaign), known);
        self.context(decision_id, Some(campaign), None, known)
    }

    /// Campaigns of one goal share what its model knows of the user.
    fn known<'k>(
        &self,
        campaign: Option<&Campaign>,
        known: &'k mut KnownUsers<'a>,
    ) -> Option<&'k UserAsOf<'a>> {
        let goal = goal_for(campaign, self.snapshot.settings());
        known.entry(goal).or_insert_with_key(|goal| self.snapshot.known(goal, &self.user)).as_ref()
    }

    fn context(
        &self,
        decision_id: &str,
        campaign: Option<&Campaign>,
        requested: Option<&[Content]>,
        known: Option<&UserAsOf<'_>>,
    ) -> DecisionContext {
        let today = self.zone.local_day(self.now);
        let sent_today = self.sends.iter().filter(|send| self.zone.local_day(send.at) == today).count();
        let contents = self.contents(campaign, requested, known).into_iter();
        let contents = contents.map(|content| self.snapshot.unscored(content));
        let occurrence = occurrence(campaign, today, sent_today);
        let mut context = DecisionContext {
            format: FORMAT,
            decision_id: decision_id.to_string(),
            send_id: send_id(campaign, &self.user.user_id, &occurrence),
            occurrence,
            now: self.now,
            clock_trusted: self.clock_trusted,
            horizon_hours: self.horizon(campaign),
            user: self.user.clone(),
            campaign: campaign.cloned(),
            audience: campaign.and_then(|campaign| self.snapshot.audience(campaign, &self.user.user_id)),
            channels: self.channels(campaign),
            contents: contents.collect(),
            user_inputs: Vec::new(),
            curve: self.curve.clone(),
            campaign_sends: campaign.map_or(0, |campaign| self.snapshot.sends_of(&campaign.campaign_id)),
            explored_today: campaign.map_or(0, |campaign| (self.explored)(&campaign.campaign_id)),
            sends: self.sends.clone(),
            planned: Vec::new(),
            plan: None,
            settings: self.snapshot.settings_for(&goal_for(campaign, self.snapshot.settings())),
            fatigue_half_life_days: self.snapshot.fatigue_half_life_days(),
            fallback: self.fallback.clone(),
            versions: self.snapshot.versions().clone(),
        };
        self.snapshot.fill_model(&mut context, known);
        context
    }

    fn horizon(&self, campaign: Option<&Campaign>) -> u32 {
        let own = campaign.and_then(|campaign| campaign.horizon_hours);
        self.question.horizon_hours.or(own).unwrap_or(self.snapshot.settings().horizon_hours)
    }

    fn channels(&self, campaign: Option<&Campaign>) -> Vec<ChannelContext> {
        let own = campaign.map(|campaign| campaign.channels.clone()).filter(|channels| !channels.is_empty());
        let default = || vec![self.snapshot.settings().channel.clone()];
        let names =
            self.question.channel.clone().map(|channel| vec![channel]).or(own).unwrap_or_else(default);
        names.into_iter().map(|name| self.snapshot.channel(name)).collect()
    }

    /// The contents asked for, else the campaign's, else the user's candidates among all that are alive; the most popular
    /// when there are too many.
    fn contents(
        &self,
        campaign: Option<&Campaign>,
        requested: Option<&[Content]>,
        known: Option<&UserAsOf<'_>>,
    ) -> Vec<Content> {
        let most = self.snapshot.settings().most_contents;
        let named = |campaign: &Campaign| {
            campaign.contents.iter().map(|id| self.snapshot.named_content(id)).collect()
        };
        let own = campaign.filter(|campaign| !campaign.contents.is_empty()).map(named);
        match requested.map(<[Content]>::to_vec).or(own) {
            Some(mut contents) => {
                if contents.len() > most {
                    self.snapshot.sort_by_popularity(&mut contents);
                    contents.truncate(most);
                }
                contents
            }
            None => self.snapshot.contents_for(known, self.now, most),
        }
    }

    /// The contents that the question names, each once; `None` when it names none.
    fn requested_contents(&self) -> Result<Option<Vec<Content>>, QuestionError> {
        let Some(ids) = &self.question.content_ids else { return Ok(None) };
        let campaign = self.question.campaign_id.as_deref().and_then(|id| self.snapshot.campaign(id));
        let declared = |id: &String| campaign.is_some_and(|campaign| campaign.contents.contains(id));
        let is_unknown = |id: &String| self.snapshot.content(id).is_none() && !declared(id);
        let unknown = ids.iter().enumerate().filter(|(_, id)| is_unknown(id));
        let invalid: Vec<InvalidField> = unknown
            .map(|(index, id)| {
                InvalidField::new(QuestionField::ContentId(index), format!("there is no content {id:?}"))
            })
            .collect();
        if !invalid.is_empty() {
            return Err(QuestionError::Invalid(invalid));
        }
        let mut once: Vec<&String> = Vec::with_capacity(ids.len());
        let mut seen = std::collections::HashSet::new();
        once.extend(ids.iter().filter(|id| seen.insert(*id)));
        Ok(Some(once.into_iter().map(|id| self.snapshot.named_content(id)).collect()))
    }

    /// Do the contents and the channel asked for belong to the campaign?
    fn check_fits(&self, campaign: &Campaign) -> Result<(), QuestionError> {
        let mut invalid = Vec::new();
        let id = &campaign.campaign_id;
        if let Some(channel) = self
            .question
            .channel
            .as_ref()
            .filter(|channel| !campaign.channels.is_empty() && !campaign.channels.contains(channel))
        {
            let detail = format!("campaign {id:?} does not use channel {channel:?}");
            invalid.push(InvalidField::new(QuestionField::Channel, detail));
        }
        let contents = self.question.content_ids.iter().flatten().enumerate();
        let is_foreign =
            |content: &String| !campaign.contents.is_empty() && !campaign.contents.contains(content);
        invalid.extend(contents.filter(|(_, content)| is_foreign(content)).map(|(index, content)| {
            let detail = format!("campaign {id:?} does not have content {content:?}");
            InvalidField::new(QuestionField::ContentId(index), detail)
        }));
        if invalid.is_empty() { Ok(()) } else { Err(QuestionError::Invalid(invalid)) }
    }
}
