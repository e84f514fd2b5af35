//! The adjusted Rand index against scikit-learn's figures.

use evaluation::agreement::adjusted_rand;
use proptest::prelude::*;

#[test]
fn it_is_scikit_learns_adjusted_rand_score() {
    // sklearn.metrics.adjusted_rand_score of scikit-learn 1.9.1.
    let small: [(&[usize], &[usize], f64); 6] = [
        (&[0, 0, 1, 1], &[1, 1, 0, 0], 1.0),
        (&[0, 0, 1, 2], &[0, 0, 1, 1], 0.571_428_571_428_571_4),
        (&[0, 0, 0, 0], &[0, 1, 2, 3], 0.0),
        (&[0, 1, 2, 3], &[0, 1, 2, 3], 1.0),
        (&[0, 0, 0, 0], &[1, 1, 1, 1], 1.0),
        (&[0, 1, 0, 1], &[0, 0, 1, 1], -0.5),
    ];
    let one: Vec<usize> = (0..500).map(|n| n * 37 % 7).collect();
    let near: Vec<usize> = (0..500).map(|n| (n * 37 % 7 + usize::from(n % 11 == 0)) % 7).collect();
    let far: Vec<usize> = (0..500).map(|n| n / 100).collect();
    let large =
        [(&one[..], &near[..], 0.802_784_555_564_844_3), (&one[..], &far[..], -0.009_520_200_781_201_046)];
    for (one, other, expected) in small.into_iter().chain(large) {
        let found = adjusted_rand(one, other);
        assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
    }
}

#[test]
fn partitions_of_nothing_are_the_same() {
    assert_eq!(adjusted_rand(&[], &[]), 1.0);
}

proptest! {
    #[test]
    fn it_does_not_depend_on_the_names_of_parts_or_on_which_comes_first(
        pairs in prop::collection::vec((0_usize..5, 0_usize..5), 2..100),
    ) {
        let (one, other): (Vec<usize>, Vec<usize>) = pairs.into_iter().unzip();
        let renamed: Vec<usize> = other.iter().map(|part| 40 - 7 * part).collect();
        let found = adjusted_rand(&one, &other);
        prop_assert!((found - adjusted_rand(&renamed, &one)).abs() < 1e-12);
        prop_assert!(found <= 1.0 + 1e-12);
        prop_assert!((adjusted_rand(&one, &one) - 1.0).abs() < 1e-12);
    }
}
