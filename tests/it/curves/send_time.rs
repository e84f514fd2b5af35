//! The send-time model: what holds for every curve, small cases by hand, and worlds whose rhythm is known.

use curves::SendTimeModel;
use curves::circular::Circular;
use curves::concentration::{Concentration, Pairs};
use curves::history::{History, Unit, Week, normalised};
use curves::rhythm_groups::RhythmGroups;
use curves::stack::{Fold, Stack, StackRow, mixed, mixture_weights};
use curves::transfer::{Transfer, Transition};
use domain::curve::{CurveLevel, SendTimeCurve};
use domain::time::{Day, LocalHour};
use proptest::prelude::*;

use super::draws::Draws;
use super::synthetic::{bump, history, smooth_world};

fn unit(age_days: i32, slot: usize, fraction: f32) -> Unit {
    Unit { age_days, slot: slot as u8, fraction }
}

fn with_units(units: Vec<Unit>) -> History {
    History { units, attribute: 0 }
}

fn curves(histories: &[History]) -> Vec<SendTimeCurve> {
    let model = SendTimeModel::fit(histories, 0.9);
    histories.iter().enumerate().map(|(user, history)| model.curve(user, history)).collect()
}

/// What every curve promises, whatever it was learned from.
fn check(curve: &SendTimeCurve) {
    let total: f64 = curve.probability.iter().sum();
    assert!((total - 1.0).abs() <= 1e-9, "sum {total}");
    for slot in 0..168 {
        let (low, probability, high) = (curve.low[slot], curve.probability[slot], curve.high[slot]);
        assert!(
            0.0 <= low && low < probability && probability < high && high <= 1.0,
            "{low} {probability} {high}"
        );
    }
    assert!((0.0..=1.0).contains(&curve.shrinkage), "shrinkage {}", curve.shrinkage);
    assert!(curve.evidence >= 0.0 && curve.evidence.is_finite(), "evidence {}", curve.evidence);
}

/// Distinct active hours of a user in `1..=days` days before the cut.
fn some_history(days: i32) -> impl Strategy<Value = History> {
    (prop::collection::btree_map((1..=days, 0_usize..24), 0_f32..1.0, 0..60), 0_u32..3).prop_map(
        |(hours, attribute)| {
            let slot = |age: i32, hour: usize| (-age).rem_euclid(7) as usize * 24 + hour;
            let units =
                hours.into_iter().rev().map(|((age, hour), fraction)| unit(age, slot(age, hour), fraction));
            History { units: units.collect(), attribute }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_curve_is_a_distribution_inside_its_interval(
        histories in prop::sample::select(vec![1, 27, 28, 90, 112, 400])
            .prop_flat_map(|days| prop::collection::vec(some_history(days), 1..12)),
    ) {
        curves(&histories).iter().for_each(check);
    }

    #[test]
    fn smoothing_keeps_the_mass_and_goes_the_same_way_in_both_directions(
        weights in prop::collection::vec(0_f64..10.0, 24),
        bandwidth in 0.3_f64..3.0,
    ) {
        let circular = Circular::<24>::new(bandwidth);
        let values: [f64; 24] = std::array::from_fn(|hour| weights[hour]);
        let smoothed = circular.smooth(&values);
        prop_assert!((smoothed.iter().sum::<f64>() - values.iter().sum::<f64>()).abs() < 1e-9);
        for from in 0..24 {
            for to in 0..24 {
                prop_assert!((circular.weight(from, to) - circular.weight(to, from)).abs() < 1e-15);
            }
        }
    }

    #[test]
    fn mixture_weights_never_lower_their_likelihood(
        rows in prop::collection::vec((0.1_f64..5.0, prop::array::uniform3(0.001_f32..1.0)), 1..40),
    ) {
        let likelihood = |weights: &[f64; 3]| -> f64 {
            rows.iter().map(|(count, given)| count * mixed(given, weights).ln()).sum()
        };
        let mut weights = [0.2, 0.3, 0.5];
        for _ in 0..30 {
            let next = mixture_weights(&rows, weights, None, 1);
            prop_assert!((next.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            prop_assert!(likelihood(&next) >= likelihood(&weights) - 1e-9);
            weights = next;
        }
    }
}

#[test]
fn days_that_have_not_come_twice_tell_no_weekday_from_another() {
    let three_days = |user: usize| {
        with_units((1..=3).rev().map(|age| unit(age, 24 * (age as usize) + 9 + user, 0.5)).collect())
    };
    for curve in curves(&[three_days(0), three_days(3), three_days(9)]) {
        check(&curve);
        for hour in 0..24 {
            let monday = curve.probability[hour];
            (1..7).for_each(|day| assert!((curve.probability[day * 24 + hour] - monday).abs() < 1e-12));
        }
    }
}

#[test]
fn spans_of_every_length_give_sound_curves() {
    for days in [1, 2, 27, 28, 29, 90, 111, 112, 400] {
        curves(&smooth_world(60, days, 3).histories).iter().for_each(check);
    }
}

#[test]
fn odd_populations_give_sound_curves() {
    let nobody = History::default();
    let once = with_units(vec![unit(3, 40, 0.5)]);
    let always: Vec<Unit> = (1..=417)
        .rev()
        .flat_map(|age| (0..24).map(move |hour| (age, hour)))
        .map(|(age, hour)| unit(age, (-age).rem_euclid(7) as usize * 24 + hour, 0.0))
        .collect();
    assert!(always.len() > 10_000);
    let in_one_hour = || with_units((1..60).rev().map(|week| unit(7 * week, 0, 0.99)).collect());
    for population in [
        vec![],
        vec![nobody.clone()],
        vec![nobody.clone(), nobody.clone()],
        vec![once.clone()],
        vec![once.clone(), once.clone(), nobody.clone()],
        vec![with_units(always.clone())],
        vec![with_units(always), once, nobody.clone()],
        (0..40).map(|_| in_one_hour()).collect(),
        vec![with_units(vec![unit(3_000_000, 7, 0.1)]), with_units(vec![unit(1, 7, 0.1)])],
    ] {
        curves(&population).iter().for_each(check);
    }
}

#[test]
fn without_any_history_a_curve_is_flat_and_nobodys_own() {
    let curve = &curves(&[History::default()])[0];
    assert!(curve.probability.iter().all(|share| (share - 1.0 / 168.0).abs() < 1e-9));
    assert_eq!((curve.evidence, curve.shrinkage), (0.0, 1.0));
    assert_ne!(curve.level, CurveLevel::User);
}

#[test]
fn the_order_of_a_users_hours_does_not_matter() {
    let histories = smooth_world(80, 150, 5).histories;
    let mut turned = histories.clone();
    turned.iter_mut().for_each(|history| history.units.reverse());
    for (ours, theirs) in curves(&histories).iter().zip(&curves(&turned)) {
        for (a, b) in ours.probability.iter().zip(&theirs.probability) {
            assert!((a - b).abs() < 1e-9, "{a} {b}");
        }
    }
}

#[test]
fn the_order_of_users_does_not_matter_beyond_rounding() {
    let histories = smooth_world(80, 150, 5).histories;
    let turned: Vec<History> = histories.iter().rev().cloned().collect();
    let turned = curves(&turned);
    for (ours, theirs) in curves(&histories).iter().zip(turned.iter().rev()) {
        for (a, b) in ours.probability.iter().zip(&theirs.probability) {
            assert!((a - b).abs() < 1e-7, "{a} {b}");
        }
    }
}

#[test]
fn the_same_histories_give_the_same_bits() {
    let histories = smooth_world(120, 200, 9).histories;
    assert_eq!(curves(&histories), curves(&histories));
}

#[test]
fn a_silence_of_the_whole_log_changes_no_curve() {
    for days in [20, 200] {
        let histories = smooth_world(100, days, 11).histories;
        let mut later = histories.clone();
        later.iter_mut().flat_map(|history| &mut history.units).for_each(|unit| unit.age_days += 364);
        assert_eq!(curves(&histories), curves(&later), "{days} days");
    }
}

#[test]
fn a_history_is_weighed_as_a_hand_would() {
    let history = with_units(vec![unit(30, 17, 0.75), unit(1, 0, 0.25)]);
    let weights = history.weights(0, Some(30.0), 1.0);
    let recent = 0.5_f64.powf(1.0 / 30.0);
    for (slot, expected) in [(17, 0.375), (18, 0.125), (0, 0.75 * recent), (167, 0.25 * recent)] {
        assert!((weights[slot] - expected).abs() < 1e-12, "{slot}: {}", weights[slot]);
    }
    assert!((weights.iter().sum::<f64>() - 0.5 - recent).abs() < 1e-12);
    assert!((history.evidence(0, 30.0) - 0.5 - recent).abs() < 1e-12);
    assert_eq!((history.count(0), history.count(1), history.count(30)), (2, 1, 0));
    assert_eq!(
        (history.held_out(1, 1)[0], history.held_out(30, 29)[17], history.held_out(29, 29)[17]),
        (1, 1, 0)
    );
}

#[test]
fn an_hour_on_a_later_date_of_another_zone_is_a_day_old() {
    let mut history = History::default();
    for day in [17_499, 17_500, 17_501] {
        history.push(Day(day).first_hour(), 0.0, 17_500);
    }
    history.push(LocalHour(17_400 * 24 + 5), 0.0, 17_500);
    assert_eq!(history.units.iter().map(|unit| unit.age_days).collect::<Vec<i32>>(), [1, 1, 1, 100]);
}

#[test]
fn a_circular_gaussian_has_the_weights_of_its_formula() {
    let circular = Circular::<24>::new(1.0);
    let near: f64 = (-0.5_f64).exp();
    let ratio = circular.weight(23, 0) / circular.weight(5, 5);
    assert!((ratio - near).abs() < 1e-12);
    assert!((circular.weight(0, 2) / circular.weight(0, 1) - (-1.5_f64).exp()).abs() < 1e-12);
}

/// Random transitions of users with a favourite hour.
fn transitions(count: usize) -> Vec<Transition> {
    let mut draws = Draws::new(21);
    let transition = |_| {
        let top = draws.between(6.0, 22.0);
        let truth: Week = normalised(std::array::from_fn(|slot| 0.01 + bump(slot % 24, top, 12.0)));
        let past = history(&mut draws, &truth, 30.0, 60);
        let mut week = past.weights(28, None, 0.0);
        week.iter_mut().for_each(|weight| *weight += 0.01);
        Transition { history: normalised(week), after: past.held_out(28, 28) }
    };
    (0..count).map(transition).collect()
}

#[test]
fn learning_transitions_never_lowers_its_objective() {
    let (transitions, prior) = (transitions(200), Transfer::start());
    let mut transfer = prior.clone();
    for step in 0..25 {
        let next = transfer.step(&transitions, &prior);
        let (before, after) =
            (transfer.objective(&transitions, &prior), next.objective(&transitions, &prior));
        assert!(after >= before - 1e-9 * before.abs(), "step {step}: {before} → {after}");
        transfer = next;
    }
}

#[test]
fn a_transfer_keeps_the_mass_and_nothing_learned_is_the_start() {
    let week: Week = normalised(std::array::from_fn(|slot| (slot * slot % 31) as f64));
    for transfer in [Transfer::learn(&[]), Transfer::learn(&transitions(50))] {
        let moved = transfer.apply(&week);
        assert!((moved.iter().sum::<f64>() - 1.0).abs() < 1e-12 && moved.iter().all(|share| *share > 0.0));
    }
    let start = Transfer::start().apply(&week);
    for (a, b) in Transfer::learn(&[]).apply(&week).iter().zip(start) {
        assert!((a - b).abs() < 1e-12);
    }
}

#[test]
fn learning_rhythm_groups_never_lowers_its_objective() {
    let world = smooth_world(300, 120, 13);
    let weeks: Vec<Week> =
        world.histories.iter().map(|history| history.weights(0, Some(90.0), 0.0)).collect();
    let global: Week = [1.0 / 168.0; 168];
    // So narrow a smoothing changes nothing, and what remains is EM.
    let none = Circular::<168>::new(0.1);
    let mut groups = RhythmGroups::start(&weeks, 8, &global);
    assert_eq!(groups.curves.len(), 8);
    for step in 0..12 {
        let next = groups.step(&weeks, &global, &none);
        let (before, after) = (groups.objective(&weeks, &global), next.objective(&weeks, &global));
        assert!(after >= before - 1e-9 * before.abs(), "step {step}: {before} → {after}");
        groups = next;
    }
}

#[test]
fn users_without_history_are_taken_for_their_attributes_mixture() {
    let (morning, evening) = (two_rhythms(0), two_rhythms(1));
    let mut draws = Draws::new(4);
    let weeks: Vec<Week> = (0..40)
        .map(|user| {
            let truth = if user % 2 == 0 { morning } else { evening };
            history(&mut draws, &truth, 60.0, 60).weights(0, None, 0.0)
        })
        .collect();
    let groups = RhythmGroups::learn(&weeks, 2, &[1.0 / 168.0; 168], &Circular::new(0.6));
    let attributes: Vec<u32> = (0..40).map(|user| user % 2).collect();
    let mixtures = groups.by_attribute(&weeks, &attributes, 3);
    for mixture in &mixtures[..2] {
        // Twenty users of one group and ten pseudo-users of the halves: 25 of 30.
        let largest = mixture.iter().copied().fold(0.0, f64::max);
        assert!((largest - 25.0 / 30.0).abs() < 0.02, "{mixture:?}");
    }
    assert!(mixtures[2].iter().zip(&groups.shares).all(|(a, b)| (a - b).abs() < 1e-12));
}

/// Mornings on workdays, or late evenings all week.
fn two_rhythms(group: usize) -> Week {
    normalised(std::array::from_fn(|slot| {
        let weekday = if group == 1 || slot < 120 { 1.0 } else { 0.1 };
        0.005 + weekday * bump(slot % 24, if group == 0 { 8.0 } else { 22.0 }, 25.0)
    }))
}

#[test]
fn planted_groups_are_found_and_a_rich_user_follows_himself() {
    let mut draws = Draws::new(2);
    let mut histories: Vec<History> =
        (0..300).map(|user| history(&mut draws, &two_rhythms(user % 2), 40.0, 200)).collect();
    let own: Week = normalised(std::array::from_fn(|slot| 0.005 + bump(slot % 24, 15.0, 25.0)));
    histories.push(history(&mut draws, &own, 500.0, 200));
    histories.push(with_units(vec![unit(9, 5 * 24 + 21, 0.5)]));
    let curves = curves(&histories);
    for (user, curve) in curves.iter().take(300).enumerate() {
        let expected = if user % 2 == 0 { 7..=8 } else { 21..=22 };
        assert!(expected.contains(&curve.best_hour_of_day()), "user {user}: {}", curve.best_hour_of_day());
    }
    let (rich, poor) = (&curves[300], &curves[301]);
    assert!((14..=15).contains(&rich.best_hour_of_day()), "{}", rich.best_hour_of_day());
    assert_eq!(rich.level, CurveLevel::User);
    assert!(rich.shrinkage < 0.5 && rich.shrinkage < poor.shrinkage, "{} {}", rich.shrinkage, poor.shrinkage);
    // One visit on a Saturday evening: his week is that of the evening people, Mondays included.
    let evenings = two_rhythms(1);
    assert!(poor.probability[21] > 0.5 * evenings[21], "{} {}", poor.probability[21], evenings[21]);
    assert!((21..=22).contains(&poor.best_hour_of_day()));
}

#[test]
fn mixture_weights_of_two_coins_are_the_share_of_each() {
    let rows: Vec<(f64, [f32; 2])> = vec![(3.0, [1.0, 0.0]), (1.0, [0.0, 1.0])];
    let weights = mixture_weights(&rows, [0.5, 0.5], None, 1);
    assert!((weights[0] - 0.75).abs() < 1e-12);
    let pulled = mixture_weights(&rows, [0.5, 0.5], Some(([0.0, 1.0], 4.0)), 1);
    assert!((pulled[0] - 3.0 / 8.0).abs() < 1e-12);
    assert_eq!(mixture_weights::<2>(&[], [0.3, 0.7], None, 9), [0.3, 0.7]);
}

#[test]
fn a_users_own_weights_lie_between_his_buckets_and_his_rows() {
    let row = |given: [f32; 2]| StackRow { slot: 0, count: 10.0, given };
    let rows = vec![vec![row([0.9, 0.1])], vec![row([0.1, 0.9])], Vec::new()];
    let fold = Fold { rows, evidence: vec![5.0, 5.0, 5.0] };
    let stack = Stack::learn(&[&fold], 1.0);
    let of = |user: usize, trust: f64| stack.for_user(&[&fold], 1.0, user, 5.0, trust);
    let bucket = *stack.by_evidence(5.0);
    assert!((bucket[0] - 0.5).abs() < 1e-6);
    assert_eq!((of(0, f64::INFINITY), of(2, 1.0)), (bucket, bucket));
    assert!(of(0, 1.0)[0] > of(0, 30.0)[0] && of(0, 30.0)[0] > bucket[0] && of(1, 1.0)[0] < bucket[0]);
}

#[test]
fn pairs_are_counted_between_weeks_only() {
    // Hours 5 and 6 in one week, 5 again in the next: three units, two pairs across weeks, one of them a meeting.
    let user = with_units(vec![unit(14, 5, 0.0), unit(14, 6, 0.0), unit(7, 5, 0.0)]);
    assert!(Pairs::count(&user, 14, 2, &[1.0 / 168.0; 168], 3.0).is_some());
    let one_week = with_units(vec![unit(14, 5, 0.0), unit(14, 6, 0.0)]);
    assert!(Pairs::count(&one_week, 14, 2, &[1.0 / 168.0; 168], 3.0).is_none());
}

#[test]
fn creatures_of_habit_are_less_concentrated_around_the_crowds_curve() {
    let flat = [1.0 / 168.0; 168];
    let mut draws = Draws::new(8);
    let learned = |own_hours: usize, draws: &mut Draws| {
        let pairs: Vec<Pairs> = (0..300)
            .filter_map(|_| {
                let first = (draws.uniform() * 168.0) as usize;
                let truth: Week = normalised(std::array::from_fn(|slot| {
                    f64::from(u8::from((slot + 168 - first) % 168 < own_hours))
                }));
                Pairs::count(&history(draws, &truth, 12.0, 56), 56, 8, &flat, 10.0)
            })
            .collect();
        Concentration::learn(&pairs).at(10.0)
    };
    let (habit, nearly_anybody) = (learned(4, &mut draws), learned(150, &mut draws));
    // Four of 168 hours: P(meeting) = 1/4 = (κ/168 + 1)/(κ + 1), so κ = 3.07.
    assert!((habit / 3.07 - 1.0).abs() < 0.25, "{habit}");
    assert!(nearly_anybody > 20.0 * habit, "{nearly_anybody}");
    assert_eq!(Concentration::learn(&[]), Concentration { level: 4.0, slope: 0.5 });
}
