//! The table of event names: every standard name is in it, and each reader's question is answered from it.

use std::collections::BTreeSet;

use domain::event::{Meaning, PushStage, StandardEvent, is_own, is_push, is_push_side, meaning_of, stage_of};

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
