//! The labels of a reach: one for each rule about users, and what consent means for its rule's.

use std::collections::BTreeSet;

use decisions::reach::rule_names;
use domain::user::{Consent, User};
use segments::people::reach::Reach;

/// Every rule about users with the label that its refusal has for a user of whom nothing is known.
const LABELS: [(&str, Reach); 11] = [
    ("clock_is_trusted", Reach::UntrustedClock),
    ("has_consented", Reach::UnknownConsent),
    ("preferences_are_readable", Reach::UnreadablePreferences),
    ("zone_is_known", Reach::UnknownZone),
    ("outside_holdout", Reach::Holdout),
    ("channel_is_set_up", Reach::NoChannel),
    ("has_device", Reach::NoDevice),
    ("under_daily_cap", Reach::Capped),
    ("under_frequency_rules", Reach::Capped),
    ("after_minimum_gap", Reach::Capped),
    ("under_vendor_quota", Reach::Capped),
];

#[test]
fn every_rule_about_users_has_a_label_in_the_order_in_which_rules_are_asked() {
    let names: Vec<&str> = rule_names().collect();
    assert_eq!(names, LABELS.map(|(rule, _)| rule));
    let labels = LABELS.map(|(rule, _)| Reach::of_rule(Some(rule), &User::default()));
    assert_eq!(labels, LABELS.map(|(_, label)| label));
    assert_eq!(Reach::of_rule(None, &User::default()), Reach::Reachable);
    assert!(labels.is_sorted(), "the order of the labels is that of the rules");
}

#[test]
fn a_consent_that_was_refused_or_cannot_be_read_is_an_opt_out() {
    let of = |user: User| Reach::of_rule(Some("has_consented"), &user);
    let unreadable = |name: &str| User { unreadable_preference: Some(name.into()), ..User::default() };
    assert_eq!(of(User { consent: Consent::Denied, ..User::default() }), Reach::OptedOut);
    assert_eq!(of(User { consent: Consent::Unreadable, ..User::default() }), Reach::OptedOut);
    assert_eq!(of(unreadable("quiet_until")), Reach::UnknownConsent);
}

#[test]
fn labels_have_names_of_their_own() {
    let names: BTreeSet<&str> = Reach::ALL.into_iter().map(Reach::as_str).collect();
    assert_eq!(names.len(), Reach::ALL.len());
}
