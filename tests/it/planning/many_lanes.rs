//! Eight campaigns over ten channels each: more lanes than one word of bits can tell apart, and caps hold over all.

use std::collections::BTreeMap;

use config::Config;
use decisions::context::DecisionContext;
use decisions::scorer::PopularityScorer;
use decisions::together::{Push, Together};
use domain::campaign::{Campaign, CampaignStatus};
use domain::decision::Action;
use domain::time::HOUR;
use planning::decided::DecisionSink;
use planning::{ContextSource, PlanningRequest, make};
use store::decision_log::Record;

use crate::world::{channel, content, context, instant};

/// 08:00 in New York: the hours of the plan are of one day there.
const NOW: &str = "2026-06-10T12:00:00Z";
const HOURS: u32 = 3;
const USERS: usize = 4;
const CAMPAIGNS: usize = 8;
const CHANNELS: [&str; 10] =
    ["push", "sms", "email", "web_push", "in_app", "line", "viber", "mms", "fax", "post"];

/// Campaigns of which each later one weighs more.
struct Crowded {
    campaigns: Vec<Campaign>,
}

impl Crowded {
    fn new() -> Crowded {
        let campaign = |number: usize| Campaign {
            campaign_id: format!("campaign-{number:02}"),
            status: CampaignStatus::Running,
            priority: 1.0 + number as f64 / 10.0,
            ..Campaign::default()
        };
        Crowded { campaigns: (0..CAMPAIGNS).map(campaign).collect() }
    }
}

impl ContextSource for Crowded {
    type Scorer = PopularityScorer;

    fn users(&self) -> usize {
        USERS
    }

    fn contexts(&self, user: usize) -> Vec<(usize, DecisionContext)> {
        let own = |(number, campaign): (usize, &Campaign)| {
            let mut own = context(NOW);
            own.decision_id = format!("decision-{user}-{number}");
            own.user.user_id = format!("user-{user}");
            own.horizon_hours = HOURS;
            own.channels = CHANNELS.map(|name| channel(name, 0.0)).to_vec();
            own.contents = vec![content(&format!("content-{number}"), -1.0)];
            own.campaign = Some(campaign.clone());
            (number, own)
        };
        self.campaigns.iter().enumerate().map(own).collect()
    }

    fn scorer(&self, _: usize) -> &PopularityScorer {
        &PopularityScorer
    }

    fn content_number(&self, content_id: &str) -> u32 {
        content_id.trim_start_matches("content-").parse().unwrap()
    }
}

/// Keeps all records.
#[derive(Default)]
struct All(Vec<(usize, Record)>);

impl DecisionSink for All {
    type Error = std::convert::Infallible;

    fn take(&mut self, records: Vec<(usize, Record)>) -> Result<(), Self::Error> {
        self.0.extend(records);
        Ok(())
    }
}

#[test]
fn pushes_in_lanes_beyond_the_64th_count_toward_the_daily_cap() {
    let contexts = Crowded::new().contexts(0);
    let together = Together::of(contexts.iter().map(|(_, context)| context));
    assert_eq!(together.lanes(), CAMPAIGNS * CHANNELS.len());
    let refused = |lanes: &[usize]| {
        let push = |index: usize| {
            let at = instant(NOW).plus(index as i64 * HOUR);
            Push { lane: lanes[index], content: index as u32, first: at, last: at }
        };
        together.refused_by(lanes.len(), push)
    };
    for two in [[0, 79], [64, 65], [63, 64]] {
        assert_eq!(refused(&two), None, "{two:?}");
    }
    for three in [[0, 1, 2], [0, 64, 79], [66, 70, 78], [61, 62, 63]] {
        assert_eq!(refused(&three), Some("under_daily_cap"), "{three:?}");
    }
    assert_eq!(together.most(), 2 * 3, "a few hours may reach into three days");
}

#[test]
fn a_plan_offers_every_lane_and_gives_the_last_campaigns_what_they_are_worth() {
    let crowded = Crowded::new();
    let (config, sent) = (Config::defaults(), vec![0; CAMPAIGNS]);
    let request = PlanningRequest {
        campaigns: &crowded.campaigns,
        sent: &sent,
        horizon_hours: HOURS,
        now: instant(NOW),
        settings: &config.planning,
        threads: 1,
    };
    let mut all = All::default();
    let Ok(_) = make(&crowded, &request, &mut all, &|_| ());
    let mut by_user: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (campaign, record) in all.0.iter().filter(|(_, record)| record.decision.action == Action::Send) {
        by_user.entry(record.decision.user_id.clone()).or_default().push(*campaign);
    }
    assert_eq!(by_user.len(), USERS);
    for (user, mut campaigns) in by_user {
        campaigns.sort_unstable();
        assert_eq!(campaigns, [CAMPAIGNS - 2, CAMPAIGNS - 1], "{user}: the cap is 2 a day");
    }
}
