//! The hand-written cases of `tests/data/decision_cases.txt`, and that every rule decides one of them.

use std::collections::BTreeSet;

use decisions::context::{Audience, ChannelContext, DecisionContext, FORMAT, Membership, PastSend, Planned};
use decisions::prior::ContentPrior;
use decisions::rule_names::IS_TRIED_OUT;
use decisions::scorer::PopularityScorer;
use decisions::sentences::SENTENCES;
use decisions::{decide, rules};
use domain::campaign::Campaign;
use domain::content::{Content, MessageClass};
use domain::decision::{Action, Decision, Reason};
use domain::device::Device;
use domain::time::hour_of_week_name;
use domain::user::User;

use super::clock::quiet;
use super::world::{content, context, instant, past_send, variants};

const CASES: &str = include_str!("../../data/decision_cases.txt");

struct Case {
    title: &'static str,
    context: DecisionContext,
    verdict: &'static str,
    expires: Option<&'static str>,
    reasons: Vec<&'static str>,
}

fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in CASES.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (word, rest) = line.split_once(' ').unwrap_or_else(|| panic!("{line}: a word and what it says"));
        if word == "case" {
            let context = context("2026-06-10T16:00:00Z");
            cases.push(Case { title: rest, context, verdict: "", expires: None, reasons: Vec::new() });
            continue;
        }
        let case = cases.last_mut().unwrap_or_else(|| panic!("{line}: before the first case"));
        match word {
            "verdict" => case.verdict = rest,
            "expires" => case.expires = Some(rest),
            "because" => case.reasons.push(rest),
            _ => tell(&mut case.context, word, rest),
        }
    }
    cases
}

/// One line of a situation.
fn tell(context: &mut DecisionContext, word: &str, rest: &str) {
    match word {
        "now" => context.now = instant(rest),
        "clock" => context.clock_trusted = false,
        "horizon" => context.horizon_hours = rest.parse().unwrap(),
        "user" => fields(rest).for_each(|(field, value)| set_user(&mut context.user, field, value)),
        "campaign" => {
            let mut campaign = Campaign { campaign_id: "spring".into(), ..Campaign::default() };
            fields(rest).for_each(|(field, value)| set_campaign(&mut campaign, field, value));
            context.campaign = Some(campaign);
        }
        "content" => {
            let mut words = rest.splitn(3, ' ');
            let (id, score) = (words.next().unwrap(), words.next().unwrap());
            let mut one = content(id, score.parse().unwrap());
            // NaN is what a broken model gives; the popularity scorer itself would replace it.
            one.pair_inputs = one.content_inputs.clone();
            for (field, value) in fields(words.next().unwrap_or_default()) {
                match field {
                    "evidence" => one.evidence = value.parse().unwrap(),
                    "sent" => one.sent = value.parse().unwrap(),
                    "prior" => one.prior = Some(prior(value)),
                    _ => set_content(&mut one.content, field, value),
                }
            }
            context.contents.push(one);
        }
        "peak" => {
            let share = |hour| if rest.contains(&hour_of_week_name(hour)) { 0.05 } else { 0.005 };
            context.curve = (0..168).map(share).collect();
        }
        "sent" => context.sends.extend(rest.split(' ').map(sent)),
        "planned" => context.planned.extend(rest.split(' ').map(sent)),
        "plan" => context.plan = Some(planned(rest)),
        "audience" => {
            let (membership, version) = match rest {
                "unknown" => (Membership::Unknown { why: "segment \"buyers\" was deleted".into() }, None),
                answer => (self::word(answer), Some("0123456789ab".into())),
            };
            context.audience = Some(Audience { segment_id: "buyers".into(), version, membership });
        }
        "sent_for_campaign" => context.campaign_sends = rest.parse().unwrap(),
        "channels" => {
            let known =
                |name: &str| ChannelContext { cost: (name != "fax").then_some(0.0), name: name.into() };
            context.channels = rest.split(' ').map(known).collect();
        }
        "setting" => set_setting(context, rest),
        _ => panic!("{word} is no word of a case"),
    }
}

/// `send CONTENT CHANNEL T` or `no_room RULE [CAMPAIGN]`.
fn planned(rest: &str) -> Planned {
    let words: Vec<&str> = rest.split(' ').collect();
    match words[..] {
        ["send", content_id, channel, at] => {
            Planned::Send { content_id: content_id.into(), channel: channel.into(), at: instant(at) }
        }
        ["no_room", rule] => Planned::NoRoom { rule: rule.into(), campaign_id: None },
        ["no_room", rule, by] => Planned::NoRoom { rule: rule.into(), campaign_id: Some(by.into()) },
        _ => panic!("{rest} is no plan"),
    }
}

/// `T` or `T/content/channel/class/tag`, with `-` for what nobody says.
fn sent(text: &str) -> PastSend {
    let mut parts = text.split('/');
    let mut send = past_send(parts.next().unwrap());
    let mut next = || parts.next().filter(|part| *part != "-").map(str::to_string);
    (send.content_id, send.channel) = (next(), next());
    send.message_class = next().map(|class| word(&class)).unwrap_or_default();
    send.campaign_tags = next().into_iter().collect();
    send
}

/// `channel` or `channel:vendor`.
fn device(text: &str) -> Device {
    let (channel, vendor) =
        text.split_once(':').map_or((text, None), |(channel, vendor)| (channel, Some(vendor)));
    Device {
        device_id: text.into(),
        channel: channel.into(),
        vendor: vendor.map(str::to_string),
        active: true,
    }
}

fn fields(rest: &str) -> impl Iterator<Item = (&str, &str)> {
    rest.split_whitespace()
        .map(|field| field.split_once('=').unwrap_or_else(|| panic!("{field}: field=value")))
}

fn word<T: serde::de::DeserializeOwned>(value: &str) -> T {
    serde_json::from_value(value.into()).unwrap_or_else(|error| panic!("{value}: {error}"))
}

fn set_user(user: &mut User, field: &str, value: &str) {
    match field {
        "zone" => user.time_zone = Some(value.to_string()).filter(|zone| zone != "none"),
        "consent" => user.consent = word(value),
        "quiet" => user.quiet_hours = Some(quiet(value)),
        "max_per_day" => user.max_per_day = Some(value.parse().unwrap()),
        "muted" => user.muted_categories.push(value.into()),
        "locale" => user.locale = Some(value.into()),
        "country" => user.country = Some(value.into()),
        "fields" => user.fields = value.split(',').map(str::to_string).collect(),
        "bytes" => user.field_bytes = vec![value.parse().unwrap()],
        "devices" => {
            user.devices = Some(value.split(',').filter(|name| *name != "none").map(device).collect())
        }
        "unreadable" => user.unreadable_preference = Some(value.into()),
        _ => panic!("{field} is no field of a user"),
    }
}

fn set_campaign(campaign: &mut Campaign, field: &str, value: &str) {
    match field {
        "status" => campaign.status = word(value),
        "start" => campaign.window_start = Some(instant(value)),
        "end" => campaign.window_end = Some(instant(value)),
        "priority" => campaign.priority = value.parse().unwrap(),
        "quiet" => campaign.quiet_hours = Some(quiet(value)),
        "lead" => campaign.lead_minutes = value.parse().unwrap(),
        "throttle" => campaign.throttle_per_minute = Some(value.parse().unwrap()),
        "max_sends" => campaign.max_sends = Some(value.parse().unwrap()),
        "tag" => campaign.tags.push(value.into()),
        "rules" => campaign.frequency_rules = serde_json::from_str(value).unwrap(),
        "unreadable" => campaign.unreadable = Some(value.into()),
        "holdout" => campaign.holdout_percent = value.parse().unwrap(),
        _ => panic!("{field} is no field of a campaign"),
    }
}

/// What is assumed of a content of little history: `CATEGORY/OFFSET/SPREAD`.
fn prior(text: &str) -> ContentPrior {
    let [category, offset, spread] = text.split('/').collect::<Vec<&str>>()[..] else { panic!("{text}") };
    let (offset, spread) = (offset.parse().unwrap(), spread.parse().unwrap());
    ContentPrior { category: Some(category.into()), contents: 12, offset, spread }
}

fn set_content(content: &mut Content, field: &str, value: &str) {
    match field {
        "category" => content.category = Some(value.into()),
        "published" => content.published_at = Some(instant(value)),
        "expires" => content.expires_at = Some(instant(value)),
        "class" => content.message_class = word::<MessageClass>(value),
        "countries" => content.countries = value.split(',').map(str::to_string).collect(),
        "vendor_category" => content.vendor_category = Some(value.into()),
        "payload" => {
            content.variants.iter_mut().for_each(|variant| variant.oversize = value.parse().ok());
        }
        "needs" => content.variants.iter_mut().for_each(|variant| variant.needs = vec![value.into()]),
        "unreadable" => content.unreadable.push(value.into()),
        "title" if value == "no" => content.variants.clear(),
        "title" => content.variants.iter_mut().for_each(|variant| variant.title = value.into()),
        "unfilled" => {
            let bytes = Some(value.parse().unwrap());
            content.variants.iter_mut().for_each(|variant| variant.unfilled = bytes);
        }
        "declared" => {
            let nearest = Some(value.to_string()).filter(|id| id != "no");
            *content = Content::undeclared(&content.content_id, nearest);
        }
        "ttl" => content.ttl_seconds = Some(value.parse().unwrap()),
        "variants" => content.variants = variants(&value.split(',').collect::<Vec<_>>()),
        _ => panic!("{field} is no field of a content"),
    }
}

/// Settings by name, as the configuration would set them.
fn set_setting(context: &mut DecisionContext, rest: &str) {
    let (name, value) = rest.split_once(' ').unwrap();
    let mut settings = serde_json::to_value(&context.settings).unwrap();
    let is_text = settings[name].is_string();
    settings[name] = if is_text { value.into() } else { serde_json::from_str(value).unwrap() };
    context.settings = serde_json::from_value(settings).unwrap_or_else(|error| panic!("{rest}: {error}"));
}

/// The popularity scorer, but passing on what a broken model would give.
fn decide_case(context: &DecisionContext) -> Decision {
    struct Passing;
    impl decisions::scorer::Scorer for Passing {
        fn user(&self, _: &[f64]) -> f64 {
            0.0
        }
        fn content(&self, inputs: &[f64]) -> f64 {
            inputs[0]
        }
        fn pair(&self, _: &[f64]) -> f64 {
            0.0
        }
        fn time(&self, activity: f64) -> f64 {
            activity
        }
        fn probability(&self, logit: f64) -> f64 {
            PopularityScorer.probability(logit)
        }
        fn contributions(
            &self,
            _: &[f64],
            _: &[f64],
            _: &[f64],
            _: f64,
        ) -> Vec<decisions::scorer::Contribution> {
            Vec::new()
        }
    }
    decide(context, &Passing)
}

fn verdict_of(decision: &Decision) -> String {
    match decision.action {
        Action::NoSend => "no_send".into(),
        Action::Hold => format!("hold {}", decision.retry_at.unwrap()),
        Action::Send => {
            let named = decision.variant_id.as_ref().filter(|variant| *variant != "default");
            let variant = named.map_or(String::new(), |variant| format!("/{variant}"));
            let hour = &decision.send_at_local.as_ref().unwrap()[..13];
            format!("send {}{variant} {hour}", decision.content_id.as_ref().unwrap())
        }
    }
}

fn reason_of(reason: &Reason) -> String {
    let from = reason.allowed_from.map_or(String::new(), |from| format!(" {from}"));
    format!("{} {}{from}", reason.rule, reason.subject)
}

#[test]
fn every_case_is_decided_as_it_is_written() {
    for case in cases() {
        let decision = decide_case(&case.context);
        let reasons: Vec<String> = decision.reasons.iter().map(reason_of).collect();
        assert_eq!(verdict_of(&decision), case.verdict, "{}: {reasons:?}", case.title);
        assert_eq!(reasons, case.reasons, "{}", case.title);
        if let Some(expires) = case.expires {
            assert_eq!(decision.expires_at, Some(instant(expires)), "{}", case.title);
        }
    }
}

#[test]
fn every_rule_decides_a_case() {
    // What is tried out is sent; everything else is a no.
    let is_tried = |case: &Case| case.reasons.iter().any(|reason| reason.starts_with(IS_TRIED_OUT));
    let decided = |case: &Case| !case.verdict.starts_with("send") || is_tried(case);
    let refused = cases().into_iter().filter(decided);
    let named = refused.flat_map(|case| case.reasons).map(|reason| reason.split(' ').next().unwrap());
    let named: BTreeSet<&str> = named.collect();
    assert_eq!(named, rules::names().into_iter().collect(), "rules without a case, or cases without a rule");
}

#[test]
fn a_decision_of_an_older_log_is_made_again_as_it_was() {
    let mut old = context("2026-06-11T03:00:00Z");
    old.format = 3;
    (old.settings.quiet_from, old.settings.quiet_until) = ("22:00".into(), "08:00".into());
    let mut parcel = content("parcel", -2.0);
    parcel.content.message_class = MessageClass::Service;
    parcel.content.variants.clear();
    old.contents = vec![parcel];
    let decision = decide_case(&old);
    assert_eq!(verdict_of(&decision), "send parcel 2026-06-11T08", "quiet for service messages, too");
    let message = &decision.reasons[0].message;
    assert!(
        message.contains(" lies in the quiet hours of ") && message.contains(" (22:00–08:00)."),
        "{message}"
    );
    let mut new = old.clone();
    new.format = FORMAT;
    assert_eq!(verdict_of(&decide_case(&new)), "no_send", "there is no text to send");
}

#[test]
fn every_rule_has_its_sentence_in_both_languages() {
    let names: BTreeSet<&str> = rules::names().into_iter().collect();
    let spoken: BTreeSet<&str> = SENTENCES.iter().map(|sentence| sentence.rule).collect();
    assert_eq!(spoken, names);
    assert_eq!(SENTENCES.len(), names.len(), "a rule has two sentences");
    for sentence in SENTENCES {
        assert!(sentence.english.is_ascii() && sentence.english.ends_with('.'), "{}", sentence.rule);
        assert!(sentence.chinese.ends_with('。'), "{}", sentence.rule);
    }
}

#[test]
fn no_message_leaves_a_name_unfilled() {
    for case in cases() {
        for reason in decide_case(&case.context).reasons {
            assert!(!reason.message.is_empty(), "{}: {reason:?}", case.title);
            assert!(!reason.message.contains(['{', '}']), "{}: {}", case.title, reason.message);
        }
    }
}

#[test]
fn who_is_held_out_still_has_a_choice_that_was_not_made() {
    let held_out = cases().into_iter().filter(|case| case.title.contains("held out"));
    for case in held_out {
        let decision = decide_case(&case.context);
        assert!(decision.holdout && decision.send_id.is_none());
        assert_eq!(decision.candidates[0].content_id, "cheese");
        assert_eq!(decision.candidates[0].refused_by.len(), 1);
    }
}

#[test]
fn each_purpose_holds_out_users_of_its_own() {
    let mut both = [0; 4];
    for user in 0..4_000 {
        let mut context = context("2026-06-10T16:00:00Z");
        context.user.user_id = format!("user-{user}");
        context.settings.holdout_percent = 10.0;
        context.campaign = Some(Campaign {
            campaign_id: "spring".into(),
            holdout_percent: 20.0,
            status: word("running"),
            ..Campaign::default()
        });
        let reasons = decide_case(&context).reasons;
        let is_out = |rule: &str| usize::from(reasons.iter().any(|reason| reason.rule == rule));
        both[is_out("outside_holdout") * 2 + is_out("outside_campaign_holdout")] += 1;
    }
    let expected = [0.9 * 0.8, 0.9 * 0.2, 0.1 * 0.8, 0.1 * 0.2].map(|share| share * 4_000.0);
    let chi_square: f64 = both.iter().zip(expected).map(|(n, e)| (f64::from(*n) - e).powi(2) / e).sum();
    assert!(chi_square < 16.3, "{both:?} against {expected:?}: {chi_square}");
}

#[test]
fn minutes_are_spread_evenly_over_those_that_are_allowed() {
    let mut minutes = [0_u32; 60];
    for user in 0..6_000 {
        let mut context = context("2026-06-10T16:00:00Z");
        context.user.user_id = format!("user-{user}");
        context.user.quiet_hours = Some(quiet("13:00-12:30"));
        context.contents = vec![content("cheese", -2.0)];
        let local = decide_case(&context).send_at_local.unwrap();
        minutes[local[14..16].parse::<usize>().unwrap()] += 1;
        assert_eq!(&local[16..], ":00-04:00");
    }
    assert_eq!(minutes[..30], [0; 30], "the quiet half of the hour");
    let chi_square: f64 = minutes[30..].iter().map(|n| (f64::from(*n) - 200.0).powi(2) / 200.0).sum();
    assert!(chi_square < 58.3, "{minutes:?}: {chi_square}");
}

#[test]
fn a_refusal_says_who_what_and_until_when() {
    let mut context = context("2026-06-11T03:00:00Z");
    context.user.quiet_hours = Some(quiet("22:00-08:00"));
    context.contents = vec![content("cheese", -2.0)];
    let expected = "Wed 10 Jun 2026 23:00 lies in the quiet hours of ann (22:00–08:00). Allowed from Thu 11 Jun 2026 08:00.";
    assert_eq!(decide_case(&context).reasons[0].message, expected);
}
