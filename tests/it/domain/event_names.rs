//! The table of event names: every standard name is in it, and each reader's question is answered from it.

use std::collections::BTreeSet;

use domain::event::{
    Meaning, PushStage, StandardEvent, is_own, is_push, is_push_side, meaning_of, stage_of, standard_name,
};

/// The names that the contract lists.
const CONTRACT: &str = "view click like share bookmark comment search add_to_cart purchase session_start \
    campaign_targeted push_sent push_delivered push_displayed push_opened push_clicked push_dismissed push_failed \
    push_opted_out notifications_disabled message_replied";

#[test]
fn the_table_has_every_name_of_the_contract_once_and_no_other() {
    let names: Vec<&str> = StandardEvent::ALL.iter().map(|event| event.name()).collect();
    let contract: Vec<&str> = CONTRACT.split_whitespace().collect();
    assert_eq!(names, contract);
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    for event in StandardEvent::ALL {
        assert_eq!(StandardEvent::of(event.name()), Some(event));
        assert!(event.is(event.name()) && !event.is("coupon_used"));
    }
}

#[test]
fn an_own_act_is_what_neither_a_push_nor_a_campaign_did() {
    for event in StandardEvent::ALL {
        let is_own_by_meaning = matches!(event.meaning(), Meaning::OwnAct | Meaning::Withdrawal);
        assert_eq!(is_own(event.name()), is_own_by_meaning, "{event:?}");
        assert_eq!(is_push_side(event.name()), !is_own_by_meaning, "{event:?}");
        assert_eq!(is_push(event.name()), matches!(event.meaning(), Meaning::Push(_)), "{event:?}");
    }
}

#[test]
fn a_custom_name_means_nothing_and_counts_as_an_own_act_unless_it_begins_like_a_push() {
    assert_eq!((StandardEvent::of("coupon_used"), meaning_of("coupon_used")), (None, None));
    assert!(is_own("coupon_used") && !is_push("coupon_used"));
    assert_eq!((meaning_of("push_snoozed"), stage_of("push_snoozed")), (None, None));
    assert!(is_push("push_snoozed") && !is_own("push_snoozed"));
    assert_eq!(StandardEvent::of("View"), None, "names have one spelling");
}

#[test]
fn the_stages_of_a_push_follow_one_another() {
    let names = ["push_sent", "push_delivered", "push_displayed", "push_opened", "push_clicked"];
    let stages: Vec<PushStage> = names.iter().filter_map(|name| stage_of(name)).collect();
    assert_eq!(stages.len(), names.len());
    assert!(stages.windows(2).all(|pair| pair[0] < pair[1]));
    assert_eq!(stage_of("campaign_targeted"), None);
    assert_eq!(stage_of("notifications_disabled"), None);
}

#[test]
fn other_systems_names_of_pushes_are_understood_with_their_stage() {
    let stages = [
        (
            PushStage::Sent,
            "Push Sent, push_send, PushSent, PUSH SENT, notification_sent, notification_send, pushsent",
        ),
        (
            PushStage::Sent,
            "Reengagement Push Sent, users.messages.pushnotification.Send, message.push.sent, [OneSignal] Push Sent",
        ),
        (
            PushStage::Sent,
            "NOTIFICATION_SENT_MOE, Sent Push Notification, Daily News Notification Sent, push_sent_android, pushSend",
        ),
        (
            PushStage::Delivered,
            "notification_receive, os_notification_received, Push Notification Received, push received",
        ),
        (
            PushStage::Delivered,
            "AppPushReceived, Received Push Notification, $campaign_delivery, webpush_delivered",
        ),
        (
            PushStage::Displayed,
            "notification_foreground, users.messages.pushnotification.IosForeground, Push Impression, push viewed",
        ),
        (
            PushStage::Opened,
            "notification_open, users.messages.pushnotification.Open, os_notification_influence_open, Opened Notification",
        ),
        (
            PushStage::Clicked,
            "Push Notification Tapped, message.push.clicked, AppPushClick, notification_click, NotificationClicked",
        ),
        (
            PushStage::Dismissed,
            "notification_dismiss, Push Dismissed, push notification cleared, Dismissed Notification",
        ),
        (
            PushStage::Failed,
            "Push Notification Bounced, message.push.failed, push bounce, notification not delivered",
        ),
        (PushStage::OptedOut, "message.push.unsubscribed, Push Opted Out, push_opt_out, push disabled"),
    ];
    for (stage, names) in stages {
        for name in names.split(", ") {
            assert_eq!(stage_of(name), Some(stage), "{name}");
            assert!(is_push(name) && is_push_side(name) && !is_own(name), "{name}");
        }
    }
    for name in [
        "Notifications Disabled",
        "notification permission denied",
        "notifications turned off",
        "Unsubscribed",
        "user_opted_out",
        "opt-out",
    ] {
        assert_eq!(standard_name(name), "notifications_disabled", "{name}");
    }
}

#[test]
fn what_no_user_did_at_that_moment_is_no_own_act_and_no_push() {
    let names = "app_remove, os_update, app_update, app_clear_data, app_exception, Application Updated, Application Uninstalled, \
                 $identify, identify, users.behaviors.Uninstall, Email Sent, email_delivered, users.messages.sms.Delivery, \
                 users.messages.email.Bounce, ecommerceAbandonedCart, other:Nightly Job, pushUninstall";
    for name in names.split(", ") {
        assert_eq!(meaning_of(name.trim()), Some(Meaning::Other), "{name}");
        assert!(!is_own(name.trim()) && !is_push_side(name.trim()), "{name}");
        assert_eq!(standard_name(name), name);
    }
}

#[test]
fn acts_of_the_users_own_that_speak_of_pushes_stay_theirs() {
    let names = "notification settings opened, Notification Center Viewed, notifications viewed, open notifications, \
                 Enable Push Clicked, push button clicked, in_app_notification_clicked, Push Permission Prompt Shown, \
                 clear notifications, allow notifications clicked, notification_bell_click, Email Opened, Email Link Clicked, \
                 Message Sent, git push failed, email unsubscribed, Purchase, Order Completed, own:push_settings_opened, \
                 Application Opened, app_open, first_open, user_engagement, Push-ups Completed, set, Pushed Button";
    for name in names.split(", ") {
        assert!(is_own(name.trim()), "{name}");
        assert_eq!(meaning_of(name.trim()), None, "{name}");
    }
}

#[test]
fn a_name_is_understood_in_the_same_way_however_often_it_is_asked_for() {
    let names: Vec<String> = (0..6_000).map(|index| format!("Campaign {index} Push Sent")).collect();
    for _ in 0..2 {
        assert!(names.iter().all(|name| stage_of(name) == Some(PushStage::Sent)));
    }
    assert_eq!(standard_name(" purchase "), "purchase");
    assert_eq!(
        standard_name("Purchase"),
        "Purchase",
        "an own act with another spelling is pointed out, not taken"
    );
}
