//! One model on any number of threads; draws belong to the seed.

use super::{data, fit, loss, small, text};

#[test]
fn one_two_and_five_threads_give_the_same_bits() {
    let data = data(20, 22_000, 6, 100_000, 0.1);
    let weights = (0..22_000).map(|row| 0.5 + (row % 7) as f32 * 0.3).collect();
    let weighted = data.clone().with_weights(weights);
    let plain = small().trees(6);
    let drawn =
        plain.clone().row_share(0.6).column_share(0.5).validation_share(0.2).patience(Some(3)).seed(9);
    for (params, data) in [(&plain, &data), (&plain, &weighted), (&drawn, &data), (&drawn, &weighted)] {
        let on = |threads| text(&fit(&params.clone().threads(Some(threads)), data));
        let one = on(1);
        assert_eq!(one, on(2));
        assert_eq!(one, on(5));
        assert_eq!(one, text(&fit(params, data)));
    }
}

#[test]
fn draws_follow_the_seed() {
    let data = data(21, 2_000, 6, 1_000, 0.1);
    for params in [small().row_share(0.5), small().column_share(0.4), small().validation_share(0.3)] {
        let with = |seed| text(&fit(&params.clone().seed(seed), &data));
        assert_eq!(with(1), with(1));
        assert_ne!(with(1), with(2));
        assert_ne!(with(1), text(&fit(&small(), &data)));
    }
    assert_eq!(text(&fit(&small().seed(1), &data)), text(&fit(&small().seed(2), &data)));
}

#[test]
fn a_tree_of_drawn_columns_uses_no_others() {
    let data = data(22, 2_000, 6, 1_000, 0.0);
    let model = fit(&small().trees(30).column_share(0.34), &data);
    let json: serde_json::Value = serde_json::from_str(&text(&model)).unwrap();
    for tree in json["trees"].as_array().unwrap() {
        let nodes = tree["nodes"].as_array().unwrap();
        let mut columns: Vec<_> = nodes.iter().filter_map(|node| node["split"]["column"].as_u64()).collect();
        columns.sort_unstable();
        columns.dedup();
        assert!(!columns.is_empty() && columns.len() <= 2, "{columns:?}");
    }
}

#[test]
fn half_the_rows_still_teach() {
    let (learnt, fresh) = (data(23, 8_000, 4, 1_000, 0.1), data(24, 8_000, 4, 1_000, 0.1));
    let all = loss(&fit(&small().trees(50), &learnt), &fresh);
    let half = loss(&fit(&small().trees(50).row_share(0.5), &learnt), &fresh);
    assert!(half < all + 0.01, "{all} {half}");
}

#[test]
fn trees_without_rows_are_left_out() {
    let data = data(25, 300, 3, 50, 0.1);
    assert_eq!(fit(&small().row_share(1e-9), &data).trees(), 0);
    assert!(fit(&small().row_share(0.05).rows_per_leaf(8).trees(50), &data).trees() < 50);
}
