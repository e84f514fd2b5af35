//! Words for consent, and what declarations and withdrawals make of it.

use domain::consent::{Consent, DeclaredConsent};
use domain::time::Instant;

use Consent::{Denied, Granted, Unknown, Unreadable, Withdrawn};

fn at(micros: i64) -> Option<Instant> {
    Some(Instant::from_micros(micros))
}

#[test]
fn common_words_are_read_in_any_case_and_with_any_separators() {
    let table = [
        ("granted", Granted),
        (" True ", Granted),
        ("1", Granted),
        ("1.0", Granted),
        ("Opted-In", Granted),
        ("opt in", Granted),
        ("SUBSCRIBED", Granted),
        ("Denied", Denied),
        ("0", Denied),
        ("0.0", Denied),
        ("opted_out", Denied),
        ("Unsubscribed", Denied),
        ("not granted", Denied),
        ("", Unknown),
        ("unknown", Unknown),
        ("not_determined", Unknown),
        ("2", Unreadable),
        ("10", Unreadable),
        ("-1", Unreadable),
        ("NaN", Unreadable),
        ("active", Unreadable),
        ("provisional", Unreadable),
        ("granted?", Unreadable),
    ];
    for (text, consent) in table {
        assert_eq!(Consent::read(text), consent, "{text:?}");
    }
}

#[test]
fn no_record_but_a_clear_grant_ends_in_a_grant() {
    let now = Instant::from_micros(100);
    for former in [Granted, Denied, Unknown, Unreadable, Withdrawn] {
        for said in [Denied, Unknown, Unreadable] {
            for said_at in [None, at(1), at(200)] {
                let after = DeclaredConsent { consent: former, at: at(50) }.then(said, said_at, now);
                assert_ne!(after.consent, Granted, "{former:?} then {said:?}");
                assert!(!former.has_refused() || after.consent.has_refused(), "{former:?} then {said:?}");
            }
        }
    }
}

#[test]
fn a_grant_has_a_moment_only_when_it_is_told_or_follows_a_refusal() {
    let now = Instant::from_micros(100);
    let after =
        |consent, former_at, said_at| DeclaredConsent { consent, at: former_at }.then(Granted, said_at, now);
    assert_eq!(after(Unknown, None, None), DeclaredConsent { consent: Granted, at: None });
    assert_eq!(after(Unreadable, at(50), None), DeclaredConsent { consent: Granted, at: None });
    assert_eq!(after(Denied, at(50), None), DeclaredConsent { consent: Granted, at: at(100) });
    assert_eq!(after(Denied, at(50), at(60)), DeclaredConsent { consent: Granted, at: at(60) });
    assert_eq!(after(Denied, at(50), at(50)), DeclaredConsent { consent: Denied, at: at(50) });
    assert_eq!(after(Granted, at(50), None), DeclaredConsent { consent: Granted, at: at(50) });
    assert_eq!(after(Granted, None, None), DeclaredConsent { consent: Granted, at: None });
}

#[test]
fn an_event_withdraws_every_consent_but_a_later_grant() {
    let in_force = |consent, since| DeclaredConsent { consent, at: since }.in_force(at(50));
    assert_eq!(in_force(Granted, at(51)), Granted);
    assert_eq!(in_force(Granted, at(50)), Withdrawn);
    assert_eq!(in_force(Granted, None), Withdrawn);
    assert_eq!(in_force(Unknown, None), Withdrawn);
    assert_eq!(in_force(Denied, at(99)), Denied);
    assert_eq!(DeclaredConsent { consent: Granted, at: None }.in_force(None), Granted);
}
