//! A crowd that several campaigns want: random users around one moment, with every rule at work now and then.

use config::{Config, PlanningConfig};
use decisions::context::{ContentContext, DecisionContext};
use domain::campaign::{Campaign, CampaignStatus};
use domain::content::MessageClass;
use domain::settings::DecisionSettings;
use domain::time::{HOUR, Instant};
use domain::user::Consent;
use planning::decided::DecisionSink;
use planning::{ContextSource, PlanResult, PlanningRequest, make};
use store::decision_log::Record;

use crate::world::{
    LinearScorer, Random, channel, context, instant, random_campaign, random_channels, random_content,
    random_curve, random_send, random_settings, random_user,
};

/// Contents that campaigns choose among; some share one.
const CONTENTS: u64 = 8;

/// Zones of the crowd; in one of them the clock changes within a day of the plan.
const ZONES: [&str; 5] =
    ["America/New_York", "Asia/Kathmandu", "Asia/Shanghai", "Europe/Berlin", "Pacific/Kiritimati"];

/// A crowd with its campaigns.
pub struct Crowd {
    pub now: Instant,
    pub campaigns: Vec<Campaign>,
    pub settings: DecisionSettings,
    pub planning: PlanningConfig,
    pub sent: Vec<u64>,
    pub threads: usize,
    users: usize,
    seed: u64,
    /// Everything must go out within the hour.
    is_rush: bool,
    contents: Vec<ContentContext>,
    scorer: LinearScorer,
}

impl Crowd {
    /// Random limits, campaigns and settings.
    pub fn random(seed: u64, users: usize) -> Crowd {
        let random = &mut Random(seed);
        // The night on which New York sets its clocks back lies ahead.
        let now = instant("2026-10-31T18:20:07Z").plus(random.below(30) as i64 * HOUR);
        let count = 1 + random.below(3);
        let campaigns = (0..count).map(|number| Crowd::campaign(random, number, now)).collect();
        let contents = (0..CONTENTS).map(|number| Crowd::content(random, number, now)).collect();
        let most = |random: &mut Random| random.maybe(2, |random| random.below(20) as u32);
        let is_rush = random.one_in(3);
        let planning = PlanningConfig {
            throttle_per_minute: if is_rush { Some(1) } else { random.of(&[None, Some(1), Some(2)]) },
            most_per_hour: most(random),
            ..Config::defaults().planning
        };
        let mut settings = random_settings(random);
        settings.exploration_most_per_day = 5;
        Crowd {
            now,
            sent: (0..count).map(|_| random.below(3)).collect(),
            campaigns,
            settings,
            planning,
            threads: 1,
            users,
            seed,
            is_rush,
            contents,
            scorer: LinearScorer::new(3, 2, 2),
        }
    }

    fn campaign(random: &mut Random, number: u64, now: Instant) -> Campaign {
        let throttle_per_minute = random.maybe(3, |random| random.below(3) as u32);
        let max_sends = random.maybe(3, |random| random.below(40));
        let (campaign_id, audience) = (format!("campaign-{number}"), None);
        let mut campaign = random_campaign(random, now);
        if !random.one_in(10) {
            (campaign.status, campaign.unreadable, campaign.lead_minutes) =
                (CampaignStatus::Running, None, 0);
            campaign.window_start = None;
            campaign.window_end = campaign.window_end.filter(|end| *end > now);
        }
        Campaign { campaign_id, throttle_per_minute, max_sends, audience, ..campaign }
    }

    fn content(random: &mut Random, number: u64, now: Instant) -> ContentContext {
        let mut content = random_content(random, now);
        content.content.content_id = format!("content-{number}");
        if random.one_in(2) {
            content.content.message_class = MessageClass::Marketing;
        }
        content
    }

    /// Plans for the crowd and keeps every decision.
    pub fn plan(&self) -> (PlanResult, Vec<(usize, Record)>) {
        let request = PlanningRequest {
            campaigns: &self.campaigns,
            sent: &self.sent,
            horizon_hours: 36,
            now: self.now,
            settings: &self.planning,
            threads: self.threads,
        };
        let mut all = All::default();
        let Ok(made) = make(self, &request, &mut all, &|_| ());
        (made, all.records)
    }
}

/// Keeps all records.
#[derive(Default)]
struct All {
    records: Vec<(usize, Record)>,
}

impl DecisionSink for All {
    type Error = std::convert::Infallible;

    fn take(&mut self, records: Vec<(usize, Record)>) -> Result<(), Self::Error> {
        self.records.extend(records);
        Ok(())
    }
}

impl ContextSource for Crowd {
    type Scorer = LinearScorer;

    fn users(&self) -> usize {
        self.users
    }

    fn contexts(&self, user: usize) -> Vec<(usize, DecisionContext)> {
        let random = &mut Random(self.seed ^ (user as u64 + 1).wrapping_mul(0x9E37_79B9));
        let zone = random.of(&ZONES);
        let mut base = context("2026-10-31T18:20:07Z");
        base.now = self.now;
        base.user = random_user(random, zone);
        base.user.user_id = format!("user-{user:04}");
        if !random.one_in(8) {
            (base.user.consent, base.user.unreadable_preference) = (Consent::Granted, None);
            base.user.time_zone = Some(zone.to_string());
            base.user.devices = None;
        }
        base.curve = random_curve(random);
        base.sends = (0..random.below(3)).map(|_| random_send(random, self.now)).collect();
        base.settings = self.settings.clone();
        let mut contexts = Vec::new();
        for (index, campaign) in self.campaigns.iter().enumerate() {
            if random.one_in(8) {
                continue;
            }
            let mut own = base.clone();
            own.decision_id = format!("decision-{user}-{index}");
            own.horizon_hours = if self.is_rush { 1 } else { 1 + random.below(36) as u32 };
            own.channels = random_channels(random);
            if !random.one_in(4) {
                own.channels = vec![channel("push", 0.0)];
            }
            own.contents = self.contents.iter().filter(|_| !random.one_in(3)).cloned().collect();
            own.user_inputs = (0..3).map(|_| random.between(-1.0, 3.0)).collect();
            own.campaign_sends = self.sent[index];
            own.campaign = Some(campaign.clone());
            contexts.push((index, own));
        }
        contexts
    }

    fn scorer(&self, _: usize) -> &LinearScorer {
        &self.scorer
    }

    fn content_number(&self, content_id: &str) -> u32 {
        content_id.trim_start_matches("content-").parse().unwrap()
    }
}
