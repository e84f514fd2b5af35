//! Monotone inputs: the probability never runs against the direction, whatever the other inputs are.

use ndarray::Axis;
use proptest::prelude::*;

use super::{data, fit, loss, small};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn logits_follow_the_directions(
        seed in 0..u64::MAX,
        directions in proptest::collection::vec(-1_i8..=1, 4),
        missing in prop_oneof![Just(0.0), Just(0.2)],
    ) {
        let data = data(seed, 500, 4, 60, missing);
        let model = fit(&small().trees(20).leaves(16).monotone(directions.clone()), &data);
        for row in data.records.axis_iter(Axis(0)).take(40) {
            for (column, direction) in directions.iter().enumerate() {
                let mut row = row.to_vec();
                let sweep: Vec<f64> = (0..60)
                    .map(|level| {
                        row[column] = f64::from(level) / 29.5 - 1.0;
                        model.logit(&row).unwrap()
                    })
                    .collect();
                let follows = |pair: &[f64]| f64::from(*direction) * (pair[1] - pair[0]) >= 0.0;
                prop_assert!(sweep.windows(2).all(follows), "{column} {direction} {sweep:?}");
            }
        }
    }
}

#[test]
fn the_right_direction_costs_little_and_the_wrong_one_much() {
    let (learnt, fresh) = (data(41, 4_000, 4, 200, 0.0), data(42, 4_000, 4, 200, 0.0));
    let with = |direction| loss(&fit(&small().trees(50).monotone(vec![direction, 0, 0, 0]), &learnt), &fresh);
    let (free, right, wrong) = (with(0), with(1), with(-1));
    assert!(right < free + 0.003 && wrong > free + 0.05, "{free} {right} {wrong}");
}
