//! Lift over rows of which many are one unit: an A/A test must not find an effect, at whichever look, and a real one is found.

use evaluation::uplift::{Lift, Rows, UpliftUnit, lift, lift_of};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

fn uniform(random: &mut ChaCha8Rng) -> f64 {
    (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// Rows with their units, in the order in which they come.
#[derive(Default)]
struct Exposures {
    rows: Vec<UpliftUnit>,
    units: Vec<u32>,
}

impl Exposures {
    fn lift(&self, rows: usize, planned: u64) -> Option<Lift> {
        let rows = Rows { rows: &self.rows[..rows], units: Some(&self.units[..rows]) };
        lift_of(rows, planned).ok()
    }
}

/// How rows come, and how chance assigns them.
#[derive(Clone, Copy)]
enum Order {
    /// One user after the other.
    ByUser,
    /// One row of every user a day.
    ByDay,
    /// One user after the other, every row assigned on its own.
    AssignedByRow,
}

/// Users of very different habits with 25 rows each; treatment adds `effect` to the rate of each.
fn exposures(users: u32, effect: f64, order: Order, seed: u64) -> Exposures {
    const ROWS: u32 = 25;
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let people: Vec<(bool, f64)> =
        (0..users).map(|_| (uniform(&mut random) < 0.5, 0.6 * uniform(&mut random).powi(2))).collect();
    let mut all = Exposures::default();
    for index in 0..users * ROWS {
        let user = match order {
            Order::ByDay => index % users,
            Order::ByUser | Order::AssignedByRow => index / ROWS,
        };
        let (assigned, rate) = people[user as usize];
        let treated =
            if matches!(order, Order::AssignedByRow) { uniform(&mut random) < 0.5 } else { assigned };
        let reached = uniform(&mut random) < rate + if treated { effect } else { 0.0 };
        all.rows.push(UpliftUnit { treated, treated_probability: 0.5, reached });
        all.units.push(user);
    }
    all
}

/// Does an interval leave out 0 at one of ten looks?
fn is_found(all: &Exposures, planned: u64) -> bool {
    let looks = (1..=10).map(|look| all.rows.len() * look / 10);
    looks
        .into_iter()
        .filter_map(|rows| all.lift(rows, planned))
        .any(|lift| lift.difference.low > 0.0 || lift.difference.high < 0.0)
}

#[test]
fn an_a_a_test_leaves_out_0_in_no_more_than_the_nominal_share_of_files() {
    const FILES: u64 = 200;
    for order in [Order::ByUser, Order::ByDay, Order::AssignedByRow] {
        for planned in [200, 10_000] {
            let found =
                (0..FILES).filter(|seed| is_found(&exposures(200, 0.0, order, *seed), planned)).count();
            assert!(found as u64 <= FILES / 20, "{found} of {FILES}, planned for {planned}");
        }
    }
    // The same files with every row as a unit: this is what went wrong.
    let naive = (0..FILES).filter(|seed| {
        let all = exposures(200, 0.0, Order::ByUser, *seed);
        let lift = lift(&all.rows, 5_000).unwrap();
        lift.difference.low > 0.0 || lift.difference.high < 0.0
    });
    assert!(naive.count() as u64 > FILES / 10, "rows of one user are not independent");
}

#[test]
fn a_real_effect_is_found_and_its_interval_holds_the_truth() {
    const FILES: u64 = 40;
    let all: Vec<Exposures> =
        (0..FILES).map(|seed| exposures(600, 0.1, Order::ByUser, 1_000 + seed)).collect();
    let found = all.iter().filter(|all| is_found(all, 600)).count();
    assert!(found as u64 >= FILES * 9 / 10, "{found} of {FILES}");
    let holds = all.iter().filter_map(|all| all.lift(all.rows.len(), 600));
    let holds = holds.filter(|lift| lift.difference.low <= 0.1 && 0.1 <= lift.difference.high).count();
    assert!(holds as u64 >= FILES * 19 / 20, "{holds} of {FILES}");
}

#[test]
fn copies_of_a_row_say_no_more_than_the_row() {
    let mut random = ChaCha8Rng::seed_from_u64(7);
    let single: Vec<UpliftUnit> = (0..400)
        .map(|_| UpliftUnit {
            treated: uniform(&mut random) < 0.5,
            treated_probability: 0.5,
            reached: uniform(&mut random) < 0.2,
        })
        .collect();
    let rows: Vec<UpliftUnit> = single.iter().flat_map(|row| [*row; 25]).collect();
    let units: Vec<u32> = (0..400).flat_map(|unit| [unit; 25]).collect();
    let once = lift(&single, 400).unwrap();
    let copied = lift_of(Rows { rows: &rows, units: Some(&units) }, 400).unwrap();
    assert!((once.difference.value - copied.difference.value).abs() < 1e-12);
    let width = |lift: &Lift| lift.difference.high - lift.difference.low;
    assert!((width(&copied) / width(&once) - 1.0).abs() < 0.05, "{} {}", width(&copied), width(&once));
    assert_eq!((copied.treated.units, copied.treated.units_reached), (once.treated.n, once.treated.reached));
    assert!((copied.assignment_z - once.assignment_z).abs() < 0.1);
}

#[test]
fn units_of_one_row_each_are_the_rows() {
    let all = exposures(40, 0.1, Order::ByUser, 3);
    let units: Vec<u32> = (0..all.rows.len() as u32).collect();
    let named = lift_of(Rows { rows: &all.rows, units: Some(&units) }, 500).unwrap();
    let plain = lift(&all.rows, 500).unwrap();
    assert_eq!(
        (named.treated, named.control, named.difference.n),
        (plain.treated, plain.control, plain.difference.n)
    );
    let width = |lift: &Lift| lift.single_look_high - lift.single_look_low;
    assert!((width(&named) / width(&plain) - 1.0).abs() < 0.1, "{named:?} {plain:?}");
}
