//! What the pushes of several campaigns to one user break together: the same that decisions about each would say.

use decisions::context::{DecisionContext, PastSend, Planned};
use decisions::decide;
use decisions::prospect::{Prospect, prospects};
use decisions::together::{Push, Together};
use domain::decision::Action;
use domain::time::{HOUR, Instant, MINUTE};
use planning::ContextSource;
use proptest::prelude::*;

use super::crowd::Crowd;
use crate::world::Random;

/// A prospect with a minute.
#[derive(Clone)]
struct Candidate {
    index: usize,
    campaign: usize,
    prospect: Prospect,
    at: Instant,
}

/// For each context one of its prospects in one of its minutes.
fn candidates(crowd: &Crowd, contexts: &[(usize, DecisionContext)], random: &mut Random) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (index, (campaign, context)) in contexts.iter().enumerate() {
        let all = prospects(context, crowd.scorer(*campaign), 3);
        if all.is_empty() {
            continue;
        }
        let prospect = random.of(&all);
        let minutes: Vec<i64> = (0..60).filter(|bit| prospect.minutes >> bit & 1 == 1).collect();
        let at = prospect.hour_start.plus(random.of(&minutes) * MINUTE).max(prospect.slot_start);
        found.push(Candidate { index, campaign: *campaign, prospect, at });
    }
    found
}

fn push_of(
    crowd: &Crowd,
    contexts: &[(usize, DecisionContext)],
    together: &Together,
    of: &Candidate,
) -> Push {
    let content = &contexts[of.index].1.contents[of.prospect.content].content;
    Push {
        lane: together.first_lane(of.index) + of.prospect.lane,
        content: crowd.content_number(&content.content_id),
        first: of.at,
        last: of.at,
    }
}

/// Would the decision about this candidate send as planned beside the others?
fn is_sent(crowd: &Crowd, contexts: &[(usize, DecisionContext)], all: &[Candidate], own: &Candidate) -> bool {
    let mut context = contexts[own.index].1.clone();
    context.settings.exploration_percent = 0.0;
    context.campaign.as_mut().unwrap().exploration_percent = None;
    let send = |of: &Candidate| {
        let context = &contexts[of.index].1;
        let content = &context.contents[of.prospect.content].content;
        PastSend {
            at: of.at,
            campaign_id: None,
            content_id: Some(content.content_id.clone()),
            channel: Some(context.channels[of.prospect.channel].name.clone()),
            campaign_tags: context.campaign.as_ref().unwrap().tags.clone(),
            message_class: content.message_class,
        }
    };
    let own_send = send(own);
    context.planned = all.iter().filter(|other| other.index != own.index).map(send).collect();
    context.plan = Some(Planned::Send {
        content_id: own_send.content_id.unwrap(),
        channel: own_send.channel.unwrap(),
        at: own.at,
    });
    let decision = decide(&context, crowd.scorer(own.campaign));
    decision.action == Action::Send && decision.send_at == Some(own.at)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn pushes_are_refused_together_exactly_when_a_decision_about_one_of_them_would_not_send(seed: u64) {
        let crowd = Crowd::random(seed, 20);
        let random = &mut Random(seed ^ 0x5EED);
        for user in 0..crowd.users() {
            let contexts = crowd.contexts(user);
            let together = Together::of(contexts.iter().map(|(_, context)| context));
            let chosen = candidates(&crowd, &contexts, random);
            let push = |index: usize| push_of(&crowd, &contexts, &together, &chosen[index]);
            let refused = together.refused_by(chosen.len(), push);
            let is_kept = chosen.iter().all(|own| is_sent(&crowd, &contexts, &chosen, own));
            prop_assert_eq!(refused.is_none(), is_kept, "{:?}", refused);
            prop_assert!(!is_kept || chosen.len() <= together.most());
        }
    }

    #[test]
    fn what_is_refused_while_minutes_are_open_stays_refused_whatever_they_become(seed: u64) {
        let crowd = Crowd::random(seed, 20);
        let random = &mut Random(seed ^ 0x0FE4);
        for user in 0..crowd.users() {
            let contexts = crowd.contexts(user);
            let together = Together::of(contexts.iter().map(|(_, context)| context));
            let chosen = candidates(&crowd, &contexts, random);
            let width: Vec<i64> = chosen.iter().map(|_| random.below(3) as i64 * HOUR / 2).collect();
            let decided = |index: usize| push_of(&crowd, &contexts, &together, &chosen[index]);
            let open = |index: usize| {
                let push = decided(index);
                Push { first: push.first.plus(-width[index]), last: push.last.plus(width[index]), ..push }
            };
            if together.refused_by(chosen.len(), open).is_some() {
                prop_assert!(together.refused_by(chosen.len(), decided).is_some());
            }
            if chosen.len() > 1 && together.refused_by(chosen.len() - 1, decided).is_some() {
                prop_assert!(together.refused_by(chosen.len(), decided).is_some());
            }
        }
    }
}
