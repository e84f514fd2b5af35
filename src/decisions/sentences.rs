//! What each rule's "no" says to people, in English and Chinese, and how times read in both.

use super::context::{Audience, Membership};
use super::rule_names::present_name;
use super::situation::Situation;
use domain::campaign::CampaignStatus;
use domain::content::{Content, Variant};
use domain::decision::Reason;
use domain::template::is_visible;
use domain::time::{Instant, WEEKDAYS};
use domain::user::QuietHours;
use domain::variant::too_many_bytes;
use domain::zone::Zone;

/// A language that sentences are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// Simplified Chinese.
    Chinese,
}

/// What a rule says when it refuses; `{names}` are filled in.
pub struct Sentence {
    /// The rule.
    pub rule: &'static str,
    /// In English.
    pub english: &'static str,
    /// In Chinese.
    pub chinese: &'static str,
}

const fn says(rule: &'static str, english: &'static str, chinese: &'static str) -> Sentence {
    Sentence { rule, english, chinese }
}

/// The sentences of all rules.
pub const SENTENCES: &[Sentence] = &[
    says(
        "clock_is_trusted",
        "The clock cannot be right: it stands before what has already happened.",
        "时钟不可信：当前时间早于已发生的事件。",
    ),
    says(
        "has_consented",
        "There is no record that {user} agreed to be pushed.",
        "没有 {user} 同意接收推送的记录。",
    ),
    says(
        "preferences_are_readable",
        "A preference of {user} cannot be read: {preference}.",
        "{user} 的偏好设置无法读取：{preference}。",
    ),
    says("zone_is_known", "The time zone of {user} is not known ({zone}).", "{user} 的时区未知（{zone}）。"),
    says(
        "outside_holdout",
        "{user} is in the group that nobody pushes, so that the effect of pushing can be measured.",
        "{user} 属于全局对照组：不推送，用于衡量推送效果。",
    ),
    says(
        "campaign_is_readable",
        "A field of campaign {campaign} cannot be read: {unreadable}.",
        "活动 {campaign} 的字段无法读取：{unreadable}。",
    ),
    says("campaign_is_running", "Campaign {campaign} is {status}.", "活动 {campaign} {status}。"),
    says(
        "audience_is_known",
        "Nobody can tell whether {user} is in segment {segment}, which campaign {campaign} is for: {why}.",
        "无法判断 {user} 是否属于活动 {campaign} 的受众分群 {segment}：{why}。",
    ),
    says(
        "in_audience",
        "{user} is not in segment {segment}, which campaign {campaign} is for.",
        "{user} 不属于活动 {campaign} 的受众分群 {segment}。",
    ),
    says(
        "outside_campaign_holdout",
        "{user} is in the control group of campaign {campaign}, which gets none of its pushes.",
        "{user} 属于活动 {campaign} 的对照组，不接收该活动的推送。",
    ),
    says(
        "under_max_sends",
        "Campaign {campaign} has sent as many as it may: {max_sends}.",
        "活动 {campaign} 已达到发送上限 {max_sends} 条。",
    ),
    says("channel_is_set_up", "There is no channel {subject}.", "没有名为 {subject} 的渠道。"),
    says(
        "has_device",
        "{user} has no device that {subject} reaches.",
        "{user} 没有可通过 {subject} 触达的设备。",
    ),
    says(
        "after_lead_time",
        "Campaign {campaign} sends {lead} minutes after the question at the earliest.",
        "活动 {campaign} 最早在请求后 {lead} 分钟发送。",
    ),
    says(
        "inside_campaign_window",
        "At {time} campaign {campaign} may not send.",
        "{time} 不在活动 {campaign} 的投放窗口内。",
    ),
    says("outside_quiet_hours", "{time} lies in the {quiet}.", "{time} 处于{quiet}。"),
    says(
        "outside_campaign_quiet_hours",
        "{time} lies in the quiet hours of campaign {campaign} ({campaign_quiet}), on the clock of {user}.",
        "{time}（{user} 的当地时间）处于活动 {campaign} 的免打扰时段（{campaign_quiet}）。",
    ),
    says(
        "under_daily_cap",
        "{user} may get {cap} a day, and no more on the day of {time}.",
        "{user} 每天最多接收 {cap} 条推送，{time} 当天已满。",
    ),
    says(
        "under_frequency_rules",
        "At {time} one more push to {user} would break a frequency rule.",
        "{time} 再向 {user} 推送将违反频次规则。",
    ),
    says(
        "after_minimum_gap",
        "{time} is less than {gap} minutes from another push to {user}.",
        "{time} 距离 {user} 的另一条推送不足 {gap} 分钟。",
    ),
    says(
        "under_vendor_quota",
        "The vendor's push service delivers no more marketing to {user} on the day of {time}.",
        "厂商通道在 {time} 当天对 {user} 的营销消息配额已用完。",
    ),
    says("is_scored", "The model has no usable score for {subject}.", "模型对 {subject} 没有可用的评分。"),
    says(
        "category_is_not_muted",
        "{user} does not want to hear of {category}, so {subject} is out.",
        "{user} 已屏蔽分类 {category}，不推送 {subject}。",
    ),
    says(
        "is_for_his_country",
        "{subject} may be sent to {countries} only, and {user} is not known to be there.",
        "{subject} 仅限 {countries}，{user} 不在其中或所在地未知。",
    ),
    says(
        "content_is_readable",
        "A field of {subject} cannot be read: {unreadable_fields}.",
        "{subject} 的字段无法读取：{unreadable_fields}。",
    ),
    says(
        "is_declared",
        "{subject} was never declared, so there is no text to send{nearest}.",
        "{subject} 未声明，没有可发送的文案{nearest}。",
    ),
    says("has_variant", "{subject} has no {variant}.", "{subject} 没有{variant}。"),
    says(
        "has_template_values",
        "Each variant of {subject} needs something that nobody knows of {user}: {needs}.",
        "{subject} 的文案缺少 {user} 的变量：{needs}。",
    ),
    says(
        "has_visible_text",
        "{user} would see nothing of {subject}: with what is known of them, each text is blank.",
        "{user} 看到的 {subject} 将是空白：填入已知变量后没有可见文字。",
    ),
    says(
        "payload_fits",
        "The push of {subject} has {payload} bytes; push services accept 4096.",
        "{subject} 的推送内容为 {payload} 字节，超过推送通道 4096 字节的上限。",
    ),
    says(
        "under_cold_start_cap",
        "Little is known of {subject} yet, and it was sent as often as it may until more is known.",
        "{subject} 的数据尚少，已达到冷启动发送上限。",
    ),
    says("is_published", "{subject} is not yet out.", "{subject} 尚未发布。"),
    says("before_expiry", "{subject} expires before it could be sent.", "{subject} 在可发送之前已过期。"),
    says(
        "is_rested",
        "{user} has been sent {subject} already; it sleeps for {sleep} hours.",
        "{user} 已收到过 {subject}，{sleep} 小时内不再重复。",
    ),
    says("has_candidates", "There is no content to choose from.", "没有可供选择的内容。"),
    says(
        "is_worth_sending",
        "Nothing that might be sent to {user} is worth what it costs.",
        "可推送给 {user} 的内容都不值得其代价。",
    ),
    says(
        "is_tried_out",
        "Little is known of {subject} yet: it counts as other contents do ({peers}), and is tried until more is known.",
        "{subject} 的数据尚少：按其他内容（{peers}）的水平估计，并在数据充足前试投。",
    ),
    says(
        "under_throttle",
        "Campaign {campaign} may send {throttle} a minute, and others gain more from the minutes that would suit {user}.",
        "活动 {campaign} 每分钟最多发送 {throttle} 条，适合 {user} 的时间已分配给收益更高的用户。",
    ),
    says(
        "under_shared_throttle",
        "All campaigns together have filled the minutes that would suit {user}.",
        "适合 {user} 的时间已被全部活动的发送占满。",
    ),
    says(
        "under_hourly_capacity",
        "All campaigns together have filled the hours that would suit {user}.",
        "适合 {user} 的小时容量已被全部活动占满。",
    ),
    says(
        "matches_plan",
        "The plan has nothing for {user} that may be sent: the time for it has begun already, or it is not allowed any more.",
        "计划中没有可发送给 {user} 的内容：时间已过，或已不允许发送。",
    ),
];

/// A refusal in words, with the time from which it ends.
pub(super) fn of_reason(situation: &Situation, reason: &Reason, language: Language) -> String {
    let rule = present_name(&reason.rule);
    let sentence = SENTENCES.iter().find(|sentence| sentence.rule == rule);
    let template = sentence.map_or("", |sentence| language.of(sentence.english, sentence.chinese));
    let mut text = fill(template, |name| value_of(situation, reason, language, name));
    if let Some(from) = reason.allowed_from {
        let from = local_time(situation.zone, from, language);
        text += &language.of(" Allowed from {from}.", "{from} 起可以。").replace("{from}", &from);
    }
    text
}

impl Language {
    /// One of two texts.
    pub(super) fn of<'a>(self, english: &'a str, chinese: &'a str) -> &'a str {
        match self {
            Language::English => english,
            Language::Chinese => chinese,
        }
    }
}

/// Replaces `{names}` by values.
pub(super) fn fill(template: &str, value: impl Fn(&str) -> String) -> String {
    let mut text = String::with_capacity(template.len() + 48);
    let mut rest = template;
    while let Some((before, (name, after))) =
        rest.split_once('{').and_then(|(before, inside)| Some((before, inside.split_once('}')?)))
    {
        text += before;
        text += &value(name);
        rest = after;
    }
    text + rest
}

fn value_of(situation: &Situation, reason: &Reason, language: Language, name: &str) -> String {
    let user = &situation.context.user;
    let subject = reason.subject.split_once(':').map_or(reason.subject.as_str(), |(_, subject)| subject);
    match name {
        "user" => user.user_id.clone(),
        "campaign" => situation.campaign_id().to_string(),
        "status" => status(situation, language).to_string(),
        "zone" => user.time_zone.clone().unwrap_or_else(|| language.of("none", "无").to_string()),
        "preference" => unreadable(situation, language),
        "quiet" => quiet(situation, language),
        "cap" => pushes(situation.daily_cap(), language),
        "category" => category(situation, subject),
        "unreadable" => {
            let campaign = situation.context.campaign.as_ref();
            campaign.and_then(|campaign| campaign.unreadable.clone()).unwrap_or_default()
        }
        "segment" | "why" => of_audience(situation, name),
        "max_sends" | "throttle" | "lead" | "campaign_quiet" => of_campaign(situation, name),
        "gap" => situation.context.settings.minimum_gap_minutes.to_string(),
        "sleep" => situation.context.settings.repeat_sleep_hours.to_string(),
        "nearest" => nearest(situation, subject, language),
        "variant" => missing_variant(situation, subject, language),
        "peers" => peers(situation, subject, language),
        "countries" | "needs" | "unreadable_fields" | "payload" => {
            of_content(situation, subject, name, language)
        }
        "subject" if reason.subject.starts_with("channel:") => subject.to_string(),
        "time" => Instant::parse_rfc3339(subject)
            .map_or_else(|| subject.to_string(), |at| local_time(situation.zone, at, language)),
        _ if reason.subject == "arm" => language.of("any content", "任何内容").to_string(),
        _ => title_of(situation, subject, language),
    }
}

fn of_audience(situation: &Situation, name: &str) -> String {
    match &situation.context.audience {
        Some(audience) if name == "segment" => audience.segment_id.clone(),
        Some(Audience { membership: Membership::Unknown { why }, .. }) => why.clone(),
        _ => String::new(),
    }
}

fn of_campaign(situation: &Situation, name: &str) -> String {
    let Some(campaign) = &situation.context.campaign else { return String::new() };
    match name {
        "max_sends" => campaign.max_sends.map_or_else(String::new, |most| most.to_string()),
        "throttle" => campaign.throttle_per_minute.map_or_else(String::new, |most| most.to_string()),
        "lead" => campaign.lead_minutes.to_string(),
        _ => situation.campaign_quiet_hours().map_or_else(String::new, quiet_text),
    }
}

fn of_content(situation: &Situation, content_id: &str, name: &str, language: Language) -> String {
    let Some(content) = content(situation, content_id) else { return String::new() };
    let mut names: Vec<&str> = match name {
        "countries" => content.countries.iter().map(String::as_str).collect(),
        "payload" => return largest_payload(situation, content),
        "unreadable_fields" => content.unreadable.iter().map(String::as_str).collect(),
        _ => content.variants.iter().flat_map(|variant| &variant.needs).map(String::as_str).collect(),
    };
    names.sort_unstable();
    names.dedup();
    names.join(language.of(", ", "、"))
}

/// The contents whose response is assumed of one of little history.
fn peers(situation: &Situation, content_id: &str, language: Language) -> String {
    let mut contents = situation.context.contents.iter();
    let own = contents.find(|candidate| candidate.content.content_id == content_id);
    let Some(prior) = own.and_then(|candidate| candidate.prior.as_ref()) else { return String::new() };
    let whose = prior.category.as_deref().unwrap_or(language.of("all", "全部"));
    format!("{whose}: {}", prior.contents)
}

/// Bytes of the largest push of a content that is too large for the user.
fn largest_payload(situation: &Situation, content: &Content) -> String {
    let user = &situation.context.user;
    let largest = content.variants.iter().filter_map(|variant| too_many_bytes(variant, user)).max();
    largest.map(|bytes| bytes.to_string()).unwrap_or_default()
}

fn status(situation: &Situation, language: Language) -> &'static str {
    match situation.context.campaign.as_ref().map(|campaign| campaign.status).unwrap_or_default() {
        CampaignStatus::Draft => language.of("a draft", "仍是草稿"),
        CampaignStatus::Scheduled => language.of("scheduled", "已排期"),
        CampaignStatus::Running => language.of("running", "进行中"),
        CampaignStatus::Paused => language.of("paused", "已暂停"),
        CampaignStatus::Halted => language.of("halted", "已终止"),
        CampaignStatus::Ended => language.of("over", "已结束"),
    }
}

fn pushes(count: u32, language: Language) -> String {
    match (language, count) {
        (Language::Chinese, _) => count.to_string(),
        (Language::English, 0) => "no push".to_string(),
        (Language::English, 1) => "1 push".to_string(),
        (Language::English, _) => format!("{count} pushes"),
    }
}

fn unreadable(situation: &Situation, language: Language) -> String {
    let settings = || language.of("quiet hours in the settings", "全局免打扰时段").to_string();
    situation.context.user.unreadable_preference.clone().unwrap_or_else(settings)
}

/// Whose quiet hours they are, and which.
fn quiet(situation: &Situation, language: Language) -> String {
    let Some(rule) = situation.quiet_rule() else { return String::new() };
    let text = match rule.is_default {
        true => language.of(
            "default quiet hours ({quiet}, decisions.quiet_from and quiet_until), because neither {user} nor the campaign sets any",
            "默认免打扰时段（{quiet}，见 decisions.quiet_from 与 quiet_until）：{user} 和活动均未设置",
        ),
        false => language.of("quiet hours of {user} ({quiet})", " {user} 的免打扰时段（{quiet}）"),
    };
    text.replace("{quiet}", &quiet_text(rule.hours)).replace("{user}", &situation.context.user.user_id)
}

/// The declared content that an undeclared one was probably meant to be.
fn nearest(situation: &Situation, content_id: &str, language: Language) -> String {
    let undeclared = content(situation, content_id).and_then(|content| content.undeclared.as_ref());
    let Some(id) = undeclared.and_then(|undeclared| undeclared.nearest.as_ref()) else {
        return String::new();
    };
    language
        .of("; the nearest declared content is ‘{id}’", "；最接近的已声明内容是“{id}”")
        .replace("{id}", id)
}

/// What a content has no variant of: none at all, or none in the user's language.
fn missing_variant(situation: &Situation, content_id: &str, language: Language) -> String {
    let user = &situation.context.user;
    if content(situation, content_id).is_none_or(|content| content.variants.is_empty()) {
        return language
            .of("title and no variants, so there is no text to send", "标题和文案，无可发送的内容")
            .to_string();
    }
    let locale = user.locale.as_deref().unwrap_or(language.of("unknown", "未知"));
    language
        .of("variant in the language of {user} ({locale})", "适合 {user} 语言（{locale}）的文案")
        .replace("{user}", &user.user_id)
        .replace("{locale}", locale)
}

fn quiet_text(hours: QuietHours) -> String {
    format!("{}–{}", String::from(hours.from), String::from(hours.until))
}

fn content<'a>(situation: &Situation<'a>, content_id: &str) -> Option<&'a Content> {
    let contents = situation.context.contents.iter().map(|candidate| &candidate.content);
    contents.into_iter().find(|content| content.content_id == content_id)
}

fn category(situation: &Situation, content_id: &str) -> String {
    content(situation, content_id).and_then(|content| content.category.clone()).unwrap_or_default()
}

/// A content by the headline its user would read, else by its id, in quotation marks.
pub(super) fn title_of(situation: &Situation, content_id: &str, language: Language) -> String {
    let variant = content(situation, content_id).and_then(|content| variant(situation, content));
    let title = variant.map(|variant| with_defaults(&variant.title)).filter(|title| is_visible(title));
    language.of("‘{}’", "“{}”").replace("{}", title.as_deref().unwrap_or(content_id))
}

/// The variant that goes to the user; of a content without one, the first, so that people know which content is meant.
fn variant<'a>(situation: &Situation<'a>, content: &'a Content) -> Option<&'a Variant> {
    let reader = situation.context.reader();
    let choice = reader.choice(&reader.fitting(content), content, situation.campaign_id());
    choice.or(content.variants.first())
}

/// A text with each `{{field|default}}` as its default: what a reader sees of whom nothing is known.
fn with_defaults(text: &str) -> String {
    let (mut plain, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once("{{") {
        let Some((field, behind)) = after.split_once("}}") else { break };
        plain.push_str(before);
        plain.push_str(field.split_once('|').map_or("", |(_, default)| default));
        rest = behind;
    }
    plain + rest
}

/// `Sun 3 Dec 2017 11:24` or `2017年12月3日周日11:24`, on a zone's clock.
pub(super) fn local_time(zone: &Zone, at: Instant, language: Language) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    const CHINESE_WEEKDAYS: [&str; 7] = ["一", "二", "三", "四", "五", "六", "日"];
    let second = zone.local_second(at);
    let day = zone.local_day(at);
    let date = day.civil();
    let (hour, minute) = (second.div_euclid(3_600).rem_euclid(24), second.div_euclid(60).rem_euclid(60));
    let month = usize::from(date.month().unsigned_abs());
    match language {
        Language::English => {
            let (weekday, month) = (WEEKDAYS[day.weekday()], MONTHS[(month - 1) % 12]);
            format!("{weekday} {} {month} {} {hour:02}:{minute:02}", date.day(), date.year())
        }
        Language::Chinese => {
            let weekday = CHINESE_WEEKDAYS[day.weekday()];
            format!("{}年{month}月{}日周{weekday}{hour:02}:{minute:02}", date.year(), date.day())
        }
    }
}
