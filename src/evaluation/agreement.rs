//! How far two partitions of the same things are one: the adjusted Rand index.

use std::collections::BTreeMap;

/// Pairs that both partitions keep together or both part, above what chance gives, in units of the most there could be:
/// 1 for equal partitions, about 0 for unrelated ones (Hubert and Arabie, "Comparing partitions", 1985).
///
/// Each list holds the part of every thing, under any numbers; lists are read together and end with the shorter one. As
/// scikit-learn's `adjusted_rand_score`, two partitions without any choice are the same: 1.
pub fn adjusted_rand(one: &[usize], other: &[usize]) -> f64 {
    let (mut cells, mut rows, mut columns) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for (a, b) in one.iter().zip(other) {
        *cells.entry((a, b)).or_insert(0_u64) += 1;
        *rows.entry(a).or_insert(0_u64) += 1;
        *columns.entry(b).or_insert(0_u64) += 1;
    }
    let together = pairs(cells.values());
    let (of_one, of_other) = (pairs(rows.values()), pairs(columns.values()));
    let by_chance = of_one * of_other / pairs([&(one.len().min(other.len()) as u64)]);
    let most = (of_one + of_other) / 2.0;
    if most == by_chance || by_chance.is_nan() { 1.0 } else { (together - by_chance) / (most - by_chance) }
}

fn pairs<'a>(sizes: impl IntoIterator<Item = &'a u64>) -> f64 {
    sizes.into_iter().map(|size| (*size as f64) * (*size as f64 - 1.0) / 2.0).sum()
}
